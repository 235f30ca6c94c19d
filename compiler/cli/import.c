/* espalier import: a model of another format in the product's own JSON.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/import.h"

#include "cli/cli.h"

#include <stdio.h>

/* What was refused, node by node: the error names only as many as fit a line. */
static void print_refused(const cli_options *options, const espl_report *report)
{
	for (int i = 0; i < report->count && !options->quiet; i++)
		if (!report->verdicts[i].supported)
			printf("%4d  %-22s refused  %s: %s\n", report->verdicts[i].index,
			       report->verdicts[i].kind, report->verdicts[i].name,
			       report->verdicts[i].reason);
}

static espl_status import_graph(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_report report = {0};
	espl_graph *graph;
	espl_status status = espl_import_graph(options->model, arena, &graph, &report, err);

	print_refused(options, &report);
	ESPL_TRY(status);
	ESPL_TRY(cli_write_graph(options->output, graph, arena, err));
	if (!options->quiet)
		printf("%s: a float graph of %d nodes, %lld parameters\n", options->output,
		       graph->node_count, (long long)espl_graph_parameters(graph));
	return ESPL_OK;
}

static espl_status import_net(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_report report = {0};
	const char *text;
	size_t size;
	espl_net *net;
	espl_status status =
	        espl_import(options->model, options->rounding, arena, &net, &report, err);

	print_refused(options, &report);
	ESPL_TRY(status);
	ESPL_TRY(espl_net_print(net, arena, &text, &size, err));
	ESPL_TRY(espl_file_write(options->output, text, size, err));
	if (!options->quiet)
		printf("%s: an integer net of %d operators\n", options->output, net->op_count);
	return ESPL_OK;
}

espl_status cli_import(const cli_options *options, espl_arena *arena, espl_error *err)
{
	bool is_graph;

	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "import: -o MODEL.json is missing");
	ESPL_TRY(espl_import_holds_graph(options->model, arena, &is_graph, err));
	if (is_graph)
		return import_graph(options, arena, err);
	return import_net(options, arena, err);
}
