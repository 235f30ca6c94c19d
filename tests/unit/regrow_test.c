/* Do pruned weights come back where gradients say so, within their pattern?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arena_fixture.h"
#include "unit.h"

#include "compress/prune.h"
#include "ir/graph_build.h"
#include "tiny_graph.h"

#include <math.h>

/* One dense layer, 16 -> 4. */
static espl_graph *make(void)
{
	espl_graph_builder b = espl_graph_build(arena, "net");
	espl_node node = espl_node_default(ESPL_NODE_DENSE, "dense");

	node.inputs[0] = espl_graph_add_input(&b, "x", 1, 1, 16);
	node.input_count = 1;
	espl_graph_add_output(&b, espl_graph_add(&b, node, 4, false));
	return b.graph;
}

/* Weights 1..32 stand in the first half, zeros in the second; gradients 1..32 there. */
static void the_least_give_way_to_the_greatest_gradients(void **state)
{
	const espl_pattern pattern = {.kind = ESPL_PATTERN_UNSTRUCTURED};
	espl_graph *graph = make();
	float gradient[64], *weights = graph->nodes[0].weights;
	const float *gradients[1] = {gradient};

	(void)state;
	for (int i = 0; i < 64; i++) {
		weights[i] = i < 32 ? (float)(i + 1) : 0;
		gradient[i] = i < 32 ? 1000 : (float)(i - 31);
	}
	/* a quarter of 32: the weights 1..8 for the gradients 32..25 */
	assert_int_equal(espl_regrow(graph, &pattern, gradients, 0.25, 0.5f, NULL), 0);
	for (int i = 0; i < 64; i++) {
		const float want = i < 8    ? 0
		                   : i < 32 ? (float)(i + 1)
		                   : i < 56 ? 0
		                            : -0.5f * (float)(i - 31);

		assert_true(weights[i] == want);
	}
}

static void cells_keep_their_counts(void **state)
{
	static const char *const patterns[] = {"2:4", "balanced:4"};
	uint32_t seed = 7;

	(void)state;
	for (int p = 0; p < 2; p++) {
		espl_prune_rule rule = {.edges = 1};
		espl_graph *graph = make();
		float gradient[64], before[64], *weights = graph->nodes[0].weights;
		const float *gradients[1] = {gradient};
		int moved = 0;

		assert_int_equal(espl_pattern_parse(patterns[p], &rule.pattern, NULL), 0);
		for (int i = 0; i < 64; i++) {
			weights[i] = tiny_random(&seed) + 2;
			gradient[i] = tiny_random(&seed);
		}
		assert_int_equal(espl_prune(graph, &rule, 0.5, NULL), 0);
		for (int i = 0; i < 64; i++)
			before[i] = weights[i];
		assert_int_equal(espl_regrow(graph, &rule.pattern, gradients, 0.25, 0.1f, NULL), 0);
		assert_int_equal(espl_count_zeros(graph).zeros, 32);
		for (int o = 0; o < 4; o++)
			for (int cell = 0; cell < 4; cell++) {
				int kept = 0, was = 0;

				for (int i = 0; i < 4; i++) {
					const int w = o * 16 + (p ? i * 4 + cell : cell * 4 + i);

					kept += weights[w] != 0;
					was += before[w] != 0;
					moved += before[w] == 0 && weights[w] != 0;
				}
				assert_int_equal(kept, was);
			}
		assert_int_equal(moved, 8); /* a quarter of 32 */
	}
}

static void no_gradient_no_growth(void **state)
{
	const espl_pattern pattern = {.kind = ESPL_PATTERN_UNSTRUCTURED};
	espl_graph *graph = make();
	float gradient[64] = {0}, *weights = graph->nodes[0].weights;
	const float *gradients[1] = {gradient};

	(void)state;
	for (int i = 0; i < 16; i++)
		weights[i] = 1;
	assert_int_equal(espl_regrow(graph, &pattern, gradients, 0.5, 0.1f, NULL), 0);
	for (int i = 0; i < 64; i++)
		assert_true(weights[i] == (i < 16 ? 1.0f : 0.0f));
}

static void what_cannot_be_is_refused(void **state)
{
	espl_pattern pattern = {.kind = ESPL_PATTERN_BLOCKS, .rows = 2, .columns = 2};
	espl_graph *graph = make();
	const float *gradients[1] = {NULL};

	(void)state;
	assert_int_equal(espl_regrow(graph, &pattern, gradients, 0.5, 0.1f, NULL),
	                 ESPL_UNSUPPORTED);
	pattern.kind = ESPL_PATTERN_UNSTRUCTURED;
	assert_int_equal(espl_regrow(graph, &pattern, gradients, 1.5, 0.1f, NULL), ESPL_RANGE);
	assert_int_equal(espl_regrow(graph, &pattern, gradients, 0.5, NAN, NULL), ESPL_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_least_give_way_to_the_greatest_gradients),
	        cmocka_unit_test(cells_keep_their_counts),
	        cmocka_unit_test(no_gradient_no_growth),
	        cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
