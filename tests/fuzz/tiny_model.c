/* Writes flatbuffers front to back: tables first, what they refer to behind them.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiny_model.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { ROOM = 1 << 15, FIELD_BYTES = 8, TENSORS = 24 };
enum { FLOAT32 = 0, INT32 = 2, INT8 = 9 };
enum { SAME = 0, VALID = 1, RELU = 1, RELU6 = 3 };

enum {
	ADD = 0,
	AVERAGE_POOL = 1,
	CONCAT = 2,
	CONV = 3,
	DEPTHWISE = 4,
	DEQUANTIZE = 6,
	DENSE = 9,
	LOGISTIC = 14,
	MAX_POOL = 17,
	RESHAPE = 22,
	SOFTMAX = 25,
	PAD = 34,
	MEAN = 40,
	QUANTIZE = 114,
};

typedef struct {
	unsigned char *bytes;
	size_t size;
	size_t buffers, tensors, operators, opcodes; /* vectors of tables */
	int tensor_count, op_count;
	int changed_op, changed_code;
} builder;

static void store(builder *to, size_t at, uint64_t value, int width)
{
	for (int i = 0; i < width; i++)
		to->bytes[at + (size_t)i] = (unsigned char)(value >> (8 * i));
}

static size_t take(builder *to, size_t size)
{
	const size_t at = to->size;

	to->size += (size + 7) / 8 * 8;
	assert(to->size <= ROOM);
	return at;
}

/* A table whose fields are all absent so far; field n has 8 bytes at 4 + 8 * n behind it. */
static size_t add_table(builder *to, int fields)
{
	const size_t vtable_bytes = 4 + 2 * (size_t)fields;
	const size_t table_bytes = 4 + FIELD_BYTES * (size_t)fields;
	const size_t vtable = take(to, vtable_bytes);
	const size_t table = take(to, table_bytes + 4) + 4; /* so that fields are aligned to 8 */

	store(to, vtable, vtable_bytes, 2);
	store(to, vtable + 2, table_bytes, 2);
	store(to, table, table - vtable, 4);
	return table;
}

static void set(builder *to, size_t table, int slot, uint64_t value, int width)
{
	const size_t offset = 4 + FIELD_BYTES * (size_t)slot;
	size_t vtable = table;

	for (int i = 0; i < 4; i++)
		vtable -= (size_t)to->bytes[table + (size_t)i] << (8 * i);
	store(to, vtable + 4 + 2 * (size_t)slot, offset, 2);
	store(to, table + offset, value, width);
}

/* requires: target lies behind the table */
static void set_offset(builder *to, size_t table, int slot, size_t target)
{
	set(to, table, slot, target - (table + 4 + FIELD_BYTES * (size_t)slot), 4);
}

static size_t add_vector(builder *to, size_t count, size_t element_bytes, const void *elements)
{
	const size_t at = take(to, 12 + count * element_bytes) + 4; /* elements aligned to 8 */

	store(to, at, count, 4);
	if (elements && count)
		memcpy(to->bytes + at + 4, elements, count * element_bytes);
	return at;
}

static void set_element(builder *to, size_t vector, int index, size_t target)
{
	const size_t at = vector + 4 + 4 * (size_t)index;

	store(to, at, target - at, 4);
}

/* Gives channel i the scale `scale` * (i + 1), along one dimension of the tensor. */
static void set_quantization(builder *to, size_t tensor, int channels, int dimension, float scale,
                             int zero_point)
{
	const size_t table = add_table(to, 7);
	float scales[16];
	int64_t zero_points[16];

	for (int i = 0; i < channels; i++) {
		scales[i] = scale * (float)(i + 1);
		zero_points[i] = zero_point;
	}
	set_offset(to, tensor, 4, table);
	set(to, table, 6, (uint64_t)dimension, 4);
	set_offset(to, table, 2, add_vector(to, (size_t)channels, sizeof *scales, scales));
	set_offset(to, table, 3,
	           add_vector(to, (size_t)channels, sizeof *zero_points, zero_points));
}

/* Adds a tensor of up to 4 dimensions, the rest 0.
 *   scales  0: none; over 1: per channel */
static int add_tensor(builder *to, int type, const int32_t dims[4], int scales, float scale,
                      int zero_point, const void *data, size_t size)
{
	const int index = to->tensor_count++;
	const size_t table = add_table(to, 6);
	const size_t buffer = add_table(to, 1);
	char name[] = "tensor_a";
	size_t rank = 0;

	name[7] = (char)('a' + index);
	while (rank < 4 && dims[rank])
		rank++;
	set_offset(to, table, 0, add_vector(to, rank, 4, dims));
	set(to, table, 1, (uint64_t)type, 1);
	set(to, table, 2, (uint64_t)index + 1, 4);
	set_offset(to, table, 3, add_vector(to, sizeof name - 1, 1, name));
	if (scales)
		set_quantization(to, table, scales, scales > 1 && dims[0] == 1 ? 3 : 0, scale,
		                 zero_point);
	if (size)
		set_offset(to, buffer, 0, add_vector(to, size, 1, data));
	set_element(to, to->tensors, index, table);
	set_element(to, to->buffers, index + 1, buffer);
	return index;
}

static int add_activation(builder *to, int rows, int columns, int channels, float scale,
                          int zero_point)
{
	const int32_t image[4] = {1, rows, columns, channels}, flat[4] = {1, channels, 0, 0};

	return add_tensor(to, INT8, rows ? image : flat, 1, scale, zero_point, NULL, 0);
}

/* Adds weights of any pattern and a bias. Gives the weights' index; the bias' is one more. */
static int add_weights(builder *to, const int32_t dims[4], int channels, int scales)
{
	const int32_t bias_dims[4] = {channels, 0, 0, 0};
	int8_t weights[512];
	int32_t bias[16];
	size_t size = 1;
	int index;

	for (int i = 0; i < 4 && dims[i]; i++)
		size *= (size_t)dims[i];
	assert(size <= sizeof weights);
	for (size_t i = 0; i < size; i++)
		weights[i] = (int8_t)((i * 37 + 11) % 255 - 127);
	for (int i = 0; i < channels; i++)
		bias[i] = 1000 * i - 1500;
	index = add_tensor(to, INT8, dims, scales, 0.01f, 0, weights, size);
	add_tensor(to, INT32, bias_dims, 0, 0, 0, bias, (size_t)channels * sizeof *bias);
	return index;
}

static int add_integers(builder *to, const int32_t dims[4], const int32_t *values, size_t count)
{
	return add_tensor(to, INT32, dims, 0, 0, 0, values, count * sizeof *values);
}

/* Adds an operator with up to 3 inputs, -1: none. Gives its options, 7 fields.
 *   options_type  of the schema's union */
static size_t add_op(builder *to, int code, int options_type, int a, int b, int c, int output)
{
	const int32_t inputs[3] = {a, b, c}, outputs[1] = {output};
	const int index = to->op_count++;
	const size_t table = add_table(to, 5);
	const size_t opcode = add_table(to, 4);
	size_t options;

	if (index == to->changed_op)
		code = to->changed_code;
	set(to, opcode, 0, (uint64_t)(code < 127 ? code : 127), 1);
	set(to, opcode, 2, 1, 4);
	set(to, opcode, 3, (uint64_t)code, 4);
	set(to, table, 0, (uint64_t)index, 4);
	set_offset(to, table, 1, add_vector(to, 1 + (b >= 0) + (c >= 0), 4, inputs));
	set_offset(to, table, 2, add_vector(to, 1, 4, outputs));
	options = add_table(to, 7);
	if (options_type) {
		set(to, table, 3, (uint64_t)options_type, 1);
		set_offset(to, table, 4, options);
	}
	set_element(to, to->operators, index, table);
	set_element(to, to->opcodes, index, opcode);
	return options;
}

static void set_window(builder *to, size_t options, int padding, int stride)
{
	set(to, options, 0, (uint64_t)padding, 1);
	set(to, options, 1, (uint64_t)stride, 4);
	set(to, options, 2, (uint64_t)stride, 4);
}

static void set_pool(builder *to, size_t options, int stride)
{
	set_window(to, options, VALID, stride);
	set(to, options, 3, 2, 4);
	set(to, options, 4, 2, 4);
}

/* Adds the first half: quantize, convolve, add, pad, pool. Gives the last tensor. */
static int add_image_part(builder *to, int input)
{
	const int32_t conv_dims[4] = {4, 3, 3, 2}, depthwise_dims[4] = {1, 3, 3, 8};
	const int32_t pad_dims[4] = {4, 2, 0, 0}, pads[8] = {0, 0, 1, 1, 1, 0, 0, 0};
	int from, to_tensor, weights;
	size_t options;

	from = add_activation(to, 6, 5, 2, 0.5f, 3);
	add_op(to, QUANTIZE, 0, input, -1, -1, from);

	weights = add_weights(to, conv_dims, 4, 4);
	to_tensor = add_activation(to, 3, 3, 4, 0.25f, -128);
	options = add_op(to, CONV, 1, from, weights, weights + 1, to_tensor);
	set_window(to, options, SAME, 2);
	set(to, options, 3, RELU6, 1);
	from = to_tensor;

	weights = add_weights(to, depthwise_dims, 8, 8);
	to_tensor = add_activation(to, 3, 3, 8, 0.25f, -128);
	options = add_op(to, DEPTHWISE, 2, from, weights, weights + 1, to_tensor);
	set_window(to, options, SAME, 1);
	set(to, options, 3, 2, 4);
	set(to, options, 4, RELU, 1);
	from = to_tensor;

	to_tensor = add_activation(to, 3, 3, 8, 0.5f, 0);
	add_op(to, ADD, 11, from, from, -1, to_tensor);
	from = to_tensor;

	weights = add_integers(to, pad_dims, pads, 8);
	to_tensor = add_activation(to, 5, 4, 8, 0.5f, 0);
	add_op(to, PAD, 22, from, weights, -1, to_tensor);
	from = to_tensor;

	to_tensor = add_activation(to, 2, 2, 8, 0.5f, 0);
	options = add_op(to, MAX_POOL, 5, from, -1, -1, to_tensor);
	set_pool(to, options, 2);
	return to_tensor;
}

/* Adds the second half: logistic to float. */
static void add_vector_part(builder *to, int from, int output)
{
	const int32_t axes_dims[4] = {2, 0, 0, 0}, axes[2] = {1, 2};
	const int32_t dense_dims[4] = {5, 16, 0, 0};
	int logistic, joined, mean, pooled, flat, sum, dense, weights;
	size_t options;

	logistic = add_activation(to, 2, 2, 8, 1 / 256.0f, -128);
	add_op(to, LOGISTIC, 0, from, -1, -1, logistic);
	joined = add_activation(to, 2, 2, 16, 1 / 256.0f, -128);
	options = add_op(to, CONCAT, 10, logistic, logistic, -1, joined);
	set(to, options, 0, 3, 4);

	weights = add_integers(to, axes_dims, axes, 2);
	mean = add_activation(to, 0, 0, 16, 1 / 200.0f, -120);
	add_op(to, MEAN, 27, joined, weights, -1, mean);

	pooled = add_activation(to, 1, 1, 16, 1 / 256.0f, -128);
	options = add_op(to, AVERAGE_POOL, 5, joined, -1, -1, pooled);
	set_pool(to, options, 2);
	flat = add_activation(to, 0, 0, 16, 1 / 256.0f, -128);
	add_op(to, RESHAPE, 17, pooled, -1, -1, flat);

	sum = add_activation(to, 0, 0, 16, 1 / 100.0f, -128);
	add_op(to, ADD, 11, mean, flat, -1, sum);

	weights = add_weights(to, dense_dims, 5, 1);
	dense = add_activation(to, 0, 0, 5, 0.1f, 7);
	add_op(to, DENSE, 8, sum, weights, weights + 1, dense);
	sum = add_activation(to, 0, 0, 5, 1 / 256.0f, -128);
	options = add_op(to, SOFTMAX, 9, dense, -1, -1, sum);
	set(to, options, 0, 0x3f800000, 4); /* beta: 1.0f */
	add_op(to, DEQUANTIZE, 0, sum, -1, -1, output);
}

espl_span tiny_model_with_code(espl_arena *arena, int index, int code)
{
	static const int32_t input_dims[4] = {1, 6, 5, 2}, output_dims[4] = {1, 5, 0, 0};
	builder to = {.changed_op = index, .changed_code = code};
	size_t model, graph, graphs, first_buffer;
	int32_t border[1];
	int input, output;

	to.bytes = espl_arena_calloc(arena, ROOM, 1);
	to.size = 8;
	memcpy(to.bytes + 4, "TFL3", 4);
	model = add_table(&to, 5);
	store(&to, 0, model, 4);
	set(&to, model, 0, 3, 4);
	to.opcodes = add_vector(&to, TINY_MODEL_OPS, 4, NULL);
	graphs = add_vector(&to, 1, 4, NULL);
	graph = add_table(&to, 4);
	set_element(&to, graphs, 0, graph);
	to.buffers = add_vector(&to, TENSORS + 1, 4, NULL);
	to.tensors = add_vector(&to, TENSORS, 4, NULL);
	to.operators = add_vector(&to, TINY_MODEL_OPS, 4, NULL);
	set_offset(&to, model, 1, to.opcodes);
	set_offset(&to, model, 2, graphs);
	set_offset(&to, model, 4, to.buffers);
	first_buffer = add_table(&to, 1);
	set_element(&to, to.buffers, 0, first_buffer);
	set_offset(&to, graph, 0, to.tensors);
	set_offset(&to, graph, 3, to.operators);

	input = add_tensor(&to, FLOAT32, input_dims, 0, 0, 0, NULL, 0);
	output = add_tensor(&to, FLOAT32, output_dims, 0, 0, 0, NULL, 0);
	border[0] = input;
	set_offset(&to, graph, 1, add_vector(&to, 1, 4, border));
	border[0] = output;
	set_offset(&to, graph, 2, add_vector(&to, 1, 4, border));
	add_vector_part(&to, add_image_part(&to, input), output);
	assert(to.tensor_count == TENSORS && to.op_count == TINY_MODEL_OPS);
	return (espl_span){to.bytes, to.size};
}

espl_span tiny_model(espl_arena *arena)
{
	return tiny_model_with_code(arena, -1, 0);
}
