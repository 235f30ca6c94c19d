/* run and board-sim: an accelerator wherever it is, and a board that is simulated.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"
#include "host/board_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_run(const cli_options *options, espl_arena *arena, size_t samples,
                      const espl_counters *counters, uint32_t engine_cycles, double seconds)
{
	espl_json_writer *w;
	size_t size;

	if (options->quiet)
		return;
	if (!options->json) {
		printf("%s%zu samples, %.1f a second, %u cycles of the engine each",
		       options->kat ? "known answers: " : "", samples, (double)samples / seconds,
		       (unsigned)engine_cycles);
		if (options->port)
			printf("; %llu frames on the line, %llu sent again, %llu damaged",
			       (unsigned long long)counters->link_frames,
			       (unsigned long long)counters->link_retries,
			       (unsigned long long)counters->link_errors);
		putchar('\n');
		return;
	}
	w = espl_json_writer_create(arena);
	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "samples", (int64_t)samples);
	espl_json_put_integer(w, "microseconds", (int64_t)(seconds * 1e6));
	espl_json_put_integer(w, "engine_cycles", engine_cycles);
	espl_json_put_integer(w, "link_frames", (int64_t)counters->link_frames);
	espl_json_put_integer(w, "link_retries", (int64_t)counters->link_retries);
	espl_json_put_integer(w, "link_errors", (int64_t)counters->link_errors);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

static espl_status run(espl_device *device, const cli_options *options, espl_arena *arena,
                       espl_error *err)
{
	const double start = espl_seconds();
	espl_counters counters;
	uint32_t engine_cycles;
	size_t samples;
	double seconds;

	if (options->kat)
		ESPL_TRY(cli_run_kat(device, options, arena, &samples, err));
	else
		ESPL_TRY(cli_stream(device, options, arena, &counters, &samples, err));
	seconds = espl_seconds() - start;
	espl_device_counters(device, &counters);
	ESPL_TRY(espl_device_engine_cycles(device, &engine_cycles, err));
	print_run(options, arena, samples, &counters, engine_cycles, seconds);
	return ESPL_OK;
}

espl_status cli_run(const cli_options *options, espl_arena *arena, espl_error *err)
{
	const espl_options how = {
	        .cache = options->cache,
	        .port = options->port,
	        .baud = options->baud,
	        .patience_ms = options->timeout_ms,
	        .progress = cli_progress,
	        .user = (void *)options,
	};
	espl_device *device;
	espl_status status;

	if (!options->port && (options->baud || options->timeout_ms))
		return espl_fail(err, ESPL_USAGE, "--baud and --timeout belong to a --port");
	if (options->kat && (options->input_count || options->output_count || options->samples))
		return espl_fail(err, ESPL_USAGE, "--kat brings its own inputs and outputs");
	ESPL_TRY(espl_device_open(options->model, &how, &device, err));
	status = run(device, options, arena, err);
	espl_device_close(device);
	return status;
}

/* "flip=100,drop=10": so many in a million. */
static espl_status read_faults(const char *text, espl_sim_board_faults *out, espl_error *err)
{
	const struct {
		const char *name;
		uint32_t *to;
	} names[] = {
	        {"flip", &out->flip},           {"drop", &out->drop},
	        {"duplicate", &out->duplicate}, {"truncate", &out->truncate},
	        {"stall", &out->stall},         {"garbage", &out->garbage},
	        {"reset", &out->reset},
	};

	while (text && *text) {
		const size_t length = strcspn(text, "="), whole = strcspn(text, ",");
		char *end = NULL;
		unsigned long value;
		size_t i = 0;

		while (i < sizeof(names) / sizeof(names[0]) &&
		       (strlen(names[i].name) != length || strncmp(names[i].name, text, length)))
			i++;
		value = length < whole ? strtoul(text + length + 1, &end, 10) : 0;
		if (i == sizeof(names) / sizeof(names[0]) || end != text + whole ||
		    end == text + length + 1 || value > 1000000)
			return espl_fail(err, ESPL_USAGE,
			                 "--faults %.*s: flip, drop, duplicate, truncate, garbage, "
			                 "stall or reset=N in a million is wanted",
			                 (int)whole, text);
		*names[i].to = (uint32_t)value;
		text += whole + (text[whole] == ',');
	}
	return ESPL_OK;
}

static void print_port(void *user, const char *port)
{
	(void)user;
	printf("%s\n", port);
	fflush(stdout);
}

espl_status cli_board_sim(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_board_sim_options how = {
	        .cache = options->cache,
	        .progress = cli_progress,
	        .link = options->link,
	        .faults = {.seed = options->seed},
	        .ready = print_port,
	        .stop = cli_stop,
	        .user = (void *)options,
	};

	(void)arena;
	ESPL_TRY(read_faults(options->faults, &how.faults, err));
	return espl_board_sim_run(options->model, &how, err);
}
