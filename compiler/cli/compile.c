/* check, lower, compile, boards: the verbs in order, as far as asked.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"
#include "base/json.h"
#include "base/share.h"
#include "cli/cli.h"
#include "emit/emit.h"
#include "import/import.h"
#include "lower/lower.h"
#include "schedule/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

espl_status cli_read_net(const char *path, espl_rounding rounding, espl_arena *arena,
                         espl_net **net, espl_error *err)
{
	const char *inner = espl_arena_format(arena, "%s/net.json", path);
	int moved;

	if (espl_file_exists(inner))
		path = inner;
	ESPL_TRY(espl_import(path, rounding, arena, net, NULL, err));
	return espl_context(err, espl_settle(*net, arena, &moved, err), path);
}

espl_status cli_rtl_folder(espl_arena *arena, const char **folder, espl_error *err)
{
	return espl_share_find("rtl", "espl_pkg.sv", arena, folder, err);
}

espl_status cli_board_folders(espl_arena *arena, espl_strings *out, espl_error *err)
{
	const char *own = getenv("ESPALIER_BOARDS"), *folder;
	espl_status status;
	int most = 2;

	for (const char *p = own; p && *p; p++)
		most += *p == ':';
	*out = (espl_strings){.items = ESPL_ARRAY(arena, const char *, most + 1)};
	while (own && *own) {
		const size_t length = strcspn(own, ":");

		folder = espl_arena_format(arena, "%.*s", (int)length, own);
		if (length && !espl_file_exists(folder))
			return espl_fail(err, ESPL_IO, "%s: no such folder (ESPALIER_BOARDS)",
			                 folder);
		if (length)
			out->items[out->count++] = folder;
		own += length + (own[length] == ':');
	}
	status = espl_share_find("boards", "espl_board.sv", arena, &folder, err);
	if (status == ESPL_OK)
		out->items[out->count++] = folder;
	return out->count ? ESPL_OK : status;
}

static void print_verdicts(const cli_options *options, const espl_report *report, espl_arena *arena)
{
	espl_json_writer *w;
	size_t size;

	if (!options->json) {
		for (int i = 0; i < report->count && !options->quiet; i++) {
			const espl_verdict *v = &report->verdicts[i];

			printf("%4d  %-22s %-8s %s%s%s\n", v->index, v->kind,
			       v->supported ? "ok" : "refused", v->name, v->supported ? "" : ": ",
			       v->reason);
		}
		return;
	}
	w = espl_json_writer_create(arena);
	espl_json_open(w, NULL, '{');
	espl_json_put_bool(w, "supported", !report->refused);
	espl_json_open(w, "operators", '[');
	for (int i = 0; i < report->count; i++) {
		const espl_verdict *v = &report->verdicts[i];

		espl_json_open(w, NULL, '{');
		espl_json_put_integer(w, "index", v->index);
		espl_json_put_string(w, "kind", v->kind);
		espl_json_put_string(w, "name", v->name);
		espl_json_put_bool(w, "supported", v->supported);
		espl_json_put_string(w, "reason", v->reason);
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

espl_status cli_check(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_report report = {0};
	espl_lowered *lowered;
	espl_net *net;
	espl_graph *graph;
	espl_status status;
	bool is_graph;
	int moved = 0;

	ESPL_TRY(espl_import_holds_graph(options->model, arena, &is_graph, err));
	if (is_graph) {
		status = espl_import_graph(options->model, arena, &graph, &report, err);
		print_verdicts(options, &report, arena);
		if (!status && !options->json && !options->quiet)
			printf("%s: a float model, all of which can be read: quantize it to "
			       "compile it\n",
			       options->model);
		return status;
	}
	status = espl_import(options->model, options->rounding, arena, &net, &report, err);
	if (status && status != ESPL_UNSUPPORTED)
		return status;
	print_verdicts(options, &report, arena);
	ESPL_TRY(status);
	/* what the importer takes, lowering may still refuse */
	ESPL_TRY(espl_context(err, espl_settle(net, arena, &moved, err), options->model));
	ESPL_TRY(espl_context(err, espl_lower(net, arena, &lowered, err), options->model));
	if (!options->json && !options->quiet)
		printf("%s: all %d operators can be compiled\n", options->model, report.count);
	if (!options->json && !options->quiet && moved)
		printf("%d scales are moved by some 10^-7 of themselves, to have an exact form\n",
		       moved);
	return ESPL_OK;
}

espl_status cli_lower(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_lowered *lowered;
	espl_net *net;

	ESPL_TRY(cli_read_net(options->model, options->rounding, arena, &net, err));
	ESPL_TRY(espl_context(err, espl_lower(net, arena, &lowered, err), options->model));
	if (!options->quiet)
		fputs(espl_lowered_certificate(lowered, arena), stdout);
	return ESPL_OK;
}

/* The engine of an emitted folder. */
static espl_status read_engine(const char *folder, espl_arena *arena, const espl_engine **out,
                               espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/manifest.json", folder);
	espl_engine *engine = ESPL_NEW(arena, espl_engine);
	const espl_json *object;
	espl_status status;
	espl_json *json;
	espl_span text;

	ESPL_TRY(espl_file_read(path, arena, &text, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)text.data, text.size, &json, err),
	                      path));
	status = espl_json_object(json, "engine", &object, err);
	if (!status)
		status = espl_engine_read(object, engine, err);
	espl_json_destroy(json);
	*out = engine;
	return espl_context(err, status, path);
}

espl_status cli_choose_envelope(const cli_options *options, espl_arena *arena, espl_envelope *out,
                                const espl_board **board, espl_error *err)
{
	espl_strings folders;

	*board = NULL;
	if ((options->board != NULL) + (options->lanes != 0) + (options->multipliers != 0) +
	            (options->engine != NULL) >
	    1)
		return espl_fail(err, ESPL_USAGE,
		                 "--board, --array, --multipliers and --engine exclude each other");
	if (options->engine) {
		if (options->requantizers || options->memory_bytes)
			return espl_fail(err, ESPL_USAGE,
			                 "--engine has its requantizers and its memory");
		return read_engine(options->engine, arena, &out->engine, err);
	}
	if (options->lanes) {
		*out = (espl_envelope){.lanes = options->lanes, .splits = options->splits};
	} else if (!options->multipliers) {
		ESPL_TRY(cli_board_folders(arena, &folders, err));
		ESPL_TRY(espl_board_find(options->board ? options->board : "ulx3s-85f", &folders,
		                         arena, board, err));
		*out = (*board)->preset;
	}
	if (options->requantizers || options->memory_bytes)
		out->engine = NULL; /* not the board's */
	if (options->requantizers)
		out->requantizers = options->requantizers;
	if (options->memory_bytes)
		out->memory_bytes = options->memory_bytes;
	return ESPL_OK;
}

/* Tries every array that fits the multipliers, and keeps the fastest that fits the memory: two
 * lanes share a multiplier, a requantizer has its own. */
static espl_status search(const cli_options *options, const espl_lowered *lowered,
                          const espl_envelope *limits, espl_arena *arena, espl_plan **best,
                          espl_error *err)
{
	espl_error last = {0};

	*best = NULL;
	for (int lanes = 8; lanes <= 32; lanes *= 2)
		for (int splits = 1; splits <= 16 && splits <= lanes; splits *= 2)
			for (int requantizers = 1; requantizers <= splits; requantizers *= 2) {
				espl_envelope envelope = *limits;
				espl_plan *plan;

				envelope.lanes = lanes;
				envelope.splits = splits;
				envelope.requantizers = requantizers;
				if (lanes * splits / 2 + requantizers > options->multipliers ||
				    (options->requantizers &&
				     requantizers != options->requantizers))
					continue;
				if (cli_interrupted())
					return ESPL_INTERRUPTED;
				if (espl_schedule(lowered, &envelope, NULL, arena, &plan, &last))
					continue;
				if (!*best || plan->latency_cycles < (*best)->latency_cycles)
					*best = plan;
			}
	if (*best)
		return ESPL_OK;
	return espl_fail(err, ESPL_BUDGET, "no array of at most %d multipliers fits%s%s",
	                 options->multipliers, last.message[0] ? ": " : "", last.message);
}

static void print_plan(const cli_options *options, const espl_plan *plan, int64_t clock_hz)
{
	const espl_engine *e = &plan->engine;
	int64_t dense = 0, issued = 0;

	printf("%-28s %-10s %10s %16s %16s %6s\n", "layer", "kind", "cycles", "multiplications",
	       "non-zero", "busy");
	for (int l = 0; l < plan->layer_count; l++) {
		const espl_plan_layer *layer = &plan->layers[l];

		printf("%-28.28s %-10s %10lld %16lld %16lld %5.0f%%\n", layer->name, layer->kind,
		       (long long)layer->cycles, (long long)layer->multiplications,
		       layer->lowered >= 0 ? (long long)plan->lowered->layers[layer->lowered]
		                                     .nonzero_multiplications
		                           : 0LL,
		       100.0 * (double)layer->multiplications /
		               ((double)layer->cycles * e->Lanes * e->Splits));
		dense += layer->multiplications;
		if (layer->lowered >= 0 && layer->multiplications)
			issued += plan->lowered->layers[layer->lowered].nonzero_multiplications;
	}
	printf("\nengine %dx%d, %d requantizers: %d int8 multipliers in %d DSPs, %lld bytes of "
	       "memory\n",
	       e->Lanes, e->Splits, e->Requantizers, e->Lanes * e->Splits, plan->dsps,
	       (long long)plan->memory_bytes);
	printf("%lld multiplications, %lld of them with live, non-zero weights (%.1f%%)\n",
	       (long long)dense, (long long)issued,
	       dense ? 100.0 * (double)issued / (double)dense : 0.0);
	printf("latency %lld cycles (%.3f ms at %g MHz), interval %lld, input %lld\n%s written\n",
	       (long long)plan->latency_cycles,
	       (double)plan->latency_cycles * 1e3 / (double)clock_hz, (double)clock_hz / 1e6,
	       (long long)plan->interval_cycles, (long long)plan->load_cycles, options->output);
}

espl_status cli_compile(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_span decisions = {0}, manifest;
	espl_error own = {0};
	espl_kat kat;
	espl_envelope envelope = {0};
	const espl_board *board;
	espl_status status;
	espl_lowered *lowered;
	const char *rtl;
	espl_plan *plan;
	espl_net *net;

	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "compile: -o DIR is missing");
	ESPL_TRY(cli_choose_envelope(options, arena, &envelope, &board, err));
	ESPL_TRY(cli_rtl_folder(arena, &rtl, err));
	ESPL_TRY(cli_read_net(options->model, options->rounding, arena, &net, err));
	ESPL_TRY(espl_context(err, espl_lower(net, arena, &lowered, err), options->model));
	if (options->plan)
		ESPL_TRY(espl_file_read(options->plan, arena, &decisions, err));
	if (options->multipliers)
		status = search(options, lowered, &envelope, arena, &plan, err);
	else
		status = espl_schedule(lowered, &envelope, options->plan ? &decisions : NULL, arena,
		                       &plan, err);
	if (status == ESPL_BUDGET && envelope.engine && envelope.board && !options->plan) {
		/* not on the board's engine: on one of its own, within the board's memory */
		own = *err;
		envelope.engine = NULL;
		status = espl_schedule(lowered, &envelope, NULL, arena, &plan, err);
	}
	ESPL_TRY(espl_context(err, status, options->plan ? options->plan : options->model));
	if (cli_interrupted())
		return ESPL_INTERRUPTED;
	ESPL_TRY(cli_make_kat(net, arena, &kat.input, &kat.output, err));
	ESPL_TRY(espl_emit(plan, rtl, espl_lowered_certificate(lowered, arena), &kat,
	                   options->output, arena, err));
	if (options->json) {
		ESPL_TRY(espl_file_read(
		        espl_arena_format(arena, "%s/manifest.json", options->output), arena,
		        &manifest, err));
		fwrite(manifest.data, 1, manifest.size, stdout);
	} else if (!options->quiet) {
		print_plan(options, plan, board ? board->clock_hz : 100000000);
		if (own.status)
			printf("not on the board's engine (%s): this folder needs a bitstream of "
			       "its own\n",
			       own.message);
	}
	return ESPL_OK;
}

static void put_board(espl_json_writer *w, const espl_board *b, espl_arena *arena)
{
	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "name", b->name);
	espl_json_put_string(w, "text", b->text);
	espl_json_put_string(w, "family", b->family);
	espl_json_put_string(w, "part", b->part);
	espl_json_put_integer(w, "multipliers", b->multipliers);
	espl_json_put_integer(w, "block_rams", b->block_rams);
	espl_json_put_integer(w, "block_ram_bits", b->block_ram_bits);
	espl_json_put_integer(w, "luts", b->luts);
	espl_json_put_integer(w, "ffs", b->ffs);
	espl_json_put_string(w, "array",
	                     espl_arena_format(arena, "%dx%d", b->preset.lanes, b->preset.splits));
	espl_json_put_integer(w, "requantizers", b->preset.requantizers);
	espl_json_put_integer(w, "memory_bytes", b->preset.memory_bytes);
	espl_json_put_integer(w, "clock_hz", b->clock_hz);
	espl_json_put_integer(w, "baud", b->baud);
	espl_json_put_string(w, "folder", b->folder);
	espl_json_close(w);
}

espl_status cli_boards(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	const espl_board *boards;
	espl_strings folders;
	int count;

	ESPL_TRY(cli_board_folders(arena, &folders, err));
	ESPL_TRY(espl_boards(&folders, arena, &boards, &count, err));
	espl_json_open(w, NULL, '[');
	for (int b = 0; b < count; b++) {
		const espl_envelope *p = &boards[b].preset;

		if (!options->json)
			printf("%-20s %-46s %2dx%-2d  requantizers %2d  memory %6lld bytes  %3.6g "
			       "MHz\n",
			       boards[b].name, boards[b].text, p->lanes, p->splits, p->requantizers,
			       (long long)p->memory_bytes, (double)boards[b].clock_hz / 1e6);
		put_board(w, &boards[b], arena);
	}
	espl_json_close(w);
	if (options->json)
		fputs(espl_json_text(w, NULL), stdout);
	return ESPL_OK;
}
