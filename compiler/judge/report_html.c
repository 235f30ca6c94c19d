/* A benchmark as a page: tables, and plots as SVG.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The page needs no other file and runs no script; names are escaped.
 */
#include "judge/report.h"

#include "base/text.h"

#include <math.h>

enum {
	PLOT_WIDTH = 860,
	PLOT_HEIGHT = 260,
	LEFT = 52,
	TOP = 14,
	INNER_WIDTH = PLOT_WIDTH - LEFT - 10,
	INNER_HEIGHT = PLOT_HEIGHT - TOP - 34
};

static const char *const role_names[ESPL_ROLES] = {"model", "full", "control"};
static const char *const role_colors[ESPL_ROLES] = {"#1b6ca8", "#8a8a8a", "#c98a1b"};

static void put_escaped(espl_text *page, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '&')
			espl_text_add(page, "&amp;");
		else if (c == '<')
			espl_text_add(page, "&lt;");
		else if (c == '>')
			espl_text_add(page, "&gt;");
		else if (c == '"')
			espl_text_add(page, "&quot;");
		else if (c >= ' ')
			espl_text_add(page, "%c", c);
	}
}

static void put_head(espl_text *page, const espl_benchmark *b)
{
	espl_text_add(page,
	              "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	              "<meta name=\"viewport\" content=\"width=device-width\">\n"
	              "<title>Benchmark</title>\n<style>\n"
	              "body { font: 15px/1.45 sans-serif; color: #222; max-width: 900px; margin: "
	              "2em auto; padding: 0 1em }\n"
	              "table { border-collapse: collapse; margin: 1em 0 }\n"
	              "th, td { padding: 2px 14px; text-align: right; border-bottom: 1px solid "
	              "#ddd }\n"
	              "th:first-child, td:first-child { text-align: left; padding-left: 0 }\n"
	              ".no { color: #b00020; font-weight: bold }\n"
	              "svg { width: 100%%; height: auto; font: 11px sans-serif }\n"
	              "</style>\n</head>\n<body>\n<h1>Benchmark</h1>\n<p>");
	for (espl_role role = 0; role < ESPL_ROLES; role++) {
		if (!b->present[role])
			continue;
		espl_text_add(page, "<b style=\"color:%s\">%s</b> ", role_colors[role],
		              role_names[role]);
		put_escaped(page, b->judgements[role].model->name);
		espl_text_add(page, "<br>\n");
	}
	espl_text_add(page, "%d samples, %d classes</p>\n", b->samples, b->classes);
}

static void put_value(espl_text *page, double value, const char *unit)
{
	if (!isfinite(value))
		espl_text_add(page, "<td>&ndash;</td>");
	else if (*unit == '%')
		espl_text_add(page, "<td>%.2f %%</td>", 100 * value);
	else if (*unit == 'i')
		espl_text_add(page, "<td>%.0f</td>", value);
	else
		espl_text_add(page, "<td>%.4g</td>", value);
}

static void put_row(espl_text *page, const espl_benchmark *b, const char *name, const char *unit,
                    double model, double full, double control)
{
	const double values[ESPL_ROLES] = {model, full, control};

	espl_text_add(page, "<tr><td>%s</td>", name);
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		if (b->present[role])
			put_value(page, values[role], unit);
	espl_text_add(page, "</tr>\n");
}

#define ROW(name, unit, field)                                                  \
	put_row(page, b, name, unit, (double)model->field, (double)full->field, \
	        (double)control->field)
#define COST_ROW(name, unit, field)                                                       \
	put_row(page, b, name, unit, model->cost.known ? (double)model->cost.field : NAN, \
	        full->cost.known ? (double)full->cost.field : NAN,                        \
	        control->cost.known ? (double)control->cost.field : NAN)

static void put_figures(espl_text *page, const espl_benchmark *b)
{
	const espl_judgement *model = &b->judgements[ESPL_ROLE_MODEL];
	const espl_judgement *full = &b->judgements[ESPL_ROLE_AGAINST];
	const espl_judgement *control = &b->judgements[ESPL_ROLE_CONTROL];

	espl_text_add(page, "<table>\n<tr><th></th>");
	for (espl_role role = 0; role < ESPL_ROLES; role++)
		if (b->present[role])
			espl_text_add(page, "<th>%s</th>", role_names[role]);
	espl_text_add(page, "</tr>\n");
	ROW("accuracy", "%", accuracy);
	ROW("worst class's recall", "%", worst_class_recall);
	ROW("worst slice", "%", worst_slice.accuracy);
	ROW("lowest tenth of margins", "%", low_margin_accuracy);
	if (b->corrupted)
		ROW("under corruption", "%", corruption_accuracy);
	ROW("calibration error", "%", calibration_error);
	ROW("negative log likelihood", "g", negative_log_likelihood);
	ROW("bytes", "i", bytes);
	ROW("weights not 0", "i", work.nonzero_weights);
	ROW("multiplications not by 0", "i", work.nonzero_multiplications);
	if (model->cost.known || full->cost.known) {
		COST_ROW("latency, cycles", "i", latency_cycles);
		COST_ROW("latency, microseconds", "g", latency_us);
		COST_ROW("DSPs", "i", multipliers);
		COST_ROW("memory, bytes", "i", memory_bytes);
		COST_ROW("energy, microjoules (estimate)", "g", energy_uj);
		COST_ROW("cost of a million (estimate)", "g", cost_million);
	}
	espl_text_add(page, "</table>\n");
}

static void put_comparison(espl_text *page, const char *other, const espl_comparison *with)
{
	espl_text_add(page,
	              "<p>Beside the %s: the same answer on %.2f %%; %d answers flipped, %d from "
	              "right to wrong, %d from wrong to right; McNemar's p is %.3g.",
	              other, 100 * with->agreement, with->flip_count, with->right_to_wrong,
	              with->wrong_to_right, with->mcnemar_p);
	if (with->dropped_slice.name)
		espl_text_add(page, " Most is lost in %s: %.2f points.", with->dropped_slice.name,
		              100 * with->slice_drop);
	espl_text_add(page, "</p>\n");
}

/* Where a share of 0..1 lies. */
static double height_of(double share)
{
	return TOP + INNER_HEIGHT * (1 - share);
}

static void begin_plot(espl_text *page, const char *title)
{
	espl_text_add(page, "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", title,
	              PLOT_WIDTH, PLOT_HEIGHT);
	for (int i = 0; i <= 4; i++)
		espl_text_add(
		        page,
		        "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e4e4e4\"/>"
		        "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n",
		        LEFT, LEFT + INNER_WIDTH, height_of(i / 4.0), height_of(i / 4.0), LEFT - 6,
		        height_of(i / 4.0) + 4, 25 * i);
}

static void put_recalls(espl_text *page, const espl_benchmark *b)
{
	const double group = (double)INNER_WIDTH / b->classes, bar = group / (ESPL_ROLES + 1);

	begin_plot(page, "Recall of each class");
	for (int c = 0; c < b->classes; c++) {
		for (espl_role role = 0; role < ESPL_ROLES; role++) {
			const double recall =
			        b->present[role] ? b->judgements[role].recall[c] : NAN;

			if (!isfinite(recall))
				continue;
			espl_text_add(page,
			              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
			              "fill=\"%s\"><title>%s, class %d: %.2f %%</title></rect>\n",
			              LEFT + c * group + ((double)role + 0.5) * bar,
			              height_of(recall), bar * 0.9, INNER_HEIGHT * recall,
			              role_colors[role], role_names[role], c, 100 * recall);
		}
		if (b->classes <= 40)
			espl_text_add(
			        page,
			        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
			        LEFT + (c + 0.5) * group, TOP + INNER_HEIGHT + 16, c);
	}
	espl_text_add(page, "</svg>\n");
}

static void put_corruptions(espl_text *page, const espl_benchmark *b)
{
	const double group = (double)INNER_WIDTH / ESPL_CORRUPTIONS;

	begin_plot(page, "Accuracy under corruption, at strengths 1 to 5");
	for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++) {
		const double x = LEFT + (double)kind * group, middle = x + group / 2;

		for (espl_role role = 0; role < ESPL_ROLES; role++) {
			if (!b->present[role])
				continue;
			espl_text_add(page,
			              "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
			              "points=\"",
			              role_colors[role]);
			for (int s = 0; s < ESPL_STRENGTHS; s++)
				espl_text_add(page, "%.1f,%.1f ",
				              x + group * (s + 0.7) / (ESPL_STRENGTHS + 0.4),
				              height_of(b->judgements[role].corruptions[kind][s]));
			espl_text_add(page, "\"/>\n");
		}
		espl_text_add(page,
		              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" "
		              "font-size=\"9\">%s</text>\n",
		              middle, TOP + INNER_HEIGHT + (kind % 2 ? 26 : 14),
		              espl_corruption_name(kind));
	}
	espl_text_add(page, "</svg>\n");
}

static void put_gates(espl_text *page, const espl_gate_state gates[ESPL_GATES])
{
	bool any = false;

	for (espl_gate g = 0; g < ESPL_GATES; g++) {
		if (!gates[g].given)
			continue;
		if (!any)
			espl_text_add(page, "<h2>Gates</h2>\n<table>\n<tr><th></th><th>limit</th>"
			                    "<th>value</th><th></th></tr>\n");
		any = true;
		espl_text_add(page, "<tr><td>%s</td><td>%.6g</td><td>%.6g</td><td%s</td></tr>\n",
		              espl_gate_option(g) + 2, gates[g].limit, gates[g].value,
		              gates[g].passed ? ">passed" : " class=\"no\">not passed");
	}
	if (any)
		espl_text_add(page, "</table>\n");
}

const char *espl_benchmark_html(const espl_benchmark *b, const espl_gate_state gates[ESPL_GATES],
                                espl_arena *arena, size_t *size)
{
	espl_text page = {.arena = arena};

	put_head(&page, b);
	put_figures(&page, b);
	if (b->present[ESPL_ROLE_AGAINST])
		put_comparison(&page, "full model", &b->against);
	if (b->present[ESPL_ROLE_CONTROL])
		put_comparison(&page, "control", &b->control);
	put_recalls(&page, b);
	if (b->corrupted)
		put_corruptions(&page, b);
	put_gates(&page, gates);
	espl_text_add(&page, "</body>\n</html>\n");
	*size = page.size;
	return page.data;
}
