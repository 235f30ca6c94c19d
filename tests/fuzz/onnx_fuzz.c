/* libFuzzer's entry: any bytes as an .onnx file, quantized or float.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is not refused must be right: a net or a graph that prints and is read again, and a small
 * net runs without leaving its memory.
 */
#include "import/import.h"
#include "import/onnx_model.h"
#include "interp/interp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MOST = 1 << 16 }; /* elements and multiplications of a net that is run */

static bool small(const espl_net *net)
{
	int64_t work = 0;

	for (int t = 0; t < net->tensor_count; t++)
		work += espl_tensor_elements(&net->tensors[t]);
	for (int o = 0; o < net->op_count && work <= MOST; o++)
		work += espl_op_multiplications(net, &net->ops[o]) +
		        (int64_t)net->ops[o].kernel_rows * net->ops[o].kernel_columns *
		                espl_tensor_elements(&net->tensors[net->ops[o].output]);
	return work <= MOST;
}

static void run(const espl_net *net, espl_arena *arena)
{
	int8_t **tensors = espl_interp_buffers(net, arena);
	const int8_t **inputs = ESPL_ARRAY(arena, const int8_t *, net->input_count);

	for (int i = 0; i < net->input_count; i++) {
		const int count = espl_tensor_elements(&net->tensors[net->inputs[i]]);
		int8_t *values = espl_arena_calloc(arena, (size_t)count, 1);

		for (int e = 0; e < count; e++)
			values[e] = (int8_t)(e * 37 + i);
		inputs[i] = values;
	}
	espl_interpret(net, inputs, tensors);
}

static void check_net(const espl_net *net, espl_arena *arena)
{
	const char *text;
	espl_net *again;
	size_t length;

	if (espl_net_print(net, arena, &text, &length, NULL) != ESPL_OK ||
	    espl_net_parse(text, length, arena, &again, NULL) != ESPL_OK)
		abort();
	if (small(net))
		run(net, arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const espl_span file = {data, size};
	espl_arena *arena = espl_arena_create();
	espl_report report;
	espl_graph *graph;
	espl_error err = {0};
	espl_net *net;

	if (espl_import_onnx(file, "fuzz", arena, &net, &report, &err) == ESPL_OK)
		check_net(net, arena);
	else if (!err.message[0] || strchr(err.message, '\n'))
		abort();
	if (espl_import_onnx_graph(file, "fuzz", arena, &graph, &report, &err) == ESPL_OK &&
	    espl_graph_check(graph, NULL) != ESPL_OK)
		abort();
	espl_arena_destroy(arena);
	return 0;
}
