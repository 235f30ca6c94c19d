/* Are the random numbers SplitMix64's, unbiased and the same for ever?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/random.h"

/* The upper halves of the published generator's outputs from state 1234567. */
static void gives_the_published_numbers(void **state)
{
	static const uint64_t published[] = {UINT64_C(6457827717110365317),
	                                     UINT64_C(3203168211198807973),
	                                     UINT64_C(9817491932198370423)};
	espl_random random = {1234567};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(espl_random_next(&random), published[i] >> 32);
}

static void draws_evenly_below_a_count(void **state)
{
	espl_random random = espl_random_stream(1, 2, 3);
	int counts[7] = {0};

	(void)state;
	for (int i = 0; i < 70000; i++)
		counts[espl_random_below(&random, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9600, 10400); /* four standard deviations */
	assert_int_equal(espl_random_below(&random, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_true(espl_random_below(&random, UINT32_MAX) < UINT32_MAX);
}

static void streams_differ_in_each_number(void **state)
{
	const uint32_t numbers[][3] = {{1, 2, 3}, {0, 2, 3}, {1, 3, 2}, {1, 2, 4}, {2, 1, 3}};
	uint32_t first[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		espl_random random =
		        espl_random_stream(numbers[i][0], numbers[i][1], numbers[i][2]);

		first[i] = espl_random_next(&random);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(first[i], first[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_the_published_numbers),
	        cmocka_unit_test(draws_evenly_below_a_count),
	        cmocka_unit_test(streams_differ_in_each_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
