/* The float graph backward.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/running.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static float *part(const espl_graph_run *run, float *const *arrays, int value, int first)
{
	return arrays[value] + (size_t)first * value_floats(run, value);
}

static size_t positions_of(const espl_value *value)
{
	return (size_t)value->rows * (size_t)value->columns;
}

/* Finds what lies on the way from `value`, and which consumer of a value is not the first to
 * write its gradient. */
static void find_way(espl_graph_run *run, int value)
{
	const espl_graph *graph = run->graph;
	bool *written = run->reached;

	run->from = value;
	memset(run->reached, 0, (size_t)graph->value_count * sizeof(*run->reached));
	run->reached[value] = run->wanted[value];
	for (int i = graph->node_count - 1; i >= 0; i--) {
		const espl_node *node = &graph->nodes[i];

		if (!run->reached[node->output])
			continue;
		for (int j = 0; j < node->input_count; j++) {
			const int input = node->inputs[j];

			run->adds[i][j] = written[input];
			if (run->wanted[input])
				written[input] = true;
		}
	}
}

/* A bias's gradient, in double on the way. */
static void add_bias(int channels, size_t positions, const float *dy, float *dbias)
{
	enum { AT_A_TIME = 64 };
	double sums[AT_A_TIME];

	if (channels <= AT_A_TIME) {
		memset(sums, 0, sizeof(sums));
		espl_channel_sums(channels, positions, dy, sums);
		for (int c = 0; c < channels; c++)
			dbias[c] += (float)sums[c];
		return;
	}
	for (size_t p = 0; p < positions; p++)
		espl_accumulate((size_t)channels, dy + p * (size_t)channels, dbias);
}

static void back_weighted(espl_graph_run *run, int i, int lane, int first, int count,
                          float *scratch)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *out = &run->graph->values[node->output];
	const espl_window window = node_window(run->graph, node);
	const int input = node->inputs[0], in = (int)value_floats(run, input);
	const float *x = part(run, run->data, input, first), *weights = node_weights(run, i);
	const float *dy = part(run, run->gradients, node->output, first);
	float *dweights = run->lane_gradients[lane] + run->places[i].weights;
	float *dx = run->wanted[input] ? part(run, run->gradients, input, first) : NULL;
	const bool add = run->adds[i][0];

	if (node->bias)
		add_bias(out->channels, (size_t)count * positions_of(out), dy,
		         run->lane_gradients[lane] + run->places[i].bias);
	switch (node->kind) {
	case ESPL_NODE_CONV:
		espl_conv_backward_weights(&window, count, x, dy, dweights, scratch);
		if (dx)
			espl_conv_backward_input(&window, count, weights, dy, dx, add, scratch);
		break;
	case ESPL_NODE_DEPTHWISE:
		espl_depthwise_backward_weights(&window, count, x, dy, dweights);
		if (dx)
			espl_depthwise_backward_input(&window, count, weights, dy, dx, add);
		break;
	default:
		espl_dense_backward_weights(in, out->channels, count, x, dy, dweights);
		if (dx)
			espl_dense_backward_input(in, out->channels, count, weights, dy, dx, add);
	}
}

/* The value whose gradient a batch norm starts with: its output, or that of the clip it does along;
 * and that clip. */
static int norm_clip(const espl_graph_run *run, int i, espl_norm_clip *clip)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_node *fused = run->fused[i] < 0 ? NULL : &run->graph->nodes[run->fused[i]];

	*clip = (espl_norm_clip){run->norms[i].scale, run->norms[i].shift,
	                         fused ? fused->low : -INFINITY, fused ? fused->high : INFINITY};
	return fused ? fused->output : node->output;
}

static void back_norm(espl_graph_run *run, int i, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *out = &run->graph->values[node->output];
	const struct norm *norm = &run->norms[i];
	espl_norm_clip clip;
	const int output = norm_clip(run, i, &clip);

	if (run->wanted[node->inputs[0]])
		espl_norm_backward(out->channels, (size_t)count * positions_of(out), &clip,
		                   part(run, run->data, node->inputs[0], first),
		                   part(run, run->gradients, output, first), norm->a, norm->b,
		                   norm->c, part(run, run->gradients, node->inputs[0], first),
		                   run->adds[i][0]);
}

static void give(size_t count, const float *dy, float *dx, bool add)
{
	if (add)
		espl_accumulate(count, dy, dx);
	else
		memcpy(dx, dy, count * sizeof(*dx));
}

/* ADD: to both inputs; summed over positions where the second is one value a channel. */
static void back_add(espl_graph_run *run, int i, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *one = &run->graph->values[node->inputs[0]];
	const espl_value *two = &run->graph->values[node->inputs[1]];
	const size_t positions = positions_of(one), floats = value_floats(run, node->output);
	const float *dy = part(run, run->gradients, node->output, first);
	float *dx;

	if (run->wanted[node->inputs[0]])
		give((size_t)count * floats, dy, part(run, run->gradients, node->inputs[0], first),
		     run->adds[i][0]);
	if (!run->wanted[node->inputs[1]])
		return;
	dx = part(run, run->gradients, node->inputs[1], first);
	if (positions_of(two) == positions) {
		give((size_t)count * floats, dy, dx, run->adds[i][1]);
		return;
	}
	for (int n = 0; n < count; n++, dx += two->channels) {
		if (!run->adds[i][1])
			memset(dx, 0, (size_t)two->channels * sizeof(*dx));
		for (size_t p = 0; p < positions; p++, dy += two->channels)
			espl_accumulate((size_t)two->channels, dy, dx);
	}
}

/* MULTIPLY: each input's gradient is the product with the other. */
static void back_multiply(espl_graph_run *run, int i, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *value = &run->graph->values[node->inputs[0]];
	const size_t positions = positions_of(value), channels = (size_t)value->channels;
	const size_t others = positions_of(&run->graph->values[node->inputs[1]]);

	for (int n = first; n < first + count; n++) {
		const float *dy = part(run, run->gradients, node->output, n);
		const float *a = part(run, run->data, node->inputs[0], n);
		const float *b = part(run, run->data, node->inputs[1], n);

		if (run->wanted[node->inputs[0]])
			back_factor((int)channels, positions, others, b, dy,
			            part(run, run->gradients, node->inputs[0], n), run->adds[i][0]);
		if (run->wanted[node->inputs[1]] && others == positions)
			back_factor((int)channels, positions, positions, a, dy,
			            part(run, run->gradients, node->inputs[1], n), run->adds[i][1]);
		else if (run->wanted[node->inputs[1]])
			back_channel_factor((int)channels, positions, a, dy,
			                    part(run, run->gradients, node->inputs[1], n),
			                    run->adds[i][1]);
	}
}

static void back_concat(espl_graph_run *run, int i, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *out = &run->graph->values[node->output];
	const size_t positions = (size_t)count * positions_of(out);
	const float *dy = part(run, run->gradients, node->output, first);

	for (int j = 0; j < node->input_count; j++) {
		const size_t channels = (size_t)run->graph->values[node->inputs[j]].channels;
		float *dx;

		if (run->wanted[node->inputs[j]]) {
			dx = part(run, run->gradients, node->inputs[j], first);
			for (size_t p = 0; p < positions; p++)
				give(channels, dy + p * (size_t)out->channels, dx + p * channels,
				     run->adds[i][j]);
		}
		dy += channels;
	}
}

static void back_pad(const espl_graph *graph, const espl_node *node, int count, const float *dy,
                     float *dx, bool add)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];
	const size_t row = (size_t)in->columns * (size_t)in->channels;
	const size_t out_row = (size_t)out->columns * (size_t)out->channels;

	for (int n = 0; n < count; n++, dy += (size_t)out->rows * out_row)
		for (int r = 0; r < in->rows; r++, dx += row)
			give(row,
			     dy + (size_t)(r + node->pad_top) * out_row +
			             (size_t)node->pad_left * (size_t)in->channels,
			     dx, add);
}

/* Nodes whose gradient is one function of one input. */
static void back_plain(espl_graph_run *run, int i, int first, int count)
{
	const espl_graph *graph = run->graph;
	const espl_node *node = &graph->nodes[i];
	const int input = node->inputs[0];
	const espl_value *in = &graph->values[input];
	const espl_window window = node_window(graph, node);
	const size_t floats = (size_t)count * value_floats(run, input);
	const float *dy, *y;
	const bool add = run->adds[i][0];
	float *dx;

	if (!run->wanted[input])
		return;
	dy = part(run, run->gradients, node->output, first);
	dx = part(run, run->gradients, input, first);
	y = part(run, run->raw, node->output, first);
	switch (node->kind) {
	case ESPL_NODE_CLIP:
		espl_clip_backward(floats, y, node->low, node->high, dy, dx, add);
		break;
	case ESPL_NODE_MAX_POOL:
		espl_max_pool_backward(&window, count, part(run, run->data, input, first), y, dy,
		                       dx, add);
		break;
	case ESPL_NODE_AVERAGE_POOL:
		espl_average_pool_backward(&window, node->count_pads, count, dy, dx, add);
		break;
	case ESPL_NODE_MEAN:
		espl_mean_backward(in->channels, positions_of(in), count, dy, dx, add);
		break;
	case ESPL_NODE_PAD:
		back_pad(graph, node, count, dy, dx, add);
		break;
	case ESPL_NODE_RESHAPE:
		give(floats, dy, dx, add);
		break;
	case ESPL_NODE_UPSAMPLE:
		back_upsample(&window, count, dy, dx, add);
		break;
	case ESPL_NODE_SOFTMAX:
		back_softmax(in->channels, (size_t)count * positions_of(in), y, dy, dx, add);
		break;
	default:
		back_unary(node, floats, part(run, run->data, input, first), y, dy, dx, add);
	}
}

static void back_node(espl_graph_run *run, int i, int lane, int first, int count, float *scratch)
{
	switch (run->graph->nodes[i].kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
	case ESPL_NODE_DENSE:
		back_weighted(run, i, lane, first, count, scratch);
		break;
	case ESPL_NODE_BATCH_NORM:
		back_norm(run, i, first, count);
		break;
	case ESPL_NODE_ADD:
		back_add(run, i, first, count);
		break;
	case ESPL_NODE_MULTIPLY:
		back_multiply(run, i, first, count);
		break;
	case ESPL_NODE_CONCAT:
		back_concat(run, i, first, count);
		break;
	default:
		back_plain(run, i, first, count);
	}
}

/* Takes the gradient of a value through its quantizer, in place. */
static void back_quantizer(espl_graph_run *run, int value, int lane, int first, int count)
{
	const espl_quantizer *q = &run->graph->values[value].quantizer;
	float *gradient;

	if (!q->bits || !run->reached[value])
		return;
	gradient = part(run, run->gradients, value, first);
	run->lane_steps[lane][value] += espl_fake_quantize_backward(
	        (size_t)count * value_floats(run, value), part(run, run->raw, value, first),
	        q->step, (float)(q->low - q->zero_point), (float)(q->high - q->zero_point),
	        gradient, gradient);
}

static void sum_norm(espl_graph_run *run, int i, int lane, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *out = &run->graph->values[node->output];
	struct norm *norm = &run->norms[i];
	espl_norm_clip clip;
	const int output = norm_clip(run, i, &clip);

	espl_norm_sums(out->channels, (size_t)count * positions_of(out), &clip,
	               part(run, run->data, node->inputs[0], first),
	               part(run, run->gradients, output, first), norm->mean,
	               norm->lane_sums + lane * out->channels,
	               norm->lane_products + lane * out->channels);
}

/* A lane's share of a phase: the nodes below run->first down to run->last. */
static void back_lane(void *context, int lane, int thread)
{
	espl_graph_run *run = context;
	const espl_graph *graph = run->graph;
	int first, count;

	lane_samples(run, lane, &first, &count);
	for (int done = 0; done < count; done += run->portion) {
		const int now = count - done < run->portion ? count - done : run->portion;

		if (run->seed) {
			const size_t floats = value_floats(run, run->from);

			memcpy(part(run, run->gradients, run->from, first + done),
			       run->seed + (size_t)(first + done) * floats,
			       (size_t)now * floats * sizeof(float));
		}
		for (int i = run->first - 1; i >= run->last; i--) {
			if (!run->reached[graph->nodes[i].output])
				continue;
			/* a batch norm that opens the phase took its quantizer before its sums */
			if (graph->nodes[i].kind != ESPL_NODE_BATCH_NORM)
				back_quantizer(run, graph->nodes[i].output, lane, first + done,
				               now);
			if (!run->done[i]) /* else its batch norm does it */
				back_node(run, i, lane, first + done, now, run->scratch[thread]);
		}
		if (run->norm >= 0) {
			back_quantizer(run, graph->nodes[run->norm].output, lane, first + done,
			               now);
			sum_norm(run, run->norm, lane, first + done, now);
		}
		for (int i = 0; run->last == 0 && run->norm < 0 && i < graph->input_count; i++)
			back_quantizer(run, graph->inputs[i], lane, first + done, now);
	}
}

/* The parameters' gradients of a batch norm, and the factors of its input's. */
static void finish_norm(espl_graph_run *run, int i)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *out = &run->graph->values[node->output];
	const int channels = out->channels;
	const double count = (double)run->count * (double)positions_of(out);
	struct norm *norm = &run->norms[i];

	for (int c = 0; c < channels; c++) {
		const double inverse = 1 / sqrt((double)norm->variance[c] + (double)node->epsilon);
		double sum = 0, product = 0, a, b;

		for (int l = 0; l < RUN_LANES; l++) {
			sum += norm->lane_sums[l * channels + c];
			product += norm->lane_products[l * channels + c];
		}
		run->lane_gradients[0][run->places[i].gain + c] = (float)(product * inverse);
		run->lane_gradients[0][run->places[i].offset + c] = (float)sum;
		a = (double)node->gain[c] * inverse;
		b = run->training ? -a * inverse * inverse * product / count : 0;
		norm->a[c] = (float)a;
		norm->b[c] = (float)b;
		norm->c[c] =
		        run->training ? (float)(-a * sum / count - b * (double)norm->mean[c]) : 0;
	}
}

static void clear(espl_graph_run *run)
{
	const espl_graph *graph = run->graph;

	for (int l = 0; l < RUN_LANES; l++) {
		memset(run->lane_gradients[l], 0, (size_t)run->gradient_count * sizeof(float));
		memset(run->lane_steps[l], 0, (size_t)graph->value_count * sizeof(double));
	}
	for (int i = 0; i < graph->node_count; i++) {
		const size_t bytes = RUN_LANES * sizeof(double) *
		                     (size_t)espl_node_outputs(graph, &graph->nodes[i]);

		if (graph->nodes[i].kind != ESPL_NODE_BATCH_NORM)
			continue;
		memset(run->norms[i].lane_sums, 0, bytes);
		memset(run->norms[i].lane_products, 0, bytes);
	}
}

/* One of RUN_LANES parts of all gradients, summed over the lanes. */
static void sum_part(void *context, int item, int thread)
{
	espl_graph_run *run = context;
	const int64_t first = run->gradient_count * item / RUN_LANES;
	const int64_t last = run->gradient_count * (item + 1) / RUN_LANES;

	(void)thread;
	for (int l = 1; l < RUN_LANES; l++)
		espl_accumulate((size_t)(last - first), run->lane_gradients[l] + first,
		                run->lane_gradients[0] + first);
}

/* Takes a node's weight gradients through their rounding. */
static void back_weight_steps(espl_graph_run *run, int i)
{
	const espl_node *node = &run->graph->nodes[i];
	const float largest = (float)((1 << (node->weight_bits - 1)) - 1);
	const int channels = espl_node_outputs(run->graph, node);
	const int64_t count = espl_node_weights(run->graph, node), each = count / channels;
	float *gradients = run->lane_gradients[0] + run->places[i].weights;
	float *steps = run->step_gradients[i];

	memset(steps, 0, (size_t)channels * sizeof(*steps));
	if (node->kind != ESPL_NODE_DEPTHWISE) {
		for (int c = 0; c < channels; c++)
			steps[c] = (float)espl_fake_quantize_backward(
			        (size_t)each, node->weights + c * each, node->weight_steps[c],
			        -largest, largest, gradients + c * each, gradients + c * each);
		return;
	}
	for (int64_t j = 0; j < count; j++)
		steps[j % channels] += (float)espl_fake_quantize_backward(
		        1, node->weights + j, node->weight_steps[j % channels], -largest, largest,
		        gradients + j, gradients + j);
}

void espl_graph_run_backward(espl_graph_run *run, int value, const float *gradient)
{
	const espl_graph *graph = run->graph;

	assert(run->backward);
	if (run->from != value)
		find_way(run, value);
	clear(run);
	if (!run->wanted[value])
		return; /* no parameter leads there */
	run->seed = gradient;
	for (run->first = graph->node_count; run->first > 0; run->first = run->last) {
		run->norm = -1;
		run->last = run->first - (run->seed == NULL);
		while (run->last > 0 && (graph->nodes[run->last - 1].kind != ESPL_NODE_BATCH_NORM ||
		                         !run->reached[graph->nodes[run->last - 1].output]))
			run->last--;
		if (run->last > 0)
			run->norm = run->last - 1;
		espl_workers_run(run->workers, RUN_LANES, back_lane, run);
		run->seed = NULL;
		if (run->norm >= 0)
			finish_norm(run, run->norm);
	}
	espl_workers_run(run->workers, RUN_LANES, sum_part, run);
	for (int l = 1; l < RUN_LANES; l++)
		for (int v = 0; v < graph->value_count; v++)
			run->lane_steps[0][v] += run->lane_steps[l][v];
	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].weight_bits)
			back_weight_steps(run, i);
}
