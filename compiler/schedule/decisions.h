/* plan.json: the scheduler's decisions, written for people and read back.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_SCHEDULE_DECISIONS_H
#define ESPL_SCHEDULE_DECISIONS_H

#include "base/file.h"
#include "schedule/work.h"

/* Takes channels' splits from plan.json into the work's tensors, before dealing.
 * Bases are taken by espl_decide_bases, after it.
 *   fails ESPL_SYNTAX, ESPL_SHAPE, ESPL_RANGE naming the tensor and what is illegal */
espl_status espl_decide_splits(espl_work *work, const espl_span *text, espl_error *err);
espl_status espl_decide_bases(espl_work *work, const espl_span *text, espl_error *err);

/* The decisions as text, in the plan's arena. */
const char *espl_decisions_text(const espl_work *work);

#endif
