/* benchmark: a compressed model beside the full one, with limits for CI.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "import/import.h"
#include "judge/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Any model that Espalier reads, float or integer, or an emitted folder. */
static espl_status read_model(const char *path, const cli_options *options, espl_arena *arena,
                              espl_judged *out, espl_error *err)
{
	const char *inner = espl_arena_format(arena, "%s/net.json", path);
	espl_graph *graph = NULL;
	espl_net *net = NULL;
	bool is_graph = false;

	*out = (espl_judged){.name = path};
	if (!espl_file_exists(inner))
		ESPL_TRY(espl_import_holds_graph(path, arena, &is_graph, err));
	if (is_graph) {
		ESPL_TRY(espl_import_graph(path, arena, &graph, NULL, err));
		out->graph = graph;
		return ESPL_OK;
	}
	ESPL_TRY(cli_read_net(path, options->rounding, arena, &net, err));
	if (options->rounding_given)
		net->rounding = options->rounding;
	out->net = net;
	return ESPL_OK;
}

typedef struct {
	const cli_options *options;
	double start; /* cli_now */
	bool shown;
} watch;

static bool show_progress(void *user, const char *what, double share)
{
	watch *w = user;
	const double left = share > 0 ? (espl_seconds() - w->start) * (1 - share) / share : 0;

	if (isatty(2) && !w->options->quiet) {
		fprintf(stderr, "\r%3.0f %% %-16s %4.0f s left ", 100 * share, what, left);
		w->shown = true;
	}
	return cli_interrupted();
}

/* A gate that cannot be held is said before anything is run. */
static espl_status check_gates(const cli_options *options, espl_error *err)
{
	for (espl_gate g = 0; g < ESPL_GATES; g++) {
		if (!options->gates[g].given)
			continue;
		if (espl_gate_needs_other(g) && !options->against)
			return espl_fail(err, ESPL_USAGE, "%s: --against MODEL is missing",
			                 espl_gate_option(g));
		if (g == ESPL_GATE_max_corruption_drop && options->no_corruptions)
			return espl_fail(err, ESPL_USAGE,
			                 "%s and --no-corruptions exclude each "
			                 "other",
			                 espl_gate_option(g));
		if (g == ESPL_GATE_max_latency_us && !options->board && !options->lanes)
			return espl_fail(err, ESPL_USAGE, "%s: --board or --array is missing",
			                 espl_gate_option(g));
	}
	return ESPL_OK;
}

static espl_status choose_pricing(const cli_options *options, espl_arena *arena,
                                  espl_pricing *pricing, const espl_pricing **out, espl_error *err)
{
	const espl_board *board;

	*out = NULL;
	if (!options->board && !options->lanes)
		return ESPL_OK;
	*pricing = (espl_pricing){.idle_mw = options->idle_mw,
	                          .kwh_price = options->kwh_price,
	                          .device_price = options->device_price};
	ESPL_TRY(cli_choose_envelope(options, arena, &pricing->envelope, &board, err));
	pricing->clock_hz = options->clock_hz ? options->clock_hz
	                    : board           ? board->clock_hz
	                                      : 100000000;
	*out = pricing;
	return ESPL_OK;
}

static espl_status write_page(const cli_options *options, const espl_benchmark *benchmark,
                              espl_arena *arena, espl_error *err)
{
	const char *path = options->output, *text;
	struct stat status;
	size_t size;

	if (!path)
		return ESPL_OK;
	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		path = espl_arena_format(arena, "%s/benchmark.html", path);
	text = espl_benchmark_html(benchmark, options->gates, arena, &size);
	return espl_file_write(path, text, size, err);
}

static espl_status run(const cli_options *options, const espl_pricing *pricing, espl_arena *arena,
                       espl_benchmark *out, espl_error *err)
{
	const char *paths[ESPL_ROLES] = {options->model, options->against, options->control};
	watch progress = {options, espl_seconds(), false};
	const espl_judged *models[ESPL_ROLES] = {NULL};
	const espl_judge_options how = {
	        .samples = options->samples,
	        .corruptions = !options->no_corruptions,
	        .seed = options->seed,
	        .threads = options->train.threads,
	        .input_scale = options->input_scale,
	        .input_offset = options->input_offset,
	        .pricing = pricing,
	        .progress = show_progress,
	        .user = &progress,
	};
	espl_samples samples;
	espl_status status;

	for (int role = 0; role < ESPL_ROLES; role++) {
		espl_judged *model = ESPL_NEW(arena, espl_judged);

		if (!paths[role])
			continue;
		ESPL_TRY(read_model(paths[role], options, arena, model, err));
		models[role] = model;
	}
	ESPL_TRY(espl_data_read_test(options->data, arena, &samples, err));
	if (options->gates[ESPL_GATE_max_corruption_drop].given && !samples.bytes)
		return espl_fail(err, ESPL_USAGE,
		                 "%s: only images of bytes can be corrupted, these are floats",
		                 espl_gate_option(ESPL_GATE_max_corruption_drop));
	status = espl_judge(models, &samples, &how, arena, out, err);
	if (progress.shown)
		fprintf(stderr, "\r%40s\r", "");
	return status;
}

espl_status cli_benchmark(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_gate_state gates[ESPL_GATES];
	cli_options judged = *options;
	const espl_pricing *priced;
	espl_benchmark benchmark;
	espl_pricing pricing;
	espl_status verdict;

	if (options->input_offset < 0 || options->input_offset > 0) {
		if (options->input_scale <= 0)
			return espl_fail(err, ESPL_USAGE,
			                 "--input-offset: --input-scale is missing");
	}
	if (!options->data)
		return espl_fail(err, ESPL_USAGE, "benchmark: --data DIR is missing");
	ESPL_TRY(check_gates(options, err));
	ESPL_TRY(choose_pricing(options, arena, &pricing, &priced, err));
	ESPL_TRY(run(options, priced, arena, &benchmark, err));
	memcpy(gates, options->gates, sizeof gates);
	verdict = espl_judge_gates(&benchmark, gates, err);
	memcpy(judged.gates, gates, sizeof gates);
	if (options->json)
		fputs(espl_benchmark_json(&benchmark, gates, arena, NULL), stdout);
	else if (!options->quiet)
		fputs(espl_benchmark_text(&benchmark, gates, arena), stdout);
	if (options->output) {
		espl_error page = {0};

		if (write_page(&judged, &benchmark, arena, &page)) {
			*err = page;
			return page.status;
		}
	}
	return verdict;
}
