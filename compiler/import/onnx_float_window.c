/* Pools, pads, cuts and upsampling of float ONNX models.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <math.h>
#include <string.h>

enum { KERNEL_MAX = 64 };

/* -- pools --------------------------------------------------------------------- */

static espl_status check_pool(espl_float_import *import, const espl_float_sides *sides, int spatial,
                              bool average)
{
	const espl_onnx_node *node = import->node;

	if (node->output_count > 1 && node->outputs[1] >= 0 && import->uses[node->outputs[1]])
		return espl_float_refuse(import, "its indices are used");
	for (int i = 0; i < spatial; i++) {
		const espl_float_side *side = &sides->sides[i];

		if (side->dilation != 1)
			return espl_float_refuse(import, "a dilation of %lld: pools have none",
			                         (long long)side->dilation);
		if (side->before >= side->kernel || side->after + side->extra >= side->kernel)
			return espl_float_refuse(import,
			                         "pads of %lld and %lld for a kernel of "
			                         "%lld",
			                         (long long)side->before,
			                         (long long)(side->after + side->extra),
			                         (long long)side->kernel);
		if (average && side->extra && espl_onnx_get_integer(node, "count_include_pad", 0))
			return espl_float_refuse(import, "ceil_mode with count_include_pad");
	}
	return ESPL_OK;
}

espl_status espl_read_pool(espl_float_import *import)
{
	const bool average = !strcmp(import->node->kind, "AveragePool");
	const bool ceil_mode = espl_onnx_get_integer(import->node, "ceil_mode", 0) != 0;
	const espl_fact *in;
	espl_role roles[ESPL_ONNX_RANK_MAX];
	espl_float_sides sides;
	int64_t kernel[16];
	espl_node node;
	int count;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_image(import, in, roles));
	ESPL_TRY(espl_float_integers(import, -1, "kernel_shape", kernel, &count));
	if (count != in->rank - 2)
		return espl_float_refuse(import, "kernel_shape is missing, or not that of %d axes",
		                         in->rank - 2);
	ESPL_TRY(espl_float_window(import, count, kernel, in->dims + 2, ceil_mode, &sides));
	ESPL_TRY(check_pool(import, &sides, count, average));
	node = espl_float_node(import, average ? ESPL_NODE_AVERAGE_POOL : ESPL_NODE_MAX_POOL,
	                       in->value);
	espl_float_put_window(&sides, roles, count, &node);
	node.count_pads =
	        average && espl_onnx_get_integer(import->node, "count_include_pad", 0) != 0;
	espl_fact_view(import, espl_float_output(import, 0), espl_float_add(import, node, 0, false),
	               in->rank, roles);
	return ESPL_OK;
}

espl_status espl_read_global_pool(espl_float_import *import)
{
	const bool average = !strcmp(import->node->kind, "GlobalAveragePool");
	const espl_fact *in;
	const espl_value *value;
	espl_role roles[ESPL_ONNX_RANK_MAX];
	espl_node node;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_image(import, in, roles));
	value = &import->builder.graph->values[in->value];
	node = espl_float_node(import, average ? ESPL_NODE_MEAN : ESPL_NODE_MAX_POOL, in->value);
	if (!average) {
		node.kernel_rows = value->rows;
		node.kernel_columns = value->columns;
		if (value->rows > KERNEL_MAX || value->columns > KERNEL_MAX)
			return espl_float_refuse(import, "a window of %d x %d, at most %d",
			                         value->rows, value->columns, (int)KERNEL_MAX);
	}
	espl_fact_view(import, espl_float_output(import, 0), espl_float_add(import, node, 0, false),
	               in->rank, roles);
	return ESPL_OK;
}

/* -- ReduceMean, ReduceMax, ReduceSum ---------------------------------------------- */

static espl_status find_reduced(espl_float_import *import, const espl_fact *in, bool *reduced,
                                bool *rows, bool *columns)
{
	int64_t axes[16];
	int count;

	ESPL_TRY(espl_float_integers(import, 1, "axes", axes, &count));
	if (count <= 0 && espl_onnx_get_integer(import->node, "noop_with_empty_axes", 0))
		count = 0;
	else if (count <= 0)
		for (count = 0; count < in->rank; count++)
			axes[count] = count;
	memset(reduced, 0, ESPL_ONNX_RANK_MAX * sizeof(*reduced));
	*rows = *columns = false;
	for (int i = 0; i < count; i++) {
		const int64_t axis = axes[i] < 0 ? axes[i] + in->rank : axes[i];
		int atoms;
		const espl_atom *held;

		if (axis < 0 || axis >= in->rank)
			return espl_float_refuse(import, "axis %lld of %d", (long long)axes[i],
			                         in->rank);
		reduced[axis] = true;
		held = espl_fact_axis(in, (int)axis, &atoms);
		for (int j = 0; j < atoms; j++) {
			if (held[j].role == ESPL_ROLE_BATCH || held[j].role == ESPL_ROLE_CHANNEL)
				return espl_float_refuse(
				        import, "it reduces the %s; only rows and columns can be",
				        held[j].role == ESPL_ROLE_BATCH ? "batch" : "channels");
			*rows = *rows || held[j].role == ESPL_ROLE_ROW;
			*columns = *columns || held[j].role == ESPL_ROLE_COLUMN;
		}
	}
	return ESPL_OK;
}

/* The view of a value whose rows or columns are gone. */
static void reduced_view(espl_float_import *import, const espl_fact *in, const bool *reduced,
                         int value)
{
	const bool keep = espl_onnx_get_integer(import->node, "keepdims", 1) != 0;
	espl_fact out = *in;

	out.value = value;
	out.rank = out.atom_count = 0;
	out.count = 1;
	for (int i = 0; i < in->rank; i++) {
		int count;
		const espl_atom *atoms = espl_fact_axis(in, i, &count);

		if (reduced[i] && !keep)
			continue;
		out.dims[out.rank] = reduced[i] ? 1 : in->dims[i];
		out.axis_atoms[out.rank] = reduced[i] ? 0 : count;
		out.count *= out.dims[out.rank++];
		for (int j = 0; j < count && !reduced[i]; j++)
			out.atoms[out.atom_count++] = atoms[j];
	}
	*espl_float_output(import, 0) = out;
}

espl_status espl_read_reduce(espl_float_import *import)
{
	const bool greatest = !strcmp(import->node->kind, "ReduceMax");
	const bool sum = !strcmp(import->node->kind, "ReduceSum");
	const espl_fact *in;
	bool reduced[ESPL_ONNX_RANK_MAX], rows, columns;
	const espl_value *value;
	espl_node node;
	int output, cells;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(find_reduced(import, in, reduced, &rows, &columns));
	value = &import->builder.graph->values[in->value];
	output = in->value;
	cells = (rows ? value->rows : 1) * (columns ? value->columns : 1);
	if (rows || columns) {
		const bool all = (rows || value->rows == 1) && (columns || value->columns == 1);

		node = espl_float_node(import,
		                       greatest ? ESPL_NODE_MAX_POOL
		                       : all    ? ESPL_NODE_MEAN
		                                : ESPL_NODE_AVERAGE_POOL,
		                       in->value);
		if (node.kind != ESPL_NODE_MEAN) {
			node.kernel_rows = rows ? value->rows : 1;
			node.kernel_columns = columns ? value->columns : 1;
			if (node.kernel_rows > KERNEL_MAX || node.kernel_columns > KERNEL_MAX)
				return espl_float_refuse(import, "a window of %d x %d, at most %d",
				                         node.kernel_rows, node.kernel_columns,
				                         (int)KERNEL_MAX);
		}
		output = espl_float_add(import, node, 0, false);
	}
	if (sum && cells > 1) {
		const int channels = import->builder.graph->values[output].channels;
		float *gain = ESPL_ARRAY(import->scratch, float, channels);

		for (int i = 0; i < channels; i++)
			gain[i] = (float)cells;
		output = espl_float_scale(import, output, gain, NULL);
	}
	reduced_view(import, in, reduced, output);
	return ESPL_OK;
}

/* -- pads and cuts ------------------------------------------------------------------ */

/* What is taken off (or, negative, added to) both ends of rows and columns. */
typedef struct {
	int64_t before, after;
} cut;

/* A window that sees `size - before - after` places and holds one 1: what it moves over is the
 * part that is kept. */
static espl_status crop(espl_float_import *import, int value, cut rows, cut columns, int *out)
{
	const espl_value *of = &import->builder.graph->values[value];
	const int channels = of->channels;
	espl_node node = espl_float_node(import, ESPL_NODE_DEPTHWISE, value);
	const int64_t place = rows.before * (columns.before + columns.after + 1) + columns.before;

	if (rows.before + rows.after >= of->rows || columns.before + columns.after >= of->columns)
		return espl_float_refuse(import, "nothing is left of %d x %d", of->rows,
		                         of->columns);
	if (rows.before + rows.after + 1 > KERNEL_MAX ||
	    columns.before + columns.after + 1 > KERNEL_MAX)
		return espl_float_refuse(import,
		                         "it cuts off %lld rows and %lld columns, at most "
		                         "%d are supported",
		                         (long long)(rows.before + rows.after),
		                         (long long)(columns.before + columns.after),
		                         (int)KERNEL_MAX - 1);
	node.kernel_rows = (int)(rows.before + rows.after + 1);
	node.kernel_columns = (int)(columns.before + columns.after + 1);
	node.weights = ESPL_ARRAY(import->arena, float,
	                          (int64_t)node.kernel_rows *node.kernel_columns *channels);
	for (int c = 0; c < channels; c++)
		node.weights[place * channels + c] = 1;
	*out = espl_float_add(import, node, 0, false);
	return ESPL_OK;
}

/* Notes what an axis loses at its ends; refuses all but rows and columns. */
static espl_status note_cut(espl_float_import *import, const espl_fact *in, int axis, cut off,
                            cut *rows, cut *columns)
{
	int count;
	const espl_atom *atoms = espl_fact_axis(in, axis, &count);

	if (!off.before && !off.after)
		return ESPL_OK;
	if (count == 1 && atoms[0].role == ESPL_ROLE_ROW)
		*rows = off;
	else if (count == 1 && atoms[0].role == ESPL_ROLE_COLUMN)
		*columns = off;
	else
		return espl_float_refuse(import,
		                         "it changes dimension %d; only rows and columns "
		                         "can be",
		                         axis);
	return ESPL_OK;
}

/* Rows and columns of size 1 hold no atom: an image's axes say which is which. */
static espl_status pad_axis(espl_float_import *import, const espl_fact *in, int axis, cut off,
                            cut *rows, cut *columns)
{
	espl_role roles[ESPL_ONNX_RANK_MAX];
	int count;

	espl_fact_axis(in, axis, &count);
	if (count || (!off.before && !off.after) || axis < 2 || (in->rank != 3 && in->rank != 4))
		return note_cut(import, in, axis, off, rows, columns);
	ESPL_TRY(espl_float_image(import, in, roles));
	*(roles[axis] == ESPL_ROLE_ROW ? rows : columns) = off;
	return ESPL_OK;
}

/* The view of a value whose rows or columns have another length. */
static void resized_view(espl_float_import *import, const espl_fact *in, const int64_t *dims,
                         int value)
{
	espl_fact out = *in;
	int next = 0;

	out.value = value;
	out.atom_count = 0;
	out.count = 1;
	for (int i = 0; i < in->rank; i++) {
		const bool changed = dims[i] != in->dims[i];
		espl_role roles[ESPL_ONNX_RANK_MAX];

		out.dims[i] = dims[i];
		out.count *= dims[i];
		out.axis_atoms[i] = changed ? dims[i] > 1 : in->axis_atoms[i];
		for (int j = 0; j < in->axis_atoms[i]; j++, next++)
			if (!changed || dims[i] > 1)
				out.atoms[out.atom_count++] =
				        (espl_atom){in->atoms[next].role,
				                    changed ? dims[i] : in->atoms[next].size};
		if (changed && !in->axis_atoms[i] && dims[i] > 1 &&
		    !espl_float_image(import, in, roles))
			out.atoms[out.atom_count++] = (espl_atom){roles[i], dims[i]};
	}
	*espl_float_output(import, 0) = out;
}

static espl_status pads_of(espl_float_import *import, int rank, int64_t *pads)
{
	int64_t list[16], axes[16];
	int count, axis_count;

	ESPL_TRY(espl_float_integers(import, 1, "pads", list, &count));
	if (count < 0)
		ESPL_TRY(espl_float_integers(import, -1, "paddings", list, &count));
	ESPL_TRY(espl_float_integers(import, 3, NULL, axes, &axis_count));
	memset(pads, 0, 2 * ESPL_ONNX_RANK_MAX * sizeof(*pads));
	if (axis_count < 0)
		for (axis_count = 0; axis_count < rank; axis_count++)
			axes[axis_count] = axis_count;
	if (count != 2 * axis_count)
		return espl_float_refuse(import, "%d pads for %d axes", count, axis_count);
	for (int i = 0; i < axis_count; i++) {
		const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (axis < 0 || axis >= rank)
			return espl_float_refuse(import, "axis %lld of %d", (long long)axes[i],
			                         rank);
		pads[axis] = list[i];
		pads[ESPL_ONNX_RANK_MAX + axis] = list[axis_count + i];
	}
	return ESPL_OK;
}

static cut positive(cut of, bool negative)
{
	const int sign = negative ? -1 : 1;

	return (cut){sign * of.before > 0 ? sign * of.before : 0,
	             sign * of.after > 0 ? sign * of.after : 0};
}

espl_status espl_read_pad(espl_float_import *import)
{
	const char *mode = espl_onnx_get_text(import->node, "mode", "constant");
	const espl_fact *in, *with = espl_float_input(import, 2);
	int64_t pads[2 * ESPL_ONNX_RANK_MAX], dims[ESPL_ONNX_RANK_MAX];
	cut rows = {0, 0}, columns = {0, 0};
	int value;

	ESPL_TRY(espl_float_data(import, 0, &in));
	if (strcmp(mode, "constant") != 0)
		return espl_float_refuse(import, "mode %s: only constant is supported", mode);
	if ((with && (with->kind != ESPL_FACT_CONSTANT || with->count != 1 ||
	              espl_fact_number(with, 0) != 0)) ||
	    espl_onnx_get_real(import->node, "value", 0) != 0)
		return espl_float_refuse(import, "it pads with another value than 0");
	ESPL_TRY(pads_of(import, in->rank, pads));
	for (int i = 0; i < in->rank; i++) {
		const cut added = {pads[i], pads[ESPL_ONNX_RANK_MAX + i]};

		if (added.before > 1 << 16 || added.after > 1 << 16 || added.before < -(1 << 16) ||
		    added.after < -(1 << 16))
			return espl_float_refuse(import, "pads of %lld and %lld",
			                         (long long)added.before, (long long)added.after);
		ESPL_TRY(pad_axis(import, in, i, added, &rows, &columns));
		dims[i] = in->dims[i] + added.before + added.after;
	}
	value = in->value;
	if (rows.before < 0 || rows.after < 0 || columns.before < 0 || columns.after < 0)
		ESPL_TRY(
		        crop(import, value, positive(rows, true), positive(columns, true), &value));
	if (rows.before > 0 || rows.after > 0 || columns.before > 0 || columns.after > 0) {
		espl_node node = espl_float_node(import, ESPL_NODE_PAD, value);

		node.pad_top = (int)positive(rows, false).before;
		node.pad_bottom = (int)positive(rows, false).after;
		node.pad_left = (int)positive(columns, false).before;
		node.pad_right = (int)positive(columns, false).after;
		value = espl_float_add(import, node, 0, false);
	}
	resized_view(import, in, dims, value);
	return ESPL_OK;
}

static int64_t clamped(int64_t at, int64_t size)
{
	at = at < 0 ? at + size : at;
	return at < 0 ? 0 : at > size ? size : at;
}

espl_status espl_read_slice(espl_float_import *import)
{
	const espl_fact *in;
	int64_t starts[16], ends[16], axes[16], steps[16], dims[ESPL_ONNX_RANK_MAX];
	int start_count, end_count, axis_count, step_count, value;
	cut rows = {0, 0}, columns = {0, 0};

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_integers(import, 1, "starts", starts, &start_count));
	ESPL_TRY(espl_float_integers(import, 2, "ends", ends, &end_count));
	ESPL_TRY(espl_float_integers(import, 3, "axes", axes, &axis_count));
	ESPL_TRY(espl_float_integers(import, 4, NULL, steps, &step_count));
	memcpy(dims, in->dims, sizeof(dims));
	for (int i = 0; i < start_count; i++) {
		const int64_t axis = i >= axis_count ? i
		                     : axes[i] < 0   ? axes[i] + in->rank
		                                     : axes[i];
		cut off;

		if (axis < 0 || axis >= in->rank || i >= end_count)
			return espl_float_refuse(import, "starts, ends and axes disagree");
		if (i < step_count && steps[i] != 1)
			return espl_float_refuse(import, "a step of %lld", (long long)steps[i]);
		off.before = clamped(starts[i], in->dims[axis]);
		off.after = in->dims[axis] - clamped(ends[i], in->dims[axis]);
		dims[axis] = in->dims[axis] - off.before - off.after;
		if (dims[axis] < 1)
			return espl_float_refuse(import, "nothing is left of dimension %lld",
			                         (long long)axis);
		ESPL_TRY(note_cut(import, in, (int)axis, off, &rows, &columns));
	}
	value = in->value;
	if (rows.before || rows.after || columns.before || columns.after)
		ESPL_TRY(crop(import, value, rows, columns, &value));
	resized_view(import, in, dims, value);
	return ESPL_OK;
}

/* One place of an axis, by a constant index. */
espl_status espl_read_gather(espl_float_import *import)
{
	const espl_fact *in, *index;
	const int64_t wanted = espl_onnx_get_integer(import->node, "axis", 0);
	bool gone[ESPL_ONNX_RANK_MAX] = {false};
	int64_t axis, at, dims[ESPL_ONNX_RANK_MAX];
	cut rows = {0, 0}, columns = {0, 0};
	espl_fact kept;
	int value, rank = 0;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_constant(import, 1, "the index", &index));
	axis = wanted < 0 ? wanted + in->rank : wanted;
	if (axis < 0 || axis >= in->rank || index->count != 1 || index->rank > 1)
		return espl_float_refuse(import, "one index is supported, not %lld",
		                         (long long)index->count);
	at = espl_fact_integer(index, 0);
	at = at < 0 ? at + in->dims[axis] : at;
	if (at < 0 || at >= in->dims[axis])
		return espl_float_refuse(import, "index %lld of %lld", (long long)at,
		                         (long long)in->dims[axis]);
	ESPL_TRY(note_cut(import, in, (int)axis, (cut){at, in->dims[axis] - 1 - at}, &rows,
	                  &columns));
	value = in->value;
	if (rows.before || rows.after || columns.before || columns.after)
		ESPL_TRY(crop(import, value, rows, columns, &value));
	memcpy(dims, in->dims, sizeof(dims));
	dims[axis] = 1;
	resized_view(import, in, dims, value);
	gone[axis] = index->rank == 0;
	kept = *espl_float_output(import, 0);
	for (int i = 0; i < kept.rank; i++)
		if (!gone[i])
			dims[rank++] = kept.dims[i];
	espl_fact_regroup(espl_float_output(import, 0), &kept, rank, dims);
	return ESPL_OK;
}

/* -- upsampling ---------------------------------------------------------------------- */

/* Nearest neighbours by whole factors, in the ways of counting that give just those. */
static bool repeats(const espl_onnx_node *node)
{
	const char *mode = espl_onnx_get_text(node, "mode", "nearest");
	const bool resize = !strcmp(node->kind, "Resize");
	const char *counting = espl_onnx_get_text(node, "coordinate_transformation_mode",
	                                          resize ? "half_pixel" : "asymmetric");
	const char *nearest =
	        espl_onnx_get_text(node, "nearest_mode", resize ? "round_prefer_floor" : "floor");

	if (strcmp(mode, "nearest") != 0)
		return false;
	if (!strcmp(counting, "asymmetric"))
		return !strcmp(nearest, "floor");
	return (!strcmp(counting, "half_pixel") || !strcmp(counting, "pytorch_half_pixel") ||
	        !strcmp(counting, "half_pixel_symmetric")) &&
	       !strncmp(nearest, "round_prefer", 12);
}

static espl_status factors_of(espl_float_import *import, const espl_fact *in, double *factors)
{
	const bool old = !strcmp(import->node->kind, "Upsample") || import->opset < 11;
	const espl_fact *scales = espl_float_input(import, old ? 1 : 2);
	const espl_fact *sizes = old ? NULL : espl_float_input(import, 3);
	const espl_onnx_attribute *list = espl_onnx_find(import->node, "scales");

	if (scales && scales->kind == ESPL_FACT_CONSTANT && scales->count == in->rank)
		for (int i = 0; i < in->rank; i++)
			factors[i] = espl_fact_number(scales, i);
	else if (sizes && sizes->kind == ESPL_FACT_CONSTANT && sizes->count == in->rank)
		for (int i = 0; i < in->rank; i++)
			factors[i] = espl_fact_number(sizes, i) / (double)in->dims[i];
	else if (list && list->kind == ESPL_ONNX_ATTRIBUTE_FLOATS && list->count == in->rank)
		for (int i = 0; i < in->rank; i++)
			factors[i] = (double)list->reals[i];
	else
		return espl_float_refuse(import, "constant scales of all axes are wanted");
	return ESPL_OK;
}

espl_status espl_read_resize(espl_float_import *import)
{
	const espl_fact *in;
	double factors[ESPL_ONNX_RANK_MAX];
	espl_role roles[ESPL_ONNX_RANK_MAX];
	espl_node node;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_image(import, in, roles));
	if (!repeats(import->node))
		return espl_float_refuse(import, "only nearest neighbours by whole factors are "
		                                 "supported");
	ESPL_TRY(factors_of(import, in, factors));
	node = espl_float_node(import, ESPL_NODE_UPSAMPLE, in->value);
	for (int i = 0; i < in->rank; i++) {
		const double factor = factors[i];

		if (!(factor >= 1 && factor <= 16) || factor != floor(factor) ||
		    (i < 2 && factor != 1))
			return espl_float_refuse(import, "a factor of %g for dimension %d", factor,
			                         i);
		if (roles[i] == ESPL_ROLE_ROW)
			node.stride_rows = (int)factor;
		if (roles[i] == ESPL_ROLE_COLUMN)
			node.stride_columns = (int)factor;
	}
	espl_fact_view(import, espl_float_output(import, 0), espl_float_add(import, node, 0, false),
	               in->rank, roles);
	return ESPL_OK;
}
