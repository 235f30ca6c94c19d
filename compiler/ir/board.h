/* The envelope: what a board, or the user, allows an engine to have.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_BOARD_H
#define ESPL_IR_BOARD_H

#include "base/status.h"
#include "ir/engine.h"

#include <stdint.h>

typedef struct {
	const char *board;    /* NULL when the array was given by hand */
	int lanes;            /* W: power of two, 8 or 16 (32 too) */
	int splits;           /* S: power of two, 1..16, at most lanes */
	int requantizers;     /* R: power of two, at most lanes and splits; 0: the most that fits */
	int64_t memory_bytes; /* wide, narrow and table memories together; 0: no limit */
	const espl_engine *engine; /* the very engine to plan for; NULL: one made for the network */
} espl_envelope;

typedef struct {
	const char *name;   /* "ulx3s-85f" */
	const char *family; /* "ecp5", "ice40" */
	const char *text;   /* one line for people */
	int multipliers, block_rams, block_ram_bits, luts;
	espl_envelope preset;
} espl_board;

/* Every board known, in a fixed order. */
const espl_board *espl_boards(int *count);

/* fails ESPL_USAGE, naming the boards that there are */
espl_status espl_board_find(const char *name, const espl_board **out, espl_error *err);

#endif
