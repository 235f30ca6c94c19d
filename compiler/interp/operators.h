/* The operators of the reference, private to interp/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each runs one operator of its kind: it reads tensors[op->inputs[i]] and
 * writes tensors[op->output]. Scratch is released by the caller.
 */
#ifndef ESPL_INTERP_OPERATORS_H
#define ESPL_INTERP_OPERATORS_H

#include "ir/net.h"

/* Runs any operator, in interp.c. */
void espl_interp_run(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                     espl_arena *scratch);

/* weighted.c: sums of weights times values */
void espl_interp_conv(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                      espl_arena *scratch);
void espl_interp_depthwise(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                           espl_arena *scratch);
void espl_interp_dense(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                       espl_arena *scratch);

/* pool.c: many cells of one channel to one */
void espl_interp_max_pool(const espl_net *net, const espl_op *op, int8_t *const *tensors);
void espl_interp_average_pool(const espl_net *net, const espl_op *op, int8_t *const *tensors);
void espl_interp_mean(const espl_net *net, const espl_op *op, int8_t *const *tensors);

#endif
