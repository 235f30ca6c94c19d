/* Builds the simulator of an engine's shape once, and finds it again.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_SIM_BUILD_H
#define ESPL_HOST_SIM_BUILD_H

#include "host/manifest.h"

#include <stdbool.h>

/* The shared library of the folder's RTL with the manifest's parameters, from the cache or built
 * into it. The key covers parameters, RTL, wrapper, Verilator's version and the flags, and with
 * options->baked the program and the place of its images.
 *   out    *path in `arena`
 *   fails  ESPL_MISSING: no verilator or C++ compiler; ESPL_TOOL: one failed, with its log's path
 *   cost   20 to 60 s for a new shape */
espl_status espl_sim_build(const espl_manifest *m, const espl_options *options, bool trace,
                           espl_arena *arena, const char **path, espl_error *err);

/* The same of the simulated board: engine, link and UART pins (sim/espl_board.h). An engine of
 * the manifest's parameters, whatever its program. */
espl_status espl_board_build(const espl_manifest *m, const espl_options *options, espl_arena *arena,
                             const char **path, espl_error *err);

#endif
