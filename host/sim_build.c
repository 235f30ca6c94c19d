/* Builds the simulator of an engine's shape once, and finds it again.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "host/sim_build.h"

#include "base/file.h"
#include "base/process.h"
#include "base/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What can be built: a Verilated top with its wrapper from sim/, as a shared library. */
typedef struct {
	const char *top;
	int files;          /* of espl_rtl_files */
	const char *module; /* one more, beside the wrapper; NULL for none */
	const char *wrapper, *what;
} product;

static const product engine = {"espl_engine", ESPL_RTL_ENGINE_FILES, NULL, "espl_sim.cc",
                               "building the simulator of this engine's shape"};
static const product board = {"espl_board_sim", ESPL_RTL_FILES, "espl_board_sim.sv",
                              "espl_board.cc",
                              "building the simulated board of this engine's shape"};

static const char flags[] = "--cc -O3 --x-assign fast --x-initial fast --noassert -Wno-fatal";

static uint64_t hash(uint64_t seed, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		seed = (seed ^ bytes[i]) * UINT64_C(0x100000001b3);
	return seed;
}

static espl_status find_cache(const espl_options *options, espl_arena *arena, const char **out,
                              espl_error *err)
{
	const char *own = getenv("ESPALIER_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
	           *home = getenv("HOME");
	char *path;

	if (options->cache)
		path = espl_arena_string(arena, options->cache);
	else if (own && *own)
		path = espl_arena_string(arena, own);
	else if (xdg && *xdg)
		path = espl_arena_format(arena, "%s/espalier", xdg);
	else if (home && *home)
		path = espl_arena_format(arena, "%s/.cache/espalier", home);
	else
		return espl_fail(err, ESPL_IO,
		                 "no folder for built simulators: set ESPALIER_CACHE");
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(path, 0777);
			*p = '/';
		}
	if (mkdir(path, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	*out = path;
	return ESPL_OK;
}

/* Runs a shell command in a folder, its output into `log`. */
static espl_status run(const char *folder, const char *line, const char *log, espl_error *err)
{
	const char *const argv[] = {"/bin/sh", "-c", line, NULL};
	const espl_command command = {.argv = argv, .folder = folder, .log = log};
	int code = 0;

	ESPL_TRY(espl_context(err, espl_process_run(&command, &code, err),
	                      "while building the simulator"));
	if (code)
		return espl_fail(err, ESPL_TOOL, "building the simulator failed; see %s", log);
	return ESPL_OK;
}

/* The parameters that put the folder's images into the memories; "" when they are to be loaded.
 * The images' place goes through a shell, a makefile and SystemVerilog. */
static espl_status baked_parameters(const espl_manifest *m, const espl_options *options,
                                    espl_arena *arena, const char **out, espl_error *err)
{
	char *folder;

	*out = "";
	if (!options->baked)
		return ESPL_OK;
	folder = realpath(m->folder, NULL);
	if (!folder)
		return espl_fail(err, ESPL_IO, "%s: %s", m->folder, strerror(errno));
	*out = espl_arena_format(arena,
	                         " '-GImages=\"%s/image/\"' "
	                         "-GProgramIdentity=\"64'h%016llx\" -GOutputBeats=%d "
	                         "-GOutputDelay=%d",
	                         folder, (unsigned long long)m->program_identity, m->output_beats,
	                         m->output_delay);
	if (strpbrk(folder, "'\"\\$`\n"))
		*out = NULL;
	free(folder);
	if (!*out)
		return espl_fail(err, ESPL_IO,
		                 "%s: its path has a character that Verilator cannot be given",
		                 m->folder);
	return ESPL_OK;
}

static const char *verilator_command(const product *p, const espl_manifest *m, bool trace,
                                     const char *wrapper, const char *baked, espl_arena *arena)
{
	const char *command = espl_arena_format(
	        arena,
	        "verilator %s %s --prefix V%s --top-module %s --Mdir obj "
	        "-CFLAGS '-O2 -fPIC -std=c++17' -Irtl -GIdentity=\"32'h%08x\"%s",
	        flags, trace ? "--trace-fst" : "", p->top, p->top, m->engine_identity, baked);
	const char *parameters = m->parameters;

	while (*parameters) {
		const size_t length = strcspn(parameters, ",");

		command = espl_arena_format(arena, "%s -G%.*s", command, (int)length, parameters);
		parameters += length + (parameters[length] == ',');
	}
	for (int i = 0; i < p->files; i++)
		if (!strstr(espl_rtl_files[i], ".svh"))
			command = espl_arena_format(arena, "%s rtl/%s", command, espl_rtl_files[i]);
	return p->module ? espl_arena_format(arena, "%s %s/%s", command, wrapper, p->module)
	                 : command;
}

static const char *link_command(const product *p, const espl_manifest *m, bool trace,
                                const char *wrapper, espl_arena *arena)
{
	return espl_arena_format(
	        arena,
	        "root=$(verilator --getenv VERILATOR_ROOT) && "
	        "make -j2 -C obj -f V%s.mk OPT_FAST=-O2 OPT_SLOW=-O1 V%s__ALL.a "
	        "verilated.o verilated_threads.o %s && "
	        "g++ -O2 -fPIC -shared -std=c++17 -DESPL_LANES=%d -DESPL_SPLITS=%d "
	        "-DESPL_WIDE_DEPTH=%d "
	        "-DESPL_NARROW_DEPTH=%d -DESPL_TOP=V%s %s -o libsim.so %s/%s -Iobj "
	        "-I\"$root/include\" "
	        "-I\"$root/include/vltstd\" obj/V%s__ALL.a obj/verilated.o "
	        "obj/verilated_threads.o %s -lpthread && rm -rf obj rtl",
	        p->top, p->top, trace ? "verilated_fst_c.o" : "", m->lanes, m->splits,
	        m->wide_depth, m->narrow_depth, p->top, trace ? "-DESPL_TRACE" : "", wrapper,
	        p->wrapper, p->top, trace ? "obj/verilated_fst_c.o -lz" : "");
}

static espl_status copy_sources(const product *p, const espl_span *sources, const char *folder,
                                espl_arena *arena, espl_error *err)
{
	static const char *const folders[] = {"rtl", "rtl/memory", "rtl/compute", "rtl/shell",
	                                      "rtl/link"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *path = espl_arena_format(arena, "%s/%s", folder, folders[i]);

		if (mkdir(path, 0777) && errno != EEXIST)
			return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < p->files; i++)
		ESPL_TRY(espl_file_write(
		        espl_arena_format(arena, "%s/rtl/%s", folder, espl_rtl_files[i]),
		        sources[i].data, sources[i].size, err));
	return ESPL_OK;
}

static espl_status build(const product *p, const espl_manifest *m, bool trace, const char *baked,
                         const espl_span *sources, const char *wrapper, const char *target,
                         espl_arena *arena, espl_error *err)
{
	const char *temporary = espl_arena_format(arena, "%s.%ld", target, (long)getpid());
	const char *log = espl_arena_format(arena, "%s.log", target);

	if (!espl_process_find("verilator", arena))
		return espl_fail(err, ESPL_MISSING,
		                 "verilator is not installed (Debian package verilator)");
	if (!espl_process_find("g++", arena) || !espl_process_find("make", arena))
		return espl_fail(err, ESPL_MISSING,
		                 "g++ and make are not installed (Debian packages g++, make)");
	unlink(log);
	if (mkdir(temporary, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", temporary, strerror(errno));
	ESPL_TRY(copy_sources(p, sources, temporary, arena, err));
	ESPL_TRY(run(temporary, verilator_command(p, m, trace, wrapper, baked, arena), log, err));
	ESPL_TRY(run(temporary, link_command(p, m, trace, wrapper, arena), log, err));
	if (rename(temporary, target) && errno != ENOTEMPTY && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", target, strerror(errno));
	unlink(log);
	return ESPL_OK;
}

/* Verilator's version takes part in the key: a new one builds anew. */
static uint64_t tool_version(uint64_t key, espl_arena *arena)
{
	static const char *const argv[] = {"verilator", "--version", NULL};
	const espl_command command = {.argv = argv};
	const char *text = "";
	int code = 0;

	if (espl_process_read(&command, arena, &text, &code, NULL) || code)
		return key;
	return hash(key, text, strlen(text));
}

/* One builder at a time; the others wait and then find what it built. */
static int lock(const char *target, espl_arena *arena)
{
	const int file = open(espl_arena_format(arena, "%s.lock", target), O_RDWR | O_CREAT, 0666);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (file >= 0)
		while (fcntl(file, F_SETLKW, &whole) && errno == EINTR)
			;
	return file;
}

/* Finds a product in the cache, or builds it into it. */
static espl_status find(const product *p, const espl_manifest *m, const espl_options *options,
                        bool trace, espl_arena *arena, const char **path, espl_error *err)
{
	uint64_t key = hash(UINT64_C(0xcbf29ce484222325), m->parameters, strlen(m->parameters));
	const char *cache = NULL, *wrapper = NULL, *baked = "", *target;
	espl_span sources[ESPL_RTL_FILES], more;
	espl_status status = ESPL_OK;
	int file;

	ESPL_TRY(espl_share_find("sim", "espl_sim.cc", arena, &wrapper, err));
	ESPL_TRY(find_cache(options, arena, &cache, err));
	ESPL_TRY(baked_parameters(m, options, arena, &baked, err));
	key = hash(key, baked, strlen(baked));
	for (int i = 0; i < p->files; i++) {
		ESPL_TRY(espl_file_read(
		        espl_arena_format(arena, "%s/rtl/%s", m->folder, espl_rtl_files[i]), arena,
		        &sources[i], err));
		key = hash(key, sources[i].data, sources[i].size);
	}
	if (p->module) {
		ESPL_TRY(espl_file_read(espl_arena_format(arena, "%s/%s", wrapper, p->module),
		                        arena, &more, err));
		key = hash(key, more.data, more.size);
	}
	ESPL_TRY(espl_file_read(espl_arena_format(arena, "%s/%s", wrapper, p->wrapper), arena,
	                        &more, err));
	key = tool_version(hash(hash(key, more.data, more.size), flags, sizeof(flags)), arena);
	target = espl_arena_format(arena, "%s/%016llx%s", cache, (unsigned long long)key,
	                           trace ? "-fst" : "");
	*path = espl_arena_format(arena, "%s/libsim.so", target);
	if (espl_file_exists(*path))
		return ESPL_OK;
	file = lock(target, arena);
	if (!espl_file_exists(*path)) {
		if (options->progress)
			options->progress(options->user, p->what);
		status = build(p, m, trace, baked, sources, wrapper, target, arena, err);
	}
	if (file >= 0)
		close(file);
	return status;
}

espl_status espl_sim_build(const espl_manifest *m, const espl_options *options, bool trace,
                           espl_arena *arena, const char **path, espl_error *err)
{
	return find(&engine, m, options, trace, arena, path, err);
}

espl_status espl_board_build(const espl_manifest *m, const espl_options *options, espl_arena *arena,
                             const char **path, espl_error *err)
{
	return find(&board, m, options, false, arena, path, err);
}
