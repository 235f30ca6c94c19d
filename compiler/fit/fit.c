/* The co-design search: effort, limits, the chosen network with its plan.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/fit.h"

#include "fit/lab.h"
#include "fit/make.h"
#include "lower/lower.h"

#include <string.h>

typedef struct {
	double epochs;
	int64_t multiplications;
	int rungs, rings, refine, most;
	espl_space space;
} effort;

#define BOTH         \
	{            \
		0, 1 \
	}

/* Bits: pairs of weights' and activations'. */
static const effort efforts[] = {
        [ESPL_EFFORT_QUICK] =
                {.epochs = 1,
                 .multiplications = 1000000,
                 .rungs = 2,
                 .rings = 1,
                 .refine = 2,
                 .most = 6,
                 .space = {{2, 1, 2, 2, 3, 2, 2, 2},
                           {BOTH, {0}, {1, 2}, {1, 2}, {4, 8, 16}, {40, 100}, {4, 8}, {8, 8}}}},
        [ESPL_EFFORT_NORMAL] = {.epochs = 9,
                                .multiplications = 10000000,
                                .rungs = 3,
                                .rings = 2,
                                .refine = 6,
                                .most = 36,
                                .space = {{2, 2, 2, 3, 8, 3, 3, 3},
                                          {BOTH,
                                           BOTH,
                                           {1, 2},
                                           {1, 2, 3},
                                           {4, 6, 8, 12, 16, 24, 32, 48},
                                           {25, 50, 100},
                                           {4, 4, 8},
                                           {4, 8, 8}}}},
        [ESPL_EFFORT_THOROUGH] = {.epochs = 45,
                                  .multiplications = 40000000,
                                  .rungs = 4,
                                  .rings = 3,
                                  .refine = 12,
                                  .most = 108,
                                  .space = {{2, 2, 2, 3, 10, 4, 4, 4},
                                            {BOTH,
                                             BOTH,
                                             {1, 2},
                                             {1, 2, 3},
                                             {4, 6, 8, 12, 16, 24, 32, 48, 64, 96},
                                             {12, 25, 50, 100},
                                             {2, 4, 4, 8},
                                             {4, 4, 8, 8}}}},
};

/* Of a network that is given only its pruning and bits are open. */
static void take_model(espl_space *space)
{
	static const espl_axis fixed[] = {ESPL_AXIS_depthwise, ESPL_AXIS_residual, ESPL_AXIS_shrink,
	                                  ESPL_AXIS_depth, ESPL_AXIS_width};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		space->counts[fixed[i]] = 1;
		space->values[fixed[i]][0] = 0;
	}
}

static espl_search_options plan_search(const espl_fit_task *task)
{
	const effort *e = &efforts[task->effort];
	const double clock = (double)task->frame.clock_hz;
	espl_search_options o = {
	        .space = e->space,
	        .limits = {.latency_cycles = (int64_t)(task->latency_ms * 1e-3 * clock),
	                   .interval_cycles =
	                           task->throughput > 0 ? (int64_t)(clock / task->throughput) : 0,
	                   .multiplications = task->multiplications,
	                   .accuracy = task->accuracy},
	        .rungs = e->rungs,
	        .divide = 3,
	        .images = (int64_t)((task->epochs > 0 ? task->epochs : e->epochs) *
	                            task->data->train.count),
	        .rings = e->rings,
	        .most = e->most,
	        .refine = e->refine,
	};

	if (task->model)
		take_model(&o.space);
	else if (!o.limits.multiplications)
		o.limits.multiplications = e->multiplications;
	if (o.images < 1)
		o.images = 1;
	/* a limit of less than a cycle is not none */
	if (task->latency_ms > 0 && !o.limits.latency_cycles)
		o.limits.latency_cycles = 1;
	if (task->throughput > 0 && !o.limits.interval_cycles)
		o.limits.interval_cycles = 1;
	return o;
}

static double milliseconds(const espl_fit_task *task, int64_t cycles)
{
	return 1e3 * (double)cycles / (double)task->frame.clock_hz;
}

/* Why nothing was chosen, and what comes closest. */
static espl_status nothing_fits(const espl_fit_task *task, const espl_search_options *o,
                                const espl_search_result *r, espl_error *err)
{
	const espl_tried *n;

	if (r->nearest < 0)
		return espl_fail(err, ESPL_BUDGET, "nothing fits: the space is empty");
	n = &r->tried[r->nearest];
	if (*n->reason)
		return espl_fail(err, ESPL_BUDGET, "no network fits; the nearest, %s: %s", n->key,
		                 n->reason);
	if (n->within && n->images == o->images)
		return espl_fail(err, ESPL_BUDGET,
		                 "no network is as accurate as %.2f %%; the nearest, %s, has %.2f "
		                 "%% of validation in %.4g ms",
		                 100 * task->accuracy, n->key,
		                 100.0 * (double)n->correct / (double)n->samples,
		                 milliseconds(task, n->price.latency_cycles));
	if (!n->within && o->limits.multiplications &&
	    n->price.multiplications > o->limits.multiplications)
		return espl_fail(err, ESPL_BUDGET,
		                 "every network that fits has more than the %lld multiplications "
		                 "that this effort trains; the nearest, %s, has %lld",
		                 (long long)o->limits.multiplications, n->key,
		                 (long long)n->price.multiplications);
	return espl_fail(err, ESPL_BUDGET,
	                 "no network is as fast as asked; the nearest, %s, takes %lld cycles, %.4g "
	                 "ms, and %.6g inferences a second",
	                 n->key, (long long)n->price.latency_cycles,
	                 milliseconds(task, n->price.latency_cycles),
	                 (double)task->frame.clock_hz / (double)n->price.interval_cycles);
}

/* The chosen network, planned anew and tested. */
static espl_status take_chosen(espl_fit_lab *lab, espl_fit_result *result, espl_arena *arena,
                               espl_error *err)
{
	const espl_fit_task *task = lab->task;
	const espl_tried *t = &result->search.tried[result->search.chosen];
	espl_lowered *lowered;
	espl_graph *graph;
	espl_price price;
	espl_plan *plan;
	espl_net *net;

	ESPL_TRY(espl_lab_recall(lab, t->key, result->images, arena, &graph, &net, err));
	ESPL_TRY(espl_lower(net, arena, &lowered, err));
	ESPL_TRY(espl_price_lowered(&task->frame, lowered, arena, &plan, &price, err));
	ESPL_TRY(espl_make_count(task, net, &task->data->test, &result->test_correct, err));
	result->test_samples = task->data->test.count;
	result->graph = graph;
	result->net = net;
	result->lowered = lowered;
	result->plan = plan;
	return ESPL_OK;
}

espl_status espl_fit(const espl_fit_task *task, espl_arena *arena, espl_fit_result *result,
                     espl_error *err)
{
	const espl_search_options options = plan_search(task);
	espl_fit_result found = {.images = options.images};
	espl_fit_lab lab;
	espl_lab asked;
	espl_status status;

	if (!task->data->validation.count)
		return espl_fail(err, ESPL_USAGE, "the search chooses by validation: none is left");
	ESPL_TRY(espl_lab_open(task, arena, &lab, err));
	asked = espl_lab_of(&lab);
	status = espl_search(&options, &asked, arena, &found.search, err);
	if (!status && found.search.chosen >= 0)
		status = take_chosen(&lab, &found, arena, err);
	espl_lab_close(&lab);
	ESPL_TRY(status);
	found.trained = lab.trained;
	found.remembered = lab.remembered;
	*result = found;
	return found.search.chosen >= 0 ? ESPL_OK
	                                : nothing_fits(task, &options, &found.search, err);
}
