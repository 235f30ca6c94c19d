/* Float graphs made integer: folding, calibration, the net.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_QUANTIZE_H
#define ESPL_COMPRESS_QUANTIZE_H

#include "ir/graph.h"
#include "ir/net.h"

/* Folds batch norms into the convolution or dense layer before them; one that has none, or not
 * alone, becomes a depthwise convolution of 1 x 1. Weights that have steps are rounded to their
 * integers first, which folding keeps: weights and steps are scaled alike.
 *   in   only_alone  leave those that can be folded, for training
 *   out  a new graph in `arena`, whose function is the same */
espl_graph *espl_fold(const espl_graph *graph, bool only_alone, espl_arena *arena);

/* Turns a graph without batch norms, all of whose weights and stored values have steps, into the
 * net: what it stores for every value is what the graph's forward rounds to, but for the last bit
 * of float sums (docs/compression.md).
 *   out   *net in `arena`, checked; rounding is ESPL_ROUND_SINGLE
 *   fails ESPL_SHAPE: a step is missing; ESPL_UNSUPPORTED: the net has no such operator;
 *         ESPL_RANGE: a bias or sum does not fit; each naming the node */
espl_status espl_graph_to_net(const espl_graph *graph, espl_arena *arena, espl_net **net,
                              espl_error *err);

#endif
