/* The benchmark: models run on the test set, clean and corrupted, and compared.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/judge.h"

#include "interp/workers.h"
#include "judge/cost.h"
#include "judge/metrics.h"
#include "judge/slices.h"
#include "judge/subject.h"

#include <math.h>
#include <string.h>

enum { BATCH = 256 };

/* A run, from its start to its end. */
typedef struct {
	const espl_samples *samples;
	const espl_judge_options *options;
	espl_arena *arena, *scratch;
	espl_benchmark *out;
	size_t elements; /* of a sample */
	espl_subject *subjects[ESPL_ROLES];
	float *margins; /* [samples] of the full model */
	bool *right;    /* [samples], for a moment */
	espl_tally tally;

	/* Corruption of a batch, by threads. */
	espl_workers *workers;
	const espl_corruptor *corruptor;
	uint8_t *corrupted; /* [BATCH][elements] */
	uint8_t **spaces;   /* [thread] */
	uint8_t *answers;   /* [BATCH] */
	espl_corruption kind;
	int strength, first;
} job;

static espl_status report_progress(const job *j, const char *what, double share)
{
	if (j->options->progress && j->options->progress(j->options->user, what, share))
		return ESPL_INTERRUPTED;
	return ESPL_OK;
}

static const uint8_t *bytes_from(const job *j, int first)
{
	return j->samples->bytes ? j->samples->bytes + first * j->elements : NULL;
}

static const float *floats_from(const job *j, int first)
{
	return j->samples->floats ? j->samples->floats + first * j->elements : NULL;
}

/* What the logits of a batch say of the model's confidence. */
static void take_logits(job *j, espl_role role, int first, int count, const float *logits,
                        float *confidence, double *likelihood)
{
	const bool full =
	        role == (j->subjects[ESPL_ROLE_AGAINST] ? ESPL_ROLE_AGAINST : ESPL_ROLE_MODEL);
	const int classes = j->out->classes;

	for (int i = 0; i < count; i++) {
		const float *of = logits + (size_t)i * classes;

		confidence[first + i] = (float)espl_confidence(of, classes);
		*likelihood -= espl_log_probability(of, classes, j->samples->labels[first + i]);
		if (full)
			j->margins[first + i] = espl_margin(of, classes);
	}
}

static espl_status check_finite(const float *values, size_t count, const char *name,
                                espl_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(values[i])) {
			espl_fail(err, ESPL_RANGE, "gives a result that is no number");
			return espl_context(err, ESPL_RANGE, name);
		}
	return ESPL_OK;
}

/* The samples as they are. */
static espl_status run_clean(job *j, espl_role role, espl_error *err)
{
	espl_judgement *of = &j->out->judgements[role];
	const int all = j->out->samples, classes = j->out->classes;
	float *logits = ESPL_ARRAY(j->scratch, float, (size_t)BATCH *classes);
	float *confidence = ESPL_ARRAY(j->scratch, float, all);
	double likelihood = 0;
	int right = 0;

	of->answers = ESPL_ARRAY(j->arena, uint8_t, all);
	for (int first = 0; first < all; first += BATCH) {
		const int count = all - first < BATCH ? all - first : BATCH;

		espl_subject_run(j->subjects[role], bytes_from(j, first), floats_from(j, first),
		                 count, of->answers + first, logits);
		ESPL_TRY(check_finite(logits, (size_t)count * classes, of->model->name, err));
		take_logits(j, role, first, count, logits, confidence, &likelihood);
	}
	for (int i = 0; i < all; i++) {
		j->right[i] = of->answers[i] == j->samples->labels[i];
		right += j->right[i];
	}
	of->accuracy = (double)right / all;
	of->negative_log_likelihood = likelihood / all;
	of->calibration_error = espl_calibration_error(confidence, j->right, all);
	espl_tally_clean(&j->tally, role, j->right);
	return report_progress(j, "clean samples", 0);
}

static void corrupt_one(void *context, int item, int thread)
{
	const job *j = context;

	espl_corrupt(j->corruptor, j->kind, j->strength, j->first + item,
	             bytes_from(j, j->first + item), j->corrupted + item * j->elements,
	             j->spaces[thread]);
}

/* One kind at one strength: every model sees the same images. */
static void run_corrupted(job *j)
{
	const int all = j->out->samples;
	int right[ESPL_ROLES] = {0};

	for (j->first = 0; j->first < all; j->first += BATCH) {
		const int count = all - j->first < BATCH ? all - j->first : BATCH;
		const uint8_t *labels = j->samples->labels + j->first;

		espl_workers_run(j->workers, count, corrupt_one, j);
		for (espl_role role = 0; role < ESPL_ROLES; role++) {
			if (!j->subjects[role])
				continue;
			espl_subject_run(j->subjects[role], j->corrupted, NULL, count, j->answers,
			                 NULL);
			for (int i = 0; i < count; i++)
				right[role] += j->answers[i] == labels[i];
			espl_tally_corrupted(&j->tally, role, j->kind, labels, j->answers, count);
		}
	}
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		j->out->judgements[role].corruptions[j->kind][j->strength] =
		        (double)right[role] / all;
}

static espl_status run_corruptions(job *j, espl_error *err)
{
	ESPL_TRY(espl_workers_create(j->options->threads, &j->workers, err));
	j->corruptor = espl_corruptor_create(j->samples->rows, j->samples->columns,
	                                     j->samples->channels, j->options->seed, j->scratch);
	j->corrupted = espl_arena_calloc(j->scratch, BATCH, j->elements);
	j->answers = ESPL_ARRAY(j->scratch, uint8_t, BATCH);
	j->spaces = ESPL_ARRAY(j->scratch, uint8_t *, j->options->threads);
	for (int t = 0; t < j->options->threads; t++)
		j->spaces[t] = espl_arena_calloc(j->scratch, espl_corrupt_scratch(j->corruptor), 1);
	for (j->kind = 0; j->kind < ESPL_CORRUPTIONS; j->kind++) {
		for (j->strength = 0; j->strength < ESPL_STRENGTHS; j->strength++) {
			const int done = (int)j->kind * ESPL_STRENGTHS + j->strength;

			ESPL_TRY(report_progress(
			        j, espl_corruption_name(j->kind),
			        (done + 1) / (ESPL_CORRUPTIONS * ESPL_STRENGTHS + 1.0)));
			run_corrupted(j);
		}
	}
	return ESPL_OK;
}

static void finish_corruptions(espl_judgement *of)
{
	double least = 2, all = 0;

	for (int kind = 0; kind < ESPL_CORRUPTIONS; kind++) {
		double sum = 0;

		for (int s = 0; s < ESPL_STRENGTHS; s++)
			sum += of->corruptions[kind][s];
		if (sum / ESPL_STRENGTHS < least) {
			least = sum / ESPL_STRENGTHS;
			of->worst_corruption = (espl_corruption)kind;
		}
		all += sum;
	}
	of->corruption_accuracy = all / (ESPL_CORRUPTIONS * ESPL_STRENGTHS);
}

static void finish_classes(job *j, espl_role role)
{
	espl_judgement *of = &j->out->judgements[role];

	of->recall = ESPL_ARRAY(j->arena, double, j->out->classes);
	of->worst_class = -1;
	of->worst_class_recall = NAN;
	for (int c = 0; c < j->out->classes; c++) {
		of->recall[c] = espl_tally_recall(&j->tally, role, c);
		if (!isnan(of->recall[c]) &&
		    (of->worst_class < 0 || of->recall[c] < of->worst_class_recall)) {
			of->worst_class = c;
			of->worst_class_recall = of->recall[c];
		}
	}
}

static void finish_model(job *j, espl_role role, const int *lowest)
{
	espl_judgement *of = &j->out->judgements[role];
	int right = 0;

	finish_classes(j, role);
	for (int q = 0; q < ESPL_BRIGHTNESS_PARTS; q++)
		of->brightness[q] = espl_tally_brightness(&j->tally, role, q);
	for (int i = 0; i < j->out->low_margin_samples; i++)
		right += of->answers[lowest[i]] == j->samples->labels[lowest[i]];
	of->low_margin_accuracy = (double)right / j->out->low_margin_samples;
	of->worst_slice = espl_tally_worst(&j->tally, role, j->arena);
	of->corruption_accuracy = NAN;
	if (j->out->corrupted)
		finish_corruptions(of);
	if (of->model->net) {
		of->bytes = espl_model_bytes(of->model->net);
		of->work = espl_net_work(of->model->net);
		if (j->options->pricing)
			espl_judge_cost(of->model->net, j->options->pricing, j->arena, &of->cost);
	} else {
		of->bytes = espl_graph_bytes(of->model->graph);
		of->work = espl_graph_work(of->model->graph);
	}
}

/* The greatest drop of a class's recall. */
static void compare_classes(const espl_judgement *of, const espl_judgement *other, int classes,
                            espl_comparison *out)
{
	out->class_drop = -INFINITY;
	for (int c = 0; c < classes; c++) {
		const double drop = other->recall[c] - of->recall[c];

		if (!isnan(drop) && drop > out->class_drop) {
			out->class_drop = drop;
			out->dropped_class = c;
		}
	}
}

static void compare(job *j, espl_role role, espl_comparison *out)
{
	const espl_judgement *of = &j->out->judgements[ESPL_ROLE_MODEL];
	const espl_judgement *other = &j->out->judgements[role];
	const uint8_t *labels = j->samples->labels;
	const int all = j->out->samples;

	out->flips = ESPL_ARRAY(j->arena, int, all);
	for (int i = 0; i < all; i++) {
		const bool right = of->answers[i] == labels[i];
		const bool other_right = other->answers[i] == labels[i];

		if (of->answers[i] == other->answers[i])
			continue;
		out->flips[out->flip_count++] = i;
		if (right)
			out->wrong_to_right++;
		else if (other_right)
			out->right_to_wrong++;
		else
			out->wrong_to_wrong++;
	}
	out->agreement = (double)(all - out->flip_count) / all;
	out->mcnemar_p = espl_mcnemar(out->right_to_wrong, out->wrong_to_right);
	out->drop = other->accuracy - of->accuracy;
	out->worst_class_drop = other->worst_class_recall - of->worst_class_recall;
	out->corruption_drop = other->corruption_accuracy - of->corruption_accuracy;
	compare_classes(of, other, j->out->classes, out);
	out->dropped_slice =
	        espl_tally_worst_drop(&j->tally, ESPL_ROLE_MODEL, role, j->arena, &out->slice_drop);
}

static espl_status run_job(job *j, const espl_judged *const models[ESPL_ROLES], espl_error *err)
{
	const int *lowest;

	for (espl_role role = 0; role < ESPL_ROLES; role++) {
		if (!models[role])
			continue;
		j->out->present[role] = true;
		j->out->judgements[role].model = models[role];
		ESPL_TRY(espl_subject_create(models[role], j->samples, j->options,
		                             &j->subjects[role], err));
	}
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		if (j->subjects[role])
			ESPL_TRY(run_clean(j, role, err));
	if (j->out->corrupted)
		ESPL_TRY(run_corruptions(j, err));
	lowest = espl_least(j->margins, j->out->samples, j->out->low_margin_samples, j->scratch);
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		if (j->subjects[role])
			finish_model(j, role, lowest);
	if (models[ESPL_ROLE_AGAINST])
		compare(j, ESPL_ROLE_AGAINST, &j->out->against);
	if (models[ESPL_ROLE_CONTROL])
		compare(j, ESPL_ROLE_CONTROL, &j->out->control);
	return ESPL_OK;
}

espl_status espl_judge(const espl_judged *const models[ESPL_ROLES], const espl_samples *samples,
                       const espl_judge_options *options, espl_arena *arena, espl_benchmark *out,
                       espl_error *err)
{
	const bool some = options->samples && options->samples < samples->count;
	const int all = some ? (int)options->samples : samples->count;
	espl_arena *scratch = espl_arena_create();
	espl_benchmark result = {
	        .samples = all,
	        .classes = samples->classes,
	        .low_margin_samples = (all + 9) / 10,
	        .corrupted = options->corruptions && samples->bytes,
	};
	job j = {
	        .samples = samples,
	        .options = options,
	        .arena = arena,
	        .scratch = scratch,
	        .out = &result,
	        .elements = (size_t)samples->rows * samples->columns * samples->channels,
	        .margins = ESPL_ARRAY(scratch, float, all),
	        .right = ESPL_ARRAY(scratch, bool, all),
	};
	espl_status status;

	espl_tally_begin(&j.tally, samples, all, scratch);
	result.class_samples = espl_arena_copy(arena, j.tally.class_samples,
	                                       (size_t)samples->classes * sizeof(int));
	status = run_job(&j, models, err);
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		espl_subject_destroy(j.subjects[role]);
	espl_workers_destroy(j.workers);
	espl_arena_destroy(scratch);
	if (!status)
		*out = result;
	return status;
}
