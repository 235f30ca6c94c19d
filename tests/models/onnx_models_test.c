/* Does the interpreter equal ONNX Runtime on quantized models?
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: onnx_models_test [--traces FOLDER] FOLDER [MODEL.VARIANT]...
 *
 * FOLDER is the ONNX bundle, with its index.json. A QOperator model must give ONNX Runtime's
 * output byte for byte; one step is allowed in 1 % of elements where it has a mean or an average
 * pool over part of the image, whose halves ONNX Runtime settles by float noise. A QDQ model may
 * differ by one step in 1 % of elements, or in twice as many as ONNX Runtime's own levels of
 * optimization differ in, and by no greatest element. --traces names a folder with the traces'
 * .npy files, in a folder each (tests/models/onnx_traces.py): then every tensor inside is compared.
 * Exits with 77 when there is no bundle.
 */
#include "base/file.h"
#include "base/json.h"
#include "import/import.h"
#include "interp/interp.h"
#include "lower/lower.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIP = 77, SAMPLES = 32, TRACED = 2 };

typedef struct {
	espl_arena *arena;
	const char *root, *traces;
	int failures;
} bench;

/* One model of the index. */
typedef struct {
	const char *folder, *name, *variant;
	bool exact;   /* a QOperator model without means */
	bool refused; /* what it needs is not supported */
	int64_t own_differences;
	espl_net *net;
} entry;

/* Models that are refused, each with a part of the reason. */
static const char *const refusals[][2] = {
        {"mbv3se_u50.qdq_s8s8_pc", "multiplies two different tensors"},
        {"mlp_fm_nm24.qdq_s16s8_pc", "activations are INT16"},
        {"mlp_fm_nm24.dynamic", "DynamicQuantizeLinear: the operator is unknown"},
};

static const char *expected_refusal(const entry *e, espl_arena *arena)
{
	const char *name = espl_arena_format(arena, "%s.%s", e->name, e->variant);

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (!strcmp(refusals[i][0], name))
			return refusals[i][1];
	return NULL;
}

static void fail(bench *b, const entry *e, const char *text)
{
	printf("FAIL  %s.%s: %s\n", e->name, e->variant, text);
	b->failures++;
}

static const float *read_floats(bench *b, const entry *e, const char *file, size_t *count)
{
	const char *path = espl_arena_format(b->arena, "%s/%s/%s", b->root, e->folder, file);
	espl_error err;
	espl_span span;

	if (espl_file_read(path, b->arena, &span, &err)) {
		fail(b, e, err.message);
		return NULL;
	}
	*count = span.size / sizeof(float);
	return (const float *)(const void *)span.data;
}

/* Where element i in the file's order is in the tensor. */
static size_t place(const espl_tensor *tensor, const espl_order *order, size_t i)
{
	const int sizes[3] = {tensor->rows, tensor->columns, tensor->channels};
	int at[3] = {0};

	for (int k = 2; k >= 0; k--) {
		const int axis = order ? order->axes[k] : k;

		at[axis] = (int)(i % (size_t)sizes[axis]);
		i /= (size_t)sizes[axis];
	}
	return ((size_t)at[0] * (size_t)tensor->columns + (size_t)at[1]) *
	               (size_t)tensor->channels +
	       (size_t)at[2];
}

/* Quantizes one sample as QuantizeLinear does. */
static void quantize(const espl_net *net, const float *from, int8_t *to)
{
	const espl_tensor *tensor = &net->tensors[net->inputs[0]];
	const size_t count = (size_t)espl_tensor_elements(tensor);

	for (size_t i = 0; i < count; i++) {
		float value = nearbyintf(from[i] / (float)tensor->scale);

		value += (float)tensor->zero_point;
		to[place(tensor, net->input_orders, i)] = (int8_t)(value < -128  ? -128
		                                                   : value > 127 ? 127
		                                                                 : value);
	}
}

static int greatest(const float *values, size_t count)
{
	int best = 0;

	for (size_t i = 1; i < count; i++)
		if (values[i] > values[best])
			best = (int)i;
	return best;
}

/* A .npy file of bytes behind its header. */
static bool read_npy(bench *b, const char *path, espl_span *out)
{
	if (espl_file_read(path, b->arena, out, NULL) || out->size < 12)
		return false;
	out->size -= 10u + out->data[8] + 256u * out->data[9];
	out->data += 10u + out->data[8] + 256u * out->data[9];
	return true;
}

/* The file's name of a tensor, with slashes replaced. */
static const char *trace_name(espl_arena *arena, const char *tensor)
{
	char *name = espl_arena_string(arena, tensor);

	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '@';
	return name;
}

/* Compares all traced tensors of one sample. Traces store channels first, uint8 as it is. */
static void compare_trace(bench *b, const entry *e, int sample, int8_t *const *tensors,
                          int64_t *compared, int64_t *differing, int *most)
{
	for (int t = 0; t < e->net->tensor_count; t++) {
		const espl_tensor *tensor = &e->net->tensors[t];
		const size_t count = (size_t)espl_tensor_elements(tensor);
		const espl_order planes = {{2, 0, 1}};
		const char *stem =
		        espl_arena_format(b->arena, "%s/%s.%s/%s", b->traces, e->name, e->variant,
		                          trace_name(b->arena, tensor->name));
		int64_t here = 0;
		espl_span npy;
		int offset = 0;

		if (!read_npy(b, espl_arena_format(b->arena, "%s.i1.npy", stem), &npy)) {
			offset = 128;
			if (!read_npy(b, espl_arena_format(b->arena, "%s.u1.npy", stem), &npy))
				continue;
		}
		if (npy.size != count * TRACED)
			continue; /* the tensor before a view */
		for (size_t i = 0; i < count; i++) {
			const unsigned char byte = npy.data[(size_t)sample * count + i];
			const int expected = offset ? byte - offset : (int8_t)byte;
			const int got = tensors[t][place(tensor, &planes, i)];
			const int apart = abs(expected - got);

			*most = apart > *most ? apart : *most;
			here += apart != 0;
		}
		*compared += (int64_t)count;
		*differing += here;
		if (here && e->exact)
			printf("      %s: %" PRId64 " of %zu differ\n", tensor->name, here, count);
	}
}

static void run_model(bench *b, entry *e)
{
	const char *stem = espl_arena_format(b->arena, "%s.%s", e->name, e->variant);
	const char *path = espl_arena_format(b->arena, "%s/%s/%s.onnx", b->root, e->folder, stem);
	const char *refusal = expected_refusal(e, b->arena);
	const espl_tensor *in, *out;
	const float *inputs, *outputs;
	size_t input_count = 0, output_count = 0, per_input, per_output;
	int64_t differing = 0, traced = 0, trace_differing = 0, allowed;
	int flips = 0, trace_most = 0, moved;
	double most = 0;
	float values[4096];
	int8_t **tensors, *input;
	espl_error err = {0};
	espl_status status = espl_import(path, ESPL_ROUND_TFLM, b->arena, &e->net, NULL, &err);

	if (refusal) {
		if (status != ESPL_UNSUPPORTED || !strstr(err.message, refusal))
			fail(b, e,
			     espl_arena_format(b->arena, "not refused for \"%s\": %s", refusal,
			                       err.message));
		else
			printf("ok    %s: refused: %.90s\n", stem, err.message);
		return;
	}
	if (status) {
		fail(b, e, err.message);
		return;
	}
	if (espl_settle(e->net, b->arena, &moved, &err)) {
		fail(b, e, err.message);
		return;
	}
	in = &e->net->tensors[e->net->inputs[0]];
	out = &e->net->tensors[e->net->outputs[0]];
	per_input = (size_t)espl_tensor_elements(in);
	per_output = (size_t)espl_tensor_elements(out);
	inputs = read_floats(b, e, "input.f32.bin", &input_count);
	outputs = read_floats(b, e,
	                      espl_arena_format(b->arena, "%s.output.ort_disabled.f32.bin", stem),
	                      &output_count);
	if (!inputs || !outputs)
		return;
	if (input_count != per_input * SAMPLES || output_count != per_output * SAMPLES ||
	    per_output > sizeof values / sizeof values[0]) {
		fail(b, e, "inputs or outputs are not 32 samples");
		return;
	}
	tensors = espl_interp_buffers(e->net, b->arena);
	input = espl_arena_calloc(b->arena, per_input, 1);
	for (int s = 0; s < SAMPLES; s++) {
		const float *expected = outputs + (size_t)s * per_output;

		quantize(e->net, inputs + (size_t)s * per_input, input);
		espl_interpret(e->net, (const int8_t *const[]){input}, tensors);
		for (size_t i = 0; i < per_output; i++) {
			const size_t at = place(out, e->net->output_orders, i);
			double apart;

			values[i] = (float)(tensors[e->net->outputs[0]][at] - out->zero_point) *
			            (float)out->scale;
			apart = fabs((double)(values[i] - expected[i])) / out->scale;
			differing += values[i] != expected[i];
			most = apart > most ? apart : most;
		}
		flips += greatest(values, per_output) != greatest(expected, per_output);
		if (b->traces && s < TRACED)
			compare_trace(b, e, s, tensors, &traced, &trace_differing, &trace_most);
	}
	allowed = e->exact ? 0 : (int64_t)output_count / 100;
	if (!e->exact && 2 * e->own_differences > allowed)
		allowed = 2 * e->own_differences;
	if (differing > allowed || most > 1.01 || (!e->exact && flips) ||
	    (e->exact && (trace_differing || moved)) || (b->traces && !traced))
		fail(b, e, "the outputs differ");
	printf("%s  %s: %" PRId64 " of %zu outputs differ (%" PRId64
	       " allowed), by %.2f steps at most, %d greatest; inside %" PRId64 " of %" PRId64
	       ", by %d\n",
	       differing > allowed ? "    " : "ok  ", stem, differing, output_count, allowed, most,
	       flips, trace_differing, traced, trace_most);
}

/* How many outputs differ between ONNX Runtime's own levels, of the 32 samples. */
static int64_t own_differences(bench *b, const entry *e)
{
	const char *path = espl_arena_format(b->arena, "%s/%s/manifest.json", b->root, e->folder);
	const espl_json *list, *levels, *all;
	espl_json *manifest;
	int64_t count = 0;
	espl_span text;

	if (espl_file_read(path, b->arena, &text, NULL) ||
	    espl_json_parse((const char *)text.data, text.size, &manifest, NULL))
		return 0;
	if (!espl_json_array(manifest, "quantized", &list, NULL))
		for (const espl_json *at = espl_json_first(list); at; at = espl_json_next(at)) {
			const char *variant;

			if (espl_json_string(at, "variant", &variant, NULL) ||
			    strcmp(variant, e->variant) != 0 ||
			    espl_json_object(at, "diff_vs_disabled", &levels, NULL) ||
			    espl_json_object(levels, "all", &all, NULL))
				continue;
			(void)espl_json_integer(all, "elements_differ", 0, INT32_MAX, &count, NULL);
		}
	espl_json_destroy(manifest);
	return count;
}

static bool wanted(const entry *e, int count, char **names, espl_arena *arena)
{
	const char *stem = espl_arena_format(arena, "%s.%s", e->name, e->variant);

	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], stem))
			return true;
	return !count;
}

static int run_index(bench *b, const espl_json *index, int count, char **names)
{
	int models = 0;

	for (const espl_json *at = espl_json_first(index); at; at = espl_json_next(at)) {
		const espl_json *ops;
		entry e = {0};

		if (espl_json_string(at, "model", &e.name, NULL) ||
		    espl_json_string(at, "variant", &e.variant, NULL) ||
		    espl_json_string(at, "dir", &e.folder, NULL) ||
		    espl_json_object(at, "ops", &ops, NULL)) {
			printf("FAIL  index.json: an entry without its members\n");
			b->failures++;
			continue;
		}
		if (!wanted(&e, count, names, b->arena))
			continue;
		e.exact = !strncmp(e.variant, "qop_", 4) && !espl_json_has(ops, "ReduceMean");
		e.own_differences = own_differences(b, &e);
		run_model(b, &e);
		models++;
	}
	return models;
}

int main(int count, char **arguments)
{
	bench b = {.arena = espl_arena_create()};
	int first = 1, models;
	espl_error err = {0};
	espl_json *index;
	espl_span text;

	if (count > 2 && !strcmp(arguments[1], "--traces")) {
		b.traces = arguments[2];
		first = 3;
	}
	if (count <= first)
		return 2;
	b.root = arguments[first];
	if (espl_file_read(espl_arena_format(b.arena, "%s/index.json", b.root), b.arena, &text,
	                   &err)) {
		printf("skipped: %s\n", err.message);
		espl_arena_destroy(b.arena);
		return EXIT_SKIP;
	}
	if (espl_json_parse((const char *)text.data, text.size, &index, &err)) {
		printf("index.json: %s\n", err.message);
		return 1;
	}
	models = run_index(&b, index, count - first - 1, arguments + first + 1);
	printf("%d models, %d failures\n", models, b.failures);
	espl_json_destroy(index);
	espl_arena_destroy(b.arena);
	return b.failures || !models;
}
