/* ONNX's own node tests: what passes, what is refused and why; nothing may be wrong.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: onnx_conformance [--write FILE | --check FILE]
 *
 * Each test is a model of one node with inputs and outputs. The inputs of such a model are all
 * data; a network's weights are constants. So each is read in three ways: with all inputs as data,
 * with all but the first as constants, and with all as constants, which tests the arithmetic on
 * constants. Every way that is not refused must give the outputs: integers exactly, floats within
 * ONNX's own tolerance. --check compares the score with docs/onnx-conformance.md.
 * Exits with 77 where the tests are not there.
 */
#include "base/json.h"
#include "export/wire_writer.h"
#include "import/onnx_float.h"
#include "import/onnx_read.h"
#include "interp/graph_run.h"
#include "interp/interp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77, TENSORS_MAX = 16, OPERATORS_MAX = 64, MODEL_GRAPH = 7 };
enum { GRAPH_TENSOR = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

typedef enum { REFUSED, PASSED, WRONG } verdict;

typedef struct {
	const char *name, *kind;
	espl_onnx_tensor inputs[TENSORS_MAX], outputs[TENSORS_MAX];
	espl_span input_bytes[TENSORS_MAX];
	int input_count, output_count;
	espl_span model;
	verdict result;
	const char *how;  /* "float, integer, constant": the ways that passed */
	char reason[512]; /* of the refusal, or what is wrong */
	const char *input_names[TENSORS_MAX], *output_name;
} test;

typedef struct {
	espl_arena *arena;
	double relative, absolute;
} bench;

/* -- reading ------------------------------------------------------------------- */

static espl_status read_tensor(bench *b, const char *path, espl_onnx_tensor *out, espl_span *bytes,
                               espl_error *err)
{
	espl_onnx_reader *reader = ESPL_NEW(b->arena, espl_onnx_reader);

	ESPL_TRY(espl_file_read(path, b->arena, bytes, err));
	reader->file = (espl_wire_file){.file = *bytes};
	reader->arena = reader->scratch = b->arena;
	reader->err = err;
	return espl_onnx_read_tensor(reader, espl_wire_root(&reader->file), out);
}

static espl_status read_test(bench *b, const char *folder, test *t, espl_error *err)
{
	espl_span unused;

	ESPL_TRY(espl_file_read(espl_arena_format(b->arena, "%s/%s/model.onnx", folder, t->name),
	                        b->arena, &t->model, err));
	for (int i = 0; i < TENSORS_MAX; i++) {
		const char *path = espl_arena_format(b->arena, "%s/%s/test_data_set_0/input_%d.pb",
		                                     folder, t->name, i);

		if (!espl_file_exists(path))
			break;
		ESPL_TRY(read_tensor(b, path, &t->inputs[i], &t->input_bytes[i], err));
		t->input_count++;
	}
	for (int i = 0; i < TENSORS_MAX; i++) {
		const char *path = espl_arena_format(b->arena, "%s/%s/test_data_set_0/output_%d.pb",
		                                     folder, t->name, i);

		if (!espl_file_exists(path))
			break;
		ESPL_TRY(read_tensor(b, path, &t->outputs[i], &unused, err));
		t->output_count++;
	}
	return ESPL_OK;
}

/* A border of one sample: its name, type and, for an input, its shape. */
static espl_message border(bench *b, const char *name, const espl_onnx_tensor *of, bool shaped)
{
	espl_message value = espl_message_in(b->arena), kind = value, tensor = value, shape = value;

	for (int i = 0; i < of->rank; i++) {
		espl_message dim = espl_message_in(b->arena);

		espl_put_integer(&dim, 1, i ? of->dims[i] : 1);
		espl_put_message(&shape, 1, &dim);
	}
	espl_put_integer(&tensor, 1, of->type);
	if (shaped)
		espl_put_message(&tensor, 2, &shape);
	espl_put_message(&kind, 1, &tensor);
	espl_put_text(&value, 1, name);
	espl_put_message(&value, 2, &kind);
	return value;
}

/* The graph with borders of one sample each: what nets know. */
static espl_message one_sample(bench *b, const test *t, espl_span graph)
{
	espl_wire_file file = {.file = graph};
	espl_wire wire = espl_wire_root(&file);
	espl_message out = espl_message_in(b->arena), value;
	espl_wire_field field;

	while (espl_wire_next(&wire, &field))
		if (field.type == ESPL_WIRE_BYTES && field.number != GRAPH_INPUT &&
		    field.number != GRAPH_OUTPUT)
			espl_put_bytes(&out, (int)field.number, field.bytes.data, field.bytes.size);
	value = border(b, t->input_names[0], &t->inputs[0], true);
	espl_put_message(&out, GRAPH_INPUT, &value);
	value = border(b, t->output_name, &t->outputs[0], false);
	espl_put_message(&out, GRAPH_OUTPUT, &value);
	return out;
}

/* The model with inputs from `first` on as constants; `single`: and for one sample. */
static espl_span bind_inputs(bench *b, const test *t, int first, bool single)
{
	espl_wire_file file = {.file = t->model};
	espl_wire wire = espl_wire_root(&file);
	espl_message out = espl_message_in(b->arena);
	espl_wire_field field;

	while (espl_wire_next(&wire, &field)) {
		espl_message graph = espl_message_in(b->arena), tensor = graph;

		if (field.type != ESPL_WIRE_BYTES) {
			espl_put_integer(&out, (int)field.number, (int64_t)field.value);
			continue;
		}
		if (field.number != MODEL_GRAPH || (first >= t->input_count && !single)) {
			espl_put_bytes(&out, (int)field.number, field.bytes.data, field.bytes.size);
			continue;
		}
		graph.data = espl_arena_copy(b->arena, field.bytes.data, field.bytes.size);
		graph.size = graph.room = field.bytes.size;
		if (single)
			graph = one_sample(b, t, field.bytes);
		for (int i = first; i < t->input_count; i++) {
			const espl_span bytes = t->input_bytes[i];

			tensor.data = espl_arena_copy(b->arena, bytes.data, bytes.size);
			tensor.size = tensor.room = bytes.size;
			if (!t->inputs[i].name || !*t->inputs[i].name)
				espl_put_text(&tensor, 8, t->input_names[i]);
			espl_put_message(&graph, GRAPH_TENSOR, &tensor);
		}
		espl_put_message(&out, MODEL_GRAPH, &graph);
	}
	return (espl_span){out.data, out.size};
}

/* -- comparing ------------------------------------------------------------------- */

static bool agrees(const bench *b, const espl_onnx_tensor *want, int64_t i, double got)
{
	double expected;

	if (!espl_onnx_is_real(want->type))
		return got == (double)espl_onnx_integer_at(want, i);
	expected = espl_onnx_real_at(want, i);
	if (isnan(expected))
		return isnan(got);
	return expected == got ||
	       fabs(got - expected) <= b->absolute + b->relative * fabs(expected);
}

static verdict wrong(test *t, const char *way, int output, int64_t i, double got)
{
	snprintf(t->reason, sizeof(t->reason), "%s: element %lld of output %d is %g, not %g", way,
	         (long long)i, output, got,
	         espl_onnx_is_real(t->outputs[output].type)
	                 ? espl_onnx_real_at(&t->outputs[output], i)
	                 : (double)espl_onnx_integer_at(&t->outputs[output], i));
	return WRONG;
}

static bool same_shape(const espl_onnx_tensor *want, int rank, const int64_t *dims)
{
	if (want->rank != rank)
		return false;
	return !memcmp(want->dims, dims, (size_t)rank * sizeof(*dims));
}

/* -- float graphs ----------------------------------------------------------------- */

static verdict run_graph(bench *b, test *t, const espl_onnx_model *model,
                         const espl_float_import *import, int bound_from)
{
	const espl_graph *graph = import->builder.graph;
	const float *inputs[TENSORS_MAX];
	espl_graph_run *run;
	espl_error err = {0};
	verdict result = PASSED;

	for (int i = 0; i < graph->input_count; i++) {
		const espl_fact *fact = &import->facts[model->inputs[i]];
		const int elements = espl_value_elements(&graph->values[graph->inputs[i]]);
		float *values = ESPL_ARRAY(b->arena, float, elements * import->batch);
		int64_t sample, place;

		if (i >= bound_from || t->inputs[i].count != fact->count)
			return REFUSED;
		for (int64_t e = 0; e < fact->count; e++) {
			espl_fact_place(import, fact, e, &sample, &place);
			values[sample * elements + place] =
			        (float)espl_onnx_real_at(&t->inputs[i], e);
		}
		inputs[i] = values;
	}
	if (espl_graph_run_create(graph, (int)import->batch, 1, false, &run, &err) != ESPL_OK) {
		snprintf(t->reason, sizeof(t->reason), "%s", err.message);
		return REFUSED;
	}
	espl_graph_run_forward(run, inputs, (int)import->batch);
	for (int o = 0; o < model->output_count && o < t->output_count && result == PASSED; o++) {
		const espl_fact *fact = &import->facts[model->outputs[o]];
		const int elements = espl_value_elements(&graph->values[fact->value]);
		float *values = ESPL_ARRAY(b->arena, float, elements * import->batch);
		int64_t sample, place;

		if (!same_shape(&t->outputs[o], fact->rank, fact->dims)) {
			snprintf(t->reason, sizeof(t->reason), "float: output %d has another shape",
			         o);
			result = WRONG;
			break;
		}
		espl_graph_run_read(run, fact->value, values);
		for (int64_t e = 0; e < fact->count && result == PASSED; e++) {
			espl_fact_place(import, fact, e, &sample, &place);
			if (!agrees(b, &t->outputs[o], e,
			            (double)values[sample * elements + place]))
				result = wrong(t, "float", o, e,
				               (double)values[sample * elements + place]);
		}
	}
	espl_graph_run_destroy(run);
	return result;
}

/* Outputs that are constants. */
static verdict compare_constants(bench *b, test *t, const espl_onnx_model *model,
                                 const espl_float_import *import)
{
	for (int o = 0; o < model->output_count && o < t->output_count; o++) {
		const espl_fact *fact = &import->facts[model->outputs[o]];

		if (fact->kind != ESPL_FACT_CONSTANT)
			return REFUSED;
		if (!same_shape(&t->outputs[o], fact->rank, fact->dims)) {
			snprintf(t->reason, sizeof(t->reason),
			         "constant: output %d has another shape", o);
			return WRONG;
		}
		for (int64_t e = 0; e < fact->count; e++)
			if (!agrees(b, &t->outputs[o], e, espl_fact_number(fact, e)))
				return wrong(t, "constant", o, e, espl_fact_number(fact, e));
	}
	return PASSED;
}

static verdict try_float(bench *b, test *t, int first, const char **way)
{
	const espl_span bytes = bind_inputs(b, t, first, false);
	espl_float_import import;
	espl_onnx_model *model;
	espl_report report;
	espl_error err = {0};
	espl_status status;

	status = espl_onnx_read(bytes, b->arena, &model, &err);
	if (status == ESPL_OK)
		status = espl_onnx_to_graph(model, b->arena, &import, &report, &err);
	else
		report = (espl_report){0};
	*way = "float";
	if (status == ESPL_OK)
		return run_graph(b, t, model, &import, first);
	*way = "constant";
	if (report.count && !report.refused && !model->input_count) {
		const verdict constant = compare_constants(b, t, model, &import);

		if (constant != REFUSED)
			return constant;
	}
	snprintf(t->reason, sizeof(t->reason), "%s",
	         report.count && report.verdicts[0].reason && *report.verdicts[0].reason
	                 ? report.verdicts[0].reason
	                 : err.message);
	return REFUSED;
}

/* -- integer nets ------------------------------------------------------------------- */

/* Where element i in the file's order is in the tensor. */
static size_t place_of(const espl_tensor *tensor, const espl_order *order, int64_t i)
{
	const int sizes[3] = {tensor->rows, tensor->columns, tensor->channels};
	int at[3] = {0};

	for (int k = 2; k >= 0; k--) {
		const int axis = order ? order->axes[k] : k;

		at[axis] = (int)(i % sizes[axis]);
		i /= sizes[axis];
	}
	return ((size_t)at[0] * (size_t)tensor->columns + (size_t)at[1]) *
	               (size_t)tensor->channels +
	       (size_t)at[2];
}

static int8_t stored(const espl_net *net, int index, const espl_onnx_tensor *from, int64_t i)
{
	const espl_tensor *tensor = &net->tensors[net->inputs[index]];
	float value;

	if (net->input_types[index] == ESPL_TYPE_UINT8)
		return (int8_t)(espl_onnx_integer_at(from, i) - 128);
	if (net->input_types[index] == ESPL_TYPE_INT8)
		return (int8_t)espl_onnx_integer_at(from, i);
	value = nearbyintf((float)espl_onnx_real_at(from, i) / (float)tensor->scale) +
	        (float)tensor->zero_point;
	return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static double shown(const espl_net *net, int index, int8_t value)
{
	const espl_tensor *tensor = &net->tensors[net->outputs[index]];

	if (net->output_types[index] == ESPL_TYPE_UINT8)
		return value + 128;
	if (net->output_types[index] == ESPL_TYPE_INT8)
		return value;
	return (double)((float)tensor->scale * (float)(value - tensor->zero_point));
}

/* Runs a sample of all inputs and compares its part of all outputs. */
static verdict run_sample(bench *b, test *t, const espl_net *net, int64_t sample, int64_t samples)
{
	const int8_t *inputs[TENSORS_MAX];
	int8_t **tensors = espl_interp_buffers(net, b->arena);

	for (int i = 0; i < net->input_count; i++) {
		const espl_tensor *tensor = &net->tensors[net->inputs[i]];
		const int64_t count = espl_tensor_elements(tensor);
		int8_t *values = ESPL_ARRAY(b->arena, int8_t, count);

		if (t->inputs[i].count != samples * count)
			return REFUSED;
		for (int64_t e = 0; e < count; e++)
			values[place_of(tensor, net->input_orders ? &net->input_orders[i] : NULL,
			                e)] = stored(net, i, &t->inputs[i], sample * count + e);
		inputs[i] = values;
	}
	espl_interpret(net, inputs, tensors);
	for (int o = 0; o < net->output_count && o < t->output_count; o++) {
		const espl_tensor *tensor = &net->tensors[net->outputs[o]];
		const espl_order *order = net->output_orders ? &net->output_orders[o] : NULL;
		const int64_t count = espl_tensor_elements(tensor);

		if (t->outputs[o].count != samples * count)
			return REFUSED;
		for (int64_t e = 0; e < count; e++) {
			const double got =
			        shown(net, o, tensors[net->outputs[o]][place_of(tensor, order, e)]);

			if (!agrees(b, &t->outputs[o], sample * count + e, got))
				return wrong(t, "integer", o, sample * count + e, got);
		}
	}
	return PASSED;
}

static verdict try_integer(bench *b, test *t, int first)
{
	const int64_t samples = t->inputs[0].rank > 1 ? t->inputs[0].dims[0] : 1;
	const bool single = samples > 1 && first == 1 && t->output_count == 1;
	const espl_span bytes = bind_inputs(b, t, first, single);
	espl_error err = {0};
	espl_report report;
	espl_net *net;
	verdict result = PASSED;

	if (espl_import_onnx(bytes, t->name, b->arena, &net, &report, &err) != ESPL_OK) {
		snprintf(t->reason, sizeof(t->reason), "%s",
		         report.count && *report.verdicts[0].reason ? report.verdicts[0].reason
		                                                    : err.message);
		return REFUSED;
	}
	if (net->input_count > first)
		return REFUSED;
	for (int64_t i = 0; i < (single ? samples : 1) && result == PASSED; i++)
		result = run_sample(b, t, net, i, single ? samples : 1);
	return result;
}

/* -- a test, and all of them ---------------------------------------------------------- */

static void note(bench *b, test *t, verdict result, const char *way)
{
	if (result == WRONG)
		t->result = WRONG;
	if (result != PASSED)
		return;
	if (t->result == REFUSED)
		t->result = PASSED;
	if (!strstr(t->how, way))
		t->how = espl_arena_format(b->arena, "%s%s%s", t->how, *t->how ? ", " : "", way);
}

static void run_test(bench *b, test *t)
{
	const int firsts[3] = {t->input_count, 1, 0};
	espl_onnx_model *model;
	char first_reason[sizeof(t->reason)] = "";
	espl_error err = {0};

	t->how = "";
	if (espl_onnx_read(t->model, b->arena, &model, &err) != ESPL_OK) {
		snprintf(t->reason, sizeof(t->reason), "%s", err.message);
		return;
	}
	for (int i = 0; i < model->input_count && i < TENSORS_MAX; i++)
		t->input_names[i] = model->values[model->inputs[i]].name;
	t->output_name = model->output_count ? model->values[model->outputs[0]].name : "";
	for (int way = 0; way < 3 && t->result != WRONG; way++) {
		const char *name;
		verdict result;

		if (way && firsts[way] >= t->input_count)
			continue;
		if (espl_onnx_is_quantized(model)) {
			result = try_integer(b, t, firsts[way]);
			name = "integer";
		} else {
			result = try_float(b, t, firsts[way], &name);
		}
		note(b, t, result, name);
		if (way == 1 || (!way && t->input_count < 2))
			memcpy(first_reason, t->reason, sizeof(first_reason));
	}
	if (t->result == REFUSED && *first_reason)
		memcpy(t->reason, first_reason, sizeof(t->reason));
}

/* Text that a table of Markdown can hold. */
static const char *cell(espl_arena *arena, const char *text)
{
	char *out = espl_arena_string(arena, text);

	for (char *at = out; *at; at++)
		if (*at == '|' || *at == '\n')
			*at = '/';
	return out;
}

static int count(const test *tests, int test_count, const char *kind, verdict result)
{
	int found = 0;

	for (int i = 0; i < test_count; i++)
		found += (!kind || !strcmp(tests[i].kind, kind)) && tests[i].result == result;
	return found;
}

static const char *report(espl_arena *arena, const test *tests, int test_count)
{
	espl_message text = espl_message_in(arena);
	const char *kinds[OPERATORS_MAX], *line;
	int kind_count = 0;

#define PUT(...)                                                                          \
	do {                                                                              \
		line = espl_arena_format(arena, __VA_ARGS__);                             \
		espl_append(&text, &(espl_message){.data = (unsigned char *)(size_t)line, \
		                                   .size = strlen(line)});                \
	} while (0)
	PUT("# ONNX node tests\n\nThe score on the node tests of ONNX's own suite that concern the "
	    "operators of such networks, written by\n`tests/models/onnx_conformance.c` (its head "
	    "says how they are run). Do not edit: build, then `onnx_conformance --write\n"
	    "docs/onnx-conformance.md`.\n\n");
	PUT("| | |\n|---|---|\n| pass | %d |\n| refused, with the reason | %d |\n| wrong | %d "
	    "|\n\n",
	    count(tests, test_count, NULL, PASSED), count(tests, test_count, NULL, REFUSED),
	    count(tests, test_count, NULL, WRONG));
	PUT("| operator | pass | refused | wrong |\n|---|---|---|---|\n");
	for (int i = 0; i < test_count; i++) {
		bool known = false;

		for (int k = 0; k < kind_count; k++)
			known = known || !strcmp(kinds[k], tests[i].kind);
		if (known || kind_count == OPERATORS_MAX)
			continue;
		kinds[kind_count++] = tests[i].kind;
		PUT("| %s | %d | %d | %d |\n", tests[i].kind,
		    count(tests, test_count, tests[i].kind, PASSED),
		    count(tests, test_count, tests[i].kind, REFUSED),
		    count(tests, test_count, tests[i].kind, WRONG));
	}
	PUT("\n## Every test\n\n`float`: as a float graph; `integer`: as an integer net; "
	    "`constant`: computed while reading, as shapes are.\n\n| test | result |\n|---|---|\n");
	for (int i = 0; i < test_count; i++)
		PUT("| %s | %s%s |\n", tests[i].name,
		    tests[i].result == PASSED    ? "pass: "
		    : tests[i].result == REFUSED ? "refused: "
		                                 : "WRONG: ",
		    cell(arena, tests[i].result == PASSED ? tests[i].how : tests[i].reason));
#undef PUT
	return espl_arena_format(arena, "%.*s", (int)text.size, (const char *)text.data);
}

static espl_status read_list(bench *b, const char *folder, test **tests, int *test_count,
                             espl_error *err)
{
	const char *path = espl_arena_format(b->arena, "%s/manifest.json", folder);
	espl_json *json;
	espl_span text;
	espl_status status = ESPL_OK;

	ESPL_TRY(espl_file_read(path, b->arena, &text, err));
	ESPL_TRY(espl_json_parse((const char *)text.data, text.size, &json, err));
	*test_count = espl_json_count(json);
	*tests = ESPL_ARRAY(b->arena, test, *test_count);
	for (int i = 0; i < *test_count && !status; i++) {
		const espl_json *entry = espl_json_at(json, i);
		const char *name = "", *kind = "";

		status = espl_json_string(entry, "name", &name, err);
		if (!status)
			status = espl_json_string(entry, "op", &kind, err);
		(*tests)[i].name = espl_arena_string(b->arena, name);
		(*tests)[i].kind = espl_arena_string(b->arena, kind);
		if (!status && !i)
			status = espl_json_number(entry, "rtol", &b->relative, err);
		if (!status && !i)
			status = espl_json_number(entry, "atol", &b->absolute, err);
	}
	espl_json_destroy(json);
	return status;
}

static int finish(bench *b, const char *mode, const char *path, const char *text, int wrong_count)
{
	espl_error err = {0};
	espl_span kept;

	if (mode && !strcmp(mode, "--write") &&
	    espl_file_write(path, text, strlen(text), &err) != ESPL_OK) {
		printf("%s\n", err.message);
		return 1;
	}
	if (mode && !strcmp(mode, "--check")) {
		if (espl_file_read(path, b->arena, &kept, &err) != ESPL_OK) {
			printf("%s\n", err.message);
			return 1;
		}
		if (kept.size != strlen(text) || memcmp(kept.data, text, kept.size) != 0) {
			printf("%s is not this score: run onnx_conformance --write %s\n", path,
			       path);
			return 1;
		}
	}
	return wrong_count > 0;
}

int main(int argc, char **argv)
{
	bench b = {.arena = espl_arena_create()};
	const char *models = getenv("ESPALIER_MODELS"), *folder;
	espl_error err = {0};
	test *tests;
	int test_count, result;

	folder = espl_arena_format(b.arena, "%s/onnx/node-tests",
	                           models ? models : ESPALIER_MODELS_DEFAULT);
	if (!espl_file_exists(folder)) {
		printf("SKIPPED: %s is not there\n", folder);
		espl_arena_destroy(b.arena);
		return SKIPPED;
	}
	if (read_list(&b, folder, &tests, &test_count, &err) != ESPL_OK) {
		printf("%s: %s\n", err.where, err.message);
		return 1;
	}
	for (int i = 0; i < test_count; i++) {
		err = (espl_error){0};
		if (read_test(&b, folder, &tests[i], &err) == ESPL_OK)
			run_test(&b, &tests[i]);
		else
			snprintf(tests[i].reason, sizeof(tests[i].reason), "%s", err.message);
		if (tests[i].result == WRONG)
			printf("WRONG  %s: %s\n", tests[i].name, tests[i].reason);
	}
	printf("%d tests: %d pass, %d refused, %d wrong\n", test_count,
	       count(tests, test_count, NULL, PASSED), count(tests, test_count, NULL, REFUSED),
	       count(tests, test_count, NULL, WRONG));
	result = finish(&b, argc > 2 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL,
	                report(b.arena, tests, test_count), count(tests, test_count, NULL, WRONG));
	espl_arena_destroy(b.arena);
	return result;
}
