/* Layers and tensors as the scheduler's passes share them, made by hand.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_SCHEDULING_H
#define ESPL_TESTS_SCHEDULING_H

#include "schedule/work.h"

#include "unit.h"

static inline espl_work scheduling(espl_arena *arena, int lanes, int splits, int requantizers)
{
	espl_work work = {.arena = arena,
	                  .lanes = lanes,
	                  .splits = splits,
	                  .requantizers = requantizers,
	                  .pad_max = 2,
	                  .most_copies = 1};

	work.plan = ESPL_NEW(arena, espl_plan);
	work.layers = ESPL_ARRAY(arena, espl_work_layer, 16);
	work.tensors = ESPL_ARRAY(arena, espl_work_tensor, 64);
	return work;
}

static inline int scheduling_tensor(espl_work *work, const char *name, int rows, int columns,
                                    int channels)
{
	work->tensors[work->tensor_count] = (espl_work_tensor){
	        .tensor = {.name = name, .rows = rows, .columns = columns, .channels = channels},
	        .kind = ESPL_PLACE_WIDE,
	        .alias = -1,
	        .copies = 1,
	        .phase_rows = 1,
	        .phase_columns = 1,
	        .pitch = columns,
	        .plane_rows = rows,
	        .plane_words = espl_ceil_div(rows * columns, work->lanes),
	};
	return work->tensor_count++;
}

/* A layer of a square kernel, padded evenly; its computing space is the input's. */
static inline espl_work_layer *scheduling_layer(espl_work *work, espl_layer_kind kind, int input,
                                                int output, int kernel, int stride)
{
	espl_work_layer *layer = &work->layers[work->layer_count];
	const espl_work_tensor *in = &work->tensors[input], *out = &work->tensors[output];

	*layer = (espl_work_layer){
	        .layer = {.kind = kind,
	                  .name = "layer",
	                  .input_count = 1,
	                  .inputs = {input},
	                  .output = output,
	                  .kernel_rows = kernel,
	                  .kernel_columns = kernel,
	                  .stride_rows = stride,
	                  .stride_columns = stride,
	                  .dilation_rows = 1,
	                  .dilation_columns = 1,
	                  .pad_top = (kernel - 1) / 2,
	                  .pad_left = (kernel - 1) / 2,
	                  .step_classes = 1},
	        .index = work->layer_count++,
	        .phase_rows = 1,
	        .phase_columns = 1,
	        .pitch = in->pitch,
	        .rows = out->tensor.rows,
	        .columns = out->tensor.columns,
	        .kinds = {.kinds = 1},
	};
	layer->blocks =
	        espl_ceil_div((layer->rows - 1) * layer->pitch + layer->columns, work->lanes);
	return layer;
}

#endif
