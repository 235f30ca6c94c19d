/* The net as JSON, and back: docs/net.md.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "ir/net.h"

#include <assert.h>
#include <string.h>

enum { FORMAT = 1, TABLE_SIZE = 256 };

static const char *const rounding_names[] = {"tflm", "single", "onnx"};
static const char *const type_names[] = {"int8", "float32", "uint8"};

static bool has_window(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE || kind == ESPL_OP_MAX_POOL ||
	       kind == ESPL_OP_AVERAGE_POOL;
}

static bool has_weights(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE || kind == ESPL_OP_DENSE;
}

/* Collects the scales that an operator has outside of its weights, in order.
 *   out  scales  room for 3 */
static int collect_scales(espl_op *op, espl_scale **scales)
{
	switch (op->kind) {
	case ESPL_OP_ADD:
		scales[0] = &op->in_scales[0];
		scales[1] = &op->in_scales[1];
		scales[2] = &op->out_scale;
		return 3;
	case ESPL_OP_MEAN:
		scales[0] = &op->out_scale;
		return 1;
	case ESPL_OP_SOFTMAX:
		scales[0] = &op->softmax_scale;
		return 1;
	default:
		return 0;
	}
}

static void print_scales(espl_json_writer *writer, espl_arena *arena, const espl_scale *scales,
                         int count)
{
	int64_t *multipliers = ESPL_ARRAY(arena, int64_t, count);
	int64_t *exponents = ESPL_ARRAY(arena, int64_t, count);

	for (int i = 0; i < count; i++) {
		multipliers[i] = scales[i].multiplier;
		exponents[i] = scales[i].exponent;
	}
	espl_json_put_integers(writer, "multipliers", multipliers, count);
	espl_json_put_integers(writer, "exponents", exponents, count);
}

static void print_bytes(espl_json_writer *writer, espl_arena *arena, const char *key,
                        const int8_t *bytes, int count)
{
	int64_t *values = ESPL_ARRAY(arena, int64_t, count);

	for (int i = 0; i < count; i++)
		values[i] = bytes[i];
	espl_json_put_integers(writer, key, values, count);
}

static void print_window(espl_json_writer *writer, const espl_op *op)
{
	const int64_t kernel[] = {op->kernel_rows, op->kernel_columns};
	const int64_t strides[] = {op->stride_rows, op->stride_columns};
	const int64_t dilations[] = {op->dilation_rows, op->dilation_columns};

	espl_json_put_integers(writer, "kernel", kernel, 2);
	espl_json_put_integers(writer, "strides", strides, 2);
	espl_json_put_integers(writer, "dilations", dilations, 2);
}

static void print_pads(espl_json_writer *writer, const espl_op *op)
{
	const int64_t pads[] = {op->pad_top, op->pad_bottom, op->pad_left, op->pad_right};

	espl_json_put_integers(writer, "pads", pads, 4);
}

static void print_weights(espl_json_writer *writer, espl_arena *arena, const espl_net *net,
                          const espl_op *op)
{
	const int channels = net->tensors[op->output].channels;
	int64_t *bias = ESPL_ARRAY(arena, int64_t, channels);

	for (int i = 0; i < channels; i++)
		bias[i] = op->bias[i];
	espl_json_put_bool(writer, "scale_per_tensor", op->scale_per_tensor);
	print_scales(writer, arena, op->scales, op->scale_per_tensor ? 1 : channels);
	espl_json_put_integers(writer, "bias", bias, channels);
	print_bytes(writer, arena, "weights", op->weights, (int)espl_op_weights(net, op));
}

static void print_op(espl_json_writer *writer, espl_arena *arena, const espl_net *net,
                     const espl_op *op)
{
	int64_t inputs[ESPL_MAX_INPUTS];
	espl_scale *found[3], scales[3];
	espl_op copy = *op;
	int scale_count = collect_scales(&copy, found);

	for (int i = 0; i < op->input_count; i++)
		inputs[i] = op->inputs[i];
	for (int i = 0; i < scale_count; i++)
		scales[i] = *found[i];
	espl_json_open(writer, NULL, '{');
	espl_json_put_string(writer, "kind", espl_op_name(op->kind));
	espl_json_put_string(writer, "name", op->name);
	espl_json_put_integers(writer, "inputs", inputs, op->input_count);
	espl_json_put_integer(writer, "output", op->output);
	if (has_window(op->kind))
		print_window(writer, op);
	if (has_window(op->kind) || op->kind == ESPL_OP_PAD)
		print_pads(writer, op);
	if (op->kind == ESPL_OP_DEPTHWISE)
		espl_json_put_integer(writer, "depth_multiplier", op->depth_multiplier);
	if (op->kind == ESPL_OP_AVERAGE_POOL && net->rounding == ESPL_ROUND_ONNX)
		espl_json_put_bool(writer, "count_pads", op->count_pads);
	if (op->kind == ESPL_OP_ADD && net->rounding == ESPL_ROUND_ONNX)
		espl_json_put_integer(writer, "file_offset", op->file_offset);
	espl_json_put_integer(writer, "low", op->low);
	espl_json_put_integer(writer, "high", op->high);
	if (scale_count)
		print_scales(writer, arena, scales, scale_count);
	if (op->kind == ESPL_OP_SOFTMAX)
		espl_json_put_integer(writer, "least", op->softmax_least);
	if (op->kind == ESPL_OP_LOGISTIC)
		print_bytes(writer, arena, "table", op->table, TABLE_SIZE);
	if (has_weights(op->kind))
		print_weights(writer, arena, net, op);
	espl_json_close(writer);
}

static void print_borders(espl_json_writer *writer, const char *key, const int *tensors,
                          const espl_type *types, const espl_order *orders, int count)
{
	espl_json_open(writer, key, '[');
	for (int i = 0; i < count; i++) {
		espl_json_open(writer, NULL, '{');
		espl_json_put_integer(writer, "tensor", tensors[i]);
		espl_json_put_string(writer, "type", type_names[types[i]]);
		if (orders && orders[i].axes[0] + 3 * orders[i].axes[1] != 3) {
			int64_t axes[3];

			for (int k = 0; k < 3; k++)
				axes[k] = orders[i].axes[k];
			espl_json_put_integers(writer, "order", axes, 3);
		}
		espl_json_close(writer);
	}
	espl_json_close(writer);
}

static void print_tensor(espl_json_writer *writer, const espl_tensor *tensor)
{
	const int64_t shape[] = {tensor->rows, tensor->columns, tensor->channels};

	espl_json_open(writer, NULL, '{');
	espl_json_put_string(writer, "name", tensor->name);
	espl_json_put_integers(writer, "shape", shape, 3);
	espl_json_put_number(writer, "scale", tensor->scale);
	espl_json_put_integer(writer, "zero_point", tensor->zero_point);
	espl_json_close(writer);
}

espl_status espl_net_print(const espl_net *net, espl_arena *arena, const char **text, size_t *size,
                           espl_error *err)
{
	espl_json_writer *writer;
	espl_arena *scratch;
	const char *whole;
	size_t length;

	ESPL_TRY(espl_net_check(net, err));
	scratch = espl_arena_create();
	writer = espl_json_writer_create(scratch);
	espl_json_open(writer, NULL, '{');
	espl_json_put_integer(writer, "format", FORMAT);
	espl_json_put_string(writer, "name", net->name);
	espl_json_put_string(writer, "rounding", rounding_names[net->rounding]);
	print_borders(writer, "inputs", net->inputs, net->input_types, net->input_orders,
	              net->input_count);
	print_borders(writer, "outputs", net->outputs, net->output_types, net->output_orders,
	              net->output_count);
	espl_json_open(writer, "tensors", '[');
	for (int i = 0; i < net->tensor_count; i++)
		print_tensor(writer, &net->tensors[i]);
	espl_json_close(writer);
	espl_json_open(writer, "ops", '[');
	for (int i = 0; i < net->op_count; i++)
		print_op(writer, scratch, net, &net->ops[i]);
	espl_json_close(writer);
	espl_json_close(writer);
	whole = espl_json_text(writer, &length);
	*text = espl_arena_copy(arena, whole, length + 1);
	*size = length;
	espl_arena_destroy(scratch);
	return ESPL_OK;
}
