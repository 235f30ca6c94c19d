/* Graphs made node by node.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/graph_build.h"

#include <string.h>

espl_graph_builder espl_graph_build(espl_arena *arena, const char *name)
{
	espl_graph *graph = ESPL_NEW(arena, espl_graph);

	graph->name = espl_arena_string(arena, name);
	return (espl_graph_builder){.arena = arena, .graph = graph};
}

/* Makes room for one more of `count` entries of `size` bytes. */
static void *grow(espl_arena *arena, void *entries, int count, int *room, size_t size)
{
	void *larger;

	if (count < *room)
		return entries;
	*room = *room ? 2 * *room : 16;
	larger = espl_arena_calloc(arena, (size_t)*room, size);
	if (count)
		memcpy(larger, entries, (size_t)count * size);
	return larger;
}

static int add_value(espl_graph_builder *b, const char *name, int rows, int columns, int channels)
{
	espl_graph *graph = b->graph;

	graph->values = grow(b->arena, graph->values, graph->value_count, &b->value_room,
	                     sizeof(*graph->values));
	graph->values[graph->value_count] =
	        (espl_value){.name = name, .rows = rows, .columns = columns, .channels = channels};
	return graph->value_count++;
}

static int *append(espl_arena *arena, const int *list, int *count, int value)
{
	int *longer = ESPL_ARRAY(arena, int, *count + 1);

	if (*count)
		memcpy(longer, list, (size_t)*count * sizeof(*list));
	longer[(*count)++] = value;
	return longer;
}

int espl_graph_add_input(espl_graph_builder *b, const char *name, int rows, int columns,
                         int channels)
{
	const int value = add_value(b, espl_arena_string(b->arena, name), rows, columns, channels);

	b->graph->inputs = append(b->arena, b->graph->inputs, &b->graph->input_count, value);
	return value;
}

void espl_graph_add_output(espl_graph_builder *b, int value)
{
	b->graph->outputs = append(b->arena, b->graph->outputs, &b->graph->output_count, value);
}

static int side(int size, int kernel, int stride, int dilation, int before, int after)
{
	const int rest = size + before + after - dilation * (kernel - 1) - 1;

	return rest < 0 || stride < 1 ? 0 : rest / stride + 1;
}

/* The output's shape by the node's kind. */
static void find_shape(const espl_graph *graph, const espl_node *node, int wanted, int *rows,
                       int *columns, int *channels)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	*rows = input->rows;
	*columns = input->columns;
	*channels = input->channels;
	switch (node->kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
	case ESPL_NODE_MAX_POOL:
	case ESPL_NODE_AVERAGE_POOL:
		*rows = side(input->rows, node->kernel_rows, node->stride_rows, node->dilation_rows,
		             node->pad_top, node->pad_bottom);
		*columns = side(input->columns, node->kernel_columns, node->stride_columns,
		                node->dilation_columns, node->pad_left, node->pad_right);
		if (node->kind == ESPL_NODE_CONV)
			*channels = wanted;
		if (node->kind == ESPL_NODE_DEPTHWISE)
			*channels *= node->depth_multiplier;
		break;
	case ESPL_NODE_DENSE:
		*rows = *columns = 1;
		*channels = wanted;
		break;
	case ESPL_NODE_MEAN:
		*rows = *columns = 1;
		break;
	case ESPL_NODE_PAD:
		*rows += node->pad_top + node->pad_bottom;
		*columns += node->pad_left + node->pad_right;
		break;
	case ESPL_NODE_UPSAMPLE:
		*rows *= node->stride_rows;
		*columns *= node->stride_columns;
		break;
	case ESPL_NODE_RESHAPE:
		*channels = espl_value_elements(input);
		*rows = *columns = 1;
		break;
	case ESPL_NODE_CONCAT:
		for (int i = 1; i < node->input_count; i++)
			*channels += graph->values[node->inputs[i]].channels;
		break;
	default:
		break;
	}
}

static void allocate(espl_graph_builder *b, espl_node *node, bool bias)
{
	espl_parameter parameters[ESPL_NODE_PARAMETERS];
	const int count = espl_node_parameters(b->graph, node, parameters);

	for (int i = 0; i < count; i++) {
		float **values = parameters[i].values;

		if (*values || (values == &node->bias && !bias) || values == &node->weight_steps)
			continue;
		*values = ESPL_ARRAY(b->arena, float, parameters[i].count);
		if (values == &node->gain || values == &node->variance)
			for (int64_t j = 0; j < parameters[i].count; j++)
				(*values)[j] = 1;
	}
}

int espl_graph_add(espl_graph_builder *b, espl_node node, int channels, bool bias)
{
	espl_graph *graph = b->graph;
	int rows, columns;

	if (!node.name)
		node.name = espl_arena_format(b->arena, "%s_%d", espl_node_name(node.kind),
		                              graph->node_count);
	find_shape(graph, &node, channels, &rows, &columns, &channels);
	node.output = add_value(b, node.name, rows, columns, channels);
	allocate(b, &node, bias);
	graph->nodes = grow(b->arena, graph->nodes, graph->node_count, &b->node_room,
	                    sizeof(*graph->nodes));
	graph->nodes[graph->node_count++] = node;
	return node.output;
}

int espl_graph_add_plain(espl_graph_builder *b, espl_node_kind kind, int input)
{
	espl_node node = espl_node_default(kind, NULL);

	node.input_count = 1;
	node.inputs[0] = input;
	return espl_graph_add(b, node, 0, false);
}
