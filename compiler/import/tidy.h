/* What every importer does at its end: names, operators that nobody reads, refusals.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/.
 */
#ifndef ESPL_IMPORT_TIDY_H
#define ESPL_IMPORT_TIDY_H

#include "import/import.h"

/* Gives tensors without a name one, and makes all names differ. */
void espl_name_tensors(espl_net *net, espl_arena *arena);

/* Removes operators whose result nobody reads, and their tensors. */
void espl_drop_unused(espl_net *net, espl_arena *arena);

/* Fails and lists what was refused, as far as the message reaches; `what` is an operator's name in
 * the format: "node". */
espl_status espl_fail_refused(const espl_report *report, const char *what, espl_error *err);

/* The file's name without folders and extension. */
const char *espl_base_name(espl_arena *arena, const char *label);

#endif
