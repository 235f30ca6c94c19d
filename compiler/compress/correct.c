/* The mean error that rounding leaves, taken out of the biases.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/calibrate.h"

#include "compress/observe.h"
#include "compress/roles.h"

#include <string.h>

/* The batch norm that alone reads a layer, or NULL. */
static espl_node *norm_after(espl_graph *graph, const espl_roles *roles, int n)
{
	const int taker = roles->taken_by[n];

	return taker >= 0 && graph->nodes[taker].kind == ESPL_NODE_BATCH_NORM ? &graph->nodes[taker]
	                                                                      : NULL;
}

static void move(espl_graph *graph, const espl_roles *roles, int n, const double *wanted,
                 const double *seen, double positions, espl_arena *arena)
{
	espl_node *node = &graph->nodes[n], *norm = norm_after(graph, roles, n);
	const int channels = espl_node_outputs(graph, node);

	if (!norm && !node->bias)
		node->bias = ESPL_ARRAY(arena, float, channels);
	for (int c = 0; c < channels; c++) {
		const float error = (float)((seen[c] - wanted[c]) / positions);

		if (norm)
			norm->mean[c] += error;
		else
			node->bias[c] -= error;
	}
}

espl_status espl_correct_biases(const espl_graph *original, espl_graph *graph, const float *inputs,
                                int count, int threads, espl_arena *arena, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_roles roles = espl_find_roles(graph, scratch);
	bool *wanted = ESPL_ARRAY(scratch, bool, graph->value_count);
	espl_value_sums before = {original, ESPL_ARRAY(scratch, double *, graph->value_count)};
	espl_value_sums after = {graph, ESPL_ARRAY(scratch, double *, graph->value_count)};
	espl_status status;

	for (int n = 0; n < graph->node_count; n++) {
		const int output = graph->nodes[n].output,
		          channels = graph->values[output].channels;

		wanted[output] = espl_has_weights(graph->nodes[n].kind);
		before.sums[output] = ESPL_ARRAY(scratch, double, channels);
		after.sums[output] = ESPL_ARRAY(scratch, double, channels);
	}
	status = espl_observe(original, inputs, count, threads, wanted, espl_sum_values, &before,
	                      err);
	memset(wanted, 0, (size_t)graph->value_count);
	for (int n = 0; n < graph->node_count && status == ESPL_OK; n++) {
		const int output = graph->nodes[n].output;
		const espl_value *value = &graph->values[output];

		if (!espl_has_weights(graph->nodes[n].kind))
			continue;
		wanted[output] = true;
		status = espl_observe(graph, inputs, count, threads, wanted, espl_sum_values,
		                      &after, err);
		wanted[output] = false;
		if (status == ESPL_OK)
			move(graph, &roles, n, before.sums[output], after.sums[output],
			     (double)count * value->rows * value->columns, arena);
	}
	espl_arena_destroy(scratch);
	return status;
}
