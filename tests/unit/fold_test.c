/* Does folding a batch norm keep the function, and the integers?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "compress/quantize.h"
#include "ir/graph_build.h"

#include <string.h>

static espl_node one_input(espl_node_kind kind, int input)
{
	espl_node node = espl_node_default(kind, NULL);

	node.input_count = 1;
	node.inputs[0] = input;
	return node;
}

/* A batch norm of 2 channels whose factors are 1/2 and -1, its shifts 0 and 3. */
static int add_norm(espl_graph_builder *b, int input)
{
	espl_node norm = one_input(ESPL_NODE_BATCH_NORM, input);
	const float gain[] = {1, -2}, offset[] = {0.5f, 1}, mean[] = {1, 2}, variance[] = {3, 3};

	norm.epsilon = 1;
	norm.gain = espl_arena_copy(b->arena, gain, sizeof gain);
	norm.offset = espl_arena_copy(b->arena, offset, sizeof offset);
	norm.mean = espl_arena_copy(b->arena, mean, sizeof mean);
	norm.variance = espl_arena_copy(b->arena, variance, sizeof variance);
	return espl_graph_add(b, norm, 2, false);
}

static int add_conv(espl_graph_builder *b, int input, bool bias)
{
	espl_node conv = one_input(ESPL_NODE_CONV, input);
	const float weights[] = {2, 4, -3, 0.7f};

	conv.weights = espl_arena_copy(b->arena, weights, sizeof weights);
	return espl_graph_add(b, conv, 2, bias);
}

static void goes_into_weights_and_bias(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "folded");
	const int image = espl_graph_add_input(&b, "image", 2, 2, 2);
	const int norm = add_norm(&b, add_conv(&b, image, true));
	const float weights[] = {1, 2, 3, -0.7f}, bias[] = {0.25f, 2};
	espl_graph *out;

	(void)state;
	espl_graph_add_output(&b, espl_graph_add_plain(&b, ESPL_NODE_CLIP, norm));
	b.graph->nodes[0].bias[0] = 0.5f;
	b.graph->nodes[0].bias[1] = 1;
	out = espl_fold(b.graph, false, arena);
	assert_int_equal(espl_graph_check(out, NULL), ESPL_OK);
	assert_int_equal(out->node_count, 2);
	assert_int_equal(out->value_count, 3);
	assert_int_equal(out->nodes[1].kind, ESPL_NODE_CLIP);
	for (int i = 0; i < 4; i++)
		assert_float_equal(out->nodes[0].weights[i], weights[i], 1e-7);
	for (int i = 0; i < 2; i++)
		assert_float_equal(out->nodes[0].bias[i], bias[i], 1e-7);
	assert_string_equal(out->values[out->nodes[0].output].name, "batch_norm_1");
	/* for training it stays */
	assert_int_equal(espl_fold(b.graph, true, arena)->node_count, 3);
	espl_arena_destroy(arena);
}

static void two_in_a_row_fold_into_one(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "folded");
	const int conv = add_conv(&b, espl_graph_add_input(&b, "image", 2, 2, 2), false);
	const float weights[] = {0.5f, 1, -3, 0.7f}, bias[] = {0, 0};
	espl_graph *out;

	(void)state;
	espl_graph_add_output(&b, add_norm(&b, add_norm(&b, conv)));
	out = espl_fold(b.graph, false, arena);
	assert_int_equal(espl_graph_check(out, NULL), ESPL_OK);
	assert_int_equal(out->node_count, 1);
	for (int i = 0; i < 4; i++)
		assert_float_equal(out->nodes[0].weights[i], weights[i], 1e-7);
	for (int i = 0; i < 2; i++) /* 0 -> 0 -> 0;  0 -> 3 -> 0 */
		assert_float_equal(out->nodes[0].bias[i], bias[i], 1e-7);
	espl_arena_destroy(arena);
}

static void becomes_depthwise_where_it_is_alone(void **state)
{
	const float weights[] = {0.5f, -1}, bias[] = {0, 3};

	(void)state;
	for (int read_twice = 0; read_twice < 2; read_twice++) {
		espl_arena *arena = espl_arena_create();
		espl_graph_builder b = espl_graph_build(arena, "alone");
		const int image = espl_graph_add_input(&b, "image", 2, 2, 2);
		const int before = read_twice ? add_conv(&b, image, false) : image;
		const espl_node *node;
		espl_graph *out;

		espl_graph_add_output(&b, add_norm(&b, before));
		if (read_twice)
			espl_graph_add_output(&b, before);
		out = espl_fold(b.graph, read_twice, arena);
		assert_int_equal(espl_graph_check(out, NULL), ESPL_OK);
		node = &out->nodes[read_twice];
		assert_int_equal(node->kind, ESPL_NODE_DEPTHWISE);
		for (int c = 0; c < 2; c++) {
			assert_float_equal(node->weights[c], weights[c], 1e-7);
			assert_float_equal(node->bias[c], bias[c], 1e-7);
		}
		espl_arena_destroy(arena);
	}
}

static void keeps_the_integers_of_weights(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "steps");
	const int conv = add_conv(&b, espl_graph_add_input(&b, "image", 2, 2, 2), false);
	const float steps[] = {0.8f, 0.46666f}; /* 0.7 is nearly 1.5 steps */
	espl_graph *out;

	(void)state;
	espl_graph_add_output(&b, add_norm(&b, conv));
	b.graph->nodes[0].weight_bits = 4;
	b.graph->nodes[0].weight_steps = espl_arena_copy(arena, steps, sizeof steps);
	out = espl_fold(b.graph, false, arena);
	assert_int_equal(espl_graph_check(out, NULL), ESPL_OK);
	assert_float_equal(out->nodes[0].weight_steps[0], 0.4, 1e-7);
	assert_float_equal(out->nodes[0].weight_steps[1], 0.46666, 1e-7);
	for (int i = 0; i < 4; i++) {
		const int32_t before =
		        espl_store_weight(b.graph->nodes[0].weights[i], steps[i / 2], 4);
		const int32_t after = espl_store_weight(out->nodes[0].weights[i],
		                                        out->nodes[0].weight_steps[i / 2], 4);

		assert_int_equal(after, i < 2 ? before : -before);
	}
	espl_arena_destroy(arena);
}

static void a_channel_of_no_gain_keeps_a_step(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "dead");
	const int conv = add_conv(&b, espl_graph_add_input(&b, "image", 2, 2, 2), false);
	const float steps[] = {0.8f, 0.5f};
	espl_graph *out;

	(void)state;
	espl_graph_add_output(&b, add_norm(&b, conv));
	b.graph->nodes[1].gain[0] = 0;
	b.graph->nodes[0].weight_bits = 4;
	b.graph->nodes[0].weight_steps = espl_arena_copy(arena, steps, sizeof steps);
	out = espl_fold(b.graph, false, arena);
	assert_int_equal(espl_graph_check(out, NULL), ESPL_OK); /* steps are positive */
	assert_true(out->nodes[0].weights[0] == 0 && out->nodes[0].weights[1] == 0);
	assert_float_equal(out->nodes[0].bias[0], 0.5, 1e-7);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(goes_into_weights_and_bias),
	        cmocka_unit_test(two_in_a_row_fold_into_one),
	        cmocka_unit_test(becomes_depthwise_where_it_is_alone),
	        cmocka_unit_test(keeps_the_integers_of_weights),
	        cmocka_unit_test(a_channel_of_no_gain_keeps_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
