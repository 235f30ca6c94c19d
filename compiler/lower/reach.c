/* What values each channel of each tensor can take, from the weights as they are.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/pass.h"
#include "lower/step.h"

#include <string.h>

bool espl_reads_padding(const espl_pass *pass, const espl_op *op)
{
	return op->pad_top || op->pad_left || op->pad_bottom || op->pad_right ||
	       pass->views[op->inputs[0]].padded;
}

static void add_product(int64_t weight, int64_t low, int64_t high, int64_t *least, int64_t *most)
{
	*least += weight * (weight >= 0 ? low : high);
	*most += weight * (weight >= 0 ? high : low);
}

void espl_accumulator_range(const espl_pass *pass, const espl_op *op, int channel, int64_t *least,
                            int64_t *most)
{
	const espl_tensor *in = espl_source(pass, op->inputs[0]);
	const espl_view *view = &pass->views[pass->views[op->inputs[0]].source];
	const int outputs = pass->net->tensors[op->output].channels;
	const bool pads = espl_reads_padding(pass, op);
	const int taps = op->kernel_rows * op->kernel_columns;
	const bool plain =
	        op->kind == ESPL_OP_AVERAGE_POOL && pass->net->rounding != ESPL_ROUND_ONNX;
	const int zero = plain ? 0 : in->zero_point;

	*least = *most = op->bias ? op->bias[channel] : 0;
	if (op->kind == ESPL_OP_DENSE) {
		const int64_t inputs = (int64_t)in->rows * in->columns * in->channels;

		for (int64_t i = 0; i < inputs; i++)
			add_product(op->weights[channel * inputs + i],
			            view->least[i % in->channels] - zero,
			            view->most[i % in->channels] - zero, least, most);
		return;
	}
	if (op->kind == ESPL_OP_AVERAGE_POOL || op->kind == ESPL_OP_MEAN) {
		const int64_t cells =
		        op->kind == ESPL_OP_MEAN ? (int64_t)in->rows * in->columns : taps;

		*least = cells * (view->least[channel] - zero);
		*most = cells * (view->most[channel] - zero);
		if (op->count_pads && pads) { /* pads are zeros, in any number */
			*least = *least < 0 ? *least : 0;
			*most = *most > 0 ? *most : 0;
		}
		return;
	}
	for (int k = 0; k < taps; k++) {
		const int channels = op->kind == ESPL_OP_CONV ? in->channels : 1;

		for (int i = 0; i < channels; i++) {
			const int from =
			        op->kind == ESPL_OP_CONV ? i : channel / op->depth_multiplier;
			const int weight =
			        op->kind == ESPL_OP_CONV
			                ? op->weights[((int64_t)channel * taps + k) * channels + i]
			                : op->weights[(int64_t)k * outputs + channel];
			int low = view->least[from] - zero, high = view->most[from] - zero;

			if (pads) {
				low = low < 0 ? low : 0;
				high = high > 0 ? high : 0;
			}
			add_product(weight, low, high, least, most);
		}
	}
}

/* The bounds of an average over windows of any size that the padding leaves. */
static void averaged(const espl_pass *pass, const espl_op *op, int channel)
{
	const espl_tensor *in = espl_source(pass, op->inputs[0]);
	const espl_view *from = &pass->views[pass->views[op->inputs[0]].source];
	espl_view *out = &pass->views[op->output];
	const int whole = op->kernel_rows * op->kernel_columns;
	const int zero = pass->net->rounding == ESPL_ROUND_ONNX ? in->zero_point : 0;

	out->least[channel] = INT8_MAX;
	out->most[channel] = INT8_MIN;
	for (int cells = espl_reads_padding(pass, op) ? 1 : whole; cells <= whole; cells++) {
		const espl_curve curve =
		        espl_curve_of(pass->net, op, channel, op->count_pads ? whole : cells);
		const int32_t low =
		        espl_curve_value(&curve, (int64_t)cells * (from->least[channel] - zero));
		const int32_t high =
		        espl_curve_value(&curve, (int64_t)cells * (from->most[channel] - zero));

		out->least[channel] = low < out->least[channel] ? low : out->least[channel];
		out->most[channel] = high > out->most[channel] ? high : out->most[channel];
	}
}

static espl_status weighted(espl_pass *pass, const espl_op *op, espl_error *err)
{
	espl_view *out = &pass->views[op->output];

	for (int c = 0; c < pass->net->tensors[op->output].channels; c++) {
		int64_t least, most;

		espl_accumulator_range(pass, op, c, &least, &most);
		if (least < INT32_MIN || most > INT32_MAX)
			return espl_fail(
			        err, ESPL_RANGE,
			        "%s: channel %d: the sum reaches %lld..%lld, beyond 32 bits",
			        op->name, c, (long long)least, (long long)most);
		if (op->kind == ESPL_OP_AVERAGE_POOL) {
			averaged(pass, op, c);
		} else {
			const espl_curve curve = espl_curve_of(pass->net, op, c, 0);

			out->least[c] = espl_curve_value(&curve, least);
			out->most[c] = espl_curve_value(&curve, most);
		}
	}
	return ESPL_OK;
}

static void limit(espl_view *out, int c, int32_t low, int32_t high)
{
	out->least[c] = out->least[c] < low ? low : out->least[c] > high ? high : out->least[c];
	out->most[c] = out->most[c] < low ? low : out->most[c] > high ? high : out->most[c];
}

static void by_table(espl_pass *pass, const espl_op *op, const espl_view *in)
{
	espl_view *out = &pass->views[op->output];

	for (int c = 0; c < pass->net->tensors[op->output].channels; c++) {
		out->least[c] = INT8_MAX;
		out->most[c] = INT8_MIN;
		for (int v = in->least[c]; v <= in->most[c]; v++) {
			const int32_t y = op->table[v + 128];

			out->least[c] = y < out->least[c] ? y : out->least[c];
			out->most[c] = y > out->most[c] ? y : out->most[c];
		}
	}
}

static void concat(espl_pass *pass, const espl_op *op)
{
	espl_view *out = &pass->views[op->output];
	int at = 0;

	for (int i = 0; i < op->input_count; i++) {
		const espl_view *in = &pass->views[pass->views[op->inputs[i]].source];
		const int channels = pass->net->tensors[op->inputs[i]].channels;

		memcpy(out->least + at, in->least, (size_t)channels * sizeof(*in->least));
		memcpy(out->most + at, in->most, (size_t)channels * sizeof(*in->most));
		at += channels;
	}
}

static espl_status reach_of(espl_pass *pass, const espl_op *op, espl_error *err)
{
	const espl_view *in = &pass->views[pass->views[op->inputs[0]].source];
	espl_view *out = &pass->views[op->output];
	const int channels = pass->net->tensors[op->output].channels;

	switch (op->kind) {
	case ESPL_OP_CONV:
	case ESPL_OP_DEPTHWISE:
	case ESPL_OP_DENSE:
	case ESPL_OP_AVERAGE_POOL:
	case ESPL_OP_MEAN:
		return weighted(pass, op, err);
	case ESPL_OP_LOGISTIC:
		by_table(pass, op, in);
		break;
	case ESPL_OP_CONCAT:
		concat(pass, op);
		break;
	case ESPL_OP_MAX_POOL:
	case ESPL_OP_PAD:
		memcpy(out->least, in->least, (size_t)channels * sizeof(*in->least));
		memcpy(out->most, in->most, (size_t)channels * sizeof(*in->most));
		for (int c = 0; c < channels; c++) {
			const int zero = pass->net->tensors[op->output].zero_point;

			if (op->kind == ESPL_OP_MAX_POOL)
				limit(out, c, op->low, op->high);
			else if (zero < out->least[c])
				out->least[c] = zero;
			else if (zero > out->most[c])
				out->most[c] = zero;
		}
		break;
	default: /* ADD, SOFTMAX: whatever the clamp allows */
		for (int c = 0; c < channels; c++) {
			out->least[c] = op->low;
			out->most[c] = op->high;
		}
	}
	return ESPL_OK;
}

espl_status espl_find_reach(espl_pass *pass, espl_error *err)
{
	for (int t = 0; t < pass->net->tensor_count; t++) {
		const int channels = pass->net->tensors[t].channels;

		pass->views[t].least = ESPL_ARRAY(pass->arena, int32_t, channels);
		pass->views[t].most = ESPL_ARRAY(pass->arena, int32_t, channels);
		pass->views[t].removed = ESPL_ARRAY(pass->arena, bool, channels);
		for (int c = 0; c < channels; c++) {
			pass->views[t].least[c] = INT8_MIN;
			pass->views[t].most[c] = INT8_MAX;
		}
	}
	for (int o = 0; o < pass->net->op_count; o++)
		if (pass->net->ops[o].kind != ESPL_OP_RESHAPE)
			ESPL_TRY(reach_of(pass, &pass->net->ops[o], err));
	return ESPL_OK;
}
