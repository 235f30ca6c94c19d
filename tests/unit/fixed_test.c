/* Is the arithmetic TFLite Micro's, at its edges too?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "math/fixed.h"

#include <math.h>

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

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* ONNX's rounding against the floats themselves: this machine's are IEEE's. */
static void equals_float32(void **state)
{
	uint32_t random = 5;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		const float scale = ldexpf((float)(next(&random) % (1 << 23) + (1 << 23)),
		                           -(int)(next(&random) % 24) - 24);
		const int32_t sum = (int32_t)next(&random) >> next(&random) % 24;
		const float real = (float)sum, product = real * scale,
		            rounded = nearbyintf(product);
		const espl_scale exact = espl_scale_from_float32(scale);

		assert_true(espl_scale_to_float32(exact) == scale);
		if (fabsf(rounded) < 2147483648.0f)
			assert_int_equal(espl_multiply_by_scale(sum, exact, ESPL_ROUND_ONNX),
			                 (int32_t)rounded);
	}
	assert_int_equal(
	        espl_multiply_by_scale(INT32_MIN, (espl_scale){1 << 30, 5}, ESPL_ROUND_ONNX),
	        -INT32_MAX);
	assert_int_equal(espl_scale_from_float32(0x1p-33f).multiplier, 0);
}

static void rounds_halves_to_even_inside(void **state)
{
	const espl_scale half = espl_scale_from_float32(0.5f);

	(void)state;
	for (int zero = -3; zero <= 3; zero++)
		for (int x = -9; x <= 9; x++)
			assert_int_equal(espl_requantize_inside(x, half, zero, -128, 127),
			                 (int32_t)nearbyint(x * 0.5 + zero));
	assert_int_equal(espl_requantize(5, half, ESPL_ROUND_ONNX, 1, -128, 127), 3);
	assert_int_equal(espl_requantize_inside(5, half, 1, -128, 127), 4);
}

/* What ONNX Runtime 1.32 gives on x86, where sums that round in between differ. */
static void adds_as_fused_floats(void **state)
{
	const espl_float_sum tight = {
	        .scales = {0.65f / 3.9f, 1.55f / 3.9f}, .zeros = {243, 203}, .zero_point = 77};
	const espl_float_sum wide = {
	        .scales = {0.75f / 3.8f, 0.5f / 3.8f}, .zeros = {199, 7}, .zero_point = 32};
	const espl_float_sum sum = {.scales = {0.5f, 0.25f}, .zeros = {128, 100}, .zero_point = 3};

	(void)state;
	/* (130 - 128) / 2 + (106 - 100) / 4 + 3 = 5.5, halves to even */
	assert_int_equal(espl_add_float32(&sum, 130, 106, 0, 255), 6);
	assert_int_equal(espl_add_float32(&sum, 255, 255, 0, 90), 90);
	assert_int_equal(espl_add_float32(&sum, 0, 0, 0, 255), 0);
	/* the zero points' part is fused as well */
	assert_int_equal(espl_add_float32(&tight, 128, 255, 0, 255), 78);
	assert_int_equal(espl_add_float32(&tight, 137, 216, 0, 255), 64);
	assert_int_equal(espl_add_float32(&tight, 166, 229, 0, 255), 74);
	assert_int_equal(espl_add_float32(&tight, 178, 229, 0, 255), 76);
	assert_int_equal(espl_add_float32(&wide, 1, 95, 0, 255), 5);
	assert_int_equal(espl_add_float32(&wide, 11, 80, 0, 255), 5);
	assert_int_equal(espl_add_float32(&wide, 17, 71, 0, 255), 5);
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
	        cmocka_unit_test(equals_float32),
	        cmocka_unit_test(rounds_halves_to_even_inside),
	        cmocka_unit_test(adds_as_fused_floats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
