/* The exact count of cycles: cases worked out by hand from the rule in the file's head.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The gap between layers is the pipeline's, and not repeated here: it is what one block of one
 * cycle with one step of drain takes beyond last = 0, drained = 1.
 */
#include "scheduling.h"

static int64_t gap(const espl_work *work)
{
	static const int one[] = {1};

	return espl_count_cycles(work, one, one, 1, one, 1, 1) - 1;
}

/* Cycles without the gap: those until the last block is drained. */
static int64_t count(const espl_work *work, const int *cycles, const int *loops, int groups,
                     const int *entries, int period, int blocks)
{
	return espl_count_cycles(work, cycles, loops, groups, entries, period, blocks) - gap(work);
}

static void computing_hides_the_drain(void **state)
{
	static const int cycles[] = {5}, loops[] = {1}, entries[] = {1};
	espl_arena *arena = espl_arena_create();
	const espl_work work = scheduling(arena, 8, 1, 1);

	(void)state;
	/* last = 4, 9, 14; drained = 15 */
	assert_int_equal(count(&work, cycles, loops, 1, entries, 1, 3), 15);
	espl_arena_destroy(arena);
}

static void the_drain_holds_back_the_last_cycle(void **state)
{
	static const int cycles[] = {2}, loops[] = {1}, entries[] = {4};
	espl_arena *arena = espl_arena_create();
	const espl_work work = scheduling(arena, 8, 1, 1);

	(void)state;
	/* last = 1, max(3, 5), max(7, 9); drained = 5, 9, 13 */
	assert_int_equal(count(&work, cycles, loops, 1, entries, 1, 3), 13);
	espl_arena_destroy(arena);
}

static void loops_repeat_a_blocks_entries(void **state)
{
	static const int cycles[] = {2, 9}, loops[] = {3, 1}, entries[] = {2};
	espl_arena *arena = espl_arena_create();
	const espl_work work = scheduling(arena, 8, 4, 4);

	(void)state;
	/* group 0: last = 1, drained = 7; group 1: last = max(10, 7), drained = 12 */
	assert_int_equal(count(&work, cycles, loops, 2, entries, 1, 1), 12);
	/* two blocks: 1, 7 | 7, 13 | 16, 18 | 25, 27 */
	assert_int_equal(count(&work, cycles, loops, 2, entries, 1, 2), 27);
	espl_arena_destroy(arena);
}

static void entries_come_round_with_the_period(void **state)
{
	static const int cycles[] = {1}, loops[] = {1}, entries[] = {1, 4};
	espl_arena *arena = espl_arena_create();
	const espl_work work = scheduling(arena, 8, 1, 1);

	(void)state;
	/* last, drained: 0, 1 | 1, 5 | 5, 6 | 6, 10 | 10, 11 */
	assert_int_equal(count(&work, cycles, loops, 1, entries, 2, 5), 11);
	espl_arena_destroy(arena);
}

static void the_gap_grows_with_the_adder_tree_only(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_work one = scheduling(arena, 8, 1, 1), wide = scheduling(arena, 32, 1, 1);
	const espl_work four = scheduling(arena, 8, 4, 4), most = scheduling(arena, 16, 16, 4);

	(void)state;
	assert_int_equal(gap(&one), gap(&wide));
	assert_true(gap(&one) < gap(&four) && gap(&four) < gap(&most));
	espl_arena_destroy(arena);
}

static void a_layers_cycle_is_a_cycle_of_latency_and_interval(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_plan *first;
	espl_work work = scheduling(arena, 8, 1, 1);

	(void)state;
	for (int more = 0; more < 2; more++) {
		work.plan = ESPL_NEW(arena, espl_plan);
		work.plan->layers = ESPL_ARRAY(arena, espl_plan_layer, 2);
		work.plan->layer_count = 2;
		work.plan->layers[0].cycles = 100 + more;
		work.plan->layers[1].cycles = 50;
		work.plan->output_beats = 3;
		espl_count_latency(&work);
		if (!more) {
			first = work.plan;
			continue;
		}
		assert_int_equal(work.plan->latency_cycles, first->latency_cycles + 1);
		assert_int_equal(work.plan->interval_cycles, first->interval_cycles + 1);
	}
	espl_arena_destroy(arena);
}

static void a_result_may_leave_early_but_not_before_its_bytes(void **state)
{
	static const int entries[] = {8, 8, 8, 8};
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 1, 1, 40);
	const int out = scheduling_tensor(&work, "out", 1, 1, 32);
	espl_work_layer *layer = scheduling_layer(&work, ESPL_LAYER_DENSE, in, out, 1, 1);
	int64_t before = 0;

	(void)state;
	layer->blocks = 4;
	work.tensors[out].kind = ESPL_PLACE_OUTPUT;
	/* the last beat's last byte is in the last block: a cycle more in each is four more, and
	 * the beats before it leave at one a cycle */
	for (int cycles = 40; cycles < 44; cycles++) {
		const int64_t delay = espl_output_delay(&work, layer, cycles, entries);

		assert_true(delay >= 4 * cycles - 3);
		assert_true(!before || delay == before + 4);
		before = delay;
	}
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(computing_hides_the_drain),
	        cmocka_unit_test(the_drain_holds_back_the_last_cycle),
	        cmocka_unit_test(loops_repeat_a_blocks_entries),
	        cmocka_unit_test(entries_come_round_with_the_period),
	        cmocka_unit_test(the_gap_grows_with_the_adder_tree_only),
	        cmocka_unit_test(a_layers_cycle_is_a_cycle_of_latency_and_interval),
	        cmocka_unit_test(a_result_may_leave_early_but_not_before_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
