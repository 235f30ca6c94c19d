/* The graph as JSON: docs/graph.md.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/base64.h"
#include "base/json.h"
#include "ir/graph.h"

#include <math.h>
#include <string.h>

enum { FORMAT = 1 };

static bool has_window(espl_node_kind kind)
{
	return kind == ESPL_NODE_CONV || kind == ESPL_NODE_DEPTHWISE ||
	       kind == ESPL_NODE_MAX_POOL || kind == ESPL_NODE_AVERAGE_POOL;
}

/* Puts floats as little-endian bytes, in base64. */
static void print_floats(espl_json_writer *writer, espl_arena *arena, const char *key,
                         const float *values, int64_t count)
{
	unsigned char *bytes = espl_arena_calloc(arena, (size_t)count, 4);

	for (int64_t i = 0; i < count; i++) {
		uint32_t word;

		memcpy(&word, &values[i], sizeof(word));
		for (int j = 0; j < 4; j++)
			bytes[4 * i + j] = (unsigned char)(word >> 8 * j);
	}
	espl_json_put_string(writer, key, espl_base64_encode(bytes, (size_t)count * 4, arena));
}

static void print_window(espl_json_writer *writer, const espl_node *node)
{
	const int64_t kernel[] = {node->kernel_rows, node->kernel_columns};
	const int64_t strides[] = {node->stride_rows, node->stride_columns};
	const int64_t dilations[] = {node->dilation_rows, node->dilation_columns};

	espl_json_put_integers(writer, "kernel", kernel, 2);
	espl_json_put_integers(writer, "strides", strides, 2);
	espl_json_put_integers(writer, "dilations", dilations, 2);
}

static void print_pads(espl_json_writer *writer, const espl_node *node)
{
	const int64_t pads[] = {node->pad_top, node->pad_bottom, node->pad_left, node->pad_right};

	espl_json_put_integers(writer, "pads", pads, 4);
}

static void print_list(espl_json_writer *writer, espl_arena *arena, const char *key,
                       const int *values, int count)
{
	int64_t *wide = ESPL_ARRAY(arena, int64_t, count);

	for (int i = 0; i < count; i++)
		wide[i] = values[i];
	espl_json_put_integers(writer, key, wide, count);
}

/* Puts what only nodes of this kind have, besides their arrays. */
static void print_rest(espl_json_writer *writer, const espl_node *node)
{
	const int64_t factors[] = {node->stride_rows, node->stride_columns};

	switch (node->kind) {
	case ESPL_NODE_CONV:
		espl_json_put_integer(writer, "groups", node->groups);
		break;
	case ESPL_NODE_DEPTHWISE:
		espl_json_put_integer(writer, "depth_multiplier", node->depth_multiplier);
		break;
	case ESPL_NODE_AVERAGE_POOL:
		espl_json_put_bool(writer, "count_pads", node->count_pads);
		break;
	case ESPL_NODE_BATCH_NORM:
		espl_json_put_number(writer, "epsilon", (double)node->epsilon);
		break;
	case ESPL_NODE_CLIP:
		if (isfinite(node->low))
			espl_json_put_number(writer, "low", (double)node->low);
		if (isfinite(node->high))
			espl_json_put_number(writer, "high", (double)node->high);
		break;
	case ESPL_NODE_LEAKY:
	case ESPL_NODE_HARD_SIGMOID:
		espl_json_put_number(writer, "slope", (double)node->slope);
		if (node->kind == ESPL_NODE_HARD_SIGMOID)
			espl_json_put_number(writer, "shift", (double)node->shift);
		break;
	case ESPL_NODE_PAD:
		print_pads(writer, node);
		break;
	case ESPL_NODE_UPSAMPLE:
		espl_json_put_integers(writer, "factors", factors, 2);
		break;
	default:
		break;
	}
}

static void print_node(espl_json_writer *writer, espl_arena *arena, const espl_graph *graph,
                       const espl_node *node)
{
	espl_parameter parameters[ESPL_NODE_PARAMETERS];
	espl_node copy = *node;
	const int count = espl_node_parameters(graph, &copy, parameters);

	espl_json_open(writer, NULL, '{');
	espl_json_put_string(writer, "kind", espl_node_name(node->kind));
	espl_json_put_string(writer, "name", node->name);
	print_list(writer, arena, "inputs", node->inputs, node->input_count);
	espl_json_put_integer(writer, "output", node->output);
	if (has_window(node->kind)) {
		print_window(writer, node);
		print_pads(writer, node);
	}
	print_rest(writer, node);
	if (node->weight_bits)
		espl_json_put_integer(writer, "weight_bits", node->weight_bits);
	for (int i = 0; i < count; i++)
		if (*parameters[i].values)
			print_floats(writer, arena, parameters[i].name, *parameters[i].values,
			             parameters[i].count);
	espl_json_close(writer);
}

static void print_value(espl_json_writer *writer, const espl_value *value)
{
	const int64_t shape[] = {value->rows, value->columns, value->channels};
	const espl_quantizer *quantizer = &value->quantizer;

	espl_json_open(writer, NULL, '{');
	espl_json_put_string(writer, "name", value->name);
	espl_json_put_integers(writer, "shape", shape, 3);
	if (quantizer->bits) {
		espl_json_put_integer(writer, "bits", quantizer->bits);
		espl_json_put_number(writer, "step", (double)quantizer->step);
		espl_json_put_integer(writer, "zero_point", quantizer->zero_point);
		espl_json_put_integer(writer, "low", quantizer->low);
		espl_json_put_integer(writer, "high", quantizer->high);
	}
	espl_json_close(writer);
}

espl_status espl_graph_print(const espl_graph *graph, espl_arena *arena, const char **text,
                             size_t *size, espl_error *err)
{
	espl_json_writer *writer;
	espl_arena *scratch;
	const char *whole;
	size_t length;

	ESPL_TRY(espl_graph_check(graph, err));
	scratch = espl_arena_create();
	writer = espl_json_writer_create(scratch);
	espl_json_open(writer, NULL, '{');
	espl_json_put_integer(writer, "graph_format", FORMAT);
	espl_json_put_string(writer, "name", graph->name);
	print_list(writer, scratch, "inputs", graph->inputs, graph->input_count);
	print_list(writer, scratch, "outputs", graph->outputs, graph->output_count);
	espl_json_open(writer, "values", '[');
	for (int i = 0; i < graph->value_count; i++)
		print_value(writer, &graph->values[i]);
	espl_json_close(writer);
	espl_json_open(writer, "nodes", '[');
	for (int i = 0; i < graph->node_count; i++)
		print_node(writer, scratch, graph, &graph->nodes[i]);
	espl_json_close(writer);
	espl_json_close(writer);
	whole = espl_json_text(writer, &length);
	*text = espl_arena_copy(arena, whole, length + 1);
	*size = length;
	espl_arena_destroy(scratch);
	return ESPL_OK;
}
