/* plan.json: what is given back is taken as it is. Refusals are in tests/golden/plan/fails.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/schedule.h"

#include "lower/lower.h"
#include "tiny_net.h"
#include "unit.h"

#include <string.h>

static espl_status schedule(const espl_net *net, const espl_envelope *envelope,
                            const char *decisions, espl_arena *arena, espl_plan **plan)
{
	const espl_span text = {(const unsigned char *)decisions,
	                        decisions ? strlen(decisions) : 0};
	espl_lowered *lowered;

	ESPL_TRY(espl_lower(net, arena, &lowered, NULL));
	return espl_schedule(lowered, envelope, decisions ? &text : NULL, arena, plan, NULL);
}

static void check_same(const espl_plan *a, const espl_plan *b)
{
	assert_string_equal(a->decisions, b->decisions);
	assert_int_equal(a->latency_cycles, b->latency_cycles);
	assert_int_equal(a->image_count, b->image_count);
	for (int i = 0; i < a->image_count; i++) {
		assert_int_equal(a->images[i].count, b->images[i].count);
		assert_memory_equal(a->images[i].words, b->images[i].words,
		                    8 * a->images[i].count * a->images[i].beats);
	}
}

static void a_plan_given_back_gives_itself(void **state)
{
	static const espl_envelope arrays[] = {
	        {.lanes = 8, .splits = 2}, {.lanes = 8, .splits = 4}, {.lanes = 16, .splits = 8}};
	int done = 0;

	(void)state;
	for (uint32_t seed = 0; seed < 30; seed++) {
		const espl_envelope *envelope = &arrays[seed % 3];
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_net(arena, seed);
		espl_plan *first, *again;

		if (!schedule(net, envelope, NULL, arena, &first)) {
			assert_int_equal(schedule(net, envelope, first->decisions, arena, &again),
			                 ESPL_OK);
			check_same(first, again);
			done++;
		}
		espl_arena_destroy(arena);
	}
	assert_true(done >= 20);
}

/* A limit of memory makes other decisions: without copies. They hold without the limit as well. */
static void decisions_made_elsewhere_are_not_made_anew(void **state)
{
	const espl_envelope limited = {.lanes = 8, .splits = 4, .memory_bytes = 1 << 24};
	const espl_envelope free = {.lanes = 8, .splits = 4};
	int done = 0, differing = 0;

	(void)state;
	for (uint32_t seed = 0; seed < 30; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_net(arena, seed);
		espl_plan *given, *own, *again;

		if (!schedule(net, &limited, NULL, arena, &given) &&
		    !schedule(net, &free, NULL, arena, &own)) {
			assert_int_equal(schedule(net, &free, given->decisions, arena, &again),
			                 ESPL_OK);
			assert_string_equal(given->decisions, again->decisions);
			differing += strcmp(given->decisions, own->decisions) != 0;
			done++;
		}
		espl_arena_destroy(arena);
	}
	assert_true(done >= 20 && differing > 0);
}

static void text_that_is_no_plan_is_refused(void **state)
{
	static const char *const texts[] = {
	        "",
	        "{",
	        "[]",
	        "{\"format\": 1}",
	        "{\"format\": 1, \"lanes\": 8, \"splits\": 2}",
	        "{\"format\": 1, \"lanes\": 8, \"splits\": 2, \"tensors\": [1]}"};
	const espl_envelope envelope = {.lanes = 8, .splits = 2};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		espl_arena *arena = espl_arena_create();
		espl_plan *plan = NULL;

		assert_int_not_equal(
		        schedule(tiny_net(arena, 4), &envelope, texts[i], arena, &plan), ESPL_OK);
		assert_null(plan);
		espl_arena_destroy(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_plan_given_back_gives_itself),
	        cmocka_unit_test(decisions_made_elsewhere_are_not_made_anew),
	        cmocka_unit_test(text_that_is_no_plan_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
