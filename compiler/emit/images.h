/* Memory images: the program as files that $readmemh reads.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_EMIT_IMAGES_H
#define ESPL_EMIT_IMAGES_H

#include "ir/plan.h"

/* Writes image/ into the folder `root`, a file a memory (docs/format.md).
 *   fails  ESPL_IO
 *   from   rtl/shell/espl_engine.sv, which makes the names from its parameter Images */
espl_status espl_images_write(const espl_plan *plan, const char *root, espl_arena *arena,
                              espl_error *err);

#endif
