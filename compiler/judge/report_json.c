/* A benchmark as JSON.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/report.h"

#include "base/json.h"

#include <math.h>

/* What could not be measured is null. */
static void put(espl_json_writer *w, const char *key, double value)
{
	if (isfinite(value))
		espl_json_put_number(w, key, value);
	else
		espl_json_put_null(w, key);
}

static void put_slice(espl_json_writer *w, const char *key, const espl_slice *slice)
{
	if (!slice->name) {
		espl_json_put_null(w, key);
		return;
	}
	espl_json_open(w, key, '{');
	espl_json_put_string(w, "name", slice->name);
	espl_json_put_integer(w, "samples", slice->samples);
	put(w, "accuracy", slice->accuracy);
	espl_json_close(w);
}

static void put_corruptions(espl_json_writer *w, const espl_benchmark *b, const espl_judgement *of)
{
	put(w, "corruption_accuracy", of->corruption_accuracy);
	if (!b->corrupted) {
		espl_json_put_null(w, "worst_corruption");
		espl_json_put_null(w, "corruptions");
		return;
	}
	espl_json_put_string(w, "worst_corruption", espl_corruption_name(of->worst_corruption));
	espl_json_open(w, "corruptions", '{');
	for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++) {
		espl_json_open(w, espl_corruption_name(kind), '[');
		for (int s = 0; s < ESPL_STRENGTHS; s++)
			put(w, NULL, of->corruptions[kind][s]);
		espl_json_close(w);
	}
	espl_json_close(w);
}

static void put_cost(espl_json_writer *w, const espl_cost *cost)
{
	if (!cost->known) {
		if (cost->why_not)
			espl_json_put_string(w, "not_priced", cost->why_not);
		return;
	}
	espl_json_open(w, "cost", '{');
	espl_json_put_integer(w, "lanes", cost->lanes);
	espl_json_put_integer(w, "splits", cost->splits);
	espl_json_put_integer(w, "requantizers", cost->requantizers);
	espl_json_put_integer(w, "multipliers", cost->multipliers);
	espl_json_put_integer(w, "latency_cycles", cost->latency_cycles);
	espl_json_put_integer(w, "interval_cycles", cost->interval_cycles);
	put(w, "latency_us", cost->latency_us);
	espl_json_put_integer(w, "memory_bytes", cost->memory_bytes);
	espl_json_put_integer(w, "block_rams", cost->block_rams);
	put(w, "energy_uj_estimate", cost->energy_uj);
	put(w, "cost_per_million_estimate", cost->cost_million);
	espl_json_close(w);
}

static void put_flips(espl_json_writer *w, const espl_comparison *with, bool turned,
                      espl_arena *arena)
{
	int64_t *flips = ESPL_ARRAY(arena, int64_t, with->flip_count);

	for (int i = 0; i < with->flip_count; i++)
		flips[i] = with->flips[i];
	espl_json_open(w, "flips", '{');
	espl_json_put_integer(w, "count", with->flip_count);
	espl_json_put_integer(w, "right_to_wrong",
	                      turned ? with->wrong_to_right : with->right_to_wrong);
	espl_json_put_integer(w, "wrong_to_right",
	                      turned ? with->right_to_wrong : with->wrong_to_right);
	espl_json_put_integer(w, "wrong_to_wrong", with->wrong_to_wrong);
	espl_json_put_integers(w, "indices", flips, with->flip_count);
	espl_json_close(w);
}

/* The figures of one model. */
static void put_judgement(espl_json_writer *w, const espl_benchmark *b, espl_role role)
{
	const espl_judgement *of = &b->judgements[role];

	espl_json_put_string(w, "model", of->model->name);
	espl_json_put_string(w, "arithmetic", of->model->net ? "integer" : "float");
	put(w, "accuracy", of->accuracy);
	espl_json_open(w, "recall", '[');
	for (int c = 0; c < b->classes; c++)
		put(w, NULL, of->recall[c]);
	espl_json_close(w);
	espl_json_put_integer(w, "worst_class", of->worst_class);
	put(w, "worst_class_recall", of->worst_class_recall);
	put_slice(w, "worst_slice", &of->worst_slice);
	put(w, "low_margin_accuracy", of->low_margin_accuracy);
	espl_json_open(w, "brightness_quarters", '[');
	for (int q = 0; q < ESPL_BRIGHTNESS_PARTS; q++)
		put(w, NULL, of->brightness[q]);
	espl_json_close(w);
	put(w, "calibration_error", of->calibration_error);
	put(w, "negative_log_likelihood", of->negative_log_likelihood);
	put_corruptions(w, b, of);
	espl_json_put_integer(w, "bytes", of->bytes);
	espl_json_put_integer(w, "weights", of->work.weights);
	espl_json_put_integer(w, "nonzero_weights", of->work.nonzero_weights);
	espl_json_put_integer(w, "multiplications", of->work.multiplications);
	espl_json_put_integer(w, "nonzero_multiplications", of->work.nonzero_multiplications);
	put_cost(w, &of->cost);
}

/* What the model does beside another one. */
static void put_comparison(espl_json_writer *w, const espl_comparison *with)
{
	put(w, "agreement", with->agreement);
	put(w, "mcnemar_p", with->mcnemar_p);
	espl_json_open(w, "drops", '{');
	put(w, "accuracy", with->drop);
	put(w, "worst_class_recall", with->worst_class_drop);
	put(w, "class_recall", with->class_drop);
	espl_json_put_integer(w, "class", with->dropped_class);
	put(w, "slice", with->slice_drop);
	put_slice(w, "slice_of_model", &with->dropped_slice);
	put(w, "corruption_accuracy", with->corruption_drop);
	espl_json_close(w);
}

static void put_other(espl_json_writer *w, const espl_benchmark *b, const char *key, espl_role role,
                      const espl_comparison *with, espl_arena *arena)
{
	if (!b->present[role]) {
		espl_json_put_null(w, key);
		return;
	}
	espl_json_open(w, key, '{');
	put_judgement(w, b, role);
	put_flips(w, with, true, arena);
	put_comparison(w, with);
	espl_json_close(w);
}

static void put_gates(espl_json_writer *w, const espl_gate_state gates[ESPL_GATES])
{
	espl_json_open(w, "gates", '[');
	for (espl_gate g = 0; g < ESPL_GATES; g++) {
		if (!gates[g].given)
			continue;
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", espl_gate_option(g) + 2);
		put(w, "limit", gates[g].limit);
		put(w, "value", gates[g].value);
		espl_json_put_bool(w, "passed", gates[g].passed);
		espl_json_close(w);
	}
	espl_json_close(w);
}

const char *espl_benchmark_json(const espl_benchmark *b, const espl_gate_state gates[ESPL_GATES],
                                espl_arena *arena, size_t *size)
{
	espl_json_writer *w = espl_json_writer_create(arena);

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "samples", b->samples);
	espl_json_put_integer(w, "classes", b->classes);
	put_judgement(w, b, ESPL_ROLE_MODEL);
	if (b->present[ESPL_ROLE_AGAINST])
		put_flips(w, &b->against, false, arena);
	else
		espl_json_put_null(w, "flips");
	put_other(w, b, "against", ESPL_ROLE_AGAINST, &b->against, arena);
	put_other(w, b, "control", ESPL_ROLE_CONTROL, &b->control, arena);
	put_gates(w, gates);
	espl_json_close(w);
	return espl_json_text(w, size);
}
