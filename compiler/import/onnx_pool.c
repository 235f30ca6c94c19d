/* Pools, means, sums of two tensors, concatenation.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <math.h>
#include <string.h>

static const char *read_kernel(espl_onnx_import *in, const espl_onnx_node *node,
                               const espl_onnx_state *x, int kernel[2])
{
	const espl_onnx_attribute *shape = espl_onnx_find(node, "kernel_shape");

	kernel[0] = kernel[1] = 1;
	if (x->rank < 3)
		return "the input is no image and no sequence";
	if (!shape || shape->kind != ESPL_ONNX_ATTRIBUTE_INTS || shape->count != x->rank - 2)
		return "kernel_shape does not have a value for each axis";
	for (int i = 0; i < shape->count; i++) {
		if (shape->integers[i] < 1 || shape->integers[i] > 64)
			return espl_arena_format(in->arena, "the kernel is %lld, at most 64",
			                         (long long)shape->integers[i]);
		kernel[i] = (int)shape->integers[i];
	}
	return NULL;
}

ESPL_ONNX_CONVERTER(max_pool)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const char *name = in->model->values[node->outputs[0]].name, *reason;
	int kernel[2], rows, columns, tensor;
	espl_tensor from;
	espl_op window = {0}, *op;

	if (!x || (x->kind != ESPL_ONNX_STORED && (x->kind != ESPL_ONNX_REAL || x->values)))
		return espl_onnx_need_real(in, node, 0);
	if (node->output_count > 1 && node->outputs[1] >= 0)
		return "it also gives the places of its maxima";
	reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (!reason)
		reason = read_kernel(in, node, x, kernel);
	if (!reason)
		reason = espl_onnx_window(in, node, x, kernel, &window, &rows, &columns);
	if (reason)
		return reason;
	if (window.dilation_rows > 1 || window.dilation_columns > 1)
		return "a pool with dilations";
	from = in->net->tensors[x->tensor];
	tensor = espl_onnx_new_tensor(in, name, rows, columns, from.channels, (float)from.scale,
	                              from.zero_point, in->axes[x->tensor].is_unsigned);
	op = espl_onnx_new_op(in, ESPL_OP_MAX_POOL);
	window.kind = op->kind;
	window.name = op->name;
	window.depth_multiplier = 1;
	window.low = INT8_MIN;
	window.high = INT8_MAX;
	window.input_count = 1;
	window.inputs[0] = x->tensor;
	window.output = tensor;
	*op = window;
	espl_onnx_put(in, node, 0, tensor, x->rank, x->kind);
	return NULL;
}

/* The mean over all positions of a tensor of planes. */
static void make_mean(espl_onnx_import *in, const espl_onnx_state *x, espl_onnx_pending *out)
{
	out->op.kind = ESPL_OP_MEAN;
	out->op.input_count = 1;
	out->op.inputs[0] = x->tensor;
	out->channels = in->net->tensors[x->tensor].channels;
}

static const char *make_average(espl_onnx_import *in, const espl_onnx_node *node,
                                espl_onnx_pending *out)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const char *reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	const espl_tensor *from;
	int kernel[2];

	if (!reason)
		reason = read_kernel(in, node, x, kernel);
	if (!reason)
		reason = espl_onnx_window(in, node, x, kernel, &out->op, &out->rows, &out->columns);
	if (reason)
		return reason;
	if (out->op.dilation_rows > 1 || out->op.dilation_columns > 1)
		return "a pool with dilations";
	from = &in->net->tensors[x->tensor];
	out->channels = from->channels;
	out->op.kind = ESPL_OP_AVERAGE_POOL;
	out->op.input_count = 1;
	out->op.inputs[0] = x->tensor;
	out->op.count_pads =
	        espl_onnx_get_integer(node, "count_include_pad", 0) &&
	        (out->op.pad_top || out->op.pad_bottom || out->op.pad_left || out->op.pad_right);
	if (out->op.count_pads && espl_onnx_get_integer(node, "ceil_mode", 0))
		return "ceil_mode together with count_include_pad";
	if (out->rows == 1 && out->columns == 1 && kernel[0] == from->rows &&
	    kernel[1] == from->columns && !out->op.pad_top && !out->op.pad_left) {
		const int channels = out->channels;

		*out = espl_onnx_nothing_pending();
		make_mean(in, x, out);
		out->channels = channels;
	}
	return NULL;
}

ESPL_ONNX_CONVERTER(average_pool)
{
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_need_real(in, node, 0);

	if (!reason)
		reason = make_average(in, node, &pending);
	if (!reason)
		espl_onnx_wait(in, node, &pending, espl_onnx_input(in, node, 0)->rank);
	return reason;
}

ESPL_ONNX_CONVERTER(qlinear_average_pool)
{
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (espl_onnx_get_integer(node, "channels_last", 0))
		return "channels_last is set";
	if (!reason)
		reason = make_average(in, node, &pending);
	if (!reason)
		reason = espl_onnx_finish(in, node, &pending, 3, 4,
		                          espl_onnx_input(in, node, 0)->rank);
	return reason;
}

ESPL_ONNX_CONVERTER(global_average_pool)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_need_real(in, node, 0);

	if (!reason)
		reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (reason)
		return reason;
	make_mean(in, x, &pending);
	espl_onnx_wait(in, node, &pending, x->rank);
	return NULL;
}

ESPL_ONNX_CONVERTER(qlinear_global_average_pool)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (espl_onnx_get_integer(node, "channels_last", 0))
		return "channels_last is set";
	if (!reason)
		reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (reason)
		return reason;
	make_mean(in, x, &pending);
	return espl_onnx_finish(in, node, &pending, 3, 4, x->rank);
}

ESPL_ONNX_CONVERTER(reduce_mean)
{
	espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_attribute *attribute = espl_onnx_find(node, "axes");
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	int64_t axes[ESPL_ONNX_RANK_MAX];
	bool seen[ESPL_ONNX_RANK_MAX] = {false};
	const char *reason = espl_onnx_need_real(in, node, 0);
	int count = 0;

	if (!reason)
		reason = espl_onnx_as_planes(in, x, espl_onnx_input_name(in, node, 0));
	if (!reason && espl_onnx_input(in, node, 1))
		reason = espl_onnx_constant(in, node, 1, ESPL_ONNX_RANK_MAX, axes, &count);
	if (reason)
		return reason;
	if (attribute && attribute->kind == ESPL_ONNX_ATTRIBUTE_INTS &&
	    attribute->count <= ESPL_ONNX_RANK_MAX)
		for (count = 0; count < attribute->count; count++)
			axes[count] = attribute->integers[count];
	for (int i = 0; i < count; i++) {
		const int64_t axis = axes[i] < 0 ? axes[i] + x->rank : axes[i];

		if (axis < 2 || axis >= x->rank || seen[axis])
			return espl_arena_format(in->arena,
			                         "a mean along axis %lld: it must be over rows and "
			                         "columns",
			                         (long long)axes[i]);
		seen[axis] = true;
	}
	if (count != x->rank - 2 || !count)
		return "a mean that is not over all rows and columns";
	make_mean(in, x, &pending);
	espl_onnx_wait(in, node, &pending,
	               espl_onnx_get_integer(node, "keepdims", 1) ? x->rank : 2);
	return NULL;
}

/* -- sums of two */

static const char *make_add(espl_onnx_import *in, const espl_onnx_node *node, int first, int second,
                            espl_onnx_pending *out)
{
	espl_onnx_state *a = espl_onnx_input(in, node, first);
	espl_onnx_state *b = espl_onnx_input(in, node, second);
	const espl_tensor *ta, *tb;
	const char *reason = espl_onnx_as_planes(in, a, espl_onnx_input_name(in, node, first));

	if (!reason)
		reason = espl_onnx_as_planes(in, b, espl_onnx_input_name(in, node, second));
	if (reason)
		return reason;
	ta = &in->net->tensors[a->tensor];
	tb = &in->net->tensors[b->tensor];
	if (ta->rows != tb->rows || ta->columns != tb->columns || ta->channels != tb->channels ||
	    a->rank != b->rank)
		return espl_arena_format(
		        in->arena, "it adds %dx%dx%d and %dx%dx%d: both must have one shape",
		        ta->channels, ta->rows, ta->columns, tb->channels, tb->rows, tb->columns);
	out->op.kind = ESPL_OP_ADD;
	out->op.input_count = 2;
	out->op.inputs[0] = a->tensor;
	out->op.inputs[1] = b->tensor;
	out->channels = ta->channels;
	out->rows = ta->rows;
	out->columns = ta->columns;
	return NULL;
}

ESPL_ONNX_CONVERTER(add)
{
	espl_onnx_state *a = espl_onnx_input(in, node, 0), *b = espl_onnx_input(in, node, 1);
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = NULL;
	bool done;

	if (!a || !b)
		return "it does not have two inputs";
	if (espl_onnx_add_bias(in, a, b, &pending, &reason) ||
	    espl_onnx_add_bias(in, b, a, &pending, &reason)) {
		if (!reason)
			espl_onnx_wait(in, node, &pending,
			               a->kind == ESPL_ONNX_PENDING ? a->rank : b->rank);
		return reason;
	}
	done = espl_onnx_combine(in, node, false, &reason);
	if (done || reason)
		return reason;
	reason = espl_onnx_need_real(in, node, 0);
	if (!reason)
		reason = espl_onnx_need_real(in, node, 1);
	if (!reason)
		reason = make_add(in, node, 0, 1, &pending);
	if (!reason)
		espl_onnx_wait(in, node, &pending, a->rank);
	return reason;
}

ESPL_ONNX_CONVERTER(qlinear_add)
{
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason = espl_onnx_operand(in, node, 0, 1, 2);

	if (!reason)
		reason = espl_onnx_operand(in, node, 3, 4, 5);
	if (!reason)
		reason = make_add(in, node, 0, 3, &pending);
	if (!reason)
		reason = espl_onnx_finish(in, node, &pending, 6, 7,
		                          espl_onnx_input(in, node, 0)->rank);
	return reason;
}

/* -- concatenation */

/* Adds input n to what is concatenated. */
static const char *take_part(espl_onnx_import *in, const espl_onnx_node *node, int n,
                             espl_onnx_pending *out, espl_onnx_state *parts)
{
	espl_onnx_state *part = espl_onnx_input(in, node, n);
	const espl_tensor *tensor;
	const char *reason = espl_onnx_as_planes(in, part, espl_onnx_input_name(in, node, n));

	if (reason)
		return reason;
	if (out->part_count == ESPL_MAX_INPUTS)
		return espl_arena_format(in->arena, "more than %d inputs", (int)ESPL_MAX_INPUTS);
	tensor = &in->net->tensors[part->tensor];
	if (out->part_count && (tensor->rows != out->rows || tensor->columns != out->columns ||
	                        part->rank != parts[0].rank))
		return espl_arena_format(in->arena, "images of %dx%d and %dx%d side by side",
		                         out->rows, out->columns, tensor->rows, tensor->columns);
	out->rows = tensor->rows;
	out->columns = tensor->columns;
	out->channels += tensor->channels;
	parts[out->part_count++] = *part;
	return NULL;
}

static const char *check_axis(espl_onnx_import *in, const espl_onnx_node *node, int rank)
{
	const int64_t axis = espl_onnx_get_integer(node, "axis", 1);

	if ((axis < 0 ? axis + rank : axis) == 1)
		return NULL;
	return espl_arena_format(in->arena, "concatenation along axis %lld, not along channels",
	                         (long long)axis);
}

/* Whether all parts are stored alike, so that bytes can just stand side by side. */
static bool alike(const espl_onnx_import *in, const espl_onnx_pending *pending)
{
	const espl_tensor *first = &in->net->tensors[pending->parts[0].tensor];

	for (int i = 0; i < pending->part_count; i++) {
		const espl_onnx_state *part = &pending->parts[i];
		const espl_tensor *tensor = &in->net->tensors[part->tensor];

		if (part->values || (float)tensor->scale != (float)first->scale ||
		    tensor->zero_point != first->zero_point ||
		    in->axes[part->tensor].is_unsigned !=
		            in->axes[pending->parts[0].tensor].is_unsigned)
			return false;
	}
	return true;
}

ESPL_ONNX_CONVERTER(concat)
{
	espl_onnx_state *parts = ESPL_ARRAY(in->arena, espl_onnx_state, ESPL_MAX_INPUTS);
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *name = in->model->values[node->outputs[0]].name, *reason;
	int tensor;

	if (!node->input_count)
		return "it has no inputs";
	pending.op.kind = ESPL_OP_CONCAT;
	pending.parts = parts;
	for (int i = 0; i < node->input_count; i++) {
		const espl_onnx_state *part = espl_onnx_input(in, node, i);

		if (!part || (part->kind != ESPL_ONNX_REAL && part->kind != ESPL_ONNX_STORED) ||
		    part->kind != espl_onnx_input(in, node, 0)->kind)
			return espl_arena_format(in->arena, "%s is not quantized",
			                         espl_onnx_input_name(in, node, i));
		reason = take_part(in, node, i, &pending, parts);
		if (reason)
			return reason;
	}
	reason = check_axis(in, node, parts[0].rank);
	if (reason)
		return reason;
	if (alike(in, &pending)) {
		const espl_tensor *first = &in->net->tensors[parts[0].tensor];

		reason = espl_onnx_realise(in, &pending, (float)first->scale, first->zero_point,
		                           in->axes[parts[0].tensor].is_unsigned, name, &tensor);
		if (!reason)
			espl_onnx_put(in, node, 0, tensor, parts[0].rank, parts[0].kind);
		return reason;
	}
	if (parts[0].kind == ESPL_ONNX_STORED)
		return "it puts integers of different scales side by side";
	espl_onnx_wait(in, node, &pending, parts[0].rank);
	return NULL;
}

ESPL_ONNX_CONVERTER(qlinear_concat)
{
	espl_onnx_state *parts = ESPL_ARRAY(in->arena, espl_onnx_state, ESPL_MAX_INPUTS);
	espl_onnx_pending pending = espl_onnx_nothing_pending();
	const char *reason;

	if (node->input_count < 5 || (node->input_count - 2) % 3)
		return espl_arena_format(in->arena,
		                         "%d inputs are no scale, zero point and triples",
		                         node->input_count);
	pending.op.kind = ESPL_OP_CONCAT;
	pending.parts = parts;
	for (int i = 2; i < node->input_count; i += 3) {
		reason = espl_onnx_operand(in, node, i, i + 1, i + 2);
		if (!reason)
			reason = take_part(in, node, i, &pending, parts);
		if (reason)
			return reason;
	}
	reason = check_axis(in, node, parts[0].rank);
	return reason ? reason : espl_onnx_finish(in, node, &pending, 0, 1, parts[0].rank);
}
