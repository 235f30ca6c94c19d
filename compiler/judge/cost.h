/* What an inference costs on an engine; private to judge/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Cycles and memory are the scheduler's. The energy is an estimate for comparing models, not a
 * measurement: docs/benchmark.md says of what it is made and from where its constants are.
 */
#ifndef ESPL_JUDGE_COST_H
#define ESPL_JUDGE_COST_H

#include "judge/judge.h"

/* A net that does not fit has `known` false and the reason in `why_not`, in `arena`. */
void espl_judge_cost(const espl_net *net, const espl_pricing *pricing, espl_arena *arena,
                     espl_cost *out);

/* Picojoules of an inference by its multiplications that are done: arithmetic and on-chip memory,
 * times what an FPGA takes more than the chip whose figures they are. */
double espl_dynamic_picojoules(int64_t multiplications, int lanes);

#endif
