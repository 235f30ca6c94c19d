/* The lowered net as a program for an engine: where, when, and how many cycles.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_SCHEDULE_SCHEDULE_H
#define ESPL_SCHEDULE_SCHEDULE_H

#include "base/file.h"
#include "ir/board.h"
#include "ir/lowered.h"
#include "ir/plan.h"

/* Plans a lowered net for an engine within an envelope: tensors' layouts and places, channels to
 * splits, weight streams, tables, program, and the exact cycles of all of it.
 *   in      decisions  plan.json of an earlier run, perhaps edited, or NULL to decide anew
 *   out     *plan in `arena`
 *   fails   ESPL_BUDGET with the numbers and what would fit; ESPL_SYNTAX, ESPL_RANGE or
 *           ESPL_SHAPE for an illegal decision, with the reason; ESPL_UNSUPPORTED
 *   cost    well under a second for a million weights */
espl_status espl_schedule(const espl_lowered *lowered, const espl_envelope *envelope,
                          const espl_span *decisions, espl_arena *arena, espl_plan **plan,
                          espl_error *err);

#endif
