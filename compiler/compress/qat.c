/* Training with rounding in the forward pass: steps are learned along.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Batch norms stay in the graph while it trains; every output channel has a step
 * of its own, so folding them afterwards keeps the integers of the weights.
 */
#include "compress/quantize.h"

#include "compress/calibrate.h"

enum { NORM_SAMPLES = 8192 }; /* to estimate batch norms with */

espl_train_options espl_quantize_train_default(void)
{
	espl_train_options options = espl_train_default();

	options.epochs = 0;
	options.rate = 0.01;
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
	espl_graph *trained;

	if (options->equalize) {
		espl_graph *equal = espl_fold(espl_float_graph(graph, arena), false, arena);

		espl_equalize(equal);
		graph = equal;
	}
	ESPL_TRY(espl_quantize(graph, &data->train, options, true, arena, &trained, err));
	if (!how.teacher)
		how.teacher = espl_float_graph(graph, arena);
	ESPL_TRY(espl_train(trained, data, &how, result, err));
	ESPL_TRY(espl_graph_estimate_norms(trained, &data->train, NORM_SAMPLES, how.threads,
	                                   how.seed, err));
	*out = espl_freeze(trained, arena);
	return espl_graph_check(*out, err);
}
