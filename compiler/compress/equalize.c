/* Channels between two layers scaled so that both have the same range.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A channel that is scaled down by the layer that makes it and up by the layer
 * that reads it is the same function, as long as nothing but scales, sums and a
 * cut at 0 lies between. The best scale makes the greatest weights of both equal.
 */
#include "compress/calibrate.h"

#include "compress/roles.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 20 };

/* Whether a node commutes with scaling a channel by a positive factor. */
static bool keeps_scale(const espl_node *node)
{
	switch (node->kind) {
	case ESPL_NODE_CLIP:
		return (node->low == 0 || isinf(node->low)) && isinf(node->high);
	case ESPL_NODE_LEAKY:
	case ESPL_NODE_MAX_POOL:
	case ESPL_NODE_AVERAGE_POOL:
	case ESPL_NODE_MEAN:
	case ESPL_NODE_PAD:
	case ESPL_NODE_RESHAPE:
		return true;
	default:
		return false;
	}
}

static int only_reader(const espl_graph *graph, const espl_roles *roles, int value)
{
	if (roles->reader_count[value] != 1)
		return -1;
	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			if (graph->nodes[n].inputs[i] == value)
				return n;
	return -1;
}

/* The layer that alone reads what layer `n` makes, or -1. */
static int find_next(const espl_graph *graph, const espl_roles *roles, int n)
{
	do
		n = only_reader(graph, roles, graph->nodes[n].output);
	while (n >= 0 && keeps_scale(&graph->nodes[n]));
	return n >= 0 && espl_has_weights(graph->nodes[n].kind) ? n : -1;
}

/* The channel of the layer's input that its i-th weight multiplies. */
static int input_channel(const espl_graph *graph, const espl_node *node, int64_t i)
{
	const int in = graph->values[node->inputs[0]].channels;
	const int out = espl_node_outputs(graph, node);
	int depth, channel;

	switch (node->kind) {
	case ESPL_NODE_CONV:
		depth = in / node->groups;
		channel = espl_weight_channel(graph, node, i);
		return channel / (out / node->groups) * depth + (int)(i % depth);
	case ESPL_NODE_DEPTHWISE:
		return (int)(i % out) / node->depth_multiplier;
	default:
		return (int)(i % in);
	}
}

/* Scales the channels between two layers; returns how far from 1 the furthest factor was. */
static float balance(espl_graph *graph, espl_node *a, espl_node *b, espl_arena *scratch)
{
	const int channels = espl_node_outputs(graph, a);
	const int64_t a_count = espl_node_weights(graph, a), b_count = espl_node_weights(graph, b);
	float *made = ESPL_ARRAY(scratch, float, channels);
	float *read = ESPL_ARRAY(scratch, float, channels);
	float furthest = 0;

	for (int64_t i = 0; i < a_count; i++) {
		float *greatest = &made[espl_weight_channel(graph, a, i)];

		*greatest = fmaxf(*greatest, fabsf(a->weights[i]));
	}
	for (int64_t i = 0; i < b_count; i++) {
		float *greatest = &read[input_channel(graph, b, i) % channels];

		*greatest = fmaxf(*greatest, fabsf(b->weights[i]));
	}
	for (int c = 0; c < channels; c++) {
		if (made[c] > 0 && read[c] > 0)
			made[c] = sqrtf(made[c] / read[c]); /* the factor from now on */
		else
			made[c] = 1;
		furthest = fmaxf(furthest, fabsf(made[c] - 1));
		if (a->bias)
			a->bias[c] /= made[c];
	}
	for (int64_t i = 0; i < a_count; i++)
		a->weights[i] /= made[espl_weight_channel(graph, a, i)];
	for (int64_t i = 0; i < b_count; i++)
		b->weights[i] *= made[input_channel(graph, b, i) % channels];
	return furthest;
}

void espl_equalize(espl_graph *graph)
{
	espl_arena *scratch = espl_arena_create();
	const espl_roles roles = espl_find_roles(graph, scratch);
	const espl_mark empty = espl_arena_mark(scratch);

	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		float furthest = 0;

		for (int n = 0; n < graph->node_count; n++) {
			const int next = espl_has_weights(graph->nodes[n].kind)
			                         ? find_next(graph, &roles, n)
			                         : -1;

			if (next >= 0)
				furthest = fmaxf(furthest, balance(graph, &graph->nodes[n],
				                                   &graph->nodes[next], scratch));
			espl_arena_release(scratch, empty);
		}
		if (furthest < 1e-3f)
			break;
	}
	espl_arena_destroy(scratch);
}
