/* The blocks of a layer: which lanes go where, and which columns a tap may read.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A block is `lanes` neighbouring positions of the computing space. Its drain is
 * a list of entries; an entry takes the lanes of one chunk (as many as there
 * are requantizers), picks and packs some of them by a pattern and writes them to
 * neighbouring bytes. Where the result has the layout of the computing space,
 * that is one entry a chunk. Where it has more phases or another pitch, each
 * run of neighbours in the result is an entry. Lists repeat with the period in
 * which positions and rows come round, each time `advance` bytes further on.
 */
#include "schedule/work.h"

#include <assert.h>
#include <string.h>

enum {
	OFFSET_BITS = 17,
	PATTERN_BITS = 6,
	ENTRY_START_BITS = 12,
	ENTRY_COUNT_BITS = 7,
	BLOCKS_SPELT_OUT = 8, /* up to so many blocks have a list of their own each */
};

typedef struct {
	espl_work *work;
	espl_tables *tables;
	const espl_work_layer *layer;
	espl_table entries; /* of one block at a time */
	int log_requantizers;
} writer;

typedef struct {
	int lane_count, lanes[ESPL_MAX_LANES]; /* within the chunk */
	int64_t offset;
} run;

static int log2_of(int n)
{
	int bits = 0;

	while (1 << bits < n)
		bits++;
	return bits;
}

/* The index of the pattern that puts the lanes in order. */
static int pattern_of(writer *w, const int *lanes, int count)
{
	const int r = w->work->requantizers;
	const int select = r > 1 ? w->log_requantizers : 1;
	uint64_t word[4] = {0};

	for (int i = 0; i < count; i++) {
		espl_put_bits(word, select * i, select, (uint64_t)lanes[i]);
		espl_put_bits(word, select * r + i, 1, 1);
	}
	return espl_table_intern(w->work->arena, &w->tables->pattern, word);
}

/* Entry: {compute, second, next, shift, quarter 3, pattern 6, offset 17} */
static void put_entry(writer *w, int64_t offset, int pattern, bool shift, bool next, bool second,
                      bool compute, int quarter)
{
	const int index = espl_table_append(w->work->arena, &w->entries, 1);
	uint64_t *word = &w->entries.words[index];

	espl_put_bits(word, 0, OFFSET_BITS, (uint64_t)offset);
	espl_put_bits(word, OFFSET_BITS, PATTERN_BITS, (uint64_t)pattern);
	espl_put_bits(word, 23, 3, (uint64_t)quarter);
	espl_put_bits(word, 26, 1, shift);
	espl_put_bits(word, 27, 1, next);
	espl_put_bits(word, 28, 1, second);
	espl_put_bits(word, 29, 1, compute);
}

/* Writes the runs of one chunk: for an ADD each run takes two steps. */
static void put_runs(writer *w, const run *runs, int count, bool last_chunk)
{
	static const int none[1] = {0};
	const bool add = w->layer->layer.kind == ESPL_LAYER_ADD;

	if (!count && !last_chunk) { /* only to reach the next chunk */
		put_entry(w, 0, pattern_of(w, none, 0), true, false, false, false, 0);
		return;
	}
	for (int i = 0; i < count; i++) {
		const int pattern = pattern_of(w, runs[i].lanes, runs[i].lane_count);
		const bool shift = i == count - 1;

		if (add)
			put_entry(w, 0, pattern, false, false, false, false, 0);
		put_entry(w, runs[i].offset, pattern, shift, false, add, true, 0);
	}
}

/* The computing space's positions of a chunk, cut into runs of neighbours in the result; of one
 * kind, or of all (-1). */
static int find_runs(const writer *w, int64_t first, bool exact, int kind, run *runs)
{
	const espl_work *work = w->work;
	const espl_work_layer *layer = w->layer;
	const espl_work_tensor *out = &work->tensors[layer->layer.output];
	const int more_rows = out->phase_rows / layer->phase_rows;
	const int more_columns = out->phase_columns / layer->phase_columns;
	const int64_t plane = (int64_t)out->plane_words * work->lanes;
	const int64_t ps = out->kind == ESPL_PLACE_WIDE ? 1 : out->position_stride;
	/* elements go one at a time, unless a whole chunk does */
	const bool apart = kind >= 0 && out->kind == ESPL_PLACE_VECTOR;
	int count = 0;

	for (int l = 0; l < work->requantizers; l++) {
		const int64_t position = first + l;
		const int row = (int)(position / layer->pitch),
		          column = (int)(position % layer->pitch);
		int64_t offset;
		int r;

		if (column >= layer->columns || (exact && row >= layer->rows) ||
		    (kind >= 0 && layer->kinds.kind_of[row * layer->columns + column] != kind))
			continue;
		offset = (int64_t)(row % more_rows * layer->phase_rows * out->phase_columns +
		                   column % more_columns * layer->phase_columns) *
		                 plane +
		         ((int64_t)(row / more_rows) * out->pitch + column / more_columns) * ps;
		for (r = 0; r < count; r++)
			if (!apart && runs[r].offset + runs[r].lane_count == offset)
				break;
		if (r == count) {
			runs[r].offset = offset;
			runs[r].lane_count = 0;
			count++;
		}
		runs[r].lanes[runs[r].lane_count++] = l;
	}
	return count;
}

static bool as_computed(const espl_work_layer *layer, const espl_work_tensor *out)
{
	return layer->pitch == out->pitch && layer->phase_rows == out->phase_rows &&
	       layer->phase_columns == out->phase_columns && out->kind != ESPL_PLACE_OUTPUT;
}

static void spatial_block(writer *w, int block, bool exact)
{
	const espl_work *work = w->work;
	const espl_work_tensor *out = &work->tensors[w->layer->layer.output];
	const int chunks = work->lanes / work->requantizers;
	run *runs = ESPL_ARRAY(work->arena, run, work->requantizers);
	int filled = chunks; /* chunks with anything in them */

	if (exact) {
		const int64_t end =
		        (int64_t)(w->layer->rows - 1) * w->layer->pitch + w->layer->columns;
		const int64_t left = end - (int64_t)block * work->lanes;

		if (left < work->lanes)
			filled = (int)((left + work->requantizers - 1) / work->requantizers);
	}
	for (int c = 0; c < filled; c++) {
		const int64_t first = (int64_t)block * work->lanes + c * work->requantizers;
		int count = 1;

		if (as_computed(w->layer, out)) {
			runs[0].offset = first;
			runs[0].lane_count = work->requantizers;
			for (int l = 0; l < work->requantizers; l++)
				runs[0].lanes[l] = l;
		} else {
			count = find_runs(w, first, exact, -1, runs);
		}
		put_runs(w, runs, count, c == filled - 1);
	}
	if (!w->entries.count) /* nothing but the waste between rows: a block takes a step */
		put_entry(w, 0, 0, false, false, false, false, 0);
}

/* A block whose positions have different steps: for each chunk and each kind that any block has
 * there, its runs, or a step that only moves on to the next record. */
static void mixed_block(writer *w, int block)
{
	const espl_work *work = w->work;
	const espl_kinds *kinds = &w->layer->kinds;
	const int chunks = work->lanes / work->requantizers;
	run *runs = ESPL_ARRAY(work->arena, run, work->requantizers);

	for (int c = 0, k = 0; c < chunks; c++) {
		const int64_t first = (int64_t)block * work->lanes + c * work->requantizers;
		const bool last_chunk = c == chunks - 1;

		if (k == kinds->chunk_end[c] && !last_chunk) /* no block has anything there */
			put_entry(w, 0, 0, true, false, false, false, 0);
		for (; k < kinds->chunk_end[c]; k++) {
			const bool shift = k == kinds->chunk_end[c] - 1 && !last_chunk;
			const bool next = k < kinds->record_count - 1;
			const int count = find_runs(w, first, true, kinds->records[k], runs);

			for (int i = 0; i < count; i++)
				put_entry(w, runs[i].offset,
				          pattern_of(w, runs[i].lanes, runs[i].lane_count),
				          shift && i == count - 1, next && i == count - 1, false,
				          true, 0);
			if (!count)
				put_entry(w, 0, 0, shift, next, false, false, 0);
		}
	}
}

/* Dense: an output neuron a lane. */
static void dense_block(writer *w, int neurons)
{
	const espl_work *work = w->work;
	const int r = work->requantizers;
	int all[ESPL_MAX_LANES];

	for (int l = 0; l < r; l++)
		all[l] = l;
	if (espl_shares_step(work, w->layer)) {
		/* one full record, then four biases at a time */
		put_entry(w, 0, 0, false, true, false, false, 0);
		for (int c = 0; c * r < neurons; c++)
			for (int q = 0; q < r / 4; q++)
				put_entry(w, (int64_t)c * r, pattern_of(w, all, r), q == r / 4 - 1,
				          true, false, q == r / 4 - 1, q);
		return;
	}
	for (int l = 0; l < neurons; l++) {
		const int lane = l % r;

		put_entry(w, 0, pattern_of(w, &lane, 1), lane == r - 1, true, false, true, 0);
	}
}

/* Column masks of a block: {right 1..pad_max, left 1..pad_max}, a bit a lane. */
static void put_masks(const writer *w, uint64_t *word, int block)
{
	const espl_work *work = w->work;

	for (int d = 1; d <= work->pad_max; d++)
		for (int l = 0; l < work->lanes; l++) {
			const int column =
			        (int)(((int64_t)block * work->lanes + l) % w->layer->pitch);
			const int low = ENTRY_START_BITS + ENTRY_COUNT_BITS + l;

			espl_put_bits(word, low + (d - 1) * work->lanes, 1, column >= d);
			espl_put_bits(word, low + (work->pad_max + d - 1) * work->lanes, 1,
			              column < w->layer->pitch - d);
		}
}

/* Where the block's entries already stand in the entry table, or at its end. */
static int entry_start(writer *w)
{
	espl_table *to = &w->tables->entry;
	const size_t bytes = (size_t)w->entries.count * sizeof(uint64_t);
	int start;

	for (int i = 0; i + w->entries.count <= to->count; i++)
		if (!memcmp(to->words + i, w->entries.words, bytes))
			return i;
	start = espl_table_append(w->work->arena, to, w->entries.count);
	memcpy(to->words + start, w->entries.words, bytes);
	return start;
}

static int gcd(int64_t a, int64_t b)
{
	while (b) {
		const int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return (int)a;
}

static bool needs_masks(const espl_work *work, const espl_work_layer *layer)
{
	for (int p = 0; p < layer->phase_columns; p++)
		for (int k = 0; k < layer->layer.kernel_columns; k++) {
			espl_reach reach;

			espl_reach_of(work, layer, 0, p, 0, k, &reach);
			if (reach.left || reach.right)
				return true;
		}
	return false;
}

/* Blocks until positions and rows come round, and how far the result has moved by then. */
static void find_period(const espl_work *work, const espl_work_layer *layer, espl_blocks *out)
{
	const espl_work_tensor *result = &work->tensors[layer->layer.output];
	const bool direct = as_computed(layer, result);
	const int more = direct ? 1 : result->phase_rows / layer->phase_rows;
	const int64_t round = (int64_t)layer->pitch * more;

	if (direct && !needs_masks(work, layer)) {
		out->period = 1;
		out->advance = work->lanes;
	} else {
		out->period = (int)(round / gcd(round, work->lanes));
		out->advance = (int)((int64_t)out->period * work->lanes / round) *
		               (direct ? layer->pitch : result->pitch);
	}
	if (out->period >= layer->blocks || layer->blocks <= BLOCKS_SPELT_OUT ||
	    result->kind != ESPL_PLACE_WIDE || layer->kinds.kinds > 1) {
		out->period = layer->blocks;
		out->advance = 0;
	}
}

espl_blocks espl_write_blocks(espl_work *work, espl_tables *tables, const espl_work_layer *layer)
{
	const bool dense = layer->layer.kind == ESPL_LAYER_DENSE;
	const int neurons = work->tensors[layer->layer.output].tensor.channels;
	writer w = {.work = work, .tables = tables, .layer = layer};
	espl_blocks out = {.period = layer->blocks};
	espl_table blocks = {.width_beats = tables->block.width_beats};
	size_t bytes;
	int *counts;

	w.log_requantizers = log2_of(work->requantizers);
	if (!dense)
		find_period(work, layer, &out);
	counts = ESPL_ARRAY(work->arena, int, out.period);
	espl_table_append(work->arena, &blocks, out.period);
	for (int b = 0; b < out.period; b++) {
		uint64_t *word = blocks.words + (size_t)b * (size_t)blocks.width_beats;

		w.entries = (espl_table){.width_beats = 1};
		if (dense)
			dense_block(&w, neurons - b * work->lanes < work->lanes
			                        ? neurons - b * work->lanes
			                        : work->lanes);
		else if (layer->kinds.kinds > 1)
			mixed_block(&w, b);
		else
			spatial_block(&w, b, out.period == layer->blocks);
		counts[b] = w.entries.count;
		tables->most_entries = espl_greatest(tables->most_entries, counts[b]);
		espl_put_bits(word, 0, ENTRY_START_BITS, (uint64_t)entry_start(&w));
		espl_put_bits(word, ENTRY_START_BITS, ENTRY_COUNT_BITS, (uint64_t)counts[b]);
		if (!dense)
			put_masks(&w, word, b);
	}
	out.entries = counts;
	bytes = (size_t)out.period * (size_t)blocks.width_beats * sizeof(uint64_t);
	for (int i = 0; i + out.period <= tables->block.count; i++)
		if (!memcmp(tables->block.words + (size_t)i * (size_t)blocks.width_beats,
		            blocks.words, bytes)) {
			out.base = i;
			return out;
		}
	out.base = espl_table_append(work->arena, &tables->block, out.period);
	memcpy(tables->block.words + (size_t)out.base * (size_t)blocks.width_beats, blocks.words,
	       bytes);
	return out;
}
