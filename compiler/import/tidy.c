/* What every importer does at its end: names, operators that nobody reads, refusals.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RENAME_ROUNDS = 8 };

static int compare_names(const void *a, const void *b)
{
	const espl_tensor *first = *(const espl_tensor *const *)a;
	const espl_tensor *second = *(const espl_tensor *const *)b;
	const int order = strcmp(first->name, second->name);

	return order ? order : first < second ? -1 : first > second;
}

void espl_name_tensors(espl_net *net, espl_arena *arena)
{
	espl_tensor **sorted = ESPL_ARRAY(arena, espl_tensor *, net->tensor_count);
	bool unique = false;

	for (int i = 0; i < net->tensor_count; i++) {
		sorted[i] = &net->tensors[i];
		if (!net->tensors[i].name[0])
			net->tensors[i].name = espl_arena_format(arena, "tensor_%d", i);
	}
	for (int round = 0; round < RENAME_ROUNDS && !unique; round++) {
		const char *kept = NULL;

		unique = true;
		qsort(sorted, (size_t)net->tensor_count, sizeof *sorted, compare_names);
		for (int i = 0; i < net->tensor_count; i++) {
			if (!kept || strcmp(kept, sorted[i]->name)) {
				kept = sorted[i]->name;
				continue;
			}
			sorted[i]->name = espl_arena_format(arena, "%s_%d", kept,
			                                    (int)(sorted[i] - net->tensors));
			unique = false;
		}
	}
	for (int i = 0; i < net->tensor_count && !unique; i++)
		net->tensors[i].name = espl_arena_format(arena, "tensor_%d", i);
}

espl_status espl_fail_refused(const espl_report *report, const char *what, espl_error *err)
{
	char text[400] = "";
	size_t length = 0;
	int shown = 0;

	for (int i = 0; i < report->count; i++) {
		const espl_verdict *verdict = &report->verdicts[i];
		char line[160];
		int size;

		if (verdict->supported)
			continue;
		size = snprintf(line, sizeof line, "; %s %d %.40s: %.90s", what, verdict->index,
		                verdict->kind, verdict->reason);
		if (length + (size_t)size >= sizeof text)
			break;
		memcpy(text + length, line, (size_t)size + 1);
		length += (size_t)size;
		shown++;
	}
	if (shown < report->refused)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "%d of %d operators are refused%s; and %d more", report->refused,
		                 report->count, text, report->refused - shown);
	return espl_fail(err, ESPL_UNSUPPORTED, "%d of %d operators are refused%s", report->refused,
	                 report->count, text);
}

const char *espl_base_name(espl_arena *arena, const char *label)
{
	const char *slash = strrchr(label, '/');
	const char *start = slash ? slash + 1 : label;
	const char *dot = strrchr(start, '.');
	const int length = dot && dot > start ? (int)(dot - start) : (int)strlen(start);

	return espl_arena_format(arena, "%.*s", length, start);
}

/* Whether a tensor has a reader, operators from the last to the first. */
static void find_gone(const espl_net *net, bool *read, bool *gone)
{
	for (int o = 0; o < net->output_count; o++)
		read[net->outputs[o]] = true;
	for (int o = net->op_count - 1; o >= 0; o--) {
		espl_op *op = &net->ops[o];

		if (!read[op->output]) {
			gone[op->output] = true;
			op->input_count = 0;
		}
		for (int i = 0; i < op->input_count; i++)
			read[op->inputs[i]] = true;
	}
}

void espl_drop_unused(espl_net *net, espl_arena *arena)
{
	int *moved = ESPL_ARRAY(arena, int, net->tensor_count);
	bool *gone = ESPL_ARRAY(arena, bool, net->tensor_count);
	int kept = 0, ops = 0;

	find_gone(net, ESPL_ARRAY(arena, bool, net->tensor_count), gone);
	for (int o = 0; o < net->op_count; o++)
		if (net->ops[o].input_count)
			net->ops[ops++] = net->ops[o];
	net->op_count = ops;
	for (int t = 0; t < net->tensor_count; t++) {
		moved[t] = kept;
		if (!gone[t])
			net->tensors[kept++] = net->tensors[t];
	}
	net->tensor_count = kept;
	for (int o = 0; o < net->op_count; o++) {
		net->ops[o].output = moved[net->ops[o].output];
		for (int i = 0; i < net->ops[o].input_count; i++)
			net->ops[o].inputs[i] = moved[net->ops[o].inputs[i]];
	}
	for (int i = 0; i < net->input_count; i++)
		net->inputs[i] = moved[net->inputs[i]];
	for (int o = 0; o < net->output_count; o++)
		net->outputs[o] = moved[net->outputs[o]];
}
