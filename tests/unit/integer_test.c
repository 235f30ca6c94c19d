/* Is the net that a graph becomes what its steps say, number by number?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "compress/quantize.h"
#include "interp/interp.h"
#include "ir/graph_build.h"

#include <math.h>
#include <string.h>

typedef struct {
	espl_arena *arena;
	espl_graph_builder b;
} bench;

static bench begin(void)
{
	bench t = {.arena = espl_arena_create()};

	t.b = espl_graph_build(t.arena, "bench");
	return t;
}

static espl_node one_input(espl_node_kind kind, int input)
{
	espl_node node = espl_node_default(kind, NULL);

	node.input_count = 1;
	node.inputs[0] = input;
	return node;
}

static void set(bench *t, int value, int bits, float step, int zero, int low, int high)
{
	t->b.graph->values[value].quantizer = (espl_quantizer){bits, step, zero, low, high};
}

static void full(bench *t, int value, float step, int zero)
{
	set(t, value, 8, step, zero, -128, 127);
}

static float *floats(bench *t, const float *values, int count)
{
	return espl_arena_copy(t->arena, values, (size_t)count * sizeof *values);
}
#define FLOATS(t, ...) \
	floats((t), (const float[]){__VA_ARGS__}, sizeof((const float[]){__VA_ARGS__}) / 4)

static int clip(bench *t, int value, float low, float high)
{
	espl_node node = one_input(ESPL_NODE_CLIP, value);

	node.low = low;
	node.high = high;
	return espl_graph_add(&t->b, node, 0, false);
}

static espl_net *convert(bench *t, int output)
{
	espl_error err = {0};
	espl_net *net = NULL;

	espl_graph_add_output(&t->b, output);
	if (espl_graph_to_net(t->b.graph, t->arena, &net, &err))
		print_error("%s\n", err.message);
	assert_non_null(net);
	return net;
}

/* Runs one sample and compares the first output. */
static void expect(bench *t, const espl_net *net, const int8_t *input, const int8_t *output)
{
	int8_t **tensors = espl_interp_buffers(net, t->arena);
	const int count = espl_tensor_elements(&net->tensors[net->outputs[0]]);

	espl_interpret(net, &input, tensors);
	for (int i = 0; i < count; i++)
		assert_int_equal(tensors[net->outputs[0]][i], output[i]);
}

/* in = 0.25 * (v - 3);  y = w x + b, relu, in steps of 0.5 from -128 on */
static void a_convolution_with_its_clip(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 2, 2);
	espl_node conv = one_input(ESPL_NODE_CONV, image);
	const int8_t input[] = {7, -5, 3, 11}; /* 1, -2;  0, 2 */
	int relu;
	espl_net *net;

	(void)state;
	conv.weights = FLOATS(&t, 1.5f, -0.5f, 0.3f, 0.6f);
	conv.weight_bits = 3;
	conv.weight_steps = FLOATS(&t, 0.5f, 0.2f);
	conv.bias = FLOATS(&t, 0.25f, -1);
	relu = clip(&t, espl_graph_add(&t.b, conv, 2, true), 0, 6);
	full(&t, image, 0.25f, 3);
	set(&t, relu, 8, 0.5f, 0, 0, 255);
	net = convert(&t, relu);
	assert_int_equal(net->op_count, 1);
	assert_int_equal(net->tensor_count, 2);
	assert_int_equal(net->rounding, ESPL_ROUND_SINGLE);
	assert_int_equal(net->tensors[net->outputs[0]].zero_point, -128);
	assert_int_equal(net->ops[0].low, -128);
	assert_int_equal(net->ops[0].high, -128 + 12);
	assert_int_equal(net->ops[0].weights[0], 3); /* 1.5 / 0.5 */
	assert_int_equal(net->ops[0].weights[1], -1);
	assert_int_equal(net->ops[0].weights[2], 2); /* 0.3 / 0.2 is 1.5, halves up */
	assert_int_equal(net->ops[0].weights[3], 3); /* 0.6 / 0.2, at most 3 */
	assert_int_equal(net->ops[0].bias[0], 2);    /* 0.25 / 0.125 */
	assert_int_equal(net->ops[0].bias[1], -20);
	assert_int_equal(net->ops[0].scales[0].multiplier, 1 << 30); /* 0.125 / 0.5 */
	assert_int_equal(net->ops[0].scales[0].exponent, -1);
	/* 1.5 + 1 + 0.25 = 2.75 is 5.5 steps, 6;  0.4 - 1.2 - 1 < 0
	 * 0 - 1 + 0.25 < 0;                       1.2 - 1 = 0.2 is 0.4 steps */
	expect(&t, net, input, (const int8_t[]){-122, -128, -128, -128});
	espl_arena_destroy(t.arena);
}

static void groups_are_spread_out(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 2, 4);
	espl_node conv = one_input(ESPL_NODE_CONV, image);
	const int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8};
	float weights[16];
	int sum;
	espl_net *net;

	(void)state;
	for (int i = 0; i < 16; i++) /* [4 outputs][2 columns][2 of 4 channels] */
		weights[i] = (float)(i % 5 - 2);
	conv.groups = 2;
	conv.kernel_columns = 2;
	conv.weights = floats(&t, weights, 16);
	conv.weight_bits = 8;
	conv.weight_steps = FLOATS(&t, 1, 1, 1, 1);
	sum = espl_graph_add(&t.b, conv, 4, false);
	full(&t, image, 1, 0);
	full(&t, sum, 1, 0);
	net = convert(&t, sum);
	/* o0: -2*1 -1*2 + 0*5 + 1*6;   o1: 2*1 -2*2 -1*5 + 0*6;
	 * o2: 1*3 + 2*4 -2*7 -1*8;     o3: 0*3 + 1*4 + 2*7 -2*8 */
	expect(&t, net, input, (const int8_t[]){2, -7, -11, 2});
	espl_arena_destroy(t.arena);
}

static void averages_round_halves_up(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 2, 4, 1);
	espl_node pool = one_input(ESPL_NODE_AVERAGE_POOL, image);
	const int8_t input[] = {1, 2, -1, -2, /**/ 0, 3, 0, -3};
	int average;

	(void)state;
	pool.kernel_rows = pool.kernel_columns = pool.stride_columns = 2;
	average = espl_graph_add(&t.b, pool, 0, false);
	full(&t, image, 0.5f, 0);
	full(&t, average, 0.5f, 0);
	expect(&t, convert(&t, average), input, (const int8_t[]){2, -1}); /* 1.5, -1.5 */
	espl_arena_destroy(t.arena);
}

static void averages_at_a_border_count_what_is_inside(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 3, 1);
	espl_node pool = one_input(ESPL_NODE_AVERAGE_POOL, image);
	const int8_t input[] = {10, 20, 60};
	int inside, all;
	espl_net *net;

	(void)state;
	pool.kernel_columns = 3;
	pool.pad_left = pool.pad_right = 1;
	inside = espl_graph_add(&t.b, pool, 0, false);
	pool.count_pads = true;
	all = espl_graph_add(&t.b, pool, 0, false);
	full(&t, image, 1, 0);
	full(&t, inside, 1, 0);
	full(&t, all, 1, 0);
	espl_graph_add_output(&t.b, inside);
	net = convert(&t, all);
	expect(&t, net, input, (const int8_t[]){15, 30, 40});
	net->outputs[0] = net->outputs[1];
	expect(&t, net, input, (const int8_t[]){10, 30, 27}); /* 80 / 3 */
	espl_arena_destroy(t.arena);
}

static void means_take_few_bits_too(void **state)
{
	(void)state;
	for (int bits = 4; bits <= 8; bits += 4) {
		bench t = begin();
		const int image = espl_graph_add_input(&t.b, "image", 1, 2, 2);
		const int mean = espl_graph_add_plain(&t.b, ESPL_NODE_MEAN, image);
		const int8_t input[] = {10, 100, 15, 20};

		full(&t, image, 1, 0);
		set(&t, mean, bits, 1, 0, 0, (1 << bits) - 1);
		expect(&t, convert(&t, mean), input,
		       bits == 4 ? (const int8_t[]){13, 15} : (const int8_t[]){13 - 128, 60 - 128});
		espl_arena_destroy(t.arena);
	}
}

static void functions_are_tables(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 1, 4);
	espl_node leaky = one_input(ESPL_NODE_LEAKY, image);
	const int8_t input[] = {-128, -6, 0, 100};
	int value;
	espl_net *net;

	(void)state;
	leaky.slope = 0.25f;
	value = espl_graph_add(&t.b, leaky, 0, false);
	full(&t, image, 0.5f, 0);
	full(&t, value, 0.25f, -50);
	net = convert(&t, value);
	assert_int_equal(net->ops[0].kind, ESPL_OP_LOGISTIC);
	/* -64 -> -16 is -64 steps;  -3 -> -0.75, -3;  0;  50 is 200 steps, cut */
	expect(&t, net, input, (const int8_t[]){-114, -53, -50, 127});
	espl_arena_destroy(t.arena);
}

static void a_concat_of_two_steps_gets_a_table(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 1, 2);
	espl_node concat = one_input(ESPL_NODE_CONCAT, image);
	const int8_t input[] = {10, -20};
	int positive, both;
	espl_net *net;

	(void)state;
	positive = clip(&t, image, 0, INFINITY); /* nothing before it to be part of */
	concat.inputs[1] = positive;
	concat.input_count = 2;
	both = espl_graph_add(&t.b, concat, 0, false);
	full(&t, image, 0.5f, 0);
	set(&t, positive, 4, 1, 0, 0, 15);
	full(&t, both, 1, 1);
	net = convert(&t, both);
	assert_int_equal(net->op_count, 4);
	expect(&t, net, input, (const int8_t[]){6, -9, 6, 1});
	espl_arena_destroy(t.arena);
}

static void sums_and_pools_have_bounds(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 2, 1);
	espl_node add = one_input(ESPL_NODE_ADD, image);
	espl_node pool = one_input(ESPL_NODE_MAX_POOL, 0);
	const int8_t input[] = {-30, 20};
	int sum, greatest;
	espl_net *net;

	(void)state;
	add.inputs[1] = image;
	add.input_count = 2;
	sum = clip(&t, espl_graph_add(&t.b, add, 0, false), -10, INFINITY);
	pool.kernel_columns = 2;
	pool.inputs[0] = sum;
	greatest = clip(&t, espl_graph_add(&t.b, pool, 0, false), -INFINITY, 6);
	full(&t, image, 0.25f, 0);
	full(&t, sum, 0.5f, 0);
	full(&t, greatest, 0.5f, 0);
	net = convert(&t, sum);
	assert_int_equal(net->op_count, 2);
	expect(&t, net, input, (const int8_t[]){-20, 20});
	net->outputs[0] = net->ops[1].output;
	expect(&t, net, input, (const int8_t[]){12});
	espl_arena_destroy(t.arena);
}

static void refuse(bench *t, espl_status status, const char *message)
{
	espl_error err = {0};
	espl_net *net;

	assert_int_equal(espl_graph_to_net(t->b.graph, t->arena, &net, &err), status);
	assert_string_equal(err.message, message);
}

static void what_is_missing_is_named(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 1, 2);
	espl_node dense = one_input(ESPL_NODE_DENSE, image);
	int sum;
	espl_node *node;

	(void)state;
	dense.weights = FLOATS(&t, 1, 1);
	sum = espl_graph_add(&t.b, dense, 1, true);
	espl_graph_add_output(&t.b, sum);
	node = &t.b.graph->nodes[0];
	full(&t, image, 1, 0);
	refuse(&t, ESPL_SHAPE, "dense_0: a value without a step; calibrate it");
	full(&t, sum, 1, 0);
	refuse(&t, ESPL_SHAPE, "dense_0: the weights have no steps");
	node->weight_bits = 8;
	node->weight_steps = FLOATS(&t, 1e-9f);
	node->bias[0] = 1000;
	refuse(&t, ESPL_RANGE,
	       "dense_0: channel 0: the bias 1000 is 1e+12 steps, beyond 32 bits: a greater weight "
	       "step is needed");
	espl_arena_destroy(t.arena);
}

static void a_batch_norm_is_refused(void **state)
{
	bench t = begin();
	const int image = espl_graph_add_input(&t.b, "image", 1, 1, 2);
	const int norm = espl_graph_add_plain(&t.b, ESPL_NODE_BATCH_NORM, image);

	(void)state;
	espl_graph_add_output(&t.b, norm);
	full(&t, image, 1, 0);
	full(&t, norm, 1, 0);
	refuse(&t, ESPL_SHAPE, "batch_norm_0: a batch norm that is not folded");
	espl_arena_destroy(t.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_convolution_with_its_clip),
	        cmocka_unit_test(groups_are_spread_out),
	        cmocka_unit_test(averages_round_halves_up),
	        cmocka_unit_test(averages_at_a_border_count_what_is_inside),
	        cmocka_unit_test(means_take_few_bits_too),
	        cmocka_unit_test(functions_are_tables),
	        cmocka_unit_test(a_concat_of_two_steps_gets_a_table),
	        cmocka_unit_test(sums_and_pools_have_bounds),
	        cmocka_unit_test(what_is_missing_is_named),
	        cmocka_unit_test(a_batch_norm_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
