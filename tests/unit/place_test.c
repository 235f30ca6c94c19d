/* Words over time: never two tensors in one place at one time, whatever their lifetimes.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scheduling.h"

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A tensor of `words` words, written by layer `first`, last read by layer `last`. */
static int add(espl_work *work, const char *name, int first, int last, int words)
{
	const int t = scheduling_tensor(work, name, 1, 1, 1);

	work->tensors[t].first = first;
	work->tensors[t].last = last;
	work->tensors[t].words = words;
	return t;
}

static bool share(const espl_work_tensor *a, const espl_work_tensor *b)
{
	return a->first <= b->last && b->first <= a->last && a->base < b->base + b->words &&
	       b->base < a->base + a->words;
}

static void nothing_overlaps_in_time_and_space(void **state)
{
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 400; round++) {
		espl_arena *arena = espl_arena_create();
		espl_work work = scheduling(arena, 8, 2, 2);
		int live[12] = {0}, most = 0;

		work.layer_count = 10;
		for (int t = 0; t < 20; t++) {
			const int first = (int)(next(&random) % 10) - 1;
			const int index = add(&work, "t", first,
			                      first + (int)(next(&random) % (uint32_t)(11 - first)),
			                      1 + (int)(next(&random) % 60));

			work.tensors[index].is_input = t == 0;
		}
		assert_int_equal(espl_place_tensors(&work, NULL), ESPL_OK);
		for (int a = 0; a < 20; a++) {
			const espl_work_tensor *x = &work.tensors[a];

			assert_true(x->base >= 0 && x->base + x->words <= work.activation_words);
			for (int b = 0; b < a; b++)
				assert_false(share(x, &work.tensors[b]));
			for (int time = x->first; time <= x->last && time < 11; time++)
				live[time + 1] += x->words;
		}
		/* no worse than twice what lives at once at the busiest time */
		for (int time = 0; time < 12; time++)
			most = espl_greatest(most, live[time]);
		assert_true(work.activation_words >= most && work.activation_words <= 2 * most);
		espl_arena_destroy(arena);
	}
}

static void a_chain_of_layers_takes_two_places(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 2, 2);

	(void)state;
	work.layer_count = 6;
	for (int l = 0; l < 5; l++)
		add(&work, "t", l, l + 1, 100);
	assert_int_equal(espl_place_tensors(&work, NULL), ESPL_OK);
	assert_int_equal(work.activation_words, 200);
	espl_arena_destroy(arena);
}

static void an_input_keeps_its_place_for_good(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 2, 2);
	const int input = add(&work, "in", -1, 0, 30);

	(void)state;
	work.layer_count = 6;
	work.tensors[input].is_input = true;
	add(&work, "late", 4, 5, 10);
	assert_int_equal(espl_place_tensors(&work, NULL), ESPL_OK);
	assert_int_equal(work.activation_words, 40);
	espl_arena_destroy(arena);
}

static void a_concats_place_lives_from_its_first_member(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 2, 2);
	const int member = add(&work, "member", 0, 3, 0), whole = add(&work, "whole", 3, 4, 50);
	const int other = add(&work, "other", 1, 2, 20);

	(void)state;
	work.layer_count = 6;
	work.tensors[member].alias = whole;
	assert_int_equal(espl_place_tensors(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[whole].first, 0);
	assert_int_equal(work.tensors[whole].last, 4);
	assert_false(share(&work.tensors[whole], &work.tensors[other]));
	espl_arena_destroy(arena);
}

static void what_cannot_be_addressed_is_refused_with_the_numbers(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 16, 2, 2);
	espl_error err = {0};

	(void)state;
	work.layer_count = 2;
	add(&work, "a", 0, 1, 8000);
	add(&work, "b", 1, 1, 192);
	assert_int_equal(espl_place_tensors(&work, &err), ESPL_OK);
	work.tensors[1].words = 193;
	assert_int_equal(espl_place_tensors(&work, &err), ESPL_BUDGET);
	assert_string_equal(err.message,
	                    "activations take 8193 words of 16 bytes in a split, at most 8192 can "
	                    "be addressed; more splits would fit");
	espl_arena_destroy(arena);
}

static void vectors_and_results_lie_one_after_another(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 1, 1, 13);
	const int v = scheduling_tensor(&work, "v", 1, 1, 5);
	const int a = scheduling_tensor(&work, "a", 1, 1, 9),
	          b = scheduling_tensor(&work, "b", 2, 3, 2);

	(void)state;
	work.tensors[in].kind = work.tensors[v].kind = ESPL_PLACE_VECTOR;
	work.tensors[in].is_input = true;
	work.tensors[a].kind = work.tensors[b].kind = ESPL_PLACE_OUTPUT;
	espl_place_vectors(&work);
	assert_int_equal(espl_measure_places(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[in].base, 0);
	assert_int_equal(work.tensors[in].elements, 16); /* 13 in slots of 4 */
	assert_int_equal(work.tensors[v].base, 16);
	assert_int_equal(work.tensors[v].elements, 8); /* whole words of 8 lanes */
	assert_int_equal(work.vector_slots, 6);
	assert_int_equal(work.tensors[a].elements, 16);
	assert_int_equal(work.tensors[b].base, 16);
	assert_int_equal(work.tensors[b].channel_stride, 6);
	assert_int_equal(work.output_bytes, 32); /* 12 bytes of b in beats of 8 */
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_overlaps_in_time_and_space),
	        cmocka_unit_test(a_chain_of_layers_takes_two_places),
	        cmocka_unit_test(an_input_keeps_its_place_for_good),
	        cmocka_unit_test(a_concats_place_lives_from_its_first_member),
	        cmocka_unit_test(what_cannot_be_addressed_is_refused_with_the_numbers),
	        cmocka_unit_test(vectors_and_results_lie_one_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
