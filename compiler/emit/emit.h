/* Plan in, folder out: parameters, memory images, manifest, RTL.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_EMIT_EMIT_H
#define ESPL_EMIT_EMIT_H

#include "ir/plan.h"

/* Writes the folder of docs/format.md at `path`; it appears complete or not at all.
 *   in     rtl_folder     the RTL library to copy in; certificate and net text come along
 *   fails  ESPL_IO */
espl_status espl_emit(const espl_plan *plan, const char *rtl_folder, const char *certificate,
                      const char *path, espl_arena *arena, espl_error *err);

#endif
