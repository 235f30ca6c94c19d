/* Training with rounding in the forward pass: steps are learned along.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Batch norms stay in the graph while it trains; every output channel has a step
 * of its own, so folding them afterwards keeps the integers of the weights.
 */
#include "compress/quantize.h"

#include "compress/calibrate.h"
#include "compress/roles.h"

enum { NORM_SAMPLES = 8192 }; /* to estimate batch norms with */

/* -- one step for all that is stored alike
 * ------------------------------------------------------------- */

/* An operator that gives the integers of its input on. */
static bool passes_on(espl_node_kind kind)
{
	return kind == ESPL_NODE_RESHAPE || kind == ESPL_NODE_PAD || kind == ESPL_NODE_MAX_POOL ||
	       kind == ESPL_NODE_UPSAMPLE;
}

/* Takes the quantizers from values that need none while training, so that a group has one step to
 * learn: inputs that are bytes are on their steps already, and what is passed on as well; what goes
 * into a concat is rounded behind it.
 *   out  saved  [value] the quantizers as they were */
static void hide(espl_graph *graph, const espl_roles *roles, bool bytes, espl_quantizer *saved)
{
	for (int v = 0; v < graph->value_count; v++)
		saved[v] = graph->values[v].quantizer;
	for (int i = 0; i < graph->input_count && bytes; i++)
		graph->values[graph->inputs[i]].quantizer = (espl_quantizer){0};
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];

		if (passes_on(node->kind))
			graph->values[espl_stored_output(graph, roles, n)].quantizer =
			        (espl_quantizer){0};
		for (int i = 0; node->kind == ESPL_NODE_CONCAT && i < node->input_count; i++)
			if (roles->group[node->inputs[i]] == roles->group[node->output])
				graph->values[node->inputs[i]].quantizer = (espl_quantizer){0};
	}
}

/* Gives every member of a group the quantizer that one of them has, or had. */
static void restore(espl_graph *graph, const espl_roles *roles, const espl_quantizer *saved,
                    espl_arena *scratch)
{
	int *source = ESPL_ARRAY(scratch, int, graph->value_count);

	for (int v = 0; v < graph->value_count; v++)
		source[v] = -1;
	for (int v = 0; v < graph->value_count; v++)
		if (graph->values[v].quantizer.bits && source[roles->group[v]] < 0)
			source[roles->group[v]] = v;
	for (int v = 0; v < graph->value_count; v++) {
		const int from = source[roles->group[v]];

		if (saved[v].bits)
			graph->values[v].quantizer =
			        from < 0 ? saved[v] : graph->values[from].quantizer;
	}
}

/* -- training
 * ------------------------------------------------------------------------------------ */

espl_train_options espl_quantize_train_default(void)
{
	espl_train_options options = espl_train_default();

	options.epochs = 0;
	options.rate = 0.004;
	options.warmup = 0.5;
	options.weight_decay = 1e-4;
	return options;
}

espl_status espl_quantize_trained(const espl_graph *graph, const espl_data *data,
                                  const espl_quantize_options *options,
                                  const espl_train_options *train, espl_arena *arena,
                                  espl_graph **out, espl_train_result *result, espl_error *err)
{
	espl_train_options how = *train;
	espl_quantizer *saved;
	espl_graph *trained;
	espl_roles roles;

	if (options->equalize) {
		espl_graph *equal = espl_fold(espl_float_graph(graph, arena), false, arena);

		espl_equalize(equal);
		graph = equal;
	}
	ESPL_TRY(espl_quantize(graph, &data->train, options, true, arena, &trained, err));
	if (!how.teacher)
		how.teacher = espl_float_graph(graph, arena);
	roles = espl_find_roles(trained, arena);
	saved = ESPL_ARRAY(arena, espl_quantizer, trained->value_count);
	hide(trained, &roles, data->train.bytes != NULL, saved);
	ESPL_TRY(espl_train(trained, data, &how, result, err));
	ESPL_TRY(espl_graph_estimate_norms(trained, &data->train, NORM_SAMPLES, how.threads,
	                                   how.seed, err));
	restore(trained, &roles, saved, arena);
	ESPL_TRY(espl_freeze(trained, &data->train, options, arena, out, err));
	return espl_graph_check(*out, err);
}
