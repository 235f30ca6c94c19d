/* The sources of a bitstream: engine, link, family and board, in one folder.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_SOURCES_H
#define ESPL_FLOW_SOURCES_H

#include "ir/board.h"

typedef struct {
	const char *name; /* "espl_engine.sv" */
	const char *path; /* where it was found */
} espl_source;

typedef struct {
	int count, room;
	espl_source *items; /* espl_pkg.sv first, then by name */
} espl_sources;

/* Finds all that the board's top needs: the emitted rtl/, the link, what the family has instead of
 * portable modules, the board's own files. A file of a family replaces the one of the same name.
 *   in     design       the folder that compile wrote
 *   in     library      the RTL library, for what the design's folder does not hold
 *   fails  ESPL_IO: the design has no rtl/, or a module is in none of the folders */
espl_status espl_sources_find(const char *design, const char *library, const espl_board *board,
                              const espl_strings *board_folders, espl_arena *arena,
                              espl_sources *out, espl_error *err);

#endif
