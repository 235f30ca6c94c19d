/* Files in, integer graph out: .tflite, and the net's own .json.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IMPORT_IMPORT_H
#define ESPL_IMPORT_IMPORT_H

#include "base/file.h"
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
 *   range files up to 1 GiB; rounding is that of every requantization
 *   fails ESPL_IO, ESPL_SYNTAX, ESPL_SHAPE, ESPL_RANGE; ESPL_UNSUPPORTED when at least one
 *         operator is refused: the message names as many as fit, *report all */
espl_status espl_import(const char *path, espl_rounding rounding, espl_arena *arena, espl_net **net,
                        espl_report *report, espl_error *err);

/* The same on bytes in memory (fuzzing): `label` stands for the path in messages. */
espl_status espl_import_tflite(espl_span file, const char *label, espl_rounding rounding,
                               espl_arena *arena, espl_net **net, espl_report *report,
                               espl_error *err);

#endif
