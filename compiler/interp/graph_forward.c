/* The float graph forward: inference, and training with the batch's own statistics.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/running.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The samples of a value that a call works on. */
static float *part(const espl_graph_run *run, float *const *arrays, int value, int first)
{
	return arrays[value] + (size_t)first * value_floats(run, value);
}

static size_t positions_of(const espl_value *value)
{
	return (size_t)value->rows * (size_t)value->columns;
}

static void run_norm(espl_graph_run *run, int i, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *value = &run->graph->values[node->output];
	const espl_node *clip = run->fused[i] < 0 ? NULL : &run->graph->nodes[run->fused[i]];
	const int output = clip ? clip->output : node->output;

	espl_scale_shift(value->channels, (size_t)count * positions_of(value),
	                 part(run, run->data, node->inputs[0], first), run->norms[i].scale,
	                 run->norms[i].shift, clip ? clip->low : -INFINITY,
	                 clip ? clip->high : INFINITY, part(run, run->raw, output, first));
}

static float hard_sigmoid(float x, float slope, float shift)
{
	const float y = slope * x + shift;

	return y < 0 ? 0 : y > 1 ? 1 : y;
}

/* One input, elements on their own. */
static void run_unary(const espl_node *node, size_t count, const float *x, float *y)
{
	for (size_t i = 0; i < count; i++) {
		switch (node->kind) {
		case ESPL_NODE_CLIP:
			y[i] = x[i] < node->low ? node->low : x[i] > node->high ? node->high : x[i];
			break;
		case ESPL_NODE_LEAKY:
			y[i] = x[i] < 0 ? node->slope * x[i] : x[i];
			break;
		case ESPL_NODE_SIGMOID:
			y[i] = 1 / (1 + expf(-x[i]));
			break;
		case ESPL_NODE_TANH:
			y[i] = tanhf(x[i]);
			break;
		case ESPL_NODE_HARD_SIGMOID:
			y[i] = hard_sigmoid(x[i], node->slope, node->shift);
			break;
		default:
			assert(node->kind == ESPL_NODE_HARD_SWISH);
			y[i] = x[i] * hard_sigmoid(x[i], 1.0f / 6, 0.5f);
		}
	}
}

static void multiply(int channels, size_t positions, bool per_channel, const float *a,
                     const float *b, float *y)
{
	for (size_t p = 0; p < positions; p++)
		for (int c = 0; c < channels; c++, a++, y++)
			*y = *a * b[per_channel ? (size_t)c : p * (size_t)channels + (size_t)c];
}

/* ADD and MULTIPLY, sample by sample as the second input may be one value a channel. */
static void run_pair(const espl_graph *graph, const espl_node *node, int count, const float *a,
                     const float *b, float *y)
{
	const espl_value *first = &graph->values[node->inputs[0]];
	const espl_value *second = &graph->values[node->inputs[1]];
	const size_t positions = positions_of(first), channels = (size_t)first->channels;
	const bool per_channel = positions_of(second) == 1 && positions > 1;

	if (node->kind == ESPL_NODE_ADD && !per_channel) {
		espl_add((size_t)count * positions * channels, a, b, y);
		return;
	}
	for (int n = 0; n < count; n++) {
		if (node->kind == ESPL_NODE_ADD)
			espl_add_channels((int)channels, positions, a, b, y);
		else
			multiply((int)channels, positions, per_channel, a, b, y);
		a += positions * channels;
		b += positions_of(second) * channels;
		y += positions * channels;
	}
}

static void run_pad(const espl_graph *graph, const espl_node *node, int count, const float *x,
                    float *y)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];
	const size_t row = (size_t)in->columns * (size_t)in->channels;
	const size_t out_row = (size_t)out->columns * (size_t)out->channels;

	memset(y, 0, (size_t)count * (size_t)out->rows * out_row * sizeof(*y));
	for (int n = 0; n < count; n++, y += (size_t)out->rows * out_row)
		for (int r = 0; r < in->rows; r++, x += row)
			memcpy(y + (size_t)(r + node->pad_top) * out_row +
			               (size_t)node->pad_left * (size_t)in->channels,
			       x, row * sizeof(*y));
}

static void run_upsample(const espl_graph *graph, const espl_node *node, int count, const float *x,
                         float *y)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];
	const size_t channels = (size_t)in->channels;

	for (int n = 0; n < count; n++, x += (size_t)in->rows * (size_t)in->columns * channels)
		for (int r = 0; r < out->rows; r++)
			for (int c = 0; c < out->columns; c++, y += channels)
				memcpy(y,
				       x + (size_t)(r / node->stride_rows * in->columns +
				                    c / node->stride_columns) *
				                       channels,
				       channels * sizeof(*y));
}

/* Copies one input of a concat to its channels. */
static void run_concat(const espl_graph_run *run, const espl_node *node, int first, int count)
{
	const espl_value *out = &run->graph->values[node->output];
	const size_t positions = (size_t)count * positions_of(out);
	float *y = part(run, run->raw, node->output, first);

	for (int i = 0; i < node->input_count; i++) {
		const int channels = run->graph->values[node->inputs[i]].channels;
		const float *x = part(run, run->data, node->inputs[i], first);

		for (size_t p = 0; p < positions; p++)
			memcpy(y + p * (size_t)out->channels, x + p * (size_t)channels,
			       (size_t)channels * sizeof(*y));
		y += channels;
	}
}

static void run_softmax(int channels, size_t positions, const float *x, float *y)
{
	for (size_t p = 0; p < positions; p++, x += channels, y += channels) {
		float greatest = x[0], sum = 0;

		for (int c = 1; c < channels; c++)
			greatest = x[c] > greatest ? x[c] : greatest;
		for (int c = 0; c < channels; c++)
			sum += y[c] = expf(x[c] - greatest);
		for (int c = 0; c < channels; c++)
			y[c] /= sum;
	}
}

static void run_node(espl_graph_run *run, int i, int first, int count, float *scratch)
{
	const espl_graph *graph = run->graph;
	const espl_node *node = &graph->nodes[i];
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];
	const espl_window window = node_window(graph, node);
	const size_t floats = (size_t)count * value_floats(run, node->inputs[0]);
	const float *x = part(run, run->data, node->inputs[0], first);
	float *y = run->raw[node->output] ? part(run, run->raw, node->output, first) : NULL;

	switch (node->kind) {
	case ESPL_NODE_CONV:
		espl_conv_forward(&window, count, x, node_weights(run, i), node->bias, y, scratch);
		break;
	case ESPL_NODE_DEPTHWISE:
		espl_depthwise_forward(&window, count, x, node_weights(run, i), node->bias, y);
		break;
	case ESPL_NODE_DENSE:
		espl_dense_forward((int)(floats / (size_t)count), out->channels, count, x,
		                   node_weights(run, i), node->bias, y);
		break;
	case ESPL_NODE_BATCH_NORM:
		run_norm(run, i, first, count);
		break;
	case ESPL_NODE_ADD:
	case ESPL_NODE_MULTIPLY:
		run_pair(graph, node, count, x, part(run, run->data, node->inputs[1], first), y);
		break;
	case ESPL_NODE_MAX_POOL:
		espl_max_pool_forward(&window, count, x, y);
		break;
	case ESPL_NODE_AVERAGE_POOL:
		espl_average_pool_forward(&window, node->count_pads, count, x, y);
		break;
	case ESPL_NODE_MEAN:
		espl_mean_forward(in->channels, positions_of(in), count, x, y);
		break;
	case ESPL_NODE_PAD:
		run_pad(graph, node, count, x, y);
		break;
	case ESPL_NODE_UPSAMPLE:
		run_upsample(graph, node, count, x, y);
		break;
	case ESPL_NODE_RESHAPE:
		memcpy(y, x, floats * sizeof(*y));
		break;
	case ESPL_NODE_CONCAT:
		run_concat(run, node, first, count);
		break;
	case ESPL_NODE_SOFTMAX:
		run_softmax(in->channels, (size_t)count * positions_of(in), x, y);
		break;
	default:
		run_unary(node, floats, x, y);
	}
}

/* Rounds samples of a value to its integers. */
static void quantize(const espl_graph_run *run, int value, int first, int count)
{
	const espl_quantizer *q = &run->graph->values[value].quantizer;

	if (q->bits)
		espl_fake_quantize(
		        (size_t)count * value_floats(run, value), part(run, run->raw, value, first),
		        q->step, (float)(q->low - q->zero_point), (float)(q->high - q->zero_point),
		        part(run, run->data, value, first));
}

/* Joins the moments of a portion to those of a lane.
 *   from  Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm, 1979 */
static void join(double *mean, double *squares, int64_t *count, double other_mean,
                 double other_squares, int64_t other_count)
{
	const double all = (double)(*count + other_count), delta = other_mean - *mean;

	*squares += other_squares + delta * delta * (double)*count * (double)other_count / all;
	*mean += delta * (double)other_count / all;
	*count += other_count;
}

enum { MOMENT_POSITIONS = 1024 };

/* Adds portions of samples to a lane's moments of a batch norm's input. */
static void take_moments(espl_graph_run *run, int i, int lane, int first, int count)
{
	const espl_node *node = &run->graph->nodes[i];
	const espl_value *value = &run->graph->values[node->inputs[0]];
	const int channels = value->channels;
	const size_t positions = (size_t)count * positions_of(value);
	const float *x = part(run, run->data, node->inputs[0], first);
	struct norm *norm = &run->norms[i];
	float *means = norm->portion + 2 * (size_t)lane * (size_t)channels;
	float *squares = means + channels;

	for (size_t p = 0; p < positions; p += MOMENT_POSITIONS) {
		const size_t rest =
		        positions - p < MOMENT_POSITIONS ? positions - p : MOMENT_POSITIONS;
		int64_t before = norm->lane_counts[lane];

		espl_channel_moments(channels, rest, x + p * (size_t)channels, means, squares);
		for (int c = 0; c < channels; c++) {
			before = norm->lane_counts[lane];
			join(&norm->lane_means[lane * channels + c],
			     &norm->lane_squares[lane * channels + c], &before, (double)means[c],
			     (double)squares[c], (int64_t)rest);
		}
		norm->lane_counts[lane] = before;
	}
}

/* A lane's share of a phase. */
static void run_lane(void *context, int lane, int thread)
{
	espl_graph_run *run = context;
	const espl_graph *graph = run->graph;
	int first, count;

	lane_samples(run, lane, &first, &count);
	for (int done = 0; done < count; done += run->portion) {
		const int now = count - done < run->portion ? count - done : run->portion;

		for (int i = 0; run->inputs && i < graph->input_count; i++) {
			const int value = graph->inputs[i];
			const size_t floats = value_floats(run, value);

			memcpy(part(run, run->raw, value, first + done),
			       run->inputs[i] + (size_t)(first + done) * floats,
			       (size_t)now * floats * sizeof(float));
			quantize(run, value, first + done, now);
		}
		for (int i = run->first; i < run->last; i++) {
			const int output = run->fused[i] < 0 ? graph->nodes[i].output
			                                     : graph->nodes[run->fused[i]].output;

			if (run->done[i])
				continue;
			run_node(run, i, first + done, now, run->scratch[thread]);
			quantize(run, output, first + done, now);
		}
		if (run->norm >= 0)
			take_moments(run, run->norm, lane, first + done, now);
	}
}

/* Rounds a node's weights to their integers; pruned ones stay 0. */
static void quantize_weights(espl_graph_run *run, int i)
{
	const espl_node *node = &run->graph->nodes[i];
	const float largest = (float)((1 << (node->weight_bits - 1)) - 1);
	const int channels = espl_node_outputs(run->graph, node);
	const int64_t count = espl_node_weights(run->graph, node), each = count / channels;

	for (int c = 0; c < channels && node->kind != ESPL_NODE_DEPTHWISE; c++)
		espl_fake_quantize((size_t)each, node->weights + c * each, node->weight_steps[c],
		                   -largest, largest, run->weights[i] + c * each);
	for (int64_t j = 0; j < count && node->kind == ESPL_NODE_DEPTHWISE; j++)
		espl_fake_quantize(1, node->weights + j, node->weight_steps[j % channels], -largest,
		                   largest, run->weights[i] + j);
}

/* y = scale * x + shift */
static void set_scale(espl_graph_run *run, int i)
{
	const espl_node *node = &run->graph->nodes[i];
	struct norm *norm = &run->norms[i];

	for (int c = 0; c < espl_node_outputs(run->graph, node); c++) {
		if (!run->training) {
			norm->mean[c] = node->mean[c];
			norm->variance[c] = node->variance[c];
		}
		norm->scale[c] = node->gain[c] / sqrtf(norm->variance[c] + node->epsilon);
		norm->shift[c] = node->offset[c] - norm->mean[c] * norm->scale[c];
	}
}

/* The batch's statistics out of the lanes', in their order. */
static void join_lanes(espl_graph_run *run, int i)
{
	const int channels = espl_node_outputs(run->graph, &run->graph->nodes[i]);
	struct norm *norm = &run->norms[i];

	for (int c = 0; c < channels; c++) {
		double mean = 0, squares = 0;
		int64_t count = 0;

		for (int l = 0; l < RUN_LANES; l++)
			if (norm->lane_counts[l])
				join(&mean, &squares, &count, norm->lane_means[l * channels + c],
				     norm->lane_squares[l * channels + c], norm->lane_counts[l]);
		norm->mean[c] = (float)mean;
		norm->variance[c] = (float)(squares / (double)count);
	}
}

static void clear_moments(espl_graph_run *run, int i)
{
	const size_t channels = (size_t)espl_node_outputs(run->graph, &run->graph->nodes[i]);
	struct norm *norm = &run->norms[i];

	memset(norm->lane_counts, 0, sizeof(norm->lane_counts));
	memset(norm->lane_means, 0, RUN_LANES * channels * sizeof(double));
	memset(norm->lane_squares, 0, RUN_LANES * channels * sizeof(double));
}

static void run_all(espl_graph_run *run, const float *const *inputs, int count, bool training)
{
	const espl_graph *graph = run->graph;

	assert(count >= 1 && count <= run->batch);
	run->count = count;
	run->training = training;
	run->inputs = inputs;
	for (int i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].weight_bits)
			quantize_weights(run, i);
		if (graph->nodes[i].kind == ESPL_NODE_BATCH_NORM && !training)
			set_scale(run, i);
	}
	for (run->first = 0; run->first < graph->node_count; run->first = run->last) {
		run->norm = -1;
		run->last = run->first + (run->inputs == NULL);
		while (run->last < graph->node_count &&
		       (!training || graph->nodes[run->last].kind != ESPL_NODE_BATCH_NORM))
			run->last++;
		if (run->last < graph->node_count) {
			run->norm = run->last;
			clear_moments(run, run->norm);
		}
		espl_workers_run(run->workers, RUN_LANES, run_lane, run);
		if (run->norm >= 0) {
			join_lanes(run, run->norm);
			set_scale(run, run->norm);
		}
		run->inputs = NULL;
	}
}

void espl_graph_run_forward(espl_graph_run *run, const float *const *inputs, int count)
{
	run_all(run, inputs, count, false);
}

void espl_graph_run_train(espl_graph_run *run, const float *const *inputs, int count)
{
	run_all(run, inputs, count, true);
}
