/* Is JSON refused with its place, read with its limits, and written with stable bytes?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/json.h"

#include <string.h>

static void expect_refusal(const char *text, size_t size, const char *message)
{
	espl_error err = {0};
	espl_json *value = NULL;

	assert_int_equal(espl_json_parse(text, size, &value, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, message);
	assert_null(value);
}

static void names_the_place_of_an_error(void **state)
{
	char deep[100];

	(void)state;
	expect_refusal("", 0, "line 1 column 1: not JSON");
	expect_refusal("{\n  \"a\": 1,\n  \"b\": x\n}", 22, "line 3 column 8: not JSON");
	expect_refusal("{} {}", 5, "line 1 column 4: more text behind the value");
	expect_refusal("{\"a\0\": 1}", 9, "line 1 column 4: a byte of value 0");
	expect_refusal("[\"\\u0000\"]", 10, "line 1 column 3: a character of value 0");
	memset(deep, '[', sizeof deep);
	expect_refusal(deep, sizeof deep, "line 1 column 65: nested deeper than 64");
}

static void survives_every_truncation(void **state)
{
	const char text[] = "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\n\"], \"b\": {\"c\": []}}";

	(void)state;
	for (size_t size = 0; size <= strlen(text); size++) {
		espl_arena *arena = espl_arena_create();
		char *exact = espl_arena_copy(arena, text, size); /* so that over-reads show */
		espl_json *value = NULL;
		espl_status status = espl_json_parse(exact, size, &value, NULL);

		assert_int_equal(status, size == strlen(text) ? ESPL_OK : ESPL_SYNTAX);
		espl_json_destroy(value);
		espl_arena_destroy(arena);
	}
}

static void checks_members(void **state)
{
	const char text[] =
	        "{\"n\": 300, \"half\": 0.5, \"s\": \"x\", \"big\": 1e300, \"l\": [1, 2, 9]}";
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};
	int64_t number = -1, *list = NULL;
	espl_json *value;
	const char *string;
	int count;

	(void)state;
	assert_int_equal(espl_json_parse(text, strlen(text), &value, &err), ESPL_OK);
	assert_int_equal(espl_json_integer(value, "n", 0, 300, &number, &err), ESPL_OK);
	assert_int_equal(number, 300);
	assert_int_equal(espl_json_integer(value, "n", 0, 299, &number, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "\"n\" is 300, it must be 0 to 299");
	assert_int_equal(espl_json_integer(value, "half", 0, 1, &number, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "\"half\" is not an integer");
	assert_int_equal(espl_json_integer(value, "big", 0, INT64_MAX, &number, &err), ESPL_SYNTAX);
	assert_int_equal(espl_json_string(value, "n", &string, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "\"n\" is not a string");
	assert_int_equal(espl_json_string(value, "none", &string, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "\"none\" is missing");
	assert_int_equal(espl_json_integers(value, "l", 0, 8, arena, &list, &count, &err),
	                 ESPL_SYNTAX);
	assert_null(list);
	assert_int_equal(espl_json_integers(value, "l", 0, 9, arena, &list, &count, &err), ESPL_OK);
	assert_int_equal(count, 3);
	assert_int_equal(list[2], 9);
	espl_json_destroy(value);
	espl_arena_destroy(arena);
}

static void writes_stable_text(void **state)
{
	const int64_t shape[] = {3, -4};
	espl_arena *arena = espl_arena_create();
	espl_json_writer *writer = espl_json_writer_create(arena);
	size_t size;

	(void)state;
	espl_json_open(writer, NULL, '{');
	espl_json_put_string(writer, "name", "a\"b\\\n");
	espl_json_put_integers(writer, "shape", shape, 2);
	espl_json_put_number(writer, "scale", 0.1);
	espl_json_open(writer, "list", '[');
	espl_json_put_bool(writer, NULL, true);
	espl_json_open(writer, NULL, '{');
	espl_json_close(writer);
	espl_json_close(writer);
	espl_json_close(writer);
	assert_string_equal(espl_json_text(writer, &size), "{\n"
	                                                   "  \"name\": \"a\\\"b\\\\\\u000a\",\n"
	                                                   "  \"shape\": [3, -4],\n"
	                                                   "  \"scale\": 0.1,\n"
	                                                   "  \"list\": [\n"
	                                                   "    true,\n"
	                                                   "    {}\n"
	                                                   "  ]\n"
	                                                   "}\n");
	espl_arena_destroy(arena);
}

static void numbers_read_back(void **state)
{
	static const double numbers[] = {0, 1.0 / 3, 0.58470290899276733, 5e-324, 1.7e308, -2.5};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		espl_arena *arena = espl_arena_create();
		espl_json_writer *writer = espl_json_writer_create(arena);
		espl_json *value;
		double back;
		size_t size;
		const char *text;

		espl_json_open(writer, NULL, '{');
		espl_json_put_number(writer, "x", numbers[i]);
		espl_json_close(writer);
		text = espl_json_text(writer, &size);
		assert_int_equal(espl_json_parse(text, size, &value, NULL), ESPL_OK);
		assert_int_equal(espl_json_number(value, "x", &back, NULL), ESPL_OK);
		assert_memory_equal(&back, &numbers[i], sizeof back);
		espl_json_destroy(value);
		espl_arena_destroy(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_the_place_of_an_error),
	        cmocka_unit_test(survives_every_truncation),
	        cmocka_unit_test(checks_members),
	        cmocka_unit_test(writes_stable_text),
	        cmocka_unit_test(numbers_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
