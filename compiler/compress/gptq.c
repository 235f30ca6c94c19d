/* Weights rounded one column after another, the rest making up for it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rounding a weight makes an error in every sum; the weights that are still free
 * move so that the sums on the samples change least. How they must move is in the
 * inverse of the second moments of the layer's inputs.
 */
#include "compress/calibrate.h"

#include "compress/observe.h"
#include "compress/roles.h"
#include "math/inverse.h"
#include "math/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double damping = 0.01;       /* share of the mean diagonal that is added to it */
static const float near_zero = 1.0f / 16; /* of a step: what an unpruned 0 becomes */

/* A layer as independent groups of rows: the outputs of a group read the same columns. */
typedef struct {
	const espl_graph *graph;
	const espl_node *node;
	int groups, rows, columns, depth; /* of a group; depth: its input channels */
	float *moments;                   /* [groups][columns][columns] */
	float *matrix;                    /* [positions][columns] */
} layer;

static int positions_of(const espl_graph *graph, const espl_node *node)
{
	const espl_value *out = &graph->values[node->output];

	return node->kind == ESPL_NODE_DENSE ? 1 : out->rows * out->columns;
}

static layer layer_of(const espl_graph *graph, const espl_node *node, espl_arena *arena)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const int out = espl_node_outputs(graph, node);
	layer l = {.graph = graph, .node = node};

	l.groups = node->kind == ESPL_NODE_DEPTHWISE ? in->channels
	           : node->kind == ESPL_NODE_CONV    ? node->groups
	                                             : 1;
	l.rows = out / l.groups;
	l.columns = (int)(espl_node_weights(graph, node) / out);
	l.depth = in->channels / l.groups;
	l.moments = ESPL_ARRAY(arena, float, (int64_t)l.groups *l.columns *l.columns);
	l.matrix = ESPL_ARRAY(arena, float, (int64_t)positions_of(graph, node) * l.columns);
	return l;
}

/* What the kernel covers at one position of the output, of one group's channels. */
static void gather(const layer *l, const float *data, int group, int row, int column, float *to)
{
	const espl_node *node = l->node;
	const espl_value *in = &l->graph->values[node->inputs[0]];

	for (int i = 0; i < node->kernel_rows; i++)
		for (int j = 0; j < node->kernel_columns; j++, to += l->depth) {
			const int y =
			        row * node->stride_rows - node->pad_top + i * node->dilation_rows;
			const int x = column * node->stride_columns - node->pad_left +
			              j * node->dilation_columns;

			if (y < 0 || y >= in->rows || x < 0 || x >= in->columns)
				memset(to, 0, (size_t)l->depth * sizeof(*to));
			else
				memcpy(to,
				       data + ((int64_t)y * in->columns + x) * in->channels +
				               group * l->depth,
				       (size_t)l->depth * sizeof(*to));
		}
}

static void add_moments(void *user, int value, int count, const float *data)
{
	const layer *l = user;
	const espl_value *in = &l->graph->values[value];
	const espl_value *out = &l->graph->values[l->node->output];
	const int elements = espl_value_elements(in);
	const int positions = positions_of(l->graph, l->node);

	if (l->node->kind == ESPL_NODE_DENSE) {
		espl_gemm(true, false, l->columns, l->columns, count, data, l->columns, data,
		          l->columns, 1, l->moments, l->columns);
		return;
	}
	for (int s = 0; s < count; s++, data += elements)
		for (int g = 0; g < l->groups; g++) {
			for (int p = 0; p < positions; p++)
				gather(l, data, g, p / out->columns, p % out->columns,
				       l->matrix + (int64_t)p * l->columns);
			espl_gemm(true, false, l->columns, l->columns, positions, l->matrix,
			          l->columns, l->matrix, l->columns, 1,
			          l->moments + (int64_t)g * l->columns * l->columns, l->columns);
		}
}

typedef struct {
	double moment;
	int column;
} rank;

/* The greatest moment first; equal ones in their order. */
static int compare_ranks(const void *a, const void *b)
{
	const rank *x = a, *y = b;

	if (x->moment != y->moment)
		return x->moment < y->moment ? 1 : -1;
	return x->column - y->column;
}

/* The columns by falling moment, and the moments in that order, damped. */
static void sort_columns(int columns, const double *moments, rank *order, double *sorted)
{
	double mean = 0;

	for (int i = 0; i < columns; i++) {
		order[i] = (rank){moments[(int64_t)i * columns + i], i};
		mean += order[i].moment / columns;
	}
	qsort(order, (size_t)columns, sizeof(*order), compare_ranks);
	for (int i = 0; i < columns; i++)
		for (int j = 0; j < columns; j++)
			sorted[(int64_t)i * columns + j] =
			        moments[(int64_t)order[i].column * columns + order[j].column];
	for (int i = 0; i < columns; i++)
		sorted[(int64_t)i * columns + i] += mean > 0 ? damping * mean : 1;
}

/* w: the row's weights in the order of `u`; pruned ones stay 0. */
static void round_row(int columns, int bits, float step, const double *u, double *w,
                      const bool *pruned, float *rounded)
{
	for (int i = 0; i < columns; i++) {
		const double *u_row = u + (int64_t)i * columns;
		const int32_t q = pruned[i] ? 0 : espl_store_weight((float)w[i], step, bits);
		const double error = (w[i] - (double)q * (double)step) / u_row[i];

		rounded[i] = (float)q * step;
		if (!q && !pruned[i])
			rounded[i] = w[i] < 0 ? -near_zero * step : near_zero * step;
		for (int j = i + 1; j < columns; j++)
			w[j] -= error * u_row[j];
	}
}

void espl_gptq_round(int rows, int columns, int bits, const float *steps, double *moments,
                     float *weights)
{
	espl_arena *scratch = espl_arena_create();
	double *u = ESPL_ARRAY(scratch, double, (int64_t)columns *columns);
	rank *order = ESPL_ARRAY(scratch, rank, columns);
	double *w = ESPL_ARRAY(scratch, double, columns);
	bool *pruned = ESPL_ARRAY(scratch, bool, columns);
	float *rounded = ESPL_ARRAY(scratch, float, columns);

	sort_columns(columns, moments, order, u);
	if (espl_inverse_factor(columns, u)) /* damped, so it is only ever refused for infinities */
		for (int r = 0; r < rows; r++) {
			float *row = weights + (int64_t)r * columns;

			for (int i = 0; i < columns; i++) {
				w[i] = (double)row[order[i].column];
				pruned[i] = row[order[i].column] == 0;
			}
			round_row(columns, bits, steps[r], u, w, pruned, rounded);
			for (int i = 0; i < columns; i++)
				row[order[i].column] = rounded[i];
		}
	espl_arena_destroy(scratch);
}

/* Rounds the rows of one group; depthwise weights lie the other way round. */
static void round_group(const layer *l, espl_node *node, int group, espl_arena *scratch)
{
	const int out = espl_node_outputs(l->graph, node), first = group * l->rows;
	const int64_t square = (int64_t)l->columns * l->columns;
	double *moments = ESPL_ARRAY(scratch, double, square);
	float *rows = ESPL_ARRAY(scratch, float, (int64_t)l->rows * l->columns);
	const bool across = node->kind == ESPL_NODE_DEPTHWISE;

	for (int64_t i = 0; i < square; i++)
		moments[i] = (double)l->moments[group * square + i];
	for (int r = 0; r < l->rows; r++)
		for (int i = 0; i < l->columns; i++)
			rows[r * l->columns + i] =
			        across ? node->weights[i * out + first + r]
			               : node->weights[(int64_t)(first + r) * l->columns + i];
	espl_gptq_round(l->rows, l->columns, node->weight_bits, node->weight_steps + first, moments,
	                rows);
	for (int r = 0; r < l->rows; r++)
		for (int i = 0; i < l->columns; i++)
			*(across ? &node->weights[i * out + first + r]
			         : &node->weights[(int64_t)(first + r) * l->columns + i]) =
			        rows[r * l->columns + i];
}

espl_status espl_gptq(espl_graph *graph, const float *inputs, int count, int threads,
                      espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_mark empty = espl_arena_mark(scratch);
	espl_status status = ESPL_OK;

	for (int n = 0; n < graph->node_count && status == ESPL_OK; n++) {
		espl_node *node = &graph->nodes[n];
		bool *wanted;
		layer l;

		if (!espl_has_weights(node->kind) || !node->weight_bits)
			continue;
		wanted = ESPL_ARRAY(scratch, bool, graph->value_count);
		wanted[node->inputs[0]] = true;
		l = layer_of(graph, node, scratch);
		status = espl_observe(graph, inputs, count, threads, wanted, add_moments, &l, err);
		for (int g = 0; g < l.groups && status == ESPL_OK; g++)
			round_group(&l, node, g, scratch);
		espl_arena_release(scratch, empty);
	}
	espl_arena_destroy(scratch);
	return status;
}
