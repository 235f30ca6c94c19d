/* Steps of weights, per output channel.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/calibrate.h"

#include "compress/roles.h"
#include "ir/lowered.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A channel's weights. */
typedef struct {
	const float *weights;
	int count, bits;
	float greatest; /* of the magnitudes */
} channel;

static float step_for(const channel *c, double scale)
{
	return (float)(scale * (double)c->greatest / ((1 << (c->bits - 1)) - 1));
}

static double squared_error(const void *user, double scale)
{
	const channel *c = user;
	const float step = step_for(c, scale);
	double sum = 0;

	for (int i = 0; i < c->count; i++) {
		const double e =
		        (double)c->weights[i] -
		        (double)step * (double)espl_store_weight(c->weights[i], step, c->bits);

		sum += e * e;
	}
	return sum;
}

static int compare_magnitudes(const void *a, const void *b)
{
	const float x = fabsf(*(const float *)a), y = fabsf(*(const float *)b);

	return (x > y) - (x < y);
}

/* The magnitude that `percentile` of the weights do not exceed. Sorts a copy. */
static float magnitude(const channel *c, double percentile, espl_arena *scratch)
{
	float *sorted = espl_arena_copy(scratch, c->weights, (size_t)c->count * sizeof(*sorted));
	int rank = (int)ceil(percentile / 100 * c->count) - 1;

	qsort(sorted, (size_t)c->count, sizeof(*sorted), compare_magnitudes);
	rank = rank < 0 ? 0 : rank >= c->count ? c->count - 1 : rank;
	return fabsf(sorted[rank]);
}

static float choose(channel *c, const espl_quantize_options *options, espl_arena *scratch)
{
	const float all = c->greatest;

	switch (options->method) {
	case ESPL_RANGE_PERCENTILE:
		c->greatest = magnitude(c, options->percentile, scratch);
		if (!(c->greatest > 0)) /* most are pruned */
			c->greatest = all;
		return step_for(c, 1);
	case ESPL_RANGE_MSE:
		return step_for(c, espl_least_error(squared_error, c));
	default:
		return step_for(c, 1);
	}
}

static int bits_of(const espl_node *node, const espl_quantize_options *options)
{
	int bits = options->weight_bits;

	for (int i = 0; i < options->layer_count; i++)
		if (options->layers[i].weight_bits && !strcmp(options->layers[i].name, node->name))
			bits = options->layers[i].weight_bits;
	return bits;
}

/* Copies the weights of one output channel; returns how many. */
static int gather(const espl_graph *graph, const espl_node *node, int c, float *to)
{
	const int64_t count = espl_node_weights(graph, node);
	const int channels = espl_node_outputs(graph, node);
	const int64_t each = count / channels;

	for (int64_t i = 0; i < each; i++)
		to[i] = node->weights[node->kind == ESPL_NODE_DEPTHWISE ? i * channels + c
		                                                        : c * each + i];
	return (int)each;
}

void espl_calibrate_weights(espl_graph *graph, const espl_quantize_options *options,
                            espl_arena *arena)
{
	espl_arena *scratch = espl_arena_create();
	const espl_mark empty = espl_arena_mark(scratch);

	for (int n = 0; n < graph->node_count; n++) {
		espl_node *node = &graph->nodes[n];
		const int channels = espl_node_outputs(graph, node);

		if (!espl_has_weights(node->kind))
			continue;
		node->weight_bits = bits_of(node, options);
		node->weight_steps = ESPL_ARRAY(arena, float, channels);
		for (int c = 0; c < channels; c++) {
			const int64_t each = espl_node_weights(graph, node) / channels;
			float *weights = ESPL_ARRAY(scratch, float, each);
			channel one = {.weights = weights, .bits = node->weight_bits};

			one.count = gather(graph, node, c, weights);
			for (int i = 0; i < one.count; i++)
				one.greatest = fmaxf(one.greatest, fabsf(weights[i]));
			node->weight_steps[c] = one.greatest > 0x1p-60f
			                                ? choose(&one, options, scratch)
			                                : 1.0f; /* nothing to store */
			espl_arena_release(scratch, empty);
		}
	}
	espl_arena_destroy(scratch);
}

/* The greatest magnitude that a channel's sum with its bias reaches, in its own steps. */
static double reach(const espl_node *node, const float *weights, int count, int c,
                    const espl_quantizer *in)
{
	const double step = (double)node->weight_steps[c] * (double)in->step;
	double least = node->bias ? (double)node->bias[c] / step : 0, most = least;
	bool any = false;

	for (int i = 0; i < count; i++) {
		const int32_t w =
		        espl_store_weight(weights[i], node->weight_steps[c], node->weight_bits);
		const double a = (double)w * (in->low - in->zero_point);
		const double b = (double)w * (in->high - in->zero_point);

		any |= w != 0;
		least += fmin(0, fmin(a, b));
		most += fmax(0, fmax(a, b));
	}
	return any ? fmax(-least, most) : 0; /* a constant channel has no sum */
}

/* A channel whose weights are all 0 needs a step that its bias can be written in. */
static void limit_constant(espl_node *node, int c, const espl_quantizer *in)
{
	const float most = (1 << (ESPL_ACCUMULATOR_BITS - 2)) - 1;
	const float least = node->bias ? fabsf(node->bias[c]) / (in->step * most) : 0;

	if (node->weight_steps[c] < least)
		node->weight_steps[c] = least;
}

void espl_limit_sums(espl_graph *graph)
{
	const double most = (1 << (ESPL_ACCUMULATOR_BITS - 1)) - 1;
	espl_arena *scratch = espl_arena_create();
	const espl_mark empty = espl_arena_mark(scratch);

	for (int n = 0; n < graph->node_count; n++) {
		espl_node *node = &graph->nodes[n];
		const espl_quantizer *in = &graph->values[node->inputs[0]].quantizer;

		for (int c = 0; espl_has_weights(node->kind) && node->weight_bits && in->bits &&
		                c < espl_node_outputs(graph, node);
		     c++) {
			float *weights = ESPL_ARRAY(scratch, float, espl_node_weights(graph, node));
			const int count = gather(graph, node, c, weights);
			double sum;

			limit_constant(node, c, in);
			while ((sum = reach(node, weights, count, c, in)) > most)
				node->weight_steps[c] *= (float)(1.01 * sum / most);
			espl_arena_release(scratch, empty);
		}
	}
	espl_arena_destroy(scratch);
}
