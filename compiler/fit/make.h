/* A candidate made real: a float network, trained, pruned, in integers.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FIT_MAKE_H
#define ESPL_FIT_MAKE_H

#include "fit/fit.h"

/* The network of a candidate with random weights, pruned and quantized: what is priced. */
espl_status espl_make_draft(const espl_fit_task *task, const espl_candidate *candidate,
                            espl_arena *arena, espl_net **net, espl_error *err);

/* Trains the float network that candidates of one shape share; of a given model, that one.
 *   fails  ESPL_INTERRUPTED when task->stop says so, also below; ESPL_RANGE when it diverges */
espl_status espl_make_float(const espl_fit_task *task, const espl_candidate *candidate,
                            int64_t images, espl_arena *arena, espl_graph **graph, espl_error *err);

/* Takes weights away, little by little, while it trains on half as many images. */
espl_status espl_make_pruned(const espl_fit_task *task, const espl_candidate *candidate,
                             int64_t images, const espl_graph *from, espl_arena *arena,
                             espl_graph **graph, espl_error *err);

/* Quantizes, and trains that on a quarter as many images. */
espl_status espl_make_integer(const espl_fit_task *task, const espl_candidate *candidate,
                              int64_t images, const espl_graph *from, espl_arena *arena,
                              espl_graph **graph, espl_net **net, espl_error *err);

/* How many of the samples the integer net gets right. */
espl_status espl_make_count(const espl_fit_task *task, const espl_net *net,
                            const espl_samples *samples, int64_t *correct, espl_error *err);

/* What all of it does, as one line: another recipe's results are not mixed with this one's. */
extern const char espl_make_recipe[];

#endif
