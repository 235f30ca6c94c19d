/* Runs the integer graph on many samples: the reference's results, sooner.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For accuracies over whole data sets. The reference (interp/interp.h) stays what defines the
 * numbers: this gives the same bytes of every tensor, by sums that vectorize and by
 * requantization in floats wherever their error cannot change the result; elsewhere it calls
 * math/fixed. tests/unit/net_run_test.c compares the two.
 */
#ifndef ESPL_INTERP_NET_RUN_H
#define ESPL_INTERP_NET_RUN_H

#include "ir/net.h"

typedef struct espl_net_run espl_net_run; /* buffers for a batch, threads */

/* Borrows `net`, which may not change.
 *   range  batch 1..4096, threads 1..64
 *   cost   memory: batch times all tensors, and the weights twice */
espl_status espl_net_run_create(const espl_net *net, int batch, int threads, espl_net_run **out,
                                espl_error *err);
void espl_net_run_destroy(espl_net_run *run); /* NULL is allowed */

/* Runs `count` <= batch samples.
 *   in    inputs[i]  the net's i-th input, int8, [sample][rows][columns][channels] */
void espl_net_run_forward(espl_net_run *run, const int8_t *const *inputs, int count);

/* The samples of any tensor of the last forward, [sample][rows][columns][channels]; borrowed until
 * the next. */
const int8_t *espl_net_run_tensor(const espl_net_run *run, int tensor);

#endif
