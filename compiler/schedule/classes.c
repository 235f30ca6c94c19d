/* Positions of different steps: which record of a channel goes with which of them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * An average pool whose windows reach beyond the image divides by a number that
 * depends on the position (ir/lowered.h, step_classes). The drain's pointer to the
 * parameter records only moves forward, and a block's lanes leave chunk after
 * chunk, so a channel's records are listed in the order in which any block could
 * want them; a block steps over those that it does not want.
 */
#include "schedule/work.h"

#include <stdlib.h>
#include <string.h>

/* The classes of a position of the computing space, one a phase. Beyond the image any will do. */
static void classes_at(const espl_work *work, const espl_work_layer *layer, int row, int column,
                       int *out)
{
	const espl_lowered_tensor *result = &work->tensors[layer->layer.output].tensor;

	for (int r = 0; r < layer->phase_rows; r++)
		for (int c = 0; c < layer->phase_columns; c++) {
			int y = row * layer->phase_rows + r, x = column * layer->phase_columns + c;

			y = y < result->rows ? y : result->rows - 1;
			x = x < result->columns ? x : result->columns - 1;
			*out++ = layer->layer.class_of[y * result->columns + x];
		}
}

/* The index of `classes` among the kinds so far, appended when it is new. */
static int intern(int *kinds, int *count, const int *classes, int phases)
{
	const size_t bytes = (size_t)phases * sizeof(*kinds);
	int k = 0;

	while (k < *count && memcmp(kinds + k * phases, classes, bytes))
		k++;
	if (k == *count)
		memcpy(kinds + (*count)++ * phases, classes, bytes);
	return k;
}

static void list_records(const espl_work *work, const espl_work_layer *layer, espl_kinds *out)
{
	const int chunks = work->lanes / work->requantizers;
	bool *met = ESPL_ARRAY(work->arena, bool, chunks * out->kinds);
	int *records = ESPL_ARRAY(work->arena, int, chunks * out->kinds);
	int *end = ESPL_ARRAY(work->arena, int, chunks);

	for (int y = 0; y < layer->rows; y++)
		for (int x = 0; x < layer->columns; x++) {
			const int lane = (int)(((int64_t)y * layer->pitch + x) % work->lanes);

			met[lane / work->requantizers * out->kinds +
			    out->kind_of[y * layer->columns + x]] = true;
		}
	for (int c = 0; c < chunks; c++) {
		for (int k = 0; k < out->kinds; k++)
			if (met[c * out->kinds + k])
				records[out->record_count++] = k;
		end[c] = out->record_count;
	}
	out->records = records;
	out->chunk_end = end;
}

espl_kinds espl_find_kinds(const espl_work *work, const espl_work_layer *layer)
{
	const int phases = layer->phase_rows * layer->phase_columns;
	const int positions = layer->rows * layer->columns;
	espl_kinds out = {.kinds = 1};
	int *kind_of, *classes, *kinds;

	if (!layer->layer.class_of)
		return out;
	kind_of = ESPL_ARRAY(work->arena, int, positions);
	classes = ESPL_ARRAY(work->arena, int, phases);
	kinds = ESPL_ARRAY(work->arena, int, positions *phases);
	out.kinds = 0;
	for (int p = 0; p < positions; p++) {
		classes_at(work, layer, p / layer->columns, p % layer->columns, classes);
		kind_of[p] = intern(kinds, &out.kinds, classes, phases);
	}
	out.kind_of = kind_of;
	out.class_of = kinds;
	list_records(work, layer, &out);
	return out;
}
