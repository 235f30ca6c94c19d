/* Pruning while training: zeros grow with the steps, channels go between epochs.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/cells.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NORM_SAMPLES = 20000, /* that batch norms are estimated from */
	SALIENCY_BATCH = 64,
	SALIENCY_BATCHES = 50,
};

espl_prune_options espl_prune_default(void)
{
	return (espl_prune_options){
	        .rule = {.pattern = {.kind = ESPL_PATTERN_UNSTRUCTURED}, .edges = 0.5},
	        .ramp = 0.7,
	        .every = 100,
	        .rounds = 5,
	};
}

/* -- weights -------------------------------------------------------------------------------------
 */

typedef struct {
	const espl_prune_options *options;
	const espl_train_hooks *outer;
	double from, to; /* sparsity */
	int64_t end;     /* step of the last update that adds zeros */
} thinning;

/* Moves weights to where gradients miss them; less and less, and none at the end of the ramp. */
static espl_status regrow(const thinning *t, espl_graph *graph, const espl_graph_run *run,
                          int64_t step, float rate, espl_error *err)
{
	const double share =
	        t->options->regrow / 2 * (1 + cos(acos(-1.0) * (double)step / (double)t->end));
	const float **gradients;
	espl_status status;

	gradients = calloc((size_t)graph->node_count, sizeof(*gradients));
	if (!gradients)
		return espl_fail(err, ESPL_NOMEM, "%d gradients do not fit", graph->node_count);
	for (int n = 0; n < graph->node_count; n++)
		if (espl_is_weighted(&graph->nodes[n]))
			gradients[n] = espl_graph_run_gradients(run, n).weights;
	status = espl_regrow(graph, &t->options->rule.pattern, gradients, share, rate, err);
	free(gradients);
	return status;
}

static espl_status update(void *user, espl_graph *graph, const espl_graph_run *run, int64_t step,
                          int64_t steps, espl_error *err)
{
	thinning *t = user;

	t->end = (int64_t)(t->options->ramp * (double)steps);
	if (step <= t->end + t->options->every)
		ESPL_TRY(espl_prune(graph, &t->options->rule,
		                    espl_cubic(t->from, t->to, 0, t->end, step), err));
	/* a grown weight begins with a small step against its gradient */
	if (t->options->regrow > 0 && step > 0 && step < t->end)
		ESPL_TRY(regrow(t, graph, run, step, 0.01f, err));
	return ESPL_OK;
}

static void pass_progress(void *user, const espl_train_state *state)
{
	const thinning *t = user;

	if (t->outer->progress)
		t->outer->progress(t->outer->user, state);
}

static void pass_epoch(void *user, const espl_train_state *state)
{
	const thinning *t = user;

	if (t->outer->epoch)
		t->outer->epoch(t->outer->user, state);
}

static bool pass_interrupted(void *user)
{
	const thinning *t = user;

	return t->outer->interrupted && t->outer->interrupted(t->outer->user);
}

/* Updates come often enough for a short training. */
static int64_t updates_every(const espl_data *data, const espl_prune_options *options,
                             const espl_train_options *training)
{
	const int64_t samples = training->samples && training->samples < data->train.count
	                                ? training->samples
	                                : data->train.count;
	const double steps = (double)training->epochs * (double)(samples / training->batch + 1);
	const int64_t most = (int64_t)(options->ramp * steps / 10);

	return most < 1 ? 1 : most < options->every ? most : options->every;
}

static espl_status thin(espl_graph *graph, const espl_data *data, const espl_prune_options *options,
                        const espl_train_options *training, double sparsity,
                        espl_train_result *result, espl_error *err)
{
	const espl_zeros before = espl_count_zeros(graph);
	thinning t = {.options = options, .outer = &training->hooks, .to = sparsity};
	espl_train_options with = *training;
	int64_t zeros;

	t.from = before.weights ? (double)before.zeros / (double)before.weights : 0;
	t.from = fmin(t.from, sparsity);
	with.hooks = (espl_train_hooks){.user = &t,
	                                .act = update,
	                                .every = updates_every(data, options, training),
	                                .progress = pass_progress,
	                                .epoch = pass_epoch,
	                                .interrupted = pass_interrupted};
	/* only what has all its zeros may be chosen */
	with.choose_from = (int)ceil(options->ramp * training->epochs);
	if (with.choose_from > training->epochs - 1)
		with.choose_from = training->epochs - 1;
	ESPL_TRY(espl_train(graph, data, &with, result, err));
	/* a short training may have ended between two updates */
	zeros = espl_count_zeros(graph).zeros;
	ESPL_TRY(espl_prune(graph, &options->rule, sparsity, err));
	if (espl_count_zeros(graph).zeros == zeros)
		return ESPL_OK;
	return espl_graph_estimate_norms(graph, &data->train, NORM_SAMPLES, training->threads,
	                                 training->seed, err);
}

/* -- whole channels ------------------------------------------------------------------------------
 */

/* A round's graph, so that an interrupted run goes on in the middle. */
static const char *round_path(const espl_train_options *training, int round, const char *what,
                              espl_arena *arena)
{
	return espl_arena_format(arena, "%s.%d%s", training->checkpoint, round, what);
}

static espl_status write_round(const espl_graph *graph, const char *path, espl_arena *arena,
                               espl_error *err)
{
	const char *text;
	size_t size;

	ESPL_TRY(espl_graph_print(graph, arena, &text, &size, err));
	return espl_file_write(path, text, size, err);
}

static espl_status read_round(const char *path, espl_arena *arena, espl_graph **graph,
                              espl_error *err)
{
	espl_span text;

	ESPL_TRY(espl_file_read(path, arena, &text, err));
	return espl_context(
	        err, espl_graph_parse((const char *)text.data, text.size, arena, graph, err), path);
}

/* Removes channels until `left` of `weights` are left. */
static espl_status remove_some(espl_graph *graph, const espl_data *data,
                               const espl_prune_options *options,
                               const espl_train_options *training, double left, int round,
                               espl_arena *arena, espl_graph **smaller, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_channel_classes classes = espl_classify_channels(graph, scratch);
	double *scores = ESPL_ARRAY(scratch, double, classes.class_count);
	const double now = (double)espl_count_zeros(graph).weights;
	espl_status status = ESPL_OK;

	if (data)
		status = espl_channel_saliency(graph, &classes, &data->train, SALIENCY_BATCH,
		                               SALIENCY_BATCHES, training->seed + (uint32_t)round,
		                               training->threads, scores, err);
	else
		espl_channel_magnitudes(graph, &classes, scores);
	if (!status && left < now)
		status = espl_prune_channels(graph, &classes, scores, 1 - left / now,
		                             options->rule.pattern.multiple, err);
	if (!status)
		status = espl_remove_channels(graph, arena, smaller, err);
	espl_arena_destroy(scratch);
	return status;
}

/* The epochs of a round: one, and the rest in the last. */
static int round_epochs(const espl_train_options *training, int rounds, int round)
{
	return round < rounds - 1 ? 1 : training->epochs - (rounds - 1);
}

static int last_round_written(const espl_train_options *training, int rounds, espl_arena *arena)
{
	int round = -1;

	if (training->checkpoint && training->resume)
		while (round + 1 < rounds &&
		       espl_file_exists(round_path(training, round + 1, ".json", arena)))
			round++;
	return round;
}

static void remove_rounds(const espl_train_options *training, int rounds, espl_arena *arena)
{
	for (int r = 0; training->checkpoint && r < rounds; r++) {
		remove(round_path(training, r, ".json", arena));
		remove(round_path(training, r, "", arena));
	}
}

static espl_status narrow(espl_graph *graph, const espl_data *data,
                          const espl_prune_options *options, const espl_train_options *training,
                          espl_arena *arena, espl_graph **out, espl_train_result *result,
                          espl_error *err)
{
	const double weights = (double)espl_count_zeros(graph).weights;
	const int rounds = training->epochs < 1                 ? 1
	                   : training->epochs < options->rounds ? training->epochs
	                                                        : options->rounds;
	const int begun = last_round_written(training, rounds, arena);

	for (int r = begun < 0 ? 0 : begun; r < rounds; r++) {
		const double left = weights * (1 - options->sparsity * (r + 1) / rounds);
		espl_train_options with = *training;

		if (r == begun)
			ESPL_TRY(read_round(round_path(training, r, ".json", arena), arena, &graph,
			                    err));
		else
			ESPL_TRY(remove_some(graph, data, options, training, left, r, arena, &graph,
			                     err));
		if (training->checkpoint && r != begun)
			ESPL_TRY(write_round(graph, round_path(training, r, ".json", arena), arena,
			                     err));
		if (training->checkpoint)
			with.checkpoint = round_path(training, r, "", arena);
		with.epochs = round_epochs(training, rounds, r);
		with.seed += (uint32_t)r;
		if (training->epochs > 0)
			ESPL_TRY(espl_train(graph, data, &with, result, err));
	}
	remove_rounds(training, rounds, arena);
	*out = graph;
	return ESPL_OK;
}

/* -- both ----------------------------------------------------------------------------------------
 */

static espl_status check_options(const espl_prune_options *o, const espl_data *data,
                                 const espl_train_options *training, espl_error *err)
{
	if (!(o->ramp > 0 && o->ramp <= 1) || o->every < 1 || o->rounds < 1)
		return espl_fail(
		        err, ESPL_RANGE,
		        "a ramp of %g, an update every %lld steps, %d rounds: 0 to 1, 1 or "
		        "more and 1 or more are possible",
		        o->ramp, (long long)o->every, o->rounds);
	if (training->epochs > 0 && !data)
		return espl_fail(err, ESPL_USAGE, "%d epochs need data", training->epochs);
	if (o->sparsity < 0 && o->rule.pattern.kind != ESPL_PATTERN_N_OF_M)
		return espl_fail(err, ESPL_USAGE, "a sparsity is missing; only N:M goes without");
	if (o->sparsity >= 1)
		return espl_fail(err, ESPL_RANGE, "sparsity %g: 0 to less than 1 is possible",
		                 o->sparsity);
	if (o->regrow > 0 && training->epochs < 1)
		return espl_fail(err, ESPL_USAGE,
		                 "regrowth of %g needs epochs: it goes by gradients", o->regrow);
	return ESPL_OK;
}

espl_status espl_prune_train(const espl_graph *graph, const espl_data *data,
                             const espl_prune_options *options, const espl_train_options *training,
                             espl_arena *arena, espl_graph **pruned, espl_train_result *result,
                             espl_error *err)
{
	const bool by_channels = options->rule.pattern.kind == ESPL_PATTERN_CHANNELS;
	espl_graph *out = espl_graph_copy(graph, arena);
	double sparsity = options->sparsity;

	*result = (espl_train_result){.accuracy = -1};
	ESPL_TRY(check_options(options, data, training, err));
	if (sparsity < 0)
		ESPL_TRY(espl_prune_limit(out, &options->rule, &sparsity, err));
	if (by_channels)
		ESPL_TRY(narrow(out, data, options, training, arena, &out, result, err));
	else if (training->epochs > 0)
		ESPL_TRY(thin(out, data, options, training, sparsity, result, err));
	else
		ESPL_TRY(espl_prune(out, &options->rule, sparsity, err));
	if (training->epochs < 1 && data)
		ESPL_TRY(espl_graph_estimate_norms(out, &data->train, NORM_SAMPLES,
		                                   training->threads, training->seed, err));
	*pruned = out;
	return ESPL_OK;
}
