/* Biases become integers of their sums' steps, up or down.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Where much of an image is one colour, much of a channel is one number. When it lies next to the
 * middle between two stored values, the small step to the nearest bias may move it across, and all
 * of that area with it. Of the two neighbouring biases one does not cross.
 */
#include "compress/calibrate.h"

#include "compress/observe.h"
#include "compress/roles.h"

#include <math.h>
#include <string.h>

static bool to_round(const espl_graph *graph, const espl_node *node)
{
	return espl_has_weights(node->kind) && node->bias && node->weight_bits &&
	       graph->values[node->inputs[0]].quantizer.bits;
}

/* The sums of one value over all samples. */
static espl_status sum_of(const espl_graph *graph, int value, const float *inputs, int count,
                          int threads, double *out, espl_arena *scratch, espl_error *err)
{
	espl_value_sums s = {graph, ESPL_ARRAY(scratch, double *, graph->value_count)};
	bool *wanted = ESPL_ARRAY(scratch, bool, graph->value_count);

	wanted[value] = true;
	s.sums[value] = out;
	return espl_observe(graph, inputs, count, threads, wanted, espl_sum_values, &s, err);
}

/* Rounds one layer's biases; `wanted` are the sums of what it stores as they should be. */
static espl_status round_layer(espl_graph *graph, espl_node *node, int stored, const double *wanted,
                               const float *inputs, int count, int threads, espl_arena *scratch,
                               espl_error *err)
{
	const int channels = espl_node_outputs(graph, node);
	const double in = (double)graph->values[node->inputs[0]].quantizer.step;
	const float *exact =
	        espl_arena_copy(scratch, node->bias, (size_t)channels * sizeof(*exact));
	float *below = ESPL_ARRAY(scratch, float, channels);
	float *above = ESPL_ARRAY(scratch, float, channels);
	double *low = ESPL_ARRAY(scratch, double, channels);
	double *high = ESPL_ARRAY(scratch, double, channels);

	for (int c = 0; c < channels; c++) {
		const double step = (double)node->weight_steps[c] * in;
		const double units = (double)node->bias[c] / step;

		below[c] = (float)(step * floor(units));
		above[c] = (float)(step * ceil(units));
	}
	memcpy(node->bias, below, (size_t)channels * sizeof(*below));
	ESPL_TRY(sum_of(graph, stored, inputs, count, threads, low, scratch, err));
	memcpy(node->bias, above, (size_t)channels * sizeof(*above));
	ESPL_TRY(sum_of(graph, stored, inputs, count, threads, high, scratch, err));
	for (int c = 0; c < channels; c++) {
		const double worse = fabs(low[c] - wanted[c]) - fabs(high[c] - wanted[c]);
		const bool down = exact[c] - below[c] < above[c] - exact[c];

		node->bias[c] = worse < 0 || (worse == 0 && down) ? below[c] : above[c];
	}
	return ESPL_OK;
}

espl_status espl_round_biases(espl_graph *graph, const float *inputs, int count, int threads,
                              espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_roles roles = espl_find_roles(graph, scratch);
	bool *wanted = ESPL_ARRAY(scratch, bool, graph->value_count);
	espl_value_sums before = {graph, ESPL_ARRAY(scratch, double *, graph->value_count)};
	espl_status status;

	for (int n = 0; n < graph->node_count; n++) {
		const int stored = espl_stored_output(graph, &roles, n);

		if (!to_round(graph, &graph->nodes[n]))
			continue;
		wanted[stored] = true;
		before.sums[stored] = ESPL_ARRAY(scratch, double, graph->values[stored].channels);
	}
	status = espl_observe(graph, inputs, count, threads, wanted, espl_sum_values, &before, err);
	for (int n = 0; n < graph->node_count && status == ESPL_OK; n++) {
		const int stored = espl_stored_output(graph, &roles, n);

		if (to_round(graph, &graph->nodes[n]))
			status = round_layer(graph, &graph->nodes[n], stored, before.sums[stored],
			                     inputs, count, threads, scratch, err);
	}
	espl_arena_destroy(scratch);
	return status;
}
