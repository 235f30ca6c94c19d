/* Nothing of this machine is in these files: no time, no path.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flow/lock.h"

#include "base/file.h"
#include "base/sha256.h"

#include <stdint.h>

/* To two decimals: what is behind them is noise. */
static double rounded(double value)
{
	return (double)(int64_t)(value * 100 + 0.5) / 100;
}

static void put_pll(espl_json_writer *w, const espl_pll *pll)
{
	espl_json_open(w, "pll", '{');
	espl_json_put_integer(w, "divide", pll->divide);
	espl_json_put_integer(w, "multiply", pll->multiply);
	espl_json_put_integer(w, "post", pll->post);
	espl_json_close(w);
}

static void put_seeds(espl_json_writer *w, const espl_build *build)
{
	espl_json_open(w, "seeds", '[');
	for (int i = 0; i < build->seed_count; i++) {
		espl_json_open(w, NULL, '{');
		espl_json_put_integer(w, "seed", build->seeds[i].seed);
		espl_json_put_bool(w, "routed", build->seeds[i].routed);
		espl_json_put_number(w, "mhz", rounded(build->seeds[i].mhz));
		if (build->seeds[i].late)
			espl_json_put_bool(w, "stopped_at_limit", true);
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_put_integer(w, "shipped_seed", build->seeds[build->shipped].seed);
	espl_json_put_number(w, "worst_mhz", rounded(build->worst_mhz));
	espl_json_put_number(w, "median_mhz", rounded(build->median_mhz));
	espl_json_put_number(w, "best_mhz", rounded(build->best_mhz));
}

const char *espl_build_text(const espl_work_order *order, espl_arena *arena)
{
	const espl_board *board = order->request->board;
	espl_json_writer *w = espl_json_writer_create(arena);
	const espl_route *route = &order->route;

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "format", 1);
	espl_json_put_string(w, "board", board->name);
	espl_json_put_string(w, "part", board->part);
	espl_json_put_string(w, "array", order->array);
	espl_json_put_string(w, "engine_identity", order->engine_identity);
	espl_json_put_string(w, "bitstream", order->family->bitstream);
	espl_json_put_integer(w, "clock_hz", order->pll.clock_hz);
	espl_json_put_bool(w, "meets_clock", order->build.meets_clock);
	if (order->build.note)
		espl_json_put_string(w, "note", order->build.note);
	espl_json_put_integer(w, "baud", board->baud);
	put_seeds(w, &order->build);
	espl_json_open(w, "slowest_path", '{');
	espl_json_put_string(w, "from", route->from);
	espl_json_put_string(w, "to", route->to);
	espl_json_put_number(w, "logic_ns", rounded(route->logic_ns));
	espl_json_put_number(w, "routing_ns", rounded(route->routing_ns));
	espl_json_close(w);
	espl_json_open(w, "utilization", '{');
	for (int i = 0; i < route->use_count; i++) {
		const int64_t pair[] = {route->uses[i].used, route->uses[i].available};

		espl_json_put_integers(w, route->uses[i].name, pair, 2);
	}
	espl_json_close(w);
	espl_json_close(w);
	return espl_json_text(w, NULL);
}

static espl_status put_hashes(espl_json_writer *w, const char *key, const char *folder,
                              const char *const *names, espl_arena *arena, espl_error *err)
{
	espl_json_open(w, key, '{');
	for (int i = 0; names[i]; i++) {
		const char *path = espl_arena_format(arena, "%s/%s", folder, names[i]);
		espl_span file;

		ESPL_TRY(espl_file_read(path, arena, &file, err));
		espl_json_put_string(w, names[i], espl_sha256(file.data, file.size, arena));
	}
	espl_json_close(w);
	return ESPL_OK;
}

/* A program that does not tell its version is known by its bytes. */
static espl_status put_tool(espl_json_writer *w, const espl_tool *tool, espl_arena *arena,
                            espl_error *err)
{
	const char *version = tool->version;
	espl_span file;

	if (!*version) {
		ESPL_TRY(espl_file_read(tool->path, arena, &file, err));
		version = espl_arena_format(arena, "sha256 %s",
		                            espl_sha256(file.data, file.size, arena));
	}
	espl_json_put_string(w, tool->name, version);
	return ESPL_OK;
}

espl_status espl_lock_text(const espl_work_order *order, const char *folder,
                           const char *const *inputs, const char *const *outputs, espl_arena *arena,
                           const char **out, espl_error *err)
{
	espl_json_writer *w = espl_json_writer_create(arena);

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "format", 1);
	espl_json_put_string(w, "espalier", order->request->version);
	espl_json_open(w, "tools", '{');
	ESPL_TRY(put_tool(w, &order->yosys, arena, err));
	ESPL_TRY(put_tool(w, &order->place, arena, err));
	ESPL_TRY(put_tool(w, &order->pack, arena, err));
	espl_json_close(w);
	put_pll(w, &order->pll);
	put_seeds(w, &order->build);
	espl_json_open(w, "commands", '[');
	for (int i = 0; i < order->command_count; i++)
		espl_json_put_string(w, NULL, order->commands[i]);
	espl_json_close(w);
	ESPL_TRY(put_hashes(w, "inputs", folder, inputs, arena, err));
	ESPL_TRY(put_hashes(w, "outputs", folder, outputs, arena, err));
	espl_json_close(w);
	*out = espl_json_text(w, NULL);
	return ESPL_OK;
}
