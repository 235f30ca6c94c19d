/* The float graph: what can be counted on it, and copies.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/graph.h"

#include <math.h>

static const char *const names[] = {
#define X(name, text) text,
        ESPL_NODE_LIST(X)
#undef X
};

const char *espl_node_name(espl_node_kind kind)
{
	if ((int)kind < 0 || kind >= ESPL_NODE_COUNT)
		return "unknown";
	return names[kind];
}

espl_node espl_node_default(espl_node_kind kind, const char *name)
{
	return (espl_node){
	        .kind = kind,
	        .name = name,
	        .kernel_rows = 1,
	        .kernel_columns = 1,
	        .stride_rows = 1,
	        .stride_columns = 1,
	        .dilation_rows = 1,
	        .dilation_columns = 1,
	        .groups = 1,
	        .depth_multiplier = 1,
	        .epsilon = 1e-5f,
	        .low = -INFINITY,
	        .high = INFINITY,
	};
}

/* a * b of numbers >= 0, at most INT64_MAX. */
static int64_t times(int64_t a, int64_t b)
{
	return b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

int espl_value_elements(const espl_value *value)
{
	const int64_t elements = times(times(value->rows, value->columns), value->channels);

	return elements > INT32_MAX ? INT32_MAX : (int)elements;
}

int espl_node_outputs(const espl_graph *graph, const espl_node *node)
{
	return graph->values[node->output].channels;
}

int64_t espl_node_weights(const espl_graph *graph, const espl_node *node)
{
	const int64_t cells = times(node->kernel_rows, node->kernel_columns);
	const espl_value *input, *output = &graph->values[node->output];

	if (node->input_count < 1)
		return 0;
	input = &graph->values[node->inputs[0]];
	switch (node->kind) {
	case ESPL_NODE_CONV:
		return times(times(cells, input->channels / (node->groups > 0 ? node->groups : 1)),
		             output->channels);
	case ESPL_NODE_DEPTHWISE:
		return times(cells, output->channels);
	case ESPL_NODE_DENSE:
		return times(espl_value_elements(input), output->channels);
	default:
		return 0;
	}
}

int espl_node_parameters(const espl_graph *graph, espl_node *node, espl_parameter *parameters)
{
	const int channels = espl_node_outputs(graph, node);

	switch (node->kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
	case ESPL_NODE_DENSE:
		parameters[0] =
		        (espl_parameter){"weights", &node->weights, espl_node_weights(graph, node)};
		parameters[1] = (espl_parameter){"bias", &node->bias, channels};
		parameters[2] = (espl_parameter){"weight_steps", &node->weight_steps, channels};
		return 3;
	case ESPL_NODE_BATCH_NORM:
		parameters[0] = (espl_parameter){"gain", &node->gain, channels};
		parameters[1] = (espl_parameter){"offset", &node->offset, channels};
		parameters[2] = (espl_parameter){"mean", &node->mean, channels};
		parameters[3] = (espl_parameter){"variance", &node->variance, channels};
		return 4;
	default:
		return 0;
	}
}

int64_t espl_graph_parameters(const espl_graph *graph)
{
	int64_t total = 0;

	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];

		total += espl_node_weights(graph, node);
		if (node->bias)
			total += espl_node_outputs(graph, node);
		if (node->kind == ESPL_NODE_BATCH_NORM)
			total += 2 * (int64_t)espl_node_outputs(graph, node);
	}
	return total;
}

int64_t espl_node_multiplications(const espl_graph *graph, const espl_node *node)
{
	const espl_value *output = &graph->values[node->output];

	/* Every weight is used once at every position of the output. */
	return times(espl_node_weights(graph, node), times(output->rows, output->columns));
}

int espl_weight_channel(const espl_graph *graph, const espl_node *node, int64_t i)
{
	const int channels = espl_node_outputs(graph, node);

	if (node->kind == ESPL_NODE_DEPTHWISE)
		return (int)(i % channels);
	return (int)(i / (espl_node_weights(graph, node) / channels));
}

static int32_t store(float value, float step, int32_t low, int32_t high)
{
	const float stored = floorf(value / step + 0.5f);

	return stored < (float)low ? low : stored > (float)high ? high : (int32_t)stored;
}

int32_t espl_store_value(const espl_quantizer *q, float value)
{
	return q->zero_point +
	       store(value, q->step, q->low - q->zero_point, q->high - q->zero_point);
}

int32_t espl_store_weight(float weight, float step, int bits)
{
	const int32_t most = (1 << (bits - 1)) - 1;

	return store(weight, step, -most, most);
}

float espl_stored_value(const espl_quantizer *q, int32_t stored)
{
	return q->step * (float)(stored - q->zero_point);
}

static int *copy_integers(espl_arena *arena, const int *from, int count)
{
	return espl_arena_copy(arena, from, (size_t)count * sizeof(*from));
}

static void copy_node(const espl_graph *graph, espl_node *node, espl_arena *arena)
{
	espl_parameter parameters[ESPL_NODE_PARAMETERS];
	const int count = espl_node_parameters(graph, node, parameters);

	node->name = espl_arena_string(arena, node->name);
	for (int i = 0; i < count; i++)
		if (*parameters[i].values)
			*parameters[i].values =
			        espl_arena_copy(arena, *parameters[i].values,
			                        (size_t)parameters[i].count * sizeof(float));
}

espl_graph *espl_graph_copy(const espl_graph *graph, espl_arena *arena)
{
	espl_graph *copy = espl_arena_copy(arena, graph, sizeof(*graph));

	copy->name = espl_arena_string(arena, graph->name);
	copy->inputs = copy_integers(arena, graph->inputs, graph->input_count);
	copy->outputs = copy_integers(arena, graph->outputs, graph->output_count);
	copy->values = espl_arena_copy(arena, graph->values,
	                               (size_t)graph->value_count * sizeof(*graph->values));
	for (int i = 0; i < copy->value_count; i++)
		copy->values[i].name = espl_arena_string(arena, graph->values[i].name);
	copy->nodes = espl_arena_copy(arena, graph->nodes,
	                              (size_t)graph->node_count * sizeof(*graph->nodes));
	for (int i = 0; i < copy->node_count; i++)
		copy_node(copy, &copy->nodes[i], arena);
	return copy;
}
