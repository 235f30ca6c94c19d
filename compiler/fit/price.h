/* What a network costs on an engine: exact cycles, memory, multipliers.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FIT_PRICE_H
#define ESPL_FIT_PRICE_H

#include "ir/lowered.h"
#include "ir/plan.h"

/* X(field): all counted or read off the plan, none estimated but `luts`. */
#define ESPL_PRICE_LIST(X) \
	X(latency_cycles)  \
	X(interval_cycles) \
	X(bytes)           \
	X(weights)         \
	X(nonzero_weights) \
	X(multiplications) \
	X(issued)          \
	X(lanes)           \
	X(splits)          \
	X(requantizers)    \
	X(multipliers)     \
	X(memory_bytes)    \
	X(block_rams)      \
	X(luts)

/* bytes: of the model as stored; multiplications: zeros too; issued: by non-zero weights. */
typedef struct {
#define X(name) int64_t name;
	ESPL_PRICE_LIST(X)
#undef X
} espl_price;

enum { ESPL_FRAME_ARRAYS = 64 };

/* The frame that a network grows against: what a board, or the user, gives an engine. */
typedef struct {
	const char *board;    /* NULL: none */
	const char *family;   /* NULL: as ECP5 */
	int multipliers;      /* of the chip, 18x18 (iCE40: 16x16) */
	int block_rams;       /* 0: only memory_bytes counts */
	int luts, ffs;        /* 0: not asked */
	int64_t memory_bytes; /* 0: no limit */
	int64_t clock_hz;
	const espl_engine *engine; /* the board's one engine, taken before any other; NULL: none */
	int array_count;           /* arrays that the multipliers hold, most lanes x splits first */
	espl_envelope arrays[ESPL_FRAME_ARRAYS];
} espl_frame;

/* The frame of a board. With clock_hz 0 the board's clock.
 *   fails  ESPL_BUDGET when the smallest engine has more multipliers, LUTs or flip-flops than the
 *          board, with the numbers */
espl_status espl_frame_of_board(const espl_board *board, int64_t clock_hz, espl_frame *out,
                                espl_error *err);
/* The frame of a limit of multipliers (18x18) and memory; memory_bytes 0: none. */
espl_status espl_frame_of_limits(int multipliers, int64_t memory_bytes, int64_t clock_hz,
                                 espl_frame *out, espl_error *err);
/* One line: all that a price depends on. */
const char *espl_frame_text(const espl_frame *frame, espl_arena *arena);

/* Plans a lowered net for the fastest engine of the frame.
 *   out    *plan and *price; the plan in `arena`
 *   fails  ESPL_BUDGET: none of the frame's engines holds it, with the numbers of the nearest */
espl_status espl_price_lowered(const espl_frame *frame, const espl_lowered *lowered,
                               espl_arena *arena, espl_plan **plan, espl_price *price,
                               espl_error *err);

/* LUTs of four inputs (a carry cell counts two, a LUT RAM six) and flip-flops of an engine on ECP5:
 * a linear estimate, within 1 % and 1.5 % of what Yosys 0.23 makes of ten engines from 8x1 to 16x4
 * (docs/fit.md). */
int espl_estimate_luts(int lanes, int splits, int requantizers);
int espl_estimate_ffs(int lanes, int splits, int requantizers);

#endif
