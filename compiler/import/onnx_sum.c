/* Sums of weights times values: Conv, Gemm, MatMul and their QLinear forms.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a node's operands are: as inputs' numbers. */
typedef struct {
	int weights, bias; /* -1: none */
	int weight_scale;  /* QLinear: scale, then zero point; -1: the weights are REAL */
} operands;

static const int64_t weights_max = ESPL_MAX_ELEMENTS;

/* The weights with their scaling, taken from a REAL constant or put together for a QLinear one. */
static const char *find_weights(espl_onnx_import *in, const espl_onnx_node *node,
                                const operands *at, int axis, espl_onnx_state *out)
{
	const espl_onnx_state *state = espl_onnx_input(in, node, at->weights);

	if (!state || state->kind != ESPL_ONNX_CONSTANT)
		return espl_arena_format(in->arena, "the weights %s are no constant",
		                         espl_onnx_input_name(in, node, at->weights));
	*out = *state;
	if (espl_onnx_is_real(state->data->type))
		return espl_arena_format(in->arena,
		                         "the weights %s are float: quantize them, and put "
		                         "DequantizeLinear behind",
		                         espl_onnx_input_name(in, node, at->weights));
	if (at->weight_scale >= 0)
		return espl_onnx_read_scaling(in, node, at->weight_scale, at->weight_scale + 1,
		                              state, axis, &out->scaling);
	if (!state->scaling)
		return espl_arena_format(in->arena, "the weights %s are not dequantized",
		                         espl_onnx_input_name(in, node, at->weights));
	if (state->scaling->count > 1 && state->scaling->axis != axis)
		return espl_arena_format(in->arena,
		                         "the weights %s have a scale along axis %d, not along the "
		                         "output channels",
		                         espl_onnx_input_name(in, node, at->weights),
		                         state->scaling->axis);
	return NULL;
}

static int64_t weight_at(const espl_onnx_state *weights, int64_t index, int out)
{
	const espl_onnx_scaling *scaling = weights->scaling;

	return espl_onnx_integer_at(weights->data, index) -
	       scaling->zeros[scaling->count > 1 ? out : 0];
}

/* A weight less its zero point as one int8, or as the sum of two.
 *   out  rest  where the second goes; NULL: there must be none */
static const char *take_weight(const espl_onnx_state *weights, int64_t index, int out, int8_t *to,
                               int8_t *rest)
{
	const int64_t value = weight_at(weights, index, out);
	const int64_t first = value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value;

	if (value - first < INT8_MIN || value - first > INT8_MAX || (value != first && !rest))
		return "a weight less its zero point does not fit in two of 8 bits";
	*to = (int8_t)first;
	if (rest)
		*rest = (int8_t)(value - first);
	return NULL;
}

/* Whether a weight less its zero point leaves 8 bits: uint8 weights with any zero point do. */
static bool is_wide(const espl_onnx_state *weights, int64_t per_output)
{
	for (int64_t i = 0; i < weights->data->count; i++) {
		const int64_t value = weight_at(weights, i, (int)(i / per_output));

		if (value < INT8_MIN || value > INT8_MAX)
			return true;
	}
	return false;
}

/* The tensor with all its channels a second time behind them, for the second halves of weights. */
static int make_twice(espl_onnx_import *in, int tensor, const char *name)
{
	const espl_tensor from = in->net->tensors[tensor];
	const int made =
	        espl_onnx_new_tensor(in, espl_arena_format(in->arena, "%s_twice", name), from.rows,
	                             from.columns, 2 * from.channels, (float)from.scale,
	                             from.zero_point, in->axes[tensor].is_unsigned);
	espl_op *op = espl_onnx_new_op(in, ESPL_OP_CONCAT);

	op->input_count = 2;
	op->inputs[0] = op->inputs[1] = tensor;
	op->output = made;
	return made;
}

/* float32(input scale * weight scale) for each output channel. */
static const float *make_units(espl_onnx_import *in, const espl_onnx_state *x,
                               const espl_onnx_scaling *scaling, int channels)
{
	const float input = (float)in->net->tensors[x->tensor].scale;
	float *units = ESPL_ARRAY(in->arena, float, channels);

	for (int c = 0; c < channels; c++)
		units[c] = input * scaling->scales[scaling->count > 1 ? c : 0];
	return units;
}

/* One bias as an integer in units of the accumulator. */
static const char *read_bias(const espl_onnx_state *state, int64_t i, double unit, int32_t *to)
{
	const bool real = espl_onnx_is_real(state->data->type);
	double value;

	if (!real && !state->scaling) {
		*to = (int32_t)espl_onnx_integer_at(state->data, i);
		return NULL;
	}
	if (!real) {
		const int k = espl_onnx_scaling_index(state, state->scaling, i);
		const int64_t stored =
		        espl_onnx_integer_at(state->data, i) - state->scaling->zeros[k];
		const double scale = (double)state->scaling->scales[k];

		if (fabs(scale / unit - 1) < 1e-5 && stored >= INT32_MIN && stored <= INT32_MAX) {
			*to = (int32_t)stored; /* quantized with the accumulator's own unit */
			return NULL;
		}
		value = scale * (double)stored;
	} else {
		value = espl_onnx_real_at(state->data, i);
	}
	value = nearbyint(value / unit);
	if (!(value >= INT32_MIN && value <= INT32_MAX))
		return "a bias does not fit in 32 bits";
	*to = (int32_t)value;
	return NULL;
}

static const char *make_bias(espl_onnx_import *in, const espl_onnx_state *state, const float *units,
                             int channels, const int32_t **out)
{
	int32_t *bias = ESPL_ARRAY(in->arena, int32_t, channels);

	*out = bias;
	if (!state)
		return NULL;
	if (state->kind != ESPL_ONNX_CONSTANT)
		return "the bias is no constant";
	if (espl_onnx_elements(state) != channels)
		return espl_arena_format(in->arena, "the bias has %lld elements for %d channels",
		                         (long long)espl_onnx_elements(state), channels);
	for (int c = 0; c < channels; c++) {
		const char *reason = read_bias(state, c, (double)units[c], &bias[c]);

		if (reason)
			return reason;
	}
	return NULL;
}

/* -- convolution */

/* Reads a list of one or two integers >= 1, rows first; 1 where it is absent. */
static const char *read_steps(espl_onnx_import *in, const espl_onnx_node *node, const char *name,
                              int spatial, int most, int out[2])
{
	const espl_onnx_attribute *found = espl_onnx_find(node, name);

	out[0] = out[1] = 1;
	if (!found || !found->count)
		return NULL;
	if (found->kind != ESPL_ONNX_ATTRIBUTE_INTS || found->count != spatial)
		return espl_arena_format(in->arena, "%s has %d values for %d axes", name,
		                         found->count, spatial);
	for (int i = 0; i < spatial; i++) {
		if (found->integers[i] < 1 || found->integers[i] > most)
			return espl_arena_format(in->arena, "%s is %lld, it must be 1 to %d", name,
			                         (long long)found->integers[i], most);
		out[i] = (int)found->integers[i];
	}
	return NULL;
}

/* Sets pads of one axis from auto_pad. */
static void pad_same(int size, int kernel, int stride, bool lower, int *before, int *after)
{
	const int out = (size + stride - 1) / stride;
	int total = (out - 1) * stride + kernel - size;

	total = total > 0 ? total : 0;
	*before = lower ? (total + 1) / 2 : total / 2;
	*after = total - *before;
}

const char *espl_onnx_window(espl_onnx_import *in, const espl_onnx_node *node,
                             const espl_onnx_state *x, const int kernel[2], espl_op *op, int *rows,
                             int *columns)
{
	const espl_tensor *from = &in->net->tensors[x->tensor];
	const char *auto_pad = espl_onnx_get_text(node, "auto_pad", "NOTSET");
	const espl_onnx_attribute *pads = espl_onnx_find(node, "pads");
	const int spatial = x->rank - 2, sizes[2] = {from->rows, from->columns};
	const bool ceiling = espl_onnx_get_integer(node, "ceil_mode", 0) != 0;
	int strides[2], dilations[2], before[2] = {0}, after[2] = {0}, out[2] = {1, 1};
	const char *reason = read_steps(in, node, "strides", spatial, 16, strides);

	if (!reason)
		reason = read_steps(in, node, "dilations", spatial, 16, dilations);
	if (reason)
		return reason;
	if (!strcmp(auto_pad, "NOTSET") && pads && pads->count) {
		if (pads->kind != ESPL_ONNX_ATTRIBUTE_INTS || pads->count != 2 * spatial)
			return espl_arena_format(in->arena, "pads has %d values for %d axes",
			                         pads->count, spatial);
		for (int i = 0; i < 2 * spatial; i++)
			if (pads->integers[i] < 0 || pads->integers[i] > 1024)
				return espl_arena_format(in->arena,
				                         "a pad is %lld, it must be 0 to 1024",
				                         (long long)pads->integers[i]);
		for (int i = 0; i < spatial; i++) {
			before[i] = (int)pads->integers[i];
			after[i] = (int)pads->integers[spatial + i];
		}
	} else if (strcmp(auto_pad, "NOTSET") != 0 && strcmp(auto_pad, "VALID") != 0 &&
	           strcmp(auto_pad, "SAME_UPPER") != 0 && strcmp(auto_pad, "SAME_LOWER") != 0) {
		return espl_arena_format(in->arena, "auto_pad %.40s is unknown", auto_pad);
	}
	for (int i = 0; i < spatial; i++) {
		const int reach = dilations[i] * (kernel[i] - 1) + 1;
		int rest;

		if (!strncmp(auto_pad, "SAME", 4))
			pad_same(sizes[i], reach, strides[i], !strcmp(auto_pad, "SAME_LOWER"),
			         &before[i], &after[i]);
		rest = sizes[i] + before[i] + after[i] - reach;
		if (rest < 0)
			return espl_arena_format(in->arena,
			                         "the window reaches over %d, the input has %d",
			                         reach, sizes[i] + before[i] + after[i]);
		if (ceiling && rest % strides[i]) {
			/* one window more, unless it would begin in the padding */
			const int next = rest / strides[i] + 1;

			if (next * strides[i] < sizes[i] + before[i]) {
				after[i] += next * strides[i] - rest;
				rest = next * strides[i];
			}
		}
		out[i] = rest / strides[i] + 1;
	}
	op->kernel_rows = kernel[0];
	op->kernel_columns = kernel[1];
	op->stride_rows = strides[0];
	op->stride_columns = strides[1];
	op->dilation_rows = dilations[0];
	op->dilation_columns = dilations[1];
	op->pad_top = before[0];
	op->pad_bottom = after[0];
	op->pad_left = before[1];
	op->pad_right = after[1];
	*rows = out[0];
	*columns = out[1];
	return NULL;
}

/* From [out][in / groups][rows][columns] to the net's layouts; other groups' weights are zero.
 *   in  twice  the input has its channels a second time */
static const char *place_conv_weights(espl_onnx_import *in, const espl_onnx_state *weights,
                                      int channels, int groups, int outputs, bool twice,
                                      espl_op *op)
{
	const int per_group = channels / groups, taps = op->kernel_rows * op->kernel_columns;
	const bool depthwise = op->kind == ESPL_OP_DEPTHWISE;
	const int inner = depthwise ? 1 : twice ? 2 * channels : channels;
	const int64_t room = (int64_t)outputs * taps * inner;
	int64_t index = 0;
	int8_t *to;

	if (room > weights_max)
		return espl_arena_format(in->arena, "%lld weights, at most %lld are allowed",
		                         (long long)room, (long long)weights_max);
	to = ESPL_ARRAY(in->arena, int8_t, room);
	op->weights = to;
	for (int o = 0; o < outputs; o++)
		for (int i = 0; i < per_group; i++)
			for (int k = 0; k < taps; k++, index++) {
				const int channel = o / (outputs / groups) * per_group + i;
				int8_t *at =
				        depthwise ? &to[(int64_t)k * outputs + o]
				                  : &to[((int64_t)o * taps + k) * inner + channel];
				const char *reason = take_weight(weights, index, o, at,
				                                 twice ? at + channels : NULL);

				if (reason)
					return reason;
			}
	return NULL;
}

static const char *make_conv(espl_onnx_import *in, const espl_onnx_node *node, const operands *at,
                             espl_onnx_pending *out)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const int64_t groups = espl_onnx_get_integer(node, "group", 1);
	const espl_tensor *from;
	espl_onnx_state weights;
	int64_t outputs;
	int kernel[2] = {1, 1}, channels;
	bool twice;
	const char *reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));

	if (!reason)
		reason = find_weights(in, node, at, 0, &weights);
	if (reason)
		return reason;
	from = &in->net->tensors[x->tensor];
	if (x->rank < 3 || weights.rank != x->rank)
		return espl_arena_format(in->arena,
		                         "the input has %d dimensions and the weights %d: images "
		                         "have 4, sequences 3",
		                         x->rank, weights.rank);
	outputs = weights.dims[0];
	if (groups < 1 || groups > from->channels || from->channels % groups || !outputs ||
	    outputs % groups || weights.dims[1] != from->channels / groups)
		return espl_arena_format(in->arena,
		                         "the weights are %lldx%lld, the input has %d channels in "
		                         "%lld groups",
		                         (long long)outputs, (long long)weights.dims[1],
		                         from->channels, (long long)groups);
	for (int i = 2; i < x->rank; i++) {
		if (weights.dims[i] < 1 || weights.dims[i] > 64)
			return espl_arena_format(in->arena, "the kernel is %lld, at most 64",
			                         (long long)weights.dims[i]);
		kernel[i - 2] = (int)weights.dims[i];
	}
	channels = from->channels;
	twice = is_wide(&weights, weights.data->count / outputs);
	out->op.kind = groups == channels && weights.dims[1] == 1 && groups > 1 && !twice
	                       ? ESPL_OP_DEPTHWISE
	                       : ESPL_OP_CONV;
	out->op.depth_multiplier = out->op.kind == ESPL_OP_DEPTHWISE ? (int)(outputs / groups) : 1;
	out->op.input_count = 1;
	out->op.inputs[0] = x->tensor;
	out->channels = (int)outputs;
	reason = espl_onnx_window(in, node, x, kernel, &out->op, &out->rows, &out->columns);
	if (!reason)
		reason = place_conv_weights(in, &weights, channels, (int)groups, (int)outputs,
		                            twice, &out->op);
	if (!reason && twice)
		out->op.inputs[0] = make_twice(in, x->tensor, in->net->tensors[x->tensor].name);
	if (reason)
		return reason;
	out->units = make_units(in, x, weights.scaling, out->channels);
	return make_bias(in, at->bias < 0 ? NULL : espl_onnx_input(in, node, at->bias), out->units,
	                 out->channels, &out->op.bias);
}

espl_onnx_pending espl_onnx_nothing_pending(void)
{
	return (espl_onnx_pending){
	        .op = {.kernel_rows = 1,
	               .kernel_columns = 1,
	               .stride_rows = 1,
	               .stride_columns = 1,
	               .dilation_rows = 1,
	               .dilation_columns = 1,
	               .depth_multiplier = 1,
	               .low = INT8_MIN,
	               .high = INT8_MAX},
	        .rows = 1,
	        .columns = 1,
	        .low = -INFINITY,
	        .high = INFINITY,
	};
}

const char *espl_onnx_need_real(espl_onnx_import *in, const espl_onnx_node *node, int n)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, n);

	if (x && x->kind == ESPL_ONNX_REAL && !x->values)
		return NULL;
	return espl_arena_format(in->arena,
	                         "%s is not quantized: put QuantizeLinear and DequantizeLinear "
	                         "in front",
	                         espl_onnx_input_name(in, node, n));
}

void espl_onnx_wait(espl_onnx_import *in, const espl_onnx_node *node,
                    const espl_onnx_pending *pending, int rank)
{
	espl_onnx_state *to = espl_onnx_output(in, node, 0);

	*to = (espl_onnx_state){.kind = ESPL_ONNX_PENDING};
	to->pending = espl_arena_copy(in->arena, pending, sizeof *pending);
	espl_onnx_describe(to, rank, pending->channels, pending->rows, pending->columns);
}

const char *espl_onnx_finish(espl_onnx_import *in, const espl_onnx_node *node,
                             const espl_onnx_pending *pending, int scale, int zero_point, int rank)
{
	const char *reason;
	bool is_unsigned;
	int32_t zero;
	float value;
	int tensor;

	reason = espl_onnx_quantization(in, node, scale, zero_point, &value, &zero, &is_unsigned);
	if (!reason)
		reason = espl_onnx_realise(in, pending, value, zero, is_unsigned,
		                           in->model->values[node->outputs[0]].name, &tensor);
	if (!reason)
		espl_onnx_put(in, node, 0, tensor, rank, ESPL_ONNX_STORED);
	return reason;
}

ESPL_ONNX_CONVERTER(conv)
{
	const operands at = {.weights = 1, .bias = 2, .weight_scale = -1};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_need_real(in, node, 0);

	if (!reason)
		reason = make_conv(in, node, &at, &pending);
	if (!reason)
		espl_onnx_wait(in, node, &pending, espl_onnx_input(in, node, 0)->rank);
	return reason;
}

ESPL_ONNX_CONVERTER(qlinear_conv)
{
	const operands at = {.weights = 3, .bias = 8, .weight_scale = 4};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (!reason)
		reason = make_conv(in, node, &at, &pending);
	if (!reason)
		reason = espl_onnx_finish(in, node, &pending, 6, 7,
		                          espl_onnx_input(in, node, 0)->rank);
	return reason;
}

/* -- dense */

static bool is_wide_dense(const espl_onnx_state *weights, bool transposed)
{
	const int64_t outputs = weights->dims[transposed ? 0 : 1];

	for (int64_t i = 0; i < weights->data->count; i++) {
		const int64_t o = transposed ? i / weights->dims[1] : i % outputs;
		const int64_t value = weight_at(weights, i, (int)o);

		if (value < INT8_MIN || value > INT8_MAX)
			return true;
	}
	return false;
}

static const char *make_dense(espl_onnx_import *in, const espl_onnx_node *node, const operands *at,
                              bool transposed, espl_onnx_pending *out)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0), weights;
	const char *reason = find_weights(in, node, at, transposed ? 0 : 1, &weights);
	int64_t inputs, outputs, row;
	int8_t *to;
	int *order, channels;
	bool twice;

	if (reason)
		return reason;
	if (weights.rank != 2)
		return espl_arena_format(in->arena, "the weights have %d dimensions, not 2",
		                         weights.rank);
	inputs = weights.dims[transposed ? 1 : 0];
	outputs = weights.dims[transposed ? 0 : 1];
	if (!outputs || inputs != espl_onnx_elements(x))
		return espl_arena_format(in->arena,
		                         "the weights are %lldx%lld, the input has %lld elements",
		                         (long long)weights.dims[0], (long long)weights.dims[1],
		                         (long long)espl_onnx_elements(x));
	reason = espl_onnx_as_vector(in, x, espl_onnx_input_name(in, node, 0), &order);
	if (reason)
		return reason;
	if (inputs * outputs > weights_max)
		return espl_arena_format(in->arena, "%lld weights, at most %lld are allowed",
		                         (long long)(inputs * outputs), (long long)weights_max);
	twice = is_wide_dense(&weights, transposed);
	channels = in->net->tensors[x->tensor].channels;
	row = twice ? 2 * inputs : inputs;
	to = ESPL_ARRAY(in->arena, int8_t, row * outputs);
	for (int64_t o = 0; o < outputs && !reason; o++)
		for (int64_t i = 0; i < inputs && !reason; i++) {
			const int64_t place = order[i], position = place / channels;
			int8_t *first = &to[o * row + place + (twice ? position * channels : 0)];

			reason =
			        take_weight(&weights, transposed ? o * inputs + i : i * outputs + o,
			                    (int)o, first, twice ? first + channels : NULL);
		}
	if (reason)
		return reason;
	out->op.kind = ESPL_OP_DENSE;
	out->op.input_count = 1;
	out->op.inputs[0] =
	        twice ? make_twice(in, x->tensor, in->net->tensors[x->tensor].name) : x->tensor;
	out->op.weights = to;
	out->channels = (int)outputs;
	out->units = make_units(in, x, weights.scaling, out->channels);
	return make_bias(in, at->bias < 0 ? NULL : espl_onnx_input(in, node, at->bias), out->units,
	                 out->channels, &out->op.bias);
}

static const char *check_gemm(espl_onnx_import *in, const espl_onnx_node *node)
{
	const double alpha = (double)espl_onnx_get_real(node, "alpha", 1);
	const double beta = (double)espl_onnx_get_real(node, "beta", 1);

	if (alpha != 1 || beta != 1)
		return espl_arena_format(in->arena, "alpha is %g and beta %g, both must be 1",
		                         alpha, beta);
	if (espl_onnx_get_integer(node, "transA", 0))
		return "transA is set";
	return NULL;
}

ESPL_ONNX_CONVERTER(gemm)
{
	const operands at = {.weights = 1, .bias = 2, .weight_scale = -1};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_need_real(in, node, 0);

	if (!reason)
		reason = check_gemm(in, node);
	if (!reason)
		reason = make_dense(in, node, &at, espl_onnx_get_integer(node, "transB", 0) != 0,
		                    &pending);
	if (!reason)
		espl_onnx_wait(in, node, &pending, 2);
	return reason;
}

ESPL_ONNX_CONVERTER(matmul)
{
	const operands at = {.weights = 1, .bias = -1, .weight_scale = -1};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_need_real(in, node, 0);

	if (!reason)
		reason = make_dense(in, node, &at, false, &pending);
	if (!reason)
		espl_onnx_wait(in, node, &pending, 2);
	return reason;
}

ESPL_ONNX_CONVERTER(qgemm)
{
	const operands at = {.weights = 3, .bias = 6, .weight_scale = 4};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (!reason)
		reason = check_gemm(in, node);
	if (!reason)
		reason = make_dense(in, node, &at, espl_onnx_get_integer(node, "transB", 0) != 0,
		                    &pending);
	if (!reason)
		reason = espl_onnx_finish(in, node, &pending, 7, 8, 2);
	return reason;
}

ESPL_ONNX_CONVERTER(qlinear_matmul)
{
	const operands at = {.weights = 3, .bias = -1, .weight_scale = 4};
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (!reason)
		reason = make_dense(in, node, &at, false, &pending);
	if (!reason)
		reason = espl_onnx_finish(in, node, &pending, 6, 7, 2);
	return reason;
}

/* Adds a constant to a pending sum that has no bias yet.
 *   result  false when it is none of that */
bool espl_onnx_add_bias(espl_onnx_import *in, const espl_onnx_state *sum,
                        const espl_onnx_state *constant, espl_onnx_pending *out,
                        const char **reason)
{
	if (sum->kind != ESPL_ONNX_PENDING || constant->kind != ESPL_ONNX_CONSTANT ||
	    !sum->pending->units || sum->pending->low > -INFINITY ||
	    sum->pending->high < INFINITY || espl_onnx_elements(constant) != sum->pending->channels)
		return false;
	*out = *sum->pending;
	for (int c = 0; c < out->channels; c++)
		if (out->op.bias[c])
			return false;
	*reason = make_bias(in, constant, out->units, out->channels, &out->op.bias);
	return true;
}

/* -- batch normalization: a factor and an offset for each channel */

static double constant_at(const espl_onnx_state *state, int64_t i)
{
	int k;

	if (!state->scaling)
		return espl_onnx_real_at(state->data, i);
	k = espl_onnx_scaling_index(state, state->scaling, i);
	return (double)((float)(espl_onnx_integer_at(state->data, i) - state->scaling->zeros[k]) *
	                state->scaling->scales[k]);
}

/* A factor and an offset, in steps of the input, as weight, unit and bias: the weight is the one
 * with which the offset is nearest to an integer of units. */
static void place_channel(double gain, double offset, double input, int8_t *weight, float *unit,
                          int32_t *bias)
{
	enum { FACTOR_MAX = 127 };
	const double steps = offset / (fabs(gain) * input);
	double best = INFINITY;
	int factor = 0;

	*weight = 0;
	if (!(fabs(steps) < 1 << 15)) { /* a factor too small to be seen, or none */
		*unit = (float)(fabs(offset) > 0 ? fabs(offset) / (1 << 22) : 1);
		*bias = (int32_t)nearbyint(offset / (double)*unit);
		return;
	}
	for (int f = 1; f <= FACTOR_MAX; f++) {
		const double apart = fabs(f * steps - nearbyint(f * steps)) / f;

		if (apart < best) {
			best = apart;
			factor = f;
		}
	}
	*weight = (int8_t)(gain < 0 ? -factor : factor);
	*unit = (float)(fabs(gain) * input / factor);
	*bias = (int32_t)nearbyint(factor * steps);
}

/* The weights of a pending sum, laid out for the net. */
static int64_t weight_count(const espl_onnx_import *in, const espl_onnx_pending *pending)
{
	const espl_op *op = &pending->op;
	const espl_tensor *from = &in->net->tensors[op->inputs[0]];
	const int64_t taps = (int64_t)op->kernel_rows * op->kernel_columns;

	if (op->kind == ESPL_OP_DENSE)
		return (int64_t)espl_tensor_elements(from) * pending->channels;
	return taps * pending->channels * (op->kind == ESPL_OP_CONV ? from->channels : 1);
}

/* Of which output channel a weight is. */
static int64_t channel_of(const espl_onnx_pending *pending, int64_t count, int64_t i)
{
	return pending->op.kind == ESPL_OP_DEPTHWISE ? i % pending->channels
	                                             : i / (count / pending->channels);
}

/* A pending sum through factors and offsets: in its units, signs and biases. Where the weights
 * leave room, they are made larger and the unit smaller, as the offset is rounded to it. */
static const char *norm_pending(espl_onnx_import *in, const espl_onnx_state *x, const double *gains,
                                const double *offsets, espl_onnx_pending *out)
{
	const int channels = x->pending->channels;
	const int64_t count = weight_count(in, x->pending);
	int8_t *weights = espl_arena_copy(in->arena, x->pending->op.weights, (size_t)count);
	int32_t *bias = ESPL_ARRAY(in->arena, int32_t, channels);
	float *units = ESPL_ARRAY(in->arena, float, channels);
	int *most = ESPL_ARRAY(in->arena, int, channels);

	*out = *x->pending;
	for (int64_t i = 0; i < count; i++) {
		const int64_t c = channel_of(out, count, i);

		most[c] = abs(weights[i]) > most[c] ? abs(weights[i]) : most[c];
	}
	for (int c = 0; c < channels; c++) {
		const int factor = most[c] && most[c] < INT8_MAX ? INT8_MAX / most[c] : 1;
		const double unit = fabs(gains[c]) * (double)out->units[c] / factor;
		const double value = unit > 0 ? nearbyint(offsets[c] / unit) : INFINITY;

		if (!(fabs(value) < 1 << 29) || abs(out->op.bias[c]) > (1 << 29) / factor)
			return espl_arena_format(in->arena, "channel %d: factor %g and offset %g",
			                         c, gains[c], offsets[c]);
		if (gains[c] < 0 && most[c] > INT8_MAX)
			return "a weight of -128 meets a negative factor";
		most[c] = gains[c] < 0 ? -factor : factor;
		units[c] = (float)unit;
		bias[c] = out->op.bias[c] * most[c] + (int32_t)value;
	}
	for (int64_t i = 0; i < count; i++)
		weights[i] = (int8_t)(weights[i] * most[channel_of(out, count, i)]);
	out->op.weights = weights;
	out->op.bias = bias;
	out->units = units;
	return NULL;
}

/* A REAL tensor through them: a depthwise kernel of one weight a channel. */
static const char *norm_real(espl_onnx_import *in, const espl_onnx_state *x, const double *gains,
                             const double *offsets, espl_onnx_pending *out)
{
	const espl_tensor *from = &in->net->tensors[x->tensor];
	int8_t *weights = ESPL_ARRAY(in->arena, int8_t, from->channels);
	int32_t *bias = ESPL_ARRAY(in->arena, int32_t, from->channels);
	float *units = ESPL_ARRAY(in->arena, float, from->channels);

	out->channels = from->channels;
	out->rows = from->rows;
	out->columns = from->columns;
	for (int c = 0; c < out->channels; c++)
		place_channel(gains[c], offsets[c], from->scale, &weights[c], &units[c], &bias[c]);
	out->op.kind = ESPL_OP_DEPTHWISE;
	out->op.input_count = 1;
	out->op.inputs[0] = x->tensor;
	out->op.weights = weights;
	out->op.bias = bias;
	out->units = units;
	return NULL;
}

/* Factors and offsets of a BatchNormalization. */
static const char *read_norm(espl_onnx_import *in, const espl_onnx_node *node, int channels,
                             double *gains, double *offsets)
{
	const double epsilon = (double)espl_onnx_get_real(node, "epsilon", 1e-5f);
	const espl_onnx_state *parts[4];

	for (int i = 0; i < 4; i++) {
		parts[i] = espl_onnx_input(in, node, i + 1);
		if (!parts[i] || parts[i]->kind != ESPL_ONNX_CONSTANT ||
		    espl_onnx_elements(parts[i]) != channels)
			return espl_arena_format(in->arena, "%s is no constant of %d channels",
			                         espl_onnx_input_name(in, node, i + 1), channels);
	}
	for (int c = 0; c < channels; c++) {
		gains[c] = constant_at(parts[0], c) / sqrt(constant_at(parts[3], c) + epsilon);
		offsets[c] = constant_at(parts[1], c) - constant_at(parts[2], c) * gains[c];
		if (!isfinite(gains[c]) || !isfinite(offsets[c]))
			return espl_arena_format(in->arena, "channel %d: the factor is %g", c,
			                         gains[c]);
	}
	return NULL;
}

ESPL_ONNX_CONVERTER(batch_norm)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const bool pending = x && x->kind == ESPL_ONNX_PENDING && x->pending->units &&
	                     !(x->pending->low > -INFINITY) && !(x->pending->high < INFINITY);
	espl_onnx_pending out = espl_onnx_nothing_pending();
	const char *reason = pending ? NULL : espl_onnx_need_real(in, node, 0);
	double *gains, *offsets;
	int channels;

	if (!reason && !pending)
		reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (reason)
		return reason;
	channels = pending ? x->pending->channels : in->net->tensors[x->tensor].channels;
	gains = ESPL_ARRAY(in->arena, double, channels);
	offsets = ESPL_ARRAY(in->arena, double, channels);
	reason = read_norm(in, node, channels, gains, offsets);
	if (!reason)
		reason = pending ? norm_pending(in, x, gains, offsets, &out)
		                 : norm_real(in, x, gains, offsets, &out);
	if (!reason)
		espl_onnx_wait(in, node, &out, x->rank);
	return reason;
}
