/* A test with an arena, which is gone after it.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_ARENA_FIXTURE_H
#define ESPL_TESTS_ARENA_FIXTURE_H

#include "base/arena.h"

static espl_arena *arena;

static inline int open_arena(void **state)
{
	(void)state;
	arena = espl_arena_create();
	return 0;
}

static inline int close_arena(void **state)
{
	(void)state;
	espl_arena_destroy(arena);
	return 0;
}

#endif
