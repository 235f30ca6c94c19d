/* Many samples through the integer graph, each by one thread.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/net_run.h"

#include "interp/fast.h"
#include "interp/workers.h"

#include <assert.h>
#include <string.h>

struct espl_net_run {
	espl_arena *arena;
	const espl_net *net;
	espl_workers *workers;
	int batch, count;
	espl_fast_op *ops;         /* [op] */
	int8_t **tensors;          /* [tensor][batch][elements] */
	espl_fast_scratch *spaces; /* [thread] */
	int8_t ***views;           /* [thread][tensor]: of its sample */
	espl_arena **scratch;      /* [thread]: the reference's */
	int threads;
};

static void make_spaces(espl_net_run *run)
{
	size_t needs[ESPL_FAST_NEEDS] = {0};

	for (int i = 0; i < run->net->op_count; i++)
		espl_fast_needs(run->net, &run->net->ops[i], &run->ops[i], needs);
	for (int t = 0; t < run->threads; t++) {
		run->spaces[t].plane = espl_arena_calloc(run->arena, needs[0], 1);
		run->spaces[t].patches = espl_arena_calloc(run->arena, needs[1], 1);
		run->spaces[t].sums = espl_arena_calloc(run->arena, needs[2], 1);
		run->spaces[t].results = espl_arena_calloc(run->arena, needs[3], 1);
		run->spaces[t].doubts = espl_arena_calloc(run->arena, needs[4], 1);
		run->views[t] = ESPL_ARRAY(run->arena, int8_t *, run->net->tensor_count);
		run->scratch[t] = espl_arena_create();
	}
}

espl_status espl_net_run_create(const espl_net *net, int batch, int threads, espl_net_run **out,
                                espl_error *err)
{
	espl_workers *workers;
	espl_arena *arena;
	espl_net_run *run;

	assert(batch >= 1 && batch <= 4096 && threads >= 1 && threads <= 64);
	ESPL_TRY(espl_workers_create(threads, &workers, err));
	arena = espl_arena_create();
	run = ESPL_NEW(arena, espl_net_run);
	*run = (espl_net_run){
	        .arena = arena,
	        .net = net,
	        .workers = workers,
	        .batch = batch,
	        .ops = ESPL_ARRAY(arena, espl_fast_op, net->op_count),
	        .tensors = ESPL_ARRAY(arena, int8_t *, net->tensor_count),
	        .spaces = ESPL_ARRAY(arena, espl_fast_scratch, threads),
	        .views = ESPL_ARRAY(arena, int8_t **, threads),
	        .scratch = ESPL_ARRAY(arena, espl_arena *, threads),
	        .threads = threads,
	};
	for (int i = 0; i < net->op_count; i++)
		espl_fast_prepare(net, &net->ops[i], arena, &run->ops[i]);
	for (int t = 0; t < net->tensor_count; t++)
		run->tensors[t] = espl_arena_calloc(arena, (size_t)batch,
		                                    (size_t)espl_tensor_elements(&net->tensors[t]));
	make_spaces(run);
	*out = run;
	return ESPL_OK;
}

void espl_net_run_destroy(espl_net_run *run)
{
	if (!run)
		return;
	espl_workers_destroy(run->workers);
	for (int t = 0; t < run->threads; t++)
		espl_arena_destroy(run->scratch[t]);
	espl_arena_destroy(run->arena);
}

static void run_sample(void *context, int sample, int thread)
{
	espl_net_run *run = context;
	const espl_net *net = run->net;
	const espl_mark empty = espl_arena_mark(run->scratch[thread]);
	int8_t **tensors = run->views[thread];

	for (int t = 0; t < net->tensor_count; t++)
		tensors[t] = run->tensors[t] +
		             (size_t)sample * (size_t)espl_tensor_elements(&net->tensors[t]);
	for (int i = 0; i < net->op_count; i++) {
		if (run->ops[i].fast) {
			espl_fast_run(net, &net->ops[i], &run->ops[i], tensors,
			              &run->spaces[thread]);
		} else {
			espl_interp_run(net, &net->ops[i], tensors, run->scratch[thread]);
			espl_arena_release(run->scratch[thread], empty);
		}
	}
}

void espl_net_run_forward(espl_net_run *run, const int8_t *const *inputs, int count)
{
	const espl_net *net = run->net;

	assert(count >= 0 && count <= run->batch);
	run->count = count;
	for (int i = 0; i < net->input_count; i++)
		memcpy(run->tensors[net->inputs[i]], inputs[i],
		       (size_t)count * espl_tensor_elements(&net->tensors[net->inputs[i]]));
	espl_workers_run(run->workers, count, run_sample, run);
}

const int8_t *espl_net_run_tensor(const espl_net_run *run, int tensor)
{
	return run->tensors[tensor];
}
