/* The integer net as float operators between quantizers, for tools that read ONNX so.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Runtimes fuse what stands between DequantizeLinear and QuantizeLinear to an integer operator, or
 * compute it in float: their bits can differ from the net's by a step. Scales of weights are those
 * that are exact once fused, where there are such.
 */
#include "export/net_export.h"

#include <math.h>

/* -- quantizers -------------------------------------------------------------- */

static const char *real_of(espl_net_export *export, int tensor, bool flat)
{
	espl_exported *t = &export->tensors[tensor];
	const char **real = flat ? &t->real_flat : &t->real;
	const char *stored;

	if (*real)
		return *real;
	stored = espl_export_view(export, tensor, flat);
	*real = espl_write_unique(&export->writer,
	                          espl_arena_format(export->arena, "%s/real", stored));
	espl_write_node(&export->writer, "", "DequantizeLinear",
	                espl_arena_format(export->arena, "%s/dequantize", stored), *real,
	                ESPL_INPUTS(stored, espl_export_scale(export, tensor),
	                            espl_export_zero_point(export, tensor)));
	return *real;
}

/* A bound of the fused activation, as a float; none when int8 has it anyway. */
static const char *bound_of(espl_net_export *export, const espl_op *op, bool is_high)
{
	const espl_tensor *out = &export->net->tensors[op->output];
	const int32_t stored = is_high ? op->high : op->low;
	const float real = (float)(out->scale * (stored - out->zero_point));

	if (stored == (is_high ? INT8_MAX : INT8_MIN))
		return "";
	return espl_write_floats(
	        &export->writer,
	        espl_arena_format(export->arena, "%s/%s", op->name, is_high ? "high" : "low"), 0,
	        NULL, &real);
}

static const char *made_name(espl_net_export *export, const espl_op *op)
{
	return espl_export_part(export, op, "made");
}

/* Bounds and quantizes what an operator made. */
static void quantize(espl_net_export *export, const espl_op *op, const char *made, bool flat)
{
	const char *low = bound_of(export, op, false), *high = bound_of(export, op, true);
	const char *scale = espl_export_scale(export, op->output);
	const char *zero_point = espl_export_zero_point(export, op->output);

	if (*low || *high) {
		const char *bounded = espl_export_part(export, op, "bounded");

		espl_write_node(&export->writer, "", "Clip", espl_export_part(export, op, "clip"),
		                bounded, ESPL_INPUTS(made, low, high));
		made = bounded;
	}
	espl_write_node(
	        &export->writer, "", "QuantizeLinear", espl_export_part(export, op, "quantize"),
	        espl_export_make(export, op->output, flat), ESPL_INPUTS(made, scale, zero_point));
}

/* -- operators --------------------------------------------------------------- */

/* The bias as ONNX's tools have it: int32, of scale in * weights. */
static const char *real_bias(espl_net_export *export, const espl_op *op, const float *scales)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const int64_t outputs = export->net->tensors[op->output].channels;
	float *products = ESPL_ARRAY(export->arena, float, outputs);
	int32_t *zeros = ESPL_ARRAY(export->arena, int32_t, outputs);
	const char *stored, *scale, *zero_point, *real;

	for (int64_t c = 0; c < outputs; c++)
		products[c] = (float)in->scale * scales[c];
	stored = espl_write_int32s(&export->writer,
	                           espl_arena_format(export->arena, "%s/bias", op->name), 1,
	                           &outputs, op->bias);
	scale = espl_write_floats(&export->writer,
	                          espl_arena_format(export->arena, "%s/bias_scale", op->name), 1,
	                          &outputs, products);
	zero_point = espl_write_int32s(
	        &export->writer, espl_arena_format(export->arena, "%s/bias_zero_point", op->name),
	        1, &outputs, zeros);
	real = espl_write_node(&export->writer, "", "DequantizeLinear",
	                       espl_export_part(export, op, "dequantize_bias"),
	                       espl_export_part(export, op, "real_bias"),
	                       ESPL_INPUTS(stored, scale, zero_point));
	espl_write_integer(&export->writer, "axis", 0);
	return real;
}

static const char *real_weights(espl_net_export *export, const espl_op *op, const float *scales)
{
	const char *stored = espl_export_put_weights(export, op, false), *scale, *zero_point, *real;

	espl_export_put_weight_scales(export, op, scales, &scale, &zero_point);
	real = espl_write_node(&export->writer, "", "DequantizeLinear",
	                       espl_export_part(export, op, "dequantize_weights"),
	                       espl_export_part(export, op, "real_weights"),
	                       ESPL_INPUTS(stored, scale, zero_point));
	espl_write_integer(&export->writer, "axis", 0);
	return real;
}

static void export_weighted(espl_net_export *export, const espl_op *op)
{
	const bool dense = op->kind == ESPL_OP_DENSE;
	const int outputs = export->net->tensors[op->output].channels;
	float *scales = ESPL_ARRAY(export->arena, float, outputs);
	const char *in = real_of(export, op->inputs[0], dense), *weights, *bias;
	const char *made = made_name(export, op);

	export->report->linear++;
	export->report->channels += outputs;
	espl_export_weight_scales(export, op, scales, &export->report->inexact_channels);
	weights = real_weights(export, op, scales);
	bias = real_bias(export, op, scales);
	espl_write_node(&export->writer, "", dense ? "Gemm" : "Conv", op->name, made,
	                ESPL_INPUTS(in, weights, bias));
	if (dense) {
		espl_write_integer(&export->writer, "transB", 1);
	} else {
		espl_export_window(export, op);
		espl_export_put_group(export, op);
	}
	quantize(export, op, made, dense);
}

/* An operator of one or more inputs and no parameters: `flat` is the view of all of them. */
static void export_plain(espl_net_export *export, const espl_op *op, const char *kind, bool flat)
{
	const char *inputs[ESPL_MAX_INPUTS + 1] = {NULL};
	const char *made = made_name(export, op);

	for (int k = 0; k < op->input_count; k++)
		inputs[k] = real_of(export, op->inputs[k], flat);
	espl_write_node(&export->writer, "", kind, op->name, made, inputs);
	if (op->kind == ESPL_OP_MAX_POOL || op->kind == ESPL_OP_AVERAGE_POOL)
		espl_export_window(export, op);
	if (op->kind == ESPL_OP_CONCAT || op->kind == ESPL_OP_SOFTMAX)
		espl_write_integer(&export->writer, "axis", 1);
	if (op->kind == ESPL_OP_AVERAGE_POOL && op->count_pads)
		espl_write_integer(&export->writer, "count_include_pad", 1);
	quantize(export, op, made, flat);
}

espl_status espl_export_qdq_op(espl_net_export *export, const espl_op *op)
{
	const bool flat = export->tensors[op->inputs[0]].view.is_flat;

	switch (op->kind) {
	case ESPL_OP_CONV:
	case ESPL_OP_DEPTHWISE:
	case ESPL_OP_DENSE:
		export_weighted(export, op);
		return ESPL_OK;
	case ESPL_OP_ADD:
		export_plain(export, op, "Add", flat);
		return ESPL_OK;
	case ESPL_OP_MAX_POOL:
		export_plain(export, op, "MaxPool", false);
		return ESPL_OK;
	case ESPL_OP_AVERAGE_POOL:
		export_plain(export, op, "AveragePool", false);
		return ESPL_OK;
	case ESPL_OP_MEAN:
		export_plain(export, op, "GlobalAveragePool", false);
		return ESPL_OK;
	case ESPL_OP_CONCAT:
		export_plain(export, op, "Concat", flat);
		return ESPL_OK;
	case ESPL_OP_SOFTMAX:
		export_plain(export, op, "Softmax", flat);
		return ESPL_OK;
	case ESPL_OP_LOGISTIC:
		export_plain(export, op, "Sigmoid", flat);
		return ESPL_OK;
	case ESPL_OP_PAD:
	case ESPL_OP_RESHAPE:
		return espl_export_exact_op(export, op); /* bytes that move */
	case ESPL_OP_COUNT:
		break;
	}
	return espl_fail(export->err, ESPL_UNSUPPORTED, "%s: %s has no ONNX form yet", op->name,
	                 espl_op_name(op->kind));
}
