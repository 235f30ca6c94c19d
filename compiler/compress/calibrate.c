/* Steps of stored values, from what they are on samples.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/calibrate.h"

#include "compress/observe.h"
#include "compress/roles.h"

#include <math.h>
#include <string.h>

enum { BINS = 2048 };

/* What a group of values that are stored alike was seen to hold. */
typedef struct {
	float low, high;
	int64_t counts[BINS]; /* from low to high */
	int bits;             /* 0: nothing of it is stored */
} range;

typedef struct {
	const espl_graph *graph;
	const espl_roles *roles;
	range **ranges; /* [value], the same for a group */
} ranges;

double espl_least_error(double (*error)(const void *user, double scale), const void *user)
{
	double best = 1, least = error(user, 1);

	for (int percent = 99; percent >= 5; percent--) {
		const double scale = percent / 100.0, e = error(user, scale);

		if (e < least) {
			least = e;
			best = scale;
		}
	}
	return best;
}

static int64_t elements(const ranges *r, int value, int count)
{
	return (int64_t)espl_value_elements(&r->graph->values[value]) * count;
}

static void see_extremes(void *user, int value, int count, const float *data)
{
	const ranges *r = user;
	range *of = r->ranges[value];

	for (int64_t i = 0; i < elements(r, value, count); i++) {
		of->low = data[i] < of->low ? data[i] : of->low;
		of->high = data[i] > of->high ? data[i] : of->high;
	}
}

static void see_counts(void *user, int value, int count, const float *data)
{
	const ranges *r = user;
	range *of = r->ranges[value];
	const float bins_a_unit = BINS / (of->high - of->low);

	if (!(of->high > of->low) || !isfinite(bins_a_unit))
		return;
	for (int64_t i = 0; i < elements(r, value, count); i++) {
		const int bin = (int)((data[i] - of->low) * bins_a_unit);

		of->counts[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
	}
}

static double bin_value(const range *r, int bin)
{
	return (double)r->low + ((double)r->high - (double)r->low) * (bin + 0.5) / BINS;
}

/* The quantizer of so many bits that covers low..high, with 0 at one of its steps. Values that
 * are never negative start at 0. */
static espl_quantizer cover(int bits, double low, double high)
{
	const int levels = 1 << bits;
	espl_quantizer q = {.bits = bits};
	double step;

	low = low < 0 ? low : 0;
	high = high > 0 ? high : 0;
	step = (high - low) / (levels - 1);
	q.step = step > 0x1p-60 ? (float)step : 1.0f / (float)levels;
	q.low = low < 0 && bits == 8 ? INT8_MIN : 0;
	q.high = q.low + levels - 1;
	q.zero_point = q.low + (int32_t)floor(-low / (double)q.step + 0.5);
	return q;
}

static double squared_error(const void *user, double scale)
{
	const range *r = user;
	const espl_quantizer q = cover(r->bits, scale * (double)r->low, scale * (double)r->high);
	double sum = 0;

	for (int i = 0; i < BINS; i++) {
		const double x = bin_value(r, i);
		const double e = x - (double)espl_stored_value(&q, espl_store_value(&q, (float)x));

		if (r->counts[i])
			sum += (double)r->counts[i] * e * e;
	}
	return sum;
}

/* The value below which `share` of what was seen lies. */
static double quantile(const range *r, double share)
{
	int64_t total = 0, below = 0;

	for (int i = 0; i < BINS; i++)
		total += r->counts[i];
	for (int i = 0; i < BINS; i++) {
		below += r->counts[i];
		if ((double)below >= share * (double)total)
			return (double)r->low + ((double)r->high - (double)r->low) * (i + 1) / BINS;
	}
	return (double)r->high;
}

static espl_quantizer choose(const range *r, const espl_quantize_options *options)
{
	double low = (double)r->low, high = (double)r->high, scale, rest;

	switch (options->method) {
	case ESPL_RANGE_MINMAX:
		break;
	case ESPL_RANGE_PERCENTILE:
		rest = 1 - options->percentile / 100;
		if (low < 0) {
			low = quantile(r, rest / 2);
			rest /= 2;
		}
		high = quantile(r, 1 - rest);
		break;
	case ESPL_RANGE_MSE:
		scale = espl_least_error(squared_error, r);
		low *= scale;
		high *= scale;
		break;
	}
	return cover(r->bits, low, high);
}

static bool only_tables_read(const espl_graph *graph, const espl_roles *roles, int value)
{
	int readers = 0;

	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++) {
			if (graph->nodes[n].inputs[i] != value)
				continue;
			if (!espl_is_table(roles, graph, n) &&
			    graph->nodes[n].kind != ESPL_NODE_SOFTMAX)
				return false;
			readers++;
		}
	return readers > 0;
}

/* A value that 8 bits cost nothing of: few they are, and much depends on each. */
static bool is_mean(const espl_graph *graph, const espl_roles *roles, int value)
{
	return roles->maker[value] >= 0 && graph->nodes[roles->maker[value]].kind == ESPL_NODE_MEAN;
}

/* The bits of each group: 8 for what comes in and goes out, for means over an image and for what
 * a function is applied to; what the user says of a layer counts more. */
static void choose_bits(const espl_graph *graph, const espl_roles *roles, range **of,
                        const espl_quantize_options *options)
{
	for (int v = 0; v < graph->value_count; v++)
		if (roles->stored[v] && !of[v]->bits)
			of[v]->bits = options->activation_bits;
	for (int v = 0; v < graph->value_count; v++)
		if (roles->stored[v] &&
		    (only_tables_read(graph, roles, v) || is_mean(graph, roles, v)))
			of[v]->bits = 8;
	for (int i = 0; i < options->layer_count; i++)
		for (int n = 0; n < graph->node_count; n++)
			if (options->layers[i].activation_bits &&
			    !strcmp(options->layers[i].name, graph->nodes[n].name))
				of[espl_stored_output(graph, roles, n)]->bits =
				        options->layers[i].activation_bits;
	for (int i = 0; i < graph->input_count; i++)
		of[graph->inputs[i]]->bits = 8;
	for (int i = 0; i < graph->output_count; i++)
		of[graph->outputs[i]]->bits = 8;
}

static void set_fixed(espl_graph *graph, const espl_roles *roles, int value, float step)
{
	for (int v = 0; v < graph->value_count; v++)
		if (roles->stored[v] && roles->group[v] == roles->group[value])
			graph->values[v].quantizer =
			        (espl_quantizer){8, step, INT8_MIN, INT8_MIN, INT8_MAX};
}

static espl_status see(ranges *r, const float *inputs, int count, int threads, espl_error *err)
{
	espl_status status = espl_observe(r->graph, inputs, count, threads, r->roles->stored,
	                                  see_extremes, r, err);

	if (status == ESPL_OK)
		status = espl_observe(r->graph, inputs, count, threads, r->roles->stored,
		                      see_counts, r, err);
	return status;
}

espl_status espl_calibrate_values(espl_graph *graph, const float *inputs, int count, bool bytes,
                                  const espl_quantize_options *options, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_roles roles = espl_find_roles(graph, scratch);
	range **of = ESPL_ARRAY(scratch, range *, graph->value_count);
	ranges r = {graph, &roles, of};
	espl_status status;

	for (int v = 0; v < graph->value_count; v++) {
		graph->values[v].quantizer = (espl_quantizer){0}; /* what is seen is not rounded */
		of[v] = roles.group[v] == v ? ESPL_NEW(scratch, range) : of[roles.group[v]];
	}
	choose_bits(graph, &roles, of, options);
	status = see(&r, inputs, count, options->threads, err);
	for (int v = 0; v < graph->value_count && status == ESPL_OK; v++)
		if (roles.stored[v])
			graph->values[v].quantizer = choose(of[v], options);
	for (int i = 0; i < graph->input_count && bytes && status == ESPL_OK; i++)
		set_fixed(graph, &roles, graph->inputs[i], 1.0f / 255);
	for (int n = 0; n < graph->node_count && status == ESPL_OK; n++)
		if (graph->nodes[n].kind == ESPL_NODE_SOFTMAX)
			set_fixed(graph, &roles, graph->nodes[n].output, 1.0f / 256);
	espl_arena_destroy(scratch);
	return status;
}
