/* The float graph as an ONNX model.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "export/export.h"

#include "export/view.h"

#include <math.h>
#include <string.h>

typedef struct {
	const espl_graph *graph;
	espl_arena *arena;
	espl_onnx_writer writer;
	espl_view *views; /* of the graph's values */
} graph_export;

static const char *view(graph_export *export, int value, bool flat)
{
	return espl_view_name(&export->writer, &export->views[value], flat);
}

static const char *make(graph_export *export, const espl_node *node, bool flat)
{
	return espl_view_make(&export->writer, &export->views[node->output], flat);
}

static bool is_flat(const graph_export *export, const espl_node *node)
{
	return export->views[node->inputs[0]].is_flat;
}

static const char *floats(graph_export *export, const espl_node *node, const char *what, int rank,
                          const int64_t *dims, const float *values)
{
	return espl_write_floats(&export->writer,
	                         espl_arena_format(export->arena, "%s/%s", node->name, what), rank,
	                         dims, values);
}

/* -- layers with weights ------------------------------------------------------- */

/* Weights in ONNX's order: [out][in][rows][columns]. */
static const float *weights_of(graph_export *export, const espl_node *node, int inputs, int rows,
                               int columns)
{
	const int outputs = export->graph->values[node->output].channels;
	float *out = ESPL_ARRAY(export->arena, float, espl_node_weights(export->graph, node));
	int64_t i = 0;

	for (int o = 0; o < outputs; o++)
		for (int c = 0; c < inputs; c++)
			for (int row = 0; row < rows; row++)
				for (int column = 0; column < columns; column++) {
					const int64_t cell = (int64_t)row * columns + column;

					out[i++] = node->weights[node->kind == ESPL_NODE_DEPTHWISE
					                                 ? cell * outputs + o
					                                 : ((int64_t)o * rows *
					                                            columns +
					                                    cell) * inputs +
					                                           c];
				}
	return out;
}

static void put_window(graph_export *export, const espl_node *node)
{
	espl_onnx_writer *w = &export->writer;

	espl_write_integers(w, "kernel_shape",
	                    (const int64_t[]){node->kernel_rows, node->kernel_columns}, 2);
	espl_write_integers(w, "strides",
	                    (const int64_t[]){node->stride_rows, node->stride_columns}, 2);
	espl_write_integers(
	        w, "pads",
	        (const int64_t[]){node->pad_top, node->pad_left, node->pad_bottom, node->pad_right},
	        4);
	if (node->dilation_rows != 1 || node->dilation_columns != 1)
		espl_write_integers(w, "dilations",
		                    (const int64_t[]){node->dilation_rows, node->dilation_columns},
		                    2);
}

static void export_weighted(graph_export *export, const espl_node *node)
{
	const espl_value *in = &export->graph->values[node->inputs[0]];
	const bool dense = node->kind == ESPL_NODE_DENSE;
	const bool depthwise = node->kind == ESPL_NODE_DEPTHWISE;
	const int rows = dense ? in->rows : node->kernel_rows;
	const int columns = dense ? in->columns : node->kernel_columns;
	const int inputs = depthwise ? 1 : dense ? in->channels : in->channels / node->groups;
	const int64_t outputs = export->graph->values[node->output].channels;
	const int64_t dims[4] = {outputs, dense ? espl_value_elements(in) : inputs, rows, columns};
	const char *x = view(export, node->inputs[0], dense);
	const char *weights = floats(export, node, "weights", dense ? 2 : 4, dims,
	                             weights_of(export, node, inputs, rows, columns));
	const char *bias =
	        node->bias ? floats(export, node, "bias", 1, &outputs, node->bias) : NULL;

	espl_write_node(&export->writer, "", dense ? "Gemm" : "Conv", node->name,
	                make(export, node, dense), (const char *const[]){x, weights, bias, NULL});
	if (dense) {
		espl_write_integer(&export->writer, "transB", 1);
		return;
	}
	put_window(export, node);
	espl_write_integer(&export->writer, "group", depthwise ? in->channels : node->groups);
}

static void export_batch_norm(graph_export *export, const espl_node *node)
{
	const int64_t channels = export->graph->values[node->output].channels;
	const bool flat = is_flat(export, node);
	const char *x = view(export, node->inputs[0], flat);
	const char *gain = floats(export, node, "gain", 1, &channels, node->gain);
	const char *offset = floats(export, node, "offset", 1, &channels, node->offset);
	const char *mean = floats(export, node, "mean", 1, &channels, node->mean);
	const char *variance = floats(export, node, "variance", 1, &channels, node->variance);

	espl_write_node(&export->writer, "", "BatchNormalization", node->name,
	                make(export, node, flat), ESPL_INPUTS(x, gain, offset, mean, variance));
	espl_write_real(&export->writer, "epsilon", node->epsilon);
}

/* -- the others ------------------------------------------------------------------ */

/* An operator that takes all inputs in one view and gives its output in it. */
static void export_plain(graph_export *export, const espl_node *node, const char *kind, bool flat)
{
	const char *inputs[ESPL_NODE_INPUTS + 1] = {NULL};

	for (int i = 0; i < node->input_count; i++)
		inputs[i] = view(export, node->inputs[i], flat);
	espl_write_node(&export->writer, "", kind, node->name, make(export, node, flat), inputs);
}

static void export_clip(graph_export *export, const espl_node *node)
{
	const bool flat = is_flat(export, node);
	const bool relu = node->low <= 0 && node->low >= 0 && isinf(node->high);
	const char *x = view(export, node->inputs[0], flat), *low = "", *high = "";

	if (!isinf(node->low) && !relu)
		low = floats(export, node, "low", 0, NULL, &node->low);
	if (!isinf(node->high) && !relu)
		high = floats(export, node, "high", 0, NULL, &node->high);
	if (relu)
		espl_write_node(&export->writer, "", "Relu", node->name, make(export, node, flat),
		                ESPL_INPUTS(x));
	else
		espl_write_node(&export->writer, "", "Clip", node->name, make(export, node, flat),
		                ESPL_INPUTS(x, low, high));
}

static void export_pad(graph_export *export, const espl_node *node)
{
	const int64_t count = 8;
	const char *x = view(export, node->inputs[0], false);
	const char *pads = espl_write_int64s(
	        &export->writer, espl_arena_format(export->arena, "%s/pads", node->name), 1, &count,
	        (const int64_t[]){0, 0, node->pad_top, node->pad_left, 0, 0, node->pad_bottom,
	                          node->pad_right});

	espl_write_node(&export->writer, "", "Pad", node->name, make(export, node, false),
	                ESPL_INPUTS(x, pads));
}

static void export_upsample(graph_export *export, const espl_node *node)
{
	const int64_t count = 4;
	const float factors[4] = {1, 1, (float)node->stride_rows, (float)node->stride_columns};
	const char *x = view(export, node->inputs[0], false);
	const char *scales = floats(export, node, "scales", 1, &count, factors);

	espl_write_node(&export->writer, "", "Resize", node->name, make(export, node, false),
	                ESPL_INPUTS(x, "", scales));
	espl_write_text(&export->writer, "mode", "nearest");
	espl_write_text(&export->writer, "coordinate_transformation_mode", "asymmetric");
	espl_write_text(&export->writer, "nearest_mode", "floor");
}

static espl_status export_node(graph_export *export, const espl_node *node, espl_error *err)
{
	const bool flat = is_flat(export, node);

	switch (node->kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
	case ESPL_NODE_DENSE:
		export_weighted(export, node);
		return ESPL_OK;
	case ESPL_NODE_BATCH_NORM:
		export_batch_norm(export, node);
		return ESPL_OK;
	case ESPL_NODE_CLIP:
		export_clip(export, node);
		return ESPL_OK;
	case ESPL_NODE_LEAKY:
		export_plain(export, node, "LeakyRelu", flat);
		espl_write_real(&export->writer, "alpha", node->slope);
		return ESPL_OK;
	case ESPL_NODE_SIGMOID:
		export_plain(export, node, "Sigmoid", flat);
		return ESPL_OK;
	case ESPL_NODE_TANH:
		export_plain(export, node, "Tanh", flat);
		return ESPL_OK;
	case ESPL_NODE_HARD_SIGMOID:
		export_plain(export, node, "HardSigmoid", flat);
		espl_write_real(&export->writer, "alpha", node->slope);
		espl_write_real(&export->writer, "beta", node->shift);
		return ESPL_OK;
	case ESPL_NODE_HARD_SWISH:
		export_plain(export, node, "HardSwish", flat);
		return ESPL_OK;
	case ESPL_NODE_ADD:
		export_plain(export, node, "Add", flat);
		return ESPL_OK;
	case ESPL_NODE_MULTIPLY:
		export_plain(export, node, "Mul", flat);
		return ESPL_OK;
	case ESPL_NODE_MAX_POOL:
	case ESPL_NODE_AVERAGE_POOL:
		export_plain(export, node,
		             node->kind == ESPL_NODE_MAX_POOL ? "MaxPool" : "AveragePool", false);
		put_window(export, node);
		if (node->count_pads)
			espl_write_integer(&export->writer, "count_include_pad", 1);
		return ESPL_OK;
	case ESPL_NODE_MEAN:
		export_plain(export, node, "GlobalAveragePool", false);
		return ESPL_OK;
	case ESPL_NODE_PAD:
		export_pad(export, node);
		return ESPL_OK;
	case ESPL_NODE_UPSAMPLE:
		export_upsample(export, node);
		return ESPL_OK;
	case ESPL_NODE_RESHAPE:
		espl_view_reshape(&export->writer, &export->views[node->inputs[0]],
		                  &export->views[node->output], node->name);
		return ESPL_OK;
	case ESPL_NODE_CONCAT:
	case ESPL_NODE_SOFTMAX:
		export_plain(export, node, node->kind == ESPL_NODE_CONCAT ? "Concat" : "Softmax",
		             flat);
		espl_write_integer(&export->writer, "axis", 1);
		return ESPL_OK;
	case ESPL_NODE_COUNT:
		break;
	}
	return espl_fail(err, ESPL_UNSUPPORTED, "%s: %s has no ONNX form yet", node->name,
	                 espl_node_name(node->kind));
}

espl_status espl_export_graph(const espl_graph *graph, const char *version, espl_arena *arena,
                              espl_span *model, espl_error *err)
{
	graph_export export = {.graph = graph,
	                       .arena = arena,
	                       .writer = espl_writer_in(arena, graph->name),
	                       .views = ESPL_ARRAY(arena, espl_view, graph->value_count)};
	int64_t dims[3];

	for (int i = 0; i < graph->value_count; i++) {
		const espl_value *of = &graph->values[i];

		espl_write_unique(&export.writer, of->name);
		export.views[i] = (espl_view){.name = of->name,
		                              .rows = of->rows,
		                              .columns = of->columns,
		                              .channels = of->channels,
		                              .type = ESPL_ELEMENT_FLOAT};
	}
	for (int i = 0; i < graph->input_count; i++) {
		espl_view *of = &export.views[graph->inputs[i]];

		of->is_flat = espl_view_one_cell(of);
		*(of->is_flat ? &of->flat : &of->spatial) = of->name;
		espl_write_input(&export.writer, of->name, ESPL_ELEMENT_FLOAT,
		                 espl_view_dims(of, of->is_flat, dims), dims);
	}
	for (int i = 0; i < graph->node_count; i++)
		ESPL_TRY(export_node(&export, &graph->nodes[i], err));
	for (int i = 0; i < graph->output_count; i++) {
		const espl_view *of = &export.views[graph->outputs[i]];

		espl_write_output(&export.writer, of->name, ESPL_ELEMENT_FLOAT,
		                  espl_view_dims(of, of->is_flat, dims), dims);
	}
	*model = espl_write_finish(&export.writer, version);
	return ESPL_OK;
}
