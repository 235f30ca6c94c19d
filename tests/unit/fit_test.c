/* The search as a whole, on images of 8x8 that a seed draws: finds, goes on, repeats nothing.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "fit/fit.h"

#include "compress/quantize.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, CLASSES = 3, TRAIN = 240, HELD = 60 };

static char folder[] = "/tmp/espl_fit_XXXXXX";
static uint8_t images[TRAIN + 2 * HELD][SIDE * SIDE], labels[TRAIN + 2 * HELD];

static espl_samples samples(int first, int count)
{
	return (espl_samples){.count = count,
	                      .rows = SIDE,
	                      .columns = SIDE,
	                      .channels = 1,
	                      .classes = CLASSES,
	                      .bytes = images[first],
	                      .labels = labels + first};
}

/* A bright bar at a place that says the class, in noise. */
static int begin(void **state)
{
	uint32_t random = 12345;

	(void)state;
	for (int i = 0; i < TRAIN + 2 * HELD; i++) {
		labels[i] = (uint8_t)(i % CLASSES);
		for (int p = 0; p < SIDE * SIDE; p++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			images[i][p] = (uint8_t)(random % 120);
			if (p / SIDE / 3 == labels[i])
				images[i][p] = (uint8_t)(images[i][p] + 100);
		}
	}
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *store_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static espl_data data(void)
{
	return (espl_data){.train = samples(0, TRAIN),
	                   .validation = samples(TRAIN, HELD),
	                   .test = samples(TRAIN + HELD, HELD)};
}

static espl_fit_task task(const espl_data *of, const char *store)
{
	espl_fit_task t = {.data = of,
	                   .effort = ESPL_EFFORT_QUICK,
	                   .epochs = 5,
	                   .multiplications = 60000,
	                   .latency_ms = 0.1,
	                   .seed = 2,
	                   .threads = 1,
	                   .store = store};
	espl_error err = {0};

	assert_int_equal(espl_frame_of_limits(5, 60000, 50000000, &t.frame, &err), ESPL_OK);
	return t;
}

static void finds_a_network_that_fits_and_has_learned(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data d = data();
	const char *store = store_path("a.sqlite");
	const espl_fit_task t = task(&d, store);
	const espl_tried *chosen;
	espl_fit_result r;
	espl_error err = {0};
	double accuracy;

	(void)state;
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_OK);
	chosen = &r.search.tried[r.search.chosen];
	assert_true(chosen->price.latency_cycles <= 5000);
	assert_true(r.plan->latency_cycles == chosen->price.latency_cycles);
	assert_true(r.plan->dsps <= 5);
	assert_true(r.plan->memory_bytes <= 60000);
	assert_true(chosen->front);
	/* three classes: a third by guessing */
	assert_true(r.test_correct > HELD * 3 / 4);
	assert_int_equal(espl_net_accuracy(r.net, &d.test, 1, &accuracy, &err), ESPL_OK);
	assert_int_equal(r.test_correct, (int)(accuracy * HELD + 0.5));
	assert_int_equal(espl_net_accuracy(r.net, &d.validation, 1, &accuracy, &err), ESPL_OK);
	assert_int_equal(chosen->correct, (int)(accuracy * HELD + 0.5));
	assert_true(r.trained > 3);
	espl_arena_destroy(arena);
}

static int questions; /* that are answered before the search is stopped */

static bool stop(void *user)
{
	(void)user;
	return questions-- <= 0;
}

/* The one that was not stopped is the search of the test before, from its store. */
static void a_stopped_search_gives_the_same_bytes(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data d = data();
	espl_fit_task whole = task(&d, espl_arena_string(arena, store_path("a.sqlite")));
	espl_fit_task parts = task(&d, espl_arena_string(arena, store_path("parts.sqlite")));
	const char *text[2], *json[2];
	espl_fit_result r, s;
	espl_error err = {0};
	size_t size[4];
	int stops = 0;

	(void)state;
	assert_int_equal(espl_fit(&whole, arena, &r, &err), ESPL_OK);
	assert_int_equal(r.trained, 0);
	assert_true(r.remembered > 3);
	parts.stop = stop;
	for (questions = 5; espl_fit(&parts, arena, &s, &err); questions = 40 + 20 * stops) {
		assert_int_equal(err.status, ESPL_INTERRUPTED);
		stops++;
	}
	assert_true(stops > 2);
	assert_int_equal(s.trained + s.remembered, r.remembered);
	assert_true(s.remembered > 0);
	json[0] = espl_fit_json(&whole, &r, arena, &size[0]);
	json[1] = espl_fit_json(&parts, &s, arena, &size[1]);
	assert_string_equal(json[0], json[1]);
	assert_int_equal(espl_net_print(r.net, arena, &text[0], &size[2], &err), ESPL_OK);
	assert_int_equal(espl_net_print(s.net, arena, &text[1], &size[3], &err), ESPL_OK);
	assert_string_equal(text[0], text[1]);
	remove(whole.store);
	remove(parts.store);
	espl_arena_destroy(arena);
}

static void says_what_comes_closest(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data d = data();
	const char *store = store_path("none.sqlite");
	espl_fit_task t = task(&d, store);
	espl_fit_result r;
	espl_error err = {0};
	size_t size;

	(void)state;
	t.latency_ms = 0.0001;
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "as fast as asked"));
	assert_non_null(strstr(err.message, "width=4"));
	assert_int_equal(r.trained, 0);
	assert_non_null(strstr(espl_fit_json(&t, &r, arena, &size), "\"nearest\""));
	t = task(&d, store);
	t.throughput = 1e9;
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "inferences a second"));
	t = task(&d, store);
	t.multiplications = 100;
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "more than the 100 multiplications"));
	t = task(&d, store);
	assert_int_equal(espl_frame_of_limits(5, 1000, 50000000, &t.frame, &err), ESPL_OK);
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "bytes of memory"));
	remove(store);
	espl_arena_destroy(arena);
}

static void without_validation_there_is_nothing_to_choose_by(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_data d = data();
	espl_fit_task t = task(&d, store_path("v.sqlite"));
	espl_fit_result r;
	espl_error err = {0};

	(void)state;
	d.validation.count = 0;
	assert_int_equal(espl_fit(&t, arena, &r, &err), ESPL_USAGE);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_a_network_that_fits_and_has_learned),
	        cmocka_unit_test(a_stopped_search_gives_the_same_bytes),
	        cmocka_unit_test(says_what_comes_closest),
	        cmocka_unit_test(without_validation_there_is_nothing_to_choose_by),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
