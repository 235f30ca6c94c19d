/* Whole files in, whole files out, and folders that appear complete or not at all.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_FILE_H
#define ESPL_BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
	const unsigned char *data;
	size_t size;
} espl_span;

/* Reads a regular file of at most 1 GiB; one zero byte follows the content.
 * fails ESPL_IO: not there, not a regular file, too large, short read. */
espl_status espl_file_read(const char *path, espl_arena *arena, espl_span *out, espl_error *err);

/* Writes `size` bytes to a temporary beside `path`, then renames it. */
espl_status espl_file_write(const char *path, const void *data, size_t size, espl_error *err);

bool espl_file_exists(const char *path); /* anything of that name */

/* Creates a new, empty folder beside `path`, to be filled and then put in
 * `path`'s place by espl_folder_commit, or removed by espl_folder_abandon.
 *   out  *temporary  its name, in `arena` */
espl_status espl_folder_begin(const char *path, espl_arena *arena, const char **temporary,
                              espl_error *err);
/* Renames `temporary` to `path`. An older folder at `path` is replaced when it holds a
 * manifest.json or is empty; ESPL_IO when it is anything else. */
espl_status espl_folder_commit(const char *temporary, const char *path, espl_error *err);
/* Says beforehand whether espl_folder_commit would replace what is at `path`, if anything is. */
espl_status espl_folder_check(const char *path, espl_error *err);
void espl_folder_abandon(const char *temporary);

#endif
