/* Do channels go with all that is tied to them, and the outputs stay?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "arena_fixture.h"
#include "unit.h"

#include "compress/prune.h"
#include "ir/graph_build.h"
#include "tiny_graph.h"

#include <math.h>
#include <string.h>

static espl_node node_of(espl_node_kind kind, int first, int second)
{
	espl_node node = espl_node_default(kind, NULL);

	node.inputs[0] = first;
	node.inputs[1] = second < 0 ? 0 : second;
	node.input_count = second < 0 ? 1 : 2;
	return node;
}

static int conv(espl_graph_builder *b, int input, int kernel, int channels, int groups)
{
	espl_node node = node_of(ESPL_NODE_CONV, input, -1);

	node.kernel_rows = node.kernel_columns = kernel;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = kernel / 2;
	node.groups = groups;
	return espl_graph_add(b, node, channels, false);
}

static int dense(espl_graph_builder *b, int input, int channels)
{
	return espl_graph_add(b, node_of(ESPL_NODE_DENSE, input, -1), channels, true);
}

static int relu(espl_graph_builder *b, int input)
{
	espl_node node = node_of(ESPL_NODE_CLIP, input, -1);

	node.low = 0;
	node.high = INFINITY;
	return espl_graph_add(b, node, 0, false);
}

/* Values of the graph below. */
typedef struct {
	int image, stem, first, second, sum, wide, joined, flat, output;
} places;

/* A residual block, a depthwise layer that doubles, squeeze and excite, a concat, a flattening, two
 * dense layers. Parameters are small whole numbers, so that sums are exact in any order. */
static espl_graph *make(uint32_t seed, places *at)
{
	espl_graph_builder b = espl_graph_build(arena, "net");
	espl_node node;
	int value, scale;

	at->image = espl_graph_add_input(&b, "image", 4, 4, 3);
	at->stem = relu(
	        &b, espl_graph_add_plain(&b, ESPL_NODE_BATCH_NORM, conv(&b, at->image, 3, 8, 1)));
	at->first = relu(&b, conv(&b, at->stem, 3, 6, 1));
	at->second = espl_graph_add_plain(&b, ESPL_NODE_BATCH_NORM, conv(&b, at->first, 3, 8, 1));
	at->sum = relu(&b,
	               espl_graph_add(&b, node_of(ESPL_NODE_ADD, at->stem, at->second), 0, false));
	node = node_of(ESPL_NODE_DEPTHWISE, at->sum, -1);
	node.kernel_rows = node.kernel_columns = 3;
	node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = 1;
	node.depth_multiplier = 2;
	at->wide = espl_graph_add(&b, node, 0, true);
	scale = dense(&b, espl_graph_add_plain(&b, ESPL_NODE_MEAN, at->wide), 16);
	value = espl_graph_add(&b, node_of(ESPL_NODE_MULTIPLY, at->wide, scale), 0, false);
	at->joined = espl_graph_add(&b, node_of(ESPL_NODE_CONCAT, value, at->stem), 0, false);
	node = node_of(ESPL_NODE_MAX_POOL, conv(&b, at->joined, 1, 5, 1), -1);
	node.kernel_rows = node.kernel_columns = node.stride_rows = node.stride_columns = 2;
	value = espl_graph_add(&b, node, 0, false);
	node = node_of(ESPL_NODE_RESHAPE, value, -1);
	at->flat = espl_graph_add(&b, node, 0, false);
	value = relu(&b, dense(&b, at->flat, 7));
	at->output = dense(&b, value, 4);
	espl_graph_add_output(&b, at->output);
	for (int n = 0; n < b.graph->node_count; n++) {
		espl_parameter parameters[ESPL_NODE_PARAMETERS];
		const int count = espl_node_parameters(b.graph, &b.graph->nodes[n], parameters);

		for (int p = 0; p < count; p++)
			for (int64_t i = 0; *parameters[p].values && i < parameters[p].count; i++)
				(*parameters[p].values)[i] =
				        !strcmp(parameters[p].name, "variance")
				                ? 1
				                : roundf(2 * tiny_random(&seed)) +
				                          (strcmp(parameters[p].name, "weights")
				                                   ? 0
				                                   : 0.5f);
		b.graph->nodes[n].epsilon = 1e-20f;
	}
	assert_int_equal(espl_graph_check(b.graph, NULL), 0);
	return b.graph;
}

/* -- the graph, run plainly in double ------------------------------------------------------------
 */

static double window(const espl_graph *graph, const espl_node *node, const double *in, int y, int x,
                     int o)
{
	const espl_value *from = &graph->values[node->inputs[0]];
	const int outputs = graph->values[node->output].channels;
	double sum = node->kind == ESPL_NODE_MAX_POOL ? -INFINITY : 0;

	for (int k = 0; k < node->kernel_rows * node->kernel_columns; k++) {
		const int row = y * node->stride_rows - node->pad_top + k / node->kernel_columns;
		const int column =
		        x * node->stride_columns - node->pad_left + k % node->kernel_columns;
		const double *cell = in + (row * from->columns + column) * from->channels;

		if (row < 0 || column < 0 || row >= from->rows || column >= from->columns)
			continue;
		if (node->kind == ESPL_NODE_MAX_POOL)
			sum = fmax(sum, cell[o]);
		else if (node->kind == ESPL_NODE_DEPTHWISE)
			sum += cell[o / node->depth_multiplier] *
			       (double)node->weights[k * outputs + o];
		else
			for (int c = 0; c < from->channels; c++)
				sum += cell[c] *
				       (double)node->weights[(o * node->kernel_rows *
				                                      node->kernel_columns +
				                              k) * from->channels +
				                             c];
	}
	return sum + (node->bias ? (double)node->bias[o] : 0);
}

/* Element e of the output of a node that is no window. */
static double element(const espl_graph *graph, const espl_node *node, double *const *values, int e)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const double *first = values[node->inputs[0]], *second = values[node->inputs[1]];
	const int channels = graph->values[node->output].channels, c = e % channels;
	const int other = graph->values[node->inputs[1]].rows == 1 ? c : e;
	const int elements = espl_value_elements(in);
	double sum = 0;

	switch (node->kind) {
	case ESPL_NODE_BATCH_NORM:
		return (double)node->gain[c] * (first[e] - (double)node->mean[c]) /
		               sqrt((double)node->variance[c]) +
		       (double)node->offset[c];
	case ESPL_NODE_CLIP:
		return fmin(fmax(first[e], (double)node->low), (double)node->high);
	case ESPL_NODE_ADD:
		return first[e] + second[other];
	case ESPL_NODE_MULTIPLY:
		return first[e] * second[other];
	case ESPL_NODE_RESHAPE:
		return first[e];
	case ESPL_NODE_CONCAT:
		return c < in->channels ? first[e / channels * in->channels + c]
		                        : second[e / channels * (channels - in->channels) + c -
		                                 in->channels];
	case ESPL_NODE_MEAN:
		for (int i = c; i < elements; i += channels)
			sum += first[i];
		return sum / in->rows / in->columns;
	case ESPL_NODE_DENSE:
		for (int i = 0; i < elements; i++)
			sum += first[i] * (double)node->weights[e * elements + i];
		return sum + (double)node->bias[e];
	default:
		fail_msg("%s", node->name);
		return 0;
	}
}

/* All values of a graph for an image of whole numbers. */
static double **run(const espl_graph *graph, int image, uint32_t seed)
{
	double **values = ESPL_ARRAY(arena, double *, graph->value_count);

	for (int v = 0; v < graph->value_count; v++)
		values[v] = ESPL_ARRAY(arena, double, espl_value_elements(&graph->values[v]));
	for (int e = 0; e < espl_value_elements(&graph->values[image]); e++)
		values[image][e] = round(4 * (double)tiny_random(&seed));
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const espl_value *out = &graph->values[node->output];
		const bool windowed = node->kind == ESPL_NODE_CONV ||
		                      node->kind == ESPL_NODE_DEPTHWISE ||
		                      node->kind == ESPL_NODE_MAX_POOL;

		for (int e = 0; e < espl_value_elements(out); e++)
			values[node->output][e] =
			        windowed ? window(graph, node, values[node->inputs[0]],
			                          e / out->channels / out->columns,
			                          e / out->channels % out->columns,
			                          e % out->channels)
			                 : element(graph, node, values, e);
	}
	return values;
}

static void same_outputs(const espl_graph *a, const espl_graph *b, const places *at)
{
	for (uint32_t seed = 1; seed <= 5; seed++) {
		double **left = run(a, at->image, seed), **right = run(b, at->image, seed);
		bool any = false;

		for (int i = 0; i < 4; i++) {
			assert_true(left[at->output][i] == right[at->output][i]);
			any = any || left[at->output][i] != 0;
		}
		assert_true(any);
	}
}

/* -- classes -------------------------------------------------------------------------------------
 */

static int class_of(const espl_channel_classes *classes, int value, int channel)
{
	return classes->of[classes->first[value] + channel];
}

static void tied_channels_are_one_class(void **state)
{
	places at;
	const espl_graph *graph = make(1, &at);
	const espl_channel_classes classes = espl_classify_channels(graph, arena);

	(void)state;
	for (int c = 0; c < 8; c++) {
		/* the residual's partners, both channels that depthwise makes, the concat's places
		 */
		assert_int_equal(class_of(&classes, at.stem, c), class_of(&classes, at.second, c));
		assert_int_equal(class_of(&classes, at.stem, c), class_of(&classes, at.sum, c));
		assert_int_equal(class_of(&classes, at.sum, c), class_of(&classes, at.wide, 2 * c));
		assert_int_equal(class_of(&classes, at.sum, c),
		                 class_of(&classes, at.joined, 2 * c + 1));
		assert_int_equal(class_of(&classes, at.sum, c),
		                 class_of(&classes, at.joined, 16 + c));
		assert_false(classes.pinned[class_of(&classes, at.stem, c)]);
	}
	for (int c = 0; c < 20; c++)
		assert_int_equal(class_of(&classes, at.flat, c),
		                 class_of(&classes, at.flat, c % 5));
	for (int c = 0; c < 4; c++)
		assert_true(classes.pinned[class_of(&classes, at.output, c)]);
	assert_true(classes.pinned[class_of(&classes, at.image, 2)]);
	/* 3 of the image, 8 of the trunk, 6 inside the block, 5 flattened, 7 and 4 of dense layers
	 */
	assert_int_equal(classes.class_count, 3 + 8 + 6 + 5 + 7 + 4);
}

/* -- removal -------------------------------------------------------------------------------------
 */

static void smaller_and_the_same(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		places at;
		espl_graph *graph = make(seed, &at), *smaller;
		const espl_channel_classes classes = espl_classify_channels(graph, arena);
		double *scores = ESPL_ARRAY(arena, double, classes.class_count);
		const int64_t weights = espl_count_zeros(graph).weights;

		espl_channel_magnitudes(graph, &classes, scores);
		assert_int_equal(espl_prune_channels(graph, &classes, scores, 0.5, 1, NULL), 0);
		assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
		assert_true(espl_count_zeros(smaller).weights * 2 <= weights);
		same_outputs(graph, smaller, &at);
	}
}

static void a_channel_goes_from_all_that_it_is_tied_to(void **state)
{
	places at;
	espl_graph *graph = make(3, &at), *smaller;
	const espl_channel_classes classes = espl_classify_channels(graph, arena);
	double *scores = ESPL_ARRAY(arena, double, classes.class_count);

	(void)state;
	for (int i = 0; i < classes.class_count; i++)
		scores[i] = 1e9;
	scores[class_of(&classes, at.sum, 5)] = 0;
	assert_int_equal(espl_prune_channels(graph, &classes, scores, 0.01, 1, NULL), 0);
	assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
	assert_int_equal(smaller->values[at.stem].channels, 7);
	assert_int_equal(smaller->values[at.second].channels, 7);
	assert_int_equal(smaller->values[at.wide].channels, 14);
	assert_int_equal(smaller->values[at.joined].channels, 21);
	assert_int_equal(smaller->values[at.first].channels, 6);
	same_outputs(graph, smaller, &at);
}

static void nothing_goes_that_is_read(void **state)
{
	places at;
	espl_graph *graph = make(4, &at), *smaller;

	(void)state;
	assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
	for (int v = 0; v < graph->value_count; v++)
		assert_int_equal(smaller->values[v].channels, graph->values[v].channels);
	same_outputs(graph, smaller, &at);
}

/* A tensor of which nothing is read keeps one channel: shapes of 0 are none. */
static void the_last_channel_stays(void **state)
{
	places at;
	espl_graph *graph = make(5, &at), *smaller;
	espl_node *last = &graph->nodes[graph->node_count - 1];

	(void)state;
	for (int i = 0; i < 28; i++)
		last->weights[i] = 0;
	last->bias[0] = 3;
	assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
	assert_int_equal(smaller->values[last->inputs[0]].channels, 1);
	same_outputs(graph, smaller, &at);
}

/* Its grouped convolution pins what it takes and makes, and by ties all else. */
static void groups_pin(void **state)
{
	espl_graph *graph = tiny_graph(arena, 1, false, true), *smaller;
	const espl_channel_classes classes = espl_classify_channels(graph, arena);
	double *scores = ESPL_ARRAY(arena, double, classes.class_count);

	(void)state;
	for (int i = 0; i < classes.class_count; i++)
		assert_true(classes.pinned[i]);
	espl_channel_magnitudes(graph, &classes, scores);
	assert_int_equal(espl_prune_channels(graph, &classes, scores, 0.1, 1, NULL), ESPL_RANGE);
	assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
	assert_int_equal(espl_count_zeros(smaller).weights, espl_count_zeros(graph).weights);
}

/* -- choice --------------------------------------------------------------------------------------
 */

static void multiples_stay(void **state)
{
	for (uint32_t seed = 1; seed <= 5; seed++) {
		places at;
		espl_graph *graph = make(seed, &at), *smaller;
		const espl_channel_classes classes = espl_classify_channels(graph, arena);
		double *scores = ESPL_ARRAY(arena, double, classes.class_count);

		(void)state;
		espl_channel_magnitudes(graph, &classes, scores);
		assert_int_equal(espl_prune_channels(graph, &classes, scores, 0.3, 2, NULL), 0);
		assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
		assert_int_equal(smaller->values[at.stem].channels % 2, 0);
		assert_int_equal(smaller->values[at.first].channels % 2, 0);
		same_outputs(graph, smaller, &at);
	}
}

static void a_fifth_stays(void **state)
{
	places at;
	espl_graph *graph = make(6, &at), *smaller;
	const espl_channel_classes classes = espl_classify_channels(graph, arena);
	double *scores = ESPL_ARRAY(arena, double, classes.class_count);
	espl_error err = {0};

	(void)state;
	for (int c = 0; c < 6; c++) /* all of it wants to go first */
		scores[class_of(&classes, at.first, c)] = -1;
	for (int i = 0; i < classes.class_count; i++)
		scores[i] += 1;
	assert_int_equal(espl_prune_channels(graph, &classes, scores, 0.6, 1, NULL), 0);
	assert_int_equal(espl_remove_channels(graph, arena, &smaller, NULL), 0);
	assert_int_equal(smaller->values[at.first].channels, 2);
	assert_int_equal(espl_prune_channels(make(6, &at), &classes, scores, 0.99, 1, &err),
	                 ESPL_RANGE);
	assert_non_null(strstr(err.message, "whole channels leave at least 0."));
}

/* Squares of sums of parameter * gradient, over the layers of a class. */
static void taylor_scores(void **state)
{
	places at;
	espl_graph *graph = make(7, &at);
	const espl_channel_classes classes = espl_classify_channels(graph, arena);
	double *scores = ESPL_ARRAY(arena, double, classes.class_count);
	espl_gradients *gradients = ESPL_ARRAY(arena, espl_gradients, graph->node_count);
	float ones[2000], gain[8] = {1, 2, 3, 4, 5, 6, 7, 8}, offset[8] = {0, 1, 0, 1, 0, 1, 0, 1};
	const espl_node *last = &graph->nodes[graph->node_count - 1];
	double sum;

	(void)state;
	for (int i = 0; i < 2000; i++)
		ones[i] = 1;
	for (int n = 0; n < graph->node_count; n++) {
		gradients[n] = (espl_gradients){
		        .weights = ones, .bias = ones, .gain = gain, .offset = offset};
		if (graph->nodes[n].kind == ESPL_NODE_DEPTHWISE) /* of the same classes */
			memset(graph->nodes[n].weights, 0, 9 * 16 * sizeof(float));
		if (graph->nodes[n].output == at.wide)
			memset(graph->nodes[n].bias, 0, 16 * sizeof(float));
		for (int c = 0; c < 8 && graph->nodes[n].kind == ESPL_NODE_BATCH_NORM; c++) {
			graph->nodes[n].gain[c] = 2;
			graph->nodes[n].offset[c] = 3;
		}
	}
	/* squeeze and excite's dense layer is tied to them as well */
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].kind == ESPL_NODE_DENSE &&
		    graph->values[graph->nodes[n].output].channels == 16) {
			memset(graph->nodes[n].weights, 0, 256 * sizeof(float));
			memset(graph->nodes[n].bias, 0, 16 * sizeof(float));
		}
	espl_channel_taylor(graph, &classes, gradients, scores);
	for (int c = 0; c < 8; c++) /* two batch norms share the class */
		assert_true(scores[class_of(&classes, at.stem, c)] ==
		            2 * pow(2.0 * (c + 1) + 3.0 * (c % 2), 2));
	sum = (double)last->bias[1]; /* the last layer has none: its filter and bias */
	for (int i = 0; i < 7; i++)
		sum += (double)last->weights[7 + i];
	assert_true(scores[class_of(&classes, at.output, 1)] == sum * sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tied_channels_are_one_class),
	        cmocka_unit_test(smaller_and_the_same),
	        cmocka_unit_test(a_channel_goes_from_all_that_it_is_tied_to),
	        cmocka_unit_test(nothing_goes_that_is_read),
	        cmocka_unit_test(the_last_channel_stays),
	        cmocka_unit_test(groups_pin),
	        cmocka_unit_test(multiples_stay),
	        cmocka_unit_test(a_fifth_stays),
	        cmocka_unit_test(taylor_scores),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
