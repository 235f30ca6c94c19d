/* Batch norms become part of the weights before them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A batch norm multiplies each channel by a constant and adds one. After a
 * convolution or a dense layer that nobody else reads, both go into its weights
 * and bias; elsewhere the batch norm becomes a depthwise convolution of 1 x 1.
 */
#include "compress/quantize.h"

#include "compress/roles.h"

#include <math.h>
#include <string.h>

/* What a batch norm does to a channel: x * factor + shift. */
static void line_of(const espl_node *norm, int channel, float *factor, float *shift)
{
	const double f =
	        norm->gain[channel] / sqrt((double)norm->variance[channel] + norm->epsilon);

	*factor = (float)f;
	*shift = (float)(norm->offset[channel] - norm->mean[channel] * f);
}

/* Weights on their grid, so that multiplying weight and step alike keeps the integer. */
static void snap(const espl_graph *graph, espl_node *node)
{
	for (int64_t i = 0; i < espl_node_weights(graph, node); i++) {
		const float step = node->weight_steps[espl_weight_channel(graph, node, i)];

		node->weights[i] =
		        step * (float)espl_store_weight(node->weights[i], step, node->weight_bits);
	}
}

static void fold(const espl_graph *graph, espl_node *node, const espl_node *norm, espl_arena *arena)
{
	const int channels = espl_node_outputs(graph, node);
	float *factors = ESPL_ARRAY(arena, float, channels);

	if (!node->bias)
		node->bias = ESPL_ARRAY(arena, float, channels);
	if (node->weight_bits)
		snap(graph, node);
	for (int c = 0; c < channels; c++) {
		float shift, step;

		line_of(norm, c, &factors[c], &shift);
		node->bias[c] = node->bias[c] * factors[c] + shift;
		if (!node->weight_bits)
			continue;
		step = node->weight_steps[c] * fabsf(factors[c]);
		if (step >= 0x1p-100f)
			node->weight_steps[c] = step;
		else
			factors[c] = 0; /* as good as nothing, and no step for it */
	}
	for (int64_t i = 0; i < espl_node_weights(graph, node); i++)
		node->weights[i] *= factors[espl_weight_channel(graph, node, i)];
}

static void replace(const espl_graph *graph, espl_node *node, espl_arena *arena)
{
	const int channels = espl_node_outputs(graph, node);
	espl_node depthwise = espl_node_default(ESPL_NODE_DEPTHWISE, node->name);

	depthwise.input_count = 1;
	depthwise.inputs[0] = node->inputs[0];
	depthwise.output = node->output;
	depthwise.weights = ESPL_ARRAY(arena, float, channels);
	depthwise.bias = ESPL_ARRAY(arena, float, channels);
	for (int c = 0; c < channels; c++)
		line_of(node, c, &depthwise.weights[c], &depthwise.bias[c]);
	*node = depthwise;
}

/* Drops nodes, and values that are nobody's any more. */
static void compact(espl_graph *graph, const bool *dropped, espl_arena *arena)
{
	int *renamed = ESPL_ARRAY(arena, int, graph->value_count);
	bool *made = ESPL_ARRAY(arena, bool, graph->value_count);
	int count = 0;

	for (int i = 0; i < graph->input_count; i++)
		made[graph->inputs[i]] = true;
	for (int n = 0; n < graph->node_count; n++)
		if (!dropped[n])
			made[graph->nodes[n].output] = true;
	for (int v = 0; v < graph->value_count; v++) {
		renamed[v] = count;
		if (made[v])
			graph->values[count++] = graph->values[v];
	}
	graph->value_count = count;
	count = 0;
	for (int n = 0; n < graph->node_count; n++) {
		espl_node node = graph->nodes[n];

		if (dropped[n])
			continue;
		for (int i = 0; i < node.input_count; i++)
			node.inputs[i] = renamed[node.inputs[i]];
		node.output = renamed[node.output];
		graph->nodes[count++] = node;
	}
	graph->node_count = count;
	for (int i = 0; i < graph->input_count; i++)
		graph->inputs[i] = renamed[graph->inputs[i]];
	for (int i = 0; i < graph->output_count; i++)
		graph->outputs[i] = renamed[graph->outputs[i]];
}

espl_graph *espl_fold(const espl_graph *source, bool only_alone, espl_arena *arena)
{
	espl_graph *graph = espl_graph_copy(source, arena);
	const espl_roles roles = espl_find_roles(source, arena);
	bool *dropped = ESPL_ARRAY(arena, bool, graph->node_count);

	for (int n = 0; n < graph->node_count; n++) {
		espl_node *node = &graph->nodes[n];
		int first;

		if (node->kind != ESPL_NODE_BATCH_NORM)
			continue;
		if (!roles.takes[n]) {
			replace(graph, node, arena);
			continue;
		}
		if (only_alone)
			continue;
		/* the one with the weights: a batch norm before this one is folded already */
		first = roles.maker[node->inputs[0]];
		while (source->nodes[first].kind == ESPL_NODE_BATCH_NORM)
			first = roles.maker[source->nodes[first].inputs[0]];
		fold(graph, &graph->nodes[first], node, arena);
		graph->nodes[first].output = node->output;
		dropped[n] = true;
	}
	compact(graph, dropped, arena);
	return graph;
}
