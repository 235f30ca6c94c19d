/* Regrowth: pruned weights whose gradients say that they are missed come back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/cells.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
	float size;
	int index;
} ranked;

/* One weight goes, another of its cell comes. */
typedef struct {
	float gradient;
	int order, out, in;
} swap;

static int least_first(const void *a, const void *b)
{
	const ranked *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int greatest_first(const void *a, const void *b)
{
	const ranked *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static int by_gradient(const void *a, const void *b)
{
	const swap *x = a, *y = b;

	if (x->gradient != y->gradient)
		return x->gradient < y->gradient ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The cell's swaps: its least weight for its greatest gradient, the next for the next. */
static int list_swaps(const espl_cells *cells, int cell, const float *weights,
                      const float *gradients, espl_arena *arena, swap *out)
{
	const int first = cells->first[cell], size = cells->first[cell + 1] - first;
	ranked *active = ESPL_ARRAY(arena, ranked, size), *rest = ESPL_ARRAY(arena, ranked, size);
	int active_count = 0, rest_count = 0, count = 0;

	for (int i = 0; i < size; i++) {
		const int w = cells->index[first + i];

		if (weights[w] != 0)
			active[active_count++] = (ranked){fabsf(weights[w]), w};
		else
			rest[rest_count++] = (ranked){fabsf(gradients[w]), w};
	}
	qsort(active, (size_t)active_count, sizeof(*active), least_first);
	qsort(rest, (size_t)rest_count, sizeof(*rest), greatest_first);
	for (; count < active_count && count < rest_count && rest[count].size > 0; count++)
		out[count] = (swap){rest[count].size, first + count, active[count].index,
		                    rest[count].index};
	return count;
}

static void regrow_layer(const espl_graph *graph, espl_node *node, const espl_pattern *pattern,
                         const float *gradients, double share, float rate, espl_arena *arena)
{
	const espl_cells cells = espl_cells_of(graph, node, pattern, arena);
	const int64_t weights = espl_node_weights(graph, node);
	const int64_t active = weights - espl_node_zeros(graph, node);
	swap *swaps = ESPL_ARRAY(arena, swap, weights);
	int64_t moved = llround(share * (double)active);
	int count = 0;

	for (int c = 0; c < cells.count; c++)
		count += list_swaps(&cells, c, node->weights, gradients, arena, swaps + count);
	qsort(swaps, (size_t)count, sizeof(*swaps), by_gradient);
	moved = moved < count ? moved : count;
	for (int64_t i = 0; i < moved; i++) {
		const float grown = -rate * gradients[swaps[i].in];

		if (grown == 0)
			continue;
		node->weights[swaps[i].out] = 0;
		node->weights[swaps[i].in] = grown;
	}
}

espl_status espl_regrow(espl_graph *graph, const espl_pattern *pattern,
                        const float *const *gradients, double share, float rate, espl_error *err)
{
	espl_arena *arena;

	if (pattern->kind == ESPL_PATTERN_BLOCKS || pattern->kind == ESPL_PATTERN_CHANNELS)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "blocks and channels do not grow back weight by weight");
	if (!(share >= 0 && share <= 1) || !(rate > 0) || !isfinite(rate))
		return espl_fail(err, ESPL_RANGE,
		                 "regrowth of %g at rate %g: a share of 0 to 1 and a rate above 0 "
		                 "are possible",
		                 share, (double)rate);
	arena = espl_arena_create();
	for (int n = 0; n < graph->node_count; n++) {
		const espl_mark before = espl_arena_mark(arena);

		if (espl_is_weighted(&graph->nodes[n]) && gradients[n])
			regrow_layer(graph, &graph->nodes[n], pattern, gradients[n], share, rate,
			             arena);
		espl_arena_release(arena, before);
	}
	espl_arena_destroy(arena);
	return ESPL_OK;
}
