/* Makes, reads and ends runs of the float graph.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/running.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
	BATCH_MAX = 4096,
	THREADS_MAX = 64,
	PORTION_FLOATS = 128 * 1024, /* of the largest value, at a time */
};

espl_window node_window(const espl_graph *graph, const espl_node *node)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];

	return (espl_window){
	        .rows = in->rows,
	        .columns = in->columns,
	        .channels = in->channels,
	        .out_rows = out->rows,
	        .out_columns = out->columns,
	        .out_channels = out->channels,
	        .kernel_rows = node->kernel_rows,
	        .kernel_columns = node->kernel_columns,
	        .stride_rows = node->stride_rows,
	        .stride_columns = node->stride_columns,
	        .dilation_rows = node->dilation_rows,
	        .dilation_columns = node->dilation_columns,
	        .pad_top = node->pad_top,
	        .pad_left = node->pad_left,
	        .groups = node->groups,
	};
}

/* Lets a batch norm do the clip that alone reads it. */
static void fuse(espl_graph_run *run)
{
	const espl_graph *graph = run->graph;
	int *readers = ESPL_ARRAY(run->arena, int, graph->value_count);
	int *reader = ESPL_ARRAY(run->arena, int, graph->value_count);

	for (int i = 0; i < graph->node_count; i++) {
		run->fused[i] = -1;
		for (int j = 0; j < graph->nodes[i].input_count; j++) {
			readers[graph->nodes[i].inputs[j]]++;
			reader[graph->nodes[i].inputs[j]] = i;
		}
	}
	for (int i = 0; i < graph->node_count; i++) {
		const int output = graph->nodes[i].output;

		if (graph->nodes[i].kind != ESPL_NODE_BATCH_NORM || readers[output] != 1 ||
		    graph->values[output].quantizer.bits ||
		    graph->nodes[reader[output]].kind != ESPL_NODE_CLIP)
			continue;
		run->fused[i] = reader[output];
		run->done[reader[output]] = true;
	}
}

static void make_norm(espl_graph_run *run, int node)
{
	const size_t channels = (size_t)espl_node_outputs(run->graph, &run->graph->nodes[node]);
	struct norm *norm = &run->norms[node];
	float **floats[] = {&norm->mean, &norm->variance, &norm->scale, &norm->shift,
	                    &norm->a,    &norm->b,        &norm->c};
	double **doubles[] = {&norm->lane_means, &norm->lane_squares, &norm->lane_sums,
	                      &norm->lane_products};

	norm->portion = ESPL_ARRAY(run->arena, float, 2 * RUN_LANES * channels);
	for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++)
		*floats[i] = ESPL_ARRAY(run->arena, float, channels);
	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
		*doubles[i] = ESPL_ARRAY(run->arena, double, RUN_LANES *channels);
}

static void make_values(espl_graph_run *run)
{
	const espl_graph *graph = run->graph;
	const size_t batch = (size_t)run->batch;
	bool *skipped = ESPL_ARRAY(run->arena, bool, graph->value_count);
	int largest = 1;

	for (int i = 0; i < graph->node_count; i++)
		skipped[graph->nodes[i].output] = run->fused[i] >= 0;
	for (int v = 0; v < graph->value_count; v++) {
		const int elements = espl_value_elements(&graph->values[v]);

		largest = elements > largest ? elements : largest;
		if (skipped[v])
			continue;
		run->data[v] = ESPL_ARRAY(run->arena, float, batch *(size_t)elements);
		run->raw[v] = run->data[v];
		if (run->backward && graph->values[v].quantizer.bits)
			run->raw[v] = ESPL_ARRAY(run->arena, float, batch *(size_t)elements);
	}
	run->portion = PORTION_FLOATS / largest;
	if (run->portion < 1)
		run->portion = 1;
}

static void make_nodes(espl_graph_run *run, int threads)
{
	const espl_graph *graph = run->graph;
	size_t scratch = 1;

	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];
		const espl_window window = node_window(graph, node);

		if (node->weight_bits)
			run->weights[i] =
			        ESPL_ARRAY(run->arena, float, espl_node_weights(graph, node));
		if (node->kind == ESPL_NODE_BATCH_NORM)
			make_norm(run, i);
		if (node->kind == ESPL_NODE_CONV && espl_conv_scratch(&window) > scratch)
			scratch = espl_conv_scratch(&window);
	}
	for (int t = 0; t < threads; t++)
		run->scratch[t] = ESPL_ARRAY(run->arena, float, scratch);
}

/* Which values' gradients are wanted, and where the parameters' are summed. */
static void make_backward(espl_graph_run *run)
{
	const espl_graph *graph = run->graph;
	int64_t at = 0;

	for (int i = 0; i < graph->input_count; i++)
		run->wanted[graph->inputs[i]] = graph->values[graph->inputs[i]].quantizer.bits != 0;
	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];
		const int channels = espl_node_outputs(graph, node);
		struct places *places = &run->places[i];
		bool wanted = node->weights || node->kind == ESPL_NODE_BATCH_NORM ||
		              graph->values[node->output].quantizer.bits;

		*places = (struct places){-1, -1, -1, -1};
		for (int j = 0; j < node->input_count; j++)
			wanted |= run->wanted[node->inputs[j]];
		run->wanted[node->output] = wanted;
		if (node->weights) {
			places->weights = at;
			at += espl_node_weights(graph, node);
		}
		if (node->bias) {
			places->bias = at;
			at += channels;
		}
		if (node->kind == ESPL_NODE_BATCH_NORM) {
			places->gain = at;
			places->offset = at + channels;
			at += 2 * channels;
		}
		if (node->weight_bits)
			run->step_gradients[i] = ESPL_ARRAY(run->arena, float, channels);
	}
	run->gradient_count = at;
	for (int l = 0; l < RUN_LANES; l++) {
		run->lane_gradients[l] = ESPL_ARRAY(run->arena, float, at);
		run->lane_steps[l] = ESPL_ARRAY(run->arena, double, graph->value_count);
	}
	for (int v = 0; v < graph->value_count; v++)
		if (run->wanted[v] && run->data[v])
			run->gradients[v] = ESPL_ARRAY(run->arena, float,
			                               (size_t)run->batch *value_floats(run, v));
}

espl_status espl_graph_run_create(const espl_graph *graph, int batch, int threads, bool backward,
                                  espl_graph_run **out, espl_error *err)
{
	espl_arena *arena;
	espl_graph_run *run;
	espl_status status;

	assert(batch >= 1 && batch <= BATCH_MAX && threads >= 1 && threads <= THREADS_MAX);
	espl_kernels_start();
	arena = espl_arena_create();
	run = ESPL_NEW(arena, espl_graph_run);
	run->arena = arena;
	run->graph = graph;
	run->batch = batch;
	run->backward = backward;
	run->from = -1;
	run->data = ESPL_ARRAY(arena, float *, graph->value_count);
	run->raw = ESPL_ARRAY(arena, float *, graph->value_count);
	run->gradients = ESPL_ARRAY(arena, float *, graph->value_count);
	run->wanted = ESPL_ARRAY(arena, bool, graph->value_count);
	run->reached = ESPL_ARRAY(arena, bool, graph->value_count);
	run->weights = ESPL_ARRAY(arena, float *, graph->node_count);
	run->norms = ESPL_ARRAY(arena, struct norm, graph->node_count);
	run->fused = ESPL_ARRAY(arena, int, graph->node_count);
	run->done = ESPL_ARRAY(arena, bool, graph->node_count);
	run->adds = espl_arena_calloc(arena, (size_t)graph->node_count, sizeof(*run->adds));
	run->places = ESPL_ARRAY(arena, struct places, graph->node_count);
	run->step_gradients = ESPL_ARRAY(arena, float *, graph->node_count);
	run->scratch = ESPL_ARRAY(arena, float *, threads);
	fuse(run);
	make_values(run);
	make_nodes(run, threads);
	if (backward)
		make_backward(run);
	status = espl_workers_create(threads, &run->workers, err);
	if (status) {
		espl_arena_destroy(arena);
		return status;
	}
	*out = run;
	return ESPL_OK;
}

void espl_graph_run_destroy(espl_graph_run *run)
{
	if (!run)
		return;
	espl_workers_destroy(run->workers);
	espl_arena_destroy(run->arena);
}

void espl_graph_run_read(const espl_graph_run *run, int value, float *data)
{
	const espl_graph *graph = run->graph;
	const size_t floats = (size_t)run->count * value_floats(run, value);

	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];

		if (node->output != value || run->fused[i] < 0)
			continue;
		espl_scale_shift(espl_node_outputs(graph, node),
		                 floats / (size_t)espl_node_outputs(graph, node),
		                 run->data[node->inputs[0]], run->norms[i].scale,
		                 run->norms[i].shift, -INFINITY, INFINITY, data);
		return;
	}
	memcpy(data, run->data[value], floats * sizeof(*data));
}

void espl_graph_run_statistics(const espl_graph_run *run, int node, float *mean, float *variance)
{
	const struct norm *norm = &run->norms[node];
	const espl_value *value = &run->graph->values[run->graph->nodes[node].output];
	const float positions = (float)run->count * (float)value->rows * (float)value->columns;

	assert(run->training);
	for (int c = 0; c < value->channels; c++) {
		mean[c] = norm->mean[c];
		variance[c] = norm->variance[c];
		if (positions > 1)
			variance[c] *= positions / (positions - 1);
	}
}

static const float *at(const espl_graph_run *run, int64_t place)
{
	return place < 0 ? NULL : run->lane_gradients[0] + place;
}

espl_gradients espl_graph_run_gradients(const espl_graph_run *run, int node)
{
	const struct places *places = &run->places[node];

	assert(run->backward);
	return (espl_gradients){
	        .weights = at(run, places->weights),
	        .bias = at(run, places->bias),
	        .weight_steps = run->step_gradients[node],
	        .gain = at(run, places->gain),
	        .offset = at(run, places->offset),
	};
}

float espl_graph_run_step_gradient(const espl_graph_run *run, int value)
{
	assert(run->backward);
	return (float)run->lane_steps[0][value];
}

/* The gradient by a batch norm's output, when the clip behind it is done along. */
static void read_fused_gradient(const espl_graph_run *run, int i, size_t floats, float *data)
{
	const espl_node *clip = &run->graph->nodes[run->fused[i]];

	espl_clip_backward(floats, run->raw[clip->output], clip->low, clip->high,
	                   run->gradients[clip->output], data, false);
}

void espl_graph_run_read_gradient(const espl_graph_run *run, int value, float *data)
{
	const size_t floats = (size_t)run->count * value_floats(run, value);

	if (!run->reached[value]) {
		memset(data, 0, floats * sizeof(*data));
		return;
	}
	for (int i = 0; i < run->graph->node_count; i++) {
		if (run->graph->nodes[i].output != value || run->fused[i] < 0)
			continue;
		read_fused_gradient(run, i, floats, data);
		return;
	}
	memcpy(data, run->gradients[value], floats * sizeof(*data));
}
