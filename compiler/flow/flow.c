/* From an emitted folder to a bitstream: the steps in their order.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything is put in one folder and every tool runs in it, with names relative to it: so the same
 * bytes come out wherever it lies, and a person can run each command again.
 */
#define _XOPEN_SOURCE 700
#include "flow/flow.h"

#include "base/file.h"
#include "base/sha256.h"
#include "flow/cells.h"
#include "flow/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLOCKS_A_BIT = 4 }; /* that rtl/link/espl_link.sv needs */

typedef struct {
	espl_work_order order;
	espl_arena *arena;
	const char *folder;   /* the one to be filled */
	const char *absolute; /* the same from the root: tools run in it, logs lie in it */
} build;

static const char *in_folder(const build *b, const char *name)
{
	return espl_arena_format(b->arena, "%s/%s", b->folder, name);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static espl_status read_manifest(build *b, espl_error *err)
{
	const char *path =
	        espl_arena_format(b->arena, "%s/manifest.json", b->order.request->design);
	const char *array = NULL, *identity = NULL;
	espl_status status;
	espl_json *json;
	espl_span file;

	ESPL_TRY(espl_file_read(path, b->arena, &file, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	status = espl_json_string(json, "array", &array, err);
	if (!status)
		status = espl_json_string(json, "engine_identity", &identity, err);
	if (!status) {
		b->order.array = espl_arena_string(b->arena, array);
		b->order.engine_identity = espl_arena_string(b->arena, identity);
	}
	espl_json_destroy(json);
	return espl_context(err, status, path);
}

/* All that can be wrong before the first tool runs. */
static espl_status prepare(build *b, espl_error *err)
{
	const espl_build_request *r = b->order.request;
	const int64_t wanted = r->clock_hz ? r->clock_hz : r->board->clock_hz;

	ESPL_TRY(espl_family_find(r->board->family, &b->order.family, err));
	ESPL_TRY(espl_pll_choose(b->order.family, r->board, wanted, &b->order.pll, err));
	if (b->order.pll.clock_hz < (int64_t)CLOCKS_A_BIT * r->board->baud)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "%s: %d baud need a clock of %.6g MHz, it is %.6g MHz",
		                 r->board->name, r->board->baud,
		                 (double)CLOCKS_A_BIT * r->board->baud / 1e6,
		                 (double)b->order.pll.clock_hz / 1e6);
	ESPL_TRY(read_manifest(b, err));
	ESPL_TRY(espl_sources_find(r->design, r->rtl_library, r->board, r->board_folders, b->arena,
	                           &b->order.sources, err));
	b->order.build.note = b->order.family->note;
	return ESPL_OK;
}

/* A dry run needs no tools, but takes those that are there. */
static espl_status find_tool(build *b, espl_tool_kind kind, espl_tool *out, espl_error *err)
{
	if (!b->order.request->dry_run)
		return espl_tool_need(kind, b->arena, out, err);
	*out = espl_tool_locate(kind, b->arena);
	if (!out->path)
		out->path = out->name;
	return ESPL_OK;
}

static espl_status find_tools(build *b, espl_error *err)
{
	const espl_family *family = b->order.family;
	espl_tool_kind yosys = family->yosys;

	if (yosys == ESPL_TOOL_PYOSYS && !espl_tool_locate(yosys, b->arena).path &&
	    espl_tool_locate(ESPL_TOOL_YOSYS, b->arena).path) {
		yosys = ESPL_TOOL_YOSYS;
		b->order.build.note = espl_arena_format(
		        b->arena,
		        "%s; pyosys is not there (espalier doctor --install): multipliers may "
		        "be made of LUTs",
		        family->note);
	}
	ESPL_TRY(find_tool(b, yosys, &b->order.yosys, err));
	ESPL_TRY(find_tool(b, family->place, &b->order.place, err));
	return find_tool(b, family->pack, &b->order.pack, err);
}

/* Notes a command for the lock file, and shows it. */
static void note_command(build *b, const espl_command *command)
{
	const char **argv;
	int count = 0;

	while (command->argv[count])
		count++;
	argv = espl_arena_copy(b->arena, command->argv, ((size_t)count + 1) * sizeof(*argv));
	b->order.request->show(b->order.request->user, espl_command_text(command, b->arena));
	argv[0] = base_name(argv[0]);
	b->order.commands[b->order.command_count++] =
	        espl_command_text(&(espl_command){.argv = argv}, b->arena);
}

static espl_command command_of(build *b, const espl_words *words, const char *log)
{
	return (espl_command){
	        .argv = espl_arena_copy(b->arena, words->words, sizeof(words->words)),
	        .folder = b->absolute,
	        .log = b->absolute ? espl_arena_format(b->arena, "%s/log/%s.log", b->absolute, log)
	                           : NULL,
	};
}

static espl_command synthesis_command(build *b)
{
	espl_words words = {0};

	espl_words_add(&words, b->order.yosys.path);
	if (!strcmp(b->order.yosys.name, "pyosys")) {
		espl_words_add(&words, "-c");
		espl_words_add(&words, "from pyosys import libyosys as yosys; "
		                       "yosys.run_pass('script synth.ys', yosys.Design())");
	} else {
		espl_words_add(&words, "-q");
		espl_words_add(&words, "synth.ys");
	}
	return command_of(b, &words, "yosys");
}

static espl_command place_command(build *b, int seed)
{
	const espl_build_request *r = b->order.request;
	espl_words words = {0};
	espl_command command;

	espl_words_add(&words, b->order.place.path);
	espl_family_place(b->order.family, r->board, r->board->pins, seed,
	                  espl_arena_format(b->arena, "%.6f", (double)b->order.pll.clock_hz / 1e6),
	                  b->arena, &words);
	command = command_of(b, &words, espl_arena_format(b->arena, "nextpnr-seed%d", seed));
	command.limit_s = r->limit_s;
	return command;
}

static espl_command pack_command(build *b, int seed)
{
	espl_words words = {0};

	espl_words_add(&words, b->order.pack.path);
	espl_family_pack(b->order.family, b->order.request->board, seed, b->arena, &words);
	return command_of(b, &words, "pack");
}

static const char *script_text(const build *b)
{
	const espl_board *board = b->order.request->board;
	const char *text = "read_verilog -sv -defer -Irtl";

	for (int i = 0; i < b->order.sources.count; i++)
		if (!strstr(b->order.sources.items[i].name, ".svh"))
			text = espl_arena_format(b->arena, "%s rtl/%s", text,
			                         b->order.sources.items[i].name);
	text = espl_arena_format(
	        b->arena,
	        "%s\nchparam -set InputHz %lld -set ClockHz %lld -set Baud %d -set Divide %d "
	        "-set Multiply %d -set Post %d top\n%s%s -top top",
	        text, (long long)board->oscillator_hz, (long long)b->order.pll.clock_hz,
	        board->baud, b->order.pll.divide, b->order.pll.multiply, b->order.pll.post,
	        b->order.family->flatten
	                ? "hierarchy -top top\nsetattr -mod -unset keep_hierarchy *\n"
	                : "",
	        b->order.family->synthesis);
	for (int i = 0; i < board->synthesis.count; i++)
		text = espl_arena_format(b->arena, "%s %s", text, board->synthesis.items[i]);
	return espl_arena_format(b->arena, "%s\n%swrite_json net.json\ntee -o log/cells.txt stat\n",
	                         text, b->order.family->after ? b->order.family->after : "");
}

static espl_status copy_file(build *b, const char *from, const char *name, espl_error *err)
{
	espl_span file;

	ESPL_TRY(espl_file_read(from, b->arena, &file, err));
	return espl_file_write(in_folder(b, name), file.data, file.size, err);
}

static espl_status fill_inputs(build *b, espl_error *err)
{
	const espl_build_request *r = b->order.request;
	const char *script = script_text(b);

	if (mkdir(in_folder(b, "rtl"), 0777) || mkdir(in_folder(b, "log"), 0777))
		return espl_fail(err, ESPL_IO, "%s: %s", b->folder, strerror(errno));
	for (int i = 0; i < b->order.sources.count; i++)
		ESPL_TRY(copy_file(
		        b, b->order.sources.items[i].path,
		        espl_arena_format(b->arena, "rtl/%s", b->order.sources.items[i].name),
		        err));
	ESPL_TRY(copy_file(b,
	                   espl_arena_format(b->arena, "%s/%s", r->board->folder, r->board->pins),
	                   r->board->pins, err));
	ESPL_TRY(copy_file(b, espl_arena_format(b->arena, "%s/manifest.json", r->design),
	                   "manifest.json", err));
	return espl_file_write(in_folder(b, "synth.ys"), script, strlen(script), err);
}

/* The log that says why a tool failed outlives the folder: it is put beside it. */
static const char *kept_log(const build *b)
{
	const char *output = b->order.request->output;
	size_t length = strlen(output);

	while (length > 1 && output[length - 1] == '/')
		length--;
	return espl_arena_format(b->arena, "%.*s.log", (int)length, output);
}

static const char *keep_log(const build *b, const char *log)
{
	const char *kept = kept_log(b);
	espl_span file;

	if (espl_file_read(log, b->arena, &file, NULL) ||
	    espl_file_write(kept, file.data, file.size, NULL))
		return "nothing";
	return kept;
}

/* The first error in a log, as the tools of all families mark it. */
static const char *first_error(build *b, const char *log)
{
	const char *at = NULL;
	espl_span file;

	if (!espl_file_read(log, b->arena, &file, NULL))
		at = strstr((const char *)file.data, "ERROR: ");
	return at ? espl_arena_format(b->arena, ": %.*s", (int)strcspn(at + 7, "\n"), at + 7) : "";
}

/* Warnings after which the netlist would not be what the source says. */
static espl_status check_warnings(build *b, const char *log, espl_error *err)
{
	static const char *const fatal[] = {"implicitly declared", "no driver"};
	espl_span file;

	ESPL_TRY(espl_file_read(log, b->arena, &file, err));
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
		const char *at = strstr((const char *)file.data, fatal[i]), *line = at;

		if (!at)
			continue;
		while (line > (const char *)file.data && line[-1] != '\n')
			line--;
		return espl_fail(err, ESPL_TOOL, "yosys: %.*s; see %s", (int)strcspn(line, "\n"),
		                 line, keep_log(b, log));
	}
	return ESPL_OK;
}

static espl_status synthesize(build *b, espl_error *err)
{
	const espl_command command = synthesis_command(b);
	int code = 0;

	note_command(b, &command);
	ESPL_TRY(espl_process_run(&command, &code, err));
	if (code)
		return espl_fail(err, ESPL_TOOL, "yosys ended with %d%s; see %s", code,
		                 first_error(b, command.log), keep_log(b, command.log));
	return check_warnings(b, command.log, err);
}

static int cores(void)
{
	const long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > 64 ? 64 : (int)count;
}

/* Cells that the chip cannot hold need no place and route, which may take hours to say so. */
static espl_status check_cells(build *b, espl_error *err)
{
	const espl_board *board = b->order.request->board;
	const char *path = in_folder(b, "log/cells.txt");
	const espl_room room = {.luts = board->luts,
	                        .ffs = board->ffs,
	                        .block_rams = board->block_rams,
	                        .multipliers = board->multipliers};
	espl_span file;

	if (!espl_file_exists(path))
		return ESPL_OK;
	ESPL_TRY(espl_file_read(path, b->arena, &file, err));
	return espl_cells_check((const char *)file.data, b->order.family->cells, &room, b->arena,
	                        err);
}

/* No seed routed: says why. */
static espl_status explain(build *b, const espl_command *first, int late, espl_error *err)
{
	const espl_build *out = &b->order.build;

	if (late)
		return espl_fail(
		        err, ESPL_TOOL,
		        "place and route of %d of %d seeds was stopped after %.3g minutes, "
		        "none routed: a smaller engine or a longer --time-limit; see %s",
		        late, out->seed_count, first->limit_s / 60.0, keep_log(b, first->log));
	espl_route_explain(first->log, b->arena, err);
	return espl_context(err, err ? err->status : ESPL_TOOL, keep_log(b, first->log));
}

/* Runs every seed and reads what came of it; a seed that does not route counts as 0 MHz. */
static espl_status place_and_route(build *b, espl_error *err)
{
	espl_build *out = &b->order.build;
	espl_command *commands = ESPL_ARRAY(b->arena, espl_command, out->seed_count);
	int *codes = ESPL_ARRAY(b->arena, int, out->seed_count);
	int routed = 0, late = 0;

	for (int i = 0; i < out->seed_count; i++) {
		commands[i] = place_command(b, out->seeds[i].seed);
		note_command(b, &commands[i]);
	}
	ESPL_TRY(espl_process_run_all(commands, out->seed_count, cores(), codes, err));
	for (int i = 0; i < out->seed_count; i++) {
		espl_route route;

		out->seeds[i].late = codes[i] == ESPL_PROCESS_LATE;
		late += out->seeds[i].late;
		if (codes[i])
			continue;
		ESPL_TRY(espl_route_read(in_folder(b, espl_arena_format(b->arena, "seed%d.json",
		                                                        out->seeds[i].seed)),
		                         b->arena, &route, err));
		out->seeds[i].routed = true;
		out->seeds[i].mhz = route.mhz;
		if (!routed++ || route.mhz > b->order.route.mhz) {
			b->order.route = route;
			out->shipped = i;
		}
	}
	return routed ? ESPL_OK : explain(b, &commands[0], late, err);
}

static int by_mhz(const void *a, const void *b)
{
	const double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

/* The fastest seed is shipped, but all of them are what is reported. */
static espl_status judge(build *b, espl_error *err)
{
	espl_build *out = &b->order.build;
	const int count = out->seed_count;
	double *mhz = ESPL_ARRAY(b->arena, double, count);

	for (int i = 0; i < count; i++)
		mhz[i] = out->seeds[i].mhz;
	qsort(mhz, (size_t)count, sizeof(*mhz), by_mhz);
	out->worst_mhz = mhz[0];
	out->median_mhz = (mhz[(count - 1) / 2] + mhz[count / 2]) / 2;
	out->best_mhz = mhz[count - 1];
	out->clock_mhz = (double)b->order.pll.clock_hz / 1e6;
	out->meets_clock = out->best_mhz >= out->clock_mhz;
	if (out->meets_clock || b->order.request->allow_slow)
		return ESPL_OK;
	return espl_fail(err, ESPL_MISMATCH,
	                 "no seed of %d meets %.6g MHz: worst %.2f, median %.2f, best %.2f MHz; "
	                 "choose a lower --freq, or --allow-slow",
	                 count, out->clock_mhz, out->worst_mhz, out->median_mhz, out->best_mhz);
}

static espl_status pack(build *b, espl_error *err)
{
	const espl_command command =
	        pack_command(b, b->order.build.seeds[b->order.build.shipped].seed);
	int code = 0;

	note_command(b, &command);
	ESPL_TRY(espl_process_run(&command, &code, err));
	if (code || !espl_file_exists(in_folder(b, b->order.family->bitstream)))
		return espl_fail(err, ESPL_TOOL, "%s ended with %d%s; see %s", b->order.pack.name,
		                 code, first_error(b, command.log), keep_log(b, command.log));
	return ESPL_OK;
}

static espl_status write_texts(build *b, espl_error *err)
{
	const espl_board *board = b->order.request->board;
	const int sources = b->order.sources.count;
	const char **inputs = ESPL_ARRAY(b->arena, const char *, sources + 4);
	const char *const outputs[] = {"net.json", b->order.family->bitstream, NULL};
	const char *lock, *commands = "";

	inputs[0] = "manifest.json";
	inputs[1] = board->pins;
	inputs[2] = "synth.ys";
	for (int i = 0; i < sources; i++)
		inputs[3 + i] =
		        espl_arena_format(b->arena, "rtl/%s", b->order.sources.items[i].name);
	b->order.build.bitstream = b->order.family->bitstream;
	b->order.build.text = espl_build_text(&b->order, b->arena);
	ESPL_TRY(espl_lock_text(&b->order, b->folder, inputs, outputs, b->arena, &lock, err));
	for (int i = 0; i < b->order.command_count; i++)
		commands = espl_arena_format(b->arena, "%s%s\n", commands, b->order.commands[i]);
	ESPL_TRY(
	        espl_file_write(in_folder(b, "log/commands.txt"), commands, strlen(commands), err));
	ESPL_TRY(espl_file_write(in_folder(b, "espalier.lock"), lock, strlen(lock), err));
	return espl_file_write(in_folder(b, "build.json"), b->order.build.text,
	                       strlen(b->order.build.text), err);
}

/* What each seed left behind is large; the seed that is shipped can be run again. */
static void remove_seeds(build *b)
{
	for (int i = 0; i < b->order.build.seed_count; i++) {
		const int seed = b->order.build.seeds[i].seed;

		unlink(in_folder(b, espl_arena_format(b->arena, "seed%d.json", seed)));
		unlink(in_folder(b, espl_arena_format(b->arena, "seed%d.%s", seed,
		                                      b->order.family->placed)));
	}
}

static espl_status run_steps(build *b, espl_error *err)
{
	char *absolute = realpath(b->folder, NULL);

	if (!absolute)
		return espl_fail(err, ESPL_IO, "%s: %s", b->folder, strerror(errno));
	b->absolute = espl_arena_string(b->arena, absolute);
	free(absolute);
	ESPL_TRY(fill_inputs(b, err));
	ESPL_TRY(synthesize(b, err));
	ESPL_TRY(check_cells(b, err));
	ESPL_TRY(place_and_route(b, err));
	ESPL_TRY(judge(b, err));
	ESPL_TRY(pack(b, err));
	ESPL_TRY(write_texts(b, err));
	remove_seeds(b);
	return ESPL_OK;
}

static void show_all(build *b)
{
	const espl_command synthesis = synthesis_command(b);
	espl_command command;

	note_command(b, &synthesis);
	for (int i = 0; i < b->order.build.seed_count; i++) {
		command = place_command(b, b->order.build.seeds[i].seed);
		note_command(b, &command);
	}
	command = pack_command(b, b->order.build.seeds[0].seed);
	note_command(b, &command);
}

espl_status espl_build_bitstream(const espl_build_request *request, espl_arena *arena,
                                 espl_build *out, espl_error *err)
{
	build b = {.order = {.request = request}, .arena = arena};
	espl_status status;

	b.order.commands = ESPL_ARRAY(arena, const char *, request->seed_count + 2);
	b.order.build.seed_count = request->seed_count;
	b.order.build.seeds = ESPL_ARRAY(arena, espl_seed, request->seed_count);
	for (int i = 0; i < request->seed_count; i++)
		b.order.build.seeds[i].seed = request->seeds[i];
	ESPL_TRY(prepare(&b, err));
	ESPL_TRY(find_tools(&b, err));
	if (request->dry_run) {
		show_all(&b);
		return ESPL_OK;
	}
	ESPL_TRY(espl_folder_check(request->output, err)); /* before the work, not after it */
	ESPL_TRY(espl_folder_begin(request->output, arena, &b.folder, err));
	unlink(kept_log(&b));
	status = run_steps(&b, err);
	if (!status)
		status = espl_folder_commit(b.folder, request->output, err);
	if (status)
		espl_folder_abandon(b.folder);
	else
		*out = b.order.build;
	return status;
}

/* The board and the bitstream that build.json names; the bytes must be those of the lock file. */
static espl_status read_build(const char *folder, const char *wanted, espl_arena *arena,
                              const char **board, const char **bitstream, espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/build.json", folder);
	const char *name = "", *file_name = "";
	espl_status status;
	espl_json *json;
	espl_span file;

	if (!espl_file_exists(path))
		return espl_fail(err, ESPL_IO,
		                 "%s: no build.json; give the folder that build wrote", folder);
	ESPL_TRY(espl_file_read(path, arena, &file, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	status = espl_json_string(json, "board", &name, err);
	if (!status)
		status = espl_json_string(json, "bitstream", &file_name, err);
	*board = espl_arena_string(arena, name);
	*bitstream = espl_arena_string(arena, file_name);
	espl_json_destroy(json);
	ESPL_TRY(espl_context(err, status, path));
	if (wanted && strcmp(wanted, *board))
		return espl_fail(err, ESPL_MISMATCH, "%s: built for %s, not for %s", folder, *board,
		                 wanted);
	return ESPL_OK;
}

static espl_status check_bitstream(const char *folder, const char *bitstream, espl_arena *arena,
                                   espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/espalier.lock", folder);
	const espl_json *outputs = NULL;
	const char *locked = "";
	espl_status status;
	espl_json *json;
	espl_span lock, file;

	ESPL_TRY(espl_file_read(espl_arena_format(arena, "%s/%s", folder, bitstream), arena, &file,
	                        err));
	ESPL_TRY(espl_file_read(path, arena, &lock, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)lock.data, lock.size, &json, err),
	                      path));
	status = espl_json_object(json, "outputs", &outputs, err);
	if (!status)
		status = espl_json_string(outputs, bitstream, &locked, err);
	if (!status && strcmp(locked, espl_sha256(file.data, file.size, arena)))
		status = espl_fail(err, ESPL_MISMATCH, "%s is not the bitstream that was built",
		                   bitstream);
	espl_json_destroy(json);
	return espl_context(err, status, path);
}

espl_status espl_load_command(const char *folder, const char *board,
                              const espl_strings *board_folders, espl_arena *arena,
                              const char *const **argv, espl_error *err)
{
	const char *name = NULL, *bitstream = NULL;
	const espl_board *found;
	const char **words;
	int count = 0;

	ESPL_TRY(read_build(folder, board, arena, &name, &bitstream, err));
	ESPL_TRY(espl_context(err, check_bitstream(folder, bitstream, arena, err), folder));
	ESPL_TRY(espl_board_find(name, board_folders, arena, &found, err));
	words = ESPL_ARRAY(arena, const char *, found->loader.count + 3);
	words[count++] = "openFPGALoader";
	for (int i = 0; i < found->loader.count; i++)
		words[count++] = found->loader.items[i];
	words[count++] = espl_arena_format(arena, "%s/%s", folder, bitstream);
	*argv = (const char *const *)words;
	return ESPL_OK;
}
