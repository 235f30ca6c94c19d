/* The bits of every layer, chosen by what they lose and what they cost.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a layer loses at so many bits is measured: how far the outputs move when
 * nothing but its weights is rounded. The losses are taken to add up, and the
 * choice within the budget is then exact.
 */
#include "compress/quantize.h"

#include "compress/calibrate.h"
#include "compress/observe.h"
#include "compress/roles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BITS_LEAST = 2, BITS_MOST = 8, BITS_COUNT = BITS_MOST - BITS_LEAST + 1 };

/* -- the choice
 * ---------------------------------------------------------------------------------- */

/* A sum of choices that no other beats in both cost and loss. */
typedef struct {
	int64_t cost;
	double loss;
	int before, choice; /* the state that it adds a choice to */
} state;

static int compare_states(const void *a, const void *b)
{
	const state *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	if (x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	if (x->before != y->before)
		return x->before - y->before;
	return x->choice - y->choice;
}

/* All sums of a state and a choice that the rest of the budget allows, the beaten ones dropped. */
static int extend(const state *from, int from_count, const espl_choice *choices, int count,
                  int64_t budget, state *to)
{
	double least = INFINITY;
	int made = 0, kept = 0;

	for (int s = 0; s < from_count; s++)
		for (int c = 0; c < count; c++)
			if (from[s].cost + choices[c].cost <= budget)
				to[made++] = (state){from[s].cost + choices[c].cost,
				                     from[s].loss + choices[c].loss, s, c};
	qsort(to, (size_t)made, sizeof(*to), compare_states);
	for (int i = 0; i < made; i++)
		if (to[i].loss < least) {
			least = to[i].loss;
			to[kept++] = to[i];
		}
	return kept;
}

static int64_t cheapest(const espl_choice *choices, int count)
{
	int64_t least = choices[0].cost;

	for (int c = 1; c < count; c++)
		least = choices[c].cost < least ? choices[c].cost : least;
	return least;
}

espl_status espl_choose(int items, int count, const espl_choice *choices, int64_t budget,
                        int *chosen, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	state **states = ESPL_ARRAY(scratch, state *, items + 1), *best;
	int *counts = ESPL_ARRAY(scratch, int, items + 1);
	int64_t rest = 0; /* what the items to come cost at least */
	espl_status status = ESPL_OK;

	for (int i = 0; i < items; i++)
		rest += cheapest(choices + (int64_t)i * count, count);
	if (rest > budget) {
		status = espl_fail(err, ESPL_BUDGET,
		                   "%lld bytes at least are needed, the budget is %lld",
		                   (long long)rest, (long long)budget);
		goto out;
	}
	states[0] = ESPL_NEW(scratch, state);
	counts[0] = 1;
	for (int i = 0; i < items; i++) {
		const espl_choice *mine = choices + (int64_t)i * count;

		rest -= cheapest(mine, count);
		states[i + 1] = ESPL_ARRAY(scratch, state, (int64_t)counts[i] * count);
		counts[i + 1] =
		        extend(states[i], counts[i], mine, count, budget - rest, states[i + 1]);
	}
	best = &states[items][counts[items] - 1]; /* losses fall as costs rise */
	for (int i = items; i > 0; i--) {
		chosen[i - 1] = best->choice;
		best = &states[i - 1][best->before];
	}
out:
	espl_arena_destroy(scratch);
	return status;
}

/* -- what layers lose
 * ---------------------------------------------------------------------------- */

typedef struct {
	int classes;
	float *next; /* where the next samples' logits go */
} keeper;

static void keep(void *user, int value, int count, const float *data)
{
	keeper *k = user;

	(void)value;
	memcpy(k->next, data, (size_t)count * (size_t)k->classes * sizeof(*data));
	k->next += (int64_t)count * k->classes;
}

static espl_status predict(const espl_graph *graph, const float *inputs, int count, int threads,
                           float *logits, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	bool *wanted = ESPL_ARRAY(scratch, bool, graph->value_count);
	const int value = espl_graph_logits(graph);
	keeper k = {espl_value_elements(&graph->values[value]), logits};
	espl_status status;

	wanted[value] = true;
	status = espl_observe(graph, inputs, count, threads, wanted, keep, &k, err);
	espl_arena_destroy(scratch);
	return status;
}

/* log(sum(exp(x))) */
static double log_sum(const float *x, int count)
{
	double most = (double)x[0], sum = 0;

	for (int i = 1; i < count; i++)
		most = fmax(most, (double)x[i]);
	for (int i = 0; i < count; i++)
		sum += exp((double)x[i] - most);
	return most + log(sum);
}

double espl_divergence(const float *logits, const float *others, int count, int classes)
{
	double total = 0;

	for (int s = 0; s < count; s++, logits += classes, others += classes) {
		const double a = log_sum(logits, classes), b = log_sum(others, classes);

		for (int c = 0; c < classes; c++) {
			const double log_p = (double)logits[c] - a, log_q = (double)others[c] - b;

			total += exp(log_p) * (log_p - log_q);
		}
	}
	return total / count;
}

/* The bytes of a layer whose weights have steps: 9 an output channel for bias and scale. */
static int64_t layer_bytes(const espl_graph *graph, const espl_node *node)
{
	const int64_t count = espl_node_weights(graph, node);
	espl_arena *scratch = espl_arena_create();
	int8_t *stored = ESPL_ARRAY(scratch, int8_t, count);
	int64_t bytes;

	for (int64_t i = 0; i < count; i++)
		stored[i] = (int8_t)espl_store_weight(
		        node->weights[i], node->weight_steps[espl_weight_channel(graph, node, i)],
		        node->weight_bits);
	bytes = espl_weights_bytes(stored, count, node->weight_bits) +
	        9 * (int64_t)espl_node_outputs(graph, node);
	espl_arena_destroy(scratch);
	return bytes;
}

typedef struct {
	const espl_graph *graph;
	const float *inputs, *logits; /* of the samples, as they should be */
	int count, classes;
	const espl_quantize_options *options;
} measure;

/* Loss and cost of one layer with so many bits, all else in float. */
static espl_status try_bits(const measure *m, const espl_graph *steps, int node,
                            espl_choice *choice, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_graph *graph = espl_graph_copy(m->graph, scratch);
	float *logits = ESPL_ARRAY(scratch, float, (int64_t)m->count * m->classes);
	espl_status status;

	graph->nodes[node].weight_bits = steps->nodes[node].weight_bits;
	graph->nodes[node].weight_steps = steps->nodes[node].weight_steps;
	status = predict(graph, m->inputs, m->count, m->options->threads, logits, err);
	choice->loss = fmax(0, espl_divergence(m->logits, logits, m->count, m->classes));
	choice->cost = layer_bytes(steps, &steps->nodes[node]);
	espl_arena_destroy(scratch);
	return status;
}

/* choices[layer][bits - BITS_LEAST]; a layer that the user gives bits to has those at every
 * place. */
static espl_status measure_all(const measure *m, const int *layers, int layer_count,
                               espl_choice *choices, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_status status = ESPL_OK;

	for (int bits = BITS_LEAST; bits <= BITS_MOST && status == ESPL_OK; bits++) {
		espl_graph *steps = espl_graph_copy(m->graph, scratch);
		espl_quantize_options options = *m->options;

		options.weight_bits = bits;
		espl_calibrate_weights(steps, &options, scratch);
		for (int l = 0; l < layer_count && status == ESPL_OK; l++)
			status = try_bits(m, steps, layers[l],
			                  &choices[l * BITS_COUNT + bits - BITS_LEAST], err);
	}
	espl_arena_destroy(scratch);
	return status;
}

static bool is_given(const espl_quantize_options *options, const char *name)
{
	for (int i = 0; i < options->layer_count; i++)
		if (!strcmp(options->layers[i].name, name) && options->layers[i].weight_bits)
			return true;
	return false;
}

/* The user's layers, then the chosen ones. */
static void list_layers(const measure *m, const int *layers, int layer_count, const int *chosen,
                        espl_arena *arena, espl_layer_bits **out, int *count)
{
	espl_layer_bits *list =
	        ESPL_ARRAY(arena, espl_layer_bits, layer_count + m->options->layer_count);

	int listed = 0; /* *count may be the caller's options' own */

	for (int i = 0; i < m->options->layer_count; i++)
		list[listed++] = m->options->layers[i];
	for (int l = 0; l < layer_count; l++)
		if (!is_given(m->options, m->graph->nodes[layers[l]].name))
			list[listed++] = (espl_layer_bits){
			        .name = espl_arena_string(arena, m->graph->nodes[layers[l]].name),
			        .weight_bits = chosen[l] + BITS_LEAST};
	*out = list;
	*count = listed;
}

espl_status espl_choose_bits(const espl_graph *graph, const espl_samples *samples,
                             const espl_quantize_options *options, int64_t budget,
                             espl_arena *arena, espl_layer_bits **out, int *out_count,
                             espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	measure m = {.options = options, .count = options->samples};
	int *layers = ESPL_ARRAY(scratch, int, graph->node_count), layer_count = 0, *chosen;
	espl_choice *choices;
	float *logits;
	espl_status status;

	m.graph = espl_fold(espl_float_graph(graph, scratch), false, scratch);
	m.inputs = espl_draw_samples(samples, &m.count, options->seed, scratch);
	m.classes = espl_value_elements(&m.graph->values[espl_graph_logits(m.graph)]);
	m.logits = logits = ESPL_ARRAY(scratch, float, (int64_t)m.count *m.classes);
	for (int n = 0; n < m.graph->node_count; n++)
		if (espl_has_weights(m.graph->nodes[n].kind))
			layers[layer_count++] = n;
	choices = ESPL_ARRAY(scratch, espl_choice, layer_count * BITS_COUNT);
	chosen = ESPL_ARRAY(scratch, int, layer_count);
	status = predict(m.graph, m.inputs, m.count, options->threads, logits, err);
	if (status == ESPL_OK)
		status = measure_all(&m, layers, layer_count, choices, err);
	if (status == ESPL_OK)
		status = espl_choose(layer_count, BITS_COUNT, choices, budget, chosen, err);
	if (status == ESPL_OK)
		list_layers(&m, layers, layer_count, chosen, arena, out, out_count);
	espl_arena_destroy(scratch);
	return status;
}
