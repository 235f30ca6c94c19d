/* A candidate made real: built, trained, pruned, in integers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/make.h"

#include "compress/family.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "compress/train.h"

#include <math.h>

enum {
	DRAFT_SAMPLES = 16,
	CALIBRATION_SAMPLES = 512,
	BATCH_LEAST = 16,
	BATCH_MOST = 128,
	STEPS = 256, /* wanted of a training */
	PRUNE_EVERY = 16,
};

const char espl_make_recipe[] =
        "recipe 2: train; prune over the first half of half as many images; quantize, train the "
        "steps on a quarter as many";

/* The candidate's float network before training. */
static espl_status begin(const espl_fit_task *task, const espl_candidate *candidate,
                         espl_arena *arena, espl_graph **graph, espl_error *err)
{
	const espl_samples *train = &task->data->train;
	espl_family family;

	if (task->model) {
		*graph = espl_graph_copy(task->model, arena);
		return ESPL_OK;
	}
	family = espl_family_default(train->rows, train->columns, train->channels, train->classes);
	family.shrink = candidate->shrink;
	family.depth = candidate->depth;
	family.width = candidate->width;
	family.depthwise = candidate->depthwise;
	family.residual = candidate->residual;
	return espl_family_build(&family, task->seed, arena, graph, err);
}

static espl_prune_rule rule_of(void)
{
	return (espl_prune_rule){.pattern = {.kind = ESPL_PATTERN_UNSTRUCTURED},
	                         .rank = ESPL_RANK_GLOBAL,
	                         .edges = 0.5};
}

/* The share of zeros that is wanted, as far as the rule allows. */
static espl_status sparsity_of(const espl_graph *graph, const espl_candidate *candidate,
                               double *share, espl_error *err)
{
	const espl_prune_rule rule = rule_of();
	double most;

	ESPL_TRY(espl_prune_limit(graph, &rule, &most, err));
	*share = 1 - candidate->keep / 100.0;
	if (*share > most)
		*share = most;
	return ESPL_OK;
}

static espl_quantize_options quantize_options(const espl_fit_task *task,
                                              const espl_candidate *candidate, int samples)
{
	espl_quantize_options o = espl_quantize_default();

	o.weight_bits = candidate->weight_bits;
	o.activation_bits = candidate->activation_bits;
	o.samples = samples;
	o.seed = task->seed;
	o.threads = task->threads;
	return o;
}

espl_status espl_make_draft(const espl_fit_task *task, const espl_candidate *candidate,
                            espl_arena *arena, espl_net **net, espl_error *err)
{
	espl_quantize_options o = quantize_options(task, candidate, DRAFT_SAMPLES);
	const espl_prune_rule rule = rule_of();
	espl_graph *graph;
	double share;

	o.method = ESPL_RANGE_MINMAX;
	ESPL_TRY(begin(task, candidate, arena, &graph, err));
	ESPL_TRY(sparsity_of(graph, candidate, &share, err));
	ESPL_TRY(espl_prune(graph, &rule, share, err));
	ESPL_TRY(espl_quantize(graph, &task->data->train, &o, false, arena, &graph, err));
	return espl_graph_to_net(graph, arena, net, err);
}

static bool stopped(void *user)
{
	const espl_fit_task *task = user;

	return task->stop && task->stop(task->user);
}

/* A training that sees `images` images in all: whole passes, or a part of one. Short ones take
 * smaller batches, so that there are steps enough. */
static espl_train_options train_options(const espl_fit_task *task, int64_t images)
{
	const int64_t count = task->data->train.count;
	espl_train_options o = espl_train_default();

	o.epochs = (int)((images + count / 2) / count);
	if (o.epochs < 1)
		o.epochs = 1;
	o.samples = images / o.epochs < count ? images / o.epochs : count;
	if (o.samples < 1)
		o.samples = 1;
	o.batch = BATCH_MOST;
	while (o.batch > BATCH_LEAST && images / o.batch < STEPS)
		o.batch /= 2;
	o.rate *= sqrt((double)o.batch / BATCH_MOST);
	o.threads = task->threads;
	o.seed = task->seed;
	o.warmup = o.epochs < 5 ? o.epochs / 5.0 : 1;
	o.teacher = task->teacher;
	o.hooks.user = (void *)task;
	o.hooks.interrupted = stopped;
	return o;
}

/* Validation chooses among candidates only: the last parameters are taken. */
static espl_status train(const espl_fit_task *task, espl_graph *graph, espl_train_options *o,
                         espl_error *err)
{
	const espl_data data = {.train = task->data->train};
	espl_train_result result;

	return espl_train(graph, &data, o, &result, err);
}

espl_status espl_make_float(const espl_fit_task *task, const espl_candidate *candidate,
                            int64_t images, espl_arena *arena, espl_graph **graph, espl_error *err)
{
	espl_train_options o = train_options(task, images);
	espl_graph *made;

	ESPL_TRY(begin(task, candidate, arena, &made, err));
	if (!task->model)
		ESPL_TRY(train(task, made, &o, err));
	*graph = made;
	return ESPL_OK;
}

typedef struct {
	const espl_fit_task *task;
	double sparsity;
} pruning;

static bool pruning_stopped(void *user)
{
	return stopped((void *)((pruning *)user)->task);
}

/* Fewer weights step by step over the first half; what remains heals in the second. */
static espl_status take_weights(void *user, espl_graph *graph, const espl_graph_run *run,
                                int64_t step, int64_t steps, espl_error *err)
{
	const pruning *p = user;
	const espl_prune_rule rule = rule_of();

	(void)run;
	return espl_prune(graph, &rule, espl_cubic(0, p->sparsity, 0, steps / 2, step), err);
}

espl_status espl_make_pruned(const espl_fit_task *task, const espl_candidate *candidate,
                             int64_t images, const espl_graph *from, espl_arena *arena,
                             espl_graph **graph, espl_error *err)
{
	espl_train_options o = train_options(task, images / 2);
	const espl_prune_rule rule = rule_of();
	espl_graph *made = espl_graph_copy(from, arena);
	pruning p = {.task = task};

	ESPL_TRY(sparsity_of(made, candidate, &p.sparsity, err));
	o.rate /= 4;
	o.hooks.user = &p;
	o.hooks.interrupted = pruning_stopped;
	o.hooks.act = take_weights;
	o.hooks.every = PRUNE_EVERY;
	ESPL_TRY(train(task, made, &o, err));
	/* too short a training may have ended before the last step of the pruning */
	ESPL_TRY(espl_prune(made, &rule, p.sparsity, err));
	*graph = made;
	return ESPL_OK;
}

espl_status espl_make_integer(const espl_fit_task *task, const espl_candidate *candidate,
                              int64_t images, const espl_graph *from, espl_arena *arena,
                              espl_graph **graph, espl_net **net, espl_error *err)
{
	const espl_quantize_options q = quantize_options(task, candidate, CALIBRATION_SAMPLES);
	espl_train_options o = train_options(task, images / 4);
	espl_graph *made;

	ESPL_TRY(espl_quantize(from, &task->data->train, &q, true, arena, &made, err));
	o.rate /= 10;
	ESPL_TRY(train(task, made, &o, err));
	*graph = made;
	return espl_graph_to_net(espl_fold(made, false, arena), arena, net, err);
}

espl_status espl_make_count(const espl_fit_task *task, const espl_net *net,
                            const espl_samples *samples, int64_t *correct, espl_error *err)
{
	double accuracy;

	ESPL_TRY(espl_net_accuracy(net, samples, task->threads, &accuracy, err));
	*correct = (int64_t)(accuracy * samples->count + 0.5);
	return ESPL_OK;
}
