/* What the integer net makes of samples, and how near the float graph is to it.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/quantize.h"

#include "interp/graph_run.h"
#include "interp/net_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32 };

static espl_status check_input(const espl_net *net, const espl_samples *samples, espl_error *err)
{
	const espl_tensor *input = &net->tensors[net->inputs[0]];

	if (net->input_count != 1)
		return espl_fail(err, ESPL_UNSUPPORTED, "%s has %d inputs, samples have one",
		                 net->name, net->input_count);
	if (samples->rows != input->rows || samples->columns != input->columns ||
	    samples->channels != input->channels)
		return espl_fail(err, ESPL_SHAPE, "samples are %d x %d x %d, %s takes %d x %d x %d",
		                 samples->rows, samples->columns, samples->channels, net->name,
		                 input->rows, input->columns, input->channels);
	return ESPL_OK;
}

void espl_samples_stored(const espl_samples *samples, int first, int count,
                         const espl_tensor *input, int8_t *out)
{
	const int elements = espl_tensor_elements(input);
	const espl_quantizer q = {8, (float)input->scale, input->zero_point, INT8_MIN, INT8_MAX};
	espl_arena *scratch = espl_arena_create();
	float *floats = ESPL_ARRAY(scratch, float, (int64_t)count *elements);

	espl_samples_floats(samples, first, count, floats);
	for (int64_t i = 0; i < (int64_t)count * elements; i++)
		out[i] = (int8_t)espl_store_value(&q, floats[i]);
	espl_arena_destroy(scratch);
}

static int greatest(const int8_t *values, int count)
{
	int best = 0;

	for (int i = 1; i < count; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

espl_status espl_net_accuracy(const espl_net *net, const espl_samples *samples, int threads,
                              double *accuracy, espl_error *err)
{
	const espl_tensor *input = &net->tensors[net->inputs[0]];
	const int output = net->outputs[0];
	const int classes = espl_tensor_elements(&net->tensors[output]);
	espl_net_run *run;
	espl_arena *scratch;
	int8_t *data;
	int right = 0;

	ESPL_TRY(check_input(net, samples, err));
	if (classes < samples->classes)
		return espl_fail(err, ESPL_SHAPE, "%s has %d outputs, the samples %d classes",
		                 net->name, classes, samples->classes);
	ESPL_TRY(espl_net_run_create(net, BATCH, threads, &run, err));
	scratch = espl_arena_create();
	data = ESPL_ARRAY(scratch, int8_t, BATCH * espl_tensor_elements(input));
	for (int first = 0; first < samples->count; first += BATCH) {
		const int count = samples->count - first < BATCH ? samples->count - first : BATCH;
		const int8_t *values = data;

		espl_samples_stored(samples, first, count, input, data);
		espl_net_run_forward(run, &values, count);
		values = espl_net_run_tensor(run, output);
		for (int s = 0; s < count; s++)
			right += greatest(values + s * classes, classes) ==
			         samples->labels[first + s];
	}
	*accuracy = samples->count ? (double)right / samples->count : 0;
	espl_arena_destroy(scratch);
	espl_net_run_destroy(run);
	return ESPL_OK;
}

static int value_named(const espl_graph *graph, const char *name)
{
	for (int v = 0; v < graph->value_count; v++)
		if (!strcmp(graph->values[v].name, name))
			return v;
	return -1;
}

/* Compares one batch of one value; `floats` is what the graph makes of it. */
static void compare(const espl_value *value, const espl_tensor *tensor, int64_t count,
                    const float *floats, const int8_t *stored, espl_agreement *out)
{
	const espl_quantizer *q = &value->quantizer;
	const int32_t offset = tensor->zero_point - q->zero_point;

	for (int64_t i = 0; i < count; i++) {
		const int difference = abs(espl_store_value(q, floats[i]) + offset - stored[i]);

		out->differing += difference != 0;
		out->most = difference > out->most ? difference : out->most;
	}
	out->values += count;
}

espl_status espl_compare_forward(const espl_graph *graph, const espl_net *net,
                                 const espl_samples *samples, int count, int threads,
                                 espl_agreement *out, espl_error *err)
{
	const espl_tensor *input = &net->tensors[net->inputs[0]];
	espl_arena *scratch;
	espl_graph_run *run;
	espl_net_run *net_run;
	espl_status status;

	ESPL_TRY(check_input(net, samples, err));
	count = count < samples->count ? count : samples->count;
	ESPL_TRY(espl_graph_run_create(graph, BATCH, threads, false, &run, err));
	status = espl_net_run_create(net, BATCH, threads, &net_run, err);
	if (status != ESPL_OK) {
		espl_graph_run_destroy(run);
		return status;
	}
	scratch = espl_arena_create();
	*out = (espl_agreement){0};
	for (int first = 0; first < count; first += BATCH) {
		const int batch = count - first < BATCH ? count - first : BATCH;
		const espl_mark empty = espl_arena_mark(scratch);
		const int64_t elements = (int64_t)batch * espl_tensor_elements(input);
		float *floats = ESPL_ARRAY(scratch, float, elements);
		int8_t *stored = ESPL_ARRAY(scratch, int8_t, elements);

		espl_samples_floats(samples, first, batch, floats);
		espl_samples_stored(samples, first, batch, input, stored);
		espl_graph_run_forward(run, (const float *const[]){floats}, batch);
		espl_net_run_forward(net_run, (const int8_t *const[]){stored}, batch);
		for (int t = 0; t < net->tensor_count; t++) {
			const int value = value_named(graph, net->tensors[t].name);
			const int64_t each =
			        (int64_t)batch * espl_tensor_elements(&net->tensors[t]);

			if (value < 0)
				continue; /* a change of step, which the graph does not have */
			floats = ESPL_ARRAY(scratch, float, each);
			espl_graph_run_read(run, value, floats);
			compare(&graph->values[value], &net->tensors[t], each, floats,
			        espl_net_run_tensor(net_run, t), out);
		}
		espl_arena_release(scratch, empty);
	}
	espl_arena_destroy(scratch);
	espl_graph_run_destroy(run);
	espl_net_run_destroy(net_run);
	return ESPL_OK;
}
