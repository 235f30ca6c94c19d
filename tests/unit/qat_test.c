/* Does training with rounding mend what rounding breaks, and is it the net that is mended?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/random.h"
#include "compress/family.h"
#include "compress/quantize.h"

#include <string.h>

enum { SIDE = 8, CLASSES = 4, TRAIN = 900, TEST = 300 };

/* A bright bar at a random place in noise; direction and length are the class. */
static void draw(espl_random *random, int label, uint8_t *pixels)
{
	const int at = (int)espl_random_below(random, SIDE), length = 3 + label / 2 * 4;
	const int from = (int)espl_random_below(random, (uint32_t)(SIDE - length + 1));

	for (int i = 0; i < SIDE * SIDE; i++)
		pixels[i] = (uint8_t)espl_random_below(random, 80);
	for (int i = from; i < from + length; i++)
		pixels[label % 2 ? i * SIDE + at : at * SIDE + i] =
		        (uint8_t)(180 + espl_random_below(random, 76));
}

static espl_samples samples_of(espl_arena *arena, int count, uint32_t seed)
{
	espl_random random = espl_random_stream(seed, 8, 8);
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, count * SIDE * SIDE);
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, count);

	for (int i = 0; i < count; i++) {
		labels[i] = (uint8_t)(i % CLASSES);
		draw(&random, i % CLASSES, bytes + (size_t)i * SIDE * SIDE);
	}
	return (espl_samples){.count = count,
	                      .rows = SIDE,
	                      .columns = SIDE,
	                      .channels = 1,
	                      .classes = CLASSES,
	                      .bytes = bytes,
	                      .labels = labels};
}

static espl_data data_of(espl_arena *arena)
{
	return (espl_data){.train = samples_of(arena, TRAIN, 1),
	                   .test = samples_of(arena, TEST, 2)};
}

/* A small network, trained in float. */
static espl_graph *trained(espl_arena *arena, const espl_data *data)
{
	espl_family family = espl_family_default(SIDE, SIDE, 1, CLASSES);
	espl_train_options options = espl_train_default();
	espl_train_result result;
	espl_graph *graph;

	assert_int_equal(espl_family_parse("stages=2,width=8,pool", &family, NULL), ESPL_OK);
	assert_int_equal(espl_family_build(&family, 3, arena, &graph, NULL), ESPL_OK);
	for (int i = 0; i < 20; i++)
		graph->nodes[0].weights[i] = 0; /* pruned from the start */
	options.epochs = 15;
	options.batch = 32;
	assert_int_equal(espl_train(graph, data, &options, &result, NULL), ESPL_OK);
	return graph;
}

static double accuracy_of(espl_arena *arena, const espl_graph *graph, const espl_samples *samples)
{
	double accuracy;
	espl_net *net;

	assert_int_equal(espl_graph_to_net(graph, arena, &net, NULL), ESPL_OK);
	assert_int_equal(espl_net_accuracy(net, samples, 1, &accuracy, NULL), ESPL_OK);
	return accuracy;
}

static bool has_norm(const espl_graph *graph)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].kind == ESPL_NODE_BATCH_NORM)
			return true;
	return false;
}

static void mends_what_rounding_breaks(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = data_of(arena);
	espl_graph *graph = trained(arena, &data), *rounded, *mended;
	espl_quantize_options options = espl_quantize_default();
	espl_train_options train = espl_quantize_train_default();
	espl_train_result result;
	espl_agreement agreement;
	double before, after, as_float;
	int moved = 0, pruned = 0;
	espl_net *net;

	(void)state;
	options.weight_bits = 2;
	options.activation_bits = 3;
	train.epochs = 8;
	train.batch = 32;
	train.rate = 0.02;
	assert_int_equal(espl_graph_accuracy(graph, &data.test, 1, &as_float, NULL), ESPL_OK);
	assert_int_equal(espl_quantize(graph, &data.train, &options, false, arena, &rounded, NULL),
	                 ESPL_OK);
	assert_int_equal(espl_quantize_trained(graph, &data, &options, &train, arena, &mended,
	                                       &result, NULL),
	                 ESPL_OK);
	before = accuracy_of(arena, rounded, &data.test);
	after = accuracy_of(arena, mended, &data.test);
	print_message("float %.3f, rounded %.3f, trained %.3f\n", as_float, before, after);
	assert_true(after > before + 0.1);
	assert_true(after > 0.75);

	/* what is frozen is the net, and pruned weights are still zero, others moved their steps */
	assert_true(has_norm(graph) && !has_norm(mended));
	assert_int_equal(espl_graph_to_net(mended, arena, &net, NULL), ESPL_OK);
	assert_int_equal(espl_compare_forward(mended, net, &data.test, TEST, 1, &agreement, NULL),
	                 ESPL_OK);
	assert_true(agreement.values > TEST * 500);
	assert_true(agreement.differing * 10000 <= agreement.values);
	for (int i = 0; i < 20; i++)
		pruned += mended->nodes[0].weights[i] == 0 && net->ops[0].weights[i] == 0;
	assert_int_equal(pruned, 20);
	for (int v = 0; v < mended->value_count; v++)
		moved += mended->values[v].quantizer.bits == 3 &&
		         mended->values[v].quantizer.step != rounded->values[v].quantizer.step;
	assert_true(moved >= 2);
	espl_arena_destroy(arena);
}

static void an_image_keeps_its_bytes(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = data_of(arena);
	espl_quantize_options options = espl_quantize_default();
	espl_train_options train = espl_quantize_train_default();
	espl_train_result result;
	int8_t stored[SIDE * SIDE];
	espl_graph *graph;
	espl_net *net;

	(void)state;
	train.epochs = 1;
	assert_int_equal(espl_quantize_trained(trained(arena, &data), &data, &options, &train,
	                                       arena, &graph, &result, NULL),
	                 ESPL_OK);
	assert_int_equal(espl_graph_to_net(graph, arena, &net, NULL), ESPL_OK);
	assert_float_equal(net->tensors[net->inputs[0]].scale, 1.0f / 255, 0);
	espl_samples_stored(&data.test, 5, 1, &net->tensors[net->inputs[0]], stored);
	for (int i = 0; i < SIDE * SIDE; i++)
		assert_int_equal(stored[i], data.test.bytes[5 * SIDE * SIDE + i] - 128);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(mends_what_rounding_breaks),
	        cmocka_unit_test(an_image_keeps_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
