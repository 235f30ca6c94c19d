/* Are boards read from folders, and is what is malformed refused with file and field?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "folder_fixture.h"
#include "unit.h"

#include "base/file.h"
#include "ir/board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *icebreaker(void)
{
	espl_span file;

	assert_int_equal(espl_file_read("boards/icebreaker/board.json", arena, &file, NULL), 0);
	return (const char *)file.data;
}

/* Writes a board.json with the first `from` in it replaced. */
static void put_board(const char *name, const char *text, const char *from, const char *to)
{
	const char *path = espl_arena_format(arena, "%s/%s", folder, name);
	const char *at = strstr(text, from);

	assert_non_null(at);
	mkdir(path, 0777);
	text = espl_arena_format(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_equal(espl_file_write(espl_arena_format(arena, "%s/board.json", path), text,
	                                 strlen(text), NULL),
	                 0);
}

static espl_strings folders(const char *first, const char *second)
{
	espl_strings out = {.items = ESPL_ARRAY(arena, const char *, 3)};

	out.items[out.count++] = first;
	if (second)
		out.items[out.count++] = second;
	return out;
}

static void reads_every_board_of_the_tree(void **state)
{
	const espl_strings tree = folders("boards", NULL);
	const espl_board *boards, *one;
	int count;

	(void)state;
	assert_int_equal(espl_boards(&tree, arena, &boards, &count, NULL), ESPL_OK);
	assert_true(count >= 8);
	for (int i = 1; i < count; i++)
		assert_true(strcmp(boards[i - 1].name, boards[i].name) < 0);
	assert_int_equal(espl_board_find("icebreaker", &tree, arena, &one, NULL), ESPL_OK);
	assert_string_equal(one->family, "ice40");
	assert_int_equal(one->oscillator_hz, 12000000);
	assert_int_equal(one->preset.memory_bytes, 30 * 4096 / 8 + 4 * 32768);
	assert_string_equal(one->place.items[0], "--up5k");
	assert_null(one->place.items[one->place.count]);
}

static void refuses_a_name_that_is_not_there(void **state)
{
	const espl_strings tree = folders("boards", NULL);
	const espl_board *one = NULL;
	espl_error err = {0};

	(void)state;
	assert_int_equal(espl_board_find("moon", &tree, arena, &one, &err), ESPL_USAGE);
	assert_null(one);
	assert_non_null(strstr(err.message, "ulx3s-85f"));
}

static void takes_the_first_of_two_with_a_name(void **state)
{
	const espl_strings both = folders(folder, "boards");
	const espl_board *boards, *one;
	int count, alone;

	(void)state;
	put_board("icebreaker", icebreaker(), "\"baud\": 1000000", "\"baud\": 115200");
	assert_int_equal(espl_board_find("icebreaker", &both, arena, &one, NULL), ESPL_OK);
	assert_int_equal(one->baud, 115200);
	assert_int_equal(espl_boards(&both, arena, &boards, &count, NULL), ESPL_OK);
	assert_int_equal(
	        espl_boards(&(espl_strings){1, both.items + 1}, arena, &boards, &alone, NULL),
	        ESPL_OK);
	assert_int_equal(count, alone);
}

static void names_file_and_field_of_what_is_malformed(void **state)
{
	static const struct {
		const char *from, *to, *where, *message;
	} wrong[] = {
	        {"\"luts\": 5280,", "", "chip", "\"luts\" is missing"},
	        {"\"luts\": 5280", "\"luts\": \"many\"", "chip", "\"luts\" is not a number"},
	        {"\"luts\": 5280", "\"luts\": 0", "chip", "\"luts\" is 0"},
	        {"\"baud\"", "\"bauds\"", "link", "\"bauds\" is no field"},
	        {"\"uart\"", "\"spi\"", "link", "only uart"},
	        {"\"8x1\"", "\"8\"", "engine", "lanes by splits"},
	        {"[10000000, 133000000]", "[10000000]", "clock", "least and the greatest"},
	        {"[\"--up5k\",", "[5,", "tools", "\"place\" holds what is not a string"},
	        {"\"pins.pcf\"", "\"../pins.pcf\"", "board.json", "not a file of this folder"},
	        {"\"format\": 1", "\"format\": 2", "board.json", "\"format\" is 2"},
	        {"\"text\"", "\"texts\"", "board.json", "\"texts\" is no field"},
	        {"{", "", "board.json", "line 2"},
	};
	const espl_strings own = folders(folder, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const espl_board *one;
		espl_error err = {0};

		put_board("wrong", icebreaker(), wrong[i].from, wrong[i].to);
		assert_int_equal(espl_board_find("wrong", &own, arena, &one, &err), ESPL_SYNTAX);
		assert_non_null(strstr(err.where, "wrong/board.json"));
		assert_non_null(strstr(err.where, wrong[i].where));
		assert_non_null(strstr(err.message, wrong[i].message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(reads_every_board_of_the_tree, open_folder,
	                                        close_folder),
	        cmocka_unit_test_setup_teardown(refuses_a_name_that_is_not_there, open_folder,
	                                        close_folder),
	        cmocka_unit_test_setup_teardown(takes_the_first_of_two_with_a_name, open_folder,
	                                        close_folder),
	        cmocka_unit_test_setup_teardown(names_file_and_field_of_what_is_malformed,
	                                        open_folder, close_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
