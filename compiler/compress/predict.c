/* A float graph on labelled samples: logits, accuracy, batch norms estimated anew.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/random.h"
#include "compress/training.h"

#include <string.h>

enum { BATCH = 64, NORM_BATCH = 256, NORMS_STREAM = 0x6e6f726d };

int espl_graph_logits(const espl_graph *graph)
{
	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].output == graph->outputs[0] &&
		    graph->nodes[i].kind == ESPL_NODE_SOFTMAX)
			return graph->nodes[i].inputs[0];
	return graph->outputs[0];
}

espl_status espl_graph_fits(const espl_graph *graph, const espl_samples *samples, espl_error *err)
{
	const espl_value *input = &graph->values[graph->inputs[0]];
	const espl_value *logits = &graph->values[espl_graph_logits(graph)];

	if (graph->input_count != 1)
		return espl_fail(err, ESPL_SHAPE, "%s: %d inputs, labelled samples are for one",
		                 graph->name, graph->input_count);
	if (input->rows != samples->rows || input->columns != samples->columns ||
	    input->channels != samples->channels)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: input of %d x %d x %d, samples of %d x %d x %d", graph->name,
		                 input->rows, input->columns, input->channels, samples->rows,
		                 samples->columns, samples->channels);
	if (espl_value_elements(logits) != samples->classes)
		return espl_fail(err, ESPL_SHAPE, "%s: %d outputs, the labels have %d classes",
		                 graph->name, espl_value_elements(logits), samples->classes);
	return ESPL_OK;
}

espl_status espl_graph_predict(const espl_graph *graph, const espl_samples *samples, int threads,
                               float *logits, espl_error *err)
{
	const int value = espl_graph_logits(graph);
	espl_arena *scratch;
	espl_graph_run *run;
	const float *inputs[1];
	float *images;

	ESPL_TRY(espl_graph_fits(graph, samples, err));
	ESPL_TRY(espl_graph_run_create(graph, BATCH, threads, false, &run, err));
	scratch = espl_arena_create();
	images = ESPL_ARRAY(
	        scratch, float,
	        (size_t)BATCH *(size_t)espl_value_elements(&graph->values[graph->inputs[0]]));
	inputs[0] = images;
	for (int first = 0; first < samples->count; first += BATCH) {
		const int count = samples->count - first < BATCH ? samples->count - first : BATCH;

		espl_samples_floats(samples, first, count, images);
		espl_graph_run_forward(run, inputs, count);
		espl_graph_run_read(run, value, logits);
		logits += (size_t)count * (size_t)samples->classes;
	}
	espl_graph_run_destroy(run);
	espl_arena_destroy(scratch);
	return ESPL_OK;
}

espl_status espl_graph_accuracy(const espl_graph *graph, const espl_samples *samples, int threads,
                                double *accuracy, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	float *logits =
	        ESPL_ARRAY(scratch, float, (size_t)samples->count *(size_t)samples->classes);
	espl_status status = espl_graph_predict(graph, samples, threads, logits, err);
	int right = 0;

	for (int s = 0; !status && s < samples->count; s++) {
		const float *of = logits + (size_t)s * (size_t)samples->classes;
		int greatest = 0;

		for (int c = 1; c < samples->classes; c++)
			if (of[c] > of[greatest])
				greatest = c;
		right += greatest == samples->labels[s];
	}
	if (!status)
		*accuracy = samples->count ? (double)right / samples->count : 0;
	espl_arena_destroy(scratch);
	return status;
}

/* Sums over batches of what each batch norm saw: means, squares of means, variances. */
struct sums {
	double *means, *squares, *variances;
	float *mean, *variance; /* of one batch */
};

static void add_batch(const espl_graph *graph, const espl_graph_run *run, struct sums *sums,
                      int count)
{
	int at = 0;

	for (int i = 0; i < graph->node_count; i++) {
		const int channels = espl_node_outputs(graph, &graph->nodes[i]);

		if (!graph->nodes[i].gain)
			continue;
		espl_graph_run_statistics(run, i, sums->mean, sums->variance);
		for (int c = 0; c < channels; c++, at++) {
			const double mean = (double)sums->mean[c];

			sums->means[at] += count * mean;
			sums->squares[at] += count * mean * mean;
			sums->variances[at] += count * (double)sums->variance[c];
		}
	}
}

/* Mean over all; variance within batches and between them. */
static void take_sums(espl_graph *graph, const struct sums *sums, int count)
{
	int at = 0;

	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];
		const int channels = espl_node_outputs(graph, node);

		for (int c = 0; node->gain && c < channels; c++, at++) {
			const double mean = sums->means[at] / count;
			const double between = sums->squares[at] / count - mean * mean;

			node->mean[c] = (float)mean;
			node->variance[c] =
			        (float)(sums->variances[at] / count + (between > 0 ? between : 0));
		}
	}
}

static void estimate(espl_graph *graph, espl_graph_run *run, const espl_samples *samples, int count,
                     uint32_t seed, espl_arena *scratch)
{
	const int64_t norms = espl_norms_count(graph) / 2;
	const size_t floats = (size_t)espl_value_elements(&graph->values[graph->inputs[0]]);
	espl_random random = espl_random_stream(seed, NORMS_STREAM, 0);
	float *images = ESPL_ARRAY(scratch, float, NORM_BATCH *floats);
	const float *inputs[1] = {images};
	struct sums sums = {ESPL_ARRAY(scratch, double, norms), ESPL_ARRAY(scratch, double, norms),
	                    ESPL_ARRAY(scratch, double, norms), ESPL_ARRAY(scratch, float, norms),
	                    ESPL_ARRAY(scratch, float, norms)};

	for (int first = 0; first < count; first += NORM_BATCH) {
		const int now = count - first < NORM_BATCH ? count - first : NORM_BATCH;

		for (int i = 0; i < now; i++)
			espl_samples_floats(
			        samples, (int)espl_random_below(&random, (uint32_t)samples->count),
			        1, images + (size_t)i * floats);
		espl_graph_run_train(run, inputs, now);
		add_batch(graph, run, &sums, now);
	}
	take_sums(graph, &sums, count);
}

espl_status espl_graph_estimate_norms(espl_graph *graph, const espl_samples *samples, int count,
                                      int threads, uint32_t seed, espl_error *err)
{
	espl_arena *scratch;
	espl_graph_run *run;

	ESPL_TRY(espl_graph_fits(graph, samples, err));
	if (!espl_norms_count(graph))
		return ESPL_OK;
	if (count > samples->count)
		count = samples->count;
	if (count < 1)
		return espl_fail(err, ESPL_SHAPE,
		                 "there are no samples to estimate batch norms by");
	ESPL_TRY(espl_graph_run_create(graph, NORM_BATCH, threads, false, &run, err));
	scratch = espl_arena_create();
	estimate(graph, run, samples, count, seed, scratch);
	espl_graph_run_destroy(run);
	espl_arena_destroy(scratch);
	return ESPL_OK;
}
