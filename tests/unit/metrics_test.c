/* Are the measures what one gets by hand?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "judge/metrics.h"

#include <math.h>

static void assert_near(double got, double expected)
{
	if (!(fabs(got - expected) < 1e-6))
		fail_msg("%.9g, expected %.9g", got, expected);
}

static void the_first_of_equals_is_the_answer(void **state)
{
	const float values[] = {1, 3, 3, -5};

	(void)state;
	assert_int_equal(espl_argmax(values, 4), 1);
	assert_near(espl_margin(values, 4), 0);
	assert_near(espl_margin((const float[]){1, 4, 2.5F}, 3), 1.5);
	assert_near(espl_margin((const float[]){-1, -4}, 2), 3);
}

/* ln 3, ln 2 and ln 5 are the probabilities 0.3, 0.2 and 0.5. */
static void probabilities_are_the_softmax(void **state)
{
	const float values[] = {1.0986123F, 0.6931472F, 1.6094379F};
	const float large[] = {1000, 0};

	(void)state;
	assert_near(espl_confidence(values, 3), 0.5);
	assert_near(espl_log_probability(values, 3, 0), log(0.3));
	assert_near(espl_log_probability(values, 3, 2), log(0.5));
	assert_near(espl_confidence(large, 2), 1);
	assert_near(espl_log_probability(large, 2, 1), -1000);
}

/* Two bins: 0.9 and 0.95 both in the last but one or last, 0.5 in the eighth of 15.
 *   [0.8667, 0.9333): 0.9, right:      |0.9 - 1|        = 0.1
 *   [0.9333, 1]:      0.95 and 1.0:    |1.95 - 1|       = 0.95
 *   [0.4667, 0.5333): 0.5, wrong:      |0.5 - 0|        = 0.5
 * over four samples: 1.55 / 4 */
static void calibration_error_is_the_gap_in_each_bin(void **state)
{
	const float confidence[] = {0.9F, 0.95F, 1.0F, 0.5F};
	const bool right[] = {true, true, false, false};
	const float certain[] = {1, 1};
	const bool both[] = {true, true};

	(void)state;
	assert_near(espl_calibration_error(confidence, right, 4), 1.55 / 4);
	assert_near(espl_calibration_error(certain, both, 2), 0);
	assert_near(espl_calibration_error(NULL, NULL, 0), 0);
}

/* Binomials by hand: 2 * (1 + 5) / 32; 2 * 1 / 16; the middle is capped at 1. */
static void mcnemar_is_the_exact_binomial(void **state)
{
	(void)state;
	assert_near(espl_mcnemar(1, 4), 0.375);
	assert_near(espl_mcnemar(4, 1), 0.375);
	assert_near(espl_mcnemar(0, 4), 0.125);
	assert_near(espl_mcnemar(3, 3), 1);
	assert_near(espl_mcnemar(0, 0), 1);
	/* of 400 and 500, by the normal distribution with continuity: z = 99 / 30 = 3.3 */
	assert_true(espl_mcnemar(400, 500) > 0.0008 && espl_mcnemar(400, 500) < 0.0011);
}

static void the_least_come_in_order(void **state)
{
	const float values[] = {3, 1, 2, 1, 0, 5};
	espl_arena *arena = espl_arena_create();
	const int *least = espl_least(values, 6, 4, arena);

	(void)state;
	assert_int_equal(least[0], 4);
	assert_int_equal(least[1], 1);
	assert_int_equal(least[2], 3);
	assert_int_equal(least[3], 2);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_of_equals_is_the_answer),
	        cmocka_unit_test(probabilities_are_the_softmax),
	        cmocka_unit_test(calibration_error_is_the_gap_in_each_bin),
	        cmocka_unit_test(mcnemar_is_the_exact_binomial),
	        cmocka_unit_test(the_least_come_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
