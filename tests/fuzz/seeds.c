/* Writes the fuzzers' first inputs into the folders import, onnx, plan and graph of a folder.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "export/export.h"
#include "lower/lower.h"
#include "schedule/schedule.h"
#include "tiny_graph.h"
#include "tiny_model.h"
#include "tiny_net.h"
#include "tiny_onnx.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { NETS = 12 };

static espl_status write_models(const char *folder, espl_arena *arena, espl_error *err)
{
	for (int i = -1; i < TINY_MODEL_OPS; i++) {
		const espl_span file = tiny_model_with_code(arena, i, 200);

		ESPL_TRY(espl_file_write(
		        espl_arena_format(arena, "%s/import/tiny_%d.tflite", folder, i + 1),
		        file.data, file.size, err));
	}
	return ESPL_OK;
}

/* A net, and the plan that the scheduler makes for it. */
static espl_status write_net(const char *folder, uint32_t seed, espl_arena *arena, espl_error *err)
{
	const espl_envelope envelope = {.lanes = 8, .splits = 2};
	const espl_net *net = tiny_net(arena, seed);
	espl_lowered *lowered;
	const char *text, *decisions = "";
	espl_plan *plan;
	size_t size;
	char *both;

	ESPL_TRY(espl_net_print(net, arena, &text, &size, err));
	if (!espl_lower(net, arena, &lowered, NULL) &&
	    !espl_schedule(lowered, &envelope, NULL, arena, &plan, NULL))
		decisions = plan->decisions;
	both = espl_arena_calloc(arena, size + 1 + strlen(decisions), 1);
	memcpy(both, text, size);
	memcpy(both + size + 1, decisions, strlen(decisions));
	return espl_file_write(espl_arena_format(arena, "%s/plan/tiny_%u", folder, (unsigned)seed),
	                       both, size + 1 + strlen(decisions), err);
}

static espl_status write_graph(const char *folder, uint32_t kind, espl_arena *arena,
                               espl_error *err)
{
	const espl_graph *graph = tiny_graph(arena, kind + 1, kind & 1, kind & 2);
	const char *text;
	size_t size;

	ESPL_TRY(espl_graph_print(graph, arena, &text, &size, err));
	return espl_file_write(espl_arena_format(arena, "%s/graph/tiny_%u", folder, (unsigned)kind),
	                       text, size, err);
}

/* What export makes of nets, as float operators between quantizers, and of graphs. */
static espl_status write_exported(const char *folder, uint32_t seed, espl_arena *arena,
                                  espl_error *err)
{
	espl_export_report report;
	espl_span file;

	ESPL_TRY(espl_export_net(tiny_net(arena, seed), ESPL_EXPORT_QDQ, "seed", arena, &file,
	                         &report, err));
	ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/onnx/net_%u", folder, (unsigned)seed),
	                         file.data, file.size, err));
	ESPL_TRY(espl_export_graph(tiny_graph(arena, seed + 1, seed & 1, false), "seed", arena,
	                           &file, err));
	return espl_file_write(espl_arena_format(arena, "%s/onnx/graph_%u", folder, (unsigned)seed),
	                       file.data, file.size, err);
}

static espl_status write_all(const char *folder, espl_arena *arena, espl_error *err)
{
	mkdir(folder, 0777);
	mkdir(espl_arena_format(arena, "%s/import", folder), 0777);
	mkdir(espl_arena_format(arena, "%s/plan", folder), 0777);
	mkdir(espl_arena_format(arena, "%s/graph", folder), 0777);
	mkdir(espl_arena_format(arena, "%s/onnx", folder), 0777);
	for (int kind = 0; kind < TINY_ONNX_KINDS; kind++) {
		const espl_span file = tiny_onnx(arena, (tiny_onnx_kind)kind);

		ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/onnx/tiny_%d", folder, kind),
		                         file.data, file.size, err));
	}
	ESPL_TRY(write_models(folder, arena, err));
	for (uint32_t kind = 0; kind < 4; kind++)
		ESPL_TRY(write_graph(folder, kind, arena, err));
	for (uint32_t seed = 0; seed < NETS; seed++) {
		ESPL_TRY(write_net(folder, seed, arena, err));
		ESPL_TRY(write_exported(folder, seed, arena, err));
	}
	return ESPL_OK;
}

int main(int count, char **arguments)
{
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};
	const int failed = count != 2 || write_all(arguments[1], arena, &err);

	if (failed)
		fprintf(stderr, "usage: seeds FOLDER %s\n", err.message);
	espl_arena_destroy(arena);
	return failed;
}
