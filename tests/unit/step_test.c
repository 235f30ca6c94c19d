/* Exact steps: the search's result against the definition, value by value.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int64_t within(uint32_t *state, int64_t low, int64_t high)
{
	return low + (int64_t)(next(state) % (uint32_t)(high - low + 1));
}

/* Finds a step and compares it with the curve at every value of the range. */
static void check(const espl_curve *curve, int64_t least, int64_t most)
{
	const int32_t zero = curve->cells ? 0 : curve->zero_point;
	espl_step step = {0};
	int64_t checked = 0;

	assert_true(espl_step_find(curve, (espl_pivot){0, zero}, least, most, &step, &checked));
	assert_in_range(step.multiplier, 0, (1 << ESPL_MULTIPLIER_BITS) - 1);
	assert_in_range(step.shift, 0, ESPL_SHIFT_MAX);
	assert_in_range(step.positive + (1 << 23), 0, (1 << 24) - 1);
	assert_in_range(step.negative + (1 << 23), 0, (1 << 24) - 1);
	for (int64_t x = least; x <= most; x++)
		assert_int_equal(espl_step_value(&step, x, zero, curve->low, curve->high),
		                 espl_curve_value(curve, x));
}

static void equals_the_definition_at_every_value(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		const int64_t least = -within(&random, 1, 60000), most = within(&random, 0, 60000);
		const espl_curve curve = {
		        .scale = {.multiplier = (int32_t)within(&random, 1 << 30, INT32_MAX),
		                  .exponent = (int)within(&random, -10, -3)},
		        .rounding = i % 2 ? ESPL_ROUND_TFLM : ESPL_ROUND_SINGLE,
		        .zero_point = (int32_t)within(&random, -128, 127),
		        .low = i % 3 ? -128 : (int32_t)within(&random, -128, 0),
		        .high = i % 5 ? 127 : (int32_t)within(&random, 1, 127),
		};

		check(&curve, least, most);
	}
}

static void averages_round_halves_away_from_zero(void **state)
{
	(void)state;
	for (int cells = 1; cells <= 130; cells++) {
		espl_curve curve = {.cells = cells, .low = -128, .high = 127};

		while (((int64_t)1 << (31 - curve.scale.exponent)) / cells < (int64_t)1 << 30)
			curve.scale.exponent--;
		curve.scale.multiplier =
		        (int32_t)((((int64_t)1 << (31 - curve.scale.exponent)) - 1) / cells);
		assert_int_equal(espl_curve_value(&curve, cells * 3 + cells / 2 + cells % 2), 4);
		check(&curve, -128 * cells, 127 * cells);
	}
}

static void a_range_on_one_side_of_zero_is_enough(void **state)
{
	const espl_curve curve = {.scale = {.multiplier = 1500000000, .exponent = -6},
	                          .zero_point = 3,
	                          .low = -128,
	                          .high = 127};

	(void)state;
	check(&curve, 100, 9000);
	check(&curve, -9000, -100);
	check(&curve, 0, 0);
}

static void constants_need_no_multiplier(void **state)
{
	const espl_curve curve = {.scale = {.multiplier = 1 << 30, .exponent = -20},
	                          .zero_point = -5,
	                          .low = -128,
	                          .high = 127};
	int64_t checked = 0;
	espl_step step;

	(void)state;
	assert_true(espl_step_find(&curve, espl_pivot_at(&curve, 0), -1000, 1000, &step, &checked));
	assert_int_equal(step.multiplier, 0);
	assert_int_equal(espl_step_value(&step, 77, -5, -128, 127), -5);
}

/* Finds a step about some pivot; what is found is compared at every value. */
static bool check_even(const espl_curve *curve, int64_t least, int64_t most)
{
	static const int32_t levels[] = {0, 96, 128, 64, -64};

	for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
		const espl_pivot pivot = espl_pivot_at(curve, levels[l]);
		espl_step step = {0};
		int64_t checked = 0;

		if (!espl_step_find(curve, pivot, least, most, &step, &checked))
			continue;
		assert_in_range(step.multiplier, 0, (1 << ESPL_MULTIPLIER_BITS) - 1);
		assert_in_range(step.even, 0, ESPL_EVEN_MOST);
		for (int64_t x = least; x <= most; x++)
			assert_int_equal(espl_step_value(&step, x - pivot.offset, pivot.zero_point,
			                                 curve->low, curve->high),
			                 espl_curve_value(curve, x));
		return true;
	}
	return false;
}

/* float32 scales have a form in nearly every case: a few in a hundred at ranges as wide as these
 * have none, and are refused by name. */
static void halves_to_even_about_a_pivot(void **state)
{
	enum { CASES = 300 };
	uint32_t random = 7;
	int found = 0;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		const bool relu = i % 2;
		const espl_curve curve = {
		        .scale = {.multiplier = (int32_t)within(&random, 1 << 23, (1 << 24) - 1)
		                                << 7,
		                  .exponent = (int)within(&random, -10, -6)},
		        .rounding = ESPL_ROUND_ONNX,
		        .zero_point = relu ? -128 : (int32_t)within(&random, -128, 127),
		        .low = -128,
		        .high = 127,
		};

		found += check_even(&curve, -within(&random, 1, 60000), within(&random, 0, 200000));
	}
	assert_in_range(found, CASES * 97 / 100, CASES);
}

/* Means over square images: many are halves. */
static void means_round_halves_to_even(void **state)
{
	(void)state;
	for (int side = 1; side <= 16; side++)
		for (int inside = 0; inside < 2; inside++) {
			const int cells = side * side;
			const espl_curve curve = {
			        .scale = espl_scale_from_float32(1.0f / (float)cells),
			        .rounding = ESPL_ROUND_ONNX,
			        .inside = inside,
			        .zero_point = -77,
			        .low = -128,
			        .high = 127,
			};

			assert_true(check_even(&curve, -51 * cells, 204 * cells));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equals_the_definition_at_every_value),
	        cmocka_unit_test(averages_round_halves_away_from_zero),
	        cmocka_unit_test(a_range_on_one_side_of_zero_is_enough),
	        cmocka_unit_test(constants_need_no_multiplier),
	        cmocka_unit_test(halves_to_even_about_a_pivot),
	        cmocka_unit_test(means_round_halves_to_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
