/* Is the arithmetic TFLite Micro's, at its edges too?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "math/fixed.h"

static void shifts_right_arithmetically(void **state)
{
	(void)state;
	assert_int_equal(espl_shift_right(-1, 1), -1);
	assert_int_equal(espl_shift_right(-5, 1), -3);
	assert_int_equal(espl_shift_right(5, 1), 2);
	assert_int_equal(espl_shift_right(INT64_MIN, 63), -1);
}

/* A product in exact parts: floor((a * b + 2^30) / 2^31), by division. */
static int64_t high_multiply_by_division(int64_t a, int64_t b)
{
	const int64_t sum = a * b + (INT64_C(1) << 30), unit = INT64_C(1) << 31;
	const int64_t quotient = sum / unit;

	return quotient - (sum % unit < 0);
}

static void multiplies_high_with_halves_up(void **state)
{
	static const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -3,        -1, 0, 1,
	                                2,         1 << 30,       INT32_MAX, 37};
	const size_t count = sizeof edges / sizeof edges[0];

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (edges[i] != INT32_MIN || edges[j] != INT32_MIN)
				assert_int_equal(espl_saturating_high_multiply(edges[i], edges[j]),
				                 high_multiply_by_division(edges[i], edges[j]));
	assert_int_equal(espl_saturating_high_multiply(INT32_MIN, INT32_MIN), INT32_MAX);
	assert_int_equal(espl_saturating_high_multiply(1 << 30, 1), 1);  /* 0.5 */
	assert_int_equal(espl_saturating_high_multiply(1 << 30, -1), 0); /* -0.5 */
}

static void shifts_with_halves_away_from_zero(void **state)
{
	(void)state;
	assert_int_equal(espl_rounding_shift(3, 1), 2);
	assert_int_equal(espl_rounding_shift(-3, 1), -2);
	assert_int_equal(espl_rounding_shift(5, 2), 1);
	assert_int_equal(espl_rounding_shift(-6, 2), -2);
	assert_int_equal(espl_rounding_shift(-7, 0), -7);
	assert_int_equal(espl_rounding_shift(INT32_MIN, 31), -1);
	assert_int_equal(espl_rounding_shift(INT32_MAX, 31), 1);
	assert_int_equal(espl_rounding_shift(INT32_MAX / 2, 31), 0);
}

static void expect_scale(double real, int32_t multiplier, int exponent)
{
	const espl_scale scale = espl_scale_from_real(real);

	assert_int_equal(scale.multiplier, multiplier);
	assert_int_equal(scale.exponent, exponent);
}

static void splits_reals(void **state)
{
	(void)state;
	expect_scale(0, 0, 0);
	expect_scale(1, 1 << 30, 1);
	expect_scale(0.5, 1 << 30, 0);
	expect_scale(0.75, 3 << 29, 0);
	expect_scale(0x1.ffffffffffp-1, 1 << 30, 1); /* rounds up to the next power of two */
	expect_scale(0x1p-32, 1 << 30, -31);
	expect_scale(0x1p-33, 0, 0);
	expect_scale(0x1p40, INT32_MAX, 30);
}

static void rounds_twice_or_once(void **state)
{
	const espl_scale scale = {1 << 30, -1}; /* a quarter */

	(void)state;
	/* 1/4 becomes 1/2, then 1, then 1/2, then 1 */
	assert_int_equal(espl_multiply_by_scale(1, scale, ESPL_ROUND_TFLM), 1);
	assert_int_equal(espl_multiply_by_scale(1, scale, ESPL_ROUND_SINGLE), 0);
	assert_int_equal(espl_multiply_by_scale(2, scale, ESPL_ROUND_SINGLE), 1);
	assert_int_equal(espl_multiply_by_scale(-2, scale, ESPL_ROUND_SINGLE), 0);
	assert_int_equal(espl_multiply_by_scale(-2, scale, ESPL_ROUND_TFLM), -1);
}

static void survives_every_exponent(void **state)
{
	static const int32_t values[] = {INT32_MIN, -1, 0, 1, INT32_MAX};

	(void)state;
	for (int exponent = -31; exponent <= 30; exponent++) {
		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
			const espl_scale scale = {INT32_MAX, exponent};

			(void)espl_multiply_by_scale(values[i], scale, ESPL_ROUND_TFLM);
			(void)espl_multiply_by_scale(values[i], scale, ESPL_ROUND_SINGLE);
		}
	}
}

static void saturates_at_both_ends(void **state)
{
	const espl_scale one = {1 << 30, 1};

	(void)state;
	assert_int_equal(espl_requantize(127, one, ESPL_ROUND_TFLM, 0, -128, 127), 127);
	assert_int_equal(espl_requantize(128, one, ESPL_ROUND_TFLM, 0, -128, 127), 127);
	assert_int_equal(espl_requantize(-129, one, ESPL_ROUND_TFLM, 0, -128, 127), -128);
	assert_int_equal(espl_requantize(5, one, ESPL_ROUND_SINGLE, -3, -128, 1), 1);
	assert_int_equal(espl_requantize(INT32_MAX / 2, one, ESPL_ROUND_TFLM, 127, -128, 127), 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(shifts_right_arithmetically),
	        cmocka_unit_test(multiplies_high_with_halves_up),
	        cmocka_unit_test(shifts_with_halves_away_from_zero),
	        cmocka_unit_test(splits_reals),
	        cmocka_unit_test(rounds_twice_or_once),
	        cmocka_unit_test(survives_every_exponent),
	        cmocka_unit_test(saturates_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
