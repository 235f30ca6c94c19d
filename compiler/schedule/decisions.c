/* plan.json: the scheduler's decisions, written for people and read back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/decisions.h"

#include "base/json.h"

#include <string.h>

static bool decided(const espl_work_tensor *tensor)
{
	return tensor->kind == ESPL_PLACE_WIDE && tensor->alias < 0;
}

static espl_work_tensor *find_tensor(espl_work *work, const char *name)
{
	for (int t = 0; t < work->tensor_count; t++)
		if (!strcmp(work->tensors[t].tensor.name, name) && decided(&work->tensors[t]))
			return &work->tensors[t];
	return NULL;
}

/* Whether a layer reads the tensor channel by channel, and so wants each in one split. */
static bool read_by_channel(const espl_work *work, const espl_work_tensor *tensor)
{
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		for (int i = 0; i < layer->input_count; i++) {
			int t = layer->inputs[i];

			while (work->tensors[t].alias >= 0)
				t = work->tensors[t].alias;
			if (&work->tensors[t] == tensor && layer->kind != ESPL_LAYER_CONV &&
			    layer->kind != ESPL_LAYER_ADD && layer->kind != ESPL_LAYER_CONCAT)
				return true;
		}
	}
	return false;
}

static espl_status take_splits(espl_work *work, const espl_json *item, espl_error *err)
{
	espl_work_tensor *tensor;
	const char *name;
	int64_t *splits, copies;
	int count;

	ESPL_TRY(espl_json_string(item, "tensor", &name, err));
	tensor = find_tensor(work, name);
	if (!tensor)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%s: the network has no such tensor in wide memory", name);
	if (!espl_json_has(item, "splits"))
		return ESPL_OK;
	ESPL_TRY(espl_context(err,
	                      espl_json_integers(item, "splits", 0, work->splits - 1, work->arena,
	                                         &splits, &count, err),
	                      name));
	if (count != tensor->tensor.channels)
		return espl_fail(err, ESPL_SHAPE, "%s: %d splits are given for %d live channels",
		                 name, count, tensor->tensor.channels);
	for (int c = 0; c < count; c++)
		tensor->split[c] = (int)splits[c];
	ESPL_TRY(espl_context(err, espl_json_integer(item, "copies", 1, work->splits, &copies, err),
	                      name));
	if (work->splits % copies || (copies > 1 && read_by_channel(work, tensor)))
		return espl_fail(err, ESPL_RANGE, "%s: %lld copies are not possible", name,
		                 (long long)copies);
	tensor->copies = (int)copies;
	return ESPL_OK;
}

/* The operands of an ADD have each channel in the same split. */
static espl_status check_adds(const espl_work *work, espl_error *err)
{
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;
		const espl_work_tensor *of[2];

		if (layer->kind != ESPL_LAYER_ADD)
			continue;
		for (int c = 0; c < work->tensors[layer->output].tensor.channels; c++) {
			int channel[2] = {c, c};

			for (int i = 0; i < 2; i++)
				for (of[i] = &work->tensors[layer->inputs[i]]; of[i]->alias >= 0;
				     of[i] = &work->tensors[of[i]->alias])
					channel[i] += of[i]->alias_channel;
			if (of[0]->split[channel[0]] != of[1]->split[channel[1]])
				return espl_fail(err, ESPL_SHAPE,
				                 "%s: channel %d lies in split %d, but %s, which "
				                 "%s adds to it, "
				                 "has it in split %d",
				                 of[0]->tensor.name, channel[0],
				                 of[0]->split[channel[0]], of[1]->tensor.name,
				                 layer->name, of[1]->split[channel[1]]);
		}
	}
	return ESPL_OK;
}

static espl_status read_plan(espl_work *work, const espl_span *text,
                             espl_status (*take)(espl_work *, const espl_json *, espl_error *),
                             espl_error *err)
{
	espl_status status;
	const espl_json *tensors;
	espl_json *json;
	int64_t value;

	ESPL_TRY(espl_json_parse((const char *)text->data, text->size, &json, err));
	status = espl_json_integer(json, "format", 1, 1, &value, err);
	if (!status)
		status = espl_json_integer(json, "lanes", work->lanes, work->lanes, &value, err);
	if (!status)
		status = espl_json_integer(json, "splits", work->splits, work->splits, &value, err);
	if (!status)
		status = espl_json_array(json, "tensors", &tensors, err);
	if (!status)
		for (const espl_json *i = espl_json_first(tensors); i && !status;
		     i = espl_json_next(i))
			status = take(work, i, err);
	espl_json_destroy(json);
	return espl_context(err, status, "plan");
}

espl_status espl_decide_splits(espl_work *work, const espl_span *text, espl_error *err)
{
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		tensor->split = ESPL_ARRAY(work->arena, int, tensor->tensor.channels);
		tensor->split[0] = -1;
	}
	ESPL_TRY(read_plan(work, text, take_splits, err));
	for (int t = 0; t < work->tensor_count; t++)
		if (decided(&work->tensors[t]) && work->tensors[t].split[0] < 0 &&
		    !work->tensors[t].is_input)
			return espl_fail(err, ESPL_SHAPE, "plan: tensor %s has no splits",
			                 work->tensors[t].tensor.name);
	return espl_context(err, check_adds(work, err), "plan");
}

static espl_status take_base(espl_work *work, const espl_json *item, espl_error *err)
{
	espl_work_tensor *tensor;
	const char *name;
	int64_t base;

	ESPL_TRY(espl_json_string(item, "tensor", &name, err));
	tensor = find_tensor(work, name);
	if (!tensor || !espl_json_has(item, "word"))
		return ESPL_OK;
	ESPL_TRY(espl_context(err, espl_json_integer(item, "word", 0, (1 << 15) - 1, &base, err),
	                      name));
	tensor->base = (int)base;
	return ESPL_OK;
}

espl_status espl_decide_bases(espl_work *work, const espl_span *text, espl_error *err)
{
	ESPL_TRY(read_plan(work, text, take_base, err));
	work->activation_words = 0;
	for (int a = 0; a < work->tensor_count; a++) {
		const espl_work_tensor *x = &work->tensors[a];

		if (!decided(x))
			continue;
		work->activation_words = espl_greatest(work->activation_words, x->base + x->words);
		for (int b = 0; b < a; b++) {
			const espl_work_tensor *y = &work->tensors[b];

			if (decided(y) && x->first <= y->last && y->first <= x->last &&
			    x->base < y->base + y->words && y->base < x->base + x->words)
				return espl_fail(err, ESPL_RANGE,
				                 "plan: %s at words %d..%d overlaps %s at words "
				                 "%d..%d, which lives "
				                 "at the same time",
				                 x->tensor.name, x->base, x->base + x->words - 1,
				                 y->tensor.name, y->base, y->base + y->words - 1);
		}
	}
	return ESPL_OK;
}

const char *espl_decisions_text(const espl_work *work)
{
	espl_json_writer *w = espl_json_writer_create(work->arena);
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "format", 1);
	espl_json_put_integer(w, "lanes", work->lanes);
	espl_json_put_integer(w, "splits", work->splits);
	espl_json_put_integer(w, "requantizers", work->requantizers);
	espl_json_open(w, "tensors", '[');
	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];
		int64_t *splits;

		if (!decided(tensor))
			continue;
		splits = ESPL_ARRAY(work->arena, int64_t, tensor->tensor.channels);
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "tensor", tensor->tensor.name);
		espl_json_put_integer(w, "word", tensor->base);
		espl_json_put_integer(w, "words", tensor->words);
		for (int c = 0; c < tensor->tensor.channels && !tensor->shared; c++)
			splits[c] = tensor->split[c];
		if (!tensor->shared)
			espl_json_put_integer(w, "copies", tensor->copies);
		if (!tensor->shared)
			espl_json_put_integers(w, "splits", splits, tensor->tensor.channels);
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_close(w);
	return espl_json_text(w, &size);
}
