/* Every invariant of a net, checked.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/net.h"
#include "ir/wiring.h"

#include <math.h>
#include <string.h>

enum {
	COUNT_MAX = 1 << 16, /* tensors; operators */
	KERNEL_MAX = 64,
	STEP_MAX = 16,               /* strides, dilations */
	MEAN_CELLS_MAX = 1 << 16,    /* so that the sum fits 32 bits */
	SOFTMAX_CHANNELS_MAX = 4095, /* so that its Q12.19 sum fits 32 bits */
	SCALE_MULTIPLIER_MIN = 1 << 30,
};

static const int64_t total_elements_max = INT64_C(1) << 30;

static espl_status check_tensors(const espl_net *net, espl_error *err)
{
	int64_t total = 0;

	for (int i = 0; i < net->tensor_count; i++) {
		const espl_tensor *tensor = &net->tensors[i];

		if (tensor->rows < 1 || tensor->columns < 1 || tensor->channels < 1)
			return espl_fail(err, ESPL_SHAPE, "%s: a tensor of %d x %d x %d",
			                 tensor->name, tensor->rows, tensor->columns,
			                 tensor->channels);
		if (espl_tensor_elements(tensor) > ESPL_MAX_ELEMENTS)
			return espl_fail(err, ESPL_RANGE,
			                 "%s: %d x %d x %d elements, at most %d are allowed",
			                 tensor->name, tensor->rows, tensor->columns,
			                 tensor->channels, (int)ESPL_MAX_ELEMENTS);
		if (!(tensor->scale > 0) || !isfinite(tensor->scale))
			return espl_fail(err, ESPL_RANGE, "%s: scale %g is not positive",
			                 tensor->name, tensor->scale);
		if (tensor->zero_point < INT8_MIN || tensor->zero_point > INT8_MAX)
			return espl_fail(err, ESPL_RANGE, "%s: zero point %d is not in -128..127",
			                 tensor->name, tensor->zero_point);
		total += espl_tensor_elements(tensor);
	}
	if (total > total_elements_max)
		return espl_fail(err, ESPL_RANGE,
		                 "%lld elements in all tensors, at most %lld are allowed",
		                 (long long)total, (long long)total_elements_max);
	return ESPL_OK;
}

static espl_status check_range(const espl_op *op, const char *what, int value, int low, int high,
                               espl_error *err)
{
	if (value < low || value > high)
		return espl_fail(err, ESPL_RANGE, "%s: %s is %d, it must be %d to %d", op->name,
		                 what, value, low, high);
	return ESPL_OK;
}

static espl_status check_scale(const espl_net *net, const espl_op *op, espl_scale scale,
                               espl_error *err)
{
	if (net->rounding == ESPL_ROUND_ONNX && scale.multiplier % (1 << 7))
		return espl_fail(err, ESPL_RANGE, "%s: the multiplier %d is no float32", op->name,
		                 scale.multiplier);
	if (scale.multiplier)
		ESPL_TRY(check_range(op, "a multiplier", scale.multiplier, SCALE_MULTIPLIER_MIN,
		                     INT32_MAX, err));
	return check_range(op, "an exponent", scale.exponent, -31, 30, err);
}

static espl_status check_shape(const espl_op *op, const espl_tensor *output, int64_t rows,
                               int64_t columns, int64_t channels, espl_error *err)
{
	if (output->rows != rows || output->columns != columns || output->channels != channels)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: output is %d x %d x %d, %s makes %lld x %lld x %lld",
		                 op->name, output->rows, output->columns, output->channels,
		                 espl_op_name(op->kind), (long long)rows, (long long)columns,
		                 (long long)channels);
	return ESPL_OK;
}

/* Checks one direction of a window and gives the output's size in that direction. */
static espl_status check_side(const espl_op *op, int size, int kernel, int stride, int dilation,
                              int before, int after, int64_t *out, espl_error *err)
{
	int reach;

	ESPL_TRY(check_range(op, "the kernel", kernel, 1, KERNEL_MAX, err));
	ESPL_TRY(check_range(op, "the stride", stride, 1, STEP_MAX, err));
	ESPL_TRY(check_range(op, "the dilation", dilation, 1, STEP_MAX, err));
	reach = dilation * (kernel - 1) + 1;
	ESPL_TRY(check_range(op, "a pad", before, 0, reach - 1, err));
	ESPL_TRY(check_range(op, "a pad", after, 0, reach - 1, err));
	if (size + before + after < reach)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: the window reaches over %d, the input has %d", op->name,
		                 reach, size + before + after);
	*out = (size + before + after - reach) / stride + 1;
	return ESPL_OK;
}

static espl_status check_window(const espl_net *net, const espl_op *op, int64_t channels,
                                espl_error *err)
{
	const espl_tensor *input = &net->tensors[op->inputs[0]];
	int64_t rows = 0, columns = 0;

	ESPL_TRY(check_side(op, input->rows, op->kernel_rows, op->stride_rows, op->dilation_rows,
	                    op->pad_top, op->pad_bottom, &rows, err));
	ESPL_TRY(check_side(op, input->columns, op->kernel_columns, op->stride_columns,
	                    op->dilation_columns, op->pad_left, op->pad_right, &columns, err));
	return check_shape(op, &net->tensors[op->output], rows, columns, channels, err);
}

/* Beyond 32 bits on its way through a scale above 1, a sum would wrap: no step function any more.
 */
static espl_status check_scaled(const espl_op *op, int channel, int64_t low, int64_t high,
                                int exponent, espl_error *err)
{
	const int64_t factor = (int64_t)1 << (exponent > 0 ? exponent : 0);

	if (low >= INT32_MIN / factor && high <= INT32_MAX / factor)
		return ESPL_OK;
	return espl_fail(err, ESPL_RANGE,
	                 "%s: channel %d sums to %lld..%lld, which needs over 32 bits times 2^%d",
	                 op->name, channel, (long long)low, (long long)high, exponent);
}

/* The extremes that an output channel's 32-bit accumulator can reach, in any order of summing.
 *   weights  `count` of them, `stride` apart */
static espl_status check_accumulator(const espl_net *net, const espl_op *op, int channel,
                                     const int8_t *weights, int64_t count, int64_t stride,
                                     espl_error *err)
{
	const int32_t zero_point = net->tensors[op->inputs[0]].zero_point;
	const int32_t least = INT8_MIN - zero_point, most = INT8_MAX - zero_point;
	int64_t positive = 0, negative = 0, low, high;

	for (int64_t i = 0; i < count; i++) {
		const int8_t weight = weights[i * stride];

		if (weight > 0)
			positive += weight;
		else
			negative += weight;
	}
	high = op->bias[channel] + positive * most + negative * least;
	low = op->bias[channel] + positive * least + negative * most;
	if (low < INT32_MIN || high > INT32_MAX)
		return espl_fail(err, ESPL_RANGE,
		                 "%s: channel %d sums to %lld..%lld, which needs over 32 bits",
		                 op->name, channel, (long long)low, (long long)high);
	if (net->rounding == ESPL_ROUND_ONNX)
		return ESPL_OK; /* saturates */
	return check_scaled(op, channel, low, high, op->scales[channel].exponent, err);
}

static espl_status check_weights(const espl_net *net, const espl_op *op, espl_error *err)
{
	const int channels = net->tensors[op->output].channels;
	const int64_t count = espl_op_weights(net, op);
	const int64_t per_channel = count / channels;

	if (count > ESPL_MAX_ELEMENTS)
		return espl_fail(err, ESPL_RANGE, "%s: %lld weights, at most %d are allowed",
		                 op->name, (long long)count, (int)ESPL_MAX_ELEMENTS);
	if (!op->weights || !op->bias || !op->scales)
		return espl_fail(err, ESPL_SHAPE, "%s: weights, bias or scales are missing",
		                 op->name);
	for (int i = 0; i < channels; i++) {
		ESPL_TRY(check_scale(net, op, op->scales[i], err));
		if (op->kind == ESPL_OP_DEPTHWISE)
			ESPL_TRY(check_accumulator(net, op, i, op->weights + i, per_channel,
			                           channels, err));
		else
			ESPL_TRY(check_accumulator(net, op, i, op->weights + i * per_channel,
			                           per_channel, 1, err));
	}
	return ESPL_OK;
}

static espl_status check_depthwise(const espl_net *net, const espl_op *op, espl_error *err)
{
	const espl_tensor *input = &net->tensors[op->inputs[0]];

	ESPL_TRY(check_range(op, "the depth multiplier", op->depth_multiplier, 1, INT32_MAX, err));
	return check_window(net, op, (int64_t)input->channels * op->depth_multiplier, err);
}

/* In ESPL_ROUND_ONNX a pool's scales are the tensors'. */
static espl_status check_pool_scale(const espl_net *net, const espl_op *op, espl_error *err)
{
	const float in = (float)net->tensors[op->inputs[0]].scale;
	const float out = (float)net->tensors[op->output].scale;

	if (op->count_pads && net->rounding != ESPL_ROUND_ONNX)
		return espl_fail(err, ESPL_SHAPE, "%s: pads count only in ONNX's rounding",
		                 op->name);
	if (net->rounding != ESPL_ROUND_ONNX)
		return ESPL_OK;
	if (!(in > 0) || !(out > 0) || !isfinite(in) || !isfinite(out) || !(in / out < 1 << 20) ||
	    !(in / out > 1.0f / (1 << 20)))
		return espl_fail(err, ESPL_RANGE, "%s: the scales are %g and %g, too far apart",
		                 op->name, (double)in, (double)out);
	return ESPL_OK;
}

static espl_status check_pool(const espl_net *net, const espl_op *op, espl_error *err)
{
	if (op->kind == ESPL_OP_AVERAGE_POOL)
		ESPL_TRY(check_pool_scale(net, op, err));
	ESPL_TRY(check_range(op, "the dilation", op->dilation_rows, 1, 1, err));
	ESPL_TRY(check_range(op, "the dilation", op->dilation_columns, 1, 1, err));
	return check_window(net, op, net->tensors[op->inputs[0]].channels, err);
}

static espl_status check_same_shape(const espl_net *net, const espl_op *op, espl_error *err)
{
	for (int i = 0; i < op->input_count; i++) {
		const espl_tensor *input = &net->tensors[op->inputs[i]];

		ESPL_TRY(check_shape(op, &net->tensors[op->output], input->rows, input->columns,
		                     input->channels, err));
	}
	return ESPL_OK;
}

static espl_status check_add(const espl_net *net, const espl_op *op, espl_error *err)
{
	for (int i = 0; i < 2; i++) {
		ESPL_TRY(check_scale(net, op, op->in_scales[i], err));
		ESPL_TRY(check_range(op, "an input's exponent", op->in_scales[i].exponent, -31,
		                     net->rounding == ESPL_ROUND_ONNX ? 20 : 0, err));
	}
	if (op->file_offset != 0 && (op->file_offset != 128 || net->rounding != ESPL_ROUND_ONNX))
		return espl_fail(err, ESPL_RANGE, "%s: the file's values are %d above ours",
		                 op->name, op->file_offset);
	ESPL_TRY(check_scale(net, op, op->out_scale, err));
	return check_same_shape(net, op, err);
}

static espl_status check_mean(const espl_net *net, const espl_op *op, espl_error *err)
{
	const espl_tensor *input = &net->tensors[op->inputs[0]];
	const int64_t cells = (int64_t)input->rows * input->columns;

	if (cells > MEAN_CELLS_MAX)
		return espl_fail(err, ESPL_RANGE, "%s: mean of %d x %d cells, at most %d", op->name,
		                 input->rows, input->columns, (int)MEAN_CELLS_MAX);
	/* The multiplier is divided by the count of cells: it may be any that is not negative. */
	ESPL_TRY(check_range(op, "the multiplier", op->out_scale.multiplier, 0, INT32_MAX, err));
	ESPL_TRY(check_range(op, "the exponent", op->out_scale.exponent, -31, 30, err));
	if (net->rounding == ESPL_ROUND_ONNX)
		ESPL_TRY(check_scale(net, op, op->out_scale, err));
	else
		ESPL_TRY(check_scaled(op, 0, cells * (INT8_MIN - input->zero_point),
		                      cells * (INT8_MAX - input->zero_point),
		                      op->out_scale.exponent, err));
	return check_shape(op, &net->tensors[op->output], 1, 1, input->channels, err);
}

static espl_status check_pad(const espl_net *net, const espl_op *op, espl_error *err)
{
	const espl_tensor *input = &net->tensors[op->inputs[0]];

	ESPL_TRY(check_range(op, "a pad", op->pad_top, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(op, "a pad", op->pad_bottom, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(op, "a pad", op->pad_left, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(op, "a pad", op->pad_right, 0, ESPL_MAX_ELEMENTS, err));
	return check_shape(op, &net->tensors[op->output],
	                   input->rows + op->pad_top + op->pad_bottom,
	                   input->columns + op->pad_left + op->pad_right, input->channels, err);
}

static espl_status check_reshape(const espl_net *net, const espl_op *op, espl_error *err)
{
	const int in = espl_tensor_elements(&net->tensors[op->inputs[0]]);
	const int out = espl_tensor_elements(&net->tensors[op->output]);

	if (in != out)
		return espl_fail(err, ESPL_SHAPE, "%s: %d elements become %d", op->name, in, out);
	return ESPL_OK;
}

static espl_status check_concat(const espl_net *net, const espl_op *op, espl_error *err)
{
	const espl_tensor *first = &net->tensors[op->inputs[0]];
	int64_t channels = 0;

	for (int i = 0; i < op->input_count; i++) {
		const espl_tensor *input = &net->tensors[op->inputs[i]];

		if (input->rows != first->rows || input->columns != first->columns)
			return espl_fail(err, ESPL_SHAPE, "%s: inputs of %d x %d and %d x %d",
			                 op->name, first->rows, first->columns, input->rows,
			                 input->columns);
		channels += input->channels;
	}
	return check_shape(op, &net->tensors[op->output], first->rows, first->columns, channels,
	                   err);
}

static espl_status check_softmax(const espl_net *net, const espl_op *op, espl_error *err)
{
	const int exponent = op->softmax_scale.exponent;

	ESPL_TRY(check_scale(net, op, op->softmax_scale, err));
	if (net->rounding == ESPL_ROUND_ONNX)
		return espl_fail(err, ESPL_SHAPE, "%s: no softmax in ONNX's rounding", op->name);
	ESPL_TRY(check_range(op, "the exponent", exponent, 0, 30, err));
	if (op->softmax_least > 0 || op->softmax_least * (INT64_C(1) << exponent) < INT32_MIN)
		return espl_fail(err, ESPL_RANGE, "%s: least difference %d with exponent %d",
		                 op->name, op->softmax_least, exponent);
	ESPL_TRY(check_range(op, "the count of channels", net->tensors[op->output].channels, 1,
	                     SOFTMAX_CHANNELS_MAX, err));
	return check_same_shape(net, op, err);
}

static espl_status check_logistic(const espl_net *net, const espl_op *op, espl_error *err)
{
	if (!op->table)
		return espl_fail(err, ESPL_SHAPE, "%s: the table is missing", op->name);
	return check_same_shape(net, op, err);
}

static espl_status check_dense(const espl_net *net, const espl_op *op, espl_error *err)
{
	const espl_tensor *output = &net->tensors[op->output];

	return check_shape(op, output, 1, 1, output->channels, err);
}

static espl_status check_op(const espl_net *net, const espl_op *op, espl_error *err)
{
	switch (op->kind) {
	case ESPL_OP_CONV:
		ESPL_TRY(check_window(net, op, net->tensors[op->output].channels, err));
		return check_weights(net, op, err);
	case ESPL_OP_DEPTHWISE:
		ESPL_TRY(check_depthwise(net, op, err));
		return check_weights(net, op, err);
	case ESPL_OP_DENSE:
		ESPL_TRY(check_dense(net, op, err));
		return check_weights(net, op, err);
	case ESPL_OP_ADD:
		return check_add(net, op, err);
	case ESPL_OP_MAX_POOL:
	case ESPL_OP_AVERAGE_POOL:
		return check_pool(net, op, err);
	case ESPL_OP_MEAN:
		return check_mean(net, op, err);
	case ESPL_OP_PAD:
		return check_pad(net, op, err);
	case ESPL_OP_RESHAPE:
		return check_reshape(net, op, err);
	case ESPL_OP_CONCAT:
		return check_concat(net, op, err);
	case ESPL_OP_SOFTMAX:
		return check_softmax(net, op, err);
	case ESPL_OP_LOGISTIC:
		return check_logistic(net, op, err);
	case ESPL_OP_COUNT:
		break;
	}
	return espl_fail(err, ESPL_SHAPE, "%s: operator of kind %d", op->name, (int)op->kind);
}

static bool may_clamp(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE || kind == ESPL_OP_DENSE ||
	       kind == ESPL_OP_ADD || kind == ESPL_OP_MAX_POOL || kind == ESPL_OP_AVERAGE_POOL;
}

/* What holds for operators of every kind. */
static espl_status check_common(const espl_op *op, espl_error *err)
{
	const int wanted = op->kind == ESPL_OP_ADD ? 2 : 1;

	if (op->kind != ESPL_OP_CONCAT && op->input_count != wanted)
		return espl_fail(err, ESPL_SHAPE, "%s: %d inputs, %s has %d", op->name,
		                 op->input_count, espl_op_name(op->kind), wanted);
	ESPL_TRY(check_range(op, "low", op->low, INT8_MIN, INT8_MAX, err));
	ESPL_TRY(check_range(op, "high", op->high, op->low, INT8_MAX, err));
	if (!may_clamp(op->kind) && (op->low != INT8_MIN || op->high != INT8_MAX))
		return espl_fail(err, ESPL_RANGE, "%s: %s has no activation", op->name,
		                 espl_op_name(op->kind));
	return ESPL_OK;
}

static espl_wiring wire(const espl_net *net, espl_arena *scratch)
{
	const char **names = ESPL_ARRAY(scratch, const char *, net->tensor_count);
	espl_maker *makers = ESPL_ARRAY(scratch, espl_maker, net->op_count);

	for (int i = 0; i < net->tensor_count; i++)
		names[i] = net->tensors[i].name;
	for (int i = 0; i < net->op_count; i++) {
		const espl_op *op = &net->ops[i];

		makers[i] = (espl_maker){op->name, op->input_count, op->inputs, op->output};
	}
	return (espl_wiring){.thing = "tensor",
	                     .maker = "operator",
	                     .thing_count = net->tensor_count,
	                     .maker_count = net->op_count,
	                     .most_inputs = ESPL_MAX_INPUTS,
	                     .names = names,
	                     .makers = makers,
	                     .input_count = net->input_count,
	                     .output_count = net->output_count,
	                     .inputs = net->inputs,
	                     .outputs = net->outputs};
}

espl_status espl_net_check(const espl_net *net, espl_error *err)
{
	espl_arena *scratch;
	espl_wiring wiring;
	espl_status status;

	if (!net->name)
		return espl_fail(err, ESPL_SHAPE, "the net has no name");
	if (net->rounding != ESPL_ROUND_TFLM && net->rounding != ESPL_ROUND_SINGLE &&
	    net->rounding != ESPL_ROUND_ONNX)
		return espl_fail(err, ESPL_RANGE, "rounding %d is unknown", (int)net->rounding);
	if (net->tensor_count < 1 || net->tensor_count > COUNT_MAX || net->op_count < 0 ||
	    net->op_count > COUNT_MAX)
		return espl_fail(err, ESPL_RANGE, "%d tensors and %d operators, at most %d each",
		                 net->tensor_count, net->op_count, (int)COUNT_MAX);
	if (net->input_count < 1 || net->output_count < 1 || net->input_count > COUNT_MAX ||
	    net->output_count > COUNT_MAX)
		return espl_fail(err, ESPL_SHAPE, "%d inputs and %d outputs", net->input_count,
		                 net->output_count);
	scratch = espl_arena_create();
	wiring = wire(net, scratch);
	status = espl_check_names(&wiring, err);
	if (status == ESPL_OK)
		status = check_tensors(net, err);
	if (status == ESPL_OK)
		status = espl_check_flow(&wiring, err);
	espl_arena_destroy(scratch);
	if (status != ESPL_OK)
		return status;
	for (int i = 0; i < net->op_count; i++) {
		ESPL_TRY(check_common(&net->ops[i], err));
		ESPL_TRY(check_op(net, &net->ops[i], err));
	}
	return ESPL_OK;
}
