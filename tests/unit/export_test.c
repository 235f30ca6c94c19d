/* Exported models: read back, they are what was written, and compute the same.
 * SPDX-License-Identifier: Apache-2.0
 *
 * That ONNX Runtime computes the same is for tests/oracle/onnx_export.py.
 */
#include "export/export.h"

#include "import/import.h"
#include "import/onnx_model.h"
#include "interp/graph_run.h"
#include "tiny_graph.h"
#include "tiny_net.h"

#include "unit.h"

#include <math.h>
#include <string.h>

static const espl_onnx_model *exported(const espl_net *net, espl_export_form form,
                                       espl_arena *arena, espl_span *bytes)
{
	espl_export_report report;
	espl_onnx_model *model = NULL;
	espl_error err = {0};

	assert_int_equal(espl_export_net(net, form, "test", arena, bytes, &report, &err), ESPL_OK);
	if (espl_onnx_read(*bytes, arena, &model, &err) != ESPL_OK)
		fail_msg("%s", err.message);
	return model;
}

static bool has_value(const espl_onnx_model *model, const char *name)
{
	for (int i = 0; i < model->value_count; i++)
		if (!strcmp(model->values[i].name, name))
			return true;
	return false;
}

static bool has_node(const espl_onnx_model *model, const char *name)
{
	for (int i = 0; i < model->node_count; i++)
		if (!strcmp(model->nodes[i].name, name))
			return true;
	return false;
}

/* In both forms the file is whole, the same each time, and has the net's names. */
static void nets_keep_their_names(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 40; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_net(arena, seed);

		for (int form = 0; form < 2; form++) {
			espl_span bytes, again;
			const espl_onnx_model *model =
			        exported(net, (espl_export_form)form, arena, &bytes);

			exported(net, (espl_export_form)form, arena, &again);
			assert_int_equal(bytes.size, again.size);
			assert_memory_equal(bytes.data, again.data, bytes.size);
			assert_int_equal(model->input_count, net->input_count);
			assert_int_equal(model->output_count, net->output_count);
			for (int i = 0; i < net->tensor_count; i++)
				assert_true(has_value(model, net->tensors[i].name));
			for (int i = 0; i < net->op_count; i++)
				assert_true(has_node(model, net->ops[i].name));
		}
		espl_arena_destroy(arena);
	}
}

/* Runs a graph on one sample of numbers by a seed; the outputs one after another. */
static const float *run(const espl_graph *graph, espl_arena *arena, int *count)
{
	const float **inputs = ESPL_ARRAY(arena, const float *, graph->input_count);
	espl_graph_run *runner;
	uint32_t random = 77;
	float *out;
	int at = 0;

	for (int i = 0; i < graph->input_count; i++) {
		const int elements = espl_value_elements(&graph->values[graph->inputs[i]]);
		float *values = ESPL_ARRAY(arena, float, elements);

		for (int e = 0; e < elements; e++)
			values[e] = tiny_random(&random);
		inputs[i] = values;
	}
	*count = 0;
	for (int o = 0; o < graph->output_count; o++)
		*count += espl_value_elements(&graph->values[graph->outputs[o]]);
	out = ESPL_ARRAY(arena, float, *count);
	assert_int_equal(espl_graph_run_create(graph, 1, 1, false, &runner, NULL), ESPL_OK);
	espl_graph_run_forward(runner, inputs, 1);
	for (int o = 0; o < graph->output_count; o++) {
		espl_graph_run_read(runner, graph->outputs[o], out + at);
		at += espl_value_elements(&graph->values[graph->outputs[o]]);
	}
	espl_graph_run_destroy(runner);
	return out;
}

/* A node of every kind, as an ONNX model and back: the same function. */
static void graphs_come_back(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_graph *graph = tiny_graph(arena, seed, seed & 1, false);
		espl_graph *back = NULL;
		const float *want, *got;
		espl_error err = {0};
		espl_span bytes;
		int count, again;

		assert_int_equal(espl_export_graph(graph, "test", arena, &bytes, &err), ESPL_OK);
		if (espl_import_onnx_graph(bytes, "back", arena, &back, NULL, &err) != ESPL_OK)
			fail_msg("seed %u: %s", (unsigned)seed, err.message);
		want = run(graph, arena, &count);
		got = run(back, arena, &again);
		assert_int_equal(count, again);
		for (int i = 0; i < count; i++)
			assert_true(fabsf(want[i] - got[i]) <= 1e-5f * fmaxf(1, fabsf(want[i])));
		espl_arena_destroy(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nets_keep_their_names),
	        cmocka_unit_test(graphs_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
