/* How much the loss would miss each channel, measured on samples.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/random.h"
#include "compress/cells.h"

#include <math.h>

enum { SALIENCY = 0x53414c49 }; /* what the random numbers are for */

/* Logits become the gradient of the mean cross entropy by them. */
static void loss_gradient(float *logits, int classes, int label, int count)
{
	float most = logits[0];
	double sum = 0;

	for (int c = 1; c < classes; c++)
		most = logits[c] > most ? logits[c] : most;
	for (int c = 0; c < classes; c++)
		sum += exp((double)(logits[c] - most));
	for (int c = 0; c < classes; c++)
		logits[c] = (float)((exp((double)(logits[c] - most)) / sum - (c == label)) / count);
}

static void measure(const espl_graph *graph, espl_graph_run *run,
                    const espl_channel_classes *classes, const float *const *inputs,
                    const uint8_t *labels, int count, float *logits, espl_gradients *gradients,
                    double *scores)
{
	const int value = espl_graph_logits(graph);
	const int outputs = espl_value_elements(&graph->values[value]);

	espl_graph_run_forward(run, inputs, count);
	espl_graph_run_read(run, value, logits);
	for (int i = 0; i < count; i++)
		loss_gradient(logits + (int64_t)i * outputs, outputs, labels[i], count);
	espl_graph_run_backward(run, value, logits);
	for (int n = 0; n < graph->node_count; n++)
		gradients[n] = espl_graph_run_gradients(run, n);
	espl_channel_taylor(graph, classes, gradients, scores);
}

espl_status espl_channel_saliency(const espl_graph *graph, const espl_channel_classes *classes,
                                  const espl_samples *samples, int batch, int batches,
                                  uint32_t seed, int threads, double *scores, espl_error *err)
{
	espl_arena *arena;
	espl_graph_run *run;
	espl_gradients *gradients;
	float *image, *logits;
	uint8_t *labels;
	espl_random random = espl_random_stream(seed, SALIENCY, 0);
	int elements;

	ESPL_TRY(espl_graph_fits(graph, samples, err));
	ESPL_TRY(espl_graph_run_create(graph, batch, threads, true, &run, err));
	arena = espl_arena_create();
	elements = samples->rows * samples->columns * samples->channels;
	image = ESPL_ARRAY(arena, float, (int64_t)batch *elements);
	labels = ESPL_ARRAY(arena, uint8_t, batch);
	logits = ESPL_ARRAY(
	        arena, float,
	        (int64_t)batch *espl_value_elements(&graph->values[espl_graph_logits(graph)]));
	gradients = ESPL_ARRAY(arena, espl_gradients, graph->node_count);
	for (int i = 0; i < classes->class_count; i++)
		scores[i] = 0;
	for (int b = 0; b < batches; b++) {
		for (int i = 0; i < batch; i++) {
			const int sample =
			        (int)espl_random_below(&random, (uint32_t)samples->count);

			espl_samples_floats(samples, sample, 1, image + (int64_t)i * elements);
			labels[i] = samples->labels[sample];
		}
		measure(graph, run, classes, (const float *const[]){image}, labels, batch, logits,
		        gradients, scores);
	}
	espl_graph_run_destroy(run);
	espl_arena_destroy(arena);
	return ESPL_OK;
}
