/* Training: epochs of shuffled, augmented batches.
 * SPDX-License-Identifier: Apache-2.0
 *
 * All that is random comes from streams that are named by seed, epoch and sample, and nothing
 * else than the parameters, their moments and the step's number goes from one step to the next:
 * that is what a checkpoint holds.
 */
#include "compress/train.h"

#include "base/clock.h"
#include "base/random.h"
#include "compress/training.h"

#include <math.h>
#include <string.h>

enum {
	SHUFFLE_STREAM = 0x73687566,
	SUBSET_STREAM = 0x73756273,
	ESTIMATE_SAMPLES = 4096,
};

static const double norm_memory = 0.9, diverged = 3;

struct training {
	espl_graph *graph;
	const espl_data *data;
	const espl_train_options *options;
	espl_arena *arena;
	espl_graph_run *run, *teacher; /* teacher NULL: none */
	espl_parameters parameters;
	espl_standing standing;
	const char *identity;
	int logits, classes, batch;
	int taken;   /* samples of an epoch, before whole batches are made of them */
	int *subset; /* [taken] samples that take part */
	int *order;  /* [taken] this epoch's */
	int ordered; /* the epoch that `order` is of; -1: none */
	int64_t epoch_steps, steps;
	float *images, *outputs, *teacher_outputs, *gradients;
	float *mean, *variance;       /* of one batch norm */
	float *kept, *kept_norms;     /* while averages are evaluated */
	float *before, *before_norms; /* what the graph came with */
	double start, saved;          /* seconds */
	int64_t start_step;
};

espl_train_options espl_train_default(void)
{
	return (espl_train_options){.epochs = 20,
	                            .batch = 128,
	                            .threads = 1,
	                            .seed = 1,
	                            .rate = 0.1,
	                            .warmup = 1,
	                            .momentum = 0.9,
	                            .weight_decay = 5e-4,
	                            .step_rate = 1,
	                            .temperature = 4,
	                            .mix = 0.9,
	                            .checkpoint_seconds = 60};
}

static void shuffle(int *list, int count, espl_random random)
{
	for (int i = count - 1; i > 0; i--) {
		const int other = (int)espl_random_below(&random, (uint32_t)i + 1);
		const int kept = list[i];

		list[i] = list[other];
		list[other] = kept;
	}
}

/* The samples that take part: all, or some drawn by the seed. */
static void choose_subset(struct training *t)
{
	const int count = t->data->train.count;
	const int64_t wanted = t->options->samples;
	int *all = ESPL_ARRAY(t->arena, int, count);

	for (int i = 0; i < count; i++)
		all[i] = i;
	t->taken = wanted && wanted < count ? (int)wanted : count;
	if (t->taken < count)
		shuffle(all, count, espl_random_stream(t->options->seed, SUBSET_STREAM, 0));
	t->subset = all;
	t->order = ESPL_ARRAY(t->arena, int, t->taken);
	t->ordered = -1;
}

static void order_epoch(struct training *t, int epoch)
{
	if (t->ordered == epoch)
		return;
	memcpy(t->order, t->subset, (size_t)t->taken * sizeof(*t->order));
	shuffle(t->order, t->taken,
	        espl_random_stream(t->options->seed, SHUFFLE_STREAM, (uint32_t)epoch));
	t->ordered = epoch;
}

/* Cosine to 0, behind a linear warm-up. */
static double rate_at(const struct training *t, int64_t step)
{
	const double warm = t->options->warmup * (double)t->epoch_steps;
	const double place = (double)step + 0.5, all = (double)t->steps;

	if (place < warm && warm < all)
		return t->options->rate * place / warm;
	if (warm >= all)
		return t->options->rate * place / all;
	return t->options->rate * 0.5 *
	       (1 + cos(3.14159265358979323846 * (place - warm) / (all - warm)));
}

/* Batch norms remember what they saw. */
static void remember_norms(struct training *t)
{
	for (int i = 0; i < t->graph->node_count; i++) {
		espl_node *node = &t->graph->nodes[i];

		if (!node->gain)
			continue;
		espl_graph_run_statistics(t->run, i, t->mean, t->variance);
		for (int c = 0; c < espl_node_outputs(t->graph, node); c++) {
			node->mean[c] = (float)(norm_memory * (double)node->mean[c] +
			                        (1 - norm_memory) * (double)t->mean[c]);
			node->variance[c] = (float)(norm_memory * (double)node->variance[c] +
			                            (1 - norm_memory) * (double)t->variance[c]);
		}
	}
}

/* Fills the batch of a step. */
static void load(struct training *t, int64_t step, int *labels)
{
	const int epoch = (int)(step / t->epoch_steps);
	const int first = (int)(step % t->epoch_steps) * t->batch;
	const size_t floats = (size_t)espl_value_elements(&t->graph->values[t->graph->inputs[0]]);

	order_epoch(t, epoch);
	for (int i = 0; i < t->batch; i++) {
		const int index = t->order[first + i];

		espl_augment(&t->data->train, t->options, index, epoch,
		             t->images + (size_t)i * floats);
		labels[i] = t->data->train.labels[index];
	}
}

/* One forward and backward; returns the mean loss. */
static double run_batch(struct training *t, const int *labels)
{
	const float *inputs[1] = {t->images};
	const float share = 1.0f / (float)t->batch;
	double loss = 0;

	if (t->options->freeze_norms)
		espl_graph_run_forward(t->run, inputs, t->batch);
	else
		espl_graph_run_train(t->run, inputs, t->batch);
	espl_graph_run_read(t->run, t->logits, t->outputs);
	if (t->teacher) {
		espl_graph_run_forward(t->teacher, inputs, t->batch);
		espl_graph_run_read(t->teacher, espl_graph_logits(t->options->teacher),
		                    t->teacher_outputs);
	}
	for (int i = 0; i < t->batch; i++) {
		const size_t at = (size_t)i * (size_t)t->classes;

		loss += espl_loss(t->options, t->classes, t->outputs + at,
		                  t->teacher ? t->teacher_outputs + at : NULL, labels[i],
		                  t->gradients + at);
	}
	for (int i = 0; i < t->batch * t->classes; i++)
		t->gradients[i] *= share;
	espl_graph_run_backward(t->run, t->logits, t->gradients);
	return loss / t->batch;
}

static espl_status fail_diverged(struct training *t, double loss, espl_error *err)
{
	const espl_standing *s = &t->standing;

	espl_parameters_set(&t->parameters, t->before);
	espl_norms_set(t->graph, t->before_norms);
	return espl_fail(err, ESPL_RANGE,
	                 "training diverged in epoch %lld, step %lld: the loss is %g and was %g at "
	                 "first; try a lower rate than %g",
	                 (long long)(s->step / t->epoch_steps) + 1, (long long)s->step + 1, loss,
	                 s->first_loss, t->options->rate);
}

static bool all_finite(const struct training *t)
{
	for (int r = 0; r < t->parameters.run_count; r++)
		for (int64_t i = 0; i < t->parameters.runs[r].count; i++)
			if (!isfinite(t->parameters.runs[r].at[i]))
				return false;
	return true;
}

static espl_status run_step(struct training *t, int *labels, espl_error *err)
{
	const espl_train_hooks *hooks = &t->options->hooks;
	espl_standing *s = &t->standing;
	double loss;

	load(t, s->step, labels);
	loss = run_batch(t, labels);
	if (!s->step)
		s->first_loss = loss;
	if (!isfinite(loss))
		return fail_diverged(t, loss, err);
	if (hooks->act && hooks->every && s->step % hooks->every == 0)
		ESPL_TRY(hooks->act(hooks->user, t->graph, t->run, s->step, t->steps, err));
	espl_parameters_move(&t->parameters, t->run, t->options, rate_at(t, s->step), s->step);
	if (!t->options->freeze_norms)
		remember_norms(t);
	if (t->parameters.average)
		espl_parameters_follow(&t->parameters, t->options->average, s->step);
	s->epoch_loss += loss;
	s->step++;
	return ESPL_OK;
}

/* Puts in place what is to be judged: the parameters, or their average with its own norms. */
static espl_status place_average(struct training *t, espl_error *err)
{
	if (!t->parameters.average)
		return ESPL_OK;
	espl_parameters_get(&t->parameters, t->kept);
	espl_norms_get(t->graph, t->kept_norms);
	espl_parameters_set(&t->parameters, t->parameters.average);
	if (t->options->freeze_norms)
		return ESPL_OK;
	return espl_graph_estimate_norms(t->graph, &t->data->train, ESTIMATE_SAMPLES,
	                                 t->options->threads, t->options->seed, err);
}

static void put_back(struct training *t)
{
	if (!t->parameters.average)
		return;
	espl_parameters_set(&t->parameters, t->kept);
	espl_norms_set(t->graph, t->kept_norms);
}

/* Judges an epoch, and keeps its parameters when they are the best so far. */
static espl_status judge(struct training *t, int epoch, espl_error *err)
{
	const bool last = epoch == t->options->epochs - 1, judged = t->data->validation.count > 0;
	espl_standing *s = &t->standing;

	if (!judged && !last)
		return ESPL_OK;
	ESPL_TRY(place_average(t, err));
	if (judged)
		ESPL_TRY(espl_graph_accuracy(t->graph, &t->data->validation, t->options->threads,
		                             &s->accuracy, err));
	if ((epoch >= t->options->choose_from || last) &&
	    (!judged || s->best_epoch < 0 || s->accuracy >= s->best_accuracy)) {
		s->best_accuracy = s->accuracy;
		s->best_epoch = epoch;
		espl_parameters_get(&t->parameters, t->parameters.best);
		espl_norms_get(t->graph, t->parameters.best_norms);
	}
	put_back(t);
	return ESPL_OK;
}

static espl_status end_epoch(struct training *t, int epoch, espl_error *err)
{
	const double guess = log(t->classes);
	espl_standing *s = &t->standing;

	s->last_loss = s->epoch_loss / (double)t->epoch_steps;
	if (!all_finite(t) || s->last_loss > diverged * fmax(s->first_loss, guess))
		return fail_diverged(t, s->last_loss, err);
	ESPL_TRY(judge(t, epoch, err));
	s->epoch_loss = 0;
	return ESPL_OK;
}

static espl_train_state state_of(const struct training *t)
{
	const espl_standing *s = &t->standing;
	const int64_t in_epoch = s->step % t->epoch_steps;
	const double seconds = espl_seconds() - t->start;
	const double each =
	        seconds / (double)(s->step > t->start_step ? s->step - t->start_step : 1);

	return (espl_train_state){
	        .epoch = (int)((s->step - 1) / t->epoch_steps),
	        .epochs = t->options->epochs,
	        .step = s->step,
	        .steps = t->steps,
	        .rate = rate_at(t, s->step - 1),
	        .loss = in_epoch ? s->epoch_loss / (double)in_epoch : s->last_loss,
	        .accuracy = s->accuracy,
	        .seconds = seconds,
	        .seconds_left = each * (double)(t->steps - s->step),
	};
}

static espl_status save(struct training *t, espl_error *err)
{
	if (!t->options->checkpoint)
		return ESPL_OK;
	t->saved = espl_seconds();
	return espl_checkpoint_write(t->options->checkpoint, t->identity, &t->standing, t->graph,
	                             &t->parameters, err);
}

static espl_status run_steps(struct training *t, espl_error *err)
{
	const espl_train_hooks *hooks = &t->options->hooks;
	int *labels = ESPL_ARRAY(t->arena, int, t->batch);
	espl_standing *s = &t->standing;

	while (s->step < t->steps) {
		espl_train_state state;

		if (hooks->interrupted && hooks->interrupted(hooks->user)) {
			ESPL_TRY(save(t, err));
			return espl_fail(err, ESPL_INTERRUPTED, "interrupted at step %lld of %lld",
			                 (long long)s->step, (long long)t->steps);
		}
		ESPL_TRY(run_step(t, labels, err));
		if (s->step % t->epoch_steps == 0)
			ESPL_TRY(end_epoch(t, (int)(s->step / t->epoch_steps) - 1, err));
		state = state_of(t);
		if (hooks->progress)
			hooks->progress(hooks->user, &state);
		if (hooks->epoch && s->step % t->epoch_steps == 0)
			hooks->epoch(hooks->user, &state);
		if (espl_seconds() - t->saved >= t->options->checkpoint_seconds)
			ESPL_TRY(save(t, err));
	}
	return save(t, err);
}

static espl_status check_options(const espl_train_options *o, espl_error *err)
{
	const double shares[] = {o->smoothing, o->average, o->erase, o->mix, o->momentum};
	const double others[] = {o->rate, o->warmup, o->weight_decay, o->step_rate};

	if (o->epochs < 1 || o->batch < 1 || o->batch > 4096 || o->threads < 1 || o->threads > 64)
		return espl_fail(
		        err, ESPL_RANGE,
		        "%d epochs, batches of %d, %d threads: 1 or more epochs, batches of "
		        "1 to 4096 and 1 to 64 threads are possible",
		        o->epochs, o->batch, o->threads);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (!(shares[i] >= 0) || shares[i] > 1)
			return espl_fail(err, ESPL_RANGE,
			                 "%g is not within 0..1, as smoothing, average, erase, mix "
			                 "and momentum must be",
			                 shares[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!(others[i] >= 0) || !isfinite(others[i]))
			return espl_fail(err, ESPL_RANGE,
			                 "%g is negative, as rate, warm-up, weight decay and step "
			                 "rate must not be",
			                 others[i]);
	if (o->shift < 0 || o->shift > 1024 || !(o->temperature > 0) || !isfinite(o->temperature))
		return espl_fail(err, ESPL_RANGE, "shift %d, temperature %g", o->shift,
		                 o->temperature);
	return ESPL_OK;
}

static espl_status open_runs(struct training *t, espl_error *err)
{
	const espl_train_options *o = t->options;

	ESPL_TRY(espl_graph_run_create(t->graph, t->batch, o->threads, true, &t->run, err));
	if (o->teacher)
		ESPL_TRY(espl_graph_run_create(o->teacher, t->batch, o->threads, false, &t->teacher,
		                               err));
	return ESPL_OK;
}

static void allocate(struct training *t)
{
	const size_t batch = (size_t)t->batch, classes = (size_t)t->classes;
	const int64_t norms = espl_norms_count(t->graph);
	espl_arena *arena = t->arena;

	t->images = ESPL_ARRAY(
	        arena, float,
	        batch *(size_t)espl_value_elements(&t->graph->values[t->graph->inputs[0]]));
	t->outputs = ESPL_ARRAY(arena, float, batch *classes);
	t->teacher_outputs = ESPL_ARRAY(arena, float, batch *classes);
	t->gradients = ESPL_ARRAY(arena, float, batch *classes);
	t->mean = ESPL_ARRAY(arena, float, norms);
	t->variance = ESPL_ARRAY(arena, float, norms);
	t->kept_norms = ESPL_ARRAY(arena, float, norms);
	t->before_norms = ESPL_ARRAY(arena, float, norms);
	espl_parameters_find(t->graph, t->run, t->options, arena, &t->parameters);
	t->kept = ESPL_ARRAY(arena, float, t->parameters.count);
	t->before = ESPL_ARRAY(arena, float, t->parameters.count);
	espl_parameters_get(&t->parameters, t->before);
	espl_norms_get(t->graph, t->before_norms);
}

/* Goes on where an earlier run ended, if there was one. */
static espl_status resume(struct training *t, espl_error *err)
{
	bool found = false;

	t->standing = (espl_standing){.accuracy = -1, .best_accuracy = -1, .best_epoch = -1};
	if (!t->options->checkpoint)
		return ESPL_OK;
	t->identity = espl_run_identity(t->graph, t->data, t->options, t->arena);
	if (t->options->resume)
		ESPL_TRY(espl_checkpoint_read(t->options->checkpoint, t->identity, &t->standing,
		                              t->graph, &t->parameters, &found, err));
	t->start_step = t->standing.step;
	return ESPL_OK;
}

static espl_status train(struct training *t, espl_train_result *result, espl_error *err)
{
	const espl_standing *s = &t->standing;
	const double guess = log(t->classes);

	choose_subset(t);
	if (t->batch > t->taken)
		t->batch = t->taken;
	t->epoch_steps = t->taken / t->batch;
	t->steps = t->epoch_steps * t->options->epochs;
	ESPL_TRY(open_runs(t, err));
	allocate(t);
	ESPL_TRY(resume(t, err));
	t->start = t->saved = espl_seconds();
	ESPL_TRY(run_steps(t, err));
	if (!t->teacher && s->last_loss >= 0.995 * guess)
		return fail_diverged(t, s->last_loss, err);
	espl_parameters_set(&t->parameters, t->parameters.best);
	espl_norms_set(t->graph, t->parameters.best_norms);
	*result = (espl_train_result){.accuracy = s->best_accuracy,
	                              .chosen_epoch = (int)s->best_epoch,
	                              .loss = s->last_loss,
	                              .steps = s->step,
	                              .seconds = espl_seconds() - t->start};
	return ESPL_OK;
}

espl_status espl_train(espl_graph *graph, const espl_data *data, const espl_train_options *options,
                       espl_train_result *result, espl_error *err)
{
	struct training t = {.graph = graph,
	                     .data = data,
	                     .options = options,
	                     .classes = data->train.classes,
	                     .batch = options->batch};
	espl_status status;

	ESPL_TRY(check_options(options, err));
	ESPL_TRY(espl_graph_check(graph, err));
	ESPL_TRY(espl_graph_fits(graph, &data->train, err));
	if (options->teacher)
		ESPL_TRY(espl_context(err, espl_graph_fits(options->teacher, &data->train, err),
		                      "teacher"));
	if (!data->train.count)
		return espl_fail(err, ESPL_SHAPE, "there are no training samples");
	t.logits = espl_graph_logits(graph);
	t.arena = espl_arena_create();
	status = train(&t, result, err);
	espl_graph_run_destroy(t.run);
	espl_graph_run_destroy(t.teacher);
	espl_arena_destroy(t.arena);
	return status;
}
