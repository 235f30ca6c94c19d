/* A small ONNX model made by hand, right or with one thing wrong.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiny_onnx.h"

#include "import/onnx_model.h"

#include <string.h>

/* A message under construction. */
typedef struct {
	unsigned char bytes[4096];
	size_t size;
} message;

static void put_varint(message *m, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		m->bytes[m->size++] = (unsigned char)(value | 0x80);
	m->bytes[m->size++] = (unsigned char)value;
}

static void put_integer(message *m, int number, uint64_t value)
{
	put_varint(m, (uint64_t)number << 3);
	put_varint(m, value);
}

static void put_bytes(message *m, int number, const void *bytes, size_t size)
{
	put_varint(m, (uint64_t)number << 3 | 2);
	put_varint(m, size);
	memcpy(m->bytes + m->size, bytes, size);
	m->size += size;
}

static void put_text(message *m, int number, const char *text)
{
	put_bytes(m, number, text, strlen(text));
}

static void put_message(message *m, int number, const message *inner)
{
	put_bytes(m, number, inner->bytes, inner->size);
}

/* A constant; rank 0 for a single number. */
static void put_constant(message *graph, const char *name, int type, int rank, const int *dims,
                         const void *raw, size_t size)
{
	message tensor = {.size = 0};

	for (int i = 0; i < rank; i++)
		put_integer(&tensor, 1, (uint64_t)dims[i]);
	put_integer(&tensor, 2, (uint64_t)type);
	put_text(&tensor, 8, name);
	put_bytes(&tensor, 9, raw, size);
	put_message(graph, 5, &tensor);
}

static void put_scale(message *graph, const char *name, float value)
{
	put_constant(graph, name, ESPL_ONNX_FLOAT, 0, NULL, &value, sizeof value);
}

static void put_border(message *graph, int number, const char *name, int columns)
{
	message dim[2] = {{.size = 0}, {.size = 0}}, shape = {.size = 0}, tensor = {.size = 0},
	        type = {.size = 0}, value = {.size = 0};

	put_text(&dim[0], 2, "batch");
	put_integer(&dim[1], 1, (uint64_t)columns);
	put_message(&shape, 1, &dim[0]);
	put_message(&shape, 1, &dim[1]);
	put_integer(&tensor, 1, ESPL_ONNX_FLOAT);
	put_message(&tensor, 2, &shape);
	put_message(&type, 1, &tensor);
	put_text(&value, 1, name);
	put_message(&value, 2, &type);
	put_message(graph, number, &value);
}

/* A node with its inputs in one text, a space between. */
static void put_node(message *graph, const char *kind, const char *inputs, const char *output)
{
	message node = {.size = 0};

	while (*inputs) {
		const size_t length = strcspn(inputs, " ");

		put_bytes(&node, 1, inputs, length);
		inputs += length + (inputs[length] == ' ');
	}
	put_text(&node, 2, output);
	put_text(&node, 4, kind);
	put_message(graph, 1, &node);
}

espl_span tiny_onnx(espl_arena *arena, tiny_onnx_kind kind)
{
	static const signed char weights[] = {1, -2, 3, -4, 5, 6, -7, 8};
	static const unsigned char zero_x[] = {7, 0}, zero_y[] = {128};
	static const signed char zero_w[] = {0};
	const int wide[] = {4, 2}, narrow[] = {3, 2};
	const bool is_float = kind == TINY_ONNX_FLOAT, other = kind == TINY_ONNX_OTHER_SHAPE;
	message graph = {.size = 0}, model = {.size = 0}, opset = {.size = 0};

	put_border(&graph, 11, "x", 4);
	put_border(&graph, 12, "y", is_float ? 4 : 2);
	put_scale(&graph, "xs", kind == TINY_ONNX_ZERO_SCALE ? 0 : 0.5f);
	put_scale(&graph, "xs2", kind == TINY_ONNX_OTHER_SCALE ? 0.75f : 0.5f);
	put_scale(&graph, "ws", 0.25f);
	put_scale(&graph, "ys", 2);
	if (kind == TINY_ONNX_INT16)
		put_constant(&graph, "xz", ESPL_ONNX_INT16, 0, NULL, zero_x, 2);
	else
		put_constant(&graph, "xz", ESPL_ONNX_UINT8, 0, NULL, zero_x, 1);
	put_constant(&graph, "wz", ESPL_ONNX_INT8, 0, NULL, zero_w, 1);
	put_constant(&graph, "yz", ESPL_ONNX_UINT8, 0, NULL, zero_y, 1);
	put_constant(&graph, "w", ESPL_ONNX_INT8, 2, other ? narrow : wide, weights, other ? 6 : 8);
	if (is_float) {
		put_node(&graph, "Relu", "x", "y");
	} else {
		put_node(&graph, "QuantizeLinear", "x xs xz", "xq");
		if (kind == TINY_ONNX_UNKNOWN)
			put_node(&graph, "Einsum", "xq w", "yq");
		else
			put_node(&graph, "QLinearMatMul", "xq xs2 xz w ws wz ys yz", "yq");
		put_node(&graph, "DequantizeLinear", "yq ys yz", "y");
	}
	put_text(&opset, 1, "");
	put_integer(&opset, 2, 13);
	put_integer(&model, 1, 8);
	put_message(&model, 8, &opset);
	put_message(&model, 7, &graph);
	return (espl_span){espl_arena_copy(arena, model.bytes, model.size), model.size};
}
