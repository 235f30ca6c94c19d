/* Patterns of zeros: their text, and the weights that they tie together.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/cells.h"

#include <stdio.h>
#include <string.h>

/* A layer's weights as [outputs][taps][inputs]: strides into the array. */
typedef struct {
	int outputs, taps, inputs;
	int output_stride, tap_stride, input_stride;
	int input_channels; /* of the tensor that is read, over all groups */
} geometry;

bool espl_is_weighted(const espl_node *node)
{
	return node->kind == ESPL_NODE_CONV || node->kind == ESPL_NODE_DEPTHWISE ||
	       node->kind == ESPL_NODE_DENSE;
}

static geometry geometry_of(const espl_graph *graph, const espl_node *node)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	geometry g = {.outputs = graph->values[node->output].channels,
	              .taps = node->kernel_rows * node->kernel_columns,
	              .input_channels = in->channels};

	if (node->kind == ESPL_NODE_DEPTHWISE) { /* the reduction runs over the taps */
		g.inputs = g.taps;
		g.taps = 1;
		g.output_stride = 1;
		g.input_stride = g.outputs;
		return g;
	}
	if (node->kind == ESPL_NODE_DENSE) {
		g.taps = 1;
		g.inputs = espl_value_elements(in);
	} else {
		g.inputs = in->channels / node->groups;
	}
	g.input_stride = 1;
	g.tap_stride = g.inputs;
	g.output_stride = g.taps * g.inputs;
	return g;
}

static int at(const geometry *g, int output, int tap, int input)
{
	return output * g->output_stride + tap * g->tap_stride + input * g->input_stride;
}

static espl_cells begin(int cells, int64_t weights, int across, espl_arena *arena)
{
	return (espl_cells){
	        .across = across,
	        .first = ESPL_ARRAY(arena, int, cells + 1),
	        .index = ESPL_ARRAY(arena, int, weights),
	};
}

static void add(espl_cells *cells, int index)
{
	cells->index[cells->first[cells->count + 1]++] = index;
}

static void next(espl_cells *cells)
{
	const int end = cells->first[++cells->count];

	cells->first[cells->count + 1] = end;
}

static espl_cells groups_of(const geometry *g, int size, int64_t weights, espl_arena *arena)
{
	const int per_tap = (g->inputs + size - 1) / size;
	espl_cells out = begin(g->outputs * g->taps * per_tap + 1, weights, 1, arena);

	for (int o = 0; o < g->outputs; o++)
		for (int k = 0; k < g->taps; k++)
			for (int c = 0; c < g->inputs; c++) {
				add(&out, at(g, o, k, c));
				if ((c + 1) % size == 0 || c + 1 == g->inputs)
					next(&out);
			}
	return out;
}

/* The set of a weight. An engine deals channel c to split c mod splits, where it may; the taps
 * of an image of few channels it deals one by one. */
static int set_of(const geometry *g, const espl_node *node, int splits, int o, int k, int c)
{
	const int group = node->kind == ESPL_NODE_CONV ? o / (g->outputs / node->groups) : 0;

	if (node->kind == ESPL_NODE_CONV && g->input_channels < splits)
		return (k * g->inputs + c) % splits;
	return (group * g->inputs + c) % splits;
}

static espl_cells sets_of(const espl_node *node, const geometry *g, int splits, int64_t weights,
                          espl_arena *arena)
{
	espl_cells out = begin(g->outputs * splits + 1, weights, splits, arena);

	for (int o = 0; o < g->outputs; o++)
		for (int s = 0; s < splits; s++) {
			for (int k = 0; k < g->taps; k++)
				for (int c = 0; c < g->inputs; c++)
					if (set_of(g, node, splits, o, k, c) == s)
						add(&out, at(g, o, k, c));
			next(&out);
		}
	return out;
}

/* Every channel of a depthwise layer is a cell, and all of them go together. */
static espl_cells channels_of(const geometry *g, int64_t weights, espl_arena *arena)
{
	espl_cells out = begin(g->outputs + 1, weights, g->outputs, arena);

	for (int o = 0; o < g->outputs; o++) {
		for (int c = 0; c < g->inputs; c++)
			add(&out, at(g, o, 0, c));
		next(&out);
	}
	return out;
}

static espl_cells blocks_of(const geometry *g, int rows, int columns, int64_t weights,
                            espl_arena *arena)
{
	const int most =
	        ((g->outputs + rows - 1) / rows) * g->taps * ((g->inputs + columns - 1) / columns);
	espl_cells out = begin(most + 1, weights, 1, arena);

	for (int o = 0; o < g->outputs; o += rows)
		for (int k = 0; k < g->taps; k++)
			for (int c = 0; c < g->inputs; c += columns) {
				for (int i = o; i < o + rows && i < g->outputs; i++)
					for (int j = c; j < c + columns && j < g->inputs; j++)
						add(&out, at(g, i, k, j));
				next(&out);
			}
	return out;
}

espl_cells espl_cells_of(const espl_graph *graph, const espl_node *node,
                         const espl_pattern *pattern, espl_arena *arena)
{
	const geometry g = geometry_of(graph, node);
	const int64_t weights = espl_node_weights(graph, node);
	espl_cells all;

	if (pattern->kind == ESPL_PATTERN_N_OF_M)
		return groups_of(&g, pattern->group, weights, arena);
	if (pattern->kind == ESPL_PATTERN_BLOCKS)
		return blocks_of(&g, pattern->rows, pattern->columns, weights, arena);
	if (pattern->kind == ESPL_PATTERN_BALANCED && node->kind == ESPL_NODE_DEPTHWISE)
		return channels_of(&g, weights, arena);
	if (pattern->kind == ESPL_PATTERN_BALANCED)
		return sets_of(node, &g, pattern->splits, weights, arena);
	all = begin(2, weights, 1, arena);
	for (int i = 0; i < weights; i++)
		add(&all, i);
	next(&all);
	return all;
}

static bool two_numbers(const char *text, const char *format, int *first, int *second)
{
	char rest;

	return sscanf(text, format, first, second, &rest) == 2 && *first >= 1 && *second >= 1 &&
	       *first <= 4096 && *second <= 4096;
}

espl_status espl_pattern_parse(const char *text, espl_pattern *out, espl_error *err)
{
	espl_pattern p = {0};
	int unused = 1;
	char rest;

	if (!strcmp(text, "unstructured"))
		p.kind = ESPL_PATTERN_UNSTRUCTURED;
	else if (!strcmp(text, "channels")) {
		p.kind = ESPL_PATTERN_CHANNELS;
		p.multiple = 1;
	} else if (sscanf(text, "channels:%d%c", &p.multiple, &rest) == 1 && p.multiple >= 1 &&
	           p.multiple <= 4096)
		p.kind = ESPL_PATTERN_CHANNELS;
	else if (sscanf(text, "balanced:%d%c", &p.splits, &rest) == 1 && p.splits >= 1 &&
	         p.splits <= 64)
		p.kind = ESPL_PATTERN_BALANCED;
	else if (two_numbers(text, "blocks:%dx%d%c", &p.rows, &p.columns))
		p.kind = ESPL_PATTERN_BLOCKS;
	else if (two_numbers(text, "%d:%d%c", &p.keep, &p.group) && p.keep < p.group)
		p.kind = ESPL_PATTERN_N_OF_M;
	else
		unused = 0;
	if (!unused)
		return espl_fail(err, ESPL_USAGE,
		                 "pattern %s: unstructured, N:M (N < M), balanced:SPLITS, "
		                 "blocks:ROWSxCOLUMNS, channels or channels:MULTIPLE is wanted",
		                 text);
	*out = p;
	return ESPL_OK;
}

const char *espl_pattern_text(const espl_pattern *pattern, espl_arena *arena)
{
	switch (pattern->kind) {
	case ESPL_PATTERN_N_OF_M:
		return espl_arena_format(arena, "%d:%d", pattern->keep, pattern->group);
	case ESPL_PATTERN_BALANCED:
		return espl_arena_format(arena, "balanced:%d", pattern->splits);
	case ESPL_PATTERN_BLOCKS:
		return espl_arena_format(arena, "blocks:%dx%d", pattern->rows, pattern->columns);
	case ESPL_PATTERN_CHANNELS:
		return pattern->multiple > 1
		               ? espl_arena_format(arena, "channels:%d", pattern->multiple)
		               : "channels";
	default:
		return "unstructured";
	}
}
