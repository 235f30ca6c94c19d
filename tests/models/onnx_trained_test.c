/* Float ONNX models against ONNX Runtime's outputs: every trained model of the collection.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: onnx_trained_test [--models FOLDER] MODEL...
 * Skipped (77) where the models are not there. Elements may differ by 1e-4 of the greatest.
 */
#include "import/import.h"
#include "interp/graph_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77, SAMPLES_MAX = 32 };

/* The float32 data of a .npy file of version 1. */
static const float *read_npy(const char *path, espl_arena *arena, size_t *count, espl_error *err)
{
	espl_span file;
	size_t start;
	float *values;

	if (espl_file_read(path, arena, &file, err) != ESPL_OK)
		return NULL;
	if (file.size < 12 || memcmp(file.data, "\x93NUMPY\x01", 7))
		return NULL;
	start = 10 + ((size_t)file.data[8] | (size_t)file.data[9] << 8);
	*count = (file.size - start) / sizeof(float);
	values = ESPL_ARRAY(arena, float, *count);
	memcpy(values, file.data + start, *count * sizeof(float));
	return values;
}

/* batch x channels x rows x columns to batch x rows x columns x channels */
static const float *turn(const float *from, int samples, const espl_value *shape, espl_arena *arena)
{
	const int cells = shape->rows * shape->columns, channels = shape->channels;
	float *to = ESPL_ARRAY(arena, float, (size_t)samples *cells *channels);

	for (int s = 0; s < samples; s++)
		for (int c = 0; c < channels; c++)
			for (int i = 0; i < cells; i++)
				to[((size_t)s * cells + i) * channels + c] =
				        from[((size_t)s * channels + c) * cells + i];
	return to;
}

static espl_status compare(const char *folder, const char *name, espl_arena *arena, espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/%s/%s.float.onnx", folder, name, name);
	size_t in_count = 0, out_count = 0;
	const float *in, *want;
	float *got, greatest = 0, worst = 0;
	const espl_value *input, *output;
	espl_graph_run *run;
	espl_graph *graph;
	int samples;

	ESPL_TRY(espl_import_graph(path, arena, &graph, NULL, err));
	in = read_npy(espl_arena_format(arena, "%s/%s/input.npy", folder, name), arena, &in_count,
	              err);
	want = read_npy(espl_arena_format(arena, "%s/%s/output.float.npy", folder, name), arena,
	                &out_count, err);
	if (!in || !want || graph->input_count != 1 || graph->output_count != 1)
		return espl_fail(err, ESPL_SYNTAX, "%s: inputs or outputs cannot be read", name);
	input = &graph->values[graph->inputs[0]];
	output = &graph->values[graph->outputs[0]];
	samples = (int)(in_count / (size_t)espl_value_elements(input));
	if (samples < 1 || samples > SAMPLES_MAX ||
	    out_count != (size_t)samples * (size_t)espl_value_elements(output))
		return espl_fail(err, ESPL_SHAPE, "%s: %d samples, %zu outputs", name, samples,
		                 out_count);
	in = turn(in, samples, input, arena);
	want = turn(want, samples, output, arena);
	got = ESPL_ARRAY(arena, float, out_count);
	ESPL_TRY(espl_graph_run_create(graph, samples, 1, false, &run, err));
	espl_graph_run_forward(run, &in, samples);
	espl_graph_run_read(run, graph->outputs[0], got);
	espl_graph_run_destroy(run);
	for (size_t i = 0; i < out_count; i++) {
		greatest = fmaxf(greatest, fabsf(want[i]));
		worst = fmaxf(worst, fabsf(want[i] - got[i]));
	}
	printf("%-18s %2d samples, %5zu outputs, greatest %9.4g, largest difference %.2g\n", name,
	       samples, out_count, (double)greatest, (double)worst);
	if (!(worst <= 1e-4f * greatest))
		return espl_fail(err, ESPL_MISMATCH, "%s: a difference of %g", name, (double)worst);
	return ESPL_OK;
}

int main(int argc, char **argv)
{
	const char *models = getenv("ESPALIER_MODELS");
	espl_arena *arena = espl_arena_create();
	const char *folder;
	int failed = 0;

	if (!models)
		models = ESPALIER_MODELS_DEFAULT;
	folder = espl_arena_format(arena, "%s/onnx/trained", models);
	if (!espl_file_exists(folder)) {
		printf("SKIPPED: %s is not there\n", folder);
		espl_arena_destroy(arena);
		return SKIPPED;
	}
	for (int i = 1; i < argc; i++) {
		espl_error error = {0};

		if (compare(folder, argv[i], arena, &error) != ESPL_OK) {
			printf("FAILED %s: %s: %s\n", argv[i], error.where, error.message);
			failed++;
		}
	}
	espl_arena_destroy(arena);
	return failed > 0;
}
