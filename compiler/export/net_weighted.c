/* Convolutions and dense layers of a net in ONNX: QLinear operators, or integers throughout.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "export/net_export.h"
#include "math/float_scale.h"

/* -- weights ----------------------------------------------------------------- */

static int inputs_of(const espl_net_export *export, const espl_op *op)
{
	return op->kind == ESPL_OP_DEPTHWISE ? 1 : export->net->tensors[op->inputs[0]].channels;
}

/* The net's place of the weight that ONNX has at [o][c][row][column]. */
static int64_t place_of(const espl_net_export *export, const espl_op *op, int o, int c, int row,
                        int column)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const int outputs = export->net->tensors[op->output].channels;
	const int rows = op->kind == ESPL_OP_DENSE ? in->rows : op->kernel_rows;
	const int columns = op->kind == ESPL_OP_DENSE ? in->columns : op->kernel_columns;

	if (op->kind == ESPL_OP_DEPTHWISE)
		return ((int64_t)row * columns + column) * outputs + o;
	return (((int64_t)o * rows + row) * columns + column) * in->channels + c;
}

static const int8_t *weights_of(espl_net_export *export, const espl_op *op, bool transposed)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const int outputs = export->net->tensors[op->output].channels;
	const int rows = op->kind == ESPL_OP_DENSE ? in->rows : op->kernel_rows;
	const int columns = op->kind == ESPL_OP_DENSE ? in->columns : op->kernel_columns;
	const int inputs = inputs_of(export, op);
	const int64_t count = espl_op_weights(export->net, op), each = count / outputs;
	int8_t *weights = ESPL_ARRAY(export->arena, int8_t, count);

	for (int o = 0; o < outputs; o++) {
		int64_t i = 0;

		for (int c = 0; c < inputs; c++)
			for (int row = 0; row < rows; row++)
				for (int column = 0; column < columns; column++, i++)
					weights[transposed ? i * outputs + o : o * each + i] =
					        op->weights[place_of(export, op, o, c, row,
					                             column)];
	}
	return weights;
}

static int weight_dims(const espl_net_export *export, const espl_op *op, bool transposed,
                       int64_t dims[4])
{
	const int outputs = export->net->tensors[op->output].channels;

	dims[0] = outputs;
	if (op->kind == ESPL_OP_DENSE) {
		dims[1] = espl_tensor_elements(&export->net->tensors[op->inputs[0]]);
		if (transposed) {
			dims[0] = dims[1];
			dims[1] = outputs;
		}
		return 2;
	}
	dims[1] = inputs_of(export, op);
	dims[2] = op->kernel_rows;
	dims[3] = op->kernel_columns;
	return 4;
}

const char *espl_export_put_weights(espl_net_export *export, const espl_op *op, bool transposed)
{
	int64_t dims[4];
	const int rank = weight_dims(export, op, transposed, dims);

	return espl_write_int8s(&export->writer,
	                        espl_arena_format(export->arena, "%s/weights", op->name), rank,
	                        dims, weights_of(export, op, transposed));
}

/* -- scales ------------------------------------------------------------------ */

bool espl_export_weight_scales(espl_net_export *export, const espl_op *op, float *scales,
                               int *inexact)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const espl_tensor *out = &export->net->tensors[op->output];
	bool all = true;

	for (int c = 0; c < out->channels; c++) {
		espl_channel_step step = {.scale = op->scales[c],
		                          .rounding = export->net->rounding,
		                          .zero_point = out->zero_point,
		                          .low = op->low,
		                          .high = op->high};

		espl_op_reach(export->net, op, c, &step.least, &step.most);
		if (espl_float_scale_find(&step, (float)in->scale, (float)out->scale, &scales[c],
		                          &export->report->checked))
			continue;
		all = false;
		++*inexact;
		scales[c] = espl_float_scale_nearest(&step, (float)in->scale, (float)out->scale);
	}
	return all;
}

/* -- operators --------------------------------------------------------------- */

void espl_export_put_weight_scales(espl_net_export *export, const espl_op *op, const float *scales,
                                   const char **scale, const char **zero_point)
{
	const int64_t outputs = export->net->tensors[op->output].channels;
	const int8_t *zeros = ESPL_ARRAY(export->arena, int8_t, outputs);
	bool same = true;

	for (int64_t c = 1; c < outputs; c++)
		same = same && scales[c] <= scales[0] && scales[c] >= scales[0];
	*scale = espl_write_floats(&export->writer,
	                           espl_arena_format(export->arena, "%s/weights_scale", op->name),
	                           same ? 0 : 1, &outputs, scales);
	*zero_point = espl_write_int8s(
	        &export->writer,
	        espl_arena_format(export->arena, "%s/weights_zero_point", op->name), same ? 0 : 1,
	        &outputs, zeros);
}

static const char *put_bias(espl_net_export *export, const espl_op *op, bool flat)
{
	const int64_t outputs = export->net->tensors[op->output].channels;
	const int64_t dims[3] = {outputs, 1, 1};

	return espl_write_int32s(&export->writer,
	                         espl_arena_format(export->arena, "%s/bias", op->name),
	                         flat ? 1 : 3, dims, op->bias);
}

void espl_export_put_group(espl_net_export *export, const espl_op *op)
{
	if (op->kind == ESPL_OP_DEPTHWISE)
		espl_write_integer(&export->writer, "group",
		                   export->net->tensors[op->inputs[0]].channels);
}

static void export_linear(espl_net_export *export, const espl_op *op, const float *scales)
{
	const bool dense = op->kind == ESPL_OP_DENSE;
	const char *in = espl_export_view(export, op->inputs[0], dense);
	const char *output = espl_export_make(export, op->output, dense);
	const char *made = espl_export_bounded(export, op, output);
	const char *weights = espl_export_put_weights(export, op, false),
	           *bias = put_bias(export, op, true);
	const char *in_scale = espl_export_scale(export, op->inputs[0]);
	const char *in_zero = espl_export_zero_point(export, op->inputs[0]);
	const char *out_scale = espl_export_scale(export, op->output);
	const char *out_zero = espl_export_zero_point(export, op->output);
	const char *scale, *zero;

	espl_export_put_weight_scales(export, op, scales, &scale, &zero);
	if (dense) {
		espl_write_node(&export->writer, ESPL_DOMAIN_MICROSOFT, "QGemm", op->name, made,
		                ESPL_INPUTS(in, in_scale, in_zero, weights, scale, zero, bias,
		                            out_scale, out_zero));
		espl_write_integer(&export->writer, "transB", 1);
	} else {
		espl_write_node(&export->writer, "", "QLinearConv", op->name, made,
		                ESPL_INPUTS(in, in_scale, in_zero, weights, scale, zero, out_scale,
		                            out_zero, bias));
		espl_export_window(export, op);
		espl_export_put_group(export, op);
	}
	espl_export_bound(export, op, made, output);
}

static void export_integer(espl_net_export *export, const espl_op *op)
{
	espl_onnx_writer *w = &export->writer;
	const bool dense = op->kind == ESPL_OP_DENSE;
	const int outputs = export->net->tensors[op->output].channels;
	const char *in = espl_export_view(export, op->inputs[0], dense);
	const char *weights = espl_export_put_weights(export, op, dense);
	const char *zero = espl_export_zero_point(export, op->inputs[0]);
	const char *products = espl_export_part(export, op, "products");
	const char *sums = espl_export_part(export, op, "sums");

	espl_write_node(w, "", dense ? "MatMulInteger" : "ConvInteger",
	                espl_export_part(export, op, "multiply"), products,
	                ESPL_INPUTS(in, weights, zero));
	if (!dense) {
		espl_export_window(export, op);
		espl_export_put_group(export, op);
	}
	espl_write_node(w, "", "Add", espl_export_part(export, op, "add_bias"), sums,
	                ESPL_INPUTS(products, put_bias(export, op, dense)));
	espl_export_requantize(export, op, sums, op->scales, outputs, dense);
}

void espl_export_weighted(espl_net_export *export, const espl_op *op)
{
	float *scales = ESPL_ARRAY(export->arena, float, export->net->tensors[op->output].channels);
	int inexact = 0;

	if (espl_export_weight_scales(export, op, scales, &inexact)) {
		export->report->linear++;
		export_linear(export, op, scales);
	} else {
		export->report->integer++;
		export_integer(export, op);
	}
}
