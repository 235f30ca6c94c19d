/* The one definition of the integer arithmetic: TFLite Micro's, ONNX Runtime's, single rounding.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only file that relies on the right shift of a negative integer being
 * arithmetic; tests/unit/fixed_test.c checks it.
 */
#ifndef ESPL_MATH_FIXED_H
#define ESPL_MATH_FIXED_H

#include <stdint.h>

/* A real scale: multiplier * 2^(exponent - 31); multiplier in [2^30, 2^31) or 0. A float32 is one
 * exactly: its 24 bits stand at the top of the multiplier. */
typedef struct {
	int32_t multiplier;
	int exponent; /* -31..30 */
} espl_scale;

typedef enum {
	ESPL_ROUND_TFLM,   /* two roundings: TFLite Micro's reference kernels */
	ESPL_ROUND_SINGLE, /* one rounding, halves up: XNNPACK's, and our own */
	ESPL_ROUND_ONNX,   /* float32(accumulator) * float32 scale in float32, then halves to even:
	                      ONNX Runtime's QLinear operators on x86; scales are float32s */
} espl_rounding;

/* The espl_scale nearest to a real >= 0, as TFLite's QuantizeMultiplier. */
espl_scale espl_scale_from_real(double real);

/* The same of a float32, exactly; 0 for what is too small to make a 32-bit integer round to 1.
 *   range  0 <= real < 2^30 */
espl_scale espl_scale_from_float32(float real);
float espl_scale_to_float32(espl_scale scale); /* of a scale that is one */

int32_t espl_saturating_high_multiply(int32_t a, int32_t b); /* SRDHM: (a*b + 2^30) >> 31 */
int32_t espl_rounding_shift(int32_t value, int bits); /* RDP: ties away from zero; bits 0..31 */
int64_t espl_shift_right(int64_t value, int bits);    /* floor(value / 2^bits); bits 0..63 */

/* round(accumulator * scale) in the given rounding (MBQM). Intermediate overflow wraps as in
 * TFLite Micro built with wrapping shifts; in ESPL_ROUND_ONNX it saturates. */
int32_t espl_multiply_by_scale(int32_t accumulator, espl_scale scale, espl_rounding rounding);

/* clamp(espl_multiply_by_scale(..) + zero_point, low, high), the sum taken in 64 bits. */
int32_t espl_requantize(int32_t accumulator, espl_scale scale, espl_rounding rounding,
                        int32_t zero_point, int32_t low, int32_t high);

/* The same in ESPL_ROUND_ONNX with the zero point added before the rounding: halves go to the even
 * sum. */
int32_t espl_requantize_inside(int32_t accumulator, espl_scale scale, int32_t zero_point,
                               int32_t low, int32_t high);

/* ONNX Runtime's QLinearAdd with AVX2, in float32:
 *     round(a * scale_a + (b * scale_b + (zero_point - (scale_a * zero_a + scale_b * zero_b))))
 * with the products of values and scale_a * zero_a fused. All values are as the file stores them.
 */
typedef struct {
	float scales[2]; /* of the inputs over the output's */
	int32_t zeros[2], zero_point;
} espl_float_sum;
int32_t espl_add_float32(const espl_float_sum *sum, int32_t a, int32_t b, int32_t low,
                         int32_t high);

#endif
