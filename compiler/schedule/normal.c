/* Copies where a tensor is wanted in two kinds of place.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tensor lies in the wide memories, or as a vector for dense layers, or in
 * the output memory. One that is wanted in two ways lies in the wide memories,
 * and a layer of its own copies it.
 */
#include "schedule/work.h"

#include <string.h>

static bool wants_vector(const espl_work_layer *layer)
{
	return layer->layer.kind == ESPL_LAYER_DENSE;
}

/* Appends a tensor that holds the same as `source`. */
static int copy_tensor(espl_work *work, int source, const char *suffix)
{
	const int index = work->tensor_count++;

	work->tensors[index] = work->tensors[source];
	work->tensors[index].is_input = false;
	work->tensors[index].is_output = false;
	work->tensors[index].alias = -1;
	work->tensors[index].group = index;
	work->tensors[index].tensor.name =
	        espl_arena_format(work->arena, "%s%s", work->tensors[source].tensor.name, suffix);
	return index;
}

/* A depthwise layer of one weight 1 and the identity step. */
static void copy_layer(espl_work *work, espl_work_layer *out, int source, int target)
{
	const espl_lowered_tensor *tensor = &work->tensors[source].tensor;
	int8_t *weights = espl_arena_calloc(work->arena, (size_t)tensor->channels, 1);
	int *from = ESPL_ARRAY(work->arena, int, tensor->channels);
	espl_step *steps = ESPL_ARRAY(work->arena, espl_step, tensor->channels);

	memset(out, 0, sizeof(*out));
	memset(weights, 1, (size_t)tensor->channels);
	for (int c = 0; c < tensor->channels; c++) {
		from[c] = c;
		steps[c] = (espl_step){.bias = -128, .multiplier = 1};
	}
	out->lowered = -1;
	out->layer = (espl_layer){
	        .kind = ESPL_LAYER_DEPTHWISE,
	        .name = work->tensors[target].tensor.name,
	        .net_op = -1,
	        .input_count = 1,
	        .inputs = {source},
	        .output = target,
	        .kernel_rows = 1,
	        .kernel_columns = 1,
	        .stride_rows = 1,
	        .stride_columns = 1,
	        .dilation_rows = 1,
	        .dilation_columns = 1,
	        .weights = weights,
	        .source = from,
	        .steps = steps,
	        .step_classes = 1,
	        .low = -128,
	        .high = 127,
	};
}

static void insert_layer(espl_work *work, int at, const espl_work_layer *layer)
{
	memmove(&work->layers[at + 1], &work->layers[at],
	        (size_t)(work->layer_count - at) * sizeof(*work->layers));
	work->layers[at] = *layer;
	work->layer_count++;
}

static int producer(const espl_work *work, int tensor)
{
	for (int l = 0; l < work->layer_count; l++)
		if (work->layers[l].layer.output == tensor)
			return l;
	return -1;
}

/* Lets the readers of `tensor` that `vector` names read a copy instead; returns it. */
static int split_off(espl_work *work, int tensor, bool vector)
{
	const int target = copy_tensor(work, tensor, vector ? ".vector" : ".output");
	espl_work_layer layer;

	copy_layer(work, &layer, tensor, target);
	insert_layer(work, producer(work, tensor) + 1, &layer);
	if (!vector)
		return target;
	for (int l = 0; l < work->layer_count; l++) {
		espl_layer *reader = &work->layers[l].layer;

		if (!wants_vector(&work->layers[l]))
			continue;
		for (int i = 0; i < reader->input_count; i++)
			if (reader->inputs[i] == tensor)
				reader->inputs[i] = target;
	}
	return target;
}

static espl_status settle(espl_work *work, int t)
{
	espl_work_tensor *tensor = &work->tensors[t];
	bool wide = tensor->alias >= 0, vector = false;

	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		for (int i = 0; i < layer->input_count; i++) {
			if (layer->inputs[i] != t)
				continue;
			if (wants_vector(&work->layers[l]))
				vector = true;
			else
				wide = true;
		}
		if (layer->output == t && layer->kind == ESPL_LAYER_CONCAT)
			wide = true;
	}
	if (tensor->is_output && (wide || vector || tensor->is_input)) {
		const int copy = split_off(work, t, false);

		for (int o = 0; o < work->lowered->output_count; o++)
			if (work->plan->output_places[o] == t)
				work->plan->output_places[o] = copy;
		tensor->is_output = false;
		work->tensors[copy].is_output = true;
		work->tensors[copy].kind = ESPL_PLACE_OUTPUT;
		wide = true;
	}
	if (vector && wide) {
		work->tensors[split_off(work, t, true)].kind = ESPL_PLACE_VECTOR;
		vector = false;
	}
	tensor->kind = tensor->is_output ? ESPL_PLACE_OUTPUT
	               : vector          ? ESPL_PLACE_VECTOR
	                                 : ESPL_PLACE_WIDE;
	return ESPL_OK;
}

/* An input of a CONCAT lies inside its output; what already lies elsewhere is copied. */
static void alias_concats(espl_work *work)
{
	for (int l = 0; l < work->layer_count; l++) {
		if (work->layers[l].layer.kind != ESPL_LAYER_CONCAT)
			continue;
		for (int i = 0, channel = 0; i < work->layers[l].layer.input_count; i++) {
			espl_layer *concat = &work->layers[l].layer;
			int t = concat->inputs[i];

			if (work->tensors[t].is_input || work->tensors[t].alias >= 0) {
				espl_work_layer layer;
				const int copy = copy_tensor(work, t, ".copy");

				copy_layer(work, &layer, t, copy);
				concat->inputs[i] = copy;
				insert_layer(work, l, &layer);
				l++;
				concat = &work->layers[l].layer;
				t = copy;
			}
			work->tensors[t].alias = concat->output;
			work->tensors[t].alias_channel = channel;
			channel += work->tensors[t].tensor.channels;
		}
	}
}

espl_status espl_normalize(espl_work *work, espl_error *err)
{
	const int original = work->tensor_count;
	int index = 0;

	alias_concats(work);
	for (int t = 0; t < original; t++)
		ESPL_TRY(settle(work, t));
	for (int t = 0; t < work->tensor_count; t++) {
		work->tensors[t].first = -1;
		work->tensors[t].last = -1;
	}
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		work->layers[l].index = layer->kind == ESPL_LAYER_CONCAT ? -1 : index++;
		work->tensors[layer->output].first = l;
		for (int i = 0; i < layer->input_count; i++)
			work->tensors[layer->inputs[i]].last = l;
	}
	if (!index)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "the network has no operator that the engine runs");
	return ESPL_OK;
}
