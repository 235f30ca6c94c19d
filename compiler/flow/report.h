/* What nextpnr says of a run: its clock, what it used, its slowest path.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_REPORT_H
#define ESPL_FLOW_REPORT_H

#include "base/json.h"

typedef struct {
	const char *name; /* "TRELLIS_COMB" */
	int64_t used, available;
} espl_use;

typedef struct {
	double mhz; /* the least of all clocks */
	espl_use *uses;
	int use_count;         /* of what is used at all */
	const char *from, *to; /* cells at the ends of the slowest path; "" when there is none */
	double logic_ns, routing_ns;
} espl_route;

/* Reads a report of nextpnr's option --report.
 *   fails  ESPL_IO, ESPL_SYNTAX; ESPL_TOOL: it has no clock */
espl_status espl_route_read(const char *path, espl_arena *arena, espl_route *out, espl_error *err);

/* Why a run of nextpnr failed, from its log: ESPL_BUDGET when more is needed than there is, with
 * the numbers, else ESPL_TOOL with the first error. */
espl_status espl_route_explain(const char *log, espl_arena *arena, espl_error *err);

#endif
