/* The operators that slide a window, and the dense one.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tflite.h"

enum { KERNEL_MAX = 64, STEP_MAX = 16, RANK = 4 };
enum { PADDING_SAME, PADDING_VALID };

/* Slots of the schema's tables. */
enum { WINDOW_PADDING, WINDOW_STRIDE_COLUMNS, WINDOW_STRIDE_ROWS };
enum { CONV_ACTIVATION = 3, CONV_DILATION_COLUMNS, CONV_DILATION_ROWS };
enum { DEPTHWISE_ACTIVATION = 4, DEPTHWISE_DILATION_COLUMNS, DEPTHWISE_DILATION_ROWS };
enum { POOL_KERNEL_COLUMNS = 3, POOL_KERNEL_ROWS, POOL_ACTIVATION };
enum { DENSE_ACTIVATION, DENSE_WEIGHTS_FORMAT };

/* One direction of a window. */
typedef struct {
	int size, kernel, stride, dilation;
	int before, after; /* pads */
} window_side;

static const char *set_side(espl_tflite *in, window_side *side, int padding)
{
	int reach, out, total, slack;

	if (side->kernel < 1 || side->kernel > KERNEL_MAX)
		return espl_arena_format(in->arena, "a kernel of %d, at most %d", side->kernel,
		                         (int)KERNEL_MAX);
	if (side->stride < 1 || side->stride > ESPL_MAX_ELEMENTS || side->dilation < 1 ||
	    side->dilation > STEP_MAX)
		return espl_arena_format(in->arena, "stride %d and dilation %d", side->stride,
		                         side->dilation);
	if (padding != PADDING_SAME && padding != PADDING_VALID)
		return espl_arena_format(in->arena, "padding %d is unknown", padding);
	reach = (side->kernel - 1) * side->dilation + 1;
	if (padding == PADDING_SAME) {
		out = (side->size - 1) / side->stride + 1;
		total = (out - 1) * side->stride + reach - side->size;
		total = total > 0 ? total : 0;
		side->before = total / 2; /* the odd one is at the end */
		side->after = total - side->before;
	}
	slack = side->size + side->before + side->after - reach;
	if (side->stride > STEP_MAX && side->stride > slack && slack >= 0)
		side->stride = slack + 1; /* only one window fits, as before */
	if (side->stride > STEP_MAX)
		return espl_arena_format(in->arena, "a stride of %d, at most %d", side->stride,
		                         (int)STEP_MAX);
	return NULL;
}

/* Sets the operator's window; padding and strides are in the same slots for all. */
static const char *set_window(espl_tflite *in, const espl_tflite_op *source, espl_op *op,
                              int kernel_rows, int kernel_columns, int dilation_rows,
                              int dilation_columns)
{
	const espl_tensor *input = &in->net->tensors[op->inputs[0]];
	espl_flatbuffer *buffer = &in->buffer;
	const int padding = espl_flat_get_int8(buffer, source->options, WINDOW_PADDING, 0);
	window_side rows = {.size = input->rows, .kernel = kernel_rows, .dilation = dilation_rows};
	window_side columns = {
	        .size = input->columns, .kernel = kernel_columns, .dilation = dilation_columns};
	const char *reason;

	if (espl_tflite_input(in, source, 0)->rank != RANK)
		return "the input does not have 4 dimensions";
	rows.stride = espl_flat_get_int32(buffer, source->options, WINDOW_STRIDE_ROWS, 0);
	columns.stride = espl_flat_get_int32(buffer, source->options, WINDOW_STRIDE_COLUMNS, 0);
	reason = set_side(in, &rows, padding);
	if (!reason)
		reason = set_side(in, &columns, padding);
	if (reason)
		return reason;
	op->kernel_rows = rows.kernel;
	op->kernel_columns = columns.kernel;
	op->stride_rows = rows.stride;
	op->stride_columns = columns.stride;
	op->dilation_rows = rows.dilation;
	op->dilation_columns = columns.dilation;
	op->pad_top = rows.before;
	op->pad_bottom = rows.after;
	op->pad_left = columns.before;
	op->pad_right = columns.after;
	return NULL;
}

/* Finds the weights and checks their dimensions' count. */
static const char *find_weights(espl_tflite *in, const espl_tflite_op *source, int rank,
                                const espl_tflite_tensor **weights)
{
	*weights = espl_tflite_input(in, source, 1);
	if (!*weights || !(*weights)->data.size)
		return "the weights are not a constant";
	if ((*weights)->rank != rank)
		return espl_arena_format(in->arena, "weights %s have %d dimensions, not %d",
		                         (*weights)->name, (*weights)->rank, rank);
	return NULL;
}

const char *espl_tflite_convert_conv(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tflite_tensor *weights;
	espl_flatbuffer *buffer = &in->buffer;
	const char *reason;

	reason = find_weights(in, source, RANK, &weights);
	if (!reason)
		reason = set_window(
		        in, source, op, weights->dims[1], weights->dims[2],
		        espl_flat_get_int32(buffer, source->options, CONV_DILATION_ROWS, 1),
		        espl_flat_get_int32(buffer, source->options, CONV_DILATION_COLUMNS, 1));
	if (reason)
		return reason;
	op->kind = ESPL_OP_CONV;
	if (weights->dims[3] != in->net->tensors[op->inputs[0]].channels)
		return espl_arena_format(in->arena, "weights have %d input channels, the input %d",
		                         weights->dims[3],
		                         in->net->tensors[op->inputs[0]].channels);
	reason = espl_tflite_fuse(
	        in, espl_flat_get_int8(buffer, source->options, CONV_ACTIVATION, 0), op);
	return reason ? reason : espl_tflite_parameters(in, source, op, weights->dims[0]);
}

const char *espl_tflite_convert_depthwise(espl_tflite *in, const espl_tflite_op *source,
                                          espl_op *op)
{
	const espl_tflite_tensor *weights;
	espl_flatbuffer *buffer = &in->buffer;
	const char *reason;
	int channels;

	reason = find_weights(in, source, RANK, &weights);
	if (!reason)
		reason = set_window(
		        in, source, op, weights->dims[1], weights->dims[2],
		        espl_flat_get_int32(buffer, source->options, DEPTHWISE_DILATION_ROWS, 1),
		        espl_flat_get_int32(buffer, source->options, DEPTHWISE_DILATION_COLUMNS,
		                            1));
	if (reason)
		return reason;
	op->kind = ESPL_OP_DEPTHWISE;
	channels = in->net->tensors[op->inputs[0]].channels;
	if (weights->dims[3] < channels || weights->dims[3] % channels)
		return espl_arena_format(in->arena, "%d input channels do not make %d", channels,
		                         weights->dims[3]);
	op->depth_multiplier = weights->dims[3] / channels;
	reason = espl_tflite_fuse(
	        in, espl_flat_get_int8(buffer, source->options, DEPTHWISE_ACTIVATION, 0), op);
	return reason ? reason : espl_tflite_parameters(in, source, op, weights->dims[3]);
}

const char *espl_tflite_convert_pool(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	espl_flatbuffer *buffer = &in->buffer;
	const char *reason;

	reason = set_window(
	        in, source, op, espl_flat_get_int32(buffer, source->options, POOL_KERNEL_ROWS, 0),
	        espl_flat_get_int32(buffer, source->options, POOL_KERNEL_COLUMNS, 0), 1, 1);
	if (!reason)
		reason = espl_tflite_same_scale(in, op);
	if (reason)
		return reason;
	return espl_tflite_fuse(in, espl_flat_get_int8(buffer, source->options, POOL_ACTIVATION, 0),
	                        op);
}

/* A dense operator over a flattened input; at every position of the input (a convolution of
 * 1 x 1) where the weights only span the channels. */
const char *espl_tflite_convert_dense(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tensor *input = &in->net->tensors[op->inputs[0]];
	const espl_tensor *output = &in->net->tensors[op->output];
	espl_flatbuffer *buffer = &in->buffer;
	const espl_tflite_tensor *weights;
	const char *reason;

	reason = find_weights(in, source, 2, &weights);
	if (reason)
		return reason;
	if (espl_flat_get_int8(buffer, source->options, DENSE_WEIGHTS_FORMAT, 0))
		return "the weights are shuffled";
	if (weights->dims[1] == espl_tensor_elements(input))
		op->kind = ESPL_OP_DENSE;
	else if (weights->dims[1] == input->channels && input->rows == output->rows &&
	         input->columns == output->columns)
		op->kind = ESPL_OP_CONV;
	else
		return espl_arena_format(in->arena, "weights have %d inputs, the input %d",
		                         weights->dims[1], espl_tensor_elements(input));
	reason = espl_tflite_fuse(
	        in, espl_flat_get_int8(buffer, source->options, DENSE_ACTIVATION, 0), op);
	return reason ? reason : espl_tflite_parameters(in, source, op, weights->dims[0]);
}
