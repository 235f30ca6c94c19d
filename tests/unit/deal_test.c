/* Channels to splits: balanced, tied where they must be, copied where that pays.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scheduling.h"

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A convolution 1x1; of its weights every `keep`-th, at random, is not zero. */
static void add_conv(espl_work *work, int input, int output, int keep, uint32_t *random)
{
	const int count =
	        work->tensors[input].tensor.channels * work->tensors[output].tensor.channels;
	int8_t *weights = ESPL_ARRAY(work->arena, int8_t, count);

	for (int i = 0; i < count; i++)
		weights[i] = next(random) % (uint32_t)keep == 0;
	scheduling_layer(work, ESPL_LAYER_CONV, input, output, 1, 1)->layer.weights = weights;
}

/* Cycles of the first layer's outputs when input channel c lies in split[c], or is shared. */
static int cost(const espl_work *work, const int *split, int copies)
{
	const espl_layer *layer = &work->layers[0].layer;
	const int channels = work->tensors[layer->inputs[0]].tensor.channels;
	int sum = 0;

	for (int o = 0; o < work->tensors[layer->output].tensor.channels; o++) {
		int load[ESPL_MAX_SPLITS] = {0}, most = work->lanes / work->requantizers;

		for (int c = 0; c < channels; c++)
			load[split[c] / copies] += layer->weights[o * channels + c] != 0;
		for (int s = 0; s < work->splits / copies; s++)
			most = espl_greatest(most, espl_ceil_div(load[s], copies));
		sum += most;
	}
	return sum;
}

static void dense_weights_fill_every_split_alike(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 4, 4, 22);
	const int out = scheduling_tensor(&work, "out", 4, 4, 6);
	uint32_t random = 3;
	int count[4] = {0};

	(void)state;
	add_conv(&work, in, out, 1, &random);
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	for (int c = 0; c < 22; c++)
		count[work.tensors[in].split[c]]++;
	for (int s = 0; s < 4; s++)
		assert_in_range(count[s], 5, 6);
	assert_int_equal(work.tensors[in].locals, 6);
	espl_arena_destroy(arena);
}

static void zeros_are_balanced_better_than_by_turns(void **state)
{
	espl_arena *arena = espl_arena_create();
	uint32_t random = 11;
	int better = 0;

	(void)state;
	for (int round = 0; round < 20; round++) {
		espl_work work = scheduling(arena, 8, 4, 4);
		const int in = scheduling_tensor(&work, "in", 4, 4, 64);
		const int out = scheduling_tensor(&work, "out", 4, 4, 16);
		int by_turns[64];

		for (int c = 0; c < 64; c++)
			by_turns[c] = c % 4;
		add_conv(&work, in, out, 3, &random);
		assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
		assert_int_equal(work.tensors[in].copies, 1);
		assert_true(cost(&work, work.tensors[in].split, 1) <= cost(&work, by_turns, 1));
		better += cost(&work, work.tensors[in].split, 1) < cost(&work, by_turns, 1);
	}
	assert_true(better >= 18);
	espl_arena_destroy(arena);
}

/* Weights of which each output channel has as many in channels 0, 4, 8, .. as in 1, 5, 9, .. */
static void what_pruning_balanced_costs_no_cycle_more(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 4, 4, 64);
	const int out = scheduling_tensor(&work, "out", 4, 4, 16);
	int8_t *weights = ESPL_ARRAY(arena, int8_t, 64 * 16);
	uint32_t random = 13;
	int sum = 0;

	(void)state;
	for (int o = 0; o < 16; o++)
		for (int s = 0; s < 4; s++)
			for (int kept = 0; kept < 3 + o % 4;) {
				int8_t *weight = &weights[o * 64 + next(&random) % 16 * 4 + s];

				kept += !*weight;
				*weight = 1;
			}
	for (int o = 0; o < 16; o++)
		sum += 3 + o % 4;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 1, 1)->layer.weights = weights;
	work.most_copies = 4;
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[in].copies, 1);
	assert_int_equal(cost(&work, work.tensors[in].split, 1), sum);
	espl_arena_destroy(arena);
}

static void copies_come_within_two_percent_of_the_best(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 4, 4, 64);
	const int out = scheduling_tensor(&work, "out", 4, 4, 64);
	uint32_t random = 5;
	int copies;

	(void)state;
	work.most_copies = 4;
	add_conv(&work, in, out, 6, &random);
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	copies = work.tensors[in].copies;
	assert_true(copies > 1);
	assert_true(cost(&work, work.tensors[in].split, copies) * 50 <=
	            cost(&work, work.tensors[in].split, 4) * 51);
	espl_arena_destroy(arena);
}

static void what_is_read_channel_by_channel_has_no_copies(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 4, 4, 64);
	const int out = scheduling_tensor(&work, "out", 4, 4, 16);
	const int pooled = scheduling_tensor(&work, "pooled", 4, 4, 64);
	uint32_t random = 5;

	(void)state;
	work.most_copies = 4;
	add_conv(&work, in, out, 4, &random);
	scheduling_layer(&work, ESPL_LAYER_MAX, in, pooled, 3, 1);
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	assert_int_equal(work.tensors[in].copies, 1);
	espl_arena_destroy(arena);
}

static void operands_of_a_sum_move_together(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int a = scheduling_tensor(&work, "a", 4, 4, 30),
	          b = scheduling_tensor(&work, "b", 4, 4, 30);
	const int sum = scheduling_tensor(&work, "sum", 4, 4, 30);
	const int out = scheduling_tensor(&work, "out", 4, 4, 5);
	uint32_t random = 9;
	espl_work_layer *add;

	(void)state;
	add_conv(&work, b, out, 3, &random);
	add = scheduling_layer(&work, ESPL_LAYER_ADD, a, sum, 1, 1);
	add->layer.input_count = 2;
	add->layer.inputs[1] = b;
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	assert_memory_equal(work.tensors[a].split, work.tensors[b].split, 30 * sizeof(int));
	espl_arena_destroy(arena);
}

static void the_members_of_a_concat_lie_where_it_says(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int a = scheduling_tensor(&work, "a", 4, 4, 3),
	          b = scheduling_tensor(&work, "b", 4, 4, 7);
	const int whole = scheduling_tensor(&work, "whole", 4, 4, 10);

	(void)state;
	work.tensors[a].alias = work.tensors[b].alias = whole;
	work.tensors[b].alias_channel = 3;
	assert_int_equal(espl_deal(&work, NULL), ESPL_OK);
	for (int c = 0; c < 7; c++)
		for (int s = 0; s < 4; s++)
			assert_int_equal(
			        espl_work_plane(&work, &work.tensors[b], c, 0, 0, s),
			        espl_work_plane(&work, &work.tensors[whole], 3 + c, 0, 0, s));
	espl_arena_destroy(arena);
}

static void an_image_of_few_channels_deals_its_taps(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_work work = scheduling(arena, 8, 4, 4);
	const int in = scheduling_tensor(&work, "in", 6, 6, 1);
	const int out = scheduling_tensor(&work, "out", 6, 6, 2);
	int split_of[9], count[4] = {0};

	(void)state;
	work.tensors[in].is_input = true;
	scheduling_layer(&work, ESPL_LAYER_CONV, in, out, 3, 1);
	assert_true(espl_deals_taps(&work, in));
	espl_share_taps(&work, &work.layers[0], 0, 0, split_of);
	for (int k = 0; k < 9; k++)
		count[split_of[k]]++;
	for (int s = 0; s < 4; s++)
		assert_in_range(count[s], 2, 3);
	/* a reader that takes channel by channel wants the image itself */
	scheduling_layer(&work, ESPL_LAYER_MAX, in, out, 3, 1);
	assert_false(espl_deals_taps(&work, in));
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(dense_weights_fill_every_split_alike),
	        cmocka_unit_test(zeros_are_balanced_better_than_by_turns),
	        cmocka_unit_test(what_pruning_balanced_costs_no_cycle_more),
	        cmocka_unit_test(copies_come_within_two_percent_of_the_best),
	        cmocka_unit_test(what_is_read_channel_by_channel_has_no_copies),
	        cmocka_unit_test(operands_of_a_sum_move_together),
	        cmocka_unit_test(the_members_of_a_concat_lie_where_it_says),
	        cmocka_unit_test(an_image_of_few_channels_deals_its_taps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
