/* The plan: an engine's parameters, every tensor's place, the program, its cycles.
 * SPDX-License-Identifier: Apache-2.0
 *
 * docs/engine.md explains each table; rtl/espl_pkg.sv holds the same widths for
 * the hardware. Change all three together.
 */
#ifndef ESPL_IR_PLAN_H
#define ESPL_IR_PLAN_H

#include "base/arena.h"
#include "ir/board.h"
#include "ir/lowered.h"

#include <stdint.h>

enum { ESPL_MAX_SPLITS = 16, ESPL_MAX_LANES = 32 };

typedef enum { ESPL_PLACE_WIDE, ESPL_PLACE_VECTOR, ESPL_PLACE_OUTPUT } espl_place_kind;

/* One copy of one phase of one channel (docs/format.md). */
typedef struct {
	int channel; /* index among the live channels */
	int phase_row, phase_column;
	uint32_t splits; /* mask */
	int word;
} espl_plane;

/* Where a tensor lies, and how. */
typedef struct {
	int tensor; /* lowered tensor */
	espl_place_kind kind;
	int phase_rows, phase_columns, pitch, plane_rows, plane_words;
	int plane_count;
	espl_plane *planes;
	int base, channel_stride, position_stride; /* VECTOR, OUTPUT: elements, bytes */
	int first_layer, last_layer;               /* lifetime: written, last read */
	int words;                                 /* WIDE: in each split */
} espl_place;

typedef struct {
	const char *name;
	const char *kind;
	int lowered;             /* layer of the lowered net; -1: a copy that the schedule put in */
	int place;               /* of its result */
	int64_t cycles;          /* from its first cycle to the next layer's first */
	int64_t multiplications; /* of the integer graph's operator, zeros and constant channels too
	                          */
	int64_t issued;          /* multiplications that the array really has to do: non-zero */
} espl_plan_layer;

/* Words of one memory of the engine, each `beats` beats of the input stream. */
typedef struct {
	int memory;      /* espl_pkg's number */
	uint32_t splits; /* mask */
	int address;
	int count, beats;
	uint64_t *words; /* [count][beats] */
} espl_image;

typedef struct {
	const espl_lowered *lowered;
	espl_envelope envelope;
	espl_engine engine;
	int place_count, layer_count, image_count;
	espl_place *places;
	espl_plan_layer *layers;
	espl_image *images;
	int *input_places, *output_places; /* as the lowered net's inputs and outputs */
	int output_beats;
	int64_t output_delay; /* cycles from the last layer's begin until the result may leave; 0:
	                         when it is complete */
	int64_t latency_cycles, interval_cycles, load_cycles;
	int64_t memory_bytes; /* of the engine's memories, as built */
	int dsps;             /* multipliers of 18x18: a pair of lanes each, and the requantizers */
	int block_rams;       /* of 18 kbit, as Yosys maps the memories to ECP5's */
	int ice40_dsps, ice40_block_rams; /* the same on iCE40: of 16x16, of 4 kbit */
	const char *decisions;            /* plan.json */
} espl_plan;

#endif
