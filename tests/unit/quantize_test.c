/* Do calibration, equalization, bias correction and second-order rounding do what they claim?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/random.h"
#include "compress/calibrate.h"
#include "compress/observe.h"
#include "interp/graph_run.h"
#include "interp/interp.h"
#include "ir/graph_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 96, ROWS = 8, COLUMNS = 7, CHANNELS = 2 };

/* -1..1, denser around 0 */
static float draw(espl_random *random)
{
	const float a = (float)espl_random_below(random, 20001) / 10000 - 1;

	return a * fabsf(a);
}

static espl_node window(espl_node_kind kind, int input, int kernel, int stride, int pad)
{
	espl_node node = espl_node_default(kind, NULL);

	node.input_count = 1;
	node.inputs[0] = input;
	node.kernel_rows = node.kernel_columns = kernel;
	node.stride_rows = node.stride_columns = stride;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = pad;
	return node;
}

static int relu(espl_graph_builder *b, int value)
{
	espl_node node = window(ESPL_NODE_CLIP, value, 1, 1, 0);

	node.low = 0;
	return espl_graph_add(b, node, 0, false);
}

static int norm_relu(espl_graph_builder *b, int value)
{
	return relu(b, espl_graph_add_plain(b, ESPL_NODE_BATCH_NORM, value));
}

/* A residual network with pools, a depthwise and a grouped layer, an average and a mean. */
static espl_graph *build(espl_arena *arena, uint32_t seed)
{
	espl_graph_builder b = espl_graph_build(arena, "small");
	int value = espl_graph_add_input(&b, "image", ROWS, COLUMNS, CHANNELS), branch;
	espl_random random = espl_random_stream(seed, 1, 2);
	espl_node node;

	value = norm_relu(&b, espl_graph_add(&b, window(ESPL_NODE_CONV, value, 3, 1, 1), 8, false));
	branch = norm_relu(
	        &b, espl_graph_add(&b, window(ESPL_NODE_DEPTHWISE, value, 3, 1, 1), 0, false));
	node = window(ESPL_NODE_CONV, branch, 1, 1, 0);
	node.groups = 2;
	node = window(
	        ESPL_NODE_ADD,
	        espl_graph_add_plain(&b, ESPL_NODE_BATCH_NORM, espl_graph_add(&b, node, 8, false)),
	        1, 1, 0);
	node.inputs[1] = value;
	node.input_count = 2;
	value = relu(&b, espl_graph_add(&b, node, 0, false));
	value = espl_graph_add(&b, window(ESPL_NODE_MAX_POOL, value, 2, 2, 0), 0, false);
	value = norm_relu(&b,
	                  espl_graph_add(&b, window(ESPL_NODE_CONV, value, 3, 1, 1), 12, false));
	value = espl_graph_add(&b, window(ESPL_NODE_AVERAGE_POOL, value, 2, 1, 0), 0, false);
	value = espl_graph_add_plain(&b, ESPL_NODE_MEAN, value);
	value = espl_graph_add(&b, window(ESPL_NODE_DENSE, value, 1, 1, 0), 5, true);
	espl_graph_add_output(&b, value);
	for (int n = 0; n < b.graph->node_count; n++) {
		espl_parameter parameters[ESPL_NODE_PARAMETERS];
		const int count = espl_node_parameters(b.graph, &b.graph->nodes[n], parameters);

		for (int p = 0; p < count; p++)
			for (int64_t i = 0; *parameters[p].values && i < parameters[p].count; i++)
				(*parameters[p].values)[i] =
				        !strcmp(parameters[p].name, "gain") ||
				                        !strcmp(parameters[p].name, "variance")
				                ? 0.5f + fabsf(draw(&random))
				                : draw(&random);
	}
	assert_int_equal(espl_graph_check(b.graph, NULL), ESPL_OK);
	return b.graph;
}

static espl_samples images(espl_arena *arena, uint32_t seed)
{
	espl_random random = espl_random_stream(seed, 3, 4);
	const int count = SAMPLES * ROWS * COLUMNS * CHANNELS;
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, count);
	int value = 128;

	for (int i = 0; i < count; i++) { /* neighbours are alike */
		value += (int)espl_random_below(&random, 121) - 60;
		value = value < 0 ? 0 : value > 255 ? 255 : value;
		bytes[i] = (uint8_t)value;
	}
	return (espl_samples){.count = SAMPLES,
	                      .rows = ROWS,
	                      .columns = COLUMNS,
	                      .channels = CHANNELS,
	                      .classes = 5,
	                      .bytes = bytes,
	                      .labels = ESPL_ARRAY(arena, uint8_t, SAMPLES)};
}

/* All values of one kind over all samples. */
static float *forward(espl_arena *arena, const espl_graph *graph, const espl_samples *samples,
                      int value)
{
	const int in = samples->rows * samples->columns * samples->channels;
	float *inputs = ESPL_ARRAY(arena, float, SAMPLES *in);
	float *out = ESPL_ARRAY(arena, float, SAMPLES *espl_value_elements(&graph->values[value]));
	const float *input = inputs;
	espl_graph_run *run;

	espl_samples_floats(samples, 0, SAMPLES, inputs);
	assert_int_equal(espl_graph_run_create(graph, SAMPLES, 1, false, &run, NULL), ESPL_OK);
	espl_graph_run_forward(run, &input, SAMPLES);
	espl_graph_run_read(run, value, out);
	espl_graph_run_destroy(run);
	return out;
}

static double distance(espl_arena *arena, const espl_graph *a, const espl_graph *b,
                       const espl_samples *samples)
{
	const int value = a->outputs[0], count = espl_value_elements(&a->values[value]) * SAMPLES;
	const float *x = forward(arena, a, samples, value);
	const float *y = forward(arena, b, samples, b->outputs[0]);
	double sum = 0;

	for (int i = 0; i < count; i++)
		sum += (double)(x[i] - y[i]) * (double)(x[i] - y[i]);
	return sqrt(sum / count);
}

static espl_graph *quantize(espl_arena *arena, const espl_graph *graph, const espl_samples *samples,
                            const espl_quantize_options *options)
{
	espl_error err = {0};
	espl_graph *out = NULL;

	if (espl_quantize(graph, samples, options, false, arena, &out, &err))
		print_error("%s\n", err.message);
	assert_non_null(out);
	return out;
}

static void folding_and_equalizing_keep_the_function(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph *graph = build(arena, 1), *folded = espl_fold(graph, false, arena);
	const espl_samples samples = images(arena, 1);
	const float before = folded->nodes[0].weights[0];

	(void)state;
	assert_true(distance(arena, graph, folded, &samples) < 1e-5);
	espl_equalize(folded);
	assert_true(distance(arena, graph, folded, &samples) < 1e-5);
	/* the depthwise layer stands alone between its neighbours: they are changed */
	assert_true(folded->nodes[0].weights[0] == before); /* read twice: left alone */
	for (int c = 0; c < 8; c++) {
		const espl_node *depthwise = &folded->nodes[2], *conv = &folded->nodes[4];
		float made = 0, read = 0;

		assert_int_equal(depthwise->kind, ESPL_NODE_DEPTHWISE);
		assert_int_equal(conv->groups, 2);
		for (int k = 0; k < 9; k++)
			made = fmaxf(made, fabsf(depthwise->weights[k * 8 + c]));
		for (int o = 0; o < 4; o++) /* [out][4 of the group] */
			read = fmaxf(read, fabsf(conv->weights[(c / 4 * 4 + o) * 4 + c % 4]));
		assert_float_equal(made, read, 1e-3 * made);
	}
	espl_arena_destroy(arena);
}

static void ranges_by_hand(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "ranges");
	const int in = espl_graph_add_input(&b, "in", 1, 1, 1);
	const int positive = relu(&b, in);
	espl_quantize_options options = espl_quantize_default();
	float inputs[1000];
	espl_quantizer q;

	(void)state;
	espl_graph_add_output(&b, positive);
	for (int i = 0; i < 1000; i++)
		inputs[i] = i < 990 ? (float)i / 990 : 10;
	inputs[0] = -1;
	options.method = ESPL_RANGE_MINMAX;
	assert_int_equal(espl_calibrate_values(b.graph, inputs, 1000, false, &options, NULL), 0);
	q = b.graph->values[positive].quantizer;
	assert_float_equal(q.step, 10.0 / 255, 1e-6);
	assert_true(q.zero_point == 0 && q.low == 0 && q.high == 255 && q.bits == 8);
	q = b.graph->values[in].quantizer;
	assert_float_equal(q.step, 11.0 / 255, 1e-6);
	assert_true(q.low == -128 && q.high == 127);
	assert_int_equal(q.zero_point, -128 + 23); /* 1 is 23.18 steps */
	options.method = ESPL_RANGE_PERCENTILE;
	options.percentile = 98;
	assert_int_equal(espl_calibrate_values(b.graph, inputs, 1000, false, &options, NULL), 0);
	/* 1 % lie above 1: both bounds are inside -1..1, by a bin of 10 / 2048 at most */
	q = b.graph->values[positive].quantizer;
	assert_true(q.step > 0.985f / 255 && q.step < 1.0f / 255);
	espl_arena_destroy(arena);
}

static void the_least_squares_are_found(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "steps");
	espl_node dense =
	        window(ESPL_NODE_DENSE, espl_graph_add_input(&b, "in", 1, 1, 10), 1, 1, 0);
	espl_quantize_options options = espl_quantize_default();
	const float weights[] = {1, 1, 1, 1, 1, 1, 1, -1, -1, 1.6f};
	espl_node *node;

	(void)state;
	dense.weights = espl_arena_copy(arena, weights, sizeof weights);
	espl_graph_add_output(&b, espl_graph_add(&b, dense, 1, false));
	node = &b.graph->nodes[0];
	options.weight_bits = 2;
	options.method = ESPL_RANGE_MINMAX;
	espl_calibrate_weights(b.graph, &options, arena);
	assert_float_equal(node->weight_steps[0], 1.6, 1e-6);
	/* +-s for all: the mean magnitude, 10.6 / 10, is best; the grid is in steps of 0.016 */
	options.method = ESPL_RANGE_MSE;
	espl_calibrate_weights(b.graph, &options, arena);
	assert_float_equal(node->weight_steps[0], 1.06, 0.008);
	options.method = ESPL_RANGE_PERCENTILE;
	options.percentile = 90;
	espl_calibrate_weights(b.graph, &options, arena);
	assert_float_equal(node->weight_steps[0], 1, 1e-6);
	espl_arena_destroy(arena);
}

static void bits_follow_the_layers_and_the_borders(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = build(arena, 2);
	const espl_samples samples = images(arena, 2);
	const espl_layer_bits layers[] = {{"depthwise_3", 3, 5}, {"dense_16", 6, 0}};
	espl_quantize_options options = espl_quantize_default();
	espl_layer_bits unknown = {"conv_99", 4, 4};
	espl_error err = {0};
	espl_graph *out;

	(void)state;
	options.weight_bits = options.activation_bits = 4;
	options.layers = layers;
	options.layer_count = 2;
	out = quantize(arena, graph, &samples, &options);
	assert_int_equal(out->nodes[0].weight_bits, 4);
	assert_int_equal(out->nodes[2].weight_bits, 3);
	assert_int_equal(out->values[out->nodes[3].output].quantizer.bits, 5);
	assert_int_equal(out->values[out->nodes[1].output].quantizer.bits, 4);
	assert_int_equal(out->values[out->inputs[0]].quantizer.bits, 8);
	assert_float_equal(out->values[out->inputs[0]].quantizer.step, 1.0f / 255, 0);
	assert_int_equal(out->values[out->outputs[0]].quantizer.bits, 8);
	assert_int_equal(out->nodes[out->node_count - 1].weight_bits, 6);
	options.layers = &unknown;
	options.layer_count = 1;
	assert_int_equal(espl_quantize(graph, &samples, &options, false, arena, &out, &err),
	                 ESPL_USAGE);
	assert_string_equal(err.message, "small has no layer conv_99 with weights");
	espl_arena_destroy(arena);
}

/* How many stored values of the net differ from the graph's, and by how much at most. */
static double disagreement(espl_arena *arena, const espl_graph *graph, const espl_net *net,
                           const espl_samples *samples, int *most)
{
	const int in = ROWS * COLUMNS * CHANNELS;
	int64_t differing = 0, all = 0;
	int8_t **tensors;

	*most = 0;
	tensors = espl_interp_buffers(net, arena);
	for (int t = 0; t < net->tensor_count; t++) {
		const int count = espl_tensor_elements(&net->tensors[t]);
		const float *floats;
		int value = 0;

		while (strcmp(graph->values[value].name, net->tensors[t].name))
			value++;
		floats = forward(arena, graph, samples, value);
		for (int s = 0; s < SAMPLES; s++) {
			int8_t image[ROWS * COLUMNS * CHANNELS];
			const int8_t *input = image;

			for (int i = 0; i < in; i++)
				image[i] = (int8_t)(samples->bytes[s * in + i] - 128);
			espl_interpret(net, &input, tensors);
			for (int i = 0; i < count; i++) {
				const double stored =
				        (double)floats[s * count + i] / net->tensors[t].scale +
				        net->tensors[t].zero_point;
				const int difference = abs((int)lround(stored) - tensors[t][i]);

				differing += difference != 0;
				*most = difference > *most ? difference : *most;
			}
			all += count;
		}
	}
	return (double)differing / (double)all;
}

static void the_net_is_the_rounded_graph(void **state)
{
	(void)state;
	for (int bits = 8; bits >= 2; bits -= 2) {
		espl_arena *arena = espl_arena_create();
		const espl_samples samples = images(arena, (uint32_t)bits);
		espl_quantize_options options = espl_quantize_default();
		espl_graph *graph;
		espl_net *net;
		double share;
		int most;

		options.weight_bits = bits;
		options.activation_bits = bits < 4 ? 4 : bits;
		options.gptq = options.bias_correction = options.equalize = bits <= 4;
		graph = quantize(arena, build(arena, 3), &samples, &options);
		assert_int_equal(espl_graph_to_net(graph, arena, &net, NULL), ESPL_OK);
		share = disagreement(arena, graph, net, &samples, &most);
		assert_true(share < 1e-4); /* none here; a float sum may round the other way */
		assert_true(most <= 1);
		espl_arena_destroy(arena);
	}
}

/* The same numbers by the library's own comparison, and accuracy by the reference. */
static void differences_and_accuracy_are_counted(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_samples samples = images(arena, 9);
	espl_quantize_options options = espl_quantize_default();
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, SAMPLES);
	const int in = ROWS * COLUMNS * CHANNELS;
	espl_agreement agreement;
	int8_t **tensors;
	int32_t *bias;
	int right = 0, most, output;
	double accuracy, share;
	espl_graph *graph;
	espl_net *net;

	(void)state;
	graph = quantize(arena, build(arena, 3), &samples, &options);
	assert_int_equal(espl_graph_to_net(graph, arena, &net, NULL), ESPL_OK);
	bias = espl_arena_copy(arena, net->ops[0].bias, 8 * sizeof(*bias));
	bias[1] += 200; /* some will differ */
	net->ops[0].bias = bias;
	assert_int_equal(espl_compare_forward(graph, net, &samples, SAMPLES, 1, &agreement, NULL),
	                 ESPL_OK);
	share = disagreement(arena, graph, net, &samples, &most);
	assert_true(agreement.differing > 0);
	assert_int_equal(agreement.most, most);
	assert_int_equal(agreement.differing, lround(share * (double)agreement.values));

	tensors = espl_interp_buffers(net, arena);
	output = net->outputs[0];
	for (int s = 0; s < SAMPLES; s++) {
		int8_t image[ROWS * COLUMNS * CHANNELS];
		const int8_t *input = image;
		int best = 0;

		for (int i = 0; i < in; i++)
			image[i] = (int8_t)(samples.bytes[s * in + i] - 128);
		espl_interpret(net, &input, tensors);
		for (int c = 1; c < 5; c++)
			if (tensors[output][c] > tensors[output][best])
				best = c;
		labels[s] = (uint8_t)(s % 3 ? best : s % 5);
		right += labels[s] == best;
	}
	samples.labels = labels;
	assert_int_equal(espl_net_accuracy(net, &samples, 1, &accuracy, NULL), ESPL_OK);
	assert_float_equal(accuracy, (double)right / SAMPLES, 1e-12);
	assert_true(right < SAMPLES);
	samples.columns++;
	assert_int_equal(espl_net_accuracy(net, &samples, 1, &accuracy, NULL), ESPL_SHAPE);
	espl_arena_destroy(arena);
}

static void fewer_bits_are_further_off(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = build(arena, 4);
	const espl_samples samples = images(arena, 4);
	espl_quantize_options options = espl_quantize_default();
	double before = 0;

	(void)state;
	for (int bits = 8; bits >= 2; bits -= 2) {
		double now;

		options.weight_bits = options.activation_bits = bits;
		now = distance(arena, graph, quantize(arena, graph, &samples, &options), &samples);
		assert_true(now > before);
		before = now;
	}
	espl_arena_destroy(arena);
}

/* The mean over samples of what an output is, less what it should be. */
static double mean_error(espl_arena *arena, const espl_graph *graph, const espl_graph *other,
                         const espl_samples *samples)
{
	const float *x = forward(arena, graph, samples, graph->outputs[0]);
	const float *y = forward(arena, other, samples, other->outputs[0]);
	double total = 0;

	for (int c = 0; c < 5; c++) {
		double sum = 0;

		for (int s = 0; s < SAMPLES; s++)
			sum += (double)(y[s * 5 + c] - x[s * 5 + c]);
		total += fabs(sum / SAMPLES);
	}
	return total;
}

static void corrected_biases_have_less_mean_error(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = build(arena, 5);
	const espl_samples samples = images(arena, 5);
	espl_quantize_options options = espl_quantize_default();
	double without, with;

	(void)state;
	options.weight_bits = options.activation_bits = 3;
	without = mean_error(arena, graph, quantize(arena, graph, &samples, &options), &samples);
	options.bias_correction = true;
	with = mean_error(arena, graph, quantize(arena, graph, &samples, &options), &samples);
	assert_true(with < without / 4); /* biases are rounded as well */
	espl_arena_destroy(arena);
}

static void batch_norms_take_the_correction_in_training(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = build(arena, 5);
	const espl_samples samples = images(arena, 5);
	espl_quantize_options options = espl_quantize_default();
	espl_graph *plain, *corrected;
	espl_net *net;

	(void)state;
	options.weight_bits = options.activation_bits = 3;
	assert_int_equal(espl_quantize(graph, &samples, &options, true, arena, &plain, NULL), 0);
	options.bias_correction = true;
	assert_int_equal(espl_quantize(graph, &samples, &options, true, arena, &corrected, NULL),
	                 0);
	assert_int_equal(corrected->nodes[1].kind, ESPL_NODE_BATCH_NORM);
	assert_true(mean_error(arena, graph, corrected, &samples) <
	            mean_error(arena, graph, plain, &samples) / 10);
	/* what was annotated with its batch norms is a net when they are folded */
	assert_int_equal(espl_graph_to_net(espl_fold(corrected, false, arena), arena, &net, NULL),
	                 ESPL_OK);
	espl_arena_destroy(arena);
}

/* sum over rows of (w - q)^T moments (w - q) */
static double objective(int rows, int columns, const double *moments, const float *w,
                        const float *q)
{
	double sum = 0;

	for (int r = 0; r < rows; r++)
		for (int i = 0; i < columns; i++)
			for (int j = 0; j < columns; j++)
				sum += (double)(w[r * columns + i] - q[r * columns + i]) *
				       moments[i * columns + j] *
				       (double)(w[r * columns + j] - q[r * columns + j]);
	return sum;
}

enum { WIDTH = 24, HEIGHT = 10 };

static void second_order_rounding_beats_the_nearest(void **state)
{
	static double moments[WIDTH * WIDTH], spoilt[WIDTH * WIDTH];
	espl_random random = espl_random_stream(7, 7, 7);
	float w[HEIGHT * WIDTH], q[HEIGHT * WIDTH], nearest[HEIGHT * WIDTH], steps[HEIGHT];
	float mix[WIDTH][WIDTH];

	(void)state;
	for (int i = 0; i < WIDTH * WIDTH; i++)
		mix[i / WIDTH][i % WIDTH] = draw(&random) + (i % WIDTH == 0 ? 1 : 0);
	for (int i = 0; i < WIDTH; i++)
		for (int j = 0; j < WIDTH; j++)
			for (int k = 0; k < WIDTH; k++)
				moments[i * WIDTH + j] += (double)(mix[i][k] * mix[j][k]);
	for (int bits = 2; bits <= 4; bits++) {
		for (int i = 0; i < HEIGHT * WIDTH; i++) {
			w[i] = i % 7 ? draw(&random) : 0;
			steps[i / WIDTH] = 0.7f / (float)((1 << (bits - 1)) - 1);
			nearest[i] = steps[i / WIDTH] *
			             (float)espl_store_weight(w[i], steps[i / WIDTH], bits);
		}
		memcpy(q, w, sizeof q);
		memcpy(spoilt, moments, sizeof spoilt);
		espl_gptq_round(HEIGHT, WIDTH, bits, steps, spoilt, q);
		for (int i = 0; i < HEIGHT * WIDTH; i++) {
			const float step = steps[i / WIDTH];
			const float stored = step * (float)espl_store_weight(q[i], step, bits);

			assert_true((q[i] == 0) == (w[i] == 0)); /* pruned and no other */
			assert_true(fabsf(q[i] - stored) <= step / 15);
			q[i] = stored;
		}
		assert_true(objective(HEIGHT, WIDTH, moments, w, q) <
		            0.9 * objective(HEIGHT, WIDTH, moments, w, nearest));
	}
}

static void gptq_is_nearer_at_few_bits(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = build(arena, 6);
	const espl_samples samples = images(arena, 6);
	espl_quantize_options options = espl_quantize_default();
	double nearest, gptq;

	(void)state;
	options.weight_bits = 3;
	nearest = distance(arena, graph, quantize(arena, graph, &samples, &options), &samples);
	options.gptq = true;
	gptq = distance(arena, graph, quantize(arena, graph, &samples, &options), &samples);
	assert_true(gptq < 0.9 * nearest);
	espl_arena_destroy(arena);
}

/* Stored in steps of 4 sums: 1.6 is 0.4 of one, and 2 would be a half, which rounds up. */
static void biases_do_not_cross_a_middle(void **state)
{
	const float biases[] = {1.6f, 5.6f, 2.4f, 4.9f}, rounded[] = {1, 5, 2, 5};
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "one colour");
	const int in = espl_graph_add_input(&b, "in", 1, 1, 1);
	espl_node node = window(ESPL_NODE_CONV, in, 1, 1, 0);
	float inputs[16] = {0};
	int out;

	(void)state;
	node.weights = espl_arena_copy(arena, (const float[]){1, 1, 1, 1}, 4 * sizeof(float));
	node.weight_steps = node.weights;
	node.weight_bits = 4;
	node.bias = espl_arena_copy(arena, biases, sizeof biases);
	out = relu(&b, espl_graph_add(&b, node, 4, true));
	espl_graph_add_output(&b, out);
	b.graph->values[in].quantizer = (espl_quantizer){4, 1, 0, 0, 15};
	b.graph->values[out].quantizer = (espl_quantizer){4, 4, 0, 0, 15};
	assert_int_equal(espl_round_biases(b.graph, inputs, 16, 1, NULL), ESPL_OK);
	for (int c = 0; c < 4; c++)
		assert_float_equal(b.graph->nodes[0].bias[c], rounded[c], 1e-6);
	espl_arena_destroy(arena);
}

static void sums_stay_within_the_accumulator(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "wide");
	espl_node dense =
	        window(ESPL_NODE_DENSE, espl_graph_add_input(&b, "in", 1, 1, 2000), 1, 1, 0);
	espl_node *node;

	(void)state;
	espl_graph_add_output(&b, espl_graph_add(&b, dense, 3, true));
	node = &b.graph->nodes[0];
	b.graph->values[0].quantizer = (espl_quantizer){8, 0.01f, -128, -128, 127};
	node->weight_bits = 8;
	node->weight_steps = ESPL_ARRAY(arena, float, 3);
	for (int i = 0; i < 2000; i++) {
		node->weights[i] = 1;        /* 2000 * 127 * 255 is over 2^23 */
		node->weights[4000 + i] = 1; /* at -1 an input: fits */
	}
	node->weights[4000] = 100;
	node->weight_steps[0] = 1.0f / 127;
	node->weight_steps[1] = 1e-20f; /* nothing but a bias */
	node->weight_steps[2] = 1;
	node->bias[1] = 4;
	espl_limit_sums(b.graph);
	/* 2000 * 255 * w < 2^23: w at most 16 */
	assert_int_equal(espl_store_weight(1, node->weight_steps[0], 8), 16);
	assert_true(node->weight_steps[1] > 4 / 0.01 / 0x1p23);
	assert_true(node->weight_steps[1] < 4 / 0.01 / 0x1p21);
	assert_float_equal(node->weight_steps[2], 1, 0);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(folding_and_equalizing_keep_the_function),
	        cmocka_unit_test(ranges_by_hand),
	        cmocka_unit_test(the_least_squares_are_found),
	        cmocka_unit_test(bits_follow_the_layers_and_the_borders),
	        cmocka_unit_test(the_net_is_the_rounded_graph),
	        cmocka_unit_test(differences_and_accuracy_are_counted),
	        cmocka_unit_test(fewer_bits_are_further_off),
	        cmocka_unit_test(corrected_biases_have_less_mean_error),
	        cmocka_unit_test(batch_norms_take_the_correction_in_training),
	        cmocka_unit_test(second_order_rounding_beats_the_nearest),
	        cmocka_unit_test(gptq_is_nearer_at_few_bits),
	        cmocka_unit_test(biases_do_not_cross_a_middle),
	        cmocka_unit_test(sums_stay_within_the_accumulator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
