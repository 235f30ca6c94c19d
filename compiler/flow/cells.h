/* What Yosys counts, against what a chip has.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_CELLS_H
#define ESPL_FLOW_CELLS_H

#include "base/arena.h"
#include "base/status.h"

typedef enum { ESPL_LUT, ESPL_FF, ESPL_BLOCK_RAM, ESPL_MULTIPLIER, ESPL_RESOURCES } espl_resource;

/* A family's cell takes so much of a resource; a name that ends in * stands for all that begin so.
 */
typedef struct {
	const char *name;
	espl_resource resource;
	int takes;
} espl_cell;

/* What a chip has. */
typedef struct {
	int luts, ffs, block_rams, multipliers;
} espl_room;

/* Sums up the cells of a design by what Yosys' pass `stat` printed, the last table of it.
 *   in     cells  what they take, a name of NULL behind the last
 *   fails  ESPL_BUDGET: more of something than there is, with the numbers; place and route needs
 *          some more of all, so what passes may still not fit */
espl_status espl_cells_check(const char *stat, const espl_cell *cells, const espl_room *room,
                             espl_arena *arena, espl_error *err);

#endif
