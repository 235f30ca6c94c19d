/* Samples drawn, run forward, and shown.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/observe.h"

#include "base/random.h"
#include "interp/graph_run.h"

static const uint32_t draw_stream = 0x71756e74; /* what the random numbers are for */

const float *espl_draw_samples(const espl_samples *samples, int *count, uint32_t seed,
                               espl_arena *arena)
{
	const int elements = samples->rows * samples->columns * samples->channels;
	const int wanted = *count < samples->count ? *count : samples->count;
	espl_random random = espl_random_stream(seed, draw_stream, 0);
	int *order = ESPL_ARRAY(arena, int, samples->count);
	float *floats = ESPL_ARRAY(arena, float, (int64_t)wanted *elements);

	for (int i = 0; i < samples->count; i++)
		order[i] = i;
	for (int i = 0; i < wanted; i++) {
		const int other =
		        i + (int)espl_random_below(&random, (uint32_t)(samples->count - i));
		const int drawn = order[other];

		order[other] = order[i];
		order[i] = drawn;
		espl_samples_floats(samples, drawn, 1, floats + (int64_t)i * elements);
	}
	*count = wanted;
	return floats;
}

espl_status espl_observe(const espl_graph *graph, const float *inputs, int count, int threads,
                         const bool *wanted, espl_observer *observer, void *user, espl_error *err)
{
	espl_arena *scratch;
	espl_graph_run *run;
	int elements, greatest = 0;
	float *data;

	if (graph->input_count != 1)
		return espl_fail(err, ESPL_UNSUPPORTED, "the graph has %d inputs, samples have one",
		                 graph->input_count);
	ESPL_TRY(espl_graph_run_create(graph, ESPL_OBSERVE_BATCH, threads, false, &run, err));
	elements = espl_value_elements(&graph->values[graph->inputs[0]]);
	for (int v = 0; v < graph->value_count; v++)
		if (wanted[v] && espl_value_elements(&graph->values[v]) > greatest)
			greatest = espl_value_elements(&graph->values[v]);
	scratch = espl_arena_create();
	data = ESPL_ARRAY(scratch, float, (int64_t)greatest *ESPL_OBSERVE_BATCH);
	for (int first = 0; first < count; first += ESPL_OBSERVE_BATCH) {
		const int batch =
		        count - first < ESPL_OBSERVE_BATCH ? count - first : ESPL_OBSERVE_BATCH;
		const float *input = inputs + (int64_t)first * elements;

		espl_graph_run_forward(run, &input, batch);
		for (int v = 0; v < graph->value_count; v++) {
			if (!wanted[v])
				continue;
			espl_graph_run_read(run, v, data);
			observer(user, v, batch, data);
		}
	}
	espl_arena_destroy(scratch);
	espl_graph_run_destroy(run);
	return ESPL_OK;
}

void espl_sum_values(void *user, int value, int count, const float *data)
{
	const espl_value_sums *s = user;
	const espl_value *v = &s->graph->values[value];
	const int64_t cells = (int64_t)count * v->rows * v->columns;

	for (int64_t i = 0; i < cells; i++)
		for (int c = 0; c < v->channels; c++)
			s->sums[value][c] += (double)*data++;
}
