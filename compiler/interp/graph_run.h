/* Runs the float graph, in batches, forward and backward.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Quantizers take part: a quantized value or weight is rounded to its integers and back, as the
 * net will store it; backward lets gradients pass where nothing saturated (straight through).
 */
#ifndef ESPL_INTERP_GRAPH_RUN_H
#define ESPL_INTERP_GRAPH_RUN_H

#include "ir/graph.h"

typedef struct espl_graph_run espl_graph_run; /* buffers for a batch, threads */

/* Borrows `graph`, whose parameters may change between runs; its structure may not.
 *   range  batch 1..4096, threads 1..64
 *   fails  ESPL_UNSUPPORTED: an operator has no gradient and `backward` is wanted */
espl_status espl_graph_run_create(const espl_graph *graph, int batch, int threads, bool backward,
                                  espl_graph_run **out, espl_error *err);
void espl_graph_run_destroy(espl_graph_run *run); /* NULL is allowed */

/* Inference of `count` <= batch samples: batch norms use their mean and variance.
 *   in    inputs[i]  the graph's i-th input, [sample][rows][columns][channels] */
void espl_graph_run_forward(espl_graph_run *run, const float *const *inputs, int count);

/* The samples of any value of the last forward.
 *   out   data  [sample][rows][columns][channels] */
void espl_graph_run_read(const espl_graph_run *run, int value, float *data);

#endif
