/* QONNX: Quant and BipolarQuant, quantization and its reversal in one node on floats.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Quant(x) = scale * (clamp(round(x / scale + zero), low, high) - zero), with low and high from the
 * bits: of a constant it makes quantized weights, of an operator's result a tensor of the net that
 * is REAL at once. Values of fewer than 8 bits are stored as they are, within their own range.
 */
#include "import/onnx.h"

#include <math.h>
#include <string.h>

typedef struct {
	float scale;
	int32_t zero, low, high; /* as the file counts */
	bool is_signed;
} grid;

/* One number of a constant input. */
static const char *read_number(espl_onnx_import *in, const espl_onnx_node *node, int n, double *out)
{
	const espl_onnx_state *state = espl_onnx_input(in, node, n);

	if (!state || state->kind != ESPL_ONNX_CONSTANT || state->scaling ||
	    espl_onnx_elements(state) != 1)
		return espl_arena_format(in->arena, "%s is not one constant number",
		                         espl_onnx_input_name(in, node, n));
	*out = espl_onnx_real_at(state->data, 0);
	return NULL;
}

/* Everything but the scale. */
static const char *read_grid(espl_onnx_import *in, const espl_onnx_node *node, int most_bits,
                             grid *out)
{
	const char *rounding = espl_onnx_get_text(node, "rounding_mode", "ROUND");
	const bool narrow = espl_onnx_get_integer(node, "narrow", 0) != 0;
	double zero = 0, bits = 0;
	const char *reason = read_number(in, node, 2, &zero);
	int64_t levels;

	if (!reason)
		reason = read_number(in, node, 3, &bits);
	if (reason)
		return reason;
	if (strcmp(rounding, "ROUND") != 0 && strcmp(rounding, "round") != 0)
		return espl_arena_format(in->arena, "rounding mode %.40s, only ROUND is supported",
		                         rounding);
	if (!(bits >= 1 && bits <= most_bits) || bits != floor(bits))
		return espl_arena_format(in->arena, "%g bits, 1 to %d are supported", bits,
		                         most_bits);
	if (zero != floor(zero) || fabs(zero) > 128 || fmod(zero, 2) != 0)
		return espl_arena_format(in->arena, "zero point %g, it must be even, -128 to 128",
		                         zero);
	levels = INT64_C(1) << (int)bits;
	out->is_signed = espl_onnx_get_integer(node, "signed", 1) != 0;
	out->zero = (int32_t)zero;
	out->low = out->is_signed ? (int32_t)(-levels / 2) + narrow : 0;
	out->high = (int32_t)(out->is_signed ? levels / 2 - 1 : levels - 1 - narrow);
	return NULL;
}

/* A scale for all, or one along an axis: the only one of the scale's longer than 1.
 *   out  *count, *axis; *scales in the arena */
static const char *read_scales(espl_onnx_import *in, const espl_onnx_node *node, int n,
                               const espl_onnx_state *x, espl_onnx_scaling *out)
{
	const espl_onnx_state *state = espl_onnx_input(in, node, n);
	float *scales;
	int axis = 0;

	if (!state || state->kind != ESPL_ONNX_CONSTANT || state->scaling)
		return espl_arena_format(in->arena, "scale %s is no constant",
		                         espl_onnx_input_name(in, node, n));
	out->count = (int)espl_onnx_elements(state);
	for (int d = 0; d < state->rank; d++)
		if (state->dims[d] > 1)
			axis = d + x->rank - state->rank;
	if (out->count > 1 && (axis < 0 || axis >= x->rank || x->dims[axis] != out->count))
		return espl_arena_format(in->arena, "scale %s has %d elements, which no axis has",
		                         espl_onnx_input_name(in, node, n), out->count);
	out->axis = axis;
	scales = ESPL_ARRAY(in->arena, float, out->count);
	for (int i = 0; i < out->count; i++) {
		scales[i] = (float)espl_onnx_real_at(state->data, i);
		if (!(scales[i] > 0) || !isfinite(scales[i]))
			return espl_arena_format(in->arena, "scale %s[%d] is %g, not positive",
			                         espl_onnx_input_name(in, node, n), i,
			                         (double)scales[i]);
	}
	out->scales = scales;
	return NULL;
}

/* A quantized constant of int32, as DequantizeLinear would give it. */
static void put_constant(espl_onnx_import *in, const espl_onnx_node *node,
                         const espl_onnx_scaling *scaling, const int32_t *values)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_tensor *data = espl_arena_copy(in->arena, x->data, sizeof *data);
	espl_onnx_state *to = espl_onnx_output(in, node, 0);
	unsigned char *bytes = espl_arena_calloc(in->arena, (size_t)data->count, 4);

	for (int64_t i = 0; i < 4 * data->count; i++)
		bytes[i] = (unsigned char)((uint32_t)values[i / 4] >> (8 * (i % 4)));
	data->type = ESPL_ONNX_INT32;
	data->data = (espl_span){bytes, 4 * (size_t)data->count};
	*to = *x;
	to->data = data;
	to->scaling = espl_arena_copy(in->arena, scaling, sizeof *scaling);
}

static const char *quantize_constant(espl_onnx_import *in, const espl_onnx_node *node)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_scaling scaling = {0};
	int32_t *values, *zeros;
	grid to;
	const char *reason = read_grid(in, node, 31, &to);

	if (!reason && (x->scaling || !espl_onnx_is_real(x->data->type)))
		reason = "it quantizes a constant that is not float";
	if (!reason)
		reason = read_scales(in, node, 1, x, &scaling);
	if (reason)
		return reason;
	values = ESPL_ARRAY(in->arena, int32_t, x->data->count);
	zeros = ESPL_ARRAY(in->arena, int32_t, scaling.count);
	for (int i = 0; i < scaling.count; i++)
		zeros[i] = to.zero;
	scaling.zeros = zeros;
	for (int64_t i = 0; i < x->data->count; i++) {
		const float scale = scaling.scales[espl_onnx_scaling_index(x, &scaling, i)];
		const double value =
		        nearbyint((double)((float)espl_onnx_real_at(x->data, i) / scale)) + to.zero;

		values[i] = (int32_t)(!(value > to.low) ? to.low
		                      : value > to.high ? to.high
		                                        : value);
	}
	put_constant(in, node, &scaling, values);
	return NULL;
}

static bool may_clamp(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE || kind == ESPL_OP_DENSE ||
	       kind == ESPL_OP_ADD || kind == ESPL_OP_AVERAGE_POOL;
}

/* Narrows what was just made to the grid's range, in our stored values. */
static const char *narrow(espl_onnx_import *in, int32_t low, int32_t high)
{
	espl_op *op = &in->net->ops[in->net->op_count - 1];
	int8_t *table;

	if (low == INT8_MIN && high == INT8_MAX)
		return NULL;
	if (op->kind == ESPL_OP_LOGISTIC) {
		table = espl_arena_copy(in->arena, op->table, 256);
		for (int v = 0; v < 256; v++)
			table[v] = (int8_t)(table[v] < low    ? low
			                    : table[v] > high ? high
			                                      : table[v]);
		op->table = table;
		in->axes[op->output].table = table;
		return NULL;
	}
	if (!may_clamp(op->kind))
		return espl_arena_format(in->arena, "%s to fewer than 8 bits",
		                         espl_op_name(op->kind));
	op->low = op->low < low ? low : op->low > high ? high : op->low;
	op->high = op->high > high ? high : op->high < low ? low : op->high;
	return NULL;
}

static const char *quantize_result(espl_onnx_import *in, const espl_onnx_node *node)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const char *name = in->model->values[node->outputs[0]].name, *reason;
	espl_onnx_state result = *x;
	double scale = 0;
	grid to;
	int32_t offset;

	reason = read_grid(in, node, 8, &to);
	if (!reason)
		reason = read_number(in, node, 1, &scale);
	if (!reason && !(scale > 0 && isfinite(scale)))
		reason = espl_arena_format(in->arena, "the scale is %g, not positive", scale);
	if (reason)
		return reason;
	offset = to.is_signed ? 0 : 128;
	result.kind = ESPL_ONNX_REAL;
	result.values = NULL;
	result.pending = NULL;
	if (x->kind == ESPL_ONNX_BORDER) {
		espl_tensor *tensor = &in->net->tensors[x->tensor];

		if (to.low - offset != INT8_MIN || to.high - offset != INT8_MAX)
			return "the input has fewer than 8 bits: quantize it to 8";
		if (tensor->scale > 0)
			return "the input is quantized twice";
		tensor->name = name;
		tensor->scale = (double)(float)scale;
		tensor->zero_point = to.zero - offset;
		in->axes[x->tensor].is_unsigned = !to.is_signed;
		*espl_onnx_output(in, node, 0) = result;
		return NULL;
	}
	if (to.zero - offset < INT8_MIN || to.zero - offset > INT8_MAX)
		return espl_arena_format(in->arena, "the zero point %d does not fit", to.zero);
	if (x->kind == ESPL_ONNX_PENDING)
		reason = espl_onnx_realise(in, x->pending, (float)scale, to.zero - offset,
		                           !to.is_signed, name, &result.tensor);
	else if (x->kind == ESPL_ONNX_REAL)
		reason = espl_onnx_table(in, x, (float)scale, to.zero - offset, !to.is_signed, name,
		                         &result.tensor);
	else
		reason = "it quantizes integers";
	if (!reason)
		reason = narrow(in, to.low - offset, to.high - offset);
	if (reason)
		return reason;
	if (x->kind == ESPL_ONNX_PENDING)
		in->net->ops[in->net->op_count - 1].free_scales = true;
	if (x->kind == ESPL_ONNX_REAL)
		espl_onnx_transfer(in, x, &result);
	else
		result.version = in->axes[result.tensor].version;
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

ESPL_ONNX_CONVERTER(quant)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);

	if (!x)
		return "it has no input";
	return x->kind == ESPL_ONNX_CONSTANT ? quantize_constant(in, node)
	                                     : quantize_result(in, node);
}

/* Constants become +scale and -scale. */
ESPL_ONNX_CONVERTER(bipolar)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_scaling scaling = {0};
	const char *reason;
	int32_t *values;

	if (!x || x->kind != ESPL_ONNX_CONSTANT || x->scaling || !espl_onnx_is_real(x->data->type))
		return "values of one bit are supported for float constants only";
	reason = read_scales(in, node, 1, x, &scaling);
	if (reason)
		return reason;
	values = ESPL_ARRAY(in->arena, int32_t, x->data->count);
	scaling.zeros = ESPL_ARRAY(in->arena, int32_t, scaling.count);
	for (int64_t i = 0; i < x->data->count; i++)
		values[i] = espl_onnx_real_at(x->data, i) >= 0 ? 1 : -1;
	put_constant(in, node, &scaling, values);
	return NULL;
}
