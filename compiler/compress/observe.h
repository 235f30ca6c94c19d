/* Samples sent through a graph, and what its values are then.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_OBSERVE_H
#define ESPL_COMPRESS_OBSERVE_H

#include "data/data.h"
#include "ir/graph.h"

enum { ESPL_OBSERVE_BATCH = 32 };

/* `count` different samples, drawn by the seed; all of them when there are no more.
 *   out  floats, [sample][rows][columns][channels], in `arena`; *count what it became */
const float *espl_draw_samples(const espl_samples *samples, int *count, uint32_t seed,
                               espl_arena *arena);

/* Is called with the samples of one value, a batch at a time.
 *   in  data  [count samples][rows][columns][channels] */
typedef void espl_observer(void *user, int value, int count, const float *data);

/* Runs samples forward; after each batch the observer sees every wanted value, in order.
 *   in     inputs  [count], of the graph's one input
 *          wanted  [value]
 *   fails  ESPL_UNSUPPORTED: the graph has several inputs */
espl_status espl_observe(const espl_graph *graph, const float *inputs, int count, int threads,
                         const bool *wanted, espl_observer *observer, void *user, espl_error *err);

/* What espl_sum_values adds up, in doubles: each channel of the values that it sees. */
typedef struct {
	const espl_graph *graph;
	double **sums; /* [value][channel]; only the wanted values' are touched */
} espl_value_sums;
espl_observer espl_sum_values;

#endif
