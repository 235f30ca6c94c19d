/* Does the interpreter equal TFLite Micro on published models, and net_run the interpreter?
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: interp_models_test [--samples N] [kws|ic|icl|vww|ad|sww|opvectors]...
 *
 * Reads the MLPerf Tiny bundle in $ESPALIER_MODELS/mlperf-tiny: whole models on their
 * evaluation inputs and on random ones, every operator's output on one input, and models of one
 * operator on dense inputs. One line for each check; --samples takes the first N inputs of a
 * set only. Exits with 77 when there is no bundle.
 */
#include "base/file.h"
#include "base/json.h"
#include "import/import.h"
#include "interp/interp.h"
#include "interp/net_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIP = 77 };

struct bench {
	espl_arena *arena;
	const char *root; /* of the bundle */
	int64_t most_samples;
	int failed_checks;
};

struct tally {
	int64_t compared, mismatches;
	char first[256];
};

static void fail(struct bench *bench, const char *what, const espl_error *err)
{
	printf("FAIL  %s: %s%s%s\n", what, err->where, err->where[0] ? ": " : "", err->message);
	bench->failed_checks++;
}

static void report(struct bench *bench, const char *what, const struct tally *tally)
{
	const int bad = tally->mismatches || !tally->compared;

	printf("%s  %s: %" PRId64 " elements compared, %" PRId64 " mismatches\n",
	       bad ? "FAIL" : "ok  ", what, tally->compared, tally->mismatches);
	if (tally->mismatches)
		printf("      first: %s\n", tally->first);
	bench->failed_checks += bad;
}

static void compare(struct tally *tally, int64_t sample, const espl_tensor *tensor,
                    const int8_t *expected, const int8_t *got)
{
	const int count = espl_tensor_elements(tensor);

	tally->compared += count;
	if (!memcmp(expected, got, (size_t)count))
		return;
	for (int i = 0; i < count; i++) {
		if (expected[i] == got[i])
			continue;
		if (!tally->mismatches++)
			snprintf(tally->first, sizeof tally->first,
			         "sample %" PRId64
			         ", tensor %.100s, channel %d, row %d, column %d: "
			         "expected %d, got %d",
			         sample, tensor->name, i % tensor->channels,
			         i / tensor->channels / tensor->columns,
			         i / tensor->channels % tensor->columns, expected[i], got[i]);
	}
}

/* Reads a file of the bundle, of which the size is known. */
static espl_status read_bundle(struct bench *bench, const char *name, int64_t size, espl_span *out,
                               espl_error *err)
{
	const char *path = espl_arena_format(bench->arena, "%s/%s", bench->root, name);

	ESPL_TRY(espl_file_read(path, bench->arena, out, err));
	if (size >= 0 && (int64_t)out->size != size)
		return espl_fail(err, ESPL_SHAPE, "%s: %zu bytes, expected %" PRId64, name,
		                 out->size, size);
	return ESPL_OK;
}

static espl_status read_json(struct bench *bench, const char *name, espl_json **out,
                             espl_error *err)
{
	espl_span text;

	ESPL_TRY(read_bundle(bench, name, -1, &text, err));
	return espl_json_parse((const char *)text.data, text.size, out, err);
}

static espl_status import(struct bench *bench, const char *name, espl_net **net, espl_error *err)
{
	const char *path = espl_arena_format(bench->arena, "%s/%s", bench->root, name);

	return espl_import(path, ESPL_ROUND_TFLM, bench->arena, net, NULL, err);
}

/* A data file with its shape, as the manifest describes it. */
typedef struct {
	const int8_t *data;
	int64_t size;
	int64_t *shape;
	int rank;
} blob;

static espl_status read_blob(struct bench *bench, const espl_json *entry, blob *out,
                             espl_error *err)
{
	const char *name;
	espl_span span;

	ESPL_TRY(espl_json_string(entry, "file", &name, err));
	ESPL_TRY(espl_json_integers(entry, "shape", 1, 1 << 30, bench->arena, &out->shape,
	                            &out->rank, err));
	out->size = 1;
	for (int i = 0; i < out->rank; i++)
		out->size *= out->shape[i];
	ESPL_TRY(read_bundle(bench, name, out->size, &span, err));
	out->data = (const int8_t *)span.data;
	return ESPL_OK;
}

/* Runs the reference, and the fast way, which must give the same tensors. */
static void run_both(const espl_net *net, espl_net_run *fast, int64_t sample,
                     const int8_t *const *inputs, int8_t *const *tensors, struct tally *tally)
{
	espl_interpret(net, inputs, tensors);
	espl_net_run_forward(fast, inputs, 1);
	for (int t = 0; t < net->tensor_count; t++)
		compare(tally, sample, &net->tensors[t], tensors[t], espl_net_run_tensor(fast, t));
}

/* Compares the net's only output on each sample. A set of frames, [files][frames][values], is
 * read through a window that slides by one frame. */
static espl_status run_set(struct bench *bench, const espl_net *net, const blob *input,
                           const blob *expected, struct tally *tally, espl_error *err)
{
	const espl_tensor *in = &net->tensors[net->inputs[0]];
	const espl_tensor *out = &net->tensors[net->outputs[0]];
	const int64_t in_size = espl_tensor_elements(in), out_size = espl_tensor_elements(out);
	const int64_t per_file = input->size / input->shape[0];
	const int64_t step = per_file == in_size ? in_size : input->shape[input->rank - 1];
	const int64_t windows = (per_file - in_size) / step + 1;
	int64_t count = input->shape[0] * windows;
	int8_t **tensors = espl_interp_buffers(net, bench->arena);
	espl_net_run *fast;

	if (net->input_count != 1 || net->output_count != 1 || expected->size != count * out_size)
		return espl_fail(err, ESPL_SHAPE, "%" PRId64 " samples, %" PRId64 " expected bytes",
		                 count, expected->size);
	count = count < bench->most_samples ? count : bench->most_samples;
	ESPL_TRY(espl_net_run_create(net, 1, 1, &fast, err));
	for (int64_t i = 0; i < count; i++) {
		const int8_t *sample = input->data + i / windows * per_file + i % windows * step;

		run_both(net, fast, i, &sample, tensors, tally);
		compare(tally, i, out, expected->data + i * out_size, tensors[net->outputs[0]]);
	}
	espl_net_run_destroy(fast);
	return ESPL_OK;
}

static void check_set(struct bench *bench, const char *task, const espl_net *net,
                      const espl_json *set)
{
	espl_error err = {0};
	struct tally tally = {0};
	const char *name = "?";
	const espl_json *input_entry, *expected_entry;
	blob input, expected;
	const char *what;

	if (espl_json_string(set, "name", &name, &err) ||
	    espl_json_object(set, "input", &input_entry, &err) ||
	    espl_json_object(set, "expected_tflm", &expected_entry, &err) ||
	    read_blob(bench, input_entry, &input, &err) ||
	    read_blob(bench, expected_entry, &expected, &err) ||
	    run_set(bench, net, &input, &expected, &tally, &err)) {
		fail(bench, task, &err);
		return;
	}
	what = espl_arena_format(bench->arena, "%s %s", task, name);
	report(bench, what, &tally);
}

/* Runs the first sample of the first set and compares the output of every operator. */
static espl_status run_layers(struct bench *bench, const espl_net *net, const int8_t *sample,
                              const espl_json *layers, espl_span expected, struct tally *tally,
                              espl_error *err)
{
	int8_t **tensors = espl_interp_buffers(net, bench->arena);
	const espl_json *layer;

	if (espl_json_count(layers) != net->op_count)
		return espl_fail(err, ESPL_SHAPE, "%d operators expected, the net has %d",
		                 espl_json_count(layers), net->op_count);
	espl_interpret(net, &sample, tensors);
	for (layer = espl_json_first(layers); layer; layer = espl_json_next(layer)) {
		int64_t index, offset, bytes;
		const espl_tensor *tensor;

		ESPL_TRY(espl_json_integer(layer, "op_index", 0, net->op_count - 1, &index, err));
		ESPL_TRY(espl_json_integer(layer, "bytes", 1, (int64_t)expected.size, &bytes, err));
		ESPL_TRY(espl_json_integer(layer, "offset", 0, (int64_t)expected.size - bytes,
		                           &offset, err));
		tensor = &net->tensors[net->ops[index].output];
		if (espl_tensor_elements(tensor) != bytes)
			return espl_fail(err, ESPL_SHAPE, "%s: %" PRId64 " bytes expected",
			                 tensor->name, bytes);
		compare(tally, 0, tensor, (const int8_t *)expected.data + offset,
		        tensors[net->ops[index].output]);
	}
	return ESPL_OK;
}

static void check_layers(struct bench *bench, const char *task, const espl_net *net,
                         const espl_json *first_set)
{
	const char *what = espl_arena_format(bench->arena, "%s every operator", task);
	const char *json_name =
	        espl_arena_format(bench->arena, "intermediates/%s_eval0.json", task);
	const char *bin_name = espl_arena_format(bench->arena, "intermediates/%s_eval0.bin", task);
	espl_json *layers = NULL;
	const espl_json *input_entry;
	espl_error err = {0};
	struct tally tally = {0};
	espl_span expected;
	blob input;

	if (espl_json_object(first_set, "input", &input_entry, &err) ||
	    read_blob(bench, input_entry, &input, &err) ||
	    read_json(bench, json_name, &layers, &err) ||
	    read_bundle(bench, bin_name, -1, &expected, &err) ||
	    run_layers(bench, net, input.data, layers, expected, &tally, &err))
		fail(bench, what, &err);
	else
		report(bench, what, &tally);
	espl_json_destroy(layers);
}

static void check_model(struct bench *bench, const char *task, const espl_json *entry)
{
	const espl_json *sets;
	const char *model;
	espl_error err = {0};
	espl_net *net;

	if (espl_json_string(entry, "model", &model, &err) ||
	    espl_json_array(entry, "sets", &sets, &err) || import(bench, model, &net, &err)) {
		fail(bench, task, &err);
		return;
	}
	check_layers(bench, task, net, espl_json_first(sets));
	for (const espl_json *set = espl_json_first(sets); set; set = espl_json_next(set))
		check_set(bench, task, net, set);
}

/* Runs a model of one operator with one or two inputs on each of its samples. */
static espl_status run_vector(struct bench *bench, const espl_net *net, const blob *inputs,
                              int count, const blob *expected, struct tally *tally, espl_error *err)
{
	const espl_tensor *out = &net->tensors[net->outputs[0]];
	const int64_t out_size = espl_tensor_elements(out);
	int8_t **tensors = espl_interp_buffers(net, bench->arena);
	const int64_t samples = expected->shape[0];
	const int8_t *sample[ESPL_MAX_INPUTS];
	espl_net_run *fast;

	if (net->input_count != count || expected->size != samples * out_size)
		return espl_fail(err, ESPL_SHAPE, "%d inputs, the net has %d", count,
		                 net->input_count);
	ESPL_TRY(espl_net_run_create(net, 1, 1, &fast, err));
	for (int64_t i = 0; i < samples && i < bench->most_samples; i++) {
		for (int k = 0; k < count; k++)
			sample[k] = inputs[k].data +
			            i * espl_tensor_elements(&net->tensors[net->inputs[k]]);
		run_both(net, fast, i, sample, tensors, tally);
		compare(tally, i, out, expected->data + i * out_size, tensors[net->outputs[0]]);
	}
	espl_net_run_destroy(fast);
	return ESPL_OK;
}

/* The bundle's two MEAN models are over the last axis, of size 3, which no importer takes; their
 * numbers are those of a mean over three rows when the axes are exchanged. In both, input and
 * output have the zero point 6 and the same scale: 1/3 is 2 * 2^30 / 3 / 2^31. */
static espl_status run_mean_vector(struct bench *bench, const blob *input, const blob *expected,
                                   struct tally *tally, espl_error *err)
{
	const int channels = (int)(expected->size / expected->shape[0]);
	espl_tensor tensors[2] = {
	        {"in", 3, 1, channels, 1.0, 6},
	        {"mean", 1, 1, channels, 1.0, 6},
	};
	espl_op op = {
	        .kind = ESPL_OP_MEAN,
	        .name = "mean",
	        .input_count = 1,
	        .inputs = {0},
	        .output = 1,
	        .kernel_rows = 1,
	        .kernel_columns = 1,
	        .stride_rows = 1,
	        .stride_columns = 1,
	        .dilation_rows = 1,
	        .dilation_columns = 1,
	        .out_scale = {715827882, 0},
	        .low = -128,
	        .high = 127,
	};
	const espl_net net = {.name = "mean",
	                      .rounding = ESPL_ROUND_TFLM,
	                      .tensor_count = 2,
	                      .op_count = 1,
	                      .tensors = tensors,
	                      .ops = &op,
	                      .input_count = 1,
	                      .output_count = 1,
	                      .inputs = &op.inputs[0],
	                      .outputs = &op.output};
	int8_t **buffers = espl_interp_buffers(&net, bench->arena);
	int8_t *sample = ESPL_ARRAY(bench->arena, int8_t, 3 * channels);
	const int8_t *samples = sample;

	if (input->size != 3 * expected->size)
		return espl_fail(err, ESPL_SHAPE, "%" PRId64 " values give %" PRId64, input->size,
		                 expected->size);
	for (int64_t i = 0; i < expected->shape[0]; i++) {
		for (int j = 0; j < 3 * channels; j++)
			sample[j % 3 * channels + j / 3] = input->data[i * 3 * channels + j];
		espl_interpret(&net, &samples, buffers);
		compare(tally, i, &tensors[1], expected->data + i * channels, buffers[1]);
	}
	return ESPL_OK;
}

static espl_status run_entry(struct bench *bench, const espl_json *entry, const char *op,
                             struct tally *tally, espl_error *err)
{
	const espl_json *inputs, *expected_entry;
	blob input[ESPL_MAX_INPUTS], expected;
	const char *model;
	espl_net *net;
	int count;

	ESPL_TRY(espl_json_string(entry, "model", &model, err));
	ESPL_TRY(espl_json_array(entry, "inputs", &inputs, err));
	ESPL_TRY(espl_json_object(entry, "expected", &expected_entry, err));
	ESPL_TRY(read_blob(bench, expected_entry, &expected, err));
	count = espl_json_count(inputs);
	if (count < 1 || count > 2)
		return espl_fail(err, ESPL_UNSUPPORTED, "%d inputs", count);
	for (int i = 0; i < count; i++)
		ESPL_TRY(read_blob(bench, espl_json_at(inputs, i), &input[i], err));
	if (strstr(op, "MEAN"))
		return run_mean_vector(bench, &input[0], &expected, tally, err);
	ESPL_TRY(import(bench, model, &net, err));
	return run_vector(bench, net, input, count, &expected, tally, err);
}

static void check_vectors(struct bench *bench, const espl_json *manifest)
{
	const espl_json *entries;
	espl_error err = {0};

	if (espl_json_array(manifest, "single_op_vectors", &entries, &err)) {
		fail(bench, "manifest.json", &err);
		return;
	}
	for (const espl_json *entry = espl_json_first(entries); entry;
	     entry = espl_json_next(entry)) {
		struct tally tally = {0};
		const char *op = "?";

		if (espl_json_string(entry, "op", &op, &err) ||
		    run_entry(bench, entry, op, &tally, &err))
			fail(bench, op, &err);
		else
			report(bench, op, &tally);
	}
}

/* "intermediates/kws_eval0.json" gives "kws". */
static const char *task_of(struct bench *bench, const espl_json *entry)
{
	const char *name;
	char *task;

	if (espl_json_string(entry, "intermediates", &name, NULL) || !strchr(name, '/'))
		return "?";
	task = espl_arena_string(bench->arena, strchr(name, '/') + 1);
	task[strcspn(task, "_")] = '\0';
	return task;
}

static bool wanted(const char *task, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(task, names[i]))
			return true;
	return count == 0;
}

static void check_manifest(struct bench *bench, const espl_json *manifest, char **names, int count)
{
	const espl_json *models;
	espl_error err = {0};

	if (espl_json_array(manifest, "models", &models, &err)) {
		fail(bench, "manifest.json", &err);
		return;
	}
	for (const espl_json *entry = espl_json_first(models); entry;
	     entry = espl_json_next(entry)) {
		const char *task = task_of(bench, entry);
		const espl_mark mark = espl_arena_mark(bench->arena);

		if (wanted(task, names, count))
			check_model(bench, task, entry);
		espl_arena_release(bench->arena, mark);
	}
	if (wanted("opvectors", names, count))
		check_vectors(bench, manifest);
}

int main(int argc, char **argv)
{
	const char *models = getenv("ESPALIER_MODELS");
	struct bench bench = {espl_arena_create(), NULL, INT64_MAX, 0};
	espl_json *manifest = NULL;
	espl_error err = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "--samples")) {
		bench.most_samples = strtoll(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	bench.root = espl_arena_format(bench.arena, "%s/mlperf-tiny",
	                               models ? models : ESPALIER_MODELS_DEFAULT);
	if (!espl_file_exists(espl_arena_format(bench.arena, "%s/manifest.json", bench.root))) {
		printf("SKIP  no models in %s; set ESPALIER_MODELS\n", bench.root);
		espl_arena_destroy(bench.arena);
		return EXIT_SKIP;
	}
	if (read_json(&bench, "manifest.json", &manifest, &err))
		fail(&bench, "manifest.json", &err);
	else
		check_manifest(&bench, manifest, argv + 1, argc - 1);
	espl_json_destroy(manifest);
	espl_arena_destroy(bench.arena);
	return bench.failed_checks ? EXIT_FAILURE : EXIT_SUCCESS;
}
