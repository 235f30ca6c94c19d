/* A test with an arena and an empty folder, both gone after it. Wants _POSIX_C_SOURCE 200809L.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_FOLDER_FIXTURE_H
#define ESPL_TESTS_FOLDER_FIXTURE_H

#include "arena_fixture.h"
#include "base/file.h"

#include <stdlib.h>

static const char *folder;

static inline int open_folder(void **state)
{
	char name[] = "/tmp/espalier_test_XXXXXX";

	open_arena(state);
	folder = mkdtemp(name) ? espl_arena_string(arena, name) : NULL;
	return folder ? 0 : -1;
}

static inline int close_folder(void **state)
{
	espl_folder_abandon(folder);
	return close_arena(state);
}

#endif
