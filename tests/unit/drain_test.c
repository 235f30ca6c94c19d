/* Blocks and their drain lists: entries and masks by hand, and walked as the hardware walks them.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scheduling.h"

#include <string.h>

typedef struct {
	int offset, pattern;
	bool shift, next, compute;
} entry;

static entry entry_at(const espl_tables *tables, int index)
{
	const uint64_t word = tables->entry.words[index];

	return (entry){(int)(word & 0x1ffff), (int)(word >> 17 & 63), word >> 26 & 1,
	               word >> 27 & 1, word >> 29 & 1};
}

static const uint64_t *block_at(const espl_tables *tables, int index)
{
	return tables->block.words + index * tables->block.width_beats;
}

static int first_entry(const espl_tables *tables, int block)
{
	return (int)(block_at(tables, block)[0] & 0xfff);
}

static int entry_count(const espl_tables *tables, int block)
{
	return (int)(block_at(tables, block)[0] >> 12 & 127);
}

static int bit(const uint64_t *words, int at)
{
	return (int)(words[at / 64] >> at % 64 & 1);
}

/* Lane i of the bytes that a pattern writes, -1 behind its last. */
static int lane_of(const espl_work *work, const espl_tables *tables, int pattern, int i)
{
	const uint64_t *word = tables->pattern.words + pattern * tables->pattern.width_beats;
	int select = 1, lane = 0;

	while (1 << select < work->requantizers)
		select++;
	if (i >= work->requantizers || !bit(word, select * work->requantizers + i))
		return -1;
	for (int b = 0; b < select; b++)
		lane |= bit(word, select * i + b) << b;
	return lane;
}

static espl_tables empty_tables(const espl_work *work)
{
	espl_tables tables = {.entry = {.width_beats = 1}, .pattern = {.width_beats = 2}};

	tables.block.width_beats = espl_ceil_div(19 + 2 * work->pad_max * work->lanes, 64);
	return tables;
}

static void a_result_as_computed_takes_an_entry_a_chunk(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 4);
	const int in = scheduling_tensor(&work, "in", 16, 16, 1);
	const int out = scheduling_tensor(&work, "out", 16, 16, 1);
	espl_tables tables = empty_tables(&work);
	espl_blocks blocks;

	(void)state;
	blocks = espl_write_blocks(&work, &tables,
	                           scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 1, 1));
	assert_int_equal(blocks.period, 1);
	assert_int_equal(blocks.advance, 8);
	assert_int_equal(blocks.entries[0], 2);
	for (int e = 0; e < 2; e++) {
		const entry of = entry_at(&tables, first_entry(&tables, 0) + e);

		assert_int_equal(of.offset, 4 * e);
		assert_true(of.compute && of.shift && !of.next);
		for (int i = 0; i < 4; i++)
			assert_int_equal(lane_of(&work, &tables, of.pattern, i), i);
	}
	espl_arena_destroy(arena);
}

static void the_last_block_drains_what_it_has(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 4);
	const int in = scheduling_tensor(&work, "in", 3, 3, 1);
	const int out = scheduling_tensor(&work, "out", 3, 3, 1);
	espl_tables tables = empty_tables(&work);
	espl_blocks blocks;

	(void)state;
	blocks = espl_write_blocks(&work, &tables,
	                           scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 1, 1));
	assert_int_equal(blocks.period, 2);
	assert_int_equal(blocks.entries[0], 2);
	assert_int_equal(blocks.entries[1], 1); /* one position of nine */
	espl_arena_destroy(arena);
}

static void equal_lists_are_written_once(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 4);
	const int in = scheduling_tensor(&work, "in", 9, 9, 1);
	const int out = scheduling_tensor(&work, "out", 9, 9, 1);
	espl_tables tables = empty_tables(&work);
	espl_blocks first, second;
	espl_work_layer *layer = scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1);
	int entries, count;

	(void)state;
	first = espl_write_blocks(&work, &tables, layer);
	entries = tables.entry.count;
	count = tables.block.count;
	second = espl_write_blocks(&work, &tables, layer);
	assert_int_equal(first.base, second.base);
	assert_int_equal(tables.entry.count, entries);
	assert_int_equal(tables.block.count, count);
	espl_arena_destroy(arena);
}

static void masks_count_columns_from_both_ends(void **state)
{
	static const int left1[] = {0, 1, 1, 1, 1, 1, 0, 1}, right2[] = {1, 1, 1, 1, 0, 0, 1, 1};
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 8);
	const int in = scheduling_tensor(&work, "in", 6, 6, 1);
	const int out = scheduling_tensor(&work, "out", 6, 6, 1);
	espl_tables tables = empty_tables(&work);
	const uint64_t *word;

	(void)state;
	espl_write_blocks(&work, &tables, scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1));
	word = block_at(&tables, 0); /* columns 0 to 5, then 0 and 1 of the next row */
	for (int l = 0; l < 8; l++) {
		assert_int_equal(bit(word, 19 + l), left1[l]);
		assert_int_equal(bit(word, 19 + 3 * 8 + l), right2[l]);
	}
	espl_arena_destroy(arena);
}

static void phases_take_every_other_lane(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 8);
	const int in = scheduling_tensor(&work, "in", 2, 8, 1);
	const int out = scheduling_tensor(&work, "out", 2, 8, 1);
	espl_tables tables = empty_tables(&work);

	(void)state;
	work.tensors[out].phase_rows = work.tensors[out].phase_columns = 2;
	work.tensors[out].pitch = 4;
	work.tensors[out].plane_words = 1;
	espl_write_blocks(&work, &tables, scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 1, 1));
	for (int block = 0; block < 2; block++) {
		assert_int_equal(entry_count(&tables, block), 2);
		for (int phase = 0; phase < 2; phase++) {
			const entry of = entry_at(&tables, first_entry(&tables, block) + phase);

			/* planes of one word: row phase, then column phase */
			assert_int_equal(of.offset, (2 * block + phase) * 8);
			assert_true(of.compute && of.shift == (phase == 1));
			for (int i = 0; i < 4; i++)
				assert_int_equal(lane_of(&work, &tables, of.pattern, i),
				                 2 * i + phase);
			assert_int_equal(lane_of(&work, &tables, of.pattern, 4), -1);
		}
	}
	espl_arena_destroy(arena);
}

/* Follows a block's entries as rtl/shell/espl_drain.sv does, and notes for each position which
 * record it got. */
static void walk(const espl_work *work, const espl_tables *tables, const espl_kinds *kinds,
                 int index, int block, int *got)
{
	int record = 0, chunk = 0;

	for (int e = 0; e < entry_count(tables, index); e++) {
		const entry of = entry_at(tables, first_entry(tables, index) + e);
		int lane;

		for (int i = 0; of.compute && (lane = lane_of(work, tables, of.pattern, i)) >= 0;
		     i++) {
			assert_int_equal(of.offset + i,
			                 block * work->lanes + chunk * work->requantizers + lane);
			assert_int_equal(got[of.offset + i], -1);
			got[of.offset + i] = kinds->records[record];
		}
		record += of.next;
		chunk += of.shift;
	}
	assert_int_equal(record, kinds->record_count - 1);
}

static void each_position_gets_the_record_of_its_kind(void **state)
{
	static const int arrays[][2] = {{8, 1}, {8, 4}, {8, 8}, {16, 8}, {16, 16}, {32, 2}};

	(void)state;
	for (int round = 0; round < 300; round++) {
		espl_arena *arena = espl_arena_create();
		const int rows = 1 + round % 7, columns = 1 + round % 11;
		espl_work work = scheduling(arena, arrays[round % 6][0], 1, arrays[round % 6][1]);
		const int in = scheduling_tensor(&work, "in", rows, columns, 1);
		const int out = scheduling_tensor(&work, "out", rows, columns, 1);
		espl_work_layer *layer =
		        scheduling_layer(&work, ESPL_LAYER_DEPTHWISE, in, out, 3, 1);
		int *class_of = ESPL_ARRAY(arena, int, rows *columns);
		int *got = ESPL_ARRAY(arena, int, rows *columns + 64);
		espl_tables tables = empty_tables(&work);
		espl_blocks blocks;

		for (int p = 0; p < rows * columns; p++) {
			const int y = p / columns, x = p % columns;

			class_of[p] = (y == 0 || y == rows - 1) + (x == 0 || x == columns - 1);
		}
		layer->layer.class_of = class_of;
		layer->layer.step_classes = 3;
		layer->kinds = espl_find_kinds(&work, layer);
		if (layer->kinds.kinds == 1) {
			espl_arena_destroy(arena);
			continue;
		}
		memset(got, -1, (size_t)(rows * columns + 64) * sizeof(*got));
		blocks = espl_write_blocks(&work, &tables, layer);
		assert_int_equal(blocks.period, layer->blocks);
		for (int b = 0; b < layer->blocks; b++)
			walk(&work, &tables, &layer->kinds, blocks.base + b, b, got);
		for (int p = 0; p < rows * columns; p++)
			assert_int_equal(layer->kinds.class_of[got[p]], class_of[p]);
		espl_arena_destroy(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_result_as_computed_takes_an_entry_a_chunk),
	        cmocka_unit_test(the_last_block_drains_what_it_has),
	        cmocka_unit_test(equal_lists_are_written_once),
	        cmocka_unit_test(masks_count_columns_from_both_ends),
	        cmocka_unit_test(phases_take_every_other_lane),
	        cmocka_unit_test(each_position_gets_the_record_of_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
