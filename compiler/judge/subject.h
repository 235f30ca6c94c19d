/* A model at work on samples, private to judge/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A byte stands for byte / 255. A net whose input has a scale near 1 / 255 stores
 * round(byte / 255 / scale) + zero point; one whose scale is near 1 was made for the bytes
 * themselves. Any other scale must be explained by the value of a byte's step.
 */
#ifndef ESPL_JUDGE_SUBJECT_H
#define ESPL_JUDGE_SUBJECT_H

#include "data/data.h"
#include "judge/judge.h"

typedef struct espl_subject espl_subject;

/* Borrows the model and the samples.
 *   in    options  threads, input_scale, input_offset
 *   fails ESPL_SHAPE, ESPL_RANGE: the model does not take such samples or does not give one value
 *         for each class */
espl_status espl_subject_create(const espl_judged *model, const espl_samples *samples,
                                const espl_judge_options *options, espl_subject **out,
                                espl_error *err);
void espl_subject_destroy(espl_subject *subject); /* NULL is allowed */

/* Runs `count` samples, given as bytes or as floats, whichever the data set has.
 *   out  answers  [sample]: the class of the greatest result, the first of equals
 *        logits   [sample][classes]: what goes into the softmax at the end, or the results where
 *                 there is none; NULL: not wanted */
void espl_subject_run(espl_subject *subject, const uint8_t *bytes, const float *floats, int count,
                      uint8_t *answers, float *logits);

#endif
