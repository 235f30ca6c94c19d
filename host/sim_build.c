/* Builds the simulator of an engine's shape once, and finds it again.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "host/sim_build.h"

#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const rtl_files[] = {
        "espl_pkg.sv",
        "memory/espl_ram.sv",
        "compute/espl_add_select.sv",
        "compute/espl_row_sum.sv",
        "compute/espl_mul_pair.sv",
        "compute/espl_accumulate.sv",
        "compute/espl_lane_pair.sv",
        "compute/espl_gather.sv",
        "compute/espl_split.sv",
        "compute/espl_tree.sv",
        "compute/espl_mul_step.sv",
        "compute/espl_requant.sv",
        "compute/espl_requant_array.sv",
        "shell/espl_drain.sv",
        "shell/espl_sequencer.sv",
        "shell/espl_writer.sv",
        "shell/espl_loader.sv",
        "shell/espl_output.sv",
        "shell/espl_engine.sv",
        "espl_assert.svh",
};

enum { RTL_COUNT = sizeof(rtl_files) / sizeof(rtl_files[0]), MODULES = RTL_COUNT - 1 };

static const char flags[] = "--cc -O3 --x-assign fast --x-initial fast --noassert -Wno-fatal";

static uint64_t hash(uint64_t seed, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		seed = (seed ^ bytes[i]) * UINT64_C(0x100000001b3);
	return seed;
}

/* Where espl_sim.cc and its header are: $ESPALIER_SHARE/sim, the source tree, the installed tree.
 */
static espl_status find_wrapper(espl_arena *arena, const char **folder, espl_error *err)
{
	const char *share = getenv("ESPALIER_SHARE");
	const char *tries[3] = {0};

	tries[0] = share ? espl_arena_format(arena, "%s/sim", share) : NULL;
	tries[1] = ESPALIER_SOURCE_DIR "/sim";
	tries[2] = ESPALIER_SHARE_DIR "/sim";
	for (int i = 0; i < 3; i++)
		if (tries[i] &&
		    espl_file_exists(espl_arena_format(arena, "%s/espl_sim.cc", tries[i]))) {
			*folder = tries[i];
			return ESPL_OK;
		}
	return espl_fail(err, ESPL_IO, "espl_sim.cc is neither in %s nor in %s; set ESPALIER_SHARE",
	                 tries[1], tries[2]);
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

static const char *verilator_command(const espl_manifest *m, bool trace, const char *wrapper,
                                     espl_arena *arena)
{
	const char *command = espl_arena_format(
	        arena,
	        "verilator %s %s --prefix Vespl_engine --top-module espl_engine --Mdir obj "
	        "-CFLAGS '-O2 -fPIC -std=c++17' -Irtl -GIdentity=\"32'h%08x\"",
	        flags, trace ? "--trace-fst" : "", m->engine_identity);
	const char *parameters = m->parameters;

	(void)wrapper;
	while (*parameters) {
		const size_t length = strcspn(parameters, ",");

		command = espl_arena_format(arena, "%s -G%.*s", command, (int)length, parameters);
		parameters += length + (parameters[length] == ',');
	}
	for (int i = 0; i < MODULES; i++)
		command = espl_arena_format(arena, "%s rtl/%s", command, rtl_files[i]);
	return command;
}

static const char *link_command(const espl_manifest *m, bool trace, const char *wrapper,
                                espl_arena *arena)
{
	return espl_arena_format(
	        arena,
	        "root=$(verilator --getenv VERILATOR_ROOT) && "
	        "make -j2 -C obj -f Vespl_engine.mk OPT_FAST=-O2 OPT_SLOW=-O1 Vespl_engine__ALL.a "
	        "verilated.o verilated_threads.o %s && "
	        "g++ -O2 -fPIC -shared -std=c++17 -DESPL_LANES=%d -DESPL_SPLITS=%d "
	        "-DESPL_WIDE_DEPTH=%d "
	        "-DESPL_NARROW_DEPTH=%d %s -o libsim.so %s/espl_sim.cc -Iobj -I\"$root/include\" "
	        "-I\"$root/include/vltstd\" obj/Vespl_engine__ALL.a obj/verilated.o "
	        "obj/verilated_threads.o %s -lpthread && rm -rf obj rtl",
	        trace ? "verilated_fst_c.o" : "", m->lanes, m->splits, m->wide_depth,
	        m->narrow_depth, trace ? "-DESPL_TRACE" : "", wrapper,
	        trace ? "obj/verilated_fst_c.o -lz" : "");
}

static espl_status copy_sources(const espl_span *sources, const char *folder, espl_arena *arena,
                                espl_error *err)
{
	static const char *const folders[] = {"rtl", "rtl/memory", "rtl/compute", "rtl/shell"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *path = espl_arena_format(arena, "%s/%s", folder, folders[i]);

		if (mkdir(path, 0777) && errno != EEXIST)
			return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < RTL_COUNT; i++)
		ESPL_TRY(
		        espl_file_write(espl_arena_format(arena, "%s/rtl/%s", folder, rtl_files[i]),
		                        sources[i].data, sources[i].size, err));
	return ESPL_OK;
}

static espl_status build(const espl_manifest *m, bool trace, const espl_span *sources,
                         const char *wrapper, const char *target, espl_arena *arena,
                         espl_error *err)
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
	ESPL_TRY(copy_sources(sources, temporary, arena, err));
	ESPL_TRY(run(temporary, verilator_command(m, trace, wrapper, arena), log, err));
	ESPL_TRY(run(temporary, link_command(m, trace, wrapper, arena), log, err));
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

espl_status espl_sim_build(const espl_manifest *m, const espl_options *options, bool trace,
                           espl_arena *arena, const char **path, espl_error *err)
{
	uint64_t key = hash(UINT64_C(0xcbf29ce484222325), m->parameters, strlen(m->parameters));
	espl_span sources[RTL_COUNT], wrapper_source;
	const char *cache = NULL, *wrapper = NULL, *target;
	espl_status status = ESPL_OK;
	int file;

	ESPL_TRY(find_wrapper(arena, &wrapper, err));
	ESPL_TRY(find_cache(options, arena, &cache, err));
	for (int i = 0; i < RTL_COUNT; i++) {
		ESPL_TRY(espl_file_read(
		        espl_arena_format(arena, "%s/rtl/%s", m->folder, rtl_files[i]), arena,
		        &sources[i], err));
		key = hash(key, sources[i].data, sources[i].size);
	}
	ESPL_TRY(espl_file_read(espl_arena_format(arena, "%s/espl_sim.cc", wrapper), arena,
	                        &wrapper_source, err));
	key = tool_version(
	        hash(hash(key, wrapper_source.data, wrapper_source.size), flags, sizeof(flags)),
	        arena);
	target = espl_arena_format(arena, "%s/%016llx%s", cache, (unsigned long long)key,
	                           trace ? "-fst" : "");
	*path = espl_arena_format(arena, "%s/libsim.so", target);
	if (espl_file_exists(*path))
		return ESPL_OK;
	file = lock(target, arena);
	if (!espl_file_exists(*path)) {
		if (options->progress)
			options->progress(options->user,
			                  "building the simulator of this engine's shape");
		status = build(m, trace, sources, wrapper, target, arena, err);
	}
	if (file >= 0)
		close(file);
	return status;
}
