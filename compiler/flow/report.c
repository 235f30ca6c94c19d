/* Reports are JSON; logs are searched line by line.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flow/report.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

static espl_status read_clocks(const espl_json *json, espl_route *out, espl_error *err)
{
	const espl_json *clocks;

	ESPL_TRY(espl_json_object(json, "fmax", &clocks, err));
	out->mhz = 0;
	for (const espl_json *c = espl_json_first(clocks); c; c = espl_json_next(c)) {
		double mhz = 0;

		ESPL_TRY(espl_json_number(c, "achieved", &mhz, err));
		if (c == espl_json_first(clocks) || mhz < out->mhz)
			out->mhz = mhz;
	}
	if (!(out->mhz > 0))
		return espl_fail(err, ESPL_TOOL, "nextpnr found no clock");
	return ESPL_OK;
}

static espl_status read_uses(const espl_json *json, espl_arena *arena, espl_route *out,
                             espl_error *err)
{
	const espl_json *uses;

	ESPL_TRY(espl_json_object(json, "utilization", &uses, err));
	out->uses = ESPL_ARRAY(arena, espl_use, espl_json_count(uses));
	for (const espl_json *u = espl_json_first(uses); u; u = espl_json_next(u)) {
		espl_use use = {.name = espl_arena_string(arena, espl_json_key(u))};

		ESPL_TRY(espl_json_integer(u, "used", 0, INT64_C(1) << 40, &use.used, err));
		ESPL_TRY(espl_json_integer(u, "available", 0, INT64_C(1) << 40, &use.available,
		                           err));
		if (use.used)
			out->uses[out->use_count++] = use;
	}
	return ESPL_OK;
}

static espl_status cell_of(const espl_json *step, const char *end, espl_arena *arena,
                           const char **out, espl_error *err)
{
	const espl_json *pin;
	const char *cell, *port;

	ESPL_TRY(espl_json_object(step, end, &pin, err));
	ESPL_TRY(espl_json_string(pin, "cell", &cell, err));
	ESPL_TRY(espl_json_string(pin, "port", &port, err));
	*out = espl_arena_format(arena, "%s.%s", cell, port);
	return ESPL_OK;
}

/* The slowest path of a clock to itself comes first in the list. */
static espl_status read_path(const espl_json *json, espl_arena *arena, espl_route *out,
                             espl_error *err)
{
	const espl_json *paths, *steps = NULL, *path;

	out->from = out->to = "";
	ESPL_TRY(espl_json_array(json, "critical_paths", &paths, err));
	for (path = espl_json_first(paths); path && !steps; path = espl_json_next(path)) {
		const char *from, *to;

		ESPL_TRY(espl_json_string(path, "from", &from, err));
		ESPL_TRY(espl_json_string(path, "to", &to, err));
		if (!strcmp(from, to))
			ESPL_TRY(espl_json_array(path, "path", &steps, err));
	}
	for (const espl_json *s = steps ? espl_json_first(steps) : NULL; s; s = espl_json_next(s)) {
		const char *type;
		double ns = 0;

		ESPL_TRY(espl_json_number(s, "delay", &ns, err));
		ESPL_TRY(espl_json_string(s, "type", &type, err));
		*(strcmp(type, "routing") ? &out->logic_ns : &out->routing_ns) += ns;
		if (s == espl_json_first(steps))
			ESPL_TRY(cell_of(s, "from", arena, &out->from, err));
		ESPL_TRY(cell_of(s, "to", arena, &out->to, err));
	}
	return ESPL_OK;
}

espl_status espl_route_read(const char *path, espl_arena *arena, espl_route *out, espl_error *err)
{
	espl_route route = {0};
	espl_status status;
	espl_json *json;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	status = read_clocks(json, &route, err);
	if (!status)
		status = read_uses(json, arena, &route, err);
	if (!status)
		status = read_path(json, arena, &route, err);
	espl_json_destroy(json);
	ESPL_TRY(espl_context(err, status, path));
	*out = route;
	return ESPL_OK;
}

espl_status espl_route_explain(const char *log, espl_arena *arena, espl_error *err)
{
	const char *full = "", *error = "nextpnr ended without saying why";
	bool known = false;
	espl_span file;

	ESPL_TRY(espl_file_read(log, arena, &file, err));
	for (const char *line = (const char *)file.data; *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *mark = strstr(line, "ERROR: ");
		const size_t length = strcspn(line, "\n");
		int64_t used, available;
		long long numbers[2];
		char name[64];

		if (mark && mark < line + length && !known) {
			known = true;
			error = espl_arena_format(arena, "%.*s", (int)strcspn(mark + 7, "\n"),
			                          mark + 7);
		}
		if (sscanf(line, "Info: %63[A-Za-z0-9_]: %lld/%lld", name, &numbers[0],
		           &numbers[1]) != 3)
			continue;
		used = numbers[0];
		available = numbers[1];
		if (used > available)
			full = espl_arena_format(arena, "%s%s%lld %s of %lld", full,
			                         *full ? ", " : "", (long long)used, name,
			                         (long long)available);
	}
	if (*full)
		return espl_fail(err, ESPL_BUDGET, "the engine does not fit: it needs %s", full);
	if (strstr(error, "nable to") && strstr(error, "plac"))
		return espl_fail(err, ESPL_BUDGET, "the engine does not fit: %s", error);
	return espl_fail(err, ESPL_TOOL, "%s", error);
}
