/* Plan in, folder out: parameters, memory images, manifest, RTL.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_EMIT_EMIT_H
#define ESPL_EMIT_EMIT_H

#include "base/file.h"
#include "ir/plan.h"

/* The known-answer test: samples one after another, of each sample all inputs, or outputs. */
typedef struct {
	espl_span input, output;
} espl_kat;

/* Writes the folder of docs/format.md at `path`; it appears complete or not at all.
 *   in     rtl_folder     the RTL library to copy in; certificate and net text come along
 *   fails  ESPL_IO */
espl_status espl_emit(const espl_plan *plan, const char *rtl_folder, const char *certificate,
                      const espl_kat *kat, const char *path, espl_arena *arena, espl_error *err);

#endif
