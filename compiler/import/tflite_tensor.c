/* The file's tensors: shapes, quantization, constants.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tflite.h"

#include <math.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200 };

/* Slots of the schema's tables. */
enum { TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION };
enum { TENSOR_IS_VARIABLE = 5, TENSOR_SPARSITY = 6 };
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT = 3 };

static const char *read_name(espl_tflite *in, espl_flat_table table)
{
	const espl_flat_vector text = espl_flat_get_vector(&in->buffer, table, TENSOR_NAME, 1);
	const uint32_t size = text.count < NAME_MAX_BYTES ? text.count : NAME_MAX_BYTES;
	char *name = espl_arena_calloc(in->arena, (size_t)size + 1, 1);

	if (size)
		memcpy(name, in->buffer.file.data + text.at, size);
	for (char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '_';
	return name;
}

/* The bytes of a constant: in the buffer's table, or behind the tables in very large files. */
static espl_span read_data(espl_tflite *in, uint32_t index)
{
	const espl_span none = {NULL, 0};
	uint64_t offset, size;
	espl_flat_table table;
	espl_flat_vector data;

	if (index >= in->buffers.count)
		return none;
	table = espl_flat_table_at(&in->buffer, in->buffers, index);
	data = espl_flat_get_vector(&in->buffer, table, BUFFER_DATA, 1);
	if (data.count)
		return (espl_span){in->buffer.file.data + data.at, data.count};
	offset = espl_flat_get_uint64(&in->buffer, table, BUFFER_OFFSET);
	size = espl_flat_get_uint64(&in->buffer, table, BUFFER_SIZE);
	if (offset <= 1 || offset > in->buffer.file.size || size > in->buffer.file.size - offset)
		return none;
	return (espl_span){in->buffer.file.data + offset, (size_t)size};
}

static void read_tensor(espl_tflite *in, espl_flat_table table, espl_tflite_tensor *tensor)
{
	espl_flatbuffer *buffer = &in->buffer;
	const espl_flat_vector shape = espl_flat_get_vector(buffer, table, TENSOR_SHAPE, 4);
	const espl_flat_table quantization =
	        espl_flat_get_table(buffer, table, TENSOR_QUANTIZATION);

	tensor->name = read_name(in, table);
	tensor->type = espl_flat_get_int8(buffer, table, TENSOR_TYPE, ESPL_TFLITE_FLOAT32);
	tensor->rank = shape.count <= INT16_MAX ? (int)shape.count : INT16_MAX;
	for (uint32_t i = 0; i < shape.count && i < ESPL_TFLITE_MAX_RANK; i++)
		tensor->dims[i] = espl_flat_int32_at(buffer, shape, i);
	tensor->data = read_data(in, espl_flat_get_uint32(buffer, table, TENSOR_BUFFER));
	tensor->scales = espl_flat_get_vector(buffer, quantization, QUANTIZATION_SCALE, 4);
	tensor->zero_points =
	        espl_flat_get_vector(buffer, quantization, QUANTIZATION_ZERO_POINT, 8);
	tensor->is_variable = espl_flat_get_int8(buffer, table, TENSOR_IS_VARIABLE, 0) != 0;
	tensor->is_sparse = espl_flat_get_table(buffer, table, TENSOR_SPARSITY).at != 0;
	tensor->net_tensor = -1;
}

void espl_tflite_read_tensors(espl_tflite *in, espl_flat_vector tensors)
{
	in->tensor_count = (int)tensors.count;
	in->tensors = ESPL_ARRAY(in->arena, espl_tflite_tensor, tensors.count);
	for (uint32_t i = 0; i < tensors.count; i++)
		read_tensor(in, espl_flat_table_at(&in->buffer, tensors, i), &in->tensors[i]);
}

espl_tflite_tensor *espl_tflite_tensor_at(const espl_tflite *in, int32_t index)
{
	return index >= 0 && index < in->tensor_count ? &in->tensors[index] : NULL;
}

const espl_tflite_tensor *espl_tflite_input(const espl_tflite *in, const espl_tflite_op *source,
                                            uint32_t n)
{
	if (n >= source->inputs.count)
		return NULL;
	return espl_tflite_tensor_at(in, espl_flat_int32_at(&in->buffer, source->inputs, n));
}

/* Maps a shape to rows x columns x channels: the last dimension is the channels, the first of
 * two or more the batch. */
static const char *read_shape(espl_tflite *in, const espl_tflite_tensor *source,
                              espl_tensor *tensor)
{
	int64_t elements = 1;
	int32_t sides[ESPL_TFLITE_MAX_RANK] = {1, 1, 1, 1};

	if (source->rank > ESPL_TFLITE_MAX_RANK)
		return espl_arena_format(in->arena, "tensor %s has %d dimensions, at most %d",
		                         source->name, source->rank, (int)ESPL_TFLITE_MAX_RANK);
	for (int i = 0; i < source->rank; i++) {
		int32_t side = source->dims[i];

		if (i == 0 && side == -1 && source->rank > 1)
			side = 1; /* a batch of any size */
		if (i == 0 && side != 1 && source->rank > 1)
			return espl_arena_format(in->arena, "tensor %s has batch %d, not 1",
			                         source->name, side);
		if (side < 1 || side > ESPL_MAX_ELEMENTS)
			return espl_arena_format(in->arena, "tensor %s has dimension %d",
			                         source->name, side);
		elements *= side;
		if (elements > ESPL_MAX_ELEMENTS)
			return espl_arena_format(in->arena, "tensor %s has over %d elements",
			                         source->name, (int)ESPL_MAX_ELEMENTS);
		sides[i + ESPL_TFLITE_MAX_RANK - source->rank] = side;
	}
	/* [batch, rows, columns, channels]; a batch that moved inside is 1 */
	tensor->rows = sides[1];
	tensor->columns = sides[2];
	tensor->channels = sides[3];
	return NULL;
}

const char *espl_tflite_activation(espl_tflite *in, int32_t index, int *net_tensor)
{
	espl_tflite_tensor *source = espl_tflite_tensor_at(in, index);
	espl_tensor *tensor;
	const char *reason;
	int64_t zero_point;

	if (!source)
		return espl_arena_format(in->arena, "tensor %d is not there", index);
	if (source->net_tensor >= 0) {
		*net_tensor = source->net_tensor;
		return NULL;
	}
	if (source->type != ESPL_TFLITE_INT8)
		return espl_arena_format(in->arena, "tensor %s is not int8 (type %d)", source->name,
		                         source->type);
	if (source->data.size)
		return espl_arena_format(in->arena, "tensor %s is a constant", source->name);
	if (source->is_variable)
		return espl_arena_format(in->arena, "tensor %s is a variable", source->name);
	if (source->scales.count != 1 || source->zero_points.count > 1)
		return espl_arena_format(in->arena, "tensor %s has %u scales, not 1", source->name,
		                         source->scales.count);
	tensor = &in->net->tensors[in->net->tensor_count];
	reason = read_shape(in, source, tensor);
	if (reason)
		return reason;
	tensor->scale = espl_flat_float_at(&in->buffer, source->scales, 0);
	if (!(tensor->scale > 0) || !isfinite(tensor->scale))
		return espl_arena_format(in->arena, "tensor %s has scale %g", source->name,
		                         tensor->scale);
	zero_point = source->zero_points.count
	                     ? espl_flat_int64_at(&in->buffer, source->zero_points, 0)
	                     : 0;
	if (zero_point < INT8_MIN || zero_point > INT8_MAX)
		return espl_arena_format(in->arena, "tensor %s has zero point %lld", source->name,
		                         (long long)zero_point);
	tensor->zero_point = (int32_t)zero_point;
	tensor->name = source->name;
	source->net_tensor = in->net->tensor_count++;
	*net_tensor = source->net_tensor;
	return NULL;
}

const char *espl_tflite_constant(espl_tflite *in, const espl_tflite_tensor *tensor, int max_count,
                                 int64_t **values, int *count)
{
	const size_t bytes = tensor && tensor->type == ESPL_TFLITE_INT64 ? 8 : 4;

	if (!tensor || !tensor->data.size ||
	    (tensor->type != ESPL_TFLITE_INT32 && tensor->type != ESPL_TFLITE_INT64))
		return "an argument is not a constant of int32 or int64";
	if (tensor->data.size % bytes || tensor->data.size / bytes > (size_t)max_count)
		return espl_arena_format(in->arena, "tensor %s has %zu bytes", tensor->name,
		                         tensor->data.size);
	*count = (int)(tensor->data.size / bytes);
	*values = ESPL_ARRAY(in->arena, int64_t, *count);
	for (int i = 0; i < *count; i++) {
		const unsigned char *at = tensor->data.data + (size_t)i * bytes;

		(*values)[i] = bytes == 8 ? (int64_t)espl_load_uint64(at)
		                          : (int64_t)(int32_t)espl_load_uint32(at);
	}
	return NULL;
}
