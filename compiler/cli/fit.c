/* fit: the most accurate network for a board, searched, trained, planned.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "fit/fit.h"

#include "base/file.h"
#include "cli/cli.h"
#include "emit/emit.h"
#include "lower/lower.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	const cli_options *options;
	bool terminal;
	double shown; /* when the last line was */
} listener;

static void show_time(double seconds)
{
	if (seconds < 0)
		return;
	if (seconds < 90)
		fprintf(stderr, ", about %.0f s left", seconds);
	else
		fprintf(stderr, ", about %.0f min left", seconds / 60);
}

static void say(void *user, const espl_search_state *s, double seconds)
{
	listener *l = user;
	const double now = espl_seconds();

	if (!l->terminal || now < l->shown + 0.2)
		return;
	l->shown = now;
	fprintf(stderr, "\r\033[K%s", s->stage);
	if (s->rungs)
		fprintf(stderr, " (round %d of %d)", s->rung + 1, s->rungs);
	if (s->count)
		fprintf(stderr, ": %d of %d", s->at + 1, s->count);
	else
		fprintf(stderr, ": %d", s->at + 1);
	if (s->samples)
		fprintf(stderr, ", best %.2f %%", 100.0 * (double)s->correct / (double)s->samples);
	show_time(seconds);
	fflush(stderr);
}

/* The folder: made, or an earlier search's, or empty. */
static espl_status take_folder(const char *path, espl_arena *arena, espl_error *err)
{
	DIR *folder;
	const struct dirent *entry;
	bool empty = true;

	if (mkdir(path, 0777) == 0)
		return ESPL_OK;
	if (errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	folder = opendir(path);
	if (!folder)
		return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	closedir(folder);
	if (empty || espl_file_exists(espl_arena_format(arena, "%s/candidates.sqlite", path)))
		return ESPL_OK;
	return espl_fail(err, ESPL_IO, "%s: not empty, and no folder of a search", path);
}

static espl_status take_frame(const cli_options *o, espl_arena *arena, espl_frame *out,
                              espl_error *err)
{
	const int64_t clock_hz = (int64_t)(o->fit.clock_mhz * 1e6 + 0.5);
	const espl_board *board;
	espl_strings folders;

	if (o->board && (o->multipliers || o->memory_bytes))
		return espl_fail(err, ESPL_USAGE,
		                 "--board has its multipliers and memory; leave one of them out");
	if (!o->board && !o->multipliers)
		return espl_fail(err, ESPL_USAGE,
		                 "--board NAME, or --multipliers N with --clock MHZ, is missing");
	if (!o->board) {
		if (!clock_hz)
			return espl_fail(err, ESPL_USAGE, "--multipliers: --clock MHZ is missing");
		return espl_frame_of_limits(o->multipliers, o->memory_bytes, clock_hz, out, err);
	}
	ESPL_TRY(cli_board_folders(arena, &folders, err));
	ESPL_TRY(espl_board_find(o->board, &folders, arena, &board, err));
	return espl_frame_of_board(board, clock_hz, out, err);
}

static espl_status take_graph(const char *path, espl_arena *arena, const espl_graph **out,
                              espl_error *err)
{
	espl_graph *graph = NULL;

	if (path)
		ESPL_TRY(cli_read_graph(path, arena, &graph, err));
	*out = graph;
	return ESPL_OK;
}

static espl_status write_text(const cli_options *o, const char *name, const char *text, size_t size,
                              espl_arena *arena, espl_error *err)
{
	return espl_file_write(espl_arena_format(arena, "%s/%s", o->output, name), text, size, err);
}

/* The chosen network, ready to compile, and compiled. */
static espl_status write_chosen(const cli_options *o, const espl_fit_result *r, espl_arena *arena,
                                espl_error *err)
{
	const char *text, *rtl;
	size_t size;
	espl_kat kat;

	ESPL_TRY(espl_net_print(r->net, arena, &text, &size, err));
	ESPL_TRY(write_text(o, "model.json", text, size, arena, err));
	ESPL_TRY(espl_graph_print(r->graph, arena, &text, &size, err));
	ESPL_TRY(write_text(o, "graph.json", text, size, arena, err));
	ESPL_TRY(cli_rtl_folder(arena, &rtl, err));
	ESPL_TRY(cli_make_kat(r->net, arena, &kat.input, &kat.output, err));
	return espl_emit(r->plan, rtl, espl_lowered_certificate(r->lowered, arena), &kat,
	                 espl_arena_format(arena, "%s/accelerator", o->output), arena, err);
}

static espl_status run(const cli_options *o, espl_fit_task *task, espl_arena *arena,
                       espl_error *err)
{
	listener l = {.options = o, .terminal = isatty(2) && !o->quiet};
	espl_fit_result result = {.search = {.chosen = -1}};
	const char *json;
	espl_status status;
	size_t size;

	task->stop = cli_stop;
	task->say = say;
	task->user = &l;
	task->store = espl_arena_format(arena, "%s/candidates.sqlite", o->output);
	status = espl_fit(task, arena, &result, err);
	if (l.terminal)
		fputs("\r\033[K", stderr);
	if (status && status != ESPL_BUDGET)
		return status;
	json = espl_fit_json(task, &result, arena, &size);
	ESPL_TRY(write_text(o, "report.json", json, size, arena, err));
	if (!status)
		ESPL_TRY(write_chosen(o, &result, arena, err));
	if (o->json)
		fputs(json, stdout);
	else if (!o->quiet)
		printf("%s%d trainings in this run, %d known from before\n",
		       espl_fit_text(task, &result, arena), result.trained, result.remembered);
	return status;
}

espl_status cli_fit(const cli_options *o, espl_arena *arena, espl_error *err)
{
	espl_fit_task task = {
	        .latency_ms = o->fit.latency_ms,
	        .throughput = o->fit.throughput,
	        .accuracy = o->fit.accuracy / 100,
	        .epochs = o->fit.epochs,
	        .effort = o->fit.effort,
	        .multiplications = (int64_t)o->fit.multiplications,
	        .seed = o->seed,
	        .threads = o->train.threads,
	};
	espl_data data;

	if (!o->output)
		return espl_fail(err, ESPL_USAGE, "fit: -o DIR is missing");
	if (!o->data)
		return espl_fail(err, ESPL_USAGE, "fit: --data DIR is missing");
	ESPL_TRY(take_frame(o, arena, &task.frame, err));
	ESPL_TRY(take_graph(o->teacher, arena, &task.teacher, err));
	ESPL_TRY(take_graph(o->model, arena, &task.model, err));
	ESPL_TRY(cli_read_data(o, arena, &data, err));
	ESPL_TRY(take_folder(o->output, arena, err));
	task.data = &data;
	return run(o, &task, arena, err);
}
