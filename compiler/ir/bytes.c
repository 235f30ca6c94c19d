/* Sizes of models, and the work that they are.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/bytes.h"

int64_t espl_graph_bytes(const espl_graph *graph)
{
	espl_arena *scratch = espl_arena_create();
	int64_t bytes = 4 * espl_graph_parameters(graph);

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int64_t count = espl_node_weights(graph, node);
		const espl_mark before = espl_arena_mark(scratch);
		int8_t *mask;

		if (!count)
			continue;
		mask = ESPL_ARRAY(scratch, int8_t, count);
		for (int64_t i = 0; i < count; i++)
			mask[i] = node->weights[i] != 0;
		bytes += espl_weights_bytes(mask, count, 32) - 4 * count;
		espl_arena_release(scratch, before);
	}
	espl_arena_destroy(scratch);
	return bytes;
}

espl_work_count espl_net_work(const espl_net *net)
{
	espl_work_count sum = {0};

	for (int o = 0; o < net->op_count; o++) {
		const espl_op *op = &net->ops[o];
		const int64_t count = espl_op_weights(net, op);
		int64_t nonzero = 0;

		if (!count)
			continue;
		for (int64_t i = 0; i < count; i++)
			nonzero += op->weights[i] != 0;
		sum.weights += count;
		sum.nonzero_weights += nonzero;
		sum.multiplications += espl_op_multiplications(net, op);
		/* each weight is used at every position */
		sum.nonzero_multiplications += espl_op_multiplications(net, op) / count * nonzero;
	}
	return sum;
}

espl_work_count espl_graph_work(const espl_graph *graph)
{
	espl_work_count sum = {0};

	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int64_t count = espl_node_weights(graph, node);
		int64_t nonzero = 0;

		if (!count)
			continue;
		for (int64_t i = 0; i < count; i++)
			nonzero += node->weights[i] != 0;
		sum.weights += count;
		sum.nonzero_weights += nonzero;
		sum.multiplications += espl_node_multiplications(graph, node);
		sum.nonzero_multiplications +=
		        espl_node_multiplications(graph, node) / count * nonzero;
	}
	return sum;
}
