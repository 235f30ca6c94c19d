/* The steps of a quantization, private to compress/.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_CALIBRATE_H
#define ESPL_COMPRESS_CALIBRATE_H

#include "compress/quantize.h"

/* The scale in 0..1 by which a range is cut so that `error(user, scale)` is least, on a grid. */
double espl_least_error(double (*error)(const void *user, double scale), const void *user);

/* calibrate.c: steps of all stored values, from what they are on the samples.
 *   in  inputs  [count], of the graph's one input
 *       bytes   the inputs are bytes / 255, which 8 bits hold exactly */
espl_status espl_calibrate_values(espl_graph *graph, const float *inputs, int count, bool bytes,
                                  const espl_quantize_options *options, espl_error *err);

/* weight_steps.c: steps of all weights, per output channel. */
void espl_calibrate_weights(espl_graph *graph, const espl_quantize_options *options,
                            espl_arena *arena);
/* Makes weight steps so much greater that every sum with its bias fits the accumulator. */
void espl_limit_sums(espl_graph *graph);

/* equalize.c: of a graph without batch norms; its function stays.
 *   from  Nagel et al. 2019 (arXiv 1906.04721) */
void espl_equalize(espl_graph *graph);

/* correct.c: of every layer with weights, front to back; a batch norm's mean takes it where one
 * follows. */
espl_status espl_correct_biases(const espl_graph *original, espl_graph *graph, const float *inputs,
                                int count, int threads, espl_arena *arena, espl_error *err);

/* round_biases.c: makes biases multiples of the steps of the sums that they are added to, as in the
 * net, layer after layer: each up or down, whichever keeps the mean of what is stored. */
espl_status espl_round_biases(espl_graph *graph, const float *inputs, int count, int threads,
                              espl_error *err);

/* gptq.c: weights moved to multiples of their steps, front to back. A weight that becomes 0
 * without being pruned stays a little off it, so that it is not pruned now.
 *   from  Frantar et al. 2023 (arXiv 2210.17323) */
espl_status espl_gptq(espl_graph *graph, const float *inputs, int count, int threads,
                      espl_error *err);
/* One layer's weights [rows][columns], given the second moments of what they are multiplied with.
 *   in  moments  [columns][columns], sums of products; spoilt
 *       steps    [rows] */
void espl_gptq_round(int rows, int columns, int bits, const float *steps, double *moments,
                     float *weights);

#endif
