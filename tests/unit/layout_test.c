/* Phases and pitches: taps by hand, and what is refused.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scheduling.h"

/* Lays out from the first tensor on, which is the input. */
static espl_status lay_out(espl_work *work, espl_error *err)
{
	work->tensors[0].is_input = true;
	for (int t = 0; t < work->tensor_count; t++)
		work->tensors[t].pitch = 0;
	return espl_lay_out(work, err);
}

static void check_reach(const espl_work *work, int phase_column, int row, int column,
                        espl_reach wanted)
{
	espl_reach got;

	assert_true(espl_reach_of(work, &work->layers[0], 0, phase_column, row, column, &got));
	assert_int_equal(got.phase_row, wanted.phase_row);
	assert_int_equal(got.phase_column, wanted.phase_column);
	assert_int_equal(got.row, wanted.row);
	assert_int_equal(got.column, wanted.column);
	assert_int_equal(got.left, wanted.left);
	assert_int_equal(got.right, wanted.right);
	assert_int_equal(got.limit, wanted.limit);
}

static void taps_at_the_borders_have_masks(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 5, 6, 1);
	const int out = scheduling_tensor(&work, "out", 5, 6, 1);

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1);
	assert_int_equal(lay_out(&work, NULL), ESPL_OK);
	check_reach(&work, 0, 0, 0, (espl_reach){.row = -1, .column = -1, .left = 1});
	check_reach(&work, 0, 1, 1, (espl_reach){0});
	check_reach(&work, 0, 2, 2, (espl_reach){.row = 1, .column = 1, .right = 1});
	assert_int_equal(work.layers[0].blocks, 4); /* 30 positions in blocks of 8 */
	espl_arena_destroy(arena);
}

static void a_stride_of_two_reads_phases_at_stride_one(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 7, 6, 1);
	const int out = scheduling_tensor(&work, "out", 4, 3, 1);

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 2);
	assert_int_equal(lay_out(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[in].phase_rows, 2);
	assert_int_equal(work.tensors[in].phase_columns, 2);
	assert_int_equal(work.tensors[in].pitch, 3);
	/* row 2 y - 1 is row y - 1 of the odd phase, which has 3 rows and not 4 */
	check_reach(&work, 0, 0, 0,
	            (espl_reach){.phase_row = 1,
	                         .phase_column = 1,
	                         .row = -1,
	                         .column = -1,
	                         .left = 1,
	                         .limit = 1});
	check_reach(&work, 0, 1, 1, (espl_reach){0});
	check_reach(&work, 0, 2, 2, (espl_reach){.phase_row = 1, .phase_column = 1, .limit = 1});
	espl_arena_destroy(arena);
}

static void a_tap_that_never_meets_the_image_is_none(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 1, 6, 1);
	const int out = scheduling_tensor(&work, "out", 1, 6, 1);
	espl_reach reach;

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1);
	assert_int_equal(lay_out(&work, NULL), ESPL_OK);
	assert_false(espl_reach_of(&work, &work.layers[0], 0, 0, 0, 1, &reach));
	assert_true(espl_reach_of(&work, &work.layers[0], 0, 0, 1, 1, &reach));
	espl_arena_destroy(arena);
}

static void operands_of_a_sum_have_one_layout(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 8, 8, 1);
	const int a = scheduling_tensor(&work, "a", 8, 8, 1),
	          b = scheduling_tensor(&work, "b", 8, 8, 1);
	const int sum = scheduling_tensor(&work, "sum", 8, 8, 1);
	const int half = scheduling_tensor(&work, "half", 4, 4, 1);
	espl_work_layer *add;

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, a, 3, 1);
	scheduling_layer(&work, ESPL_LAYER_CONV, in, b, 3, 1);
	add = scheduling_layer(&work, ESPL_LAYER_ADD, a, sum, 1, 1);
	add->layer.input_count = 2;
	add->layer.inputs[1] = b;
	scheduling_layer(&work, ESPL_LAYER_CONV, b, half, 3, 2); /* wants phases of b alone */
	assert_int_equal(lay_out(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[b].phase_rows, 2);
	assert_int_equal(work.tensors[a].phase_rows, 2);
	assert_int_equal(work.tensors[a].phase_columns, work.tensors[b].phase_columns);
	assert_int_equal(work.tensors[a].pitch, work.tensors[b].pitch);
	espl_arena_destroy(arena);
}

static void too_many_phases_are_refused(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 64, 64, 1);
	const int out = scheduling_tensor(&work, "out", 7, 7, 1);
	espl_error err = {0};

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 9);
	assert_int_equal(lay_out(&work, &err), ESPL_UNSUPPORTED);
	assert_string_equal(err.message, "in: the strides around it ask for more than 8 phases");
	espl_arena_destroy(arena);
}

static void a_result_in_phases_is_refused(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 8, 8, 1);
	const int half = scheduling_tensor(&work, "half", 4, 4, 1);
	const int out = scheduling_tensor(&work, "out", 8, 8, 1);
	espl_error err = {0};

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, half, 3, 2);
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1);
	work.tensors[out].kind = ESPL_PLACE_OUTPUT;
	assert_int_equal(lay_out(&work, &err), ESPL_UNSUPPORTED);
	assert_string_equal(err.message,
	                    "out: is wanted in order, but a reader's stride cuts it in phases");
	espl_arena_destroy(arena);
}

static void too_much_padding_is_refused(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 1, 1);
	const int in = scheduling_tensor(&work, "in", 20, 20, 1);
	const int out = scheduling_tensor(&work, "out", 20, 20, 1);
	espl_error err = {0};

	(void)state;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 17, 1);
	assert_int_equal(lay_out(&work, &err), ESPL_UNSUPPORTED);
	assert_string_equal(err.message,
	                    "in: a reader pads 8 columns of a phase, at most 7 are possible");
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(taps_at_the_borders_have_masks),
	        cmocka_unit_test(a_stride_of_two_reads_phases_at_stride_one),
	        cmocka_unit_test(a_tap_that_never_meets_the_image_is_none),
	        cmocka_unit_test(operands_of_a_sum_have_one_layout),
	        cmocka_unit_test(too_many_phases_are_refused),
	        cmocka_unit_test(a_result_in_phases_is_refused),
	        cmocka_unit_test(too_much_padding_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
