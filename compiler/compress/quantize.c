/* Post-training quantization: float graph in, graph with steps out.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/quantize.h"

#include "compress/calibrate.h"
#include "compress/observe.h"
#include "compress/roles.h"

#include <string.h>

espl_quantize_options espl_quantize_default(void)
{
	return (espl_quantize_options){
	        .weight_bits = 8,
	        .activation_bits = 8,
	        .method = ESPL_RANGE_MSE,
	        .percentile = 99.9,
	        .samples = 512,
	        .seed = 1,
	        .threads = 1,
	};
}

espl_graph *espl_float_graph(const espl_graph *source, espl_arena *arena)
{
	espl_graph *graph = espl_graph_copy(source, arena);

	for (int v = 0; v < graph->value_count; v++)
		graph->values[v].quantizer = (espl_quantizer){0};
	for (int n = 0; n < graph->node_count; n++) {
		graph->nodes[n].weight_bits = 0;
		graph->nodes[n].weight_steps = NULL;
	}
	return graph;
}

static espl_status freeze(const espl_graph *graph, const float *inputs, int count, int threads,
                          espl_arena *arena, espl_graph **out, espl_error *err)
{
	espl_graph *frozen = espl_fold(graph, false, arena);

	espl_limit_sums(frozen);
	ESPL_TRY(espl_round_biases(frozen, inputs, count, threads, err));
	*out = frozen;
	return ESPL_OK;
}

espl_status espl_freeze(const espl_graph *graph, const espl_samples *samples,
                        const espl_quantize_options *options, espl_arena *arena, espl_graph **out,
                        espl_error *err)
{
	int count = options->samples;
	const float *inputs = espl_draw_samples(samples, &count, options->seed, arena);

	return freeze(graph, inputs, count, options->threads, arena, out, err);
}

static espl_status check_layers(const espl_graph *graph, const espl_quantize_options *options,
                                espl_error *err)
{
	for (int i = 0; i < options->layer_count; i++) {
		bool found = false;

		for (int n = 0; n < graph->node_count; n++)
			found |= espl_has_weights(graph->nodes[n].kind) &&
			         !strcmp(graph->nodes[n].name, options->layers[i].name);
		if (!found)
			return espl_fail(err, ESPL_USAGE, "%s has no layer %s with weights",
			                 graph->name, options->layers[i].name);
	}
	return ESPL_OK;
}

static espl_status check_samples(const espl_graph *graph, const espl_samples *samples,
                                 espl_error *err)
{
	const espl_value *input = &graph->values[graph->inputs[0]];

	if (graph->input_count != 1)
		return espl_fail(err, ESPL_UNSUPPORTED, "%s has %d inputs, samples have one",
		                 graph->name, graph->input_count);
	if (samples->rows != input->rows || samples->columns != input->columns ||
	    samples->channels != input->channels)
		return espl_fail(err, ESPL_SHAPE, "samples are %d x %d x %d, %s takes %d x %d x %d",
		                 samples->rows, samples->columns, samples->channels, graph->name,
		                 input->rows, input->columns, input->channels);
	if (samples->count < 1)
		return espl_fail(err, ESPL_SHAPE, "there are no samples to calibrate with");
	return ESPL_OK;
}

espl_status espl_quantize(const espl_graph *graph, const espl_samples *samples,
                          const espl_quantize_options *options, bool training, espl_arena *arena,
                          espl_graph **out, espl_error *err)
{
	espl_graph *original, *result;
	const float *inputs;
	int count = options->samples;

	ESPL_TRY(check_samples(graph, samples, err));
	original = espl_fold(espl_float_graph(graph, arena), training, arena);
	ESPL_TRY(check_layers(original, options, err));
	if (options->equalize && !training)
		espl_equalize(original);
	inputs = espl_draw_samples(samples, &count, options->seed, arena);
	result = espl_graph_copy(original, arena);
	ESPL_TRY(
	        espl_calibrate_values(result, inputs, count, samples->bytes != NULL, options, err));
	espl_calibrate_weights(result, options, arena);
	espl_limit_sums(result);
	if (options->gptq)
		ESPL_TRY(espl_gptq(result, inputs, count, options->threads, err));
	if (options->bias_correction)
		ESPL_TRY(espl_correct_biases(original, result, inputs, count, options->threads,
		                             arena, err));
	if (!training)
		ESPL_TRY(freeze(result, inputs, count, options->threads, arena, &result, err));
	ESPL_TRY(espl_graph_check(result, err));
	*out = result;
	return ESPL_OK;
}
