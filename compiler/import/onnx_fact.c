/* Constants and views of float ONNX models.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

espl_status espl_float_refuse(espl_float_import *import, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return espl_fail(import->err, ESPL_UNSUPPORTED, "%s", text);
}

const espl_fact *espl_float_input(const espl_float_import *import, int index)
{
	if (index >= import->node->input_count || import->node->inputs[index] < 0)
		return NULL;
	return &import->facts[import->node->inputs[index]];
}

espl_fact *espl_float_output(espl_float_import *import, int index)
{
	if (index >= import->node->output_count || import->node->outputs[index] < 0)
		return &import->nobody;
	return &import->facts[import->node->outputs[index]];
}

espl_status espl_float_data(espl_float_import *import, int index, const espl_fact **out)
{
	*out = espl_float_input(import, index);
	if (!*out)
		return espl_float_refuse(import, "input %d is missing", index);
	if ((*out)->kind != ESPL_FACT_DATA)
		return espl_float_refuse(import, "input %d is a constant, data is wanted there",
		                         index);
	return ESPL_OK;
}

espl_status espl_float_constant(espl_float_import *import, int index, const char *what,
                                const espl_fact **out)
{
	*out = espl_float_input(import, index);
	if (!*out)
		return espl_float_refuse(import, "%s is missing", what);
	if ((*out)->kind != ESPL_FACT_CONSTANT)
		return espl_float_refuse(import, "%s is computed from data, it must be a constant",
		                         what);
	return ESPL_OK;
}

/* -- constants ---------------------------------------------------------------- */

double espl_fact_number(const espl_fact *fact, int64_t index)
{
	if (fact->numbers)
		return fact->numbers[index];
	if (espl_onnx_is_integer(fact->tensor->type))
		return (double)espl_onnx_integer_at(fact->tensor, index);
	return espl_onnx_real_at(fact->tensor, index);
}

int64_t espl_fact_integer(const espl_fact *fact, int64_t index)
{
	const double number = espl_fact_number(fact, index);
	const int64_t most = INT64_C(1) << 50;

	return number >= (double)most ? most : number > -(double)most ? (int64_t)number : -most;
}

void espl_fact_of_tensor(espl_fact *fact, const espl_onnx_tensor *tensor)
{
	*fact = (espl_fact){.kind = ESPL_FACT_CONSTANT,
	                    .rank = tensor->rank,
	                    .count = tensor->count,
	                    .tensor = tensor,
	                    .is_integer = espl_onnx_is_integer(tensor->type)};
	for (int i = 0; i < tensor->rank; i++)
		fact->dims[i] = tensor->dims[i];
}

double *espl_fact_compute(espl_float_import *import, espl_fact *fact, int rank, const int64_t *dims,
                          bool is_integer)
{
	double *numbers;

	*fact = (espl_fact){
	        .kind = ESPL_FACT_CONSTANT, .rank = rank, .count = 1, .is_integer = is_integer};
	for (int i = 0; i < rank; i++) {
		fact->dims[i] = dims[i];
		fact->count *= dims[i];
	}
	numbers = ESPL_ARRAY(import->arena, double, fact->count);
	fact->numbers = numbers;
	return numbers;
}

espl_status espl_float_integers(espl_float_import *import, int index, const char *name,
                                int64_t values[ESPL_ONNX_RANK_MAX * 2], int *count)
{
	const espl_onnx_attribute *attribute = name ? espl_onnx_find(import->node, name) : NULL;
	const espl_fact *fact = index >= 0 ? espl_float_input(import, index) : NULL;

	*count = -1;
	if (fact) {
		if (fact->kind != ESPL_FACT_CONSTANT)
			return espl_float_refuse(
			        import, "input %d is computed from data, it must be a constant",
			        index);
		if (fact->count > ESPL_ONNX_RANK_MAX * 2)
			return espl_float_refuse(import, "input %d has %lld numbers", index,
			                         (long long)fact->count);
		*count = (int)fact->count;
		for (int i = 0; i < *count; i++)
			values[i] = espl_fact_integer(fact, i);
	} else if (attribute && attribute->kind == ESPL_ONNX_ATTRIBUTE_INTS) {
		if (attribute->count > ESPL_ONNX_RANK_MAX * 2)
			return espl_float_refuse(import, "%s has %d numbers", name,
			                         attribute->count);
		*count = attribute->count;
		for (int i = 0; i < *count; i++)
			values[i] = attribute->integers[i];
	}
	return ESPL_OK;
}

/* -- views -------------------------------------------------------------------- */

static int64_t size_of(const espl_float_import *import, int value, espl_role role)
{
	const espl_value *of = &import->builder.graph->values[value];

	switch (role) {
	case ESPL_ROLE_BATCH:
		return import->batch;
	case ESPL_ROLE_CHANNEL:
		return of->channels;
	case ESPL_ROLE_ROW:
		return of->rows;
	case ESPL_ROLE_COLUMN:
		return of->columns;
	}
	return 1;
}

void espl_fact_view(const espl_float_import *import, espl_fact *fact, int value, int rank,
                    const espl_role *roles)
{
	*fact = (espl_fact){.kind = ESPL_FACT_DATA, .rank = rank, .value = value, .count = 1};
	for (int i = 0; i < rank; i++) {
		fact->dims[i] = size_of(import, value, roles[i]);
		fact->count *= fact->dims[i];
		fact->axis_atoms[i] = fact->dims[i] > 1;
		if (fact->dims[i] > 1)
			fact->atoms[fact->atom_count++] = (espl_atom){roles[i], fact->dims[i]};
	}
}

void espl_fact_same(espl_fact *fact, const espl_fact *view, int value)
{
	espl_fact same = *view;

	same.value = value;
	*fact = same;
}

void espl_fact_channels(const espl_float_import *import, espl_fact *fact, const espl_fact *view,
                        int axis, int value)
{
	const int64_t channels = size_of(import, value, ESPL_ROLE_CHANNEL);
	espl_fact out = *view;

	out.value = value;
	out.atom_count = 0;
	out.count = 1;
	for (int i = 0; i < view->rank; i++) {
		int count;
		const espl_atom *atoms = espl_fact_axis(view, i, &count);

		if (i == axis) {
			out.dims[i] = channels;
			out.axis_atoms[i] = channels > 1;
			if (channels > 1)
				out.atoms[out.atom_count++] =
				        (espl_atom){ESPL_ROLE_CHANNEL, channels};
		}
		for (int j = 0; j < count && i != axis; j++)
			out.atoms[out.atom_count++] = atoms[j];
		out.count *= out.dims[i];
	}
	*fact = out;
}

const espl_atom *espl_fact_axis(const espl_fact *fact, int axis, int *count)
{
	int first = 0;

	for (int i = 0; i < axis; i++)
		first += fact->axis_atoms[i];
	*count = fact->axis_atoms[axis];
	return &fact->atoms[first < 4 ? first : 3];
}

bool espl_fact_is(const espl_fact *fact, int axis, espl_role role)
{
	int count;
	const espl_atom *atoms = espl_fact_axis(fact, axis, &count);

	return !count || (count == 1 && atoms[0].role == role);
}

bool espl_fact_regroup(espl_fact *fact, const espl_fact *from, int rank, const int64_t *dims)
{
	espl_fact out = *from;
	int next = 0;

	out.rank = rank;
	for (int i = 0; i < rank; i++) {
		int64_t left = dims[i];

		out.dims[i] = dims[i];
		out.axis_atoms[i] = 0;
		while (left > 1) {
			if (next == from->atom_count || left % from->atoms[next].size)
				return false;
			left /= from->atoms[next++].size;
			out.axis_atoms[i]++;
		}
	}
	if (next < from->atom_count)
		return false;
	*fact = out;
	return true;
}

void espl_fact_transpose(espl_fact *fact, const espl_fact *from, const int64_t *order)
{
	espl_fact out = *from;

	out.atom_count = 0;
	for (int i = 0; i < from->rank; i++) {
		int count;
		const espl_atom *atoms = espl_fact_axis(from, (int)order[i], &count);

		out.dims[i] = from->dims[order[i]];
		out.axis_atoms[i] = count;
		for (int j = 0; j < count; j++)
			out.atoms[out.atom_count++] = atoms[j];
	}
	*fact = out;
}

espl_status espl_float_image(espl_float_import *import, const espl_fact *fact,
                             espl_role roles[ESPL_ONNX_RANK_MAX])
{
	bool fits = fact->rank == 3 || fact->rank == 4, swapped = false;

	if (!fits)
		return espl_float_refuse(import,
		                         "its input has %d dimensions, 3 or 4 are supported "
		                         "(batch, channels, rows, columns)",
		                         fact->rank);
	fits = espl_fact_is(fact, 0, ESPL_ROLE_BATCH) && espl_fact_is(fact, 1, ESPL_ROLE_CHANNEL);
	/* the one spatial axis of rank 3 is the columns, unless it holds the rows */
	if (fact->rank == 3)
		swapped = espl_fact_is(fact, 2, ESPL_ROLE_COLUMN);
	else
		swapped = !espl_fact_is(fact, 2, ESPL_ROLE_ROW) ||
		          !espl_fact_is(fact, 3, ESPL_ROLE_COLUMN);
	roles[0] = ESPL_ROLE_BATCH;
	roles[1] = ESPL_ROLE_CHANNEL;
	roles[2] = swapped ? ESPL_ROLE_COLUMN : ESPL_ROLE_ROW;
	roles[3] = swapped ? ESPL_ROLE_ROW : ESPL_ROLE_COLUMN;
	for (int i = 2; i < fact->rank; i++)
		fits = fits && espl_fact_is(fact, i, roles[i]);
	if (!fits)
		return espl_float_refuse(import, "its input is transposed: batch, channels, rows, "
		                                 "columns is the order that can be read");
	return ESPL_OK;
}

void espl_fact_place(const espl_float_import *import, const espl_fact *fact, int64_t element,
                     int64_t *sample, int64_t *place)
{
	const espl_value *value = &import->builder.graph->values[fact->value];
	int64_t at[4] = {0};

	for (int i = fact->atom_count - 1; i >= 0; i--) {
		at[fact->atoms[i].role] = element % fact->atoms[i].size;
		element /= fact->atoms[i].size;
	}
	*sample = at[ESPL_ROLE_BATCH];
	*place = (at[ESPL_ROLE_ROW] * value->columns + at[ESPL_ROLE_COLUMN]) * value->channels +
	         at[ESPL_ROLE_CHANNEL];
}

/* -- the graph ------------------------------------------------------------------ */

/* The place of a name in the table of those that are taken, or where it would be. */
static int name_place(const espl_float_import *import, const char *name)
{
	const uint32_t mask = (uint32_t)import->name_room - 1;
	uint32_t hash = 2166136261u;

	for (const char *at = name; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	for (hash &= mask; import->names[hash] && strcmp(import->names[hash], name);)
		hash = (hash + 1) & mask;
	return (int)hash;
}

const char *espl_float_name(espl_float_import *import, const char *wish)
{
	const char *name = espl_arena_string(import->arena, wish);
	int place = name_place(import, name);

	for (int i = 1; import->names[place] && i < import->name_room; i++) {
		name = espl_arena_format(import->arena, "%s_%d", wish, i);
		place = name_place(import, name);
	}
	/* as many names as graph nodes: far less than room */
	import->names[place] = name;
	return name;
}

/* Named for the tensor that the ONNX node makes: those names are unique, nodes' are not. */
static const char *unique_name(espl_float_import *import)
{
	const espl_onnx_node *node = import->node;

	if (node->output_count && node->outputs[0] >= 0)
		return espl_float_name(import, import->model->values[node->outputs[0]].name);
	return espl_float_name(import, *node->name ? node->name : node->kind);
}

espl_node espl_float_node(espl_float_import *import, espl_node_kind kind, int input)
{
	espl_node node = espl_node_default(kind, unique_name(import));

	node.input_count = 1;
	node.inputs[0] = input;
	return node;
}

int espl_float_add(espl_float_import *import, espl_node node, int channels, bool bias)
{
	const int output = espl_graph_add(&import->builder, node, channels, bias);
	espl_value *value = &import->builder.graph->values[output];

	/* no step makes a side more than 2^17 times as long: it still fits an int */
	if ((int64_t)value->rows * value->columns > ESPL_MAX_ELEMENTS ||
	    (int64_t)value->rows * value->columns * value->channels > ESPL_MAX_ELEMENTS) {
		if (!import->oversized)
			import->oversized = value->name;
		value->rows = value->columns = value->channels = 1;
	}
	return output;
}

espl_node *espl_float_sole_maker(espl_float_import *import, int index)
{
	const int input = import->node->inputs[index];
	const int producer = import->model->values[input].producer;
	const espl_graph *graph = import->builder.graph;
	espl_node *last = graph->node_count ? &graph->nodes[graph->node_count - 1] : NULL;
	const char *kind = producer < 0 ? "" : import->model->nodes[producer].kind;

	/* what only changes the view may have others that see the same value */
	if (!last || last->output != import->facts[input].value || import->uses[input] != 1 ||
	    (strcmp(kind, "Conv") != 0 && strcmp(kind, "Gemm") != 0 && strcmp(kind, "MatMul") != 0))
		return NULL;
	return last;
}

espl_fact espl_float_flat(espl_float_import *import, const espl_fact *fact, int axis)
{
	static const int order[] = {[ESPL_ROLE_ROW] = 1,
	                            [ESPL_ROLE_COLUMN] = 2,
	                            [ESPL_ROLE_CHANNEL] = 3,
	                            [ESPL_ROLE_BATCH] = 9};
	const espl_value *value = &import->builder.graph->values[fact->value];
	espl_fact flat = *fact;
	bool in_order = fact->dims[axis] == espl_value_elements(value);
	int count;
	const espl_atom *atoms = espl_fact_axis(fact, axis, &count);

	for (int i = 0; i < count; i++)
		in_order = in_order && order[atoms[i].role] < 9 &&
		           (!i || order[atoms[i - 1].role] < order[atoms[i].role]);
	if (in_order && !espl_fact_is(fact, axis, ESPL_ROLE_CHANNEL)) {
		const char *name = espl_arena_format(import->arena, "%s/flat", value->name);
		espl_node node =
		        espl_node_default(ESPL_NODE_RESHAPE, espl_float_name(import, name));

		node.input_count = 1;
		node.inputs[0] = fact->value;
		espl_fact_channels(import, &flat, fact, axis,
		                   espl_float_add(import, node, 0, false));
	}
	return flat;
}

int espl_float_scale(espl_float_import *import, int input, const float *gain, const float *offset)
{
	espl_node node = espl_float_node(import, ESPL_NODE_BATCH_NORM, input);
	const int channels = import->builder.graph->values[input].channels;

	node.epsilon = 0x1p-30f; /* as good as nothing beside the variance of 1 */
	if (gain)
		node.gain = espl_arena_copy(import->arena, gain, (size_t)channels * sizeof(*gain));
	if (offset)
		node.offset =
		        espl_arena_copy(import->arena, offset, (size_t)channels * sizeof(*offset));
	return espl_float_add(import, node, 0, false);
}
