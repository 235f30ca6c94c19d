/* plan.json: the scheduler's decisions, written for people and read back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/decisions.h"

#include "base/json.h"

#include <string.h>

/* How a tensor's place is written. */
static const struct {
	const char *key, *size_key, *units;
} places[] = {
        [ESPL_PLACE_WIDE] = {"word", "words", "words"},
        [ESPL_PLACE_VECTOR] = {"element", "elements", "elements"},
        [ESPL_PLACE_OUTPUT] = {"byte", "bytes", "bytes"},
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

/* What a member of one of the plan's lists does. */
typedef espl_status (*taker)(espl_work *work, const espl_json *item, int index, espl_error *err);

/* A member of a CONCAT lies within its output. */
static bool decided(const espl_work_tensor *tensor)
{
	return tensor->alias < 0;
}

static bool dealt(const espl_work_tensor *tensor)
{
	return tensor->kind == ESPL_PLACE_WIDE && decided(tensor) && !tensor->shared;
}

static int size_of(const espl_work_tensor *tensor)
{
	return tensor->kind == ESPL_PLACE_WIDE ? tensor->words : tensor->elements;
}

static int find_tensor(const espl_work *work, const char *name)
{
	for (int t = 0; t < work->tensor_count; t++)
		if (!strcmp(work->tensors[t].tensor.name, name) && decided(&work->tensors[t]))
			return t;
	return -1;
}

static bool ordered(const espl_work_layer *layer)
{
	return layer->index >= 0 && layer->layer.kind == ESPL_LAYER_CONV;
}

static int find_layer(const espl_work *work, const char *name)
{
	for (int l = 0; l < work->layer_count; l++)
		if (!strcmp(work->layers[l].layer.name, name) && ordered(&work->layers[l]))
			return l;
	return -1;
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

static espl_status take_splits(espl_work *work, const espl_json *item, int index, espl_error *err)
{
	espl_work_tensor *tensor = &work->tensors[index];
	const char *name = tensor->tensor.name;
	int64_t *splits, copies;
	int count;

	if (!espl_json_has(item, "splits"))
		return ESPL_OK;
	if (tensor->kind != ESPL_PLACE_WIDE)
		return espl_fail(err, ESPL_SHAPE, "%s: only a tensor in wide memory has splits",
		                 name);
	if (tensor->shared)
		return espl_fail(err, ESPL_SHAPE, "%s: an image whose taps are dealt has no splits",
		                 name);
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
	if (work->splits % copies)
		return espl_fail(err, ESPL_RANGE, "%s: %lld copies do not divide %d splits", name,
		                 (long long)copies, work->splits);
	if (copies > 1 && read_by_channel(work, tensor))
		return espl_fail(err, ESPL_RANGE,
		                 "%s: %lld copies, but it is read channel by channel, from one "
		                 "split each",
		                 name, (long long)copies);
	tensor->copies = (int)copies;
	return ESPL_OK;
}

static espl_status take_order(espl_work *work, const espl_json *item, int index, espl_error *err)
{
	espl_work_layer *layer = &work->layers[index];
	const int channels = work->tensors[layer->layer.output].tensor.channels;
	bool *seen = ESPL_ARRAY(work->arena, bool, channels);
	int *order = ESPL_ARRAY(work->arena, int, channels);
	int64_t *given;
	int count;

	ESPL_TRY(espl_context(err,
	                      espl_json_integers(item, "order", 0, channels - 1, work->arena,
	                                         &given, &count, err),
	                      layer->layer.name));
	if (count != channels)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: an order of %d is given for %d live output channels",
		                 layer->layer.name, count, channels);
	for (int c = 0; c < count; c++) {
		order[c] = (int)given[c];
		if (seen[order[c]])
			return espl_fail(err, ESPL_SHAPE, "%s: channel %d is twice in the order",
			                 layer->layer.name, order[c]);
		seen[order[c]] = true;
	}
	layer->order = order;
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

/* Calls `take` for each member of a list, whose member `key` names what `find` finds. */
static espl_status read_list(espl_work *work, const espl_json *list, const char *key,
                             int (*find)(const espl_work *, const char *), taker take,
                             espl_error *err)
{
	bool *seen = ESPL_ARRAY(work->arena, bool, work->tensor_count + work->layer_count);

	for (const espl_json *i = espl_json_first(list); i; i = espl_json_next(i)) {
		const char *name;
		int index;

		ESPL_TRY(espl_json_string(i, key, &name, err));
		index = find(work, name);
		if (index < 0)
			return espl_fail(err, ESPL_SYNTAX, "%s: there is no such %s", name,
			                 strcmp(key, "layer") ? "tensor" : "convolution");
		if (seen[index])
			return espl_fail(err, ESPL_SYNTAX, "%s: the %s is there twice", name, key);
		seen[index] = true;
		ESPL_TRY(take(work, i, index, err));
	}
	return ESPL_OK;
}

/* take_layer may be NULL; a plan without layers is one without orders. */
static espl_status read_plan(espl_work *work, const espl_span *text, taker take_tensor,
                             taker take_layer, espl_error *err)
{
	const espl_json *list;
	espl_status status;
	espl_json *json;
	int64_t value;

	ESPL_TRY(espl_context(
	        err, espl_json_parse((const char *)text->data, text->size, &json, err), "plan"));
	status = espl_json_integer(json, "format", 1, 1, &value, err);
	if (!status)
		status = espl_json_integer(json, "lanes", work->lanes, work->lanes, &value, err);
	if (!status)
		status = espl_json_integer(json, "splits", work->splits, work->splits, &value, err);
	if (!status)
		status = espl_json_array(json, "tensors", &list, err);
	if (!status)
		status = read_list(work, list, "tensor", find_tensor, take_tensor, err);
	if (!status && take_layer && espl_json_has(json, "layers")) {
		status = espl_json_array(json, "layers", &list, err);
		if (!status)
			status = read_list(work, list, "layer", find_layer, take_layer, err);
	}
	espl_json_destroy(json);
	return espl_context(err, status, "plan");
}

espl_status espl_decide_splits(espl_work *work, const espl_span *text, espl_error *err)
{
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		tensor->shared = espl_deals_taps(work, t);
		tensor->split = ESPL_ARRAY(work->arena, int, tensor->tensor.channels);
		tensor->split[0] = -1;
	}
	work->splits_given = true;
	ESPL_TRY(read_plan(work, text, take_splits, take_order, err));
	for (int t = 0; t < work->tensor_count; t++)
		if (dealt(&work->tensors[t]) && work->tensors[t].split[0] < 0)
			return espl_fail(err, ESPL_SHAPE, "plan: %s: its splits are missing",
			                 work->tensors[t].tensor.name);
	return espl_context(err, check_adds(work, err), "plan");
}

static espl_status take_base(espl_work *work, const espl_json *item, int index, espl_error *err)
{
	/* more cannot be addressed anyway */
	const int64_t most[PLACES] = {(1 << 15) - 1, ((int64_t)work->splits << 17) - 1,
	                              (1 << 17) - 1};
	espl_work_tensor *tensor = &work->tensors[index];
	const int align = tensor->kind == ESPL_PLACE_VECTOR   ? work->splits
	                  : tensor->kind == ESPL_PLACE_OUTPUT ? 8
	                                                      : 1;
	const char *key = places[tensor->kind].key, *name = tensor->tensor.name;
	int64_t base;

	for (int k = 0; k < PLACES; k++)
		if (k != (int)tensor->kind && espl_json_has(item, places[k].key))
			return espl_fail(err, ESPL_SHAPE, "%s: its place is \"%s\", not \"%s\"",
			                 name, key, places[k].key);
	if (!espl_json_has(item, key))
		return ESPL_OK;
	ESPL_TRY(espl_context(err, espl_json_integer(item, key, 0, most[tensor->kind], &base, err),
	                      name));
	if (base % align)
		return espl_fail(err, ESPL_RANGE, "%s: %s %lld is not a multiple of %d", name, key,
		                 (long long)base, align);
	tensor->base = (int)base;
	return ESPL_OK;
}

/* Results leave together when the inference ends; all else lives from layer to layer. */
static bool collide(const espl_work_tensor *x, const espl_work_tensor *y)
{
	return decided(x) && decided(y) && x->kind == y->kind &&
	       (x->kind == ESPL_PLACE_OUTPUT || espl_live_together(x, y)) &&
	       x->base < y->base + size_of(y) && y->base < x->base + size_of(x);
}

espl_status espl_decide_bases(espl_work *work, const espl_span *text, espl_error *err)
{
	ESPL_TRY(read_plan(work, text, take_base, NULL, err));
	for (int a = 0; a < work->tensor_count; a++)
		for (int b = 0; b < a; b++) {
			const espl_work_tensor *x = &work->tensors[a], *y = &work->tensors[b];

			if (collide(x, y))
				return espl_fail(err, ESPL_RANGE,
				                 "plan: %s at %s %d..%d overlaps %s at %d..%d, "
				                 "which lives at the same time",
				                 x->tensor.name, places[x->kind].units, x->base,
				                 x->base + size_of(x) - 1, y->tensor.name, y->base,
				                 y->base + size_of(y) - 1);
		}
	return espl_context(err, espl_measure_places(work, err), "plan");
}

static void put_tensor(espl_json_writer *w, const espl_work *work, const espl_work_tensor *tensor)
{
	int64_t *splits = ESPL_ARRAY(work->arena, int64_t, tensor->tensor.channels);

	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "tensor", tensor->tensor.name);
	espl_json_put_integer(w, places[tensor->kind].key, tensor->base);
	espl_json_put_integer(w, places[tensor->kind].size_key, size_of(tensor));
	if (dealt(tensor)) {
		for (int c = 0; c < tensor->tensor.channels; c++)
			splits[c] = tensor->split[c];
		espl_json_put_integer(w, "copies", tensor->copies);
		espl_json_put_integers(w, "splits", splits, tensor->tensor.channels);
	}
	espl_json_close(w);
}

static void put_layer(espl_json_writer *w, const espl_work *work, const espl_work_layer *layer)
{
	const int channels = work->tensors[layer->layer.output].tensor.channels;
	int64_t *order = ESPL_ARRAY(work->arena, int64_t, channels);

	for (int c = 0; c < channels; c++)
		order[c] = layer->order ? layer->order[c] : c;
	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "layer", layer->layer.name);
	espl_json_put_integers(w, "order", order, channels);
	espl_json_close(w);
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
	for (int t = 0; t < work->tensor_count; t++)
		if (decided(&work->tensors[t]))
			put_tensor(w, work, &work->tensors[t]);
	espl_json_close(w);
	espl_json_open(w, "layers", '[');
	for (int l = 0; l < work->layer_count; l++)
		if (ordered(&work->layers[l]))
			put_layer(w, work, &work->layers[l]);
	espl_json_close(w);
	espl_json_close(w);
	return espl_json_text(w, &size);
}
