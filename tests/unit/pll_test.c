/* Are PLL settings within the board's bands, and is the clock what they say?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "flow/pll.h"

#include <stdlib.h>

static espl_arena *arena;
static const espl_board *boards;
static int board_count;

static int read_boards(void **state)
{
	const char *items[] = {"boards", NULL};
	const espl_strings tree = {1, items};

	(void)state;
	arena = espl_arena_create();
	return (int)espl_boards(&tree, arena, &boards, &board_count, NULL);
}

static int drop_boards(void **state)
{
	(void)state;
	espl_arena_destroy(arena);
	return 0;
}

static const espl_board *board(const char *name)
{
	const char *items[] = {"boards", NULL};
	const espl_strings tree = {1, items};
	const espl_board *out = NULL;

	assert_int_equal(espl_board_find(name, &tree, arena, &out, NULL), ESPL_OK);
	return out;
}

static espl_pll choose(const espl_board *b, int64_t hz)
{
	const espl_family *family;
	espl_pll pll = {0};

	assert_int_equal(espl_family_find(b->family, &family, NULL), ESPL_OK);
	assert_int_equal(espl_pll_choose(family, b, hz, &pll, NULL), ESPL_OK);
	return pll;
}

/* As the vendors' own calculators have it. */
static void finds_well_known_settings(void **state)
{
	espl_pll pll = choose(board("ulx3s-85f"), 100000000);

	(void)state;
	assert_int_equal(pll.divide, 1);
	assert_int_equal(pll.multiply, 4);
	assert_int_equal(pll.clock_hz, 100000000);
	pll = choose(board("icebreaker"), 30000000); /* icepll: DIVR 0, DIVF 79, DIVQ 5 */
	assert_int_equal(pll.divide, 1);
	assert_int_equal(pll.multiply, 80);
	assert_int_equal(pll.post, 32);
	pll = choose(board("tang-nano-9k"), 81000000);
	assert_int_equal(pll.divide, 1);
	assert_int_equal(pll.multiply, 3);
}

static void uses_the_oscillator_itself(void **state)
{
	(void)state;
	assert_int_equal(choose(board("icebreaker"), 12000000).multiply, 0);
}

static void refuses_what_no_setting_makes(void **state)
{
	const espl_board *b = board("icebreaker");
	const espl_family *family;
	espl_error err = {0};
	espl_pll pll;

	(void)state;
	assert_int_equal(espl_family_find(b->family, &family, NULL), ESPL_OK);
	assert_int_equal(espl_pll_choose(family, b, 13000000, &pll, &err), ESPL_UNSUPPORTED);
	assert_int_equal(espl_pll_choose(family, b, 900000000, &pll, &err), ESPL_UNSUPPORTED);
}

static void stays_within_every_band(void **state)
{
	(void)state;
	for (int i = 0; i < board_count; i++) {
		const espl_board *b = &boards[i];
		const espl_family *family;

		assert_int_equal(espl_family_find(b->family, &family, NULL), ESPL_OK);
		for (int64_t hz = 5000000; hz < 200000000; hz += 1234567) {
			espl_pll pll;
			double compare, vco, out;

			if (espl_pll_choose(family, b, hz, &pll, NULL) || !pll.multiply)
				continue;
			compare = (double)b->oscillator_hz / pll.divide;
			vco = compare * pll.multiply * (family->post_in_loop ? pll.post : 1);
			out = vco / pll.post;
			assert_true(compare >= (double)b->compare.low &&
			            compare <= (double)b->compare.high);
			assert_true(vco >= (double)b->vco.low && vco <= (double)b->vco.high);
			assert_true(out >= (double)b->output.low && out <= (double)b->output.high);
			assert_true(llabs((int64_t)out - pll.clock_hz) <= 1);
			assert_true(llabs(pll.clock_hz - hz) * 50 <= hz);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_well_known_settings),
	        cmocka_unit_test(uses_the_oscillator_itself),
	        cmocka_unit_test(refuses_what_no_setting_makes),
	        cmocka_unit_test(stays_within_every_band),
	};

	return cmocka_run_group_tests(tests, read_boards, drop_boards);
}
