/* An ONNX model under construction: nodes, attributes, initializers, borders.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Field numbers are those of onnx.proto. IR version 8 and operator set 17: the first with local
 * functions that ONNX Runtime, Netron and onnx.checker all read.
 */
#include "export/onnx_writer.h"

#include <assert.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17, NAME_ROOM_MIN = 256 };

/* Fields of onnx.proto. */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_PRODUCER = 2,
	MODEL_PRODUCER_VERSION = 3,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_FUNCTION = 25,
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE = 13,
	FUNCTION_NAME = 1,
	FUNCTION_INPUT = 4,
	FUNCTION_OUTPUT = 5,
	FUNCTION_ATTRIBUTE = 6,
	FUNCTION_NODE = 7,
	FUNCTION_DOC = 8,
	FUNCTION_OPSET = 9,
	FUNCTION_DOMAIN = 10,
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_KIND = 4,
	NODE_ATTRIBUTE = 5,
	NODE_DOMAIN = 7,
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_REAL = 2,
	ATTRIBUTE_INTEGER = 3,
	ATTRIBUTE_TEXT = 4,
	ATTRIBUTE_INTEGERS = 8,
	ATTRIBUTE_TYPE = 20,
	ATTRIBUTE_REFERENCE = 21,
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
};

/* Values of AttributeProto.type. */
enum { TYPE_REAL = 1, TYPE_INTEGER = 2, TYPE_TEXT = 3, TYPE_INTEGERS = 7 };

espl_onnx_writer espl_writer_in(espl_arena *arena, const char *graph_name)
{
	const espl_message empty = espl_message_in(arena);
	espl_onnx_writer writer = {
	        .arena = arena,
	        .graph_name = graph_name,
	        .nodes = empty,
	        .initializers = empty,
	        .values = empty,
	        .inputs = empty,
	        .outputs = empty,
	        .functions = empty,
	        .node = empty,
	        .name_room = NAME_ROOM_MIN,
	        .names = ESPL_ARRAY(arena, const char *, NAME_ROOM_MIN),
	};

	return writer;
}

/* -- names ------------------------------------------------------------------- */

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

/* The place of a name in the table: its own, or the empty one where it belongs. */
static int place_of(const espl_onnx_writer *writer, const char *name)
{
	const uint32_t mask = (uint32_t)writer->name_room - 1;
	uint32_t at = hash_of(name) & mask;

	while (writer->names[at] && strcmp(writer->names[at], name))
		at = (at + 1) & mask;
	return (int)at;
}

static void take_name(espl_onnx_writer *writer, const char *name)
{
	const char **old = writer->names;
	const int room = writer->name_room;

	if (2 * ++writer->name_count > room) {
		writer->name_room = 2 * room;
		writer->names = ESPL_ARRAY(writer->arena, const char *, writer->name_room);
		for (int i = 0; i < room; i++)
			if (old[i])
				writer->names[place_of(writer, old[i])] = old[i];
	}
	writer->names[place_of(writer, name)] = name;
}

const char *espl_write_unique(espl_onnx_writer *writer, const char *wish)
{
	const char *name = wish;

	for (int i = 1; writer->names[place_of(writer, name)]; i++)
		name = espl_arena_format(writer->arena, "%s_%d", wish, i);
	take_name(writer, name);
	return name;
}

/* -- nodes ------------------------------------------------------------------- */

static void flush(espl_onnx_writer *writer)
{
	if (!writer->open)
		return;
	writer->open = false;
	if (writer->in_function)
		espl_put_message(&writer->body, FUNCTION_NODE, &writer->node);
	else
		espl_put_message(&writer->nodes, GRAPH_NODE, &writer->node);
}

const char *espl_write_node(espl_onnx_writer *writer, const char *domain, const char *kind,
                            const char *name, const char *output, const char *const *inputs)
{
	flush(writer);
	writer->open = true;
	writer->node.size = 0;
	for (; *inputs; inputs++)
		espl_put_text(&writer->node, NODE_INPUT, *inputs);
	espl_put_text(&writer->node, NODE_OUTPUT, output);
	if (name)
		espl_put_text(&writer->node, NODE_NAME, name);
	espl_put_text(&writer->node, NODE_KIND, kind);
	if (*domain)
		espl_put_text(&writer->node, NODE_DOMAIN, domain);
	writer->microsoft |= !strcmp(domain, ESPL_DOMAIN_MICROSOFT);
	writer->own |= !strcmp(domain, ESPL_DOMAIN_OWN);
	return output;
}

static void put_attribute(espl_onnx_writer *writer, espl_message *attribute, int type)
{
	assert(writer->open);
	espl_put_integer(attribute, ATTRIBUTE_TYPE, type);
	espl_put_message(&writer->node, NODE_ATTRIBUTE, attribute);
}

static espl_message attribute_of(espl_onnx_writer *writer, const char *name)
{
	espl_message attribute = espl_message_in(writer->arena);

	espl_put_text(&attribute, ATTRIBUTE_NAME, name);
	return attribute;
}

void espl_write_integer(espl_onnx_writer *writer, const char *name, int64_t value)
{
	espl_message attribute = attribute_of(writer, name);

	espl_put_integer(&attribute, ATTRIBUTE_INTEGER, value);
	put_attribute(writer, &attribute, TYPE_INTEGER);
}

void espl_write_real(espl_onnx_writer *writer, const char *name, float value)
{
	espl_message attribute = attribute_of(writer, name);

	espl_put_real(&attribute, ATTRIBUTE_REAL, value);
	put_attribute(writer, &attribute, TYPE_REAL);
}

void espl_write_text(espl_onnx_writer *writer, const char *name, const char *value)
{
	espl_message attribute = attribute_of(writer, name);

	espl_put_text(&attribute, ATTRIBUTE_TEXT, value);
	put_attribute(writer, &attribute, TYPE_TEXT);
}

void espl_write_integers(espl_onnx_writer *writer, const char *name, const int64_t *values,
                         int count)
{
	espl_message attribute = attribute_of(writer, name);

	for (int i = 0; i < count; i++)
		espl_put_integer(&attribute, ATTRIBUTE_INTEGERS, values[i]);
	put_attribute(writer, &attribute, TYPE_INTEGERS);
}

void espl_write_reference(espl_onnx_writer *writer, const char *name, const char *own)
{
	espl_message attribute = attribute_of(writer, name);

	espl_put_text(&attribute, ATTRIBUTE_REFERENCE, own);
	put_attribute(writer, &attribute, TYPE_INTEGER);
}

/* -- initializers ------------------------------------------------------------ */

/* Writes the tensor's head and leaves room for its elements, `bits` wide each. */
static const char *begin_tensor(espl_onnx_writer *writer, espl_message *tensor, const char *wish,
                                espl_element type, int rank, const int64_t *dims, int bytes,
                                int64_t *count, unsigned char **room)
{
	const char *name = espl_write_unique(writer, wish);

	*tensor = espl_message_in(writer->arena);
	*count = 1;
	for (int i = 0; i < rank; i++) {
		espl_put_integer(tensor, TENSOR_DIMS, dims[i]);
		*count *= dims[i];
	}
	espl_put_integer(tensor, TENSOR_TYPE, type);
	espl_put_text(tensor, TENSOR_NAME, name);
	*room = espl_put_room(tensor, TENSOR_RAW, (size_t)*count * (size_t)bytes);
	return name;
}

static void put_little_endian(unsigned char *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

const char *espl_write_int8s(espl_onnx_writer *writer, const char *wish, int rank,
                             const int64_t *dims, const int8_t *values)
{
	unsigned char *room;
	espl_message tensor;
	int64_t count;
	const char *name = begin_tensor(writer, &tensor, wish, ESPL_ELEMENT_INT8, rank, dims, 1,
	                                &count, &room);

	memcpy(room, values, (size_t)count);
	espl_put_message(&writer->initializers, GRAPH_INITIALIZER, &tensor);
	return name;
}

const char *espl_write_int32s(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const int32_t *values)
{
	unsigned char *room;
	espl_message tensor;
	int64_t count;
	const char *name = begin_tensor(writer, &tensor, wish, ESPL_ELEMENT_INT32, rank, dims, 4,
	                                &count, &room);

	for (int64_t i = 0; i < count; i++)
		put_little_endian(room + 4 * i, (uint32_t)values[i], 4);
	espl_put_message(&writer->initializers, GRAPH_INITIALIZER, &tensor);
	return name;
}

const char *espl_write_int64s(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const int64_t *values)
{
	unsigned char *room;
	espl_message tensor;
	int64_t count;
	const char *name = begin_tensor(writer, &tensor, wish, ESPL_ELEMENT_INT64, rank, dims, 8,
	                                &count, &room);

	for (int64_t i = 0; i < count; i++)
		put_little_endian(room + 8 * i, (uint64_t)values[i], 8);
	espl_put_message(&writer->initializers, GRAPH_INITIALIZER, &tensor);
	return name;
}

const char *espl_write_floats(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const float *values)
{
	unsigned char *room;
	espl_message tensor;
	int64_t count;
	const char *name = begin_tensor(writer, &tensor, wish, ESPL_ELEMENT_FLOAT, rank, dims, 4,
	                                &count, &room);

	for (int64_t i = 0; i < count; i++) {
		uint32_t bits;

		memcpy(&bits, &values[i], sizeof(bits));
		put_little_endian(room + 4 * i, bits, 4);
	}
	espl_put_message(&writer->initializers, GRAPH_INITIALIZER, &tensor);
	return name;
}

/* -- borders ----------------------------------------------------------------- */

static espl_message value_info(espl_onnx_writer *writer, const char *name, espl_element type,
                               int rank, const int64_t *dims)
{
	espl_message value = espl_message_in(writer->arena), shape = value, tensor = value,
	             kind = value, dim = value;

	espl_put_text(&dim, 2, "N"); /* dim_param */
	espl_put_message(&shape, 1, &dim);
	for (int i = 0; i < rank; i++) {
		dim.size = 0;
		espl_put_integer(&dim, 1, dims[i]); /* dim_value */
		espl_put_message(&shape, 1, &dim);
	}
	espl_put_integer(&tensor, 1, type); /* elem_type */
	espl_put_message(&tensor, 2, &shape);
	espl_put_message(&kind, 1, &tensor); /* tensor_type */
	espl_put_text(&value, 1, name);
	espl_put_message(&value, 2, &kind);
	return value;
}

void espl_write_input(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                      const int64_t *dims)
{
	const espl_message value = value_info(writer, name, type, rank, dims);

	espl_put_message(&writer->inputs, GRAPH_INPUT, &value);
}

void espl_write_output(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                       const int64_t *dims)
{
	const espl_message value = value_info(writer, name, type, rank, dims);

	espl_put_message(&writer->outputs, GRAPH_OUTPUT, &value);
}

void espl_write_value(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                      const int64_t *dims)
{
	const espl_message value = value_info(writer, name, type, rank, dims);

	espl_put_message(&writer->values, GRAPH_VALUE, &value);
}

/* -- functions and the whole ------------------------------------------------- */

static void put_opset(espl_message *message, int field, espl_arena *arena, const char *domain,
                      int version)
{
	espl_message opset = espl_message_in(arena);

	espl_put_text(&opset, 1, domain);
	espl_put_integer(&opset, 2, version);
	espl_put_message(message, field, &opset);
}

void espl_write_function_begin(espl_onnx_writer *writer)
{
	flush(writer);
	writer->in_function = true;
	writer->body = espl_message_in(writer->arena);
}

void espl_write_function_end(espl_onnx_writer *writer, const char *name, const char *const *inputs,
                             const char *const *attributes, const char *output, const char *doc)
{
	espl_message function = espl_message_in(writer->arena);

	flush(writer);
	writer->in_function = false;
	espl_put_text(&function, FUNCTION_NAME, name);
	for (; *inputs; inputs++)
		espl_put_text(&function, FUNCTION_INPUT, *inputs);
	espl_put_text(&function, FUNCTION_OUTPUT, output);
	for (; *attributes; attributes++)
		espl_put_text(&function, FUNCTION_ATTRIBUTE, *attributes);
	espl_append(&function, &writer->body);
	espl_put_text(&function, FUNCTION_DOC, doc);
	put_opset(&function, FUNCTION_OPSET, writer->arena, "", OPSET);
	espl_put_text(&function, FUNCTION_DOMAIN, ESPL_DOMAIN_OWN);
	espl_put_message(&writer->functions, MODEL_FUNCTION, &function);
}

espl_span espl_write_finish(espl_onnx_writer *writer, const char *version)
{
	espl_message model = espl_message_in(writer->arena), graph = model;

	flush(writer);
	espl_append(&graph, &writer->nodes);
	espl_put_text(&graph, GRAPH_NAME, writer->graph_name);
	espl_append(&graph, &writer->initializers);
	espl_append(&graph, &writer->inputs);
	espl_append(&graph, &writer->outputs);
	espl_append(&graph, &writer->values);
	espl_put_integer(&model, MODEL_IR_VERSION, IR_VERSION);
	espl_put_text(&model, MODEL_PRODUCER, "espalier");
	espl_put_text(&model, MODEL_PRODUCER_VERSION, version);
	espl_put_message(&model, MODEL_GRAPH, &graph);
	put_opset(&model, MODEL_OPSET, writer->arena, "", OPSET);
	if (writer->microsoft)
		put_opset(&model, MODEL_OPSET, writer->arena, ESPL_DOMAIN_MICROSOFT, 1);
	if (writer->own)
		put_opset(&model, MODEL_OPSET, writer->arena, ESPL_DOMAIN_OWN, 1);
	espl_append(&model, &writer->functions);
	return (espl_span){model.data, model.size};
}
