/* The exact number of cycles: the rule of rtl/shell/espl_sequencer.sv, in C.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   last(k)      = max(first(k) + cycles - 1, last(k - 1) + drain(k - 1))
 *   first(k + 1) = last(k) + 1
 *   first of the next layer = last + drain + GAP
 */
#include "schedule/work.h"

enum {
	START_CYCLES = 4,    /* from the input's last beat to the first layer's first cycle */
	PREPARE_CYCLES = 14, /* the same from the input's first beat, at least */
	FINISH_CYCLES = 1,   /* from the last layer's end to the beat before the result's first */
	DRAIN_CYCLES = 32, /* from a block's last cycle until its first step's result can be read */
	RESTART_CYCLES = 11, /* from the last layer's end to the next inference's first cycle */
};

/* Registers of the adder tree. */
static int tree_stages(const espl_work *work)
{
	int stages = 0;

	for (int n = 1; n < work->splits; n *= 2)
		stages++;
	return stages ? stages : 1;
}

static int gap(const espl_work *work)
{
	return 32 + tree_stages(work);
}

int64_t espl_count_cycles(const espl_work *work, const int *cycles, const int *loops, int groups,
                          const int *entries, int period, int blocks)
{
	int64_t last = -1, drained = -1; /* drained: the cycle that the next block may end in */

	for (int g = 0; g < groups; g++)
		for (int b = 0; b < blocks; b++) {
			const int64_t end = last + cycles[g];

			last = end > drained ? end : drained;
			drained = last + (int64_t)entries[b % period] * loops[g];
		}
	return drained + gap(work);
}

int64_t espl_output_delay(const espl_work *work, const espl_work_layer *layer, int cycles,
                          const int *entries)
{
	const espl_work_tensor *out = &work->tensors[layer->layer.output];
	const bool shared = espl_shares_step(work, layer);
	const int r = work->requantizers;
	int64_t last = -1, drained = -1, delay = 1;

	for (int b = 0; b < layer->blocks; b++) {
		const int first = b * work->lanes;

		last = last + cycles > drained ? last + cycles : drained;
		drained = last + entries[b];
		for (int i = 0; i < work->lanes && first + i < out->tensor.channels; i++) {
			const int step = shared ? (i / r + 1) * (r / 4) : i;
			const int64_t beat = (out->base + first + i) / 8;
			const int64_t earliest =
			        last + step + tree_stages(work) + DRAIN_CYCLES - beat;

			delay = earliest > delay ? earliest : delay;
		}
	}
	return delay;
}

/* Beats of the input stream for one inference. */
static int64_t input_beats(const espl_work *work)
{
	int64_t beats = 0;

	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];
		const espl_place *place = &work->plan->places[t];

		if (!tensor->is_input)
			continue;
		if (place->kind == ESPL_PLACE_WIDE)
			beats += (int64_t)place->plane_count *
			         (1 + place->plane_words * espl_ceil_div(work->lanes, 8));
		else
			beats += 1 + (int64_t)espl_ceil_div(tensor->tensor.rows *
			                                            tensor->tensor.columns *
			                                            tensor->tensor.channels,
			                                    work->splits) *
			                     espl_ceil_div(work->splits, 8);
	}
	return beats;
}

/* When the last layer that reads an input is through, counted from the first layer's start; and how
 * many elements are then still written into the memory that inputs as elements go to. */
static int64_t input_free(const espl_work *work, int64_t *writes)
{
	const espl_plan *plan = work->plan;
	int64_t sum = 0, free = 0;
	bool elements = false;
	int at = 0;

	for (int t = 0; t < work->tensor_count; t++)
		if (work->tensors[t].is_input)
			elements |= work->tensors[t].kind == ESPL_PLACE_VECTOR;
	*writes = 0;
	for (int l = 0; l < work->layer_count; l++) {
		const espl_work_layer *layer = &work->layers[l];
		const espl_work_tensor *out = &work->tensors[layer->layer.output];

		if (layer->index < 0)
			continue;
		sum += plan->layers[at++].cycles;
		if (elements && out->kind == ESPL_PLACE_VECTOR)
			*writes += (int64_t)out->tensor.rows * out->tensor.columns *
			           out->tensor.channels;
		for (int i = 0; i < layer->layer.input_count; i++)
			if (work->tensors[layer->layer.inputs[i]].is_input) {
				free = sum;
				*writes = 0;
			}
	}
	return free;
}

void espl_count_latency(espl_work *work)
{
	espl_plan *plan = work->plan;
	int64_t sum = 0, start = START_CYCLES, writes, loaded;

	plan->layers[plan->layer_count - 1].cycles++; /* its end is seen a cycle later */
	for (int l = 0; l < plan->layer_count; l++)
		sum += plan->layers[l].cycles;
	plan->load_cycles = input_beats(work);
	if (start < PREPARE_CYCLES - plan->load_cycles)
		start = PREPARE_CYCLES - plan->load_cycles;
	plan->latency_cycles = start + sum + FINISH_CYCLES + plan->output_beats;
	if (plan->output_delay)
		plan->latency_cycles +=
		        plan->output_delay + 1 - plan->layers[plan->layer_count - 1].cycles;
	plan->interval_cycles = RESTART_CYCLES + sum;
	/* the next input comes in when the last one's place is free, and waits while elements are
	 * written there */
	loaded = input_free(work, &writes);
	loaded += plan->load_cycles + START_CYCLES + writes;
	if (loaded > plan->interval_cycles)
		plan->interval_cycles = loaded;
}
