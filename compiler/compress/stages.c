/* One stage of compression, from model to model, with its report.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/stages.h"

#include "compress/cells.h"
#include "ir/bytes.h"

static void count_net(const espl_net *net, espl_model_facts *facts)
{
	for (int o = 0; o < net->op_count; o++) {
		const int64_t count = espl_op_weights(net, &net->ops[o]);

		facts->weights += count;
		for (int64_t i = 0; i < count; i++)
			facts->nonzero_weights += net->ops[o].weights[i] != 0;
	}
	facts->bytes = espl_model_bytes(net);
}

espl_status espl_model_measure(const espl_model *model, const espl_data *data, int threads,
                               espl_model_facts *facts, espl_error *err)
{
	const espl_samples *samples[2] = {&data->test, &data->validation};
	double accuracy[2] = {-1, -1};

	for (int i = 0; i < 2; i++) {
		if (!samples[i]->count)
			continue;
		if (model->net)
			ESPL_TRY(espl_net_accuracy(model->net, samples[i], threads, &accuracy[i],
			                           err));
		else
			ESPL_TRY(espl_graph_accuracy(model->graph, samples[i], threads,
			                             &accuracy[i], err));
	}
	*facts = (espl_model_facts){
	        .accuracy = accuracy[0], .validation = accuracy[1], .seconds = facts->seconds};
	if (model->net) {
		count_net(model->net, facts);
	} else {
		const espl_zeros zeros = espl_count_zeros(model->graph);

		facts->weights = zeros.weights;
		facts->nonzero_weights = zeros.weights - zeros.zeros;
		facts->bytes = espl_graph_bytes(model->graph);
	}
	return ESPL_OK;
}

static espl_status run_quantize(const espl_compress_config *config, const espl_graph *from,
                                const espl_data *data, const espl_train_options *training,
                                espl_arena *arena, espl_model *to, espl_error *err)
{
	espl_quantize_options how = config->quantize;
	espl_train_result result;
	espl_layer_bits *layers;

	if (config->weight_bytes) {
		ESPL_TRY(espl_choose_bits(from, &data->train, &how, config->weight_bytes, arena,
		                          &layers, &how.layer_count, err));
		how.layers = layers;
	}
	if (training->epochs > 0)
		ESPL_TRY(espl_quantize_trained(from, data, &how, training, arena, &to->graph,
		                               &result, err));
	else
		ESPL_TRY(espl_quantize(from, &data->train, &how, false, arena, &to->graph, err));
	return espl_graph_to_net(to->graph, arena, &to->net, err);
}

espl_status espl_stage_run(const espl_compress_config *config, espl_stage stage,
                           const espl_model *from, const espl_graph *teacher, const espl_data *data,
                           const espl_train_hooks *hooks, const char *checkpoint, bool resume,
                           espl_arena *arena, espl_model *to, espl_error *err)
{
	espl_train_options training = config->training[stage];
	espl_model out = {0};
	espl_train_result result;

	training.teacher = teacher;
	training.hooks = *hooks;
	training.checkpoint = checkpoint;
	training.resume = resume;
	switch (stage) {
	case ESPL_STAGE_DISTIL:
		out.graph = espl_graph_copy(from->graph, arena);
		if (training.epochs > 0)
			ESPL_TRY(espl_train(out.graph, data, &training, &result, err));
		break;
	case ESPL_STAGE_PRUNE:
		ESPL_TRY(espl_prune_train(from->graph, data, &config->prune, &training, arena,
		                          &out.graph, &result, err));
		break;
	default:
		ESPL_TRY(run_quantize(config, from->graph, data, &training, arena, &out, err));
		break;
	}
	*to = out;
	return ESPL_OK;
}
