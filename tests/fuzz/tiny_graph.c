/* A small float graph with a node of every kind.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiny_graph.h"

#include "ir/graph_build.h"

#include <assert.h>
#include <math.h>
#include <string.h>

float tiny_random(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return (float)(*random >> 8) / (float)(1 << 23) - 1;
}

static espl_node node_of(espl_node_kind kind, int input, int second)
{
	espl_node node = espl_node_default(kind, NULL);

	node.inputs[0] = input;
	node.inputs[1] = second;
	node.input_count = second < 0 ? 1 : 2;
	return node;
}

static espl_node window(espl_node_kind kind, int input, int kernel, int stride, int pad)
{
	espl_node node = node_of(kind, input, -1);

	node.kernel_rows = node.kernel_columns = kernel;
	node.stride_rows = node.stride_columns = stride;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = pad;
	return node;
}

static int clip(espl_graph_builder *b, int input, float low, float high)
{
	espl_node node = node_of(ESPL_NODE_CLIP, input, -1);

	node.low = low;
	node.high = high;
	return espl_graph_add(b, node, 0, false);
}

static int batch_norm(espl_graph_builder *b, int input)
{
	return espl_graph_add_plain(b, ESPL_NODE_BATCH_NORM, input);
}

/* Kinds without a use in training. */
static int add_rest(espl_graph_builder *b, int value)
{
	espl_node leaky = node_of(ESPL_NODE_LEAKY, value, -1), hard, scale;
	const int pooled = espl_graph_add_plain(b, ESPL_NODE_MEAN, value);

	leaky.slope = 0.125f;
	value = espl_graph_add(b, leaky, 0, false);
	hard = node_of(ESPL_NODE_HARD_SIGMOID, pooled, -1);
	hard.slope = 0.2f;
	hard.shift = 0.5f;
	scale = node_of(ESPL_NODE_MULTIPLY, value, espl_graph_add(b, hard, 0, false));
	value = espl_graph_add(b, scale, 0, false);
	value = espl_graph_add_plain(b, ESPL_NODE_HARD_SWISH, value);
	value = espl_graph_add_plain(b, ESPL_NODE_TANH, value);
	return espl_graph_add_plain(b, ESPL_NODE_SIGMOID, value);
}

static int add_upsample(espl_graph_builder *b, int value)
{
	espl_node up = node_of(ESPL_NODE_UPSAMPLE, value, -1);

	up.stride_rows = 2;
	return espl_graph_add(b, up, 0, false);
}

static void fill(espl_graph *graph, uint32_t seed)
{
	uint32_t random = seed * 2654435761u | 1;

	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];
		espl_parameter parameters[ESPL_NODE_PARAMETERS];
		const int count = espl_node_parameters(graph, node, parameters);

		for (int p = 0; p < count; p++) {
			float *values = *parameters[p].values;
			const bool positive = values == node->gain || values == node->variance;

			for (int64_t j = 0; values && j < parameters[p].count; j++) {
				values[j] = tiny_random(&random);
				if (positive)
					values[j] = 0.5f + fabsf(values[j]);
			}
		}
	}
}

static void quantize(espl_graph *graph, espl_arena *arena)
{
	for (int i = 0; i < graph->value_count; i++)
		graph->values[i].quantizer = i % 3 == 2
		                                     ? (espl_quantizer){5, 0.125f, 0, 0, 31}
		                                     : (espl_quantizer){8, 0.03125f, -3, -128, 127};
	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];

		if (!node->weights)
			continue;
		node->weight_bits = i % 2 ? 4 : 8;
		node->weight_steps = ESPL_ARRAY(arena, float, espl_node_outputs(graph, node));
		for (int c = 0; c < espl_node_outputs(graph, node); c++)
			node->weight_steps[c] = (i % 2 ? 0.125f : 0.0078125f) * (float)(1 + c % 3);
	}
}

espl_graph *tiny_graph(espl_arena *arena, uint32_t seed, bool trainable, bool quantized)
{
	espl_graph_builder b = espl_graph_build(arena, "tiny");
	const int image = espl_graph_add_input(&b, "image", 6, 5, 3);
	const int vector = espl_graph_add_input(&b, "vector", 1, 1, 4);
	espl_node pad = node_of(ESPL_NODE_PAD, image, -1), node;
	int value, branch;

	pad.pad_top = 1;
	pad.pad_right = 2;
	value = espl_graph_add(&b, pad, 0, false); /* 7 x 7 x 3 */
	node = window(ESPL_NODE_CONV, value, 3, 1, 1);
	node.pad_left = 2;
	value = espl_graph_add(&b, node, 4, false); /* 7 x 8 x 4 */
	value = clip(&b, batch_norm(&b, value), 0, INFINITY);
	node = window(ESPL_NODE_DEPTHWISE, value, 3, 2, 1);
	node.depth_multiplier = 2;
	branch = batch_norm(&b, espl_graph_add(&b, node, 0, true)); /* 4 x 4 x 8 */
	node = window(ESPL_NODE_CONV, clip(&b, branch, 0, 1.5f), 1, 1, 0);
	node.groups = 2;
	value = espl_graph_add(&b, node, 6, true); /* 4 x 4 x 6 */
	node = window(ESPL_NODE_CONV, value, 3, 1, 2);
	node.dilation_rows = node.dilation_columns = 2;
	branch = espl_graph_add(&b, node, 6, true); /* 4 x 4 x 6 */
	value = espl_graph_add(&b, node_of(ESPL_NODE_ADD, value, branch), 0, false);
	branch = espl_graph_add(&b, window(ESPL_NODE_MAX_POOL, value, 3, 2, 1), 0, false);
	value = espl_graph_add(&b, window(ESPL_NODE_AVERAGE_POOL, value, 3, 2, 1), 0, false);
	node = node_of(ESPL_NODE_CONCAT, value, branch);
	value = espl_graph_add(&b, node, 0, false); /* 2 x 2 x 12 */
	node = window(ESPL_NODE_AVERAGE_POOL, value, 2, 1, 1);
	node.count_pads = true;
	value = espl_graph_add(&b, node, 0, false); /* 3 x 3 x 12 */
	branch = espl_graph_add_plain(&b, ESPL_NODE_MEAN, value);
	value = espl_graph_add(&b, node_of(ESPL_NODE_ADD, value, branch), 0, false);
	if (!trainable)
		value = add_rest(&b, add_upsample(&b, value));
	value = espl_graph_add_plain(&b, ESPL_NODE_RESHAPE, value);
	node = node_of(ESPL_NODE_CONCAT, value, vector);
	value = espl_graph_add(&b, node, 0, false);
	value = espl_graph_add(&b, node_of(ESPL_NODE_DENSE, value, -1), 5, true);
	if (!trainable)
		value = espl_graph_add_plain(&b, ESPL_NODE_SOFTMAX, value);
	espl_graph_add_output(&b, value);
	fill(b.graph, seed);
	if (quantized)
		quantize(b.graph, arena);
	assert(espl_graph_check(b.graph, NULL) == ESPL_OK);
	return b.graph;
}
