/* manifest.json: what the driver must know (docs/format.md).
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_EMIT_MANIFEST_H
#define ESPL_EMIT_MANIFEST_H

#include "ir/plan.h"

/* FNV-1a 32 of the text "Lanes=16,Splits=8,..." in the order of ESPL_ENGINE_LIST. */
uint32_t espl_engine_identity(const espl_engine *engine);

const char *espl_manifest_text(const espl_plan *plan, uint64_t program_identity, espl_arena *arena);

#endif
