/* External programs: where they are, their versions, how to get them.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_TOOLS_H
#define ESPL_FLOW_TOOLS_H

#include "base/process.h"

#include <stdbool.h>

typedef enum {
	ESPL_TOOL_VERILATOR,
	ESPL_TOOL_YOSYS,
	ESPL_TOOL_PYOSYS,
	ESPL_TOOL_NEXTPNR_ECP5,
	ESPL_TOOL_ECPPACK,
	ESPL_TOOL_NEXTPNR_ICE40,
	ESPL_TOOL_ICEPACK,
	ESPL_TOOL_NEXTPNR_GOWIN,
	ESPL_TOOL_GOWIN_PACK,
	ESPL_TOOL_LOADER,
	ESPL_TOOL_COUNT
} espl_tool_kind;

typedef struct {
	const char *name;    /* "nextpnr-ecp5", whatever the program found is called */
	const char *purpose; /* one line for people */
	const char *path;    /* NULL: it is not there */
	const char *version; /* one line; "" when the program does not say */
	const char *get;     /* how to get it */
	const char *wheel;   /* the Python package that brings it, with its version; NULL: none */
} espl_tool;

/* Looks for a tool: in $ESPALIER_TOOLS/bin, on PATH, in the private environment.
 *   out    path and version are set when it is found */
espl_tool espl_tool_find(espl_tool_kind kind, espl_arena *arena);
/* The same, without starting it to ask for its version. */
espl_tool espl_tool_locate(espl_tool_kind kind, espl_arena *arena);

/* fails ESPL_MISSING, saying how to get it */
espl_status espl_tool_need(espl_tool_kind kind, espl_arena *arena, espl_tool *out, espl_error *err);

/* The folder of the private environment: $ESPALIER_TOOLS, else
 * $XDG_DATA_HOME/espalier/tools, else ~/.local/share/espalier/tools; NULL when none is set. */
const char *espl_tools_folder(espl_arena *arena);

/* Makes the private environment, if need be, and installs Python packages in it.
 *   in     wheels[count]  as espl_tool has them
 *   fails  ESPL_MISSING: no python3 with venv; ESPL_TOOL: pip failed, with its last line */
espl_status espl_tools_install(const char *const *wheels, int count,
                               void (*show)(void *user, const char *command), void *user,
                               espl_arena *arena, espl_error *err);

#endif
