/* What is measured on answers: pure functions of arrays.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_JUDGE_METRICS_H
#define ESPL_JUDGE_METRICS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* The index of the greatest value, the first of equals. */
int espl_argmax(const float *values, int count);

/* The greatest value less the second; count >= 2. */
float espl_margin(const float *values, int count);

/* The softmax's logarithm of values[index], and its greatest probability. */
double espl_log_probability(const float *values, int count, int index);
double espl_confidence(const float *values, int count);

/* Expected calibration error: samples in bins of equal width by confidence, the differences
 * between a bin's accuracy and its mean confidence, weighted by its share.
 *   from  Guo et al., On calibration of modern neural networks, arXiv 1706.04599; 15 bins */
enum { ESPL_CALIBRATION_BINS = 15 };
double espl_calibration_error(const float *confidence, const bool *right, int count);

/* McNemar's exact test: the probability that of `first` + `second` examples which just one of two
 * models answers right, the shares are at least as uneven, if both are equally good. Two-sided;
 * 1 when there are none. */
double espl_mcnemar(int first, int second);

/* The indices of the `wanted` least values, ascending by value, the first of equals first.
 *   out  in `arena` */
int *espl_least(const float *values, int count, int wanted, espl_arena *arena);

#endif
