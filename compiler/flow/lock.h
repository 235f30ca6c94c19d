/* build.json and espalier.lock: what was built, and from what.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_LOCK_H
#define ESPL_FLOW_LOCK_H

#include "flow/flow.h"
#include "flow/pll.h"
#include "flow/report.h"
#include "flow/sources.h"
#include "flow/tools.h"

typedef struct {
	const espl_build_request *request;
	const espl_family *family;
	const char *array, *engine_identity; /* of the manifest */
	espl_pll pll;
	espl_sources sources;
	espl_tool yosys, place, pack;
	const char **commands; /* as run, program names without folders */
	int command_count;
	espl_build build;
	espl_route route; /* of the seed that is shipped */
} espl_work_order;

/* The text of build.json. */
const char *espl_build_text(const espl_work_order *order, espl_arena *arena);

/* The text of espalier.lock.
 *   in     folder  where the files named are, to be hashed
 *          inputs, outputs  their names in it, NULL behind the last
 *   fails  ESPL_IO */
espl_status espl_lock_text(const espl_work_order *order, const char *folder,
                           const char *const *inputs, const char *const *outputs, espl_arena *arena,
                           const char **out, espl_error *err);

#endif
