/* What comes with the programs: where the RTL, the boards and the simulator's sources are.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_SHARE_H
#define ESPL_BASE_SHARE_H

#include "base/arena.h"
#include "base/status.h"

/* The folder `name` ("rtl", "boards", "sim") in $ESPALIER_SHARE, the source tree or the installed
 * tree: the first that has `marker` in it.
 *   out    *folder in `arena`
 *   fails  ESPL_IO, naming the places */
espl_status espl_share_find(const char *name, const char *marker, espl_arena *arena,
                            const char **folder, espl_error *err);

/* The files of the RTL library, relative to its folder, in the order in which tools read them: the
 * engine's, then the link's. */
enum { ESPL_RTL_ENGINE_FILES = 24, ESPL_RTL_FILES = 33 };
extern const char *const espl_rtl_files[ESPL_RTL_FILES];

#endif
