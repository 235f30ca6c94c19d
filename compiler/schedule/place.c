/* Words over time: every tensor's place in the wide memories.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lifetimes are known, so places are reused: tensors are put down by falling
 * size, each at the lowest word where none that lives at the same time lies.
 * Inputs keep their place for good, so that the next one may arrive early.
 */
#include "schedule/work.h"

#include <stdlib.h>
#include <string.h>

int espl_work_plane(const espl_work *work, const espl_work_tensor *tensor, int channel,
                    int phase_row, int phase_column, int split)
{
	const int phases = tensor->phase_rows * tensor->phase_columns;
	const int phase = phase_row * tensor->phase_columns + phase_column;

	if (tensor->shared) {
		const int word =
		        tensor->plane_word[(channel * phases + phase) * work->splits + split];

		return word < 0 ? -1 : tensor->base + word;
	}
	while (tensor->alias >= 0) {
		channel += tensor->alias_channel;
		tensor = &work->tensors[tensor->alias];
	}
	if (tensor->split[channel] / tensor->copies != split / tensor->copies)
		return -1;
	return tensor->base + (tensor->local[channel] * phases + phase) * tensor->plane_words;
}

void espl_share_taps(const espl_work *work, const espl_work_layer *layer, int phase_row,
                     int phase_column, int *split_of)
{
	const espl_work_tensor *in = &work->tensors[layer->layer.inputs[0]];
	const int taps = layer->layer.kernel_rows * layer->layer.kernel_columns;
	const int phases = in->phase_rows * in->phase_columns;
	int total = 0, seen = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int plane = 0; plane < in->tensor.channels * phases; plane++)
			for (int k = 0; k < taps; k++) {
				int *split = &split_of[plane / phases * taps + k];
				espl_reach reach;

				*split = pass ? *split : -1;
				if (!espl_reach_of(work, layer, phase_row, phase_column,
				                   k / layer->layer.kernel_columns,
				                   k % layer->layer.kernel_columns, &reach) ||
				    reach.phase_row * in->phase_columns + reach.phase_column !=
				            plane % phases)
					continue;
				if (!pass)
					total++;
				else
					*split = (int)((int64_t)seen++ * work->splits / total);
			}
}

static void need_planes(const espl_work *work, const espl_work_layer *layer, int phase_row,
                        int phase_column, int *need)
{
	const espl_work_tensor *in = &work->tensors[layer->layer.inputs[0]];
	const int taps = layer->layer.kernel_rows * layer->layer.kernel_columns;
	int *split_of = ESPL_ARRAY(work->arena, int, in->tensor.channels *taps);

	espl_share_taps(work, layer, phase_row, phase_column, split_of);
	for (int c = 0; c < in->tensor.channels; c++)
		for (int k = 0; k < taps; k++) {
			espl_reach reach;
			int plane;

			if (split_of[c * taps + k] < 0)
				continue;
			espl_reach_of(work, layer, phase_row, phase_column,
			              k / layer->layer.kernel_columns,
			              k % layer->layer.kernel_columns, &reach);
			plane = (c * in->phase_rows + reach.phase_row) * in->phase_columns +
			        reach.phase_column;
			need[plane * work->splits + split_of[c * taps + k]] = 1;
		}
}

/* Puts into each split the planes of a shared tensor that its taps read. */
static void share_planes(espl_work *work, espl_work_tensor *tensor, int t)
{
	const int planes = tensor->tensor.channels * tensor->phase_rows * tensor->phase_columns;
	int *need = ESPL_ARRAY(work->arena, int, planes * work->splits);
	int words[ESPL_MAX_SPLITS] = {0};

	for (int l = 0; l < work->layer_count; l++) {
		const espl_work_layer *layer = &work->layers[l];

		if (layer->index < 0 || layer->layer.inputs[0] != t)
			continue;
		for (int r = 0; r < layer->phase_rows; r++)
			for (int c = 0; c < layer->phase_columns; c++)
				need_planes(work, layer, r, c, need);
	}
	tensor->plane_word = ESPL_ARRAY(work->arena, int, planes * work->splits);
	for (int plane = 0; plane < planes; plane++)
		for (int s = 0; s < work->splits; s++) {
			tensor->plane_word[plane * work->splits + s] = -1;
			if (!need[plane * work->splits + s])
				continue;
			tensor->plane_word[plane * work->splits + s] = words[s];
			words[s] += tensor->plane_words;
		}
	tensor->words = 0;
	for (int s = 0; s < work->splits; s++)
		tensor->words = espl_greatest(tensor->words, words[s]);
}

bool espl_live_together(const espl_work_tensor *a, const espl_work_tensor *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static void find_lifetimes(espl_work *work)
{
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		if (tensor->last < tensor->first)
			tensor->last = tensor->first;
		if (tensor->is_input) {
			tensor->first = -1;
			tensor->last = work->layer_count;
		}
	}
	/* a CONCAT's place lives from its first member to its last reader, a member's as well */
	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];

		for (int a = tensor->alias; a >= 0; a = work->tensors[a].alias) {
			if (tensor->first < work->tensors[a].first)
				work->tensors[a].first = tensor->first;
			work->tensors[a].last = espl_greatest(work->tensors[a].last, tensor->last);
		}
	}
}

static int lowest_place(const espl_work *work, const espl_work_tensor *tensor, const bool *placed)
{
	int base = 0;

	for (bool moved = true; moved;) {
		moved = false;
		for (int t = 0; t < work->tensor_count; t++) {
			const espl_work_tensor *other = &work->tensors[t];

			if (!placed[t] || !espl_live_together(tensor, other) ||
			    base >= other->base + other->words ||
			    other->base >= base + tensor->words)
				continue;
			base = other->base + other->words;
			moved = true;
		}
	}
	return base;
}

espl_status espl_place_tensors(espl_work *work, espl_error *err)
{
	bool *placed = ESPL_ARRAY(work->arena, bool, work->tensor_count);

	find_lifetimes(work);
	for (int t = 0; t < work->tensor_count; t++)
		if (work->tensors[t].shared)
			share_planes(work, &work->tensors[t], t);
	for (;;) {
		int next = -1;

		for (int t = 0; t < work->tensor_count; t++) {
			const espl_work_tensor *tensor = &work->tensors[t];

			if (placed[t] || tensor->kind != ESPL_PLACE_WIDE || tensor->alias >= 0)
				continue;
			if (next < 0 || tensor->words > work->tensors[next].words)
				next = t;
		}
		if (next < 0)
			break;
		work->tensors[next].base = lowest_place(work, &work->tensors[next], placed);
		placed[next] = true;
	}
	return espl_measure_places(work, err);
}

void espl_place_vectors(espl_work *work)
{
	int next_element = 0, next_byte = 0;

	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];
		const espl_lowered_tensor *of = &tensor->tensor;
		const int positions = of->rows * of->columns;
		int elements = espl_ceil_div(of->channels, work->lanes) * work->lanes;

		tensor->channel_stride = 1;
		tensor->position_stride = 1;
		if (tensor->kind == ESPL_PLACE_VECTOR) {
			if (tensor->is_input) {
				tensor->pitch = of->columns;
				tensor->position_stride = of->channels;
				elements = positions * of->channels;
			} else if (positions > 1) {
				tensor->channel_stride = tensor->plane_words * work->lanes;
				elements = tensor->channel_stride * of->channels;
			}
			tensor->elements = espl_ceil_div(elements, work->splits) * work->splits;
			tensor->base = next_element;
			next_element += tensor->elements;
		} else if (tensor->kind == ESPL_PLACE_OUTPUT) {
			if (positions > 1) {
				tensor->channel_stride = of->rows * tensor->pitch;
				elements = tensor->channel_stride * of->channels;
			}
			tensor->elements = espl_ceil_div(elements, 8) * 8;
			tensor->base = next_byte;
			next_byte += tensor->elements;
		}
	}
}

espl_status espl_measure_places(espl_work *work, espl_error *err)
{
	work->activation_words = work->vector_slots = work->output_bytes = 0;
	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];

		if (tensor->kind == ESPL_PLACE_VECTOR)
			work->vector_slots =
			        espl_greatest(work->vector_slots,
			                      (tensor->base + tensor->elements) / work->splits);
		else if (tensor->kind == ESPL_PLACE_OUTPUT)
			work->output_bytes =
			        espl_greatest(work->output_bytes, tensor->base + tensor->elements);
		else if (tensor->alias < 0)
			work->activation_words =
			        espl_greatest(work->activation_words, tensor->base + tensor->words);
	}
	if (work->activation_words > 1 << 15 ||
	    (int64_t)work->activation_words * work->lanes > 1 << 17)
		return espl_fail(
		        err, ESPL_BUDGET,
		        "activations take %d words of %d bytes in a split, at most %d can be "
		        "addressed; more splits would fit",
		        work->activation_words, work->lanes, (1 << 17) / work->lanes);
	return ESPL_OK;
}
