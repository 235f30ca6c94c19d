/* Is a graph checked, counted, copied, printed and read back, and is bad text refused?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "ir/graph.h"
#include "tiny_graph.h"

#include <math.h>
#include <string.h>

static void reads_back_what_it_prints(void **state)
{
	espl_arena *arena = espl_arena_create(), *other = espl_arena_create();
	espl_graph *graph, *again = NULL;
	const char *text, *second;
	size_t size, second_size;
	bool seen[ESPL_NODE_COUNT] = {false};

	(void)state;
	for (int quantized = 0; quantized < 2; quantized++) {
		graph = tiny_graph(arena, 7, false, quantized);
		for (int i = 0; i < graph->node_count; i++)
			seen[graph->nodes[i].kind] = true;
		assert_int_equal(espl_graph_print(graph, other, &text, &size, NULL), ESPL_OK);
		assert_int_equal(espl_graph_parse(text, size, other, &again, NULL), ESPL_OK);
		assert_int_equal(espl_graph_print(again, other, &second, &second_size, NULL),
		                 ESPL_OK);
		assert_int_equal(size, second_size);
		assert_memory_equal(text, second, size);
		assert_memory_equal(again->nodes[1].weights, graph->nodes[1].weights,
		                    3 * 3 * 3 * 4 * sizeof(float));
		assert_true(isinf(again->nodes[3].high));
		assert_int_equal(again->values[4].quantizer.bits, quantized ? 8 : 0);
	}
	for (int kind = 0; kind < ESPL_NODE_COUNT; kind++)
		assert_true(seen[kind]);
	espl_arena_destroy(arena);
	espl_arena_destroy(other);
}

static void a_copy_shares_nothing(void **state)
{
	espl_arena *arena = espl_arena_create(), *other = espl_arena_create();
	const espl_graph *graph = tiny_graph(arena, 3, false, true);
	const espl_graph *copy = espl_graph_copy(graph, other);
	const char *text, *before;
	size_t size, before_size;

	(void)state;
	assert_int_equal(espl_graph_print(graph, other, &before, &before_size, NULL), ESPL_OK);
	espl_arena_destroy(arena); /* what were shared would be poisoned now, or changed below */
	assert_int_equal(espl_graph_print(copy, other, &text, &size, NULL), ESPL_OK);
	assert_int_equal(size, before_size);
	assert_memory_equal(text, before, size);
	espl_arena_destroy(other);
}

static void counts_parameters_and_multiplications(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = tiny_graph(arena, 1, true, false);

	(void)state;
	/* 3x3 conv 3 to 4 at 7 x 8; 3x3 depthwise of 8 at 4 x 4 */
	assert_int_equal(espl_node_multiplications(graph, &graph->nodes[1]), 7 * 8 * 9 * 3 * 4);
	assert_int_equal(espl_node_multiplications(graph, &graph->nodes[4]), 4 * 4 * 9 * 8);
	assert_int_equal(espl_node_weights(graph, &graph->nodes[7]), 8 / 2 * 6);
	assert_int_equal(espl_node_multiplications(graph, &graph->nodes[3]), 0);
	assert_int_equal(espl_graph_parameters(graph),
	                 108 + 2 * 4 + 72 + 8 + 2 * 8 + 24 + 6 + 9 * 6 * 6 + 6 + 112 * 5 + 5);
	espl_arena_destroy(arena);
}

static void expect(const espl_graph *graph, espl_status status, const char *message)
{
	espl_error err = {0};

	assert_int_equal(espl_graph_check(graph, &err), status);
	assert_string_equal(err.message, message);
}

/* Each breaks one thing of a good graph; the message names it. */
static void refuses_broken_graphs(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph *graph = tiny_graph(arena, 1, false, true);
	espl_node *conv = &graph->nodes[1], *norm = &graph->nodes[2], *clip = &graph->nodes[3];
	const espl_node saved = *conv;
	const espl_value value = graph->values[3];

	(void)state;
	conv->output = 400;
	expect(graph, ESPL_SHAPE, "conv_1: value 400, there are 30");
	*conv = saved;
	conv->inputs[0] = conv->output;
	expect(graph, ESPL_SHAPE, "conv_1: conv_1 is read before it is written");
	*conv = saved;
	conv->stride_rows = 2;
	expect(graph, ESPL_SHAPE, "conv_1: output is 7 x 8 x 4, conv makes 4 x 8 x 4");
	*conv = saved;
	conv->groups = 2;
	expect(graph, ESPL_SHAPE, "conv_1: 2 groups do not divide 3 input and 4 output channels");
	*conv = saved;
	conv->weight_steps[2] = 0;
	expect(graph, ESPL_RANGE, "conv_1: weight_steps[2] is 0, not positive");
	conv->weight_steps[2] = 1;
	conv->weight_bits = 0;
	expect(graph, ESPL_SHAPE, "conv_1: 0 weight bits with weight steps");
	*conv = saved;
	conv->weights[5] = NAN;
	assert_int_equal(espl_graph_check(graph, NULL), ESPL_RANGE);
	conv->weights[5] = 0;
	norm->variance[1] = -1;
	expect(graph, ESPL_RANGE, "batch_norm_2: variance[1] is -1");
	norm->variance[1] = 1;
	clip->high = -1;
	expect(graph, ESPL_RANGE, "clip_3: clip to 0..-1");
	clip->high = NAN;
	assert_int_equal(espl_graph_check(graph, NULL), ESPL_RANGE);
	clip->high = 1;
	graph->values[3].quantizer.low = -129;
	expect(graph, ESPL_RANGE, "conv_1: -129..127 is no range of 8 bits");
	graph->values[3] = value;
	graph->values[3].quantizer.step = INFINITY;
	expect(graph, ESPL_RANGE, "conv_1: step inf is not positive");
	graph->values[3] = value;
	graph->values[3].name = graph->values[2].name;
	expect(graph, ESPL_SHAPE, "two values are named pad_0");
	graph->values[3] = value;
	graph->values[3].channels = 1 << 30;
	assert_int_equal(espl_graph_check(graph, NULL), ESPL_RANGE);
	graph->values[3] = value;
	assert_int_equal(espl_graph_check(graph, NULL), ESPL_OK);
	espl_arena_destroy(arena);
}

/* Replaces one text by another; the result must be refused with this message. */
static void expect_refusal(espl_arena *arena, const char *text, const char *from, const char *to,
                           const char *where, const char *message)
{
	const char *at = strstr(text, from);
	espl_graph *graph = NULL;
	espl_error err = {0};
	const char *changed;

	assert_non_null(at);
	changed =
	        espl_arena_format(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_not_equal(espl_graph_parse(changed, strlen(changed), arena, &graph, &err),
	                     ESPL_OK);
	assert_null(graph);
	assert_string_equal(err.where, where);
	assert_string_equal(err.message, message);
}

static void refuses_bad_text(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = tiny_graph(arena, 1, false, true);
	const char *text;
	size_t size;

	(void)state;
	assert_int_equal(espl_graph_print(graph, arena, &text, &size, NULL), ESPL_OK);
	expect_refusal(arena, text, "\"graph_format\": 1", "\"graph_format\": 2", "",
	               "\"graph_format\" is 2, it must be 1");
	expect_refusal(arena, text, "\"conv\"", "\"warp\"", "node 1",
	               "nodes of kind \"warp\" are unknown");
	expect_refusal(arena, text, "\"kernel\": [3, 3]", "\"kernel\": [32767, 32767]", "node 1",
	               "\"weights\" has 12884115468 values, at most 67108864");
	expect_refusal(arena, text, "\"kernel\": [3, 3]", "\"kernel\": [327, 327]", "node 1",
	               "\"weights\" has 576 characters, 1283148 values are 6843456 characters");
	expect_refusal(arena, text, "\"output\": 3", "\"output\": 400", "node 1",
	               "\"output\" is 400, it must be 0 to 29");
	expect_refusal(arena, text, "\"inputs\": [2]", "\"inputs\": []", "node 1",
	               "0 inputs, 1 to 16 are allowed");
	expect_refusal(arena, text, "\"weights\": \"", "\"weights\": \"*", "node 1",
	               "\"weights\" has 577 characters, 108 values are 576 characters");
	expect_refusal(arena, text, "\"step\": 0.03125", "\"step\": 1e60", "value 0",
	               "\"step\" is 1e+60, no float32");
	expect_refusal(arena, text, "\"variance\"", "\"varience\"", "node 2",
	               "\"variance\" is missing");
	espl_arena_destroy(arena);
}

/* Any text cut or changed anywhere is refused or gives a good graph; the sanitizers watch. */
static void survives_changed_bytes(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = tiny_graph(arena, 1, false, true);
	uint32_t random = 1;
	const char *text;
	size_t size;

	(void)state;
	assert_int_equal(espl_graph_print(graph, arena, &text, &size, NULL), ESPL_OK);
	for (int i = 0; i < 400; i++) {
		const espl_mark mark = espl_arena_mark(arena);
		char *changed = espl_arena_copy(arena, text, size + 1);
		espl_graph *result = NULL;
		size_t cut = size;

		tiny_random(&random);
		if (i % 4 == 0)
			cut = random % size;
		else
			changed[random % size] = "0179-\",[{e"[random / 7 % 10];
		if (!espl_graph_parse(changed, cut, arena, &result, NULL))
			assert_int_equal(espl_graph_check(result, NULL), ESPL_OK);
		espl_arena_release(arena, mark);
	}
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_back_what_it_prints),
	        cmocka_unit_test(a_copy_shares_nothing),
	        cmocka_unit_test(counts_parameters_and_multiplications),
	        cmocka_unit_test(refuses_broken_graphs),
	        cmocka_unit_test(refuses_bad_text),
	        cmocka_unit_test(survives_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
