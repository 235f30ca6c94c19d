/* Float32 scales that give a QLinear operator the very step function of a net's channel.
 * SPDX-License-Identifier: Apache-2.0
 *
 * ONNX computes, for an accumulator that includes the bias,
 *     y = clamp(rne(float32(accumulator) * M) + zero_point),  M = float32(float32(x * w) / y),
 * from the float32 scales x, w and y of input, weights and output. The scale of the weights is a
 * number of each channel: it is free to be chosen so that y equals the net's own result for every
 * accumulator that can occur.
 */
#ifndef ESPL_MATH_FLOAT_SCALE_H
#define ESPL_MATH_FLOAT_SCALE_H

#include "math/fixed.h"

#include <stdbool.h>
#include <stdint.h>

/* From accumulators within least..most to stored values, as the net defines it. */
typedef struct {
	espl_scale scale;
	espl_rounding rounding;
	int32_t zero_point, low, high;
	int64_t least, most; /* 32 bits */
} espl_channel_step;

/* Looks for the scale of the weights.
 *   out     *weight_scale, positive; *checked += accumulators at which both were compared: each
 *           threshold, the value before it, and both ends. Both functions are monotone, so that is
 *           a proof.
 *   result  false when there is none */
bool espl_float_scale_find(const espl_channel_step *step, float in_scale, float out_scale,
                           float *weight_scale, int64_t *checked);

/* The scale of the weights that makes M nearest to the real one; positive. */
float espl_float_scale_nearest(const espl_channel_step *step, float in_scale, float out_scale);

/* Moves a scale by parts in 2^24 so that single rounding by it is such a step function: the nearest
 * float32 for which ONNX's rounding gives the same at every accumulator, and a weight's scale
 * exists. Networks made here have such scales, so that they can be written as QLinear operators.
 *   in    step    its scale is the wish; rounding ESPL_ROUND_SINGLE
 *   out   *scale
 *   result  false, and *scale as it was: there is none near, or some accumulator is exactly a half,
 *           which single rounding sends up and ONNX's to the even side */
bool espl_float_scale_snap(const espl_channel_step *step, float in_scale, float out_scale,
                           espl_scale *scale);

#endif
