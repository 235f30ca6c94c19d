/* Yosys prints "NAME COUNT" up to some version, "COUNT NAME" from there on.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flow/cells.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool matches(const char *name, const char *pattern)
{
	const size_t length = strlen(pattern);

	return length && pattern[length - 1] == '*' ? !strncmp(name, pattern, length - 1)
	                                            : !strcmp(name, pattern);
}

static void add(const char *name, long long count, const espl_cell *cells, int64_t *sums)
{
	for (const espl_cell *cell = cells; cell->name; cell++)
		if (matches(name, cell->name)) {
			sums[cell->resource] += count * cell->takes;
			return;
		}
}

espl_status espl_cells_check(const char *stat, const espl_cell *cells, const espl_room *room,
                             espl_arena *arena, espl_error *err)
{
	static const char *const names[ESPL_RESOURCES] = {"LUTs", "flip-flops", "block RAMs",
	                                                  "multipliers"};
	const int64_t available[ESPL_RESOURCES] = {room->luts, room->ffs, room->block_rams,
	                                           room->multipliers};
	int64_t sums[ESPL_RESOURCES] = {0};
	const char *full = "";

	for (const char *line = stat; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const int length = (int)strcspn(line, "\n");
		const char *text = espl_arena_format(arena, "%.*s", length, line);
		char name[64], rest;
		long long count;

		if (!strncmp(text, "===", 3)) /* the next table: the last is the whole design's */
			memset(sums, 0, sizeof(sums));
		else if (sscanf(text, " %63[A-Za-z0-9_] %lld %c", name, &count, &rest) == 2 ||
		         sscanf(text, " %lld %63[A-Za-z0-9_] %c", &count, name, &rest) == 2)
			add(name, count, cells, sums);
	}
	for (int r = 0; r < ESPL_RESOURCES; r++)
		if (sums[r] > available[r])
			full = espl_arena_format(arena, "%s%s%lld %s of %lld", full,
			                         *full ? ", " : "", (long long)sums[r], names[r],
			                         (long long)available[r]);
	if (!*full)
		return ESPL_OK;
	return espl_fail(
	        err, ESPL_BUDGET,
	        "the engine does not fit: after synthesis it needs %s; a smaller array, fewer "
	        "requantizers or shallower memories would",
	        full);
}
