/* The arithmetic, in plain integers; only scales and QLinearAdd see floats.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/fixed.h"

#include <assert.h>
#include <math.h>

enum { EXPONENT_MIN = -31, EXPONENT_MAX = 30, FLOAT_BITS = 24 };

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

espl_scale espl_scale_from_float32(float real)
{
	int exponent;
	const double fraction = frexp((double)real, &exponent);

	assert(real >= 0 && exponent <= EXPONENT_MAX);
	if (real <= 0 || exponent < EXPONENT_MIN)
		return (espl_scale){0, 0}; /* < 2^-32: times 2^31 it is below a half */
	return (espl_scale){(int32_t)(fraction * (double)(INT64_C(1) << 31)), exponent};
}

float espl_scale_to_float32(espl_scale scale)
{
	return (float)ldexp(scale.multiplier, scale.exponent - 31);
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

/* value / 2^bits to the nearest integer, halves to the one whose lowest bit is `odd`; bits 1..63 */
static uint64_t halves_to(uint64_t value, int bits, unsigned odd)
{
	const uint64_t half = UINT64_C(1) << (bits - 1), rest = value & (2 * half - 1);
	const uint64_t whole = bits == 63 ? value >> 63 : value >> bits;

	return whole + (rest > half || (rest == half && (whole & 1) != odd));
}

/* The nearest number of 24 significant bits: a float32. */
static uint64_t to_float(uint64_t value)
{
	int bits = 0;

	while (value >> bits >= UINT64_C(1) << FLOAT_BITS)
		bits++;
	return bits ? halves_to(value, bits, 0) << bits : value;
}

/* Halves go to the result that has the parity `odd`. */
static int32_t multiply_float32(int32_t accumulator, espl_scale scale, unsigned odd)
{
	const int down = FLOAT_BITS - scale.exponent; /* -6..55 */
	const uint64_t magnitude =
	        accumulator < 0 ? 0 - (uint64_t)accumulator : (uint64_t)accumulator;
	uint64_t product = to_float(magnitude) * (uint64_t)(scale.multiplier >> 7);

	product = to_float(product);
	product = down > 0 ? halves_to(product, down, odd) : product << -down;
	if (product > INT32_MAX)
		product = INT32_MAX;
	return accumulator < 0 ? -(int32_t)product : (int32_t)product;
}

int32_t espl_multiply_by_scale(int32_t accumulator, espl_scale scale, espl_rounding rounding)
{
	const int exponent = scale.exponent;
	uint32_t shifted;
	int64_t product;

	assert(exponent >= EXPONENT_MIN && exponent <= EXPONENT_MAX);
	if (rounding == ESPL_ROUND_ONNX)
		return multiply_float32(accumulator, scale, 0);
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

int32_t espl_requantize_inside(int32_t accumulator, espl_scale scale, int32_t zero_point,
                               int32_t low, int32_t high)
{
	int64_t value = multiply_float32(accumulator, scale, (unsigned)zero_point & 1);

	value += zero_point;
	return (int32_t)(value < low ? low : value > high ? high : value);
}

int32_t espl_add_float32(const espl_float_sum *sum, int32_t a, int32_t b, int32_t low, int32_t high)
{
	/* one operation a statement, so that no compiler fuses what is not fused there */
	const float zero_b = sum->scales[1] * (float)sum->zeros[1];
	const float zeros = fmaf(sum->scales[0], (float)sum->zeros[0], zero_b);
	const float fixed = (float)sum->zero_point - zeros;
	const float inner = fmaf((float)b, sum->scales[1], fixed);
	const float value = fmaf((float)a, sum->scales[0], inner);

	if (value <= (float)low)
		return low;
	if (value >= (float)high)
		return high;
	return (int32_t)nearbyintf(value);
}
