/* Is the product of the factor with itself the inverse?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/random.h"
#include "math/inverse.h"

#include <math.h>

enum { MOST = 40 };

static void by_hand(void **state)
{
	/* the inverse of {{2, 1}, {1, 1}} is {{1, -1}, {-1, 2}} = u^T u, u = {{1, -1}, {0, 1}} */
	double m[] = {2, 1, 1, 1};

	(void)state;
	assert_true(espl_inverse_factor(2, m));
	assert_float_equal(m[0], 1, 1e-12);
	assert_float_equal(m[1], -1, 1e-12);
	assert_float_equal(m[2], 0, 0);
	assert_float_equal(m[3], 1, 1e-12);
}

static void times_the_matrix_is_the_identity(void **state)
{
	static double h[MOST * MOST], u[MOST * MOST], inverse[MOST * MOST];
	espl_random random = espl_random_stream(1, 2, 3);

	(void)state;
	for (int n = 1; n <= MOST; n += 13) {
		for (int i = 0; i < n * n; i++)
			inverse[i] = (double)espl_random_below(&random, 2001) / 1000 - 1;
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++) {
				h[i * n + j] = i == j;
				for (int k = 0; k < n; k++)
					h[i * n + j] += inverse[i * n + k] * inverse[j * n + k];
				u[i * n + j] = h[i * n + j];
			}
		assert_true(espl_inverse_factor(n, u));
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++) {
				inverse[i * n + j] = 0;
				for (int k = 0; k < n; k++)
					inverse[i * n + j] += u[k * n + i] * u[k * n + j];
				assert_true(i <= j || u[i * n + j] == 0);
			}
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++) {
				double product = 0;

				for (int k = 0; k < n; k++)
					product += h[i * n + k] * inverse[k * n + j];
				assert_float_equal(product, i == j, 1e-9);
			}
	}
}

static void refuses_what_is_not_positive(void **state)
{
	double indefinite[] = {1, 2, 2, 1}, nothing[] = {0}, none[] = {NAN};

	(void)state;
	assert_false(espl_inverse_factor(2, indefinite));
	assert_false(espl_inverse_factor(1, nothing));
	assert_false(espl_inverse_factor(1, none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(by_hand),
	        cmocka_unit_test(times_the_matrix_is_the_identity),
	        cmocka_unit_test(refuses_what_is_not_positive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
