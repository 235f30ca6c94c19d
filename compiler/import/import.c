/* Files in, integer graph out: which reader a file is for.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/import.h"

#include "base/json.h"
#include "import/onnx_float.h"

#include <string.h>

static bool looks_like_json(espl_span file)
{
	for (size_t i = 0; i < file.size; i++)
		if (!memchr(" \t\r\n", file.data[i], 4))
			return file.data[i] == '{';
	return false;
}

/* A net of our own is supported, whatever is in it. */
static void report_net(const espl_net *net, espl_arena *arena, espl_report *report)
{
	report->count = net->op_count;
	report->refused = 0;
	report->verdicts = ESPL_ARRAY(arena, espl_verdict, net->op_count);
	for (int i = 0; i < net->op_count; i++)
		report->verdicts[i] =
		        (espl_verdict){i, espl_op_name(net->ops[i].kind),
		                       net->tensors[net->ops[i].output].name, true, ""};
}

espl_status espl_import(const char *path, espl_rounding rounding, espl_arena *arena, espl_net **net,
                        espl_report *report, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_status status;
	espl_span file;

	if (report)
		*report = (espl_report){0, 0, NULL};
	status = espl_file_read(path, scratch, &file, err);
	if (status != ESPL_OK)
		goto out;
	if (file.size >= 8 && !memcmp(file.data + 4, "TFL3", 4)) {
		status = espl_import_tflite(file, path, rounding, arena, net, report, err);
	} else if (looks_like_json(file)) {
		status = espl_net_parse((const char *)file.data, file.size, arena, net, err);
		if (status != ESPL_OK)
			espl_context(err, status, path);
		else if (report)
			report_net(*net, arena, report);
	} else if (espl_onnx_recognise(file)) {
		/* constants are copied into the net's arena, the rest is read through the file */
		status = espl_import_onnx(file, path, arena, net, report, err);
	} else {
		status = espl_fail(err, ESPL_SYNTAX,
		                   "%s: neither a .tflite nor an .onnx file nor a net in JSON",
		                   path);
	}
out:
	espl_arena_destroy(scratch);
	return status;
}

static bool is_graph_json(espl_span file)
{
	espl_json *json;
	bool is_graph;

	if (espl_json_parse((const char *)file.data, file.size, &json, NULL) != ESPL_OK)
		return false;
	is_graph = espl_json_has(json, "graph_format");
	espl_json_destroy(json);
	return is_graph;
}

espl_status espl_import_holds_graph(const char *path, espl_arena *arena, bool *is_graph,
                                    espl_error *err)
{
	espl_onnx_model *model;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	if (looks_like_json(file))
		*is_graph = is_graph_json(file);
	else
		*is_graph = espl_onnx_recognise(file) &&
		            espl_onnx_read(file, arena, &model, NULL) == ESPL_OK &&
		            !espl_onnx_is_quantized(model);
	return ESPL_OK;
}

espl_status espl_import_graph(const char *path, espl_arena *arena, espl_graph **graph,
                              espl_report *report, espl_error *err)
{
	espl_status status;
	espl_span file;

	if (report)
		*report = (espl_report){0, 0, NULL};
	ESPL_TRY(espl_file_read(path, arena, &file, err));
	if (looks_like_json(file)) {
		status = espl_graph_parse((const char *)file.data, file.size, arena, graph, err);
		return status == ESPL_OK ? status : espl_context(err, status, path);
	}
	if (espl_onnx_recognise(file))
		return espl_import_onnx_graph(file, path, arena, graph, report, err);
	return espl_fail(err, ESPL_SYNTAX, "%s: neither an .onnx model nor a graph in JSON", path);
}
