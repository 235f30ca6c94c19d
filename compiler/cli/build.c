/* build, doctor, flash: bitstreams and the tools that make them.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700
#include "cli/cli.h"

#include "base/file.h"
#include "flow/family.h"
#include "flow/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(void *user, const char *command)
{
	const cli_options *options = user;

	if (options->quiet || (options->json && !options->dry_run))
		return;
	fprintf(options->json ? stderr : stdout, "$ %s\n", command);
	fflush(stdout);
}

/* The board that --board names, or that the folder was compiled for. */
static espl_status choose_board(const cli_options *options, const espl_strings *folders,
                                espl_arena *arena, const espl_board **board, espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/manifest.json", options->model);
	const char *name = options->board;
	espl_json *json;
	espl_span file;

	if (name)
		return espl_board_find(name, folders, arena, board, err);
	if (!espl_file_exists(path))
		return espl_fail(err, ESPL_IO,
		                 "%s: no manifest.json; give the folder that compile wrote",
		                 options->model);
	ESPL_TRY(espl_file_read(path, arena, &file, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	if (!espl_json_string(json, "board", &name, NULL))
		name = espl_arena_string(arena, name);
	espl_json_destroy(json);
	if (!name)
		return espl_fail(err, ESPL_USAGE,
		                 "%s was not compiled for a board: --board is missing",
		                 options->model);
	return espl_board_find(name, folders, arena, board, err);
}

static void print_build(const cli_options *options, const espl_board *board, const espl_build *b)
{
	for (int i = 0; i < b->seed_count; i++) {
		if (b->seeds[i].routed)
			printf("seed %-4d %8.2f MHz%s\n", b->seeds[i].seed, b->seeds[i].mhz,
			       i == b->shipped ? "  <- this bitstream" : "");
		else
			printf("seed %-4d %s\n", b->seeds[i].seed,
			       b->seeds[i].late ? "was stopped at the time limit"
			                        : "does not route");
	}
	printf("%s at %.6g MHz: worst %.2f, median %.2f of %d seeds%s\n", board->name, b->clock_mhz,
	       b->worst_mhz, b->median_mhz, b->seed_count,
	       b->meets_clock ? "" : "; THE CLOCK IS MISSED");
	if (b->note)
		printf("note: %s\n", b->note);
	printf("%s/%s written\n", options->output, b->bitstream);
}

static bool same_folder(const char *a, const char *b)
{
	char *one = realpath(a, NULL), *two = realpath(b, NULL);
	const bool same = one && two && !strcmp(one, two);

	free(one);
	free(two);
	return same;
}

espl_status cli_build(const cli_options *options, espl_arena *arena, espl_error *err)
{
	enum { USUAL_LIMIT_S = 120 * 60 };
	static const int usual[] = {1, 2, 3, 4};
	espl_build_request request = {
	        .design = options->model,
	        .output = options->output,
	        .version = ESPALIER_VERSION,
	        .clock_hz = options->clock_hz,
	        .seeds = options->seed_count ? options->seeds : usual,
	        .seed_count = options->seed_count ? options->seed_count : 4,
	        .limit_s = options->limit_s ? options->limit_s : USUAL_LIMIT_S,
	        .allow_slow = options->allow_slow,
	        .dry_run = options->dry_run,
	        .show = show,
	        .user = (void *)options,
	};
	espl_strings folders;
	espl_build built;

	if (!options->output && !options->dry_run)
		return espl_fail(err, ESPL_USAGE, "build: -o DIR is missing");
	if (options->output && same_folder(options->model, options->output))
		return espl_fail(err, ESPL_USAGE, "-o %s: that is the folder to build from",
		                 options->output);
	ESPL_TRY(cli_board_folders(arena, &folders, err));
	ESPL_TRY(choose_board(options, &folders, arena, &request.board, err));
	ESPL_TRY(cli_rtl_folder(arena, &request.rtl_library, err));
	request.board_folders = &folders;
	ESPL_TRY(espl_build_bitstream(&request, arena, &built, err));
	if (options->dry_run)
		return ESPL_OK;
	if (options->json)
		fputs(built.text, stdout);
	else if (!options->quiet)
		print_build(options, request.board, &built);
	return ESPL_OK;
}

/* The tools that a board needs besides the simulator's; every tool without a board. */
static espl_status tools_of(const cli_options *options, espl_arena *arena, bool *needed,
                            espl_error *err)
{
	const espl_family *family;
	const espl_board *board;
	espl_strings folders;

	for (int t = 0; t < ESPL_TOOL_COUNT; t++)
		needed[t] = !options->board;
	if (!options->board)
		return ESPL_OK;
	ESPL_TRY(cli_board_folders(arena, &folders, err));
	ESPL_TRY(espl_board_find(options->board, &folders, arena, &board, err));
	ESPL_TRY(espl_family_find(board->family, &family, err));
	needed[family->yosys] = needed[family->place] = needed[family->pack] = true;
	needed[ESPL_TOOL_LOADER] = true;
	return ESPL_OK;
}

static espl_status install(const bool *needed, const cli_options *options, espl_arena *arena,
                           espl_error *err)
{
	const char *wheels[ESPL_TOOL_COUNT];
	int count = 0;

	for (int t = 0; t < ESPL_TOOL_COUNT; t++) {
		const espl_tool tool = espl_tool_locate((espl_tool_kind)t, arena);
		bool known = false;

		for (int i = 0; i < count && tool.wheel; i++)
			known |= !strcmp(wheels[i], tool.wheel);
		if (needed[t] && !tool.path && tool.wheel && !known)
			wheels[count++] = tool.wheel;
	}
	return count ? espl_tools_install(wheels, count, show, (void *)options, arena, err)
	             : ESPL_OK;
}

espl_status cli_doctor(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	const char *missing = "", *get = "";
	bool needed[ESPL_TOOL_COUNT];

	ESPL_TRY(tools_of(options, arena, needed, err));
	if (options->install)
		ESPL_TRY(install(needed, options, arena, err));
	espl_json_open(w, NULL, '[');
	for (int t = 0; t < ESPL_TOOL_COUNT; t++) {
		espl_tool tool;

		if (!needed[t])
			continue;
		tool = espl_tool_find((espl_tool_kind)t, arena);
		if (!options->json && !options->quiet)
			printf("%-20s %-26s %s\n", tool.name, tool.purpose,
			       !tool.path      ? espl_arena_format(arena, "missing: %s", tool.get)
			       : *tool.version ? tool.version
			                       : tool.path);
		if (!tool.path) {
			missing = espl_arena_format(arena, "%s%s%s", missing, *missing ? ", " : "",
			                            tool.name);
			if (!strstr(get, tool.get))
				get = espl_arena_format(arena, "%s%s%s", get, *get ? "; " : "",
				                        tool.get);
		}
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", tool.name);
		espl_json_put_string(w, "purpose", tool.purpose);
		espl_json_put_bool(w, "found", tool.path != NULL);
		espl_json_put_string(w, "path", tool.path ? tool.path : "");
		espl_json_put_string(w, "version", tool.version);
		espl_json_put_string(w, "get", tool.get);
		espl_json_close(w);
	}
	espl_json_close(w);
	if (options->json)
		fputs(espl_json_text(w, NULL), stdout);
	if (*missing && options->board)
		return espl_fail(err, ESPL_MISSING, "%s needs %s: %s", options->board, missing,
		                 get);
	return ESPL_OK;
}

espl_status cli_flash(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_command command = {0};
	espl_strings folders;
	const char **argv;
	espl_tool loader;
	int code = 0, count = 0;

	ESPL_TRY(cli_board_folders(arena, &folders, err));
	ESPL_TRY(espl_load_command(options->model, options->board, &folders, arena, &command.argv,
	                           err));
	if (options->dry_run) {
		show((void *)options, espl_command_text(&command, arena));
		return ESPL_OK;
	}
	ESPL_TRY(espl_tool_need(ESPL_TOOL_LOADER, arena, &loader, err));
	while (command.argv[count])
		count++;
	argv = espl_arena_copy(arena, command.argv, ((size_t)count + 1) * sizeof(*argv));
	argv[0] = loader.path;
	command.argv = argv;
	show((void *)options, espl_command_text(&command, arena));
	ESPL_TRY(espl_process_run(&command, &code, err));
	if (code)
		return espl_fail(err, ESPL_TOOL,
		                 "openFPGALoader ended with %d: is the board plugged in, and may "
		                 "you use it",
		                 code);
	return ESPL_OK;
}
