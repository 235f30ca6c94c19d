/* espalier train, espalier distil: a float graph fitted to labelled samples.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "compress/train.h"
#include "cli/cli.h"
#include "compress/family.h"
#include "import/import.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

espl_status cli_read_graph(const char *path, espl_arena *arena, espl_graph **graph, espl_error *err)
{
	return espl_import_graph(path, arena, graph, NULL, err);
}

espl_status cli_write_graph(const char *path, const espl_graph *graph, espl_arena *arena,
                            espl_error *err)
{
	const char *text;
	size_t size;

	ESPL_TRY(espl_graph_print(graph, arena, &text, &size, err));
	return espl_file_write(path, text, size, err);
}

espl_status cli_read_data(const cli_options *options, espl_arena *arena, espl_data *data,
                          espl_error *err)
{
	const espl_mark mark = espl_arena_mark(arena);
	int validation = options->validation;

	if (!options->validation_given) {
		ESPL_TRY(espl_data_read(options->data, 0, options->seed, arena, data, err));
		if (data->train.count / 10 < validation)
			validation = data->train.count / 10;
		espl_arena_release(arena, mark);
	}
	return espl_data_read(options->data, validation, options->seed, arena, data, err);
}

/* What the hooks see. */
struct report {
	cli_watch watch; /* first: the hooks' user is both */
	espl_arena *arena;
	espl_json_writer *history; /* entries of "history"; NULL: no JSON */
	FILE *log;                 /* NULL: none */
};

const char *cli_duration(double seconds, char *text, size_t size)
{
	const long whole = seconds > 0 ? (long)(seconds + 0.5) : 0;

	if (whole >= 3600)
		snprintf(text, size, "%ld h %ld min", whole / 3600, whole % 3600 / 60);
	else if (whole >= 60)
		snprintf(text, size, "%ld min %ld s", whole / 60, whole % 60);
	else
		snprintf(text, size, "%ld s", whole);
	return text;
}

static void show(void *user, const espl_train_state *state)
{
	cli_watch *watch = user;
	char left[32], accuracy[40] = "";

	if (watch->options->quiet || !isatty(2) || espl_seconds() - watch->shown < 0.2)
		return;
	watch->shown = espl_seconds();
	if (state->accuracy >= 0)
		snprintf(accuracy, sizeof(accuracy), ", validation %.2f %%", 100 * state->accuracy);
	fprintf(stderr, "\rEpoch %d of %d, %d %%, loss %.4f%s, %s left  \033[K", state->epoch + 1,
	        state->epochs, (int)(100 * state->step / state->steps), state->loss, accuracy,
	        cli_duration(state->seconds_left, left, sizeof(left)));
	if (state->step == state->steps)
		fputs("\r\033[K", stderr);
}

espl_train_hooks cli_watch_training(cli_watch *watch)
{
	return (espl_train_hooks){.user = watch, .progress = show, .interrupted = cli_stop};
}

static void note_epoch(void *user, const espl_train_state *state)
{
	struct report *report = user;

	if (report->log) {
		fprintf(report->log, "%d,%.6f,%.6f,%.4f,%.1f\n", state->epoch + 1, state->rate,
		        state->loss, state->accuracy < 0 ? -1 : 100 * state->accuracy,
		        state->seconds);
		fflush(report->log);
	}
	if (!report->history)
		return;
	espl_json_open(report->history, NULL, '{');
	espl_json_put_integer(report->history, "epoch", state->epoch + 1);
	espl_json_put_number(report->history, "rate", state->rate);
	espl_json_put_number(report->history, "loss", state->loss);
	if (state->accuracy >= 0)
		espl_json_put_number(report->history, "validation_accuracy", state->accuracy);
	espl_json_close(report->history);
}

/* The graph to start with: a file's, or one of the family. */
static espl_status start_graph(const cli_options *options, const espl_samples *samples,
                               espl_arena *arena, espl_graph **graph, espl_error *err)
{
	espl_family family = espl_family_default(samples->rows, samples->columns, samples->channels,
	                                         samples->classes);

	if (options->model && options->family)
		return espl_fail(err, ESPL_USAGE, "a model and --family were given; one is wanted");
	if (options->model) {
		ESPL_TRY(cli_read_graph(options->model, arena, graph, err));
		if (options->initialize)
			espl_graph_initialize(*graph, options->seed);
		return ESPL_OK;
	}
	if (options->family)
		ESPL_TRY(espl_family_parse(options->family, &family, err));
	return espl_family_build(&family, options->seed, arena, graph, err);
}

static espl_status open_log(const cli_options *options, FILE **log, espl_error *err)
{
	*log = NULL;
	if (!options->log)
		return ESPL_OK;
	*log = fopen(options->log, options->train.resume ? "a" : "w");
	if (!*log)
		return espl_fail(err, ESPL_IO, "%s: cannot be written", options->log);
	if (!ftell(*log))
		fputs("epoch,rate,loss,validation,seconds\n", *log);
	return ESPL_OK;
}

static void print_text(const cli_options *options, const espl_graph *graph,
                       const espl_train_result *result, double test)
{
	char time[32];

	if (options->quiet || options->json)
		return;
	printf("%s: %lld parameters, %lld steps in %s, loss %.4f", options->output,
	       (long long)espl_graph_parameters(graph), (long long)result->steps,
	       cli_duration(result->seconds, time, sizeof(time)), result->loss);
	if (result->accuracy >= 0)
		printf(", validation %.2f %% (epoch %d)", 100 * result->accuracy,
		       result->chosen_epoch + 1);
	if (test >= 0)
		printf(", test %.2f %%", 100 * test);
	printf("\n");
}

/* Of the process so far. */
static int64_t peak_memory(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : (int64_t)usage.ru_maxrss * 1024;
}

static void print_json(const cli_options *options, espl_json_writer *w, const espl_graph *graph,
                       const espl_train_result *result, double test)
{
	int64_t multiplications = 0;
	size_t size;

	if (!w)
		return;
	for (int i = 0; i < graph->node_count; i++)
		multiplications += espl_node_multiplications(graph, &graph->nodes[i]);
	espl_json_close(w); /* history */
	espl_json_put_string(w, "model", options->output);
	espl_json_put_string(w, "network", graph->name);
	espl_json_put_integer(w, "parameters", espl_graph_parameters(graph));
	espl_json_put_integer(w, "multiplications", multiplications);
	espl_json_put_integer(w, "steps", result->steps);
	espl_json_put_integer(w, "chosen_epoch", result->chosen_epoch + 1);
	espl_json_put_number(w, "loss", result->loss);
	espl_json_put_number(w, "seconds", result->seconds);
	espl_json_put_integer(w, "memory_bytes", peak_memory());
	if (result->accuracy >= 0)
		espl_json_put_number(w, "validation_accuracy", result->accuracy);
	if (test >= 0)
		espl_json_put_number(w, "test_accuracy", test);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

static espl_status train(const cli_options *options, espl_graph *graph, const espl_graph *teacher,
                         const espl_data *data, espl_arena *arena, espl_error *err)
{
	struct report report = {.watch = {.options = options}, .arena = arena};
	espl_train_options how = options->train;
	espl_train_result result;
	espl_status status;
	double test = -1;

	how.seed = options->seed;
	how.samples = options->samples;
	how.teacher = teacher;
	how.hooks = cli_watch_training(&report.watch);
	how.hooks.epoch = note_epoch;
	if (options->json) {
		report.history = espl_json_writer_create(arena);
		espl_json_open(report.history, NULL, '{');
		espl_json_open(report.history, "history", '[');
	}
	ESPL_TRY(open_log(options, &report.log, err));
	status = espl_train(graph, data, &how, &result, err);
	if (report.log)
		fclose(report.log);
	if (status && isatty(2) && !options->quiet)
		fputs("\n", stderr);
	if (status)
		return status;
	if (data->test.count)
		ESPL_TRY(espl_graph_accuracy(graph, &data->test, how.threads, &test, err));
	ESPL_TRY(cli_write_graph(options->output, graph, arena, err));
	print_text(options, graph, &result, test);
	print_json(options, report.history, graph, &result, test);
	return ESPL_OK;
}

static espl_status check_arguments(const cli_options *options, espl_error *err)
{
	if (!options->data)
		return espl_fail(err, ESPL_USAGE, "%s: --data DIR is missing", options->command);
	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "%s: -o MODEL is missing", options->command);
	if (options->train.resume && !options->train.checkpoint)
		return espl_fail(err, ESPL_USAGE, "--resume: --checkpoint FILE is missing");
	return ESPL_OK;
}

espl_status cli_train(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_graph *graph, *teacher = NULL;
	espl_data data;

	ESPL_TRY(check_arguments(options, err));
	ESPL_TRY(cli_read_data(options, arena, &data, err));
	ESPL_TRY(start_graph(options, &data.train, arena, &graph, err));
	if (options->teacher)
		ESPL_TRY(cli_read_graph(options->teacher, arena, &teacher, err));
	return train(options, graph, teacher, &data, arena, err);
}

espl_status cli_distil(const cli_options *options, espl_arena *arena, espl_error *err)
{
	if (!options->teacher)
		return espl_fail(err, ESPL_USAGE, "distil: --teacher MODEL is missing");
	return cli_train(options, arena, err);
}
