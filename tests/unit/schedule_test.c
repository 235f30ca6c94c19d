/* The plan as a whole: what every plan must keep, on nets made by seeds; failures with numbers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/schedule.h"

#include "lower/lower.h"
#include "schedule/work.h"
#include "tiny_net.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const espl_envelope arrays[] = {{.lanes = 8, .splits = 1},
                                       {.lanes = 8, .splits = 2, .requantizers = 1},
                                       {.lanes = 8, .splits = 4},
                                       {.lanes = 16, .splits = 8},
                                       {.lanes = 16, .splits = 16, .requantizers = 4}};

enum { CYCLES = 0x3fff }; /* of a group's word */
enum { ARRAYS = sizeof(arrays) / sizeof(arrays[0]), NETS = 40 };

/* Lowers and schedules; NULL when lowering or the engine's limits refuse it. */
static espl_plan *plan_of(const espl_net *net, const espl_envelope *envelope, espl_arena *arena,
                          espl_error *err)
{
	espl_lowered *lowered;
	espl_plan *plan;

	if (espl_lower(net, arena, &lowered, err) ||
	    espl_schedule(lowered, envelope, NULL, arena, &plan, err))
		return NULL;
	return plan;
}

/* Words [from, to) of the table `memory`; narrow and wide ones of split `split`. */
static const uint64_t *words_of(const espl_plan *plan, int memory, int split, int *address,
                                int *count)
{
	for (int i = 0; i < plan->image_count; i++) {
		const espl_image *image = &plan->images[i];

		if (image->memory != memory || (memory < 2 && !(image->splits >> split & 1)))
			continue;
		*address = image->address;
		*count = image->count;
		return image->words;
	}
	*address = *count = 0;
	return NULL;
}

static bool together(const espl_place *a, const espl_place *b)
{
	return a->first_layer <= b->last_layer && b->first_layer <= a->last_layer;
}

static bool overlap(const espl_place *x, const espl_plane *a, const espl_place *y,
                    const espl_plane *b)
{
	return (a->splits & b->splits) && a->word < b->word + y->plane_words &&
	       b->word < a->word + x->plane_words;
}

/* A member of a CONCAT lies inside its output, on purpose. */
static bool inside(const espl_lowered *lowered, int member, int whole)
{
	for (int l = 0; l < lowered->layer_count; l++) {
		const espl_layer *layer = &lowered->layers[l];

		if (layer->kind != ESPL_LAYER_CONCAT || layer->output != whole)
			continue;
		for (int i = 0; i < layer->input_count; i++)
			if (layer->inputs[i] == member)
				return true;
	}
	return false;
}

static void check_places(const espl_plan *plan)
{
	for (int p = 0; p < plan->place_count; p++)
		for (int q = 0; q < p; q++) {
			const espl_place *x = &plan->places[p], *y = &plan->places[q];

			if (!together(x, y) || inside(plan->lowered, x->tensor, y->tensor) ||
			    inside(plan->lowered, y->tensor, x->tensor))
				continue;
			for (int a = 0; a < x->plane_count; a++)
				for (int b = 0; b < y->plane_count; b++)
					assert_false(overlap(x, &x->planes[a], y, &y->planes[b]));
		}
}

/* Groups' cycles are what the narrow memories hold, two in a word of a plain layer, and the program
 * names them without gaps. */
static void check_program(const espl_plan *plan)
{
	int at, groups, words, narrow_at, narrow, next = 0;
	const uint64_t *group = words_of(plan, 5, 0, &at, &groups);
	const uint64_t *program = words_of(plan, 9, 0, &at, &words);
	int64_t held = 0, spoken_for = 0;

	words_of(plan, 1, 0, &narrow_at, &narrow);
	assert_int_equal(words, 4 * plan->layer_count);
	for (int l = 0; l < plan->layer_count; l++) {
		const uint64_t *word = program + 4 * l;
		const int count = (int)(word[1] >> 16 & 0xffff);
		const bool dense = (word[0] >> 45 & 3) == 2, plain = word[0] >> 47 & 1;

		assert_int_equal(word[1] & 0xffff, next);
		assert_int_equal(word[0] >> 41 & 1, l == plan->layer_count - 1);
		if (!dense)
			assert_int_equal(word[3] >> 40 & 0x1ffff, narrow_at + held);
		for (int g = next; g < next + count && !dense; g++)
			held += ((int)(group[g] & CYCLES) + plain) / (1 + plain);
		next += count;
		spoken_for += plan->layers[l].cycles;
	}
	assert_int_equal(next, groups);
	assert_int_equal(held, narrow);
	assert_true(plan->interval_cycles > spoken_for);
}

static void every_plan_keeps_places_and_program_in_order(void **state)
{
	int done = 0;

	(void)state;
	for (uint32_t seed = 0; seed < NETS; seed++) {
		espl_arena *arena = espl_arena_create();
		espl_error err = {0};
		const espl_plan *plan =
		        plan_of(tiny_net(arena, seed), &arrays[seed % ARRAYS], arena, &err);

		if (plan) {
			check_places(plan);
			check_program(plan);
			done++;
		} else {
			assert_true(err.message[0]);
		}
		espl_arena_destroy(arena);
	}
	assert_true(done >= NETS * 3 / 4);
}

static void the_same_net_gives_the_same_plan(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 5; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_net(arena, seed);
		const espl_plan *a = plan_of(net, &arrays[2], arena, NULL);
		const espl_plan *b = plan_of(net, &arrays[2], arena, NULL);

		assert_true(!a == !b);
		if (a) {
			assert_string_equal(a->decisions, b->decisions);
			assert_int_equal(a->image_count, b->image_count);
			for (int i = 0; i < a->image_count; i++)
				assert_memory_equal(a->images[i].words, b->images[i].words,
				                    8 * a->images[i].count * a->images[i].beats);
		}
		espl_arena_destroy(arena);
	}
}

/* In each group some split has work to its last cycle: none is waited for in vain. */
static void no_cycle_of_a_group_is_idle_in_all_splits(void **state)
{
	static const int shape[] = {6, 6, 20};

	(void)state;
	for (uint32_t seed = 0; seed < 12; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_conv(arena, seed, shape, 3, 1, 7, 1 + (int)(seed % 4));
		const espl_plan *plan = plan_of(net, &arrays[2], arena, NULL);
		int at, groups, count, next = 0;
		int64_t nonzero = 0;
		const uint64_t *group = words_of(plan, 5, 0, &at, &groups);

		if (words_of(plan, 9, 0, &at, &count)[0] >> 47 & 1) { /* plain: zeros too */
			espl_arena_destroy(arena);
			continue;
		}
		for (int g = 0; g < groups && plan->layers[0].lowered >= 0; g++) {
			const int cycles = (int)(group[g] & CYCLES);
			bool busy = cycles == 1;

			for (int s = 0; s < 4; s++) {
				const uint64_t *narrow = words_of(plan, 1, s, &at, &count);

				busy = busy || narrow[next + cycles - 1] & 0xff;
				for (int i = 0; i < cycles; i++)
					nonzero += (narrow[next + i] & 0xff) != 0;
			}
			assert_true(busy);
			next += cycles;
		}
		/* every weight that is not zero is there once; a copy of the result may follow */
		assert_true(nonzero >= plan->layers[0].issued);
		espl_arena_destroy(arena);
	}
}

static void dense_weights_balance_exactly(void **state)
{
	static const int shape[] = {8, 8, 8};
	espl_arena *arena = espl_arena_create();
	const espl_net *net = tiny_conv(arena, 1, shape, 1, 1, 6, 1);
	const espl_plan *plan;
	int at, groups;
	const uint64_t *group;

	(void)state;
	for (int i = 0; i < 8 * 6; i++)
		((int8_t *)net->ops[0].weights)[i] |= 1;
	plan = plan_of(net, &arrays[2], arena, NULL);
	assert_non_null(plan);
	group = words_of(plan, 5, 0, &at, &groups);
	for (int g = 0; g < 6; g++)
		assert_int_equal(group[g] & CYCLES, 2); /* 8 channels in 4 splits */
	espl_arena_destroy(arena);
}

static void a_budget_that_is_too_small_names_one_that_fits(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_net *net = tiny_net(arena, 4);
	espl_envelope envelope = {.lanes = 8, .splits = 2, .memory_bytes = 100};
	espl_error err = {0};
	const char *numbers;
	long long needs, fits;

	(void)state;
	assert_null(plan_of(net, &envelope, arena, &err));
	assert_int_equal(err.status, ESPL_BUDGET);
	assert_int_equal(
	        sscanf(err.message, "the network needs %lld bytes of memory on 8x2 (", &needs), 1);
	assert_non_null(strstr(err.message, ", the envelope has 100; a smaller network, or an "));
	numbers = strstr(err.message, "envelope of --memory ");
	assert_non_null(numbers);
	assert_int_equal(sscanf(numbers, "envelope of --memory %lld, would fit", &fits), 1);
	assert_int_equal(needs, fits);
	envelope.memory_bytes = fits;
	assert_non_null(plan_of(net, &envelope, arena, &err));
	espl_arena_destroy(arena);
}

static void check_usage(espl_envelope envelope, const char *message)
{
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};

	assert_null(plan_of(tiny_net(arena, 4), &envelope, arena, &err));
	assert_int_equal(err.status, ESPL_USAGE);
	assert_string_equal(err.message, message);
	espl_arena_destroy(arena);
}

static void arrays_that_cannot_be_are_refused(void **state)
{
	(void)state;
	check_usage((espl_envelope){.lanes = 7, .splits = 2}, "7 lanes: 8, 16 or 32 are possible");
	check_usage((espl_envelope){.lanes = 64, .splits = 2},
	            "64 lanes: 8, 16 or 32 are possible");
	check_usage((espl_envelope){.lanes = 8, .splits = 32},
	            "32 splits: 1, 2, 4, 8 or 16 are possible");
	check_usage(
	        (espl_envelope){.lanes = 8, .splits = 4, .requantizers = 8},
	        "8 requantizers: a power of two, at most the lesser of lanes and splits (4), is "
	        "possible");
}

static void check_refused(int columns, const char *message)
{
	const int shape[] = {5, columns, 1};
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};

	assert_null(plan_of(tiny_conv(arena, 1, shape, 5, 1, 1, 1), &arrays[0], arena, &err));
	assert_int_equal(err.status, ESPL_BUDGET);
	assert_string_equal(err.message, message);
	espl_arena_destroy(arena);
}

static void what_the_tables_cannot_hold_is_refused_with_the_numbers(void **state)
{
	(void)state;
	/* two rows of 2500 and two columns further on */
	check_refused(2500, "the program needs 5002 bytes between an output and a tap of it, the "
	                    "engine can address 4095");
	/* a result in order: an entry a position where there is one requantizer */
	check_refused(1600, "the program needs 8000 entries of drain lists, the engine can "
	                    "address 4096");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_plan_keeps_places_and_program_in_order),
	        cmocka_unit_test(the_same_net_gives_the_same_plan),
	        cmocka_unit_test(no_cycle_of_a_group_is_idle_in_all_splits),
	        cmocka_unit_test(dense_weights_balance_exactly),
	        cmocka_unit_test(a_budget_that_is_too_small_names_one_that_fits),
	        cmocka_unit_test(arrays_that_cannot_be_are_refused),
	        cmocka_unit_test(what_the_tables_cannot_hold_is_refused_with_the_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
