/* A benchmark as text.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A row a figure, a column a model, and the change from the full model to the one judged.
 */
#include "judge/report.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
	espl_text text;
	const espl_benchmark *of;
	bool full, control;
} sheet;

static void heading(sheet *s, const char *what)
{
	espl_text_add(&s->text, "%-30s%14s", what, "model");
	if (s->full)
		espl_text_add(&s->text, "%14s%14s", "full", "change");
	if (s->control)
		espl_text_add(&s->text, "%14s", "control");
	espl_text_add(&s->text, "\n");
}

/* A cell of 14 columns; a figure that is not there is a dash. */
static void cell(sheet *s, double value, const char *format)
{
	char digits[64];

	if (!isfinite(value)) {
		espl_text_add(&s->text, "%14s", "-");
		return;
	}
	if (!strcmp(format, "%"))
		snprintf(digits, sizeof digits, "%.2f %%", 100 * value);
	else if (!strcmp(format, "+%"))
		snprintf(digits, sizeof digits, "%+.2f", 100 * value);
	else if (!strcmp(format, "i"))
		snprintf(digits, sizeof digits, "%.0f", value);
	else if (!strcmp(format, "x"))
		snprintf(digits, sizeof digits, "%.3gx", value);
	else
		snprintf(digits, sizeof digits, "%.4g", value);
	espl_text_add(&s->text, "%14s", digits);
}

/* A row of three figures; the change is a difference in points, else a factor. */
static void row(sheet *s, const char *name, const double values[ESPL_ROLES], const char *format)
{
	const bool points = !strcmp(format, "%");

	espl_text_add(&s->text, "%-30s", name);
	cell(s, values[ESPL_ROLE_MODEL], format);
	if (s->full) {
		const double of = values[ESPL_ROLE_MODEL], full = values[ESPL_ROLE_AGAINST];

		cell(s, full, format);
		if (points)
			cell(s, of - full, "+%");
		else
			cell(s, full > 0 ? of / full : NAN, "x");
	}
	if (s->control)
		cell(s, values[ESPL_ROLE_CONTROL], format);
	espl_text_add(&s->text, "\n");
}

#define ROW(sheet, name, format, field)                                                 \
	row(sheet, name,                                                                \
	    (const double[]){(double)(sheet)->of->judgements[ESPL_ROLE_MODEL].field,    \
	                     (double)(sheet)->of->judgements[ESPL_ROLE_AGAINST].field,  \
	                     (double)(sheet)->of->judgements[ESPL_ROLE_CONTROL].field}, \
	    format)

static void put_averages(sheet *s)
{
	heading(s, "");
	ROW(s, "accuracy", "%", accuracy);
	ROW(s, "worst class's recall", "%", worst_class_recall);
	ROW(s, "worst slice", "%", worst_slice.accuracy);
	ROW(s, "lowest tenth of margins", "%", low_margin_accuracy);
	ROW(s, "darkest quarter", "%", brightness[0]);
	ROW(s, "lightest quarter", "%", brightness[3]);
	if (s->of->corrupted)
		ROW(s, "under corruption", "%", corruption_accuracy);
	ROW(s, "calibration error", "%", calibration_error);
	ROW(s, "negative log likelihood", "g", negative_log_likelihood);
	ROW(s, "bytes", "i", bytes);
	ROW(s, "weights", "i", work.weights);
	ROW(s, "weights not 0", "i", work.nonzero_weights);
	ROW(s, "multiplications", "i", work.multiplications);
	ROW(s, "multiplications not by 0", "i", work.nonzero_multiplications);
}

static double known(const espl_cost *cost, double value)
{
	return cost->known ? value : NAN;
}

#define COST_ROW(sheet, name, format, field)                                        \
	row(sheet, name,                                                            \
	    (const double[]){known(&(sheet)->of->judgements[0].cost,                \
	                           (double)(sheet)->of->judgements[0].cost.field),  \
	                     known(&(sheet)->of->judgements[1].cost,                \
	                           (double)(sheet)->of->judgements[1].cost.field),  \
	                     known(&(sheet)->of->judgements[2].cost,                \
	                           (double)(sheet)->of->judgements[2].cost.field)}, \
	    format)

static void put_costs(sheet *s)
{
	static const char *const names[ESPL_ROLES] = {"model", "full", "control"};
	bool any = false;

	for (espl_role role = 0; role < ESPL_ROLES; role++)
		any |= s->of->judgements[role].cost.known;
	if (any) {
		COST_ROW(s, "latency, cycles", "i", latency_cycles);
		COST_ROW(s, "latency, us", "g", latency_us);
		COST_ROW(s, "DSPs", "i", multipliers);
		COST_ROW(s, "memory, bytes", "i", memory_bytes);
		COST_ROW(s, "energy, uJ (estimate)", "g", energy_uj);
		COST_ROW(s, "cost of a million (estimate)", "g", cost_million);
	}
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		if (s->of->judgements[role].cost.why_not)
			espl_text_add(&s->text, "%s is not priced: %s\n", names[role],
			              s->of->judgements[role].cost.why_not);
}

static void put_worst(sheet *s)
{
	static const char *const names[ESPL_ROLES] = {"model", "full", "control"};

	espl_text_add(&s->text, "\n");
	for (espl_role role = 0; role < ESPL_ROLES; role++) {
		const espl_judgement *of = &s->of->judgements[role];

		if (!s->of->present[role])
			continue;
		espl_text_add(&s->text, "%-8s worst class %d, worst slice: %s", names[role],
		              of->worst_class,
		              of->worst_slice.name ? of->worst_slice.name : "none large enough");
		if (s->of->corrupted)
			espl_text_add(&s->text, ", worst corruption: %s",
			              espl_corruption_name(of->worst_corruption));
		espl_text_add(&s->text, "\n");
	}
}

static void put_comparison(sheet *s, const char *other, const espl_comparison *with)
{
	espl_text_add(
	        &s->text,
	        "\nbeside the %s: same answer %.2f %%; %d flipped: %d right to wrong, %d wrong "
	        "to right,\n%d wrong to wrong; McNemar p = %.3g\n",
	        other, 100 * with->agreement, with->flip_count, with->right_to_wrong,
	        with->wrong_to_right, with->wrong_to_wrong, with->mcnemar_p);
	if (isfinite(with->class_drop))
		espl_text_add(&s->text, "greatest drop of a class: %.2f (class %d)",
		              100 * with->class_drop, with->dropped_class);
	if (with->dropped_slice.name)
		espl_text_add(&s->text, "; of a slice: %.2f (%s, %d samples)",
		              100 * with->slice_drop, with->dropped_slice.name,
		              with->dropped_slice.samples);
	espl_text_add(&s->text, "\n");
}

static void put_recalls(sheet *s)
{
	espl_text_add(&s->text, "\n");
	heading(s, "recall of class");
	for (int c = 0; c < s->of->classes; c++) {
		double values[ESPL_ROLES] = {NAN, NAN, NAN};
		char name[64];

		for (espl_role role = 0; role < ESPL_ROLES; role++)
			if (s->of->present[role])
				values[role] = s->of->judgements[role].recall[c];
		snprintf(name, sizeof name, "  %d (%d samples)", c, s->of->class_samples[c]);
		row(s, name, values, "%");
	}
}

static double kind_mean(const espl_judgement *of, espl_corruption kind)
{
	double sum = 0;

	for (int i = 0; i < ESPL_STRENGTHS; i++)
		sum += of->corruptions[kind][i];
	return sum / ESPL_STRENGTHS;
}

static void put_corruptions(sheet *s)
{
	const espl_judgement *model = &s->of->judgements[ESPL_ROLE_MODEL];

	espl_text_add(&s->text, "\n%-16s%8s%8s%8s%8s%8s%10s", "accuracy under", "1", "2", "3", "4",
	              "5", "mean");
	espl_text_add(&s->text, s->full ? "%10s%10s" : "%s%s", s->full ? "full" : "",
	              s->full ? "change" : "");
	espl_text_add(&s->text, s->control ? "%10s\n" : "%s\n", s->control ? "control" : "");
	for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++) {
		espl_text_add(&s->text, "  %-14s", espl_corruption_name(kind));
		for (int i = 0; i < ESPL_STRENGTHS; i++)
			espl_text_add(&s->text, "%8.2f", 100 * model->corruptions[kind][i]);
		espl_text_add(&s->text, "%10.2f", 100 * kind_mean(model, kind));
		if (s->full) {
			const double full = kind_mean(&s->of->judgements[ESPL_ROLE_AGAINST], kind);

			espl_text_add(&s->text, "%10.2f%+10.2f", 100 * full,
			              100 * (kind_mean(model, kind) - full));
		}
		if (s->control)
			espl_text_add(&s->text, "%10.2f",
			              100 * kind_mean(&s->of->judgements[ESPL_ROLE_CONTROL], kind));
		espl_text_add(&s->text, "\n");
	}
}

static void put_gates(sheet *s, const espl_gate_state gates[ESPL_GATES])
{
	bool any = false;

	for (espl_gate g = 0; g < ESPL_GATES; g++) {
		if (!gates[g].given)
			continue;
		if (!any)
			espl_text_add(&s->text, "\n%-30s%14s%14s\n", "gate", "limit", "value");
		any = true;
		espl_text_add(&s->text, "%-30s%14.6g%14.6g  %s\n", espl_gate_option(g),
		              gates[g].limit, gates[g].value,
		              gates[g].passed ? "passed" : "NOT PASSED");
	}
}

const char *espl_benchmark_text(const espl_benchmark *b, const espl_gate_state gates[ESPL_GATES],
                                espl_arena *arena)
{
	sheet s = {.text = {.arena = arena},
	           .of = b,
	           .full = b->present[ESPL_ROLE_AGAINST],
	           .control = b->present[ESPL_ROLE_CONTROL]};

	espl_text_add(&s.text, "model    %s\n", b->judgements[ESPL_ROLE_MODEL].model->name);
	if (s.full)
		espl_text_add(&s.text, "full     %s\n",
		              b->judgements[ESPL_ROLE_AGAINST].model->name);
	if (s.control)
		espl_text_add(&s.text, "control  %s\n",
		              b->judgements[ESPL_ROLE_CONTROL].model->name);
	espl_text_add(&s.text, "%d samples, %d classes\n\n", b->samples, b->classes);
	put_averages(&s);
	put_costs(&s);
	put_worst(&s);
	if (s.full)
		put_comparison(&s, "full model", &b->against);
	if (s.control)
		put_comparison(&s, "control", &b->control);
	put_recalls(&s);
	if (b->corrupted)
		put_corruptions(&s);
	put_gates(&s, gates);
	return s.text.data;
}
