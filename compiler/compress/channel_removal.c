/* Whole channels: which go together, which matter least, and the graph without them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A channel may go when nothing reads it: every convolution and dense layer that takes
 * it as an input has only zeros for it. What lies between producer and reader works
 * channel by channel, so the channel goes from all of that as well.
 */
#include "compress/cells.h"

#include "base/union_find.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reads channels through weights, which may be zero. */
static bool weighs_channels(const espl_node *node)
{
	return (node->kind == ESPL_NODE_CONV && node->groups == 1) || node->kind == ESPL_NODE_DENSE;
}

static void tie_elements(const espl_graph *graph, const espl_node *node, const int *first,
                         int *parent)
{
	const espl_value *in = &graph->values[node->inputs[0]];
	const espl_value *out = &graph->values[node->output];

	for (int e = 0; e < espl_value_elements(in); e++)
		espl_set_unite(parent, first[node->inputs[0]] + e % in->channels,
		               first[node->output] + e % out->channels);
}

/* The inputs' channels to the output's. */
static void tie(const espl_graph *graph, const espl_node *node, const int *first, int *parent)
{
	const int channels = graph->values[node->output].channels;
	int at = 0;

	if (weighs_channels(node) || node->kind == ESPL_NODE_CONV ||
	    node->kind == ESPL_NODE_SOFTMAX)
		return;
	if (node->kind == ESPL_NODE_RESHAPE) {
		tie_elements(graph, node, first, parent);
		return;
	}
	for (int i = 0; i < node->input_count; i++) {
		const int in = graph->values[node->inputs[i]].channels;

		if (node->kind == ESPL_NODE_CONCAT)
			for (int c = 0; c < in; c++)
				espl_set_unite(parent, first[node->inputs[i]] + c,
				               first[node->output] + at++);
		else if (node->kind == ESPL_NODE_DEPTHWISE)
			for (int c = 0; c < channels; c++)
				espl_set_unite(parent,
				               first[node->inputs[i]] + c / node->depth_multiplier,
				               first[node->output] + c);
		else
			for (int c = 0; c < channels; c++)
				espl_set_unite(parent, first[node->inputs[i]] + c,
				               first[node->output] + c);
	}
}

static void pin(const espl_graph *graph, const espl_channel_classes *classes, int value)
{
	for (int c = 0; c < graph->values[value].channels; c++)
		classes->pinned[classes->of[classes->first[value] + c]] = true;
}

espl_channel_classes espl_classify_channels(const espl_graph *graph, espl_arena *arena)
{
	espl_channel_classes out = {.first = ESPL_ARRAY(arena, int, graph->value_count + 1)};
	int channels = 0, *parent;

	for (int v = 0; v < graph->value_count; v++) {
		out.first[v] = channels;
		channels += graph->values[v].channels;
	}
	out.first[graph->value_count] = channels;
	parent = ESPL_ARRAY(arena, int, channels);
	out.of = ESPL_ARRAY(arena, int, channels);
	out.pinned = ESPL_ARRAY(arena, bool, channels);
	for (int i = 0; i < channels; i++)
		parent[i] = i;
	for (int n = 0; n < graph->node_count; n++)
		tie(graph, &graph->nodes[n], out.first, parent);
	for (int i = 0; i < channels; i++) /* a root is the first of its class */
		out.of[i] = espl_set_of(parent, i) == i ? out.class_count++
		                                        : out.of[espl_set_of(parent, i)];
	for (int i = 0; i < graph->input_count; i++)
		pin(graph, &out, graph->inputs[i]);
	for (int i = 0; i < graph->output_count; i++)
		pin(graph, &out, graph->outputs[i]);
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];

		if (node->kind != ESPL_NODE_SOFTMAX &&
		    (node->kind != ESPL_NODE_CONV || node->groups == 1))
			continue;
		pin(graph, &out, node->inputs[0]);
		pin(graph, &out, node->output);
	}
	return out;
}

/* -- importance ----------------------------------------------------------------------------------
 */

/* Divides by the layer's root mean square, so that layers compare, and adds to the classes. */
static void add_layer(const espl_channel_classes *classes, int value, int channels,
                      const double *importance, double *scores)
{
	double sum = 0;

	for (int c = 0; c < channels; c++)
		sum += importance[c] * importance[c];
	for (int c = 0; c < channels && sum > 0; c++)
		scores[classes->of[classes->first[value] + c]] +=
		        importance[c] / sqrt(sum / channels);
}

/* Whether a batch norm of its own follows the node's result: then the filter's size means nothing.
 */
static bool is_normalized(const espl_graph *graph, const espl_node *node)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].kind == ESPL_NODE_BATCH_NORM &&
		    graph->nodes[n].inputs[0] == node->output)
			return true;
	return false;
}

static double filter_square(const espl_graph *graph, const espl_node *node, int o)
{
	const int outputs = espl_node_outputs(graph, node);
	const int64_t weights = espl_node_weights(graph, node);
	double sum = 0;

	if (node->kind == ESPL_NODE_DEPTHWISE)
		for (int64_t i = o; i < weights; i += outputs)
			sum += (double)node->weights[i] * node->weights[i];
	else
		for (int64_t i = 0; i < weights / outputs; i++) {
			const double w = node->weights[o * (weights / outputs) + i];

			sum += w * w;
		}
	return sum;
}

void espl_channel_magnitudes(const espl_graph *graph, const espl_channel_classes *classes,
                             double *scores)
{
	espl_arena *arena = espl_arena_create();

	memset(scores, 0, (size_t)classes->class_count * sizeof(*scores));
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int channels = graph->values[node->output].channels;
		double *importance = ESPL_ARRAY(arena, double, channels);

		if (node->kind == ESPL_NODE_BATCH_NORM)
			for (int c = 0; c < channels; c++)
				importance[c] = fabs((double)node->gain[c]);
		else if (espl_is_weighted(node) && !is_normalized(graph, node))
			for (int c = 0; c < channels; c++)
				importance[c] = sqrt(filter_square(graph, node, c));
		else
			continue;
		add_layer(classes, node->output, channels, importance, scores);
	}
	espl_arena_destroy(arena);
}

/* parameter * gradient, over a channel. */
static double change_of(const espl_graph *graph, const espl_node *node,
                        const espl_gradients *gradients, int c)
{
	const int outputs = espl_node_outputs(graph, node);
	const int64_t weights = espl_node_weights(graph, node);
	const int64_t filter = weights / outputs;
	const bool by_taps = node->kind == ESPL_NODE_DEPTHWISE;
	double sum = 0;

	if (node->kind == ESPL_NODE_BATCH_NORM)
		return (double)node->gain[c] * gradients->gain[c] +
		       (double)node->offset[c] * gradients->offset[c];
	for (int64_t i = 0; i < filter; i++) {
		const int64_t w = by_taps ? i * outputs + c : c * filter + i;

		sum += (double)node->weights[w] * gradients->weights[w];
	}
	return sum + (node->bias ? (double)node->bias[c] * gradients->bias[c] : 0);
}

void espl_channel_taylor(const espl_graph *graph, const espl_channel_classes *classes,
                         const espl_gradients *gradients, double *scores)
{
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int *of = classes->of + classes->first[node->output];

		if (node->kind != ESPL_NODE_BATCH_NORM &&
		    (!espl_is_weighted(node) || is_normalized(graph, node)))
			continue;
		for (int c = 0; c < graph->values[node->output].channels; c++) {
			const double change = change_of(graph, node, &gradients[n], c);

			scores[of[c]] += change * change;
		}
	}
}

/* -- removal -------------------------------------------------------------------------------------
 */

/* Whether a reader has a weight for channel c of its input that is not zero. */
static bool reads(const espl_graph *graph, const espl_node *node, int c)
{
	const int channels = graph->values[node->inputs[0]].channels;
	const int64_t weights = espl_node_weights(graph, node);

	for (int64_t i = c; i < weights; i += channels)
		if (node->weights[i] != 0)
			return true;
	return false;
}

/* The classes that stay: pinned or read; and of a tensor that would lose all, the first. */
static bool *choose_kept(const espl_graph *graph, const espl_channel_classes *classes,
                         espl_arena *arena)
{
	bool *kept = ESPL_ARRAY(arena, bool, classes->class_count);

	for (int i = 0; i < classes->class_count; i++)
		kept[i] = classes->pinned[i];
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int *of = classes->of + classes->first[node->inputs[0]];

		for (int c = 0;
		     weighs_channels(node) && c < graph->values[node->inputs[0]].channels; c++)
			kept[of[c]] = kept[of[c]] || reads(graph, node, c);
	}
	for (int v = 0; v < graph->value_count; v++) {
		bool any = false;

		for (int c = classes->first[v]; c < classes->first[v + 1]; c++)
			any = any || kept[classes->of[c]];
		kept[classes->of[classes->first[v]]] = kept[classes->of[classes->first[v]]] || !any;
	}
	return kept;
}

typedef struct {
	const espl_graph *from;
	const espl_channel_classes *classes;
	const bool *kept; /* [class] */
} removal;

static bool stays(const removal *r, int value, int channel)
{
	return r->kept[r->classes->of[r->classes->first[value] + channel]];
}

/* Keeps an array's elements [n] whose channel n mod channels of `value` stays. */
static void keep(const removal *r, int value, float *array)
{
	int count = 0;

	for (int c = 0; array && c < r->from->values[value].channels; c++)
		if (stays(r, value, c))
			array[count++] = array[c];
}

static void keep_weights(const removal *r, const espl_node *node, float *weights)
{
	const int in = node->inputs[0], out = node->output;
	const int inputs = r->from->values[in].channels, outputs = r->from->values[out].channels;
	const int64_t total = espl_node_weights(r->from, node);
	int64_t count = 0;

	for (int64_t i = 0; i < total; i++) {
		const int o = (int)(node->kind == ESPL_NODE_DEPTHWISE ? i % outputs
		                                                      : i / (total / outputs));

		if (stays(r, out, o) && (!weighs_channels(node) || stays(r, in, (int)(i % inputs))))
			weights[count++] = weights[i];
	}
}

espl_status espl_remove_channels(const espl_graph *graph, espl_arena *arena, espl_graph **smaller,
                                 espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_channel_classes classes = espl_classify_channels(graph, scratch);
	const removal r = {graph, &classes, choose_kept(graph, &classes, scratch)};
	espl_graph *out = espl_graph_copy(graph, arena);
	espl_status status;

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *from = &graph->nodes[n];
		espl_node *node = &out->nodes[n];

		if (espl_is_weighted(from))
			keep_weights(&r, from, node->weights);
		keep(&r, from->output, node->bias);
		keep(&r, from->output, node->weight_steps);
		keep(&r, from->output, node->gain);
		keep(&r, from->output, node->offset);
		keep(&r, from->output, node->mean);
		keep(&r, from->output, node->variance);
	}
	for (int v = 0; v < graph->value_count; v++) {
		out->values[v].channels = 0;
		for (int c = 0; c < graph->values[v].channels; c++)
			out->values[v].channels += stays(&r, v, c);
	}
	espl_arena_destroy(scratch);
	status = espl_graph_check(out, err);
	if (!status)
		*smaller = out;
	return status;
}

/* -- choice --------------------------------------------------------------------------------------
 */

typedef struct {
	double score;
	int class;
} candidate;

static int by_score(const void *a, const void *b)
{
	const candidate *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return (x->class > y->class) - (x->class < y->class);
}

/* Multiplications that a class takes: its share of every layer that makes or reads it. */
static double *class_costs(const espl_graph *graph, const espl_channel_classes *classes,
                           espl_arena *arena)
{
	double *costs = ESPL_ARRAY(arena, double, classes->class_count);

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int sides[2] = {node->output, node->inputs[0]};
		const double work = (double)espl_node_multiplications(graph, node);

		for (int i = 0; i < (weighs_channels(node) ? 2 : 1); i++) {
			const int channels = graph->values[sides[i]].channels;

			for (int c = 0; espl_is_weighted(node) && c < channels; c++)
				costs[classes->of[classes->first[sides[i]] + c]] += work / channels;
		}
	}
	return costs;
}

/* The fewest channels of a tensor that stay. */
static int least_channels(int channels, int multiple)
{
	const int fifth = (channels + 4) / 5;
	const int least = (fifth + multiple - 1) / multiple * multiple;

	return least < channels ? least : channels;
}

/* Whether every tensor keeps enough when the class goes; counts it off if so. */
static bool take_class(const espl_graph *graph, const espl_channel_classes *classes, int class,
                       int multiple, int *left, int *loss)
{
	bool fits = true;

	memset(loss, 0, (size_t)graph->value_count * sizeof(*loss));
	for (int v = 0; v < graph->value_count; v++) {
		for (int c = classes->first[v]; c < classes->first[v + 1]; c++)
			loss[v] += classes->of[c] == class;
		fits = fits &&
		       (!loss[v] ||
		        left[v] - loss[v] >= least_channels(graph->values[v].channels, multiple));
	}
	for (int v = 0; v < graph->value_count && fits; v++)
		left[v] -= loss[v];
	return fits;
}

/* Puts back the best of the classes that go until every tensor has a multiple left. */
static int round_up(const espl_graph *graph, const espl_channel_classes *classes, candidate *gone,
                    int count, int multiple, int *left)
{
	bool changed = multiple > 1;

	while (changed) {
		changed = false;
		for (int v = 0; v < graph->value_count && !changed; v++)
			for (int i = count - 1; i >= 0 && left[v] % multiple && !changed; i--) {
				bool here = false;

				for (int c = classes->first[v]; c < classes->first[v + 1]; c++)
					here = here || classes->of[c] == gone[i].class;
				if (!here)
					continue;
				for (int u = 0; u < graph->value_count; u++)
					for (int c = classes->first[u]; c < classes->first[u + 1];
					     c++)
						left[u] += classes->of[c] == gone[i].class;
				memmove(gone + i, gone + i + 1,
				        (size_t)(--count - i) * sizeof(*gone));
				changed = true;
			}
	}
	return count;
}

static void take_weights(espl_graph *graph, const espl_channel_classes *classes, int class)
{
	for (int n = 0; n < graph->node_count; n++) {
		espl_node *node = &graph->nodes[n];
		const int in = node->inputs[0], channels = graph->values[in].channels;
		const int64_t weights = espl_node_weights(graph, node);

		for (int c = 0; weighs_channels(node) && c < channels; c++)
			if (classes->of[classes->first[in] + c] == class)
				for (int64_t i = c; i < weights; i += channels)
					node->weights[i] = 0;
	}
}

/* The first `count` of the order, as many as tensors can spare, rounded to multiples.
 *   out  gone[], left[value]; returns how many */
static int choose(const espl_graph *graph, const espl_channel_classes *classes,
                  const candidate *order, int count, int multiple, candidate *gone, int *left)
{
	int *loss = left + graph->value_count; /* scratch */
	int taken = 0;

	for (int v = 0; v < graph->value_count; v++)
		left[v] = graph->values[v].channels;
	for (int i = 0; i < count; i++)
		if (take_class(graph, classes, order[i].class, multiple, left, loss))
			gone[taken++] = order[i];
	return round_up(graph, classes, gone, taken, multiple, left);
}

/* Weights of the graph with so many channels left. */
static int64_t weights_with(const espl_graph *graph, const int *left)
{
	int64_t sum = 0;

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int in = node->inputs[0], out = node->output;
		int64_t weights = espl_is_weighted(node) ? espl_node_weights(graph, node) : 0;

		weights = weights / graph->values[out].channels * left[out];
		if (weighs_channels(node))
			weights = weights / graph->values[in].channels * left[in];
		sum += weights;
	}
	return sum;
}

espl_status espl_prune_channels(espl_graph *graph, const espl_channel_classes *classes,
                                const double *scores, double sparsity, int multiple,
                                espl_error *err)
{
	espl_arena *arena = espl_arena_create();
	candidate *order = ESPL_ARRAY(arena, candidate, classes->class_count);
	candidate *gone = ESPL_ARRAY(arena, candidate, classes->class_count);
	const double *costs = class_costs(graph, classes, arena);
	int *left = ESPL_ARRAY(arena, int, 2 * graph->value_count);
	const int64_t total = espl_count_zeros(graph).weights;
	const int64_t wanted = llround((1 - sparsity) * (double)total);
	espl_status status = ESPL_OK;
	int count = 0, taken, low = 0, high;

	assert(sparsity >= 0 && sparsity < 1 && multiple >= 1);
	for (int i = 0; i < classes->class_count; i++)
		if (!classes->pinned[i] && costs[i] > 0)
			order[count++] = (candidate){scores[i] / costs[i], i};
	qsort(order, (size_t)count, sizeof(*order), by_score);
	choose(graph, classes, order, count, multiple, gone, left);
	if (weights_with(graph, left) > wanted) {
		status =
		        espl_fail(err, ESPL_RANGE,
		                  "sparsity %g: whole channels leave at least %.4f of the weights; "
		                  "ask for less",
		                  sparsity, (double)weights_with(graph, left) / (double)total);
		goto out;
	}
	high = count;
	while (low < high) { /* the fewest that suffice */
		const int middle = (low + high) / 2;

		choose(graph, classes, order, middle, multiple, gone, left);
		if (weights_with(graph, left) > wanted)
			low = middle + 1;
		else
			high = middle;
	}
	taken = choose(graph, classes, order, low, multiple, gone, left);
	for (int i = 0; i < taken; i++)
		take_weights(graph, classes, gone[i].class);
out:
	espl_arena_destroy(arena);
	return status;
}
