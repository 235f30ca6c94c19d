/* The envelope: what a board, or the user, allows an engine to have.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A board is a folder with a board.json (docs/boards.md): nothing about a board is in C, but its
 * family's tools are (compiler/flow).
 */
#ifndef ESPL_IR_BOARD_H
#define ESPL_IR_BOARD_H

#include "base/arena.h"
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
	int count;
	const char **items; /* NULL behind the last */
} espl_strings;

typedef struct {
	int64_t low, high; /* Hz, both allowed */
} espl_band;

typedef struct {
	const char *name;   /* "ulx3s-85f": the folder's name */
	const char *folder; /* where board.json, pins and top are */
	const char *text;   /* one line for people */
	const char *family; /* "ecp5", "ice40", "gowin" */
	const char *part, *package, *speed_grade;
	/* as they are on the chip; a multiplier is 18x18, on iCE40 16x16 */
	int multipliers, block_rams, block_ram_bits, luts, ffs;
	int64_t other_ram_bytes; /* on the chip, such as iCE40's SPRAM */
	int64_t oscillator_hz;
	const char *clock_pin;
	espl_band compare, vco, output; /* of the PLL: phase comparator, oscillator, result */
	espl_envelope preset;           /* memory_bytes: block and other RAM */
	int64_t clock_hz;               /* the engine's, unless asked otherwise */
	int baud;
	const char *receive_pin, *transmit_pin;
	const char *pins;       /* file with the pins, in the folder */
	espl_strings loader;    /* arguments of openFPGALoader */
	espl_strings synthesis; /* of Yosys' synth_<family> */
	espl_strings place;     /* of nextpnr */
	espl_strings pack;      /* of the packer */
} espl_board;

/* Reads every board in `folders`, ordered by name; of two with a name, the one found first.
 *   fails  ESPL_IO, ESPL_SYNTAX: a board.json is malformed, with file and field */
espl_status espl_boards(const espl_strings *folders, espl_arena *arena, const espl_board **out,
                        int *count, espl_error *err);

/* Reads one board.
 *   fails  ESPL_USAGE, naming the boards that there are; as espl_boards */
espl_status espl_board_find(const char *name, const espl_strings *folders, espl_arena *arena,
                            const espl_board **out, espl_error *err);

#endif
