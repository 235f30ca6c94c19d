/* QuantizeLinear and DequantizeLinear: where reals become tensors of the net, and back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <math.h>
#include <string.h>

int32_t espl_onnx_quantize(float real, float scale, int32_t zero)
{
	const float value = real / scale;

	if (!(value > (float)(INT8_MIN - zero)))
		return INT8_MIN;
	if (value >= (float)(INT8_MAX - zero))
		return INT8_MAX;
	return (int32_t)nearbyintf(value) + zero;
}

static const espl_onnx_tensor *constant_of(const espl_onnx_state *state)
{
	return state && state->kind == ESPL_ONNX_CONSTANT && !state->scaling ? state->data : NULL;
}

const char *espl_onnx_quantization(espl_onnx_import *in, const espl_onnx_node *node, int scale,
                                   int zero_point, float *out_scale, int32_t *zero,
                                   bool *is_unsigned)
{
	const espl_onnx_state *zero_state = espl_onnx_input(in, node, zero_point);
	const espl_onnx_tensor *s = constant_of(espl_onnx_input(in, node, scale));
	const espl_onnx_tensor *z = constant_of(zero_state);
	int64_t type = ESPL_ONNX_UINT8;
	double value;

	if (!s || s->type != ESPL_ONNX_FLOAT || s->count != 1 || (zero_state && !z))
		return espl_arena_format(in->arena,
		                         "scale %s or its zero point is not one constant number",
		                         espl_onnx_input_name(in, node, scale));
	value = espl_onnx_real_at(s, 0);
	if (!(value > 0) || !isfinite(value))
		return espl_arena_format(in->arena, "scale %s is %g, it must be positive",
		                         espl_onnx_input_name(in, node, scale), value);
	if (z)
		type = (int64_t)z->type;
	else
		type = espl_onnx_get_integer(node, "output_dtype", type);
	if (type != ESPL_ONNX_UINT8 && type != ESPL_ONNX_INT8)
		return espl_arena_format(in->arena,
		                         "activations are %s, the engine's have 8 bits: quantize "
		                         "them to UINT8 or INT8",
		                         espl_onnx_type_name((int)type));
	if (z && z->count != 1)
		return espl_arena_format(in->arena, "%lld zero points for one tensor",
		                         (long long)z->count);
	*is_unsigned = type == ESPL_ONNX_UINT8;
	*zero = (int32_t)(z ? espl_onnx_integer_at(z, 0) : 0) - (*is_unsigned ? 128 : 0);
	*out_scale = (float)value;
	return NULL;
}

const float *espl_onnx_reals(espl_onnx_import *in, const espl_onnx_state *state)
{
	const espl_tensor *tensor = &in->net->tensors[state->tensor];
	float *values;

	if (state->values)
		return state->values;
	values = ESPL_ARRAY(in->arena, float, 256);
	for (int v = 0; v < 256; v++)
		values[v] = (float)(v - 128 - tensor->zero_point) * (float)tensor->scale;
	return values;
}

const char *espl_onnx_table(espl_onnx_import *in, const espl_onnx_state *state, float scale,
                            int32_t zero, bool is_unsigned, const char *name, int *tensor)
{
	const espl_tensor from = in->net->tensors[state->tensor];
	const float *reals = espl_onnx_reals(in, state);
	int8_t *table = ESPL_ARRAY(in->arena, int8_t, 256);
	espl_op *op;

	if (!in->axes[state->tensor].decided)
		return "a function of the input before any layer: apply it outside";
	for (int v = 0; v < 256; v++)
		table[v] = (int8_t)espl_onnx_quantize(reals[v], scale, zero);
	*tensor = espl_onnx_new_tensor(in, name, from.rows, from.columns, from.channels, scale,
	                               zero, is_unsigned);
	in->axes[*tensor].table = table;
	in->axes[*tensor].table_source = state->tensor;
	op = espl_onnx_new_op(in, ESPL_OP_LOGISTIC);
	op->input_count = 1;
	op->inputs[0] = state->tensor;
	op->output = *tensor;
	op->table = table;
	return NULL;
}

/* An accumulator's unit over the output's scale, as a float32. */
static const char *output_scales(espl_onnx_import *in, const espl_onnx_pending *pending,
                                 float scale, espl_op *op)
{
	espl_scale *scales = ESPL_ARRAY(in->arena, espl_scale, pending->channels);

	op->scale_per_tensor = true;
	for (int c = 0; c < pending->channels; c++) {
		const float ratio = pending->units[c] / scale;

		if (!(ratio < 1 << 20))
			return espl_arena_format(in->arena,
			                         "channel %d: scales of %g and %g are too far "
			                         "apart",
			                         c, (double)pending->units[c], (double)scale);
		scales[c] = espl_scale_from_float32(ratio);
		if (scales[c].multiplier != scales[0].multiplier ||
		    scales[c].exponent != scales[0].exponent)
			op->scale_per_tensor = false;
	}
	op->scales = scales;
	return NULL;
}

static const char *sum_scales(espl_onnx_import *in, float scale, bool is_unsigned, espl_op *op)
{
	for (int i = 0; i < 2; i++) {
		const float ratio = (float)in->net->tensors[op->inputs[i]].scale / scale;

		if (!(ratio < 1 << 20))
			return "the scales of inputs and output are too far apart";
		if (in->axes[op->inputs[i]].is_unsigned != is_unsigned)
			return "inputs and output must be all UINT8 or all INT8";
		op->in_scales[i] = espl_scale_from_float32(ratio);
	}
	op->out_scale = espl_scale_from_float32(1);
	op->file_offset = is_unsigned ? 128 : 0;
	return NULL;
}

static const char *mean_scale(espl_onnx_import *in, float scale, espl_op *op)
{
	const espl_tensor *from = &in->net->tensors[op->inputs[0]];
	const float cells = (float)(from->rows * from->columns), whole = scale * cells;
	const float ratio = (float)from->scale / whole;

	if (!(ratio < 1 << 20))
		return "the scales of input and output are too far apart";
	op->out_scale = espl_scale_from_float32(ratio);
	return NULL;
}

/* Brings the parts of a concatenation to one quantization. */
static const char *realise_parts(espl_onnx_import *in, const espl_onnx_pending *pending,
                                 float scale, int32_t zero, bool is_unsigned, const char *name,
                                 espl_op *op)
{
	for (int i = 0; i < pending->part_count; i++) {
		const espl_onnx_state *part = &pending->parts[i];
		const espl_tensor *from = &in->net->tensors[part->tensor];
		const char *reason;

		op->inputs[i] = part->tensor;
		if (!part->values && (float)from->scale == scale && from->zero_point == zero)
			continue;
		reason = espl_onnx_table(in, part, scale, zero, is_unsigned,
		                         espl_arena_format(in->arena, "%s_part_%d", name, i),
		                         &op->inputs[i]);
		if (reason)
			return reason;
	}
	op->input_count = pending->part_count;
	return NULL;
}

const char *espl_onnx_realise(espl_onnx_import *in, const espl_onnx_pending *pending, float scale,
                              int32_t zero, bool is_unsigned, const char *name, int *tensor)
{
	espl_op op = pending->op, *made;
	const char *reason = NULL, *op_name;

	if (op.kind == ESPL_OP_CONCAT)
		reason = realise_parts(in, pending, scale, zero, is_unsigned, name, &op);
	else if (op.kind == ESPL_OP_ADD)
		reason = sum_scales(in, scale, is_unsigned, &op);
	else if (op.kind == ESPL_OP_MEAN)
		reason = mean_scale(in, scale, &op);
	else if (pending->units)
		reason = output_scales(in, pending, scale, &op);
	if (reason)
		return reason;
	if (pending->low > -INFINITY)
		op.low = espl_onnx_quantize(pending->low, scale, zero);
	if (pending->high < INFINITY)
		op.high = espl_onnx_quantize(pending->high, scale, zero);
	if (op.low > op.high)
		return "the clip leaves no value";
	*tensor = espl_onnx_new_tensor(in, name, pending->rows, pending->columns, pending->channels,
	                               scale, zero, is_unsigned);
	made = espl_onnx_new_op(in, op.kind);
	op_name = made->name;
	*made = op;
	made->name = op_name;
	made->output = *tensor;
	return NULL;
}

const char *espl_onnx_operand(espl_onnx_import *in, const espl_onnx_node *node, int n, int scale,
                              int zero_point)
{
	espl_onnx_state *state = espl_onnx_input(in, node, n);
	espl_tensor *tensor;
	float value;
	int32_t zero;
	bool is_unsigned;
	const char *reason;

	if (!state || state->kind != ESPL_ONNX_STORED)
		return espl_arena_format(in->arena, "%s is no quantized tensor",
		                         espl_onnx_input_name(in, node, n));
	reason = espl_onnx_quantization(in, node, scale, zero_point, &value, &zero, &is_unsigned);
	if (reason)
		return reason;
	tensor = &in->net->tensors[state->tensor];
	if (!(tensor->scale > 0)) { /* an integer input: now we know what it means */
		tensor->scale = (double)value;
		tensor->zero_point = zero;
	}
	if (in->axes[state->tensor].is_unsigned != is_unsigned)
		return espl_arena_format(in->arena, "%s is %s, its zero point is not",
		                         espl_onnx_input_name(in, node, n),
		                         is_unsigned ? "INT8" : "UINT8");
	if ((float)tensor->scale != value || tensor->zero_point != zero)
		return espl_arena_format(
		        in->arena,
		        "%s was made with scale %g and zero point %d, here it has %g and %d",
		        espl_onnx_input_name(in, node, n), tensor->scale, tensor->zero_point,
		        (double)value, zero);
	return NULL;
}

const char *espl_onnx_read_scaling(espl_onnx_import *in, const espl_onnx_node *node, int scale,
                                   int zero_point, const espl_onnx_state *data, int axis,
                                   const espl_onnx_scaling **out)
{
	const espl_onnx_state *zero_state = espl_onnx_input(in, node, zero_point);
	const espl_onnx_tensor *s = constant_of(espl_onnx_input(in, node, scale));
	const espl_onnx_tensor *z = constant_of(zero_state);
	espl_onnx_scaling *made = ESPL_NEW(in->arena, espl_onnx_scaling);
	float *scales;
	int32_t *zeros;

	if (!s || !espl_onnx_is_real(s->type) || (zero_state && (!z || espl_onnx_is_real(z->type))))
		return espl_arena_format(in->arena, "scale %s or its zero point is no constant",
		                         espl_onnx_input_name(in, node, scale));
	if (axis < 0)
		axis += data->rank;
	if (s->count != 1 && (axis < 0 || axis >= data->rank || data->dims[axis] != s->count))
		return espl_arena_format(in->arena, "scale %s has %lld elements, which no axis has",
		                         espl_onnx_input_name(in, node, scale),
		                         (long long)s->count);
	if (z && z->count != s->count)
		return espl_arena_format(in->arena, "%lld scales and %lld zero points",
		                         (long long)s->count, (long long)z->count);
	scales = ESPL_ARRAY(in->arena, float, s->count);
	zeros = ESPL_ARRAY(in->arena, int32_t, s->count);
	for (int64_t i = 0; i < s->count; i++) {
		scales[i] = (float)espl_onnx_real_at(s, i);
		if (!(scales[i] > 0) || !isfinite(scales[i]))
			return espl_arena_format(in->arena, "scale %s[%lld] is %g, not positive",
			                         espl_onnx_input_name(in, node, scale),
			                         (long long)i, (double)scales[i]);
		zeros[i] = z ? (int32_t)espl_onnx_integer_at(z, i) : 0;
	}
	*made = (espl_onnx_scaling){(int)s->count, axis, scales, zeros};
	*out = made;
	return NULL;
}

/* The index along the scaling's axis of element `i`. */
int espl_onnx_scaling_index(const espl_onnx_state *state, const espl_onnx_scaling *scaling,
                            int64_t i)
{
	if (scaling->count == 1)
		return 0;
	for (int d = state->rank - 1; d > scaling->axis; d--)
		i /= state->dims[d];
	return (int)(i % state->dims[scaling->axis]);
}

/* Weights that are quantized in the graph: a float constant to an int8 or uint8 one. */
static const char *quantize_constant(espl_onnx_import *in, const espl_onnx_node *node,
                                     const espl_onnx_state *from, espl_onnx_state *to)
{
	const espl_onnx_state *zero_state = espl_onnx_input(in, node, 2);
	const int axis = (int)espl_onnx_get_integer(node, "axis", 1);
	const espl_onnx_scaling *scaling;
	espl_onnx_tensor *data = ESPL_NEW(in->arena, espl_onnx_tensor);
	const bool is_signed =
	        zero_state && zero_state->data && zero_state->data->type == ESPL_ONNX_INT8;
	unsigned char *bytes;
	const char *reason;

	if (zero_state && (!zero_state->data || (zero_state->data->type != ESPL_ONNX_INT8 &&
	                                         zero_state->data->type != ESPL_ONNX_UINT8)))
		return "constants can be quantized to INT8 and UINT8 only";
	reason = espl_onnx_read_scaling(in, node, 1, 2, from, axis, &scaling);
	if (reason)
		return reason;
	*data = *from->data;
	data->type = is_signed ? ESPL_ONNX_INT8 : ESPL_ONNX_UINT8;
	bytes = espl_arena_calloc(in->arena, (size_t)data->count, 1);
	for (int64_t i = 0; i < data->count; i++) {
		const int k = espl_onnx_scaling_index(from, scaling, i);
		const int offset = is_signed ? 0 : 128;

		bytes[i] = (unsigned char)(espl_onnx_quantize(
		                                   (float)espl_onnx_real_at(from->data, i),
		                                   scaling->scales[k], scaling->zeros[k] - offset) +
		                           offset);
	}
	data->data = (espl_span){bytes, (size_t)data->count};
	*to = *from;
	to->data = data;
	return NULL;
}

ESPL_ONNX_CONVERTER(quantize)
{
	espl_onnx_state *from = espl_onnx_input(in, node, 0), *to = espl_onnx_output(in, node, 0);
	const char *name = in->model->values[node->outputs[0]].name, *reason;
	espl_tensor *tensor;
	espl_onnx_state result;
	bool is_unsigned;
	float scale;
	int32_t zero;

	if (!from)
		return "it has no input";
	if (from->kind == ESPL_ONNX_CONSTANT)
		return from->scaling || !espl_onnx_is_real(from->data->type)
		               ? "it quantizes a constant that is not float"
		               : quantize_constant(in, node, from, to);
	reason = espl_onnx_quantization(in, node, 1, 2, &scale, &zero, &is_unsigned);
	if (reason)
		return reason;
	result = *from;
	result.kind = ESPL_ONNX_STORED;
	result.pending = NULL;
	result.values = NULL;
	if (from->kind == ESPL_ONNX_STORED)
		return "it quantizes integers";
	if (from->kind == ESPL_ONNX_PENDING) {
		reason = espl_onnx_realise(in, from->pending, scale, zero, is_unsigned, name,
		                           &result.tensor);
		if (!reason)
			in->net->ops[in->net->op_count - 1].free_scales = true;
		result.version = reason ? 0 : in->axes[result.tensor].version;
		*to = reason ? *to : result;
		return reason;
	}
	tensor = &in->net->tensors[from->tensor];
	if (from->kind == ESPL_ONNX_BORDER) {
		if (tensor->scale > 0 &&
		    ((float)tensor->scale != scale || tensor->zero_point != zero))
			return "the input is quantized in two ways";
		if (!(tensor->scale > 0))
			tensor->name = name;
		tensor->scale = (double)scale;
		tensor->zero_point = zero;
		in->axes[from->tensor].is_unsigned = is_unsigned;
	} else if (from->values || (float)tensor->scale != scale || tensor->zero_point != zero ||
	           in->axes[from->tensor].is_unsigned != is_unsigned) {
		reason = espl_onnx_table(in, from, scale, zero, is_unsigned, name, &result.tensor);
		if (reason)
			return reason;
		espl_onnx_transfer(in, from, &result);
	}
	*to = result;
	return NULL;
}

ESPL_ONNX_CONVERTER(dequantize)
{
	espl_onnx_state *from = espl_onnx_input(in, node, 0), *to = espl_onnx_output(in, node, 0);
	espl_onnx_state result;
	const char *reason;

	if (!from)
		return "it has no input";
	result = *from;
	if (from->kind == ESPL_ONNX_CONSTANT) {
		if (from->scaling || espl_onnx_is_real(from->data->type))
			return "it dequantizes a constant that is no integer";
		if (espl_onnx_get_integer(node, "block_size", 0))
			return "scales of blocks are not supported: one per channel";
		reason = espl_onnx_read_scaling(in, node, 1, 2, from,
		                                (int)espl_onnx_get_integer(node, "axis", 1),
		                                &result.scaling);
	} else {
		reason = espl_onnx_operand(in, node, 0, 1, 2);
		result.kind = ESPL_ONNX_REAL;
	}
	if (!reason)
		*to = result;
	return reason;
}
