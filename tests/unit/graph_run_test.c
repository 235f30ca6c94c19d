/* Does a graph run forward as its nodes say, and are its gradients those of differences?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "interp/graph_run.h"
#include "ir/graph_build.h"
#include "math/kernels.h"
#include "tiny_graph.h"

#include <math.h>
#include <string.h>

enum { COUNT = 5, IMAGE = 6 * 5 * 3, VECTOR = 4 };

struct batch {
	float image[COUNT * IMAGE], vector[COUNT * VECTOR];
	const float *inputs[2];
};

static struct batch *make_batch(espl_arena *arena, uint32_t seed)
{
	struct batch *batch = ESPL_NEW(arena, struct batch);

	for (int i = 0; i < COUNT * IMAGE; i++)
		batch->image[i] = tiny_random(&seed);
	for (int i = 0; i < COUNT * VECTOR; i++)
		batch->vector[i] = tiny_random(&seed);
	batch->inputs[0] = batch->image;
	batch->inputs[1] = batch->vector;
	return batch;
}

/* The naive meaning of every node, in double; no line shared with the product. */
struct naive {
	const espl_graph *graph;
	double **values;         /* [value], of the sample at work */
	double **all;            /* [value][COUNT][elements] */
	double *means, *spreads; /* [channels] of the batch norm at work, in training */
};

static double rounded(double x, double step, double low, double high)
{
	return fmin(fmax(floor(x / step + 0.5), low), high) * step;
}

static double value_at(const struct naive *n, int value, int row, int column, int channel)
{
	const espl_value *v = &n->graph->values[value];

	if (row < 0 || row >= v->rows || column < 0 || column >= v->columns ||
	    channel >= v->channels)
		return 0;
	return n->values[value][(row * v->columns + column) * v->channels + channel];
}

static double weight(const struct naive *n, const espl_node *node, int64_t index, int out)
{
	const double largest = (1 << node->weight_bits) / 2 - 1;

	(void)n;
	if (!node->weight_bits)
		return (double)node->weights[index];
	return rounded((double)node->weights[index], (double)node->weight_steps[out], -largest,
	               largest);
}

static double naive_conv(const struct naive *n, const espl_node *node, int r, int c, int o)
{
	const int in = n->graph->values[node->inputs[0]].channels;
	const int outs = n->graph->values[node->output].channels;
	const bool deep = node->kind == ESPL_NODE_DEPTHWISE;
	const int depth = deep ? 1 : in / node->groups;
	const int begin = deep ? o / node->depth_multiplier : o / (outs / node->groups) * depth;
	double sum = node->bias ? (double)node->bias[o] : 0;

	for (int i = 0; i < node->kernel_rows; i++)
		for (int j = 0; j < node->kernel_columns; j++)
			for (int d = 0; d < depth; d++) {
				const int tap = i * node->kernel_columns + j;
				const int64_t index = deep ? (int64_t)tap * outs + o
				                           : ((int64_t)o * node->kernel_rows *
				                                      node->kernel_columns +
				                              tap) * depth +
				                                      d;

				sum += weight(n, node, index, o) *
				       value_at(n, node->inputs[0],
				                r * node->stride_rows - node->pad_top +
				                        i * node->dilation_rows,
				                c * node->stride_columns - node->pad_left +
				                        j * node->dilation_columns,
				                begin + d);
			}
	return sum;
}

static double naive_pool(const struct naive *n, const espl_node *node, int r, int c, int o)
{
	const espl_value *in = &n->graph->values[node->inputs[0]];
	double most = -INFINITY, sum = 0;
	int cells = 0;

	for (int i = 0; i < node->kernel_rows; i++)
		for (int j = 0; j < node->kernel_columns; j++) {
			const int row = r * node->stride_rows - node->pad_top + i;
			const int column = c * node->stride_columns - node->pad_left + j;
			const bool inside =
			        row >= 0 && row < in->rows && column >= 0 && column < in->columns;

			cells += inside || node->count_pads;
			sum += value_at(n, node->inputs[0], row, column, o);
			if (inside)
				most = fmax(most, value_at(n, node->inputs[0], row, column, o));
		}
	return node->kind == ESPL_NODE_MAX_POOL ? most : sum / cells;
}

static double naive_mean(const struct naive *n, int value, int channel)
{
	const espl_value *v = &n->graph->values[value];
	double sum = 0;

	for (int p = 0; p < v->rows * v->columns; p++)
		sum += n->values[value][p * v->channels + channel];
	return sum / (v->rows * v->columns);
}

static double naive_element(const struct naive *n, const espl_node *node, int r, int c, int o)
{
	const espl_value *in = &n->graph->values[node->inputs[0]];
	const int begin = node->inputs[0], other = node->inputs[node->input_count - 1];
	const espl_value *two = &n->graph->values[other];
	const double x = o < in->channels ? value_at(n, begin, r, c, o) : 0;
	const double y = two->rows == 1 && two->columns == 1 ? value_at(n, other, 0, 0, o)
	                                                     : value_at(n, other, r, c, o);
	double sum = node->bias ? (double)node->bias[o] : 0;

	switch (node->kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
		return naive_conv(n, node, r, c, o);
	case ESPL_NODE_DENSE:
		for (int i = 0; i < espl_value_elements(in); i++)
			sum += weight(n, node, (int64_t)o * espl_value_elements(in) + i, o) *
			       n->values[begin][i];
		return sum;
	case ESPL_NODE_BATCH_NORM:
		if (n->means)
			return (double)node->gain[o] * (x - n->means[o]) / n->spreads[o] +
			       (double)node->offset[o];
		return (double)node->gain[o] * (x - (double)node->mean[o]) /
		               sqrt((double)node->variance[o] + (double)node->epsilon) +
		       (double)node->offset[o];
	case ESPL_NODE_CLIP:
		return fmin(fmax(x, (double)node->low), (double)node->high);
	case ESPL_NODE_LEAKY:
		return x < 0 ? (double)node->slope * x : x;
	case ESPL_NODE_SIGMOID:
		return 1 / (1 + exp(-x));
	case ESPL_NODE_TANH:
		return tanh(x);
	case ESPL_NODE_HARD_SIGMOID:
		return fmin(fmax((double)node->slope * x + (double)node->shift, 0), 1);
	case ESPL_NODE_HARD_SWISH:
		return x * fmin(fmax(x / 6 + 0.5, 0), 1);
	case ESPL_NODE_ADD:
		return x + y;
	case ESPL_NODE_MULTIPLY:
		return x * y;
	case ESPL_NODE_MAX_POOL:
	case ESPL_NODE_AVERAGE_POOL:
		return naive_pool(n, node, r, c, o);
	case ESPL_NODE_MEAN:
		return naive_mean(n, begin, o);
	case ESPL_NODE_PAD:
		return value_at(n, begin, r - node->pad_top, c - node->pad_left, o);
	case ESPL_NODE_UPSAMPLE:
		return value_at(n, begin, r / node->stride_rows, c / node->stride_columns, o);
	case ESPL_NODE_CONCAT:
		return o < in->channels ? x : value_at(n, other, r, c, o - in->channels);
	case ESPL_NODE_SOFTMAX:
		for (int i = 0; i < in->channels; i++)
			sum += exp(value_at(n, begin, r, c, i));
		return exp(x) / sum;
	default:
		assert_int_equal(node->kind, ESPL_NODE_RESHAPE);
		return n->values[begin][o];
	}
}

static void naive_quantize(const struct naive *n, int value)
{
	const espl_quantizer *q = &n->graph->values[value].quantizer;

	for (int i = 0; q->bits && i < espl_value_elements(&n->graph->values[value]); i++)
		n->values[value][i] = rounded(n->values[value][i], (double)q->step,
		                              q->low - q->zero_point, q->high - q->zero_point);
}

static void choose_sample(struct naive *n, int sample)
{
	for (int v = 0; v < n->graph->value_count; v++)
		n->values[v] = n->all[v] + sample * espl_value_elements(&n->graph->values[v]);
}

/* Mean and standard deviation of a batch norm's input over all samples. */
static void find_statistics(struct naive *n, const espl_node *node)
{
	const espl_value *in = &n->graph->values[node->inputs[0]];
	const int positions = COUNT * in->rows * in->columns;
	const double *x = n->all[node->inputs[0]];

	for (int c = 0; c < in->channels; c++) {
		double mean = 0, squares = 0;

		for (int p = 0; p < positions; p++)
			mean += x[p * in->channels + c] / positions;
		for (int p = 0; p < positions; p++)
			squares += pow(x[p * in->channels + c] - mean, 2) / positions;
		n->means[c] = mean;
		n->spreads[c] = sqrt(squares + (double)node->epsilon);
	}
}

static struct naive naive_create(const espl_graph *graph, bool training, espl_arena *arena)
{
	struct naive n = {.graph = graph,
	                  .values = ESPL_ARRAY(arena, double *, graph->value_count),
	                  .all = ESPL_ARRAY(arena, double *, graph->value_count)};

	for (int v = 0; v < graph->value_count; v++)
		n.all[v] = ESPL_ARRAY(arena, double, COUNT *espl_value_elements(&graph->values[v]));
	if (training) {
		n.means = ESPL_ARRAY(arena, double, 64);
		n.spreads = ESPL_ARRAY(arena, double, 64);
	}
	return n;
}

static void naive_node(struct naive *n, const espl_node *node)
{
	const espl_value *out = &n->graph->values[node->output];

	if (node->kind == ESPL_NODE_BATCH_NORM && n->means)
		find_statistics(n, node);
	for (int s = 0; s < COUNT; s++) {
		double *to;

		choose_sample(n, s);
		to = n->values[node->output];
		for (int r = 0; r < out->rows; r++)
			for (int c = 0; c < out->columns; c++)
				for (int o = 0; o < out->channels; o++)
					*to++ = naive_element(n, node, r, c, o);
		naive_quantize(n, node->output);
	}
}

static void naive_run(struct naive *n, const struct batch *batch)
{
	const espl_graph *graph = n->graph;

	for (int i = 0; i < 2; i++) {
		const int elements = espl_value_elements(&graph->values[graph->inputs[i]]);

		for (int s = 0; s < COUNT; s++) {
			choose_sample(n, s);
			for (int j = 0; j < elements; j++)
				n->values[graph->inputs[i]][j] =
				        (double)batch->inputs[i][s * elements + j];
			naive_quantize(n, graph->inputs[i]);
		}
	}
	for (int i = 0; i < graph->node_count; i++)
		naive_node(n, &graph->nodes[i]);
}

/* The largest distance of all values of all samples from the naive meaning, in units of the
 * value's step where it is quantized. */
static double compare_forward(bool quantized, int threads)
{
	espl_arena *arena = espl_arena_create();
	const espl_graph *graph = tiny_graph(arena, 5, false, quantized);
	const struct batch *batch = make_batch(arena, 99);
	struct naive n = naive_create(graph, false, arena);
	espl_graph_run *run;
	double worst = 0;

	assert_int_equal(espl_graph_run_create(graph, COUNT + 2, threads, false, &run, NULL),
	                 ESPL_OK);
	espl_graph_run_forward(run, batch->inputs, COUNT);
	naive_run(&n, batch);
	for (int s = 0; s < COUNT; s++) {
		choose_sample(&n, s);
		for (int v = 0; v < graph->value_count; v++) {
			const int elements = espl_value_elements(&graph->values[v]);
			float *got = ESPL_ARRAY(arena, float, COUNT *elements);

			espl_graph_run_read(run, v, got);
			for (int i = 0; i < elements; i++)
				worst = fmax(worst,
				             fabs((double)got[s * elements + i] - n.values[v][i]));
		}
	}
	espl_graph_run_destroy(run);
	espl_arena_destroy(arena);
	return worst;
}

static void runs_every_node_forward(void **state)
{
	(void)state;
	assert_true(compare_forward(false, 1) < 2e-5);
	assert_true(compare_forward(false, 3) < 2e-5);
}

/* Rounding may fall to the other side where float and double differ: such a step is at most one
 * of the coarsest quantizer, and what follows from it. */
static void runs_quantized_values_and_weights(void **state)
{
	(void)state;
	assert_true(compare_forward(true, 1) < 2e-5);
}

/* The loss of the tests: a fixed mix of the outputs of all samples. */
struct trial {
	espl_graph *graph;
	espl_graph_run *run;
	const struct batch *batch;
	float mix[COUNT * 5];
	bool training;
};

static double loss_of(struct trial *t)
{
	float out[COUNT * 5];
	double sum = 0;

	if (t->training)
		espl_graph_run_train(t->run, t->batch->inputs, COUNT);
	else
		espl_graph_run_forward(t->run, t->batch->inputs, COUNT);
	espl_graph_run_read(t->run, t->graph->outputs[0], out);
	for (int i = 0; i < COUNT * 5; i++)
		sum += (double)out[i] * (double)t->mix[i];
	return sum;
}

static struct trial make_trial(espl_arena *arena, bool training, bool quantized, bool common,
                               int threads)
{
	struct trial t = {.graph = tiny_graph(arena, 21, common, quantized),
	                  .batch = make_batch(arena, 4),
	                  .training = training};
	uint32_t random = 77;

	for (int i = 0; i < COUNT * 5; i++)
		t.mix[i] = tiny_random(&random);
	assert_int_equal(espl_graph_run_create(t.graph, COUNT, threads, true, &t.run, NULL),
	                 ESPL_OK);
	return t;
}

static void backward(struct trial *t)
{
	loss_of(t);
	espl_graph_run_backward(t->run, t->graph->outputs[0], t->mix);
}

/* The loss by the naive meaning. */
static double naive_loss(struct trial *t, struct naive *n)
{
	const double *out;
	double sum = 0;

	naive_run(n, t->batch);
	out = n->all[t->graph->outputs[0]];
	for (int i = 0; i < COUNT * 5; i++)
		sum += out[i] * (double)t->mix[i];
	return sum;
}

/* The difference quotient of the naive meaning, whose doubles allow steps too small for kinks. */
static void expect_slope(struct trial *t, struct naive *n, float *parameter, float gradient)
{
	const float before = *parameter, low = before - 1e-5f, high = before + 1e-5f;
	double slope;

	*parameter = low;
	slope = -naive_loss(t, n);
	*parameter = high;
	slope = (slope + naive_loss(t, n)) / ((double)high - (double)low);
	*parameter = before;
	if (fabs(slope - (double)gradient) > 2e-5 + 1e-3 * fabs(slope))
		fail_msg("gradient %g, difference quotient %g", (double)gradient, slope);
}

/* Some of many parameters. */
static void expect_slopes(struct trial *t, struct naive *n, float *parameters,
                          const float *gradients, int64_t count)
{
	float kept[1200];

	assert_true(count <= 1200);
	memcpy(kept, gradients, (size_t)count * sizeof(*kept));
	for (int64_t i = 0; i<count; i += count> 16 ? 3 : 1)
		expect_slope(t, n, &parameters[i], kept[i]);
}

static int check_gradients(bool training, bool common)
{
	espl_arena *arena = espl_arena_create();
	struct trial t = make_trial(arena, training, false, common, 1);
	struct naive n = naive_create(t.graph, training, arena);
	int checked = 0;

	for (int i = 0; i < t.graph->node_count; i++) {
		espl_node *node = &t.graph->nodes[i];
		const int channels = espl_node_outputs(t.graph, node);
		espl_gradients g;

		backward(&t);
		g = espl_graph_run_gradients(t.run, i);
		if (node->weights)
			expect_slopes(&t, &n, node->weights, g.weights,
			              espl_node_weights(t.graph, node));
		backward(&t);
		if (node->bias)
			expect_slopes(&t, &n, node->bias, g.bias, channels);
		backward(&t);
		if (node->gain)
			expect_slopes(&t, &n, node->gain, g.gain, channels);
		backward(&t);
		if (node->gain)
			expect_slopes(&t, &n, node->offset, g.offset, channels);
		checked += node->weights || node->gain;
	}
	espl_graph_run_destroy(t.run);
	espl_arena_destroy(arena);
	return checked;
}

static void gradients_equal_differences_in_training(void **state)
{
	(void)state;
	assert_int_equal(check_gradients(true, true), 7);
}

static void gradients_equal_differences_in_inference(void **state)
{
	(void)state;
	assert_int_equal(check_gradients(false, true), 7);
}

static void gradients_of_rarer_nodes_equal_differences(void **state)
{
	(void)state;
	assert_int_equal(check_gradients(true, false), 7);
}

/* The gradient by a value itself: the output's mix flows back to the dense layer's input. */
static void gives_the_gradient_by_a_value(void **state)
{
	espl_arena *arena = espl_arena_create();
	struct trial t = make_trial(arena, true, false, true, 1);
	const espl_node *dense = &t.graph->nodes[t.graph->node_count - 1];
	const int inputs = espl_value_elements(&t.graph->values[dense->inputs[0]]);
	float *got = ESPL_ARRAY(arena, float, COUNT *inputs);

	(void)state;
	backward(&t);
	espl_graph_run_read_gradient(t.run, dense->inputs[0], got);
	for (int s = 0; s < COUNT; s++)
		for (int i = 0; i < inputs; i++) {
			double wanted = 0;

			for (int o = 0; o < 5; o++)
				wanted += (double)t.mix[s * 5 + o] *
				          (double)dense->weights[o * inputs + i];
			assert_true(fabs(wanted - (double)got[s * inputs + i]) < 1e-5);
		}
	espl_graph_run_read_gradient(t.run, t.graph->inputs[0], got);
	for (int i = 0; i < COUNT * IMAGE && i < COUNT * inputs; i++)
		assert_true(got[i] == 0);
	espl_graph_run_destroy(t.run);
	espl_arena_destroy(arena);
}

/* All gradients of a quantized run, bit by bit, with one and with several threads. */
static void threads_change_no_bit(void **state)
{
	espl_arena *arena = espl_arena_create();
	struct trial one = make_trial(arena, true, true, false, 1),
	             many = make_trial(arena, true, true, false, 3);

	(void)state;
	backward(&one);
	backward(&many);
	for (int i = 0; i < one.graph->node_count; i++) {
		const espl_node *node = &one.graph->nodes[i];
		const espl_gradients a = espl_graph_run_gradients(one.run, i);
		const espl_gradients b = espl_graph_run_gradients(many.run, i);
		const size_t channels = (size_t)espl_node_outputs(one.graph, node);

		if (node->weights) {
			assert_memory_equal(a.weights, b.weights,
			                    (size_t)espl_node_weights(one.graph, node) *
			                            sizeof(float));
			assert_memory_equal(a.weight_steps, b.weight_steps,
			                    channels * sizeof(float));
		}
		if (node->gain)
			assert_memory_equal(a.gain, b.gain, channels * sizeof(float));
	}
	for (int v = 0; v < one.graph->value_count; v++)
		assert_true(espl_graph_run_step_gradient(one.run, v) ==
		            espl_graph_run_step_gradient(many.run, v));
	espl_graph_run_destroy(one.run);
	espl_graph_run_destroy(many.run);
	espl_arena_destroy(arena);
}

/* Straight through and LSQ by their formulas, on a dense layer whose input, weights and output
 * are quantized. */
static void quantizers_have_the_gradients_of_lsq(void **state)
{
	enum { IN = 3, OUT = 2 };
	static const float x[IN] = {0.3f, -0.8f, 5.0f}, mix[OUT] = {1.5f, -2.0f};
	static float w[OUT * IN] = {0.26f, -0.9f, 0.13f, 0.4f, 0.51f, -0.33f};
	static float steps[OUT] = {0.125f, 0.0625f};
	const float *inputs[1] = {x};
	const espl_quantizer in = {8, 0.03125f, 1, -128, 127}, out = {4, 0.25f, 0, -8, 7};
	espl_arena *arena = espl_arena_create();
	espl_graph_builder b = espl_graph_build(arena, "one");
	espl_node node = espl_node_default(ESPL_NODE_DENSE, NULL);
	double in_step = 0, out_step = 0, weight_steps[OUT] = {0}, dw[OUT * IN];
	double dx[IN] = {0}, y[OUT] = {0}, xq[IN];
	espl_graph_run *run;
	espl_gradients g;

	(void)state;
	node.input_count = 1;
	node.inputs[0] = espl_graph_add_input(&b, "x", 1, 1, IN);
	node.weights = w;
	node.weight_bits = 4;
	node.weight_steps = steps;
	espl_graph_add_output(&b, espl_graph_add(&b, node, OUT, false));
	b.graph->values[0].quantizer = in;
	b.graph->values[1].quantizer = out;
	assert_int_equal(espl_graph_run_create(b.graph, 1, 1, true, &run, NULL), ESPL_OK);
	espl_graph_run_train(run, inputs, 1);
	espl_graph_run_backward(run, 1, mix);
	for (int i = 0; i < IN; i++)
		xq[i] = rounded((double)x[i], 0.03125, -129, 126);
	for (int o = 0; o < OUT; o++) {
		double dy;

		for (int i = 0; i < IN; i++)
			y[o] += xq[i] * rounded((double)w[o * IN + i], (double)steps[o], -7, 7);
		dy = y[o] / 0.25 >= 7.5 || y[o] / 0.25 < -8.5 ? 0 : (double)mix[o];
		out_step += (double)mix[o] *
		            (rounded(y[o], 1 * 0.25, -8, 7) / 0.25 - (dy != 0 ? y[o] / 0.25 : 0));
		for (int i = 0; i < IN; i++) {
			const double exact = (double)w[o * IN + i] / (double)steps[o];
			const double near = floor(exact + 0.5);
			const bool inside = near >= -7 && near <= 7;

			dw[o * IN + i] = inside ? dy * xq[i] : 0;
			weight_steps[o] += dy * xq[i] * (inside ? near - exact : near > 0 ? 7 : -7);
			dx[i] += dy * rounded((double)w[o * IN + i], (double)steps[o], -7, 7);
		}
	}
	for (int i = 0; i < IN; i++) {
		const double exact = (double)x[i] / 0.03125, near = floor(exact + 0.5);

		in_step += dx[i] * (near > 126 ? 126 : near - exact);
	}
	g = espl_graph_run_gradients(run, 0);
	for (int i = 0; i < OUT * IN; i++)
		assert_true(fabs((double)g.weights[i] - dw[i]) < 1e-5);
	for (int o = 0; o < OUT; o++)
		assert_true(fabs((double)g.weight_steps[o] - weight_steps[o]) < 1e-5);
	assert_true(fabs((double)espl_graph_run_step_gradient(run, 1) - out_step) < 1e-5);
	assert_true(fabs((double)espl_graph_run_step_gradient(run, 0) - in_step) < 1e-3);
	espl_graph_run_destroy(run);
	espl_arena_destroy(arena);
}

static void gives_the_statistics_of_the_batch(void **state)
{
	espl_arena *arena = espl_arena_create();
	struct trial t = make_trial(arena, true, false, true, 2);
	const espl_node *norm = &t.graph->nodes[2];
	const espl_value *value = &t.graph->values[norm->inputs[0]];
	const int positions = COUNT * value->rows * value->columns;
	float *x = ESPL_ARRAY(arena, float, positions * value->channels), mean[4], variance[4];

	(void)state;
	loss_of(&t);
	espl_graph_run_read(t.run, norm->inputs[0], x);
	espl_graph_run_statistics(t.run, 2, mean, variance);
	for (int c = 0; c < 4; c++) {
		double sum = 0, squares = 0;

		for (int p = 0; p < positions; p++)
			sum += (double)x[p * 4 + c] / positions;
		for (int p = 0; p < positions; p++)
			squares += pow((double)x[p * 4 + c] - sum, 2) / (positions - 1);
		assert_true(fabs(sum - (double)mean[c]) < 1e-5);
		assert_true(fabs(squares - (double)variance[c]) < 1e-5);
	}
	espl_graph_run_destroy(t.run);
	espl_arena_destroy(arena);
}

/* The step's gradient is that of the surrogate x + step * (rounded - x / step). */
static void step_gradients_are_those_of_the_surrogate(void **state)
{
	enum { N = 1000 };
	static float x[N], dy[N], dx[N];
	const float step = 0.13f;
	uint32_t random = 3;
	double wanted = 0, got;

	(void)state;
	for (int i = 0; i < N; i++) {
		const float place = 2 * tiny_random(&random);
		const double exact = (double)(place / step), near = floor(exact + 0.5);

		x[i] = place;
		dy[i] = tiny_random(&random);
		wanted += (double)dy[i] * (near < -8 ? -8 : near > 7 ? 7 : near - exact);
	}
	got = espl_fake_quantize_backward(N, x, step, -8, 7, dy, dx);
	assert_true(fabs(got - wanted) < 1e-3);
	for (int i = 0; i < N; i++)
		assert_true(dx[i] ==
		            (floorf(x[i] / step + 0.5f) < -8 || floorf(x[i] / step + 0.5f) > 7
		                     ? 0
		                     : dy[i]));
}

/* Pools of 2 x 2 have loops of their own: they must do what the general ones do. */
static void halving_pools_do_as_all_others(void **state)
{
	enum { ROWS = 6, COLUMNS = 4, CHANNELS = 19, COUNT_OF = 2 };
	enum { IN = COUNT_OF * ROWS * COLUMNS * CHANNELS, OUT = IN / 4 };
	const espl_window w = {.rows = ROWS,
	                       .columns = COLUMNS,
	                       .channels = CHANNELS,
	                       .out_rows = ROWS / 2,
	                       .out_columns = COLUMNS / 2,
	                       .out_channels = CHANNELS,
	                       .kernel_rows = 2,
	                       .kernel_columns = 2,
	                       .stride_rows = 2,
	                       .stride_columns = 2};
	static float x[IN], y[OUT], dy[OUT], dx[IN], general[IN];
	uint32_t random = 5;

	(void)state;
	for (int i = 0; i < IN; i++) /* some equal: the first of them takes all */
		x[i] = floorf(4 * tiny_random(&random));
	for (int i = 0; i < OUT; i++)
		dy[i] = tiny_random(&random);
	espl_max_pool_forward(&w, COUNT_OF, x, y);
	for (int n = 0; n < OUT; n++) {
		const int c = n % CHANNELS, column = n / CHANNELS % (COLUMNS / 2);
		const int row = n / CHANNELS / (COLUMNS / 2);
		const float *first = x + ((2 * row) * COLUMNS + 2 * column) * CHANNELS + c;

		assert_true(y[n] == fmaxf(fmaxf(first[0], first[CHANNELS]),
		                          fmaxf(first[COLUMNS * CHANNELS],
		                                first[(COLUMNS + 1) * CHANNELS])));
	}
	espl_max_pool_backward(&w, COUNT_OF, x, y, dy, dx, false);
	espl_max_pool_backward(&w, COUNT_OF, x, y, dy, general, true); /* onto zeros */
	assert_memory_equal(dx, general, sizeof(dx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(runs_every_node_forward),
	        cmocka_unit_test(runs_quantized_values_and_weights),
	        cmocka_unit_test(gradients_equal_differences_in_training),
	        cmocka_unit_test(gradients_equal_differences_in_inference),
	        cmocka_unit_test(gives_the_gradient_by_a_value),
	        cmocka_unit_test(threads_change_no_bit),
	        cmocka_unit_test(quantizers_have_the_gradients_of_lsq),
	        cmocka_unit_test(gives_the_statistics_of_the_batch),
	        cmocka_unit_test(gradients_of_rarer_nodes_equal_differences),
	        cmocka_unit_test(halving_pools_do_as_all_others),
	        cmocka_unit_test(step_gradients_are_those_of_the_surrogate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
