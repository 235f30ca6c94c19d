/* The arithmetic, in plain integers; only espl_scale_from_real sees a double.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/fixed.h"

#include <assert.h>
#include <math.h>

enum { EXPONENT_MIN = -31, EXPONENT_MAX = 30 };

int64_t espl_shift_right(int64_t value, int bits)
{
	assert(bits >= 0 && bits <= 63);
	return value >> bits; /* arithmetic: checked in tests/unit/fixed_test.c */
}

espl_scale espl_scale_from_real(double real)
{
	int64_t multiplier;
	int exponent;

	assert(real >= 0 && isfinite(real));
	multiplier = (int64_t)round(frexp(real, &exponent) * (double)(INT64_C(1) << 31));
	if (multiplier == INT64_C(1) << 31) {
		multiplier /= 2;
		exponent++;
	}
	if (multiplier == 0 || exponent < EXPONENT_MIN)
		return (espl_scale){0, 0};
	if (exponent > EXPONENT_MAX)
		return (espl_scale){INT32_MAX, EXPONENT_MAX};
	return (espl_scale){(int32_t)multiplier, exponent};
}

int32_t espl_saturating_high_multiply(int32_t a, int32_t b)
{
	if (a == INT32_MIN && b == INT32_MIN)
		return INT32_MAX;
	return (int32_t)espl_shift_right((int64_t)a * b + (INT64_C(1) << 30), 31);
}

int32_t espl_rounding_shift(int32_t value, int bits)
{
	int64_t mask, remainder, threshold;

	assert(bits >= 0 && bits <= 31);
	mask = (INT64_C(1) << bits) - 1;
	remainder = value & mask;
	threshold = (mask >> 1) + (value < 0);
	return (int32_t)(espl_shift_right(value, bits) + (remainder > threshold));
}

int32_t espl_multiply_by_scale(int32_t accumulator, espl_scale scale, espl_rounding rounding)
{
	const int exponent = scale.exponent;
	uint32_t shifted;
	int64_t product;

	assert(exponent >= EXPONENT_MIN && exponent <= EXPONENT_MAX);
	if (rounding == ESPL_ROUND_SINGLE) {
		product = (int64_t)accumulator * scale.multiplier;
		product += INT64_C(1) << (30 - exponent);
		return (int32_t)(uint32_t)espl_shift_right(product, 31 - exponent);
	}
	shifted = (uint32_t)accumulator << (exponent > 0 ? exponent : 0);
	return espl_rounding_shift(
	        espl_saturating_high_multiply((int32_t)shifted, scale.multiplier),
	        exponent < 0 ? -exponent : 0);
}

int32_t espl_requantize(int32_t accumulator, espl_scale scale, espl_rounding rounding,
                        int32_t zero_point, int32_t low, int32_t high)
{
	int64_t value = espl_multiply_by_scale(accumulator, scale, rounding);

	value += zero_point;
	return (int32_t)(value < low ? low : value > high ? high : value);
}
