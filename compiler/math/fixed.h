/* The one definition of the integer arithmetic: TFLite Micro's, and single rounding.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only file that relies on the right shift of a negative integer being
 * arithmetic; tests/unit/fixed_test.c checks it.
 */
#ifndef ESPL_MATH_FIXED_H
#define ESPL_MATH_FIXED_H

#include <stdint.h>

/* A real scale: multiplier * 2^(exponent - 31); multiplier in [2^30, 2^31) or 0. */
typedef struct {
	int32_t multiplier;
	int exponent; /* -31..30 */
} espl_scale;

typedef enum {
	ESPL_ROUND_TFLM,   /* two roundings: TFLite Micro's reference kernels */
	ESPL_ROUND_SINGLE, /* one rounding, halves up: XNNPACK's, and our own */
} espl_rounding;

/* The espl_scale nearest to a real >= 0, as TFLite's QuantizeMultiplier. */
espl_scale espl_scale_from_real(double real);

int32_t espl_saturating_high_multiply(int32_t a, int32_t b); /* SRDHM: (a*b + 2^30) >> 31 */
int32_t espl_rounding_shift(int32_t value, int bits); /* RDP: ties away from zero; bits 0..31 */
int64_t espl_shift_right(int64_t value, int bits);    /* floor(value / 2^bits); bits 0..63 */

/* round(accumulator * scale) in the given rounding (MBQM). Intermediate overflow wraps as in
 * TFLite Micro built with wrapping shifts. */
int32_t espl_multiply_by_scale(int32_t accumulator, espl_scale scale, espl_rounding rounding);

/* clamp(espl_multiply_by_scale(..) + zero_point, low, high), the sum taken in 64 bits. */
int32_t espl_requantize(int32_t accumulator, espl_scale scale, espl_rounding rounding,
                        int32_t zero_point, int32_t low, int32_t high);

#endif
