/* Values of a quantized ONNX graph: shapes, and how they run through the net's tensors.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <string.h>

espl_onnx_state *espl_onnx_input(espl_onnx_import *in, const espl_onnx_node *node, int n)
{
	if (n >= node->input_count || node->inputs[n] < 0)
		return NULL;
	return &in->states[node->inputs[n]];
}

espl_onnx_state *espl_onnx_output(espl_onnx_import *in, const espl_onnx_node *node, int n)
{
	return &in->states[node->outputs[n]];
}

const char *espl_onnx_input_name(const espl_onnx_import *in, const espl_onnx_node *node, int n)
{
	if (n >= node->input_count || node->inputs[n] < 0)
		return "(none)";
	return in->model->values[node->inputs[n]].name;
}

int64_t espl_onnx_elements(const espl_onnx_state *state)
{
	int64_t count = 1;

	for (int i = 0; i < state->rank; i++)
		count *= state->dims[i];
	return count;
}

static void make_room(espl_onnx_import *in)
{
	espl_net *net = in->net;
	const int room = 2 * in->tensor_room + 16;
	espl_tensor *tensors;
	espl_onnx_axes *axes;

	if (net->tensor_count < in->tensor_room)
		return;
	tensors = ESPL_ARRAY(in->arena, espl_tensor, room);
	axes = ESPL_ARRAY(in->arena, espl_onnx_axes, room);
	if (net->tensor_count) {
		memcpy(tensors, net->tensors, (size_t)net->tensor_count * sizeof *tensors);
		memcpy(axes, in->axes, (size_t)net->tensor_count * sizeof *axes);
	}
	net->tensors = tensors;
	in->axes = axes;
	in->tensor_room = room;
}

int espl_onnx_new_tensor(espl_onnx_import *in, const char *name, int rows, int columns,
                         int channels, float scale, int32_t zero, bool is_unsigned)
{
	const int sizes[3] = {channels, rows, columns}, roles[3] = {2, 0, 1};
	espl_onnx_axes *axes;

	make_room(in);
	axes = &in->axes[in->net->tensor_count];
	*axes = (espl_onnx_axes){.decided = true, .is_unsigned = is_unsigned};
	for (int i = 0; i < 3; i++) {
		if (sizes[i] == 1)
			continue;
		axes->sizes[axes->axis_count] = sizes[i];
		axes->roles[axes->axis_count++] = roles[i];
	}
	in->net->tensors[in->net->tensor_count] =
	        (espl_tensor){name, rows, columns, channels, (double)scale, zero};
	return in->net->tensor_count++;
}

espl_op *espl_onnx_new_op(espl_onnx_import *in, espl_op_kind kind)
{
	espl_net *net = in->net;
	espl_op *op;

	if (net->op_count == in->op_room) {
		espl_op *ops;

		in->op_room = 2 * in->op_room + 16;
		ops = ESPL_ARRAY(in->arena, espl_op, in->op_room);
		if (net->op_count)
			memcpy(ops, net->ops, (size_t)net->op_count * sizeof *ops);
		net->ops = ops;
	}
	op = &net->ops[net->op_count++];
	*op = espl_op_default(kind);
	op->name = in->made++ ? espl_arena_format(in->arena, "%s_%d_%d", espl_op_name(kind),
	                                          in->node, in->made)
	                      : espl_arena_format(in->arena, "%s_%d", espl_op_name(kind), in->node);
	return op;
}

void espl_onnx_describe(espl_onnx_state *state, int rank, int channels, int rows, int columns)
{
	const int sizes[3] = {channels, rows, columns};

	state->rank = rank;
	state->axis_count = 0;
	state->dims[0] = 1;
	for (int i = 0; i < 3; i++) {
		if (i + 1 < rank)
			state->dims[i + 1] = sizes[i];
		if (sizes[i] == 1)
			continue;
		state->axes[state->axis_count] = state->axis_count;
		state->axis_count++;
	}
}

void espl_onnx_put(espl_onnx_import *in, const espl_onnx_node *node, int n, int tensor, int rank,
                   espl_onnx_state_kind kind)
{
	espl_onnx_state *state = espl_onnx_output(in, node, n);
	const espl_tensor *made = &in->net->tensors[tensor];

	*state = (espl_onnx_state){.kind = kind, .tensor = tensor};
	espl_onnx_describe(state, rank, made->channels, made->rows, made->columns);
	state->version = in->axes[tensor].version;
}

void espl_onnx_transfer(const espl_onnx_import *in, const espl_onnx_state *from,
                        espl_onnx_state *to)
{
	const espl_onnx_axes *old = &in->axes[from->tensor], *new_axes = &in->axes[to->tensor];

	for (int i = 0; i < from->axis_count; i++)
		for (int k = 0; k < new_axes->axis_count; k++)
			if (new_axes->roles[k] == old->roles[from->axes[i]])
				to->axes[i] = k;
	to->version = new_axes->version;
}

/* Whether the value runs through an input just as the file does. */
static bool in_file_order(const espl_onnx_import *in, const espl_onnx_state *state)
{
	if (state->axis_count != in->axes[state->tensor].axis_count)
		return false;
	for (int i = 0; i < state->axis_count; i++)
		if (state->axes[i] != i)
			return false;
	return true;
}

/* Gives an undecided input the axes of a value's shape. */
static void recut(espl_onnx_import *in, espl_onnx_state *state)
{
	espl_onnx_axes *axes = &in->axes[state->tensor];
	int sizes[3], count = 0;

	if (axes->decided || !in_file_order(in, state))
		return;
	for (int i = 0; i < state->rank; i++) {
		if (state->dims[i] == 1)
			continue;
		if (count == 3)
			return;
		sizes[count] = (int)state->dims[i];
		state->axes[count] = count;
		count++;
	}
	axes->axis_count = count;
	memcpy(axes->sizes, sizes, sizeof axes->sizes);
	state->axis_count = count;
	state->version = ++axes->version;
}

/* Whether the dimensions from 1 on are the axes, with roles channels, rows, columns; the roles as
 * they would be.
 *   out  roles  [3] */
static bool match_planes(const espl_onnx_import *in, const espl_onnx_state *state, int roles[3])
{
	static const int wanted[3] = {2, 0, 1};
	const espl_onnx_axes *axes = &in->axes[state->tensor];
	int next = 0;

	for (int d = 1; d < state->rank; d++) {
		int axis;

		if (state->dims[d] == 1)
			continue;
		if (next == state->axis_count)
			return false;
		axis = state->axes[next++];
		if (axes->sizes[axis] != state->dims[d] ||
		    (axes->decided && axes->roles[axis] != wanted[d - 1]))
			return false;
		roles[axis] = wanted[d - 1];
	}
	return next == state->axis_count && next == axes->axis_count;
}

static const char *check_version(const espl_onnx_import *in, const espl_onnx_state *state,
                                 const char *name, espl_arena *arena)
{
	if (state->version == in->axes[state->tensor].version)
		return NULL;
	return espl_arena_format(arena, "%s is read in two different shapes", name);
}

const char *espl_onnx_as_planes(espl_onnx_import *in, espl_onnx_state *state, const char *name)
{
	espl_onnx_axes *axes = &in->axes[state->tensor];
	espl_tensor *tensor = &in->net->tensors[state->tensor];
	int roles[3] = {0};
	const char *reason = check_version(in, state, name, in->arena);

	if (reason)
		return reason;
	if (state->rank < 2 || state->rank > 4 || state->dims[0] != 1)
		return espl_arena_format(in->arena, "%s has %d dimensions, it must have 2 to 4",
		                         name, state->rank);
	if (!match_planes(in, state, roles)) {
		recut(in, state);
		if (!match_planes(in, state, roles))
			return espl_arena_format(in->arena,
			                         "%s is a transposed or reshaped tensor, which "
			                         "only a dense layer can read",
			                         name);
	}
	if (axes->decided)
		return NULL;
	axes->decided = true;
	memcpy(axes->roles, roles, sizeof axes->roles);
	tensor->channels = (int)state->dims[1];
	tensor->rows = state->rank > 2 ? (int)state->dims[2] : 1;
	tensor->columns = state->rank > 3 ? (int)state->dims[3] : 1;
	return NULL;
}

/* Gives an undecided input roles in the file's order, as it stands. */
static void decide_in_order(espl_onnx_import *in, int t)
{
	static const int roles[4][3] = {{0}, {2}, {0, 2}, {0, 1, 2}};
	espl_onnx_axes *axes = &in->axes[t];
	int sizes[3] = {1, 1, 1};

	memcpy(axes->roles, roles[axes->axis_count], sizeof axes->roles);
	for (int i = 0; i < axes->axis_count; i++)
		sizes[axes->roles[i]] = axes->sizes[i];
	axes->decided = true;
	in->net->tensors[t].rows = sizes[0];
	in->net->tensors[t].columns = sizes[1];
	in->net->tensors[t].channels = sizes[2];
}

const char *espl_onnx_as_vector(espl_onnx_import *in, espl_onnx_state *state, const char *name,
                                int **order)
{
	const espl_onnx_axes *axes = &in->axes[state->tensor];
	const int64_t count = espl_onnx_elements(state);
	const char *reason = check_version(in, state, name, in->arena);
	int strides[3], digits[3] = {0};
	const espl_tensor *tensor;

	if (reason)
		return reason;
	if (!state->rank || state->dims[state->rank - 1] != count)
		return espl_arena_format(
		        in->arena, "%s is no vector: a dense layer reads one row at a time", name);
	recut(in, state);
	if (!axes->decided)
		decide_in_order(in, state->tensor);
	tensor = &in->net->tensors[state->tensor];
	if (count != espl_tensor_elements(tensor))
		return espl_arena_format(in->arena, "%s has %lld elements, the tensor %d", name,
		                         (long long)count, espl_tensor_elements(tensor));
	for (int i = 0; i < state->axis_count; i++) {
		const int role = axes->roles[state->axes[i]];

		strides[i] = role == 2   ? 1
		             : role == 1 ? tensor->channels
		                         : tensor->columns * tensor->channels;
	}
	*order = ESPL_ARRAY(in->arena, int, count);
	for (int64_t e = 0; e < count; e++) {
		for (int i = 0; i < state->axis_count; i++)
			(*order)[e] += digits[i] * strides[i];
		for (int i = state->axis_count - 1; i >= 0; i--) {
			if (++digits[i] < axes->sizes[state->axes[i]])
				break;
			digits[i] = 0;
		}
	}
	return NULL;
}

void espl_onnx_border_order(espl_onnx_import *in, int tensor, const int *axes, int order[3])
{
	const espl_onnx_axes *of;
	bool used[3] = {false}, ascending = true;
	int count = 0;

	if (!in->axes[tensor].decided)
		decide_in_order(in, tensor);
	of = &in->axes[tensor];
	for (int i = 0; i < of->axis_count; i++) {
		order[count] = of->roles[axes ? axes[i] : i];
		used[order[count]] = true;
		ascending = ascending && (!count || order[count - 1] < order[count]);
		count++;
	}
	for (int role = 0; role < 3; role++)
		if (!used[role])
			order[count++] = role;
	for (int i = 0; i < 3 && ascending; i++)
		order[i] = i;
}
