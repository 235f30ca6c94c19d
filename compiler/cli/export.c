/* espalier export: what this compiler made, as ONNX.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "export/export.h"

#include "cli/cli.h"
#include "import/import.h"

#include <stdio.h>
#include <string.h>

static void print_report(const cli_options *options, const espl_export_report *r, bool qdq)
{
	if (options->quiet)
		return;
	if (qdq)
		printf("%s: %d operators with weights, %d of %d channels by one step where "
		       "rounding differs\n",
		       options->output, r->linear, r->inexact_channels, r->channels);
	else
		printf("%s: %d operators with weights are QLinear ones, proved at %lld "
		       "accumulators; %d in integers with the net's own rounding\n",
		       options->output, r->linear, (long long)r->checked, r->integer);
}

static espl_status export_net(const cli_options *options, espl_arena *arena, espl_error *err)
{
	const bool qdq = options->form && !strcmp(options->form, "qdq");
	espl_export_report report;
	espl_span model;
	espl_net *net;

	ESPL_TRY(cli_read_net(options->model, options->rounding, arena, &net, err));
	ESPL_TRY(espl_export_net(net, qdq ? ESPL_EXPORT_QDQ : ESPL_EXPORT_QOPERATOR,
	                         ESPALIER_VERSION, arena, &model, &report, err));
	ESPL_TRY(espl_file_write(options->output, model.data, model.size, err));
	print_report(options, &report, qdq);
	return ESPL_OK;
}

static espl_status export_graph(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_graph *graph;
	espl_span model;

	if (options->form)
		return espl_fail(err, ESPL_USAGE,
		                 "--form %s: %s is a float graph, which has no integer form",
		                 options->form, options->model);
	ESPL_TRY(espl_import_graph(options->model, arena, &graph, NULL, err));
	ESPL_TRY(espl_export_graph(graph, ESPALIER_VERSION, arena, &model, err));
	ESPL_TRY(espl_file_write(options->output, model.data, model.size, err));
	if (!options->quiet)
		printf("%s: a float model of %d nodes\n", options->output, graph->node_count);
	return ESPL_OK;
}

espl_status cli_export(const cli_options *options, espl_arena *arena, espl_error *err)
{
	bool is_graph = false;

	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "export: -o FILE.onnx is missing");
	if (options->form && strcmp(options->form, "qoperator") && strcmp(options->form, "qdq"))
		return espl_fail(err, ESPL_USAGE, "--form %s: qoperator or qdq is wanted",
		                 options->form);
	if (!espl_file_exists(espl_arena_format(arena, "%s/net.json", options->model)))
		ESPL_TRY(espl_import_holds_graph(options->model, arena, &is_graph, err));
	return is_graph ? export_graph(options, arena, err) : export_net(options, arena, err);
}
