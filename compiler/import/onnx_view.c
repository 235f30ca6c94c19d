/* What only moves elements or drops them: shapes, transposition, padding, picking.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <string.h>

/* Gives output 0 the input's state with other dimensions. */
static const char *reshaped(espl_onnx_import *in, const espl_onnx_node *node, int rank,
                            const int64_t *dims)
{
	espl_onnx_state result = *espl_onnx_input(in, node, 0);
	int64_t count = 1;

	for (int i = 0; i < rank; i++)
		count *= dims[i];
	if (count != espl_onnx_elements(&result))
		return espl_arena_format(in->arena, "%lld elements become %lld",
		                         (long long)espl_onnx_elements(&result), (long long)count);
	if (result.kind == ESPL_ONNX_CONSTANT && result.scaling && result.scaling->count > 1)
		return "a constant with a scale per channel is reshaped";
	result.rank = rank;
	memcpy(result.dims, dims, (size_t)rank * sizeof *dims);
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

ESPL_ONNX_CONVERTER(identity)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);

	if (!x)
		return "it has no input";
	*espl_onnx_output(in, node, 0) = *x;
	return NULL;
}

ESPL_ONNX_CONVERTER(flatten)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	int64_t axis = espl_onnx_get_integer(node, "axis", 1), dims[2] = {1, 1};

	if (!x)
		return "it has no input";
	axis = axis < 0 ? axis + x->rank : axis;
	if (axis < 0 || axis > x->rank)
		return espl_arena_format(in->arena, "axis %lld of %d", (long long)axis, x->rank);
	for (int i = 0; i < x->rank; i++)
		dims[i >= axis] *= x->dims[i];
	return reshaped(in, node, 2, dims);
}

ESPL_ONNX_CONVERTER(reshape)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	int64_t dims[ESPL_ONNX_RANK_MAX], known = 1;
	int rank = 0, open = -1;
	const char *reason;

	if (!x)
		return "it has no input";
	reason = espl_onnx_constant(in, node, 1, ESPL_ONNX_RANK_MAX, dims, &rank);
	if (reason)
		return reason;
	for (int i = 0; i < rank; i++) {
		if (dims[i] == 0 && !espl_onnx_get_integer(node, "allowzero", 0) && i < x->rank)
			dims[i] = x->dims[i];
		if (dims[i] < -1 || dims[i] == 0 || dims[i] > ESPL_MAX_ELEMENTS ||
		    (dims[i] == -1 && open >= 0))
			return espl_arena_format(in->arena, "dimension %d becomes %lld", i,
			                         (long long)dims[i]);
		if (dims[i] == -1)
			open = i;
		else
			known *= dims[i];
		if (known > ESPL_MAX_ELEMENTS)
			return "the new shape is too large";
	}
	if (open >= 0)
		dims[open] = espl_onnx_elements(x) / known;
	return reshaped(in, node, rank, dims);
}

/* The axes of Squeeze and Unsqueeze: input 1, or an attribute before opset 13.
 *   out  *count  -1 when there are none */
static const char *read_axes(espl_onnx_import *in, const espl_onnx_node *node, int rank,
                             bool marks[ESPL_ONNX_RANK_MAX], int *count)
{
	const espl_onnx_attribute *attribute = espl_onnx_find(node, "axes");
	int64_t axes[ESPL_ONNX_RANK_MAX];

	memset(marks, 0, ESPL_ONNX_RANK_MAX * sizeof *marks);
	*count = -1;
	if (espl_onnx_input(in, node, 1)) {
		const char *reason =
		        espl_onnx_constant(in, node, 1, ESPL_ONNX_RANK_MAX, axes, count);

		if (reason)
			return reason;
	} else if (attribute && attribute->kind == ESPL_ONNX_ATTRIBUTE_INTS &&
	           attribute->count <= ESPL_ONNX_RANK_MAX) {
		for (*count = 0; *count < attribute->count; (*count)++)
			axes[*count] = attribute->integers[*count];
	}
	for (int i = 0; i < *count; i++) {
		const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (axis < 0 || axis >= rank || marks[axis])
			return espl_arena_format(in->arena, "axis %lld of %d", (long long)axes[i],
			                         rank);
		marks[axis] = true;
	}
	return NULL;
}

ESPL_ONNX_CONVERTER(squeeze)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	bool marks[ESPL_ONNX_RANK_MAX];
	int64_t dims[ESPL_ONNX_RANK_MAX];
	int count, rank = 0;
	const char *reason;

	if (!x)
		return "it has no input";
	reason = read_axes(in, node, x->rank, marks, &count);
	if (reason)
		return reason;
	for (int i = 0; i < x->rank; i++) {
		const bool goes = count < 0 ? x->dims[i] == 1 : marks[i];

		if (goes && x->dims[i] != 1)
			return espl_arena_format(in->arena, "axis %d has %lld elements, not one", i,
			                         (long long)x->dims[i]);
		if (!goes)
			dims[rank++] = x->dims[i];
	}
	return reshaped(in, node, rank, dims);
}

ESPL_ONNX_CONVERTER(unsqueeze)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_attribute *attribute = espl_onnx_find(node, "axes");
	const espl_onnx_state *axes = espl_onnx_input(in, node, 1);
	int64_t dims[ESPL_ONNX_RANK_MAX];
	bool marks[ESPL_ONNX_RANK_MAX];
	int count, rank, from = 0;
	const char *reason;

	if (!x)
		return "it has no input";
	rank = x->rank + (axes        ? (int)(espl_onnx_elements(axes) & 0xff)
	                  : attribute ? attribute->count & 0xff
	                              : 0);
	if (rank > ESPL_ONNX_RANK_MAX)
		return espl_arena_format(in->arena, "%d dimensions", rank);
	reason = read_axes(in, node, rank, marks, &count);
	if (reason)
		return reason;
	if (x->rank + count != rank)
		return "its axes are missing";
	for (int i = 0; i < rank; i++)
		dims[i] = marks[i] ? 1 : x->dims[from++];
	return reshaped(in, node, rank, dims);
}

ESPL_ONNX_CONVERTER(transpose)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_attribute *order = espl_onnx_find(node, "perm");
	int first[ESPL_ONNX_RANK_MAX], next = 0, count = 0;
	bool used[ESPL_ONNX_RANK_MAX] = {false};
	espl_onnx_state result;

	if (!x)
		return "it has no input";
	if (order && (order->kind != ESPL_ONNX_ATTRIBUTE_INTS || order->count != x->rank))
		return "perm does not have a value for each axis";
	if (x->kind == ESPL_ONNX_CONSTANT)
		return "a constant is transposed in a way that is not supported";
	result = *x;
	/* which of the value's axes each dimension is; a merged or cut one can't move */
	for (int i = 0; i < x->rank; i++) {
		first[i] = next;
		next += x->dims[i] != 1;
	}
	if (next != x->axis_count)
		return "a reshaped tensor is transposed";
	for (int i = 0; i < x->rank; i++) {
		const int64_t from = order ? order->integers[i] : x->rank - 1 - i;

		if (from < 0 || from >= x->rank || used[from])
			return espl_arena_format(in->arena, "perm names axis %lld",
			                         (long long)from);
		used[from] = true;
		result.dims[i] = x->dims[from];
		if (x->dims[from] != 1)
			result.axes[count++] = x->axes[first[from]];
	}
	*espl_onnx_output(in, node, 0) = result;
	return NULL;
}

/* The zero that Pad puts around: of reals 0, of integers the zero point. */
static const char *check_pad_value(espl_onnx_import *in, const espl_onnx_node *node,
                                   const espl_onnx_state *x)
{
	const espl_onnx_state *value = espl_onnx_input(in, node, 2);
	const espl_onnx_axes *axes = &in->axes[x->tensor];
	const int offset = axes->is_unsigned ? 128 : 0;
	double wanted = 0, given = (double)espl_onnx_get_real(node, "value", 0);

	if (strcmp(espl_onnx_get_text(node, "mode", "constant"), "constant") != 0)
		return espl_arena_format(in->arena, "mode %.40s, only constant is supported",
		                         espl_onnx_get_text(node, "mode", ""));
	if (x->kind == ESPL_ONNX_STORED)
		wanted = in->net->tensors[x->tensor].zero_point + offset;
	if (value) {
		if (value->kind != ESPL_ONNX_CONSTANT || espl_onnx_elements(value) > 1)
			return "its value is no constant";
		if (espl_onnx_elements(value) == 1)
			given = value->scaling ? (double)(espl_onnx_integer_at(value->data, 0) -
			                                  value->scaling->zeros[0])
			                       : espl_onnx_real_at(value->data, 0);
	}
	if (given != wanted)
		return espl_arena_format(in->arena,
		                         "it pads with %g, only the zero point (%g) is "
		                         "supported",
		                         given, wanted);
	return NULL;
}

ESPL_ONNX_CONVERTER(pad)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_attribute *attribute = espl_onnx_find(node, "pads");
	int64_t pads[2 * ESPL_ONNX_RANK_MAX];
	int count = 0, tensor, sizes[2];
	espl_tensor from;
	const char *reason;
	espl_op *op;

	if (!x || (x->kind != ESPL_ONNX_STORED && (x->kind != ESPL_ONNX_REAL || x->values)))
		return espl_onnx_need_real(in, node, 0);
	reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (!reason && espl_onnx_input(in, node, 1))
		reason = espl_onnx_constant(in, node, 1, 2 * ESPL_ONNX_RANK_MAX, pads, &count);
	else if (!reason && attribute && attribute->kind == ESPL_ONNX_ATTRIBUTE_INTS &&
	         attribute->count <= 2 * ESPL_ONNX_RANK_MAX)
		for (; count < attribute->count; count++)
			pads[count] = attribute->integers[count];
	if (!reason)
		reason = check_pad_value(in, node, x);
	if (reason)
		return reason;
	if (espl_onnx_input(in, node, 3))
		return "it pads chosen axes only";
	if (count != 2 * x->rank)
		return espl_arena_format(in->arena, "%d pads for %d axes", count, x->rank);
	for (int i = 0; i < count; i++)
		if (pads[i] < 0 || pads[i] > 1024 || (pads[i] && i % x->rank < 2))
			return espl_arena_format(in->arena, "a pad of %lld along axis %d",
			                         (long long)pads[i], i % x->rank);
	from = in->net->tensors[x->tensor];
	sizes[0] = from.rows + (x->rank > 2 ? (int)(pads[2] + pads[x->rank + 2]) : 0);
	sizes[1] = from.columns + (x->rank > 3 ? (int)(pads[3] + pads[x->rank + 3]) : 0);
	tensor = espl_onnx_new_tensor(in, in->model->values[node->outputs[0]].name, sizes[0],
	                              sizes[1], from.channels, (float)from.scale, from.zero_point,
	                              in->axes[x->tensor].is_unsigned);
	op = espl_onnx_new_op(in, ESPL_OP_PAD);
	op->input_count = 1;
	op->inputs[0] = x->tensor;
	op->output = tensor;
	if (x->rank > 2) {
		op->pad_top = (int)pads[2];
		op->pad_bottom = (int)pads[x->rank + 2];
	}
	if (x->rank > 3) {
		op->pad_left = (int)pads[3];
		op->pad_right = (int)pads[x->rank + 3];
	}
	espl_onnx_put(in, node, 0, tensor, x->rank, x->kind);
	return NULL;
}

/* One row or column of an image, or one step of a sequence: a depthwise kernel over the whole axis
 * with a single weight of 1, which costs one multiplication. */
ESPL_ONNX_CONVERTER(gather)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_state *index_state = espl_onnx_input(in, node, 1);
	int64_t axis = espl_onnx_get_integer(node, "axis", 0), index;
	int64_t dims[ESPL_ONNX_RANK_MAX];
	espl_onnx_state *to = espl_onnx_output(in, node, 0);
	int8_t *weights;
	espl_scale *scales;
	espl_tensor from;
	const char *reason;
	int count, tensor, size, rank = 0;
	espl_op *op;

	if (!x || (x->kind != ESPL_ONNX_STORED && (x->kind != ESPL_ONNX_REAL || x->values)))
		return espl_onnx_need_real(in, node, 0);
	reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (!reason)
		reason = espl_onnx_constant(in, node, 1, 1, &index, &count);
	if (reason)
		return reason;
	axis = axis < 0 ? axis + x->rank : axis;
	if (axis < 2 || axis >= x->rank || count != 1)
		return espl_arena_format(in->arena,
		                         "it picks along axis %lld, not one row or column",
		                         (long long)axis);
	size = (int)x->dims[axis];
	index = index < 0 ? index + size : index;
	if (index < 0 || index >= size || size > 64)
		return espl_arena_format(in->arena, "it picks %lld of %d, at most 64",
		                         (long long)index, size);
	from = in->net->tensors[x->tensor];
	weights = ESPL_ARRAY(in->arena, int8_t, size * from.channels);
	scales = ESPL_ARRAY(in->arena, espl_scale, from.channels);
	for (int c = 0; c < from.channels; c++) {
		weights[index * from.channels + c] = 1;
		scales[c] = espl_scale_from_float32(1);
	}
	tensor = espl_onnx_new_tensor(in, in->model->values[node->outputs[0]].name,
	                              axis == 2 ? 1 : from.rows, axis == 3 ? 1 : from.columns,
	                              from.channels, (float)from.scale, from.zero_point,
	                              in->axes[x->tensor].is_unsigned);
	op = espl_onnx_new_op(in, ESPL_OP_DEPTHWISE);
	op->input_count = 1;
	op->inputs[0] = x->tensor;
	op->output = tensor;
	op->kernel_rows = axis == 2 ? size : 1;
	op->kernel_columns = axis == 3 ? size : 1;
	op->weights = weights;
	op->bias = ESPL_ARRAY(in->arena, int32_t, from.channels);
	op->scales = scales;
	op->scale_per_tensor = true;
	for (int i = 0; i < x->rank; i++)
		if (i != axis || index_state->rank)
			dims[rank++] = i == axis ? 1 : x->dims[i];
	espl_onnx_put(in, node, 0, tensor, x->rank, x->kind);
	to->rank = rank;
	memcpy(to->dims, dims, (size_t)rank * sizeof *dims);
	return NULL;
}
