/* Prices: the fastest array that the frame holds, with the scheduler's numbers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/price.h"

#include "lower/lower.h"
#include "schedule/schedule.h"
#include "tiny_net.h"
#include "unit.h"

#include <string.h>

static const espl_lowered *lowered_conv(espl_arena *arena, int channels, int zeros)
{
	const int shape[] = {14, 14, channels};
	espl_error err = {0};
	espl_lowered *lowered;

	assert_int_equal(
	        espl_lower(tiny_conv(arena, 3, shape, 3, 1, 8, zeros), arena, &lowered, &err),
	        ESPL_OK);
	return lowered;
}

/* The best of all arrays that the multipliers hold, one by one. */
static int64_t fastest(const espl_lowered *lowered, int multipliers, int64_t memory)
{
	int64_t best = 0;

	for (int lanes = 8; lanes <= 32; lanes *= 2)
		for (int splits = 1; splits <= 16 && splits <= lanes; splits *= 2)
			for (int r = 1; r <= splits; r *= 2) {
				const espl_envelope array = {.lanes = lanes,
				                             .splits = splits,
				                             .requantizers = r,
				                             .memory_bytes = memory};
				espl_arena *arena = espl_arena_create();
				espl_plan *plan;

				if (lanes * splits / 2 + r <= multipliers &&
				    !espl_schedule(lowered, &array, NULL, arena, &plan, NULL) &&
				    (!best || plan->latency_cycles < best))
					best = plan->latency_cycles;
				espl_arena_destroy(arena);
			}
	return best;
}

static void takes_the_fastest_array_of_the_multipliers(void **state)
{
	static const int multipliers[] = {5, 9, 20, 28, 156};
	espl_arena *arena = espl_arena_create();
	const espl_lowered *lowered = lowered_conv(arena, 8, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(multipliers) / sizeof(multipliers[0]); i++) {
		espl_frame frame;
		espl_price price;
		espl_error err = {0};
		espl_plan *plan;

		assert_int_equal(
		        espl_frame_of_limits(multipliers[i], 100000, 1000000, &frame, &err),
		        ESPL_OK);
		assert_int_equal(espl_price_lowered(&frame, lowered, arena, &plan, &price, &err),
		                 ESPL_OK);
		assert_true(price.latency_cycles == plan->latency_cycles);
		assert_true(price.latency_cycles == fastest(lowered, multipliers[i], 100000));
		assert_true(price.multipliers <= multipliers[i]);
		assert_true(price.memory_bytes <= 100000);
	}
	espl_arena_destroy(arena);
}

static void zeros_make_it_faster_and_smaller(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_price dense, sparse;
	espl_error err = {0};
	espl_frame frame;
	espl_plan *plan;

	(void)state;
	assert_int_equal(espl_frame_of_limits(28, 0, 1000000, &frame, &err), ESPL_OK);
	assert_int_equal(
	        espl_price_lowered(&frame, lowered_conv(arena, 8, 1), arena, &plan, &dense, &err),
	        ESPL_OK);
	assert_int_equal(
	        espl_price_lowered(&frame, lowered_conv(arena, 8, 4), arena, &plan, &sparse, &err),
	        ESPL_OK);
	assert_true(sparse.latency_cycles < dense.latency_cycles);
	assert_true(sparse.bytes < dense.bytes);
	assert_true(sparse.nonzero_weights < dense.nonzero_weights);
	assert_true(sparse.issued < dense.issued);
	assert_true(sparse.multiplications == dense.multiplications);
	assert_true(sparse.multiplications == INT64_C(9) * 8 * 8 * 14 * 14);
	assert_true(sparse.weights == 9 * 8 * 8);
	espl_arena_destroy(arena);
}

static const espl_board small_board = {.name = "small",
                                       .family = "ecp5",
                                       .multipliers = 28,
                                       .block_rams = 56,
                                       .luts = 24288,
                                       .ffs = 24288,
                                       .clock_hz = 48000000,
                                       .preset = {.memory_bytes = 129024}};

static void a_board_holds_what_its_parts_allow(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_board board = small_board;
	espl_error err = {0};
	espl_frame frame;
	espl_price price;
	espl_plan *plan;

	(void)state;
	assert_int_equal(espl_frame_of_board(&board, 0, &frame, &err), ESPL_OK);
	assert_int_equal(frame.clock_hz, 48000000);
	for (int a = 0; a < frame.array_count; a++) {
		const espl_envelope *e = &frame.arrays[a];

		assert_true(e->lanes * e->splits / 2 + e->requantizers <= 28);
		assert_true(espl_estimate_luts(e->lanes, e->splits, e->requantizers) < 24288);
		assert_true(a == 0 || e->lanes * e->splits <= e[-1].lanes * e[-1].splits);
	}
	assert_int_equal(
	        espl_price_lowered(&frame, lowered_conv(arena, 8, 1), arena, &plan, &price, &err),
	        ESPL_OK);
	assert_true(price.block_rams <= 54);
	/* few block RAMs: refused, with the numbers */
	board.block_rams = 2 + 3; /* wide memories alone are four */
	assert_int_equal(espl_frame_of_board(&board, 0, &frame, &err), ESPL_OK);
	assert_int_equal(
	        espl_price_lowered(&frame, lowered_conv(arena, 8, 1), arena, &plan, &price, &err),
	        ESPL_BUDGET);
	assert_non_null(strstr(err.message, "block RAMs"));
	espl_arena_destroy(arena);
}

/* Its own engine first, however slow; another only where that one does not hold the network. */
static void a_board_with_one_engine_uses_it(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_lowered *lowered = lowered_conv(arena, 8, 2);
	espl_error err = {0};
	espl_frame frame;
	espl_price slow, fast;
	espl_engine engine;
	espl_plan *plan;

	(void)state;
	assert_int_equal(espl_frame_of_limits(5, 100000, 48000000, &frame, &err), ESPL_OK);
	assert_int_equal(espl_price_lowered(&frame, lowered, arena, &plan, &slow, &err), ESPL_OK);
	engine = plan->engine; /* 8x1, just as deep as the network wants */
	assert_int_equal(espl_frame_of_board(&small_board, 0, &frame, &err), ESPL_OK);
	frame.engine = &engine;
	assert_int_equal(espl_price_lowered(&frame, lowered, arena, &plan, &fast, &err), ESPL_OK);
	assert_true(fast.latency_cycles == slow.latency_cycles);
	assert_true(plan->envelope.engine == &engine);
	engine.NarrowDepth /= 2;
	assert_int_equal(espl_price_lowered(&frame, lowered, arena, &plan, &fast, &err), ESPL_OK);
	assert_true(fast.latency_cycles < slow.latency_cycles);
	assert_null(plan->envelope.engine);
	espl_arena_destroy(arena);
}

static void a_board_too_small_for_any_engine_says_so(void **state)
{
	espl_board board = small_board;
	espl_error err = {0};
	espl_frame frame;

	(void)state;
	board.family = "ice40";
	board.multipliers = 8;
	assert_int_equal(espl_frame_of_board(&board, 0, &frame, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "takes 11 multipliers"));
	board.multipliers = 11;
	assert_int_equal(espl_frame_of_board(&board, 0, &frame, &err), ESPL_OK);
	board.ffs = 5280;
	assert_int_equal(espl_frame_of_board(&board, 0, &frame, &err), ESPL_BUDGET);
	assert_int_equal(espl_frame_of_limits(4, 0, 1000000, &frame, &err), ESPL_BUDGET);
	assert_non_null(strstr(err.message, "the envelope has 4"));
}

/* What Yosys 0.23 made of them (docs/fit.md): LUT4, two a CCU2C, six a DPR16X4; flip-flops. */
static void estimates_are_near_what_synthesis_makes(void **state)
{
	static const int made[][5] = {
	        {8, 1, 1, 5977, 5651},    {8, 2, 2, 8091, 7862},    {8, 4, 1, 9435, 10061},
	        {8, 4, 4, 12608, 12516},  {8, 8, 8, 21569, 22389},  {16, 2, 2, 10945, 10127},
	        {16, 4, 1, 14591, 14322}, {16, 4, 2, 15659, 15135}, {16, 4, 4, 17810, 16773},
	        {32, 1, 1, 11252, 9575},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		const int *m = made[i];
		const int luts = espl_estimate_luts(m[0], m[1], m[2]);
		const int ffs = espl_estimate_ffs(m[0], m[1], m[2]);

		assert_in_range(1000 * luts, 990 * m[3], 1010 * m[3]);
		assert_in_range(1000 * ffs, 984 * m[4], 1016 * m[4]);
	}
}

static void bytes_are_the_lesser_of_dense_and_sparse(void **state)
{
	int8_t weights[64] = {0};
	espl_tensor tensors[] = {{.rows = 1, .columns = 1, .channels = 32},
	                         {.rows = 1, .columns = 1, .channels = 2}};
	espl_op op = {.kind = ESPL_OP_DENSE, .input_count = 1, .output = 1, .weights = weights};
	const espl_net net = {.tensor_count = 2, .op_count = 1, .tensors = tensors, .ops = &op};

	(void)state;
	weights[3] = 7;
	weights[63] = -5;
	/* 4 bits: 7 needs them; a skip of 59 takes three fillers: 5 entries of 8 bits */
	assert_int_equal(espl_model_bytes(&net), 5 + 18);
	for (int i = 0; i < 64; i++)
		weights[i] = (int8_t)(i % 8);
	assert_int_equal(espl_model_bytes(&net), 32 + 18);
	weights[0] = -127;
	assert_int_equal(espl_model_bytes(&net), 64 + 18);
	/* every second: a bit a weight and 32 times 4 bits are less than 8 bits each with a skip */
	for (int i = 0; i < 64; i++)
		weights[i] = i % 2 ? 7 : 0;
	assert_int_equal(espl_model_bytes(&net), 8 + 16 + 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(takes_the_fastest_array_of_the_multipliers),
	        cmocka_unit_test(zeros_make_it_faster_and_smaller),
	        cmocka_unit_test(a_board_holds_what_its_parts_allow),
	        cmocka_unit_test(a_board_with_one_engine_uses_it),
	        cmocka_unit_test(a_board_too_small_for_any_engine_says_so),
	        cmocka_unit_test(estimates_are_near_what_synthesis_makes),
	        cmocka_unit_test(bytes_are_the_lesser_of_dense_and_sparse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
