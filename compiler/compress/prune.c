/* Makes weights zero: the least important, as the pattern ties them together.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A unit is what goes at once: one weight, a block, or one weight of each set of an
 * output channel. Units are ranked over the graph and zeroed from the least important
 * on until the graph has the zeros that are wanted.
 */
#include "compress/cells.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
	double score;    /* importance of a weight of it, within its layer; then over the graph */
	int node, order; /* order: the later goes first where scores are equal */
	int count;
	const int *index; /* of its weights */
} unit;

typedef struct {
	espl_graph *graph;
	const espl_prune_rule *rule;
	espl_arena *arena;
	int64_t total, zeros; /* weights of the graph */
	int64_t *node_zeros;  /* [node] */
	int64_t *node_most;   /* [node] zeros that it may have at most */
	unit *units;
	int count, capacity;
} pruning;

double espl_cubic(double from, double to, int64_t begin, int64_t end, int64_t step)
{
	double left;

	if (step >= end)
		return to;
	if (step <= begin)
		return from;
	left = 1 - (double)(step - begin) / (double)(end - begin);
	return to + (from - to) * left * left * left;
}

static int64_t zeros_of(const float *weights, int64_t count)
{
	int64_t zeros = 0;

	for (int64_t i = 0; i < count; i++)
		zeros += weights[i] == 0;
	return zeros;
}

espl_zeros espl_count_zeros(const espl_graph *graph)
{
	espl_zeros out = {0};

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];

		if (!espl_is_weighted(node))
			continue;
		out.weights += espl_node_weights(graph, node);
		out.zeros += zeros_of(node->weights, espl_node_weights(graph, node));
	}
	return out;
}

int64_t espl_node_zeros(const espl_graph *graph, const espl_node *node)
{
	return espl_is_weighted(node) ? zeros_of(node->weights, espl_node_weights(graph, node)) : 0;
}

/* The first convolution and, behind others, the last dense layer. */
static bool is_edge(const espl_graph *graph, int n)
{
	int first = -1, last = -1;

	for (int i = 0; i < graph->node_count; i++)
		if (espl_is_weighted(&graph->nodes[i])) {
			if (first < 0)
				first = i;
			last = i;
		}
	return (n == first && first != last && graph->nodes[n].kind == ESPL_NODE_CONV) ||
	       (n == last && first != last && graph->nodes[n].kind == ESPL_NODE_DENSE);
}

static unit *put(pruning *p, int node, int order)
{
	if (p->count == p->capacity) {
		const int capacity = p->capacity ? 2 * p->capacity : 4096;
		unit *grown = ESPL_ARRAY(p->arena, unit, capacity);

		for (int i = 0; i < p->count; i++)
			grown[i] = p->units[i];
		p->units = grown;
		p->capacity = capacity;
	}
	p->units[p->count] = (unit){.node = node, .order = order};
	return &p->units[p->count++];
}

typedef struct {
	float size;
	int index;
} ranked;

static int by_size(const void *a, const void *b)
{
	const ranked *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

/* A cell's weights, the greatest first. */
static void sort_cell(const espl_cells *cells, int cell, const float *weights, ranked *out)
{
	const int first = cells->first[cell], count = cells->first[cell + 1] - first;

	for (int i = 0; i < count; i++)
		out[i] = (ranked){fabsf(weights[cells->index[first + i]]), cells->index[first + i]};
	qsort(out, (size_t)count, sizeof(*out), by_size);
}

static void set_score(unit *u, const float *weights)
{
	double sum = 0;

	for (int i = 0; i < u->count; i++)
		sum += (double)weights[u->index[i]] * weights[u->index[i]];
	u->score = sum / u->count;
}

static void put_blocks(pruning *p, int n, const espl_cells *cells)
{
	for (int c = 0; c < cells->count; c++) {
		unit *u = put(p, n, c);

		u->index = cells->index + cells->first[c];
		u->count = cells->first[c + 1] - cells->first[c];
		set_score(u, p->graph->nodes[n].weights);
	}
}

/* Every weight but the `keep` greatest of a cell. */
static void put_singles(pruning *p, int n, const espl_cells *cells, int keep)
{
	const float *weights = p->graph->nodes[n].weights;

	for (int c = 0; c < cells->count; c++) {
		const int first = cells->first[c], count = cells->first[c + 1] - first;
		ranked *sorted = ESPL_ARRAY(p->arena, ranked, count);

		sort_cell(cells, c, weights, sorted);
		for (int i = keep; i < count; i++) {
			unit *u = put(p, n, first + i);

			u->index = &sorted[i].index;
			u->count = 1;
			set_score(u, weights);
		}
	}
}

/* The r-th greatest of each of `across` cells, as one. The least go first, so that cells of one
 * size have equally many weights left, and the greatest cell never more than the others. */
static void put_rows(pruning *p, int n, const espl_cells *cells)
{
	const float *weights = p->graph->nodes[n].weights;

	for (int base = 0; base < cells->count; base += cells->across) {
		const int size = cells->first[base + cells->across] - cells->first[base];
		ranked **sorted = ESPL_ARRAY(p->arena, ranked *, cells->across);
		int longest = 0;
		double above = INFINITY;

		for (int c = 0; c < cells->across; c++) {
			const int count = cells->first[base + c + 1] - cells->first[base + c];

			sorted[c] = ESPL_ARRAY(p->arena, ranked, count);
			sort_cell(cells, base + c, weights, sorted[c]);
			longest = count > longest ? count : longest;
		}
		for (int r = 0; r < longest; r++) {
			unit *u = put(p, n, cells->first[base] + r);
			int *index = ESPL_ARRAY(p->arena, int,
			                        size < cells->across ? size : cells->across);

			for (int c = 0; c < cells->across; c++)
				if (cells->first[base + c] + r < cells->first[base + c + 1])
					index[u->count++] = sorted[c][r].index;
			u->index = index;
			set_score(u, weights);
			u->score = above = u->score < above ? u->score : above;
		}
	}
}

static int by_score(const void *a, const void *b)
{
	const unit *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return x->order > y->order ? -1 : 1;
}

/* How often an image uses each weight: what a non-zero costs in cycles. */
static double uses(const espl_graph *graph, const espl_node *node)
{
	const espl_value *out = &graph->values[node->output];

	return node->kind == ESPL_NODE_DENSE ? 1 : (double)out->rows * out->columns;
}

/* Turns the scores of a layer's units into scores over the graph. Layers' weights differ in size
 * for no reason (batch norm undoes it): a unit counts by its share of what is left of its layer
 * when all lesser units are gone, so that no layer is emptied before the others. */
static void rank_layer(pruning *p, int n, int first)
{
	const int count = p->count - first;
	const double cost =
	        p->rule->rank == ESPL_RANK_CYCLES ? uses(p->graph, &p->graph->nodes[n]) : 1;
	double left = 0;

	qsort(p->units + first, (size_t)count, sizeof(*p->units), by_score);
	for (int i = p->count - 1; i >= first; i--) {
		unit *u = &p->units[i];
		const bool empty = u->score == 0;

		left += u->score * u->count;
		if (p->rule->rank != ESPL_RANK_LAYER)
			u->score = left > 0 ? u->score / left / cost : 0;
		else
			u->score = empty ? 0 : (i - first + 1.0) / count;
	}
}

static void list_units(pruning *p)
{
	const espl_pattern *pattern = &p->rule->pattern;

	for (int n = 0; n < p->graph->node_count; n++) {
		const int first = p->count;
		espl_cells cells;

		if (!p->node_most[n])
			continue;
		cells = espl_cells_of(p->graph, &p->graph->nodes[n], pattern, p->arena);
		if (pattern->kind == ESPL_PATTERN_BLOCKS)
			put_blocks(p, n, &cells);
		else if (pattern->kind == ESPL_PATTERN_BALANCED)
			put_rows(p, n, &cells);
		else
			put_singles(p, n, &cells,
			            pattern->kind == ESPL_PATTERN_N_OF_M ? pattern->keep : 0);
		rank_layer(p, n, first);
	}
	qsort(p->units, (size_t)p->count, sizeof(*p->units), by_score);
}

/* Zeros that a layer has at most when all its groups keep N of M. */
static int64_t group_zeros(const pruning *p, const espl_node *node)
{
	const espl_cells cells = espl_cells_of(p->graph, node, &p->rule->pattern, p->arena);
	int64_t zeros = 0;

	for (int c = 0; c < cells.count; c++) {
		const int size = cells.first[c + 1] - cells.first[c];

		zeros += size > p->rule->pattern.keep ? size - p->rule->pattern.keep : 0;
	}
	return zeros;
}

/* Of every layer a weight stays at least. N:M holds in all groups of a layer or in none. */
static void set_limits(pruning *p)
{
	p->node_zeros = ESPL_ARRAY(p->arena, int64_t, p->graph->node_count);
	p->node_most = ESPL_ARRAY(p->arena, int64_t, p->graph->node_count);
	for (int n = 0; n < p->graph->node_count; n++) {
		const espl_node *node = &p->graph->nodes[n];
		const int64_t weights =
		        espl_is_weighted(node) ? espl_node_weights(p->graph, node) : 0;
		int64_t most = weights - 1;

		if (!weights)
			continue;
		p->total += weights;
		p->node_zeros[n] = zeros_of(node->weights, weights);
		p->zeros += p->node_zeros[n];
		if (is_edge(p->graph, n))
			most = (int64_t)floor(p->rule->edges * (double)weights);
		if (p->rule->pattern.kind == ESPL_PATTERN_N_OF_M) {
			const int64_t zeros = group_zeros(p, node);

			most = zeros <= most ? zeros : 0;
		}
		p->node_most[n] = most > 0 ? most : 0;
	}
}

static espl_status check_rule(const espl_prune_rule *rule, espl_error *err)
{
	if (rule->pattern.kind == ESPL_PATTERN_CHANNELS)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "whole channels are not zeroed one by one: see "
		                 "espl_prune_channels");
	if (!(rule->edges >= 0 && rule->edges <= 1))
		return espl_fail(err, ESPL_RANGE,
		                 "%g of the first and last layer's weights: 0 to 1 is possible",
		                 rule->edges);
	return ESPL_OK;
}

static int nonzeros_of(const unit *u, const float *weights)
{
	int count = 0;

	for (int i = 0; i < u->count; i++)
		count += weights[u->index[i]] != 0;
	return count;
}

static void zero_units(pruning *p, int64_t wanted)
{
	for (int i = 0; i < p->count && p->zeros < wanted; i++) {
		const unit *u = &p->units[i];
		float *weights = p->graph->nodes[u->node].weights;
		const int more = nonzeros_of(u, weights);

		if (p->node_zeros[u->node] + more > p->node_most[u->node])
			continue;
		if (p->zeros + more - wanted > wanted - p->zeros)
			break; /* fewer zeros than wanted are nearer */
		for (int w = 0; w < u->count; w++)
			weights[u->index[w]] = 0;
		p->zeros += more;
		p->node_zeros[u->node] += more;
	}
}

espl_status espl_prune_limit(const espl_graph *graph, const espl_prune_rule *rule, double *share,
                             espl_error *err)
{
	pruning p = {.graph = (espl_graph *)graph, .rule = rule};
	int64_t zeros = 0;

	ESPL_TRY(check_rule(rule, err));
	p.arena = espl_arena_create();
	set_limits(&p);
	for (int n = 0; n < graph->node_count; n++)
		zeros += p.node_zeros[n] > p.node_most[n] ? p.node_zeros[n] : p.node_most[n];
	*share = p.total ? (double)zeros / (double)p.total : 0;
	espl_arena_destroy(p.arena);
	return ESPL_OK;
}

espl_status espl_prune(espl_graph *graph, const espl_prune_rule *rule, double sparsity,
                       espl_error *err)
{
	pruning p = {.graph = graph, .rule = rule};
	espl_status status = ESPL_OK;
	double most;
	int64_t wanted;

	ESPL_TRY(espl_prune_limit(graph, rule, &most, err));
	if (!(sparsity >= 0 && sparsity < 1))
		return espl_fail(err, ESPL_RANGE, "sparsity %g: 0 to less than 1 is possible",
		                 sparsity);
	p.arena = espl_arena_create();
	set_limits(&p);
	wanted = llround(sparsity * (double)p.total);
	if ((double)wanted > most * (double)p.total + 0.5) {
		status = espl_fail(err, ESPL_RANGE,
		                   "sparsity %g: the pattern leaves at most %.4f zeros, with at "
		                   "most %g of the first and last layer's; ask for fewer",
		                   sparsity, most, rule->edges);
		goto out;
	}
	list_units(&p);
	zero_units(&p, wanted);
out:
	espl_arena_destroy(p.arena);
	return status;
}
