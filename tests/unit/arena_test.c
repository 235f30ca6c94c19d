/* Does an arena give zeroed, aligned memory, and take it back at a mark?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/arena.h"

#include <string.h>

static void gives_zeroed_aligned_memory(void **state)
{
	espl_arena *arena = espl_arena_create();

	(void)state;
	for (size_t size = 0; size < 300; size += 7) {
		unsigned char *bytes = espl_arena_calloc(arena, size, 1);

		assert_int_equal((uintptr_t)bytes % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		if (size)
			memset(bytes, 0xff, size);
	}
	espl_arena_destroy(arena);
}

static void reuses_what_is_released_and_zeroes_it(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_mark mark;
	char *first, *second;

	(void)state;
	espl_arena_calloc(arena, 10, 1);
	mark = espl_arena_mark(arena);
	first = espl_arena_calloc(arena, 100, 1);
	memset(first, 1, 100);
	espl_arena_release(arena, mark);
	second = espl_arena_calloc(arena, 100, 1);
	assert_ptr_equal(first, second);
	assert_int_equal(second[99], 0);
	espl_arena_destroy(arena);
}

static void releases_whole_blocks(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_mark empty = espl_arena_mark(arena);
	char *kept;
	espl_mark mark;

	(void)state;
	kept = espl_arena_string(arena, "kept");
	mark = espl_arena_mark(arena);
	for (int i = 0; i < 5; i++)
		memset(espl_arena_calloc(arena, 1 << 20, 1), i, 1 << 20);
	espl_arena_release(arena, mark);
	assert_string_equal(kept, "kept");
	espl_arena_release(arena, empty);
	assert_string_equal(espl_arena_format(arena, "%d %s", 7, "x"), "7 x");
	espl_arena_destroy(arena);
}

static void destroys_nothing(void **state)
{
	(void)state;
	espl_arena_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_zeroed_aligned_memory),
	        cmocka_unit_test(reuses_what_is_released_and_zeroes_it),
	        cmocka_unit_test(releases_whole_blocks),
	        cmocka_unit_test(destroys_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
