/* plan.json: the scheduler's decisions, written for people and read back.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_SCHEDULE_DECISIONS_H
#define ESPL_SCHEDULE_DECISIONS_H

#include "base/file.h"
#include "schedule/work.h"

/* Takes from plan.json what is decided before channels are dealt: the splits and copies of tensors,
 * the order of layers' output channels.
 *   fails ESPL_SYNTAX, ESPL_SHAPE, ESPL_RANGE naming the tensor or layer and what is illegal */
espl_status espl_decide_splits(espl_work *work, const espl_span *text, espl_error *err);
/* Takes what is decided after it: where tensors lie. Those that are not named stay where they are.
 *   fails the same; ESPL_BUDGET when a place cannot be addressed */
espl_status espl_decide_bases(espl_work *work, const espl_span *text, espl_error *err);

/* The decisions as text, in the plan's arena. */
const char *espl_decisions_text(const espl_work *work);

#endif
