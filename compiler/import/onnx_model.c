/* An ONNX file as plain structs: graph, nodes, attributes, initializers, values.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_model.h"

#include "import/onnx_read.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODES_MAX = 1 << 16,
	NAMES_MAX = 1 << 19, /* all occurrences */
	ATTRIBUTES_MAX = 64, /* of a node */
	LIST_MAX = 1 << 20,  /* numbers in an attribute */
	OPSETS_MAX = 64,
};

/* Numbers of the messages' fields. */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_PRODUCER = 2,
	MODEL_PRODUCER_VERSION = 3,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_FUNCTION = 25,
	OPSET_DOMAIN = 1,
	OPSET_VERSION = 2,
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE = 13,
	GRAPH_SPARSE = 15,
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_KIND = 4,
	NODE_ATTRIBUTE = 5,
	NODE_DOMAIN = 7,
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_FLOAT = 2,
	ATTRIBUTE_INT = 3,
	ATTRIBUTE_STRING = 4,
	ATTRIBUTE_TENSOR = 5,
	ATTRIBUTE_FLOATS = 7,
	ATTRIBUTE_INTS = 8,
	ATTRIBUTE_TYPE = 20,
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TENSOR_TYPE_ELEMENT = 1,
	TENSOR_TYPE_SHAPE = 2,
	SHAPE_DIM = 1,
	DIM_VALUE = 1,
};

/* AttributeProto.AttributeType of what is read. */
enum { TYPE_FLOAT = 1, TYPE_INT, TYPE_STRING, TYPE_A_TENSOR, TYPE_FLOATS = 6, TYPE_INTS };

/* Names before they are resolved: of the node's inputs, then its outputs. */
typedef struct {
	const char **names;
} loose_node;

typedef struct {
	espl_onnx_reader base;
	espl_onnx_model *model;
	int initializer_count, info_count, name_count;
	espl_onnx_node *nodes;
	loose_node *loose;
	espl_onnx_tensor *initializers;
	espl_onnx_value *inputs, *outputs, *infos; /* as the file lists them */
	int input_count, output_count;
	espl_onnx_value *values; /* sorted by name */
	int value_count;
} reader;

/* Appends the numbers of one field of a list of integers. */
static void take_integers(espl_wire *wire, const espl_wire_field *field, int64_t *to, int *count)
{
	espl_span rest = field->bytes;
	uint64_t value;

	if (field->type == ESPL_WIRE_VARINT)
		to[(*count)++] = (int64_t)field->value;
	while (field->type == ESPL_WIRE_BYTES && rest.size &&
	       espl_wire_take_varint(wire, &rest, &value))
		to[(*count)++] = (int64_t)value;
}

static float to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static void take_floats(const espl_wire_field *field, float *to, int *count)
{
	if (field->type == ESPL_WIRE_FIXED32)
		to[(*count)++] = to_float((uint32_t)field->value);
	if (field->type == ESPL_WIRE_BYTES)
		for (size_t i = 0; i + 4 <= field->bytes.size; i += 4)
			to[(*count)++] = to_float(espl_wire_fixed32(field->bytes.data + i));
}

static espl_status read_lists(reader *in, espl_wire wire, espl_onnx_attribute *out)
{
	const espl_wire start = wire;
	int64_t reals = 0, integers = 0;
	espl_wire_field field;
	float *real_list;
	int64_t *integer_list;
	int real_count = 0, integer_count = 0;

	while (espl_wire_next(&wire, &field)) {
		if (field.number == ATTRIBUTE_INTS)
			integers += espl_wire_count_varints(&wire, &field);
		if (field.number == ATTRIBUTE_FLOATS)
			reals +=
			        field.type == ESPL_WIRE_BYTES ? (int64_t)(field.bytes.size / 4) : 1;
	}
	ESPL_TRY(espl_onnx_intact(&in->base));
	if (reals > LIST_MAX || integers > LIST_MAX)
		return espl_fail(in->base.err, ESPL_RANGE, "attribute %s has more than %d numbers",
		                 out->name, (int)LIST_MAX);
	real_list = ESPL_ARRAY(in->base.arena, float, reals);
	integer_list = ESPL_ARRAY(in->base.arena, int64_t, integers);
	for (wire = start; espl_wire_next(&wire, &field);) {
		if (field.number == ATTRIBUTE_INTS)
			take_integers(&wire, &field, integer_list, &integer_count);
		if (field.number == ATTRIBUTE_FLOATS)
			take_floats(&field, real_list, &real_count);
	}
	out->reals = real_list;
	out->integers = integer_list;
	out->count = out->kind == ESPL_ONNX_ATTRIBUTE_FLOATS ? real_count : integer_count;
	return espl_onnx_intact(&in->base);
}

static espl_onnx_attribute_kind attribute_kind(uint64_t type)
{
	switch (type) {
	case TYPE_FLOAT:
		return ESPL_ONNX_ATTRIBUTE_FLOAT;
	case TYPE_INT:
		return ESPL_ONNX_ATTRIBUTE_INT;
	case TYPE_STRING:
		return ESPL_ONNX_ATTRIBUTE_STRING;
	case TYPE_A_TENSOR:
		return ESPL_ONNX_ATTRIBUTE_TENSOR;
	case TYPE_FLOATS:
		return ESPL_ONNX_ATTRIBUTE_FLOATS;
	case TYPE_INTS:
		return ESPL_ONNX_ATTRIBUTE_INTS;
	default:
		return ESPL_ONNX_ATTRIBUTE_OTHER;
	}
}

static espl_status read_attribute(reader *in, espl_wire wire, espl_onnx_attribute *out)
{
	const espl_wire start = wire;
	espl_wire_field field;
	espl_onnx_tensor *tensor;
	uint64_t type = 0;

	*out = (espl_onnx_attribute){.name = "", .text = ""};
	while (espl_wire_next(&wire, &field)) {
		if (field.number == ATTRIBUTE_NAME)
			ESPL_TRY(espl_onnx_take_name(&in->base, &wire, &field,
			                             "an attribute's name", &out->name));
		else if (field.number == ATTRIBUTE_FLOAT)
			out->real = to_float((uint32_t)field.value);
		else if (field.number == ATTRIBUTE_INT)
			out->integer = (int64_t)field.value;
		else if (field.number == ATTRIBUTE_STRING)
			out->text = espl_onnx_take_text(&in->base, &field);
		else if (field.number == ATTRIBUTE_TYPE)
			type = field.value;
	}
	ESPL_TRY(espl_onnx_intact(&in->base));
	out->kind = attribute_kind(type);
	if (out->kind == ESPL_ONNX_ATTRIBUTE_FLOATS || out->kind == ESPL_ONNX_ATTRIBUTE_INTS)
		return read_lists(in, start, out);
	if (out->kind != ESPL_ONNX_ATTRIBUTE_TENSOR)
		return ESPL_OK;
	tensor = ESPL_NEW(in->base.arena, espl_onnx_tensor);
	*tensor = (espl_onnx_tensor){.name = out->name};
	for (wire = start; espl_wire_next(&wire, &field);)
		if (field.number == ATTRIBUTE_TENSOR)
			ESPL_TRY(espl_onnx_read_tensor(&in->base, espl_wire_open(&wire, &field),
			                               tensor));
	out->tensor = tensor;
	if (!tensor->type)
		return espl_fail(in->base.err, ESPL_SYNTAX, "attribute %s holds no tensor",
		                 out->name);
	return ESPL_OK;
}

static espl_status count_node(reader *in, espl_wire wire, espl_onnx_node *out)
{
	espl_wire_field field;

	while (espl_wire_next(&wire, &field)) {
		out->input_count += field.number == NODE_INPUT;
		out->output_count += field.number == NODE_OUTPUT;
		out->attribute_count += field.number == NODE_ATTRIBUTE;
	}
	ESPL_TRY(espl_onnx_intact(&in->base));
	in->name_count += out->input_count + out->output_count;
	if (in->name_count > NAMES_MAX)
		return espl_fail(in->base.err, ESPL_RANGE, "more than %d names in the graph",
		                 (int)NAMES_MAX);
	if (out->attribute_count > ATTRIBUTES_MAX)
		return espl_fail(in->base.err, ESPL_RANGE,
		                 "a node has %d attributes, at most %d are allowed",
		                 out->attribute_count, (int)ATTRIBUTES_MAX);
	return ESPL_OK;
}

static espl_status read_node(reader *in, espl_wire wire, espl_onnx_node *out, loose_node *loose)
{
	const espl_wire start = wire;
	espl_onnx_attribute *attributes;
	int inputs = 0, outputs = 0, read = 0;
	espl_wire_field field;

	*out = (espl_onnx_node){.name = "", .kind = "", .domain = ""};
	ESPL_TRY(count_node(in, start, out));
	attributes = ESPL_ARRAY(in->base.arena, espl_onnx_attribute, out->attribute_count);
	loose->names =
	        ESPL_ARRAY(in->base.scratch, const char *, out->input_count + out->output_count);
	out->attributes = attributes;
	while (espl_wire_next(&wire, &field)) {
		const char **to = field.number == NODE_INPUT ? &loose->names[inputs++]
		                  : field.number == NODE_OUTPUT
		                          ? &loose->names[out->input_count + outputs++]
		                  : field.number == NODE_NAME ? &out->name
		                  : field.number == NODE_KIND ? &out->kind
		                                              : NULL;

		if (to)
			ESPL_TRY(espl_onnx_take_name(&in->base, &wire, &field, "a name", to));
		else if (field.number == NODE_DOMAIN)
			ESPL_TRY(espl_onnx_take_domain(&in->base, &wire, &field, &out->domain));
		else if (field.number == NODE_ATTRIBUTE)
			ESPL_TRY(read_attribute(in, espl_wire_open(&wire, &field),
			                        &attributes[read++]));
	}
	return espl_onnx_intact(&in->base);
}

/* The dimensions of a TensorShapeProto; symbols and nonsense read as -1. */
static espl_status read_shape(reader *in, espl_wire wire, espl_onnx_value *out)
{
	espl_wire_field field, inner;

	out->has_shape = true;
	out->rank = 0;
	while (espl_wire_next(&wire, &field)) {
		espl_wire dim;

		if (field.number != SHAPE_DIM)
			continue;
		if (out->rank == ESPL_ONNX_RANK_MAX) {
			out->has_shape = false; /* nothing that we run has so many */
			return ESPL_OK;
		}
		out->dims[out->rank] = -1;
		dim = espl_wire_open(&wire, &field);
		while (espl_wire_next(&dim, &inner))
			if (inner.number == DIM_VALUE && inner.type == ESPL_WIRE_VARINT &&
			    inner.value >= 1 && inner.value <= INT32_MAX)
				out->dims[out->rank] = (int64_t)inner.value;
		out->rank++;
	}
	return espl_onnx_intact(&in->base);
}

static espl_status read_type(reader *in, espl_wire wire, espl_onnx_value *out)
{
	espl_wire_field field, inner;

	while (espl_wire_next(&wire, &field)) {
		espl_wire tensor;

		if (field.number != TYPE_TENSOR)
			continue;
		tensor = espl_wire_open(&wire, &field);
		while (espl_wire_next(&tensor, &inner)) {
			if (inner.number == TENSOR_TYPE_ELEMENT && inner.value <= INT32_MAX &&
			    strcmp(espl_onnx_type_name((int)inner.value), "unknown") != 0)
				out->type = (espl_onnx_type)inner.value;
			else if (inner.number == TENSOR_TYPE_SHAPE)
				ESPL_TRY(read_shape(in, espl_wire_open(&tensor, &inner), out));
		}
	}
	return espl_onnx_intact(&in->base);
}

static espl_status read_value(reader *in, espl_wire wire, espl_onnx_value *out)
{
	espl_wire_field field;

	*out = (espl_onnx_value){.name = "", .producer = -1};
	while (espl_wire_next(&wire, &field)) {
		if (field.number == VALUE_NAME)
			ESPL_TRY(espl_onnx_take_name(&in->base, &wire, &field, "a name",
			                             &out->name));
		else if (field.number == VALUE_TYPE)
			ESPL_TRY(read_type(in, espl_wire_open(&wire, &field), out));
	}
	return espl_onnx_intact(&in->base);
}

static espl_status count_graph(reader *in, espl_wire wire)
{
	espl_wire_field field;
	int64_t others = 0;

	while (espl_wire_next(&wire, &field)) {
		in->model->node_count += field.number == GRAPH_NODE;
		in->initializer_count += field.number == GRAPH_INITIALIZER;
		in->input_count += field.number == GRAPH_INPUT;
		in->output_count += field.number == GRAPH_OUTPUT;
		in->info_count += field.number == GRAPH_VALUE;
		if (field.number == GRAPH_SPARSE)
			return espl_fail(in->base.err, ESPL_UNSUPPORTED,
			                 "the graph has a sparse initializer");
		if (in->model->node_count > NODES_MAX || ++others > NAMES_MAX)
			return espl_fail(in->base.err, ESPL_RANGE,
			                 "the graph has more than %d nodes or %d entries",
			                 (int)NODES_MAX, (int)NAMES_MAX);
	}
	in->name_count = in->initializer_count + in->input_count + in->output_count;
	in->nodes = ESPL_ARRAY(in->base.arena, espl_onnx_node, in->model->node_count);
	in->loose = ESPL_ARRAY(in->base.scratch, loose_node, in->model->node_count);
	in->initializers = ESPL_ARRAY(in->base.arena, espl_onnx_tensor, in->initializer_count);
	in->inputs = ESPL_ARRAY(in->base.scratch, espl_onnx_value, in->input_count);
	in->outputs = ESPL_ARRAY(in->base.scratch, espl_onnx_value, in->output_count);
	in->infos = ESPL_ARRAY(in->base.scratch, espl_onnx_value, in->info_count);
	return espl_onnx_intact(&in->base);
}

static bool is_message(uint32_t number)
{
	return number == GRAPH_NODE || number == GRAPH_INITIALIZER || number == GRAPH_INPUT ||
	       number == GRAPH_OUTPUT || number == GRAPH_VALUE;
}

static espl_status read_graph_parts(reader *in, espl_wire wire)
{
	int nodes = 0, initializers = 0, inputs = 0, outputs = 0, infos = 0;
	espl_wire_field field;

	ESPL_TRY(count_graph(in, wire));
	while (espl_wire_next(&wire, &field)) {
		const espl_wire part =
		        is_message(field.number) ? espl_wire_open(&wire, &field) : wire;

		if (field.number == GRAPH_NODE) {
			ESPL_TRY(read_node(in, part, &in->nodes[nodes], &in->loose[nodes]));
			nodes++;
		} else if (field.number == GRAPH_INITIALIZER) {
			ESPL_TRY(espl_onnx_read_tensor(&in->base, part,
			                               &in->initializers[initializers++]));
		} else if (field.number == GRAPH_INPUT) {
			ESPL_TRY(read_value(in, part, &in->inputs[inputs++]));
		} else if (field.number == GRAPH_OUTPUT) {
			ESPL_TRY(read_value(in, part, &in->outputs[outputs++]));
		} else if (field.number == GRAPH_VALUE) {
			ESPL_TRY(read_value(in, part, &in->infos[infos++]));
		} else if (field.number == GRAPH_NAME) {
			in->model->graph_name = espl_onnx_take_text(&in->base, &field);
		}
	}
	return espl_onnx_intact(&in->base);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_values(const void *a, const void *b)
{
	return strcmp(((const espl_onnx_value *)a)->name, ((const espl_onnx_value *)b)->name);
}

/* Makes one value of each name. */
static void make_values(reader *in)
{
	const char **names = ESPL_ARRAY(in->base.scratch, const char *, in->name_count);
	int count = 0;

	for (int i = 0; i < in->initializer_count; i++)
		names[count++] = in->initializers[i].name;
	for (int i = 0; i < in->input_count; i++)
		names[count++] = in->inputs[i].name;
	for (int i = 0; i < in->output_count; i++)
		names[count++] = in->outputs[i].name;
	for (int n = 0; n < in->model->node_count; n++)
		for (int i = 0; i < in->nodes[n].input_count + in->nodes[n].output_count; i++)
			names[count++] = in->loose[n].names[i];
	qsort(names, (size_t)count, sizeof *names, compare_names);
	in->values = ESPL_ARRAY(in->base.arena, espl_onnx_value, count);
	for (int i = 0; i < count; i++)
		if (names[i][0] && (!i || strcmp(names[i - 1], names[i]) != 0))
			in->values[in->value_count++] =
			        (espl_onnx_value){.name = names[i], .producer = -1};
}

static int find_value(const reader *in, const char *name)
{
	const espl_onnx_value key = {.name = name};
	const espl_onnx_value *found = NULL;

	if (in->value_count)
		found = bsearch(&key, in->values, (size_t)in->value_count, sizeof key,
		                compare_values);
	return found ? (int)(found - in->values) : -1;
}

/* Takes over what the file says of a value's type. */
static void describe(reader *in, const espl_onnx_value *from)
{
	const int index = find_value(in, from->name);
	espl_onnx_value *to;

	if (index < 0)
		return;
	to = &in->values[index];
	if (from->type)
		to->type = from->type;
	if (from->has_shape) {
		to->has_shape = true;
		to->rank = from->rank;
		memcpy(to->dims, from->dims, sizeof to->dims);
	}
}

static espl_status place_initializers(reader *in)
{
	for (int i = 0; i < in->initializer_count; i++) {
		const espl_onnx_tensor *tensor = &in->initializers[i];
		const int index = find_value(in, tensor->name);
		espl_onnx_value *value;

		if (index < 0)
			return espl_fail(in->base.err, ESPL_SHAPE, "initializer %d has no name", i);
		value = &in->values[index];
		if (value->initializer)
			return espl_fail(in->base.err, ESPL_SHAPE, "two initializers are named %s",
			                 tensor->name);
		value->initializer = tensor;
		value->type = tensor->type;
		value->has_shape = true;
		value->rank = tensor->rank;
		memcpy(value->dims, tensor->dims, sizeof value->dims);
	}
	return ESPL_OK;
}

static espl_status place_borders(reader *in, bool *made)
{
	int *inputs = ESPL_ARRAY(in->base.arena, int, in->input_count);
	int *outputs = ESPL_ARRAY(in->base.arena, int, in->output_count);

	for (int i = 0; i < in->input_count; i++) {
		const int index = find_value(in, in->inputs[i].name);

		if (index < 0)
			return espl_fail(in->base.err, ESPL_SHAPE, "input %d has no name", i);
		if (in->values[index].initializer)
			continue; /* a default that could be overridden; we run with it */
		if (made[index])
			return espl_fail(in->base.err, ESPL_SHAPE, "two inputs are named %s",
			                 in->values[index].name);
		made[index] = true;
		inputs[in->model->input_count++] = index;
	}
	for (int i = 0; i < in->output_count; i++) {
		outputs[i] = find_value(in, in->outputs[i].name);
		if (outputs[i] < 0)
			return espl_fail(in->base.err, ESPL_SHAPE, "output %d has no name", i);
	}
	in->model->inputs = inputs;
	in->model->outputs = outputs;
	in->model->output_count = in->output_count;
	return ESPL_OK;
}

/* "node 3 Conv (conv1)" */
static const char *node_label(reader *in, int n)
{
	const espl_onnx_node *node = &in->nodes[n];

	return espl_arena_format(in->base.scratch, "node %d %.60s%s%.100s%s", n, node->kind,
	                         node->name[0] ? " (" : "", node->name, node->name[0] ? ")" : "");
}

/* Why a value is not there when node n (or, at node_count, the graph's output) wants it. */
static espl_status fail_unmade(reader *in, int n, int value)
{
	const char *name = in->values[value].name;
	const char *by = n < in->model->node_count ? node_label(in, n) : "the graph's output";

	for (int later = n; later < in->model->node_count; later++)
		for (int i = 0; i < in->nodes[later].output_count; i++)
			if (!strcmp(in->loose[later].names[in->nodes[later].input_count + i], name))
				return espl_fail(in->base.err, ESPL_SHAPE,
				                 "%s reads %.120s, which %s makes only then: a "
				                 "cycle, or nodes out of order",
				                 by, name, node_label(in, later));
	return espl_fail(in->base.err, ESPL_SHAPE,
	                 "%s reads %.120s, which is no input, no initializer and no node's output",
	                 by, name);
}

static espl_status resolve_node(reader *in, int n, bool *made)
{
	espl_onnx_node *node = &in->nodes[n];
	const int count = node->input_count + node->output_count;
	int *indices = ESPL_ARRAY(in->base.arena, int, count);

	for (int i = 0; i < count; i++) {
		const int index = find_value(in, in->loose[n].names[i]);

		indices[i] = index;
		if (index < 0)
			continue; /* left out */
		if (i < node->input_count && !made[index] && !in->values[index].initializer)
			return fail_unmade(in, n, index);
		if (i < node->input_count)
			continue;
		if (made[index] || in->values[index].initializer)
			return espl_fail(in->base.err, ESPL_SHAPE,
			                 "%s writes %.120s, which is there already",
			                 node_label(in, n), in->values[index].name);
		made[index] = true;
		in->values[index].producer = n;
	}
	if (!node->kind[0])
		return espl_fail(in->base.err, ESPL_SHAPE, "node %d has no operator", n);
	node->inputs = indices;
	node->outputs = indices + node->input_count;
	return ESPL_OK;
}

static espl_status resolve(reader *in)
{
	bool *made;

	make_values(in);
	made = ESPL_ARRAY(in->base.scratch, bool, in->value_count);
	for (int i = 0; i < in->info_count; i++)
		describe(in, &in->infos[i]);
	for (int i = 0; i < in->input_count; i++)
		describe(in, &in->inputs[i]);
	for (int i = 0; i < in->output_count; i++)
		describe(in, &in->outputs[i]);
	ESPL_TRY(place_initializers(in));
	ESPL_TRY(place_borders(in, made));
	for (int n = 0; n < in->model->node_count; n++)
		ESPL_TRY(resolve_node(in, n, made));
	for (int i = 0; i < in->output_count; i++)
		if (!made[in->model->outputs[i]] && !in->values[in->model->outputs[i]].initializer)
			return fail_unmade(in, in->model->node_count, in->model->outputs[i]);
	in->model->nodes = in->nodes;
	in->model->values = in->values;
	in->model->value_count = in->value_count;
	return ESPL_OK;
}

static espl_status read_opset(reader *in, espl_wire wire, espl_onnx_opset *out)
{
	espl_wire_field field;

	*out = (espl_onnx_opset){"", 0};
	while (espl_wire_next(&wire, &field)) {
		if (field.number == OPSET_DOMAIN)
			ESPL_TRY(espl_onnx_take_domain(&in->base, &wire, &field, &out->domain));
		else if (field.number == OPSET_VERSION)
			out->version = (int64_t)field.value;
	}
	return espl_onnx_intact(&in->base);
}

/* What the model says of itself, and where its graph is. */
static espl_status read_model(reader *in, espl_wire wire, espl_wire *graph)
{
	const char *producer = "", *version = "";
	int graphs = 0;
	espl_wire_field field;
	espl_onnx_opset *opsets = ESPL_ARRAY(in->base.arena, espl_onnx_opset, OPSETS_MAX);

	while (espl_wire_next(&wire, &field)) {
		if (field.number == MODEL_IR_VERSION) {
			in->model->ir_version = (int64_t)field.value;
		} else if (field.number == MODEL_PRODUCER) {
			producer = espl_onnx_take_text(&in->base, &field);
		} else if (field.number == MODEL_PRODUCER_VERSION) {
			version = espl_onnx_take_text(&in->base, &field);
		} else if (field.number == MODEL_GRAPH) {
			*graph = espl_wire_open(&wire, &field);
			graphs++;
		} else if (field.number == MODEL_FUNCTION) {
			in->model->function_count++;
		} else if (field.number == MODEL_OPSET) {
			if (in->model->opset_count == OPSETS_MAX)
				return espl_fail(in->base.err, ESPL_RANGE,
				                 "more than %d operator sets", (int)OPSETS_MAX);
			ESPL_TRY(read_opset(in, espl_wire_open(&wire, &field),
			                    &opsets[in->model->opset_count++]));
		}
	}
	ESPL_TRY(espl_onnx_intact(&in->base));
	if (graphs != 1)
		return espl_fail(in->base.err, ESPL_SYNTAX,
		                 "the file has %d graphs, an ONNX model has one", graphs);
	in->model->opsets = opsets;
	in->model->producer = espl_arena_format(in->base.arena, "%s%s%s", producer,
	                                        version[0] ? " " : "", version);
	return ESPL_OK;
}

/* What Git keeps of a large file that was not fetched. */
static bool is_pointer(espl_span file)
{
	static const char start[] = "version https://git-lfs";

	return file.size >= sizeof start - 1 && !memcmp(file.data, start, sizeof start - 1);
}

bool espl_onnx_recognise(espl_span file)
{
	espl_wire_file wire_file = {.file = file};
	espl_wire wire = espl_wire_root(&wire_file);
	espl_wire_field field;

	if (is_pointer(file))
		return true; /* so that the reader says what it is */
	/* ir_version is the first field that every writer writes; or the graph, or an opset */
	return espl_wire_next(&wire, &field) &&
	       ((field.number == MODEL_IR_VERSION && field.type == ESPL_WIRE_VARINT) ||
	        ((field.number == MODEL_GRAPH || field.number == MODEL_OPSET) &&
	         field.type == ESPL_WIRE_BYTES));
}

espl_status espl_onnx_read(espl_span file, espl_arena *arena, espl_onnx_model **model,
                           espl_error *err)
{
	reader in = {.base = {.file = {.file = file}, .arena = arena, .err = err}};
	espl_wire graph = {0};
	espl_status status;

	if (!file.size)
		return espl_fail(err, ESPL_SYNTAX, "the file is empty");
	if (is_pointer(file))
		return espl_fail(err, ESPL_SYNTAX,
		                 "a Git LFS pointer, not the model: run git lfs pull");
	in.base.scratch = espl_arena_create();
	in.model = ESPL_NEW(arena, espl_onnx_model);
	in.model->graph_name = "";
	status = read_model(&in, espl_wire_root(&in.base.file), &graph);
	if (status == ESPL_OK)
		status = read_graph_parts(&in, graph);
	if (status == ESPL_OK)
		status = resolve(&in);
	espl_arena_destroy(in.base.scratch);
	if (status == ESPL_OK)
		*model = in.model;
	return status;
}

int64_t espl_onnx_opset_version(const espl_onnx_model *model, const char *domain)
{
	for (int i = 0; i < model->opset_count; i++)
		if (!strcmp(model->opsets[i].domain, domain))
			return model->opsets[i].version;
	return 0;
}

const espl_onnx_attribute *espl_onnx_find(const espl_onnx_node *node, const char *name)
{
	for (int i = 0; i < node->attribute_count; i++)
		if (!strcmp(node->attributes[i].name, name))
			return &node->attributes[i];
	return NULL;
}

int64_t espl_onnx_get_integer(const espl_onnx_node *node, const char *name, int64_t absent)
{
	const espl_onnx_attribute *found = espl_onnx_find(node, name);

	return found && found->kind == ESPL_ONNX_ATTRIBUTE_INT ? found->integer : absent;
}

float espl_onnx_get_real(const espl_onnx_node *node, const char *name, float absent)
{
	const espl_onnx_attribute *found = espl_onnx_find(node, name);

	return found && found->kind == ESPL_ONNX_ATTRIBUTE_FLOAT ? found->real : absent;
}

const char *espl_onnx_get_text(const espl_onnx_node *node, const char *name, const char *absent)
{
	const espl_onnx_attribute *found = espl_onnx_find(node, name);

	return found && found->kind == ESPL_ONNX_ATTRIBUTE_STRING ? found->text : absent;
}
