/* Files in, integer graph out: .tflite, quantized .onnx, and the net's own .json.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IMPORT_IMPORT_H
#define ESPL_IMPORT_IMPORT_H

#include "base/file.h"
#include "ir/graph.h"
#include "ir/net.h"

/* The verdict on one operator of a file. */
typedef struct {
	int index;        /* in the file */
	const char *kind; /* as the file's format names it: "CONV_2D" */
	const char *name; /* of its first output tensor */
	bool supported;
	const char *reason; /* one line when not supported, else "" */
} espl_verdict;

typedef struct {
	int count;
	int refused;
	espl_verdict *verdicts;
} espl_report;

/* Reads a model file, by content rather than by name.
 *   out   *net in `arena`; *report in `arena`, also when the file is refused with
 *         ESPL_UNSUPPORTED, with every offending operator (report may be NULL)
 *   range files up to 1 GiB; rounding is that of every requantization of a .tflite file; ONNX's
 *         is ESPL_ROUND_ONNX
 *   fails ESPL_IO, ESPL_SYNTAX, ESPL_SHAPE, ESPL_RANGE; ESPL_UNSUPPORTED when at least one
 *         operator is refused: the message names as many as fit, *report all */
espl_status espl_import(const char *path, espl_rounding rounding, espl_arena *arena, espl_net **net,
                        espl_report *report, espl_error *err);

/* The same on bytes in memory (fuzzing): `label` stands for the path in messages. */
espl_status espl_import_tflite(espl_span file, const char *label, espl_rounding rounding,
                               espl_arena *arena, espl_net **net, espl_report *report,
                               espl_error *err);
espl_status espl_import_onnx(espl_span file, const char *label, espl_arena *arena, espl_net **net,
                             espl_report *report, espl_error *err);

/* Says whether a file holds a float graph, for espl_import_graph, or something else, for
 * espl_import: a float .onnx model and the graph's own .json do.
 *   fails ESPL_IO; what is wrong with the content is for the readers to say */
espl_status espl_import_holds_graph(const char *path, espl_arena *arena, bool *is_graph,
                                    espl_error *err);

/* Reads a float graph, by content: a float .onnx model, or the graph's own .json.
 *   out   *graph in `arena`, checked; *report as espl_import's (may be NULL)
 *   range operator sets 7 to 28
 *   fails as espl_import; a quantized model is ESPL_UNSUPPORTED */
espl_status espl_import_graph(const char *path, espl_arena *arena, espl_graph **graph,
                              espl_report *report, espl_error *err);

/* A float .onnx model in memory, which must live as long as the arena. */
espl_status espl_import_onnx_graph(espl_span file, const char *label, espl_arena *arena,
                                   espl_graph **graph, espl_report *report, espl_error *err);

#endif
