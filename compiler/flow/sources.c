/* Folders read in an order in which the later replaces the earlier.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "flow/sources.h"

#include "base/file.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void put(espl_sources *to, const char *name, const char *path, espl_arena *arena)
{
	for (int i = 0; i < to->count; i++)
		if (!strcmp(to->items[i].name, name)) {
			to->items[i].path = path;
			return;
		}
	if (to->count == to->room) {
		espl_source *more = ESPL_ARRAY(arena, espl_source, 2 * to->room + 32);

		if (to->count)
			memcpy(more, to->items, (size_t)to->count * sizeof(*more));
		to->items = more;
		to->room = 2 * to->room + 32;
	}
	to->items[to->count++] = (espl_source){espl_arena_string(arena, name), path};
}

static bool is_source(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".sv") || !strcmp(dot, ".svh"));
}

/* Takes the sources that lie in a folder, not deeper; a folder that is not there has none. */
static int take_folder(espl_sources *to, const char *path, espl_arena *arena)
{
	const struct dirent *entry;
	DIR *folder = opendir(path);
	int taken = 0;

	while (folder && (entry = readdir(folder)))
		if (is_source(entry->d_name)) {
			put(to, entry->d_name,
			    espl_arena_format(arena, "%s/%s", path, entry->d_name), arena);
			taken++;
		}
	if (folder)
		closedir(folder);
	return taken;
}

/* The portable parts of the RTL; what belongs to a family comes later. */
static int take_rtl(espl_sources *to, const char *root, espl_arena *arena)
{
	static const char *const parts[] = {"memory", "compute", "shell", "link"};
	int taken = take_folder(to, root, arena);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		taken += take_folder(to, espl_arena_format(arena, "%s/%s", root, parts[i]), arena);
	return taken;
}

static int in_order(const void *a, const void *b)
{
	const char *one = ((const espl_source *)a)->name, *two = ((const espl_source *)b)->name;
	const int first = strcmp(one, "espl_pkg.sv") != 0, second = strcmp(two, "espl_pkg.sv") != 0;

	return first != second ? first - second : strcmp(one, two);
}

static bool has(const espl_sources *sources, const char *name)
{
	for (int i = 0; i < sources->count; i++)
		if (!strcmp(sources->items[i].name, name))
			return true;
	return false;
}

espl_status espl_sources_find(const char *design, const char *library, const espl_board *board,
                              const espl_strings *board_folders, espl_arena *arena,
                              espl_sources *out, espl_error *err)
{
	static const char *const wanted[] = {"espl_pkg.sv",   "espl_top.sv",   "espl_link.sv",
	                                     "espl_clock.sv", "espl_board.sv", "top.sv"};
	const char *rtl = espl_arena_format(arena, "%s/rtl", design);
	espl_sources sources = {0};

	/* the library's link and family are taken where the design has none of its own */
	take_folder(&sources, espl_arena_format(arena, "%s/link", library), arena);
	if (!take_rtl(&sources, rtl, arena))
		return espl_fail(err, ESPL_IO, "%s: no RTL; give the folder that compile wrote",
		                 design);
	take_folder(&sources, espl_arena_format(arena, "%s/%s", library, board->family), arena);
	take_folder(&sources, espl_arena_format(arena, "%s/%s", rtl, board->family), arena);
	for (int f = board_folders->count - 1; f >= 0; f--) {
		take_folder(&sources, board_folders->items[f], arena);
		take_folder(
		        &sources,
		        espl_arena_format(arena, "%s/%s", board_folders->items[f], board->family),
		        arena);
	}
	take_folder(&sources, board->folder, arena);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!has(&sources, wanted[i]))
			return espl_fail(err, ESPL_IO, "%s: %s is in none of the folders of RTL",
			                 design, wanted[i]);
	qsort(sources.items, (size_t)sources.count, sizeof(*sources.items), in_order);
	*out = sources;
	return ESPL_OK;
}
