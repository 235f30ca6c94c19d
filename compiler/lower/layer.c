/* Operators to layers: weights of live channels, biases over bytes, exact steps.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/pass.h"
#include "lower/step.h"

#include <string.h>

static const int64_t x_most = ((int64_t)1 << (ESPL_ACCUMULATOR_BITS - 1)) - 1;

static int bits_of(int64_t least, int64_t most)
{
	int bits = 1;

	while (least < -((int64_t)1 << (bits - 1)) || most > ((int64_t)1 << (bits - 1)) - 1)
		bits++;
	return bits;
}

/* The lowered tensor of a tensor of the net, made on first use. */
static int lowered_tensor(espl_pass *pass, int t)
{
	const int source = pass->views[t].source;
	const espl_tensor *from = &pass->net->tensors[source];
	espl_view *view = &pass->views[source];
	espl_lowered_tensor *to;
	int *channels;
	int8_t *constants;

	if (view->lowered >= 0)
		return view->lowered;
	view->lowered = pass->lowered->tensor_count++;
	to = &pass->lowered->tensors[view->lowered];
	channels = ESPL_ARRAY(pass->arena, int, from->channels);
	constants = espl_arena_calloc(pass->arena, (size_t)from->channels, 1);
	*to = (espl_lowered_tensor){
	        .name = from->name,
	        .net_tensor = source,
	        .rows = from->rows,
	        .columns = from->columns,
	        .net_channels = channels,
	        .zero_point = from->zero_point,
	        .net_channel_count = from->channels,
	        .constants = constants,
	};
	for (int c = 0; c < from->channels; c++) {
		constants[c] = (int8_t)view->least[c];
		if (!view->removed[c])
			channels[to->channels++] = c;
	}
	return view->lowered;
}

static espl_layer *new_layer(espl_pass *pass, const espl_op *op, espl_layer_kind kind, int result)
{
	espl_layer *layer = &pass->lowered->layers[pass->lowered->layer_count++];
	const espl_view *in = &pass->views[op->inputs[0]];

	*layer = (espl_layer){
	        .kind = kind,
	        .name = op->name,
	        .net_op = (int)(op - pass->net->ops),
	        .input_count = op->input_count,
	        .kernel_rows = op->kernel_rows ? op->kernel_rows : 1,
	        .kernel_columns = op->kernel_columns ? op->kernel_columns : 1,
	        .stride_rows = op->stride_rows ? op->stride_rows : 1,
	        .stride_columns = op->stride_columns ? op->stride_columns : 1,
	        .dilation_rows = op->dilation_rows ? op->dilation_rows : 1,
	        .dilation_columns = op->dilation_columns ? op->dilation_columns : 1,
	        .pad_top = op->pad_top + in->pad_top,
	        .pad_left = op->pad_left + in->pad_left,
	        .pad = espl_source(pass, op->inputs[0])->zero_point + 128,
	        .zero_point = pass->net->tensors[op->output].zero_point,
	        .low = op->low,
	        .high = op->high,
	        .step_classes = 1,
	        .least = INT64_MAX,
	        .most = INT64_MIN,
	        .multiplications = espl_op_multiplications(pass->net, op),
	};
	for (int i = 0; i < op->input_count; i++)
		layer->inputs[i] = lowered_tensor(pass, op->inputs[i]);
	layer->output = lowered_tensor(pass, result);
	for (int c = 0; c < pass->net->tensors[result].channels; c++)
		layer->constant_channels += pass->views[pass->views[result].source].removed[c];
	return layer;
}

static const espl_lowered_tensor *tensor_of(const espl_pass *pass, int lowered)
{
	return &pass->lowered->tensors[lowered];
}

static void note(espl_layer *layer, int64_t least, int64_t most, const espl_step *step)
{
	int bits = 0;

	layer->least = least < layer->least ? least : layer->least;
	layer->most = most > layer->most ? most : layer->most;
	layer->accumulator_bits = bits_of(layer->least, layer->most);
	while (step->multiplier >> bits)
		bits++;
	layer->multiplier_bits = bits > layer->multiplier_bits ? bits : layer->multiplier_bits;
}

static espl_status no_form(const espl_layer *layer, int channel, int64_t least, int64_t most,
                           espl_error *err)
{
	return espl_fail(
	        err, ESPL_RANGE,
	        "%s: channel %d: no exact requantization of %lld..%lld with a multiplier of %d "
	        "bits",
	        layer->name, channel, (long long)least, (long long)most, (int)ESPL_MULTIPLIER_BITS);
}

/* A channel that stays although it is constant: the sum is not looked at. */
static espl_step constant_step(const espl_layer *layer, int32_t value)
{
	const int32_t level = value - layer->zero_point;

	return (espl_step){.positive = level, .negative = level};
}

/* The step of output channel `channel`, about the level at which its roundings meet, and whether
 * its weights matter. The step's bias is what the pivot adds. */
static espl_status find_step(espl_pass *pass, espl_layer *layer, const espl_op *op, int channel,
                             int divisor, int32_t level, espl_step *step, bool *constant,
                             espl_error *err)
{
	const espl_curve curve =
	        espl_curve_of(pass->net, op, channel,
	                      op->count_pads ? divisor : op->kernel_rows * op->kernel_columns);
	const espl_pivot pivot = espl_pivot_at(&curve, level);
	int64_t least, most;
	int32_t value;

	espl_accumulator_range(pass, op, channel, &least, &most);
	value = espl_curve_value(&curve, least);
	*constant = value == espl_curve_value(&curve, most);
	if (*constant) {
		*step = constant_step(layer, value);
		layer->checked += 2;
		return ESPL_OK;
	}
	if (least - pivot.offset < -x_most - 1 || most - pivot.offset > x_most)
		return espl_fail(err, ESPL_RANGE,
		                 "%s: channel %d: the sum reaches %lld..%lld, beyond %d bits",
		                 layer->name, channel, (long long)least, (long long)most,
		                 (int)ESPL_ACCUMULATOR_BITS);
	if (!espl_step_find(&curve, pivot, least, most, step, &layer->checked))
		return no_form(layer, channel, least, most, err);
	step->bias = (int32_t)-pivot.offset;
	note(layer, least - pivot.offset, most - pivot.offset, step);
	return ESPL_OK;
}

/* All steps of a layer, for one pivot's level. */
static espl_status find_about(espl_pass *pass, espl_layer *layer, const espl_op *parts, int divisor,
                              int32_t level, espl_step *steps, bool *constants, espl_error *err)
{
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	const espl_curve curve = espl_curve_of(pass->net, parts, 0, 1);
	const espl_pivot pivot = espl_pivot_at(&curve, level);

	if (pivot.zero_point < INT8_MIN || pivot.zero_point > INT8_MAX)
		return espl_fail(err, ESPL_RANGE, "%s: halves to even about zero point %d",
		                 layer->name, pivot.zero_point);
	layer->zero_point = pivot.zero_point;
	for (int o = 0; o < out->channels; o++) {
		constants[o] = true;
		for (int c = 0; c < layer->step_classes; c++) {
			bool constant;

			ESPL_TRY(find_step(pass, layer, &parts[c], out->net_channels[o], divisor,
			                   level, &steps[o * layer->step_classes + c], &constant,
			                   err));
			constants[o] = constants[o] && constant;
		}
	}
	return ESPL_OK;
}

/* The float32 `ulps` units of its last place away; scales here are far from where exponents end. */
static espl_scale moved_scale(espl_scale scale, int ulps)
{
	int64_t mantissa = (scale.multiplier >> 7) + ulps;

	if (mantissa >= 1 << 24) {
		mantissa /= 2;
		scale.exponent++;
	} else if (mantissa < 1 << 23) {
		mantissa *= 2;
		scale.exponent--;
	}
	scale.multiplier = (int32_t)(mantissa * (1 << 7));
	return scale;
}

/* Moves the scale of one channel until it has a step. */
static espl_status settle_channel(espl_pass *pass, espl_layer *layer, int o, espl_step *step,
                                  bool *constant, espl_error *err)
{
	enum { ULPS_MOST = 16 };
	const int channel = tensor_of(pass, layer->output)->net_channels[o];
	espl_op *op = &pass->settled->ops[layer->net_op];
	const int channels = pass->net->tensors[op->output].channels;
	espl_scale *scales =
	        espl_arena_copy(pass->arena, op->scales, (size_t)channels * sizeof *scales);
	const espl_scale before = scales[channel];
	espl_status status;

	status = find_step(pass, layer, op, channel, 0, 0, step, constant, err);
	if (status != ESPL_RANGE || !before.multiplier)
		return status;
	op->scales = scales;
	for (int i = 2; i <= 2 * ULPS_MOST + 1; i++) {
		scales[channel] = moved_scale(before, i % 2 ? -(i / 2) : i / 2);
		if (find_step(pass, layer, op, channel, 0, 0, step, constant, NULL) == ESPL_OK) {
			op->scale_per_tensor = false;
			pass->moved++;
			return ESPL_OK;
		}
	}
	scales[channel] = before;
	return status;
}

/* The plain pivot, with scales moved where a channel has no step. */
static espl_status settle(espl_pass *pass, espl_layer *layer, espl_step *steps, bool *constants,
                          espl_error *err)
{
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);

	layer->zero_point = pass->net->tensors[pass->net->ops[layer->net_op].output].zero_point;
	for (int o = 0; o < out->channels; o++)
		ESPL_TRY(settle_channel(pass, layer, o, &steps[o], &constants[o], err));
	return ESPL_OK;
}

/* All steps of a layer. In ONNX's rounding the pivot may be moved until each channel has one.
 *   in   parts  the operator, or one for each class of positions
 *   out  steps  [out][step_classes]; constants  [out] channels whose sum does not matter */
static espl_status find_steps(espl_pass *pass, espl_layer *layer, const espl_op *parts, int divisor,
                              espl_step *steps, bool *constants, espl_error *err)
{
	static const int32_t levels[] = {96, 128, 64, 32, 160, 16, 192, -64};
	const espl_layer before = *layer;
	espl_status status = find_about(pass, layer, parts, divisor, 0, steps, constants, err);

	if (pass->net->rounding != ESPL_ROUND_ONNX)
		return status;
	for (size_t i = 0; i < sizeof levels / sizeof levels[0] && status == ESPL_RANGE; i++) {
		*layer = before;
		if (find_about(pass, layer, parts, divisor, levels[i], steps, constants, NULL) ==
		    ESPL_OK)
			return ESPL_OK;
	}
	if (status == ESPL_RANGE && pass->settled && parts->free_scales && parts->scales) {
		*layer = before;
		return settle(pass, layer, steps, constants, err);
	}
	return status;
}

static espl_status set_bias(const espl_layer *layer, int channel, int64_t bias, espl_step *step,
                            espl_error *err)
{
	bias += step->bias; /* the pivot's */
	if (bias < -x_most - 1 || bias > x_most)
		return espl_fail(err, ESPL_RANGE, "%s: channel %d: the bias %lld is beyond %d bits",
		                 layer->name, channel, (long long)bias, (int)ESPL_ACCUMULATOR_BITS);
	step->bias = (int32_t)bias;
	return ESPL_OK;
}

/* -- convolution
 * ------------------------------------------------------------------------------------ */

static espl_status make_conv(espl_pass *pass, const espl_op *op, int result, espl_error *err)
{
	espl_layer *layer = new_layer(pass, op, ESPL_LAYER_CONV, result);
	const espl_lowered_tensor *in = tensor_of(pass, layer->inputs[0]);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	const espl_view *view = &pass->views[pass->views[op->inputs[0]].source];
	const int taps = op->kernel_rows * op->kernel_columns, zero = in->zero_point;
	int8_t *weights = ESPL_ARRAY(pass->arena, int8_t,
	                             (size_t)out->channels * (size_t)taps * (size_t)in->channels);
	espl_step *steps = ESPL_ARRAY(pass->arena, espl_step, out->channels);
	bool *constants = ESPL_ARRAY(pass->arena, bool, out->channels);

	ESPL_TRY(find_steps(pass, layer, op, 0, steps, constants, err));
	for (int o = 0; o < out->channels; o++) {
		const int channel = out->net_channels[o];
		const int8_t *from = op->weights + (int64_t)channel * taps * in->net_channel_count;
		int8_t *to = weights + (int64_t)o * taps * in->channels;
		int64_t bias = op->bias[channel];

		if (constants[o])
			continue;
		for (int k = 0; k < taps; k++)
			for (int c = 0, live = 0; c < in->net_channel_count; c++) {
				const int weight = from[k * in->net_channel_count + c];

				if (view->removed[c]) {
					bias += (int64_t)weight * (view->least[c] - zero);
					continue;
				}
				to[k * in->channels + live++] = (int8_t)weight;
				bias -= (int64_t)weight * (zero + 128);
				layer->nonzero_multiplications += weight != 0;
			}
		ESPL_TRY(set_bias(layer, channel, bias, &steps[o], err));
	}
	layer->nonzero_multiplications *= (int64_t)out->rows * out->columns;
	layer->weights = weights;
	layer->steps = steps;
	return ESPL_OK;
}

/* -- dense, and a convolution whose kernel is the whole image
 * ----------------------------------------- */

static void dense_weights(const espl_pass *pass, const espl_op *op, const espl_lowered_tensor *in,
                          int channel, int8_t *to, int64_t *bias)
{
	const espl_view *view = &pass->views[pass->views[op->inputs[0]].source];
	const int positions = in->rows * in->columns;
	const int8_t *from = op->weights + (int64_t)channel * positions * in->net_channel_count;

	for (int p = 0; p < positions; p++)
		for (int c = 0, live = 0; c < in->net_channel_count; c++) {
			const int weight = from[p * in->net_channel_count + c];

			if (view->removed[c]) {
				*bias += (int64_t)weight * (view->least[c] - in->zero_point);
				continue;
			}
			to[p * in->channels + live++] = (int8_t)weight;
			*bias -= (int64_t)weight * in->zero_point;
		}
}

/* One step for all neurons, over the union of their ranges; steps[] keeps each one's bias. */
static bool share_step(espl_pass *pass, espl_layer *layer, const espl_op *op, espl_step *steps)
{
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	const espl_curve curve = espl_curve_of(pass->net, op, 0, 0);
	int64_t least = INT64_MAX, most = INT64_MIN;
	espl_step step = {0};

	if (!op->scale_per_tensor)
		return false;
	for (int o = 0; o < out->channels; o++) {
		int64_t low, high;

		espl_accumulator_range(pass, op, out->net_channels[o], &low, &high);
		least = low < least ? low : least;
		most = high > most ? high : most;
	}
	if (least < -x_most - 1 || most > x_most ||
	    !espl_step_find(&curve, espl_pivot_at(&curve, 0), least, most, &step, &layer->checked))
		return false;
	for (int o = 0; o < out->channels; o++)
		steps[o] = step;
	note(layer, least, most, &step);
	return true;
}

static espl_status make_dense(espl_pass *pass, const espl_op *op, int result, espl_error *err)
{
	espl_layer *layer = new_layer(pass, op, ESPL_LAYER_DENSE, result);
	const espl_lowered_tensor *in = tensor_of(pass, layer->inputs[0]);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	const size_t inputs = (size_t)in->rows * (size_t)in->columns * (size_t)in->channels;
	int8_t *weights = ESPL_ARRAY(pass->arena, int8_t, (size_t)out->channels * inputs);
	espl_step *steps = ESPL_ARRAY(pass->arena, espl_step, out->channels);
	bool *constants;

	layer->kernel_rows = layer->kernel_columns = layer->stride_rows = layer->stride_columns = 1;
	constants = ESPL_ARRAY(pass->arena, bool, out->channels);
	layer->step_per_tensor = share_step(pass, layer, op, steps);
	if (!layer->step_per_tensor)
		ESPL_TRY(find_steps(pass, layer, op, 0, steps, constants, err));
	for (int o = 0; o < out->channels; o++) {
		const int channel = out->net_channels[o];
		int64_t bias = op->bias[channel];

		if (constants[o])
			continue;
		dense_weights(pass, op, in, channel, weights + (size_t)o * inputs, &bias);
		for (size_t i = 0; i < inputs; i++)
			layer->nonzero_multiplications += weights[(size_t)o * inputs + i] != 0;
		ESPL_TRY(set_bias(layer, channel, bias, &steps[o], err));
	}
	layer->weights = weights;
	layer->steps = steps;
	return ESPL_OK;
}

static bool is_dense(const espl_pass *pass, const espl_op *op)
{
	const espl_tensor *in = espl_source(pass, op->inputs[0]);
	const espl_tensor *out = &pass->net->tensors[op->output];

	return out->rows == 1 && out->columns == 1 && !espl_reads_padding(pass, op) &&
	       op->kernel_rows == in->rows && op->kernel_columns == in->columns &&
	       (op->kernel_rows == 1 || op->dilation_rows == 1) &&
	       (op->kernel_columns == 1 || op->dilation_columns == 1);
}

/* -- a channel at a time
 * ------------------------------------------------------------------------------ */

/* Cells of a window along one axis that lie in the image. */
static int inside(int at, int stride, int pad, int kernel, int count)
{
	const int first = at * stride - pad, end = first + kernel;

	return (end < count ? end : count) - (first > 0 ? first : 0);
}

/* Sorts an average pool's positions into classes of equal divisors: cells[class]. A pool whose
 * windows all lie in the image has one class, and no map. */
static void find_classes(espl_pass *pass, const espl_op *op, espl_layer *layer, int **cells)
{
	const espl_tensor *in = espl_source(pass, op->inputs[0]);
	const espl_tensor *out = &pass->net->tensors[op->output];
	const int most = op->kernel_rows * op->kernel_columns;
	int *class_of = ESPL_ARRAY(pass->arena, int, out->rows * out->columns);
	int *known = ESPL_ARRAY(pass->arena, int, most + 1); /* class + 1 of a divisor */

	*cells = ESPL_ARRAY(pass->arena, int, most);
	layer->step_classes = 0;
	for (int y = 0; y < out->rows; y++)
		for (int x = 0; x < out->columns; x++) {
			const int divisor =
			        op->count_pads ? most
			                       : inside(y, op->stride_rows, op->pad_top,
			                                op->kernel_rows, in->rows) *
			                                 inside(x, op->stride_columns, op->pad_left,
			                                        op->kernel_columns, in->columns);

			if (!known[divisor]) {
				(*cells)[layer->step_classes] = divisor;
				known[divisor] = ++layer->step_classes;
			}
			class_of[y * out->columns + x] = known[divisor] - 1;
		}
	layer->class_of = layer->step_classes > 1 ? class_of : NULL;
}

static int *sources(espl_pass *pass, const espl_layer *layer, int multiplier)
{
	const espl_lowered_tensor *in = tensor_of(pass, layer->inputs[0]);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	int *source = ESPL_ARRAY(pass->arena, int, out->channels);

	for (int o = 0; o < out->channels; o++)
		for (int c = 0; c < in->channels; c++)
			if (in->net_channels[c] == out->net_channels[o] / multiplier)
				source[o] = c;
	return source;
}

/* The operator for each class of positions: an average pool over so many cells. */
static const espl_op *class_parts(const espl_pass *pass, const espl_layer *layer, const espl_op *op,
                                  const int *cells)
{
	espl_op *parts;

	if (!cells)
		return op;
	parts = ESPL_ARRAY(pass->arena, espl_op, layer->step_classes);
	for (int c = 0; c < layer->step_classes; c++) {
		parts[c] = *op;
		parts[c].kernel_rows = cells[c];
		parts[c].kernel_columns = 1;
	}
	return parts;
}

static espl_status make_depthwise(espl_pass *pass, const espl_op *op, int result, espl_error *err)
{
	espl_layer *layer = new_layer(pass, op, ESPL_LAYER_DEPTHWISE, result);
	const espl_lowered_tensor *in = tensor_of(pass, layer->inputs[0]);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	const bool sum = op->kind != ESPL_OP_DEPTHWISE;
	const int most_cells = op->kernel_rows * op->kernel_columns;
	int taps, zero = in->zero_point;
	int *cells = NULL;
	bool *constants;
	espl_step *steps;
	int8_t *weights;

	if (op->kind == ESPL_OP_AVERAGE_POOL) {
		find_classes(pass, op, layer, &cells);
		if (pass->net->rounding != ESPL_ROUND_ONNX) {
			layer->zero_point = zero = 0; /* the average of stored values */
			layer->pad = 128;
		}
	} else if (op->kind == ESPL_OP_MEAN) {
		layer->kernel_rows = in->rows;
		layer->kernel_columns = in->columns;
	}
	taps = layer->kernel_rows * layer->kernel_columns;
	weights = ESPL_ARRAY(pass->arena, int8_t, (size_t)out->channels * (size_t)taps);
	steps = ESPL_ARRAY(pass->arena, espl_step, out->channels * layer->step_classes);
	layer->source = sources(pass, layer, sum ? 1 : op->depth_multiplier);
	constants = ESPL_ARRAY(pass->arena, bool, out->channels);
	ESPL_TRY(find_steps(pass, layer, class_parts(pass, layer, op, cells), most_cells, steps,
	                    constants, err));
	for (int o = 0; o < out->channels; o++) {
		const int channel = out->net_channels[o];
		int64_t bias = op->bias ? op->bias[channel] : 0;

		if (constants[o])
			continue;
		for (int k = 0; k < taps; k++) {
			const int weight =
			        sum ? 1
			            : op->weights[(int64_t)k * out->net_channel_count + channel];

			weights[o * taps + k] = (int8_t)weight;
			bias -= (int64_t)weight * (zero + 128);
			layer->nonzero_multiplications += weight != 0;
		}
		for (int c = 0; c < layer->step_classes; c++)
			ESPL_TRY(set_bias(layer, channel, bias, &steps[o * layer->step_classes + c],
			                  err));
	}
	layer->nonzero_multiplications *= (int64_t)out->rows * out->columns;
	layer->weights = weights;
	layer->steps = steps;
	return ESPL_OK;
}

/* Layers that pass a byte on: MAX, TABLE, PAD. */
static espl_layer *make_identity(espl_pass *pass, const espl_op *op, espl_layer_kind kind)
{
	espl_layer *layer = new_layer(pass, op, kind, op->output);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	espl_step *steps = ESPL_ARRAY(pass->arena, espl_step, out->channels);

	for (int o = 0; o < out->channels; o++) {
		steps[o] = (espl_step){.bias = -128, .multiplier = 1};
		note(layer, INT8_MIN, INT8_MAX, &steps[o]);
	}
	layer->steps = steps;
	layer->source = sources(pass, layer, 1);
	layer->zero_point = 0;
	if (kind == ESPL_LAYER_MAX)
		layer->pad = 0;
	return layer;
}

static void make_pad(espl_pass *pass, const espl_op *op)
{
	espl_layer *layer = make_identity(pass, op, ESPL_LAYER_DEPTHWISE);
	const size_t channels = (size_t)tensor_of(pass, layer->output)->channels;
	int8_t *weights = espl_arena_calloc(pass->arena, channels, 1);

	memset(weights, 1, channels);
	layer->weights = weights;
	layer->kernel_rows = layer->kernel_columns = 1;
	layer->low = INT8_MIN;
	layer->high = INT8_MAX;
}

static espl_status make_add(espl_pass *pass, const espl_op *op, espl_error *err)
{
	espl_layer *layer = new_layer(pass, op, ESPL_LAYER_ADD, op->output);
	const espl_lowered_tensor *out = tensor_of(pass, layer->output);
	espl_step *steps = ESPL_ARRAY(pass->arena, espl_step, out->channels);
	const int32_t full[2] = {INT8_MIN, INT8_MAX};
	espl_step step = {0};

	if (!espl_step_find_add(pass->net, op, full, full, &step, &layer->multiplier_b,
	                        &layer->bias_b, &layer->checked))
		return espl_fail(err, ESPL_RANGE,
		                 "%s: no exact form of the sum with multipliers of %d bits",
		                 op->name, (int)ESPL_MULTIPLIER_BITS);
	for (int o = 0; o < out->channels; o++)
		steps[o] = step;
	note(layer, 2 * INT8_MIN, 2 * INT8_MAX, &step);
	layer->steps = steps;
	return ESPL_OK;
}

static espl_status make_layer(espl_pass *pass, int o, espl_error *err)
{
	const espl_op *op = &pass->net->ops[o];
	const int table = pass->table_of[o];
	const int result = table >= 0 ? pass->net->ops[table].output : op->output;
	espl_layer *layer;
	espl_status status = ESPL_OK;

	switch (op->kind) {
	case ESPL_OP_CONV:
		status = is_dense(pass, op) ? make_dense(pass, op, result, err)
		                            : make_conv(pass, op, result, err);
		break;
	case ESPL_OP_DENSE:
		status = make_dense(pass, op, result, err);
		break;
	case ESPL_OP_DEPTHWISE:
	case ESPL_OP_AVERAGE_POOL:
	case ESPL_OP_MEAN:
		status = make_depthwise(pass, op, result, err);
		break;
	case ESPL_OP_MAX_POOL:
		make_identity(pass, op, ESPL_LAYER_MAX);
		break;
	case ESPL_OP_LOGISTIC:
		layer = make_identity(pass, op, ESPL_LAYER_TABLE);
		layer->low = INT8_MIN;
		layer->high = INT8_MAX;
		layer->table = op->table;
		break;
	case ESPL_OP_PAD:
		make_pad(pass, op);
		break;
	case ESPL_OP_ADD:
		status = make_add(pass, op, err);
		break;
	case ESPL_OP_CONCAT:
		new_layer(pass, op, ESPL_LAYER_CONCAT, op->output);
		break;
	default:
		break;
	}
	if (!status && table >= 0) {
		layer = &pass->lowered->layers[pass->lowered->layer_count - 1];
		layer->table = pass->net->ops[table].table;
		layer->net_op = table;
	}
	return status;
}

static void list_borders(espl_pass *pass)
{
	const espl_net *net = pass->net;
	espl_lowered *lowered = pass->lowered;

	lowered->input_count = net->input_count;
	lowered->output_count = net->output_count;
	lowered->inputs = ESPL_ARRAY(pass->arena, int, net->input_count);
	lowered->outputs = ESPL_ARRAY(pass->arena, int, net->output_count);
	lowered->host_softmax = ESPL_ARRAY(pass->arena, int, net->output_count);
	for (int i = 0; i < net->input_count; i++)
		lowered->inputs[i] = lowered_tensor(pass, net->inputs[i]);
}

espl_status espl_make_layers(espl_pass *pass, espl_error *err)
{
	const espl_net *net = pass->net;
	espl_lowered *lowered = pass->lowered;

	lowered->tensors = ESPL_ARRAY(pass->arena, espl_lowered_tensor, net->tensor_count);
	lowered->layers = ESPL_ARRAY(pass->arena, espl_layer, net->op_count);
	list_borders(pass);
	for (int o = 0; o < net->op_count; o++)
		if (!pass->gone[o])
			ESPL_TRY(make_layer(pass, o, err));
	for (int i = 0; i < net->output_count; i++) {
		int t = net->outputs[i];

		lowered->host_softmax[i] = -1;
		for (int o = 0; o < net->op_count; o++)
			if (net->ops[o].output == t && net->ops[o].kind == ESPL_OP_SOFTMAX) {
				lowered->host_softmax[i] = o;
				t = net->ops[o].inputs[0];
			}
		lowered->outputs[i] = lowered_tensor(pass, t);
	}
	return ESPL_OK;
}
