/* libFuzzer's entry: a float graph as text.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is not refused must be right: printed and read again it is the same, and it runs forward and
 * backward without leaving its memory.
 */
#include "interp/graph_run.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MOST = 1 << 14 }; /* elements, weights, and cells under kernels: so that runs stay short */

/* Whether a graph is small enough to be run many times a second. */
static bool small(const espl_graph *graph)
{
	int64_t work = 0;

	for (int v = 0; v < graph->value_count; v++)
		work += espl_value_elements(&graph->values[v]);
	for (int i = 0; i < graph->node_count && work <= MOST; i++) {
		const espl_node *node = &graph->nodes[i];

		work += espl_node_weights(graph, node) +
		        (int64_t)node->kernel_rows * node->kernel_columns;
	}
	return work <= MOST;
}

static void print_again(const espl_graph *graph, espl_arena *arena)
{
	const char *text, *second;
	size_t size, second_size;
	espl_graph *again;

	if (espl_graph_print(graph, arena, &text, &size, NULL) ||
	    espl_graph_parse(text, size, arena, &again, NULL) ||
	    espl_graph_print(again, arena, &second, &second_size, NULL) || size != second_size ||
	    memcmp(text, second, size) != 0)
		abort();
}

static void run(const espl_graph *graph, espl_arena *arena)
{
	const float **inputs = ESPL_ARRAY(arena, const float *, graph->input_count);
	const int output = graph->outputs[0];
	espl_graph_run *runner;
	float *gradient;

	for (int i = 0; i < graph->input_count; i++) {
		const int count = 2 * espl_value_elements(&graph->values[graph->inputs[i]]);
		float *values = ESPL_ARRAY(arena, float, count);

		for (int j = 0; j < count; j++)
			values[j] = (float)(j * 37 % 101) / 64 - 0.75f;
		inputs[i] = values;
	}
	gradient = ESPL_ARRAY(arena, float, 2 * espl_value_elements(&graph->values[output]));
	if (espl_graph_run_create(graph, 2, 1, true, &runner, NULL))
		return;
	espl_graph_run_forward(runner, inputs, 2);
	espl_graph_run_train(runner, inputs, 2);
	espl_graph_run_read(runner, output, gradient);
	espl_graph_run_backward(runner, output, gradient);
	espl_graph_run_destroy(runner);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	espl_arena *arena = espl_arena_create();
	espl_graph *graph;

	if (!espl_graph_parse((const char *)data, size, arena, &graph, NULL) && small(graph)) {
		print_again(graph, arena);
		run(graph, arena);
	}
	espl_arena_destroy(arena);
	return 0;
}
