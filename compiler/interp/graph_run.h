/* Runs the float graph, in batches, forward and backward.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Quantizers take part: a quantized value or weight is rounded to its integers and back, as the
 * net will store it; backward lets gradients pass where nothing saturated (straight through).
 * The same graph, inputs and batch give the same bits, whatever the count of threads.
 */
#ifndef ESPL_INTERP_GRAPH_RUN_H
#define ESPL_INTERP_GRAPH_RUN_H

#include "ir/graph.h"

typedef struct espl_graph_run espl_graph_run; /* buffers for a batch, threads */

/* Borrows `graph`, whose parameters may change between runs; its structure may not, nor whether
 * a value, a weight or a bias is there or quantized (bits 0 or not).
 *   in     backward  whether gradients will be asked for
 *   range  batch 1..4096, threads 1..64
 *   fails  ESPL_NOMEM: the system gives no more threads */
espl_status espl_graph_run_create(const espl_graph *graph, int batch, int threads, bool backward,
                                  espl_graph_run **out, espl_error *err);
void espl_graph_run_destroy(espl_graph_run *run); /* NULL is allowed */

/* Inference of `count` <= batch samples: batch norms use their mean and variance.
 *   in    inputs[i]  the graph's i-th input, [sample][rows][columns][channels] */
void espl_graph_run_forward(espl_graph_run *run, const float *const *inputs, int count);

/* The same in training: batch norms use the mean and variance of these samples. */
void espl_graph_run_train(espl_graph_run *run, const float *const *inputs, int count);

/* The samples of any value of the last forward, quantized if the value is.
 *   out   data  [sample][rows][columns][channels] */
void espl_graph_run_read(const espl_graph_run *run, int value, float *data);

/* What a batch norm found in the last espl_graph_run_train: mean and unbiased variance of its
 * input, each [channels]. */
void espl_graph_run_statistics(const espl_graph_run *run, int node, float *mean, float *variance);

/* Backward from one value of the last forward, through batch norms as that forward ran them.
 *   in    gradient  of the loss by that value, [sample][rows][columns][channels]
 *   needs a run made with `backward` */
void espl_graph_run_backward(espl_graph_run *run, int value, const float *gradient);

/* Gradients of a node's parameters, summed over samples, in the parameters' layout; NULL where
 * the node has none. Those of a pruned weight are there like any other's.
 * weight_steps: the LSQ gradient, without its scale 1 / sqrt(count * largest):
 *   sum of gradient * (rounded - weight / step) where the weight does not saturate, else of
 *   gradient * +-largest; the gradient of a saturated weight itself is 0.
 *   from  Learned step size quantization, arXiv 1902.08153, equation 3 */
typedef struct {
	const float *weights, *bias, *weight_steps, *gain, *offset;
} espl_gradients;

espl_gradients espl_graph_run_gradients(const espl_graph_run *run, int node);

/* The LSQ gradient of a quantized value's step, likewise, with low - zero_point and high -
 * zero_point where it saturates; 0 of a value that is not quantized. */
float espl_graph_run_step_gradient(const espl_graph_run *run, int value);

/* The gradient by a value that lies on the way of the last backward (inputs: only where
 * quantized), past its quantizer, if it has one; zeros elsewhere.
 *   out   data  [sample][rows][columns][channels] */
void espl_graph_run_read_gradient(const espl_graph_run *run, int value, float *data);

#endif
