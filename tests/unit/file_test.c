/* Are files whole, and are folders replaced only when they may be?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "folder_fixture.h"
#include "unit.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *in_folder(const char *name)
{
	return espl_arena_format(arena, "%s/%s", folder, name);
}

static void reads_what_was_written(void **state)
{
	const char *path = in_folder("file");
	espl_span span;

	(void)state;
	assert_int_equal(espl_file_write(path, "older", 5, NULL), ESPL_OK);
	assert_int_equal(espl_file_write(path, "new", 3, NULL), ESPL_OK);
	assert_int_equal(espl_file_read(path, arena, &span, NULL), ESPL_OK);
	assert_int_equal(span.size, 3);
	assert_memory_equal(span.data, "new", 4); /* and a zero byte */
	assert_false(espl_file_exists(in_folder("file.part0")));
}

static void refuses_what_is_not_a_file(void **state)
{
	espl_error err = {0};
	espl_span span;

	(void)state;
	assert_int_equal(espl_file_read(folder, arena, &span, &err), ESPL_IO);
	assert_string_equal(err.message,
	                    espl_arena_format(arena, "%s: not a regular file", folder));
	assert_int_equal(espl_file_read(in_folder("none"), arena, &span, &err), ESPL_IO);
	assert_int_equal(espl_file_write(in_folder("none/x"), "", 0, &err), ESPL_IO);
}

/* Makes a folder at `path` with a file in it, through begin and commit. */
static espl_status make_folder(const char *path, const char *file, espl_error *err)
{
	const char *temporary;
	espl_status status;

	assert_int_equal(espl_folder_begin(path, arena, &temporary, err), ESPL_OK);
	assert_int_equal(
	        espl_file_write(espl_arena_format(arena, "%s/%s", temporary, file), "x", 1, err),
	        ESPL_OK);
	status = espl_folder_commit(temporary, path, err);
	if (status != ESPL_OK)
		espl_folder_abandon(temporary);
	assert_false(espl_file_exists(temporary));
	return status;
}

static void replaces_a_result(void **state)
{
	const char *path = in_folder("result/");

	(void)state;
	assert_int_equal(make_folder(path, "manifest.json", NULL), ESPL_OK);
	assert_int_equal(make_folder(path, "other", NULL), ESPL_OK);
	assert_false(espl_file_exists(in_folder("result/manifest.json")));
	assert_true(espl_file_exists(in_folder("result/other")));
	assert_false(espl_file_exists(in_folder("result.old0")));
}

static void keeps_what_is_no_result(void **state)
{
	const char *path = in_folder("precious");
	espl_error err = {0};

	(void)state;
	assert_int_equal(make_folder(path, "thesis.tex", NULL), ESPL_OK);
	assert_int_equal(make_folder(path, "manifest.json", &err), ESPL_IO);
	assert_string_equal(
	        err.message,
	        espl_arena_format(arena, "%s: exists and is not an older result", path));
	assert_true(espl_file_exists(in_folder("precious/thesis.tex")));
}

static void replaces_an_empty_folder(void **state)
{
	const char *path = in_folder("empty");

	(void)state;
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(make_folder(path, "manifest.json", NULL), ESPL_OK);
	assert_true(espl_file_exists(in_folder("empty/manifest.json")));
}

static void removes_links_but_not_what_they_name(void **state)
{
	const char *temporary;

	(void)state;
	assert_int_equal(espl_file_write(in_folder("target"), "x", 1, NULL), ESPL_OK);
	assert_int_equal(espl_folder_begin(in_folder("links"), arena, &temporary, NULL), ESPL_OK);
	assert_int_equal(symlink(folder, espl_arena_format(arena, "%s/link", temporary)), 0);
	espl_folder_abandon(temporary);
	assert_false(espl_file_exists(temporary));
	assert_true(espl_file_exists(in_folder("target")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_what_was_written),
	        cmocka_unit_test(refuses_what_is_not_a_file),
	        cmocka_unit_test(replaces_a_result),
	        cmocka_unit_test(keeps_what_is_no_result),
	        cmocka_unit_test(replaces_an_empty_folder),
	        cmocka_unit_test(removes_links_but_not_what_they_name),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
