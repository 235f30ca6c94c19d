/* Is the choice of bits the best there is, and does it keep to its budget?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/random.h"
#include "compress/quantize.h"
#include "ir/graph_build.h"

#include <math.h>

enum { ITEMS = 5, WAYS = 4, ALL = 4 * 4 * 4 * 4 * 4 };

static void equals_brute_force(void **state)
{
	espl_random random = espl_random_stream(3, 1, 4);

	(void)state;
	for (int round = 0; round < 300; round++) {
		const int64_t budget = espl_random_below(&random, 60);
		espl_choice choices[ITEMS * WAYS];
		int chosen[ITEMS] = {0};
		int64_t cost = 0, cheapest = 0;
		double best = INFINITY, loss = 0;
		espl_status status;

		for (int i = 0; i < ITEMS * WAYS; i++)
			choices[i] = (espl_choice){espl_random_below(&random, 20),
			                           espl_random_below(&random, 100) / 8.0};
		for (int i = 0; i < ITEMS; i++) {
			int64_t least = choices[i * WAYS].cost;

			for (int w = 1; w < WAYS; w++)
				least = choices[i * WAYS + w].cost < least
				                ? choices[i * WAYS + w].cost
				                : least;
			cheapest += least;
		}
		for (int all = 0; all < ALL; all++) {
			int64_t sum = 0;
			double lost = 0;

			for (int i = 0, rest = all; i < ITEMS; i++, rest /= WAYS) {
				sum += choices[i * WAYS + rest % WAYS].cost;
				lost += choices[i * WAYS + rest % WAYS].loss;
			}
			if (sum <= budget && lost < best)
				best = lost;
		}
		status = espl_choose(ITEMS, WAYS, choices, budget, chosen, NULL);
		assert_int_equal(status, cheapest <= budget ? ESPL_OK : ESPL_BUDGET);
		assert_int_equal(status == ESPL_OK, isfinite(best));
		if (status != ESPL_OK)
			continue;
		for (int i = 0; i < ITEMS; i++) {
			cost += choices[i * WAYS + chosen[i]].cost;
			loss += choices[i * WAYS + chosen[i]].loss;
		}
		assert_true(cost <= budget);
		assert_float_equal(loss, best, 1e-12);
	}
}

static void says_what_is_needed(void **state)
{
	const espl_choice choices[] = {{5, 1}, {9, 0}, {7, 1}, {30, 0}};
	espl_error err = {0};
	int chosen[2];

	(void)state;
	assert_int_equal(espl_choose(2, 2, choices, 11, chosen, &err), ESPL_BUDGET);
	assert_string_equal(err.message, "12 bytes at least are needed, the budget is 11");
}

static void divergence_by_hand(void **state)
{
	const float p[] = {0, 0, 1, 1}, q[] = {0, 0, logf(3), 0};

	(void)state;
	/* (1/2, 1/2) against (3/4, 1/4): (log(2/3) + log(2)) / 2, over two samples */
	assert_float_equal(espl_divergence(p, q, 2, 2), log(4.0 / 3) / 4, 1e-6);
	assert_float_equal(espl_divergence(q, q, 2, 2), 0, 1e-12);
}

/* Two dense layers with a ReLU between, and samples. */
static espl_graph *build(espl_arena *arena, espl_samples *samples)
{
	espl_graph_builder b = espl_graph_build(arena, "two");
	espl_node node = espl_node_default(ESPL_NODE_DENSE, "first");
	espl_random random = espl_random_stream(5, 5, 5);
	float *floats = ESPL_ARRAY(arena, float, 200 * 12);

	node.input_count = 1;
	node.inputs[0] = espl_graph_add_input(&b, "in", 1, 1, 12);
	node.inputs[0] = espl_graph_add(&b, node, 20, true);
	node.kind = ESPL_NODE_CLIP;
	node.name = NULL;
	node.low = 0;
	node.inputs[0] = espl_graph_add(&b, node, 0, false);
	node.kind = ESPL_NODE_DENSE;
	node.name = "second";
	espl_graph_add_output(&b, espl_graph_add(&b, node, 3, true));
	for (int i = 0; i < 240; i++)
		b.graph->nodes[0].weights[i] = (float)espl_random_below(&random, 200) / 100 - 1;
	for (int i = 0; i < 60; i++)
		b.graph->nodes[2].weights[i] = (float)espl_random_below(&random, 200) / 100 - 1;
	for (int i = 0; i < 200 * 12; i++)
		floats[i] = (float)espl_random_below(&random, 200) / 100 - 1;
	*samples = (espl_samples){.count = 200,
	                          .rows = 1,
	                          .columns = 1,
	                          .channels = 12,
	                          .classes = 3,
	                          .floats = floats};
	return b.graph;
}

static void a_budget_is_kept(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_samples samples;
	const espl_graph *graph = build(arena, &samples);
	espl_quantize_options options = espl_quantize_default();
	/* 300 weights, 23 channels */
	const int64_t budgets[] = {300 / 4 + 9 * 23, 330, 400, 300 + 9 * 23};
	int bits_before = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		espl_quantize_options mixed = options;
		espl_layer_bits *layers;
		espl_graph *out;
		espl_net *net;
		int count, bits;

		assert_int_equal(espl_choose_bits(graph, &samples, &options, budgets[i], arena,
		                                  &layers, &count, NULL),
		                 ESPL_OK);
		assert_int_equal(count, 2);
		bits = layers[0].weight_bits + layers[1].weight_bits;
		mixed.layers = layers;
		mixed.layer_count = count;
		assert_int_equal(espl_quantize(graph, &samples, &mixed, false, arena, &out, NULL),
		                 ESPL_OK);
		assert_int_equal(espl_graph_to_net(out, arena, &net, NULL), ESPL_OK);
		assert_true(espl_model_bytes(net) <= budgets[i]);
		assert_true(bits > bits_before);
		bits_before = bits;
	}
	assert_int_equal(bits_before, 16); /* all bits fit in the last */
	espl_arena_destroy(arena);
}

static void given_bits_stay(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_layer_bits given = {"second", 7, 0};
	espl_quantize_options options = espl_quantize_default();
	espl_layer_bits *layers;
	espl_samples samples;
	const espl_graph *graph = build(arena, &samples);
	espl_error err = {0};
	int count;

	(void)state;
	options.layers = &given;
	options.layer_count = 1;
	assert_int_equal(
	        espl_choose_bits(graph, &samples, &options, 400, arena, &layers, &count, NULL),
	        ESPL_OK);
	assert_int_equal(count, 2);
	assert_string_equal(layers[0].name, "second");
	assert_int_equal(layers[0].weight_bits, 7);
	assert_string_equal(layers[1].name, "first");
	assert_int_equal(layers[1].weight_bits, 4); /* (400 - 9 * 23 - 60 * 7 / 8) * 8 / 240 */
	assert_int_equal(
	        espl_choose_bits(graph, &samples, &options, 300, arena, &layers, &count, &err),
	        ESPL_BUDGET);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equals_brute_force), cmocka_unit_test(says_what_is_needed),
	        cmocka_unit_test(divergence_by_hand), cmocka_unit_test(a_budget_is_kept),
	        cmocka_unit_test(given_bits_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
