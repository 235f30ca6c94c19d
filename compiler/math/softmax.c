/* Softmax and logistic: a polynomial, a barrel, and Newton's reciprocal.
 * SPDX-License-Identifier: Apache-2.0
 *
 * "Qi.f" is a signed 32-bit number with i integer bits and f fraction bits.
 */
#include "math/softmax.h"

#include <assert.h>
#include <math.h>

enum {
	SOFTMAX_INTEGER_BITS = 5,  /* differences are Q5.26 */
	LOGISTIC_INTEGER_BITS = 4, /* inputs are Q4.27 */
	SUM_INTEGER_BITS = 12,     /* the sum of the exponentials is Q12.19 */
};

/* Sums wrap as TFLite Micro's do. */
static int32_t wrapping_add(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t high_multiply(int32_t a, int32_t b)
{
	return espl_saturating_high_multiply(a, b);
}

static int32_t saturating_shift_left(int32_t value, int bits)
{
	const int64_t wide = value * (INT64_C(1) << bits);

	return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* exp(x) in Q0.31 for x in [-1/4, 0) in Q0.31: four terms of the series around -1/8. */
static int32_t exponential_of_quarter(int32_t x)
{
	const int32_t exp_of_eighth = 1895147668; /* exp(-1/8) */
	const int32_t third = 715827883;
	const int32_t y = x + (1 << 28);
	const int32_t y2 = high_multiply(y, y);
	const int32_t y3 = high_multiply(y2, y);
	const int32_t y4 = high_multiply(y2, y2);
	int32_t terms;

	terms = high_multiply(wrapping_add(espl_rounding_shift(y4, 2), y3), third);
	terms = espl_rounding_shift(wrapping_add(terms, y2), 1);
	return wrapping_add(exp_of_eighth, high_multiply(exp_of_eighth, wrapping_add(y, terms)));
}

/* exp(value) in Q0.31 for value <= 0 with `integer_bits` 4 or 5. */
static int32_t exponential(int32_t value, int integer_bits)
{
	/* exp(-1/4), exp(-1/2), exp(-1) .. exp(-16) */
	static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
	                                   39332535,   720401,     242};
	const int fraction_bits = 31 - integer_bits;
	const int32_t quarter = 1 << (fraction_bits - 2);
	const int32_t rest = (value & (quarter - 1)) - quarter; /* in [-1/4, 0) */
	const uint32_t quarters = (uint32_t)rest - (uint32_t)value;
	int32_t result;

	assert(value <= 0);
	if (value == 0)
		return INT32_MAX;
	result = exponential_of_quarter(rest * (1 << integer_bits));
	for (int i = 0; i < integer_bits + 2; i++)
		if (quarters >> (fraction_bits - 2 + i) & 1)
			result = high_multiply(result, factors[i]);
	return result;
}

/* 1 / (1 + x) in Q0.31 for x in [0, 1] in Q0.31: three Newton steps in Q2.29. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
	const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2); /* (1 + x) / 2 */
	const int32_t one = 1 << 29;
	int32_t guess =
	        wrapping_add(1515870810, high_multiply(half, -1010580540)); /* 48/17, 32/17 */

	for (int step = 0; step < 3; step++) {
		int32_t error = one - high_multiply(half, guess);

		guess = wrapping_add(guess, saturating_shift_left(high_multiply(guess, error), 2));
	}
	return saturating_shift_left(guess, 1);
}

/* requires: value > 0 */
static int leading_zeros(uint32_t value)
{
	int count = 0;

	while (!(value >> (31 - count)))
		count++;
	return count;
}

/* The greatest difference whose value still has `integer_bits` after the left shift. */
static int32_t input_radius(int integer_bits, int exponent)
{
	const int64_t limit = ((INT64_C(1) << integer_bits) - 1) << (31 - integer_bits);

	return (int32_t)(limit >> exponent);
}

void espl_softmax_prepare(double input_scale, double beta, espl_scale *scale, int32_t *least)
{
	const double real = beta * input_scale * (double)(1 << (31 - SOFTMAX_INTEGER_BITS));

	/* An exponent of 31 does not fit espl_scale; 30 gives the same results, as a difference
	 * of 1 is then 16 and its exponential vanishes. */
	*scale = espl_scale_from_real(fmin(real, (double)INT32_MAX));
	assert(scale->exponent >= 0);
	*least = -input_radius(SOFTMAX_INTEGER_BITS, scale->exponent);
}

/* requires: least <= value - greatest <= 0 */
static int32_t exponential_of_difference(int value, int greatest, espl_scale scale)
{
	const int32_t difference = (value - greatest) * (1 << scale.exponent);

	return exponential(high_multiply(difference, scale.multiplier), SOFTMAX_INTEGER_BITS);
}

int32_t espl_softmax_exponential(int difference, espl_scale scale, int32_t least)
{
	return difference < least ? 0 : exponential_of_difference(difference, 0, scale);
}

void espl_softmax(const int8_t *input, int count, espl_scale scale, int32_t least, int8_t *output)
{
	int greatest = INT8_MIN;
	uint32_t sum = 0; /* Q12.19 */
	int32_t reciprocal;
	int headroom, shift;

	assert(count >= 1 && scale.exponent >= 0);
	for (int i = 0; i < count; i++)
		greatest = input[i] > greatest ? input[i] : greatest;
	for (int i = 0; i < count; i++)
		if (input[i] - greatest >= least)
			sum += (uint32_t)espl_rounding_shift(
			        exponential_of_difference(input[i], greatest, scale),
			        SUM_INTEGER_BITS);
	sum = sum ? sum : 1; /* only a sum that wrapped is 0 */
	headroom = leading_zeros(sum);
	reciprocal = reciprocal_of_one_plus((int32_t)((sum << headroom) - (UINT32_C(1) << 31)));
	shift = SUM_INTEGER_BITS - headroom + 31 - 8;

	for (int i = 0; i < count; i++) {
		int32_t value = 0;

		if (input[i] - greatest >= least && shift <= 31)
			value = espl_rounding_shift(
			        high_multiply(reciprocal,
			                      exponential_of_difference(input[i], greatest, scale)),
			        shift);
		output[i] = (int8_t)(value > 255 ? 127 : value - 128);
	}
}

void espl_logistic_table(double input_scale, int32_t zero_point, int8_t table[256])
{
	const espl_scale scale =
	        espl_scale_from_real(input_scale * (double)(1 << (31 - LOGISTIC_INTEGER_BITS)));
	int32_t radius, scaled, result;

	assert(scale.exponent >= 0);
	radius = input_radius(LOGISTIC_INTEGER_BITS, scale.exponent);
	for (int stored = INT8_MIN; stored <= INT8_MAX; stored++) {
		const int32_t difference = stored - zero_point;

		if (difference <= -radius || difference >= radius) {
			table[stored + 128] = difference < 0 ? INT8_MIN : INT8_MAX;
			continue;
		}
		scaled = espl_multiply_by_scale(difference, scale, ESPL_ROUND_TFLM);
		result = reciprocal_of_one_plus(
		        exponential(scaled < 0 ? scaled : -scaled, LOGISTIC_INTEGER_BITS));
		if (scaled == 0)
			result = 1 << 30;
		else if (scaled < 0)
			result = INT32_MAX - result;
		result = espl_rounding_shift(result, 31 - 8);
		table[stored + 128] = (int8_t)(result > 255 ? INT8_MAX : result - 128);
	}
}
