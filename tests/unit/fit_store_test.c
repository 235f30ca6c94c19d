/* The store: what is put comes back, by task, after closing; what is not a store is refused.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "fit/store.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/espl_store_XXXXXX", path[64];

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/candidates.sqlite", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	remove(path);
	return rmdir(folder);
}

static espl_store *opened(void)
{
	espl_error err = {0};
	espl_store *store = NULL;

	assert_int_equal(espl_store_open(path, &store, &err), ESPL_OK);
	return store;
}

static espl_price numbered(void)
{
	espl_price price = {0};
	int64_t next = INT64_C(1) << 40;

#define FILL(name) price.name = next++;
	ESPL_PRICE_LIST(FILL)
	return price;
}

static void all_comes_back_after_closing(void **state)
{
	const unsigned char net[] = {1, 0, 2}, graph[] = "graph";
	const espl_stored_price price = {numbered(), "it's \"too\" large"};
	const espl_stored_result result = {.correct = 91,
	                                   .samples = 100,
	                                   .price = numbered(),
	                                   .reason = "",
	                                   .net = {net, sizeof(net)},
	                                   .graph = {graph, sizeof(graph)}};
	espl_arena *arena = espl_arena_create();
	espl_store *store = opened();
	espl_stored_price p;
	espl_stored_result r;
	espl_error err = {0};
	espl_span span;
	bool found;

	(void)state;
	assert_int_equal(espl_store_put_price(store, "t", "a", &price, &err), ESPL_OK);
	assert_int_equal(espl_store_put_result(store, "t", "a", 500, &result, &err), ESPL_OK);
	assert_int_equal(espl_store_put_network(store, "t", "w", 7, result.graph, &err), ESPL_OK);
	espl_store_close(store);
	store = opened();
	assert_int_equal(espl_store_get_price(store, "t", "a", arena, &found, &p, &err), ESPL_OK);
	assert_true(found);
	assert_memory_equal(&p.price, &price.price, sizeof(p.price));
	assert_string_equal(p.reason, price.reason);
	assert_int_equal(espl_store_get_result(store, "t", "a", 500, true, arena, &found, &r, &err),
	                 ESPL_OK);
	assert_true(found);
	assert_int_equal(r.correct, 91);
	assert_int_equal(r.samples, 100);
	assert_memory_equal(&r.price, &result.price, sizeof(r.price));
	assert_int_equal(r.net.size, sizeof(net));
	assert_memory_equal(r.net.data, net, sizeof(net));
	assert_memory_equal(r.graph.data, graph, sizeof(graph));
	assert_int_equal(espl_store_get_network(store, "t", "w", 7, arena, &found, &span, &err),
	                 ESPL_OK);
	assert_true(found);
	assert_memory_equal(span.data, graph, sizeof(graph));
	espl_store_close(store);
	espl_arena_destroy(arena);
}

static void other_tasks_candidates_and_trainings_are_not_seen(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_store *store = opened();
	espl_stored_result r;
	espl_stored_price p;
	espl_error err = {0};
	espl_span span;
	bool found;

	(void)state;
	assert_int_equal(espl_store_get_price(store, "u", "a", arena, &found, &p, &err), ESPL_OK);
	assert_false(found);
	assert_int_equal(espl_store_get_price(store, "t", "b", arena, &found, &p, &err), ESPL_OK);
	assert_false(found);
	assert_int_equal(espl_store_get_result(store, "t", "a", 501, true, arena, &found, &r, &err),
	                 ESPL_OK);
	assert_false(found);
	assert_int_equal(espl_store_get_network(store, "t", "w", 8, arena, &found, &span, &err),
	                 ESPL_OK);
	assert_false(found);
	espl_store_close(store);
	espl_arena_destroy(arena);
}

static void a_second_search_is_refused(void **state)
{
	espl_store *first = opened(), *second = NULL;
	const espl_stored_price price = {.reason = ""};
	espl_error err = {0};

	(void)state;
	assert_int_equal(espl_store_put_price(first, "t", "c", &price, &err), ESPL_OK);
	assert_int_equal(espl_store_open(path, &second, &err), ESPL_IO);
	assert_non_null(strstr(err.message, "another search"));
	assert_null(second);
	espl_store_close(first);
	espl_store_close(opened());
}

static void what_is_no_store_is_refused(void **state)
{
	espl_store *store = NULL;
	espl_error err = {0};
	FILE *file = fopen(path, "wb");

	(void)state;
	for (int i = 0; i < 4096; i++)
		fputc('x', file);
	fclose(file);
	assert_int_equal(espl_store_open(path, &store, &err), ESPL_SYNTAX);
	assert_non_null(strstr(err.message, "candidates.sqlite"));
	assert_int_equal(espl_store_open("/no/such/folder/c.sqlite", &store, &err), ESPL_IO);
	assert_null(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_comes_back_after_closing),
	        cmocka_unit_test(other_tasks_candidates_and_trainings_are_not_seen),
	        cmocka_unit_test(a_second_search_is_refused),
	        cmocka_unit_test(what_is_no_store_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
