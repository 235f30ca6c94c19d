/* From an emitted folder to a bitstream: synthesis, place and route, packing.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_FLOW_H
#define ESPL_FLOW_FLOW_H

#include "ir/board.h"

#include <stdbool.h>

typedef struct {
	const char *design; /* the folder that compile wrote */
	const char *output; /* the folder to write */
	const espl_board *board;
	const espl_strings *board_folders; /* where boards/ was found */
	const char *rtl_library;
	const char *version; /* of Espalier, for the lock file */
	int64_t clock_hz;    /* wanted; 0: the board's */
	const int *seeds;
	int seed_count;
	int limit_s;     /* for place and route of a seed */
	bool allow_slow; /* a bitstream that misses its clock is kept */
	bool dry_run;    /* commands are shown, nothing is written */
	void (*show)(void *user, const char *command);
	void *user;
} espl_build_request;

typedef struct {
	int seed;
	bool routed;
	bool late;  /* stopped at the time limit */
	double mhz; /* the slowest clock's limit, when routed */
} espl_seed;

typedef struct {
	espl_seed *seeds; /* as asked for */
	int seed_count;
	int shipped; /* index of the seed whose bitstream is kept */
	double worst_mhz, median_mhz, best_mhz;
	double clock_mhz; /* what the engine runs at */
	bool meets_clock;
	const char *note;      /* NULL: none */
	const char *bitstream; /* the file's name */
	const char *text;      /* build.json, whole */
} espl_build;

/* Builds a bitstream. The folder appears complete or not at all: bitstream, build.json, lock
 * file, sources, logs (docs/build.md). The same request and tools give the same bytes, logs apart.
 *   out    *out in `arena`; with dry_run untouched
 *   fails  ESPL_MISSING, ESPL_TOOL for the tools, with a log's path; ESPL_BUDGET: it does not fit,
 *          which is looked at before place and route begins, and again when that has failed;
 *          ESPL_MISMATCH: no seed meets the clock and slow ones are not allowed
 *   cost   a minute for a small engine, tens of minutes for a large one */
espl_status espl_build_bitstream(const espl_build_request *request, espl_arena *arena,
                                 espl_build *out, espl_error *err);

/* The command that loads the bitstream of a folder written by espl_build_bitstream.
 *   in     board  its name, to be sure; NULL: whatever the folder is for
 *   out    argv in `arena`, NULL behind the last; argv[0] is "openFPGALoader"
 *   fails  ESPL_IO, ESPL_SYNTAX: no such folder; ESPL_MISMATCH: another board, or the bitstream is
 *          not the one that was built */
espl_status espl_load_command(const char *folder, const char *board,
                              const espl_strings *board_folders, espl_arena *arena,
                              const char *const **argv, espl_error *err);

#endif
