/* What the passes of the scheduler share: layers and tensors on their way to a plan.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to schedule/. The passes, in order: normal.c (copies where a tensor
 * needs two kinds of place), layout.c (phases, pitches), deal.c (channels to
 * splits), place.c (words over time), classes.c (positions of different steps),
 * program.c (taps, streams, tables), cycles.c (the exact count).
 */
#ifndef ESPL_SCHEDULE_WORK_H
#define ESPL_SCHEDULE_WORK_H

#include "base/arena.h"
#include "ir/plan.h"

#include <stdbool.h>

/* Positions of different steps (classes.c): positions of the computing space that have the same
 * class in each of its phases are of one kind. A channel then has a list of records, which every
 * block walks through: for each chunk of lanes, one for each kind that occurs there in any block.
 */
typedef struct {
	int kinds;           /* 1: all are alike, and the rest is empty */
	const int *kind_of;  /* [rows * columns] of the computing space */
	const int *class_of; /* [kind][phase rows * phase columns]: the layer's step class */
	int record_count;
	const int *records;   /* [record_count]: its kind */
	const int *chunk_end; /* [chunks]: records up to that chunk's last */
} espl_kinds;

/* A layer of the engine: a layer of the lowered net, or a copy. */
typedef struct {
	espl_layer layer; /* own copy; inputs and output index work tensors */
	int lowered;      /* in the lowered net, -1 for a copy */
	int index;        /* among the engine's layers; -1: takes no time (CONCAT) */
	/* computing: output phase (py, px) at (y', x') reads the input's phases at stride 1 */
	int phase_rows,
	        phase_columns;    /* of the computing space: the input's divided by the stride */
	int pitch, rows, columns; /* of the computing space: the input's pitch, rows of phase 0 */
	int blocks;
	bool plain; /* its weights lie in pairs, without taps, zeros included */
	int64_t cycles;
	espl_kinds kinds;
	const int *order; /* CONV: of its output channels in time; NULL: as they are */
} espl_work_layer;

typedef struct {
	espl_lowered_tensor tensor; /* own copy */
	int lowered;                /* tensor of the lowered net (a copy has that of its source) */
	espl_place_kind kind;
	int group; /* tensors of one group share phases, pitch and, per channel, splits */
	bool is_input, is_output, shared; /* shared: few channels, taps dealt to splits */
	int first, last;                  /* layers: written by, last read by; -1: before all */
	int alias; /* >= 0: channels lie in that CONCAT's output, from alias_channel on */
	int alias_channel;
	int phase_rows, phase_columns, pitch, plane_rows, plane_words;
	int *split;   /* [channels] WIDE, not shared */
	int *local;   /* [channels] its place among the split's channels */
	int locals;   /* most channels in a split, or in `copies` of them */
	int copies;   /* so many neighbouring splits hold the same channels, and share their taps */
	int base;     /* WIDE: word; VECTOR: element; OUTPUT: byte */
	int words;    /* WIDE: in each split */
	int elements; /* VECTOR, OUTPUT: from base on, waste included */
	int channel_stride, position_stride;
	/* shared: word of plane p (channel, phase row, phase column) in split s, or -1 */
	int *plane_word; /* [planes][splits] */
} espl_work_tensor;

typedef struct {
	const espl_lowered *lowered;
	espl_arena *arena;
	espl_envelope envelope;
	int lanes, splits, requantizers;
	int layer_count, tensor_count;
	espl_work_layer *layers;
	espl_work_tensor *tensors;
	int activation_words; /* of each wide memory, below the dense weights */
	int vector_slots;     /* of each narrow memory, below the streams */
	int output_bytes;
	int pad_max;
	int most_copies;
	int most_filling;  /* a layer may take so many cycles of 1024 more to be plain */
	bool splits_given; /* by decisions; else they are dealt */
	espl_plan *plan;
	int image_capacity;
} espl_work;

static inline int espl_ceil_div(int a, int b)
{
	return (a + b - 1) / b;
}
static inline int espl_floor_div(int a, int b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}
static inline int espl_greatest(int a, int b)
{
	return a > b ? a : b;
}

/* Rows (or columns) of phase `phase` of `count`, of `phases`. */
static inline int espl_phase_count(int count, int phase, int phases)
{
	return (count - phase + phases - 1) / phases;
}

/* The word of plane (channel, phase) of a WIDE tensor in a split, -1 if it is not there. */
int espl_work_plane(const espl_work *work, const espl_work_tensor *tensor, int channel,
                    int phase_row, int phase_column, int split);

/* Which split does the tap (channel, kernel position) of a layer over a shared tensor, for one
 * phase of its output: split_of[channel * kernel size + position], -1 where no output reads it. */
void espl_share_taps(const espl_work *work, const espl_work_layer *layer, int phase_row,
                     int phase_column, int *split_of);

/* Words of a wide memory where no limit is set: networks then share engines. */
int espl_usual_words(const espl_work *work);

/* Whether a tensor is an image of fewer channels than splits whose taps are dealt instead. */
bool espl_deals_taps(const espl_work *work, int t);

espl_status espl_normalize(espl_work *work, espl_error *err);
espl_status espl_lay_out(espl_work *work, espl_error *err);
espl_status espl_deal(espl_work *work, espl_error *err);
/* Words of the wide memories, over the tensors' lifetimes; then elements of the vectors and bytes
 * of the output (place.c). */
espl_status espl_place_tensors(espl_work *work, espl_error *err);
void espl_place_vectors(espl_work *work);
/* How much of each memory the places take, and whether it can be addressed. */
espl_status espl_measure_places(espl_work *work, espl_error *err);
/* Whether two tensors may share a place: one is through before the other begins. */
bool espl_live_together(const espl_work_tensor *a, const espl_work_tensor *b);
/* Cycles of a layer whose groups take `cycles[g]` and drain in `loops[g]` loops of the
 * blocks' entries, from its first cycle to the next layer's (cycles.c). */
int64_t espl_count_cycles(const espl_work *work, const int *cycles, const int *loops, int groups,
                          const int *entries, int period, int blocks);
/* The earliest cycle of a dense last layer, counted from its first, at which its result may begin
 * to leave, a beat a cycle, without overtaking the drain. */
int64_t espl_output_delay(const espl_work *work, const espl_work_layer *layer, int cycles,
                          const int *entries);
/* Fills latency, interval and load of the plan from the layers' cycles. */
void espl_count_latency(espl_work *work);

espl_status espl_write_program(espl_work *work, espl_error *err);

/* The taps of a layer as positions: fills `out` and returns false when no output reads it. */
typedef struct {
	int phase_row, phase_column; /* of the input */
	int row, column;             /* offset in the plane */
	int left, right;             /* column masks; 0 none */
	int limit;                   /* 0: rows of phase 0, 1: one fewer */
} espl_reach;
bool espl_reach_of(const espl_work *work, const espl_work_layer *layer, int phase_row,
                   int phase_column, int kernel_row, int kernel_column, espl_reach *out);

/* The engine's memories while they are filled (tables.c). */
typedef struct {
	int width_beats;
	int count, capacity, limit;
	uint64_t *words; /* [count][width_beats] */
} espl_table;

typedef struct {
	espl_table tap, param, group, block, entry, pattern, program, lookup;
	int narrow_count; /* entries in every split */
	int narrow_capacity;
	uint32_t *narrow[ESPL_MAX_SPLITS];
	int dense_words; /* of weights in every wide memory */
	int dense_capacity;
	int8_t *dense[ESPL_MAX_SPLITS]; /* [word][lane] */
	int table_count;
	bool plain_used;
	/* fields of the tables hold no more than these may be */
	int most_reach, most_cycles, most_blocks; /* of a tap, of a group, of a layer */
	int most_entries, most_records;           /* of a block, of a channel */
} espl_tables;

/* Finds the kinds of a layer's positions, once its computing space is known (classes.c). */
espl_kinds espl_find_kinds(const espl_work *work, const espl_work_layer *layer);

/* Appends words (zeroed) and returns the first one's index. */
int espl_table_append(espl_arena *arena, espl_table *table, int count);
/* The index of a word equal to `bits`, appended when there is none. */
int espl_table_intern(espl_arena *arena, espl_table *table, const uint64_t *bits);
/* Puts `value` of `width` bits at bit `low` of a word. */
void espl_put_bits(uint64_t *word, int low, int width, uint64_t value);

/* A dense layer whose neurons have one multiplier and go where neighbours go: the drain then takes
 * as many at a time as there are requantizers. */
bool espl_shares_step(const espl_work *work, const espl_work_layer *layer);

/* The blocks of a layer: entries, column masks, period (drain.c).
 *   out  block_base, period, advance (bytes); entries[] is the count of each block of the period */
typedef struct {
	int base, period, advance;
	const int *entries;
} espl_blocks;
espl_blocks espl_write_blocks(espl_work *work, espl_tables *tables, const espl_work_layer *layer);

#endif
