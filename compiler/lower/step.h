/* The search for exact steps: the narrowest multiplier, shift and roundings.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_LOWER_STEP_H
#define ESPL_LOWER_STEP_H

#include "ir/lowered.h"

#include <stdbool.h>

/* A monotone function from accumulators to stored values, as the net defines it. */
typedef struct {
	espl_scale scale; /* its slope; exact, unless cells > 0 */
	espl_rounding rounding;
	int32_t zero_point, low, high;
	int cells;   /* > 0: the average over so many cells, halves away from zero */
	bool inside; /* ESPL_ROUND_ONNX: the zero point is added before the rounding */
} espl_curve;

/* The curve of an output channel of CONV, DEPTHWISE, DENSE, MEAN, or of an AVERAGE_POOL whose
 * divisor is `cells`. */
espl_curve espl_curve_of(const espl_net *net, const espl_op *op, int channel, int cells);

int32_t espl_curve_value(const espl_curve *curve, int64_t x);

/* The hardware's formula (lower.h) for x that includes the bias. */
int32_t espl_step_value(const espl_step *step, int64_t x, int32_t zero_point, int32_t low,
                        int32_t high);

/* Where the two roundings meet, and how the level of the result is counted: the step works on
 * x - offset, and its result is taken from `zero_point`. */
typedef struct {
	int64_t offset;
	int32_t zero_point;
} espl_pivot;

/* The pivot at which the curve's result is `level` above its zero point, 0 for the plain one. */
espl_pivot espl_pivot_at(const espl_curve *curve, int32_t level);

/* Finds the step with the smallest shift that equals the curve at every x in least..most.
 *   out    step (bias untouched), *checked += values at which both were compared: each
 *          threshold, the value before it, and both ends; as both are monotone, that is a proof
 *   range  least <= most, both within 24 bits
 *   result false when there is none */
bool espl_step_find(const espl_curve *curve, espl_pivot pivot, int64_t least, int64_t most,
                    espl_step *step, int64_t *checked);

/* The same for a sum of two (ir/lowered.h, ESPL_LAYER_ADD), over all pairs of stored values within
 * the ranges. bias and bias_b take the zero points.
 *   result false when there is none */
bool espl_step_find_add(const espl_net *net, const espl_op *op, const int32_t range_a[2],
                        const int32_t range_b[2], espl_step *step, int32_t *multiplier_b,
                        int32_t *bias_b, int64_t *checked);

#endif
