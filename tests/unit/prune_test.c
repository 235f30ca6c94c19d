/* Do weights become zero as many, and where, as the pattern says?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arena_fixture.h"
#include "unit.h"

#include "compress/prune.h"
#include "ir/graph_build.h"
#include "tiny_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int conv(espl_graph_builder *b, int input, int kernel, int channels)
{
	espl_node node = espl_node_default(ESPL_NODE_CONV, NULL);

	node.inputs[0] = input;
	node.input_count = 1;
	node.kernel_rows = node.kernel_columns = kernel;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = kernel / 2;
	return espl_graph_add(b, node, channels, false);
}

static int depthwise(espl_graph_builder *b, int input)
{
	espl_node node = espl_node_default(ESPL_NODE_DEPTHWISE, NULL);

	node.inputs[0] = input;
	node.input_count = 1;
	node.kernel_rows = node.kernel_columns = 3;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = 1;
	node.depth_multiplier = 1;
	return espl_graph_add(b, node, 0, false);
}

enum { FIRST, MIDDLE, DEPTHWISE, POINTWISE, LAST = 5 }; /* nodes; 4 is the mean */

/* Convolutions 1 -> 16 -> 24, depthwise, 24 -> 20 by points, mean, dense 20 -> 10. Weights of
 * layers differ in size by far. */
static espl_graph *make(uint32_t seed)
{
	espl_graph_builder b = espl_graph_build(arena, "net");
	espl_node last = espl_node_default(ESPL_NODE_DENSE, NULL);
	int value = espl_graph_add_input(&b, "image", 8, 8, 1);

	value = conv(&b, value, 3, 16);
	value = conv(&b, value, 3, 24);
	value = depthwise(&b, value);
	value = conv(&b, value, 1, 20);
	last.inputs[0] = espl_graph_add_plain(&b, ESPL_NODE_MEAN, value);
	last.input_count = 1;
	espl_graph_add_output(&b, espl_graph_add(&b, last, 10, true));
	for (int n = 0; n < b.graph->node_count; n++)
		for (int64_t i = 0; i < espl_node_weights(b.graph, &b.graph->nodes[n]); i++)
			b.graph->nodes[n].weights[i] =
			        (tiny_random(&seed) + 1e-4f) * powf(10, (float)(n % 3));
	assert_int_equal(espl_graph_check(b.graph, NULL), 0);
	return b.graph;
}

static espl_prune_rule rule_of(const char *pattern, espl_rank rank, double edges)
{
	espl_prune_rule rule = {.rank = rank, .edges = edges};

	assert_int_equal(espl_pattern_parse(pattern, &rule.pattern, NULL), 0);
	return rule;
}

static double share(const espl_graph *graph, int node)
{
	return (double)espl_node_zeros(graph, &graph->nodes[node]) /
	       (double)espl_node_weights(graph, &graph->nodes[node]);
}

static void as_many_zeros_as_asked(void **state)
{
	static const double wanted[] = {0, 0.1, 0.333, 0.5, 0.8, 0.9, 0.95};

	(void)state;
	for (int rank = ESPL_RANK_GLOBAL; rank <= ESPL_RANK_CYCLES; rank++)
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			const espl_prune_rule rule = rule_of("unstructured", (espl_rank)rank, 0.5);
			espl_graph *graph = make(1);
			espl_zeros zeros;

			assert_int_equal(espl_prune(graph, &rule, wanted[i], NULL), 0);
			zeros = espl_count_zeros(graph);
			/* 9*16 + 9*16*24 + 9*24 + 24*20 + 20*10 */
			assert_int_equal(zeros.weights, 144 + 3456 + 216 + 480 + 200);
			assert_int_equal(zeros.zeros, llround(wanted[i] * 4496));
			assert_true(share(graph, FIRST) <= 0.5 && share(graph, LAST) <= 0.5);
		}
}

static void the_least_weights_of_a_layer_go(void **state)
{
	const espl_prune_rule rule = rule_of("unstructured", ESPL_RANK_GLOBAL, 0.5);
	espl_graph *graph = make(2), *before = espl_graph_copy(graph, arena);

	(void)state;
	assert_int_equal(espl_prune(graph, &rule, 0.7, NULL), 0);
	for (int n = 0; n < graph->node_count; n++) {
		float greatest_gone = 0, least_kept = INFINITY;

		for (int64_t i = 0; i < espl_node_weights(graph, &graph->nodes[n]); i++) {
			const float was = before->nodes[n].weights[i];

			if (graph->nodes[n].weights[i] == 0) {
				greatest_gone = fmaxf(greatest_gone, fabsf(was));
				continue;
			}
			assert_true(graph->nodes[n].weights[i] == was);
			least_kept = fminf(least_kept, fabsf(was));
		}
		assert_true(greatest_gone <= least_kept);
	}
	/* sizes alone would have emptied the layers of small weights */
	assert_true(share(graph, MIDDLE) < 0.95 && share(graph, POINTWISE) < 0.95);
}

static void layers_lose_the_same_share(void **state)
{
	const espl_prune_rule rule = rule_of("unstructured", ESPL_RANK_LAYER, 1);
	espl_graph *graph = make(3);

	(void)state;
	assert_int_equal(espl_prune(graph, &rule, 0.6, NULL), 0);
	for (int n = 0; n < graph->node_count; n++)
		if (espl_node_weights(graph, &graph->nodes[n]))
			assert_true(fabs(share(graph, n) - 0.6) < 0.01);
}

static void what_costs_cycles_goes_first(void **state)
{
	espl_prune_rule rule = rule_of("unstructured", ESPL_RANK_GLOBAL, 0.5);
	espl_graph *plain = make(4), *steered = make(4);

	(void)state;
	assert_int_equal(espl_prune(plain, &rule, 0.5, NULL), 0);
	rule.rank = ESPL_RANK_CYCLES;
	assert_int_equal(espl_prune(steered, &rule, 0.5, NULL), 0);
	/* a dense layer's zeros save none */
	assert_true(share(steered, LAST) < share(plain, LAST));
	assert_int_equal(espl_count_zeros(steered).zeros, espl_count_zeros(plain).zeros);
}

static void more_zeros_keep_those_that_are(void **state)
{
	static const char *const patterns[] = {"unstructured", "balanced:8", "blocks:2x2"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const espl_prune_rule rule = rule_of(patterns[i], ESPL_RANK_GLOBAL, 0.5);
		espl_graph *graph = make(5), *before;

		assert_int_equal(espl_prune(graph, &rule, 0.4, NULL), 0);
		before = espl_graph_copy(graph, arena);
		assert_int_equal(espl_prune(graph, &rule, 0.4, NULL), 0);
		assert_int_equal(espl_count_zeros(graph).zeros, espl_count_zeros(before).zeros);
		assert_int_equal(espl_prune(graph, &rule, 0.75, NULL), 0);
		for (int n = 0; n < graph->node_count; n++)
			for (int64_t w = 0; w < espl_node_weights(graph, &graph->nodes[n]); w++)
				if (before->nodes[n].weights[w] == 0)
					assert_true(graph->nodes[n].weights[w] == 0);
	}
}

/* The greatest two of each four neighbouring input channels stay, in every place of the kernel. */
static void two_of_four_stay(void **state)
{
	const espl_prune_rule rule = rule_of("2:4", ESPL_RANK_GLOBAL, 0.2);
	espl_graph *graph = make(6), *before = espl_graph_copy(graph, arena);
	const espl_node *node = &graph->nodes[MIDDLE];
	double most;

	(void)state;
	assert_int_equal(espl_prune_limit(graph, &rule, &most, NULL), 0);
	assert_int_equal(espl_prune(graph, &rule, most, NULL), 0);
	for (int o = 0; o < 24; o++)
		for (int k = 0; k < 9; k++)
			for (int g = 0; g < 16; g += 4) {
				const int at = (o * 9 + k) * 16 + g;
				float least = INFINITY, gone = 0;
				int kept = 0;

				for (int i = at; i < at + 4; i++) {
					const float was = fabsf(before->nodes[MIDDLE].weights[i]);

					kept += node->weights[i] != 0;
					if (node->weights[i] != 0)
						least = fminf(least, was);
					else
						gone = fmaxf(gone, was);
				}
				assert_int_equal(kept, 2);
				assert_true(gone <= least);
			}
	assert_true(share(graph, POINTWISE) == 0.5);
	/* taps 0..3, 4..7 and the ninth alone, which stays */
	assert_int_equal(espl_node_zeros(graph, &graph->nodes[DEPTHWISE]), 24 * 4);
	assert_true(share(graph, FIRST) == 0 && share(graph, LAST) == 0);
	assert_true(most == (3456 + 480 + 2 * 96) / 2 / 4496.0);
}

/* Non-zeros of an output channel in each of `splits` sets of input channels. */
static void count_sets(const espl_graph *graph, int n, int taps, int inputs, int o, int splits,
                       int *count)
{
	memset(count, 0, (size_t)splits * sizeof(*count));
	for (int k = 0; k < taps; k++)
		for (int c = 0; c < inputs; c++)
			count[c % splits] +=
			        graph->nodes[n].weights[(o * taps + k) * inputs + c] != 0;
}

static void non_zeros_balance_over_splits(void **state)
{
	static const double wanted[] = {0.3, 0.6, 0.9};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const espl_prune_rule rule = rule_of("balanced:8", ESPL_RANK_GLOBAL, 0.5);
		espl_graph *graph = make(7);
		int count[8];

		assert_int_equal(espl_prune(graph, &rule, wanted[i], NULL), 0);
		for (int o = 0; o < 24; o++) {
			count_sets(graph, MIDDLE, 9, 16, o, 8, count);
			for (int s = 1; s < 8; s++)
				assert_int_equal(count[s], count[0]);
		}
		for (int o = 0; o < 20; o++) { /* 24 channels: three in each set */
			count_sets(graph, POINTWISE, 1, 24, o, 8, count);
			for (int s = 1; s < 8; s++)
				assert_int_equal(count[s], count[0]);
		}
		/* within half of what goes together */
		assert_true(llabs(espl_count_zeros(graph).zeros - llround(wanted[i] * 4496)) <= 12);
	}
}

/* Channels of a depthwise layer run side by side, one in each split. */
static void depthwise_channels_keep_equally_many_taps(void **state)
{
	const espl_prune_rule rule = rule_of("balanced:8", ESPL_RANK_LAYER, 0.5);
	espl_graph *graph = make(8);
	int first = 0;

	(void)state;
	assert_int_equal(espl_prune(graph, &rule, 0.5, NULL), 0);
	for (int c = 0; c < 24; c++) {
		int kept = 0;

		for (int k = 0; k < 9; k++)
			kept += graph->nodes[DEPTHWISE].weights[k * 24 + c] != 0;
		first = c ? first : kept;
		assert_int_equal(kept, first);
	}
	assert_in_range(first, 3, 6);
}

/* Sets of unequal size: no set keeps more than the fullest needs. */
static void uneven_sets_lose_their_surplus_first(void **state)
{
	const espl_prune_rule rule = rule_of("balanced:16", ESPL_RANK_GLOBAL, 0.5);
	espl_graph *graph = make(9);
	int count[16];

	(void)state;
	assert_int_equal(espl_prune(graph, &rule, 0.7, NULL), 0);
	for (int o = 0; o < 20; o++) { /* sets 0 to 7 have two channels, 8 to 15 one */
		count_sets(graph, POINTWISE, 1, 24, o, 16, count);
		for (int s = 0; s < 16; s++) {
			assert_int_equal(count[s], s < 8 ? count[0] : count[15]);
			assert_true(count[s] == count[0] || count[0] == 2);
		}
	}
}

static void blocks_go_whole(void **state)
{
	const espl_prune_rule rule = rule_of("blocks:4x2", ESPL_RANK_GLOBAL, 0.5);
	espl_graph *graph = make(10);

	(void)state;
	assert_int_equal(espl_prune(graph, &rule, 0.75, NULL), 0);
	for (int o = 0; o < 24; o += 4)
		for (int k = 0; k < 9; k++)
			for (int c = 0; c < 16; c += 2) {
				int zeros = 0;

				for (int i = 0; i < 8; i++)
					zeros += graph->nodes[MIDDLE]
					                 .weights[((o + i / 2) * 9 + k) * 16 + c +
					                          i % 2] == 0;
				assert_true(zeros == 0 || zeros == 8);
			}
	assert_true(llabs(espl_count_zeros(graph).zeros - 3372) <= 4);
}

static void the_cubic_schedule(void **state)
{
	(void)state;
	assert_true(espl_cubic(0, 0.8, 100, 200, 0) == 0);
	assert_true(espl_cubic(0, 0.8, 100, 200, 100) == 0);
	assert_true(fabs(espl_cubic(0, 0.8, 100, 200, 150) - 0.7) < 1e-12);
	assert_true(fabs(espl_cubic(0.2, 1, 0, 4, 1) - (1 - 0.8 * 27 / 64)) < 1e-12);
	assert_true(espl_cubic(0, 0.8, 100, 200, 200) == 0.8);
	assert_true(espl_cubic(0, 0.8, 100, 200, 999) == 0.8);
	assert_true(espl_cubic(0.1, 0.8, 5, 5, 4) == 0.1 && espl_cubic(0.1, 0.8, 5, 5, 5) == 0.8);
}

static void refuse(const char *pattern, double sparsity, double edges, const char *message)
{
	const espl_prune_rule rule = rule_of(pattern, ESPL_RANK_GLOBAL, edges);
	espl_graph *graph = make(11);
	espl_error err = {0};

	assert_int_not_equal(espl_prune(graph, &rule, sparsity, &err), 0);
	assert_string_equal(err.message, message);
	assert_int_equal(espl_count_zeros(graph).zeros, 0);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	refuse("unstructured", 1, 0.5, "sparsity 1: 0 to less than 1 is possible");
	refuse("unstructured", NAN, 0.5, "sparsity nan: 0 to less than 1 is possible");
	/* 72 + 3455 + 215 + 479 + 100 of 4496 */
	refuse("unstructured", 0.97, 0.5,
	       "sparsity 0.97: the pattern leaves at most 0.9611 zeros, with at most 0.5 of the "
	       "first and last layer's; ask for fewer");
	refuse("2:4", 0.6, 0.5,
	       "sparsity 0.6: the pattern leaves at most 0.4813 zeros, with at most 0.5 of the "
	       "first and last layer's; ask for fewer");
	refuse("unstructured", 0.5, 2,
	       "2 of the first and last layer's weights: 0 to 1 is possible");
	refuse("channels", 0.5, 0.5,
	       "whole channels are not zeroed one by one: see espl_prune_channels");
}

static void patterns_as_text(void **state)
{
	static const char *const good[] = {"unstructured", "2:4",      "1:16",      "balanced:8",
	                                   "blocks:4x16",  "channels", "channels:8"};
	static const char *const bad[] = {"",           "4:2",        "2:2",         "2:4x",
	                                  "balanced",   "balanced:0", "balanced:9z", "blocks:4",
	                                  "channels:0", "0:4",        "structured"};
	espl_error err = {0};
	espl_pattern pattern;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(espl_pattern_parse(good[i], &pattern, NULL), 0);
		assert_string_equal(espl_pattern_text(&pattern, arena), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(espl_pattern_parse(bad[i], &pattern, NULL), ESPL_USAGE);
	espl_pattern_parse("4:2", &pattern, &err);
	assert_string_equal(err.message, "pattern 4:2: unstructured, N:M (N < M), balanced:SPLITS, "
	                                 "blocks:ROWSxCOLUMNS, channels or channels:MULTIPLE is "
	                                 "wanted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(as_many_zeros_as_asked),
	        cmocka_unit_test(the_least_weights_of_a_layer_go),
	        cmocka_unit_test(layers_lose_the_same_share),
	        cmocka_unit_test(what_costs_cycles_goes_first),
	        cmocka_unit_test(more_zeros_keep_those_that_are),
	        cmocka_unit_test(two_of_four_stay),
	        cmocka_unit_test(non_zeros_balance_over_splits),
	        cmocka_unit_test(depthwise_channels_keep_equally_many_taps),
	        cmocka_unit_test(uneven_sets_lose_their_surplus_first),
	        cmocka_unit_test(blocks_go_whole),
	        cmocka_unit_test(the_cubic_schedule),
	        cmocka_unit_test(what_cannot_be_is_refused),
	        cmocka_unit_test(patterns_as_text),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
