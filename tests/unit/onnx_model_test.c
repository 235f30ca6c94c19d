/* The ONNX reader: what it takes out of a file, and what it refuses.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_model.h"
#include "import/protobuf.h"

#include "unit.h"

#include <string.h>

/* A message under construction. */
typedef struct {
	unsigned char bytes[4096];
	size_t size;
} message;

static void put_varint(message *m, uint64_t value)
{
	while (value >= 0x80) {
		m->bytes[m->size++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	m->bytes[m->size++] = (unsigned char)value;
}

static void put_integer(message *m, int number, int64_t value)
{
	put_varint(m, (uint64_t)number << 3);
	put_varint(m, (uint64_t)value);
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

static message value(const char *name, int type, int dim)
{
	message dimension = {0}, shape = {0}, tensor = {0}, whole = {0}, out = {0};

	put_integer(&dimension, 1, dim);
	put_message(&shape, 1, &dimension);
	put_integer(&tensor, 1, type);
	put_message(&tensor, 2, &shape);
	put_message(&whole, 1, &tensor);
	put_text(&out, 1, name);
	put_message(&out, 2, &whole);
	return out;
}

static message node(const char *kind, const char *first, const char *second, const char *output)
{
	message out = {0}, attribute = {0};
	const unsigned char packed[] = {3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};

	put_text(&out, 1, first);
	put_text(&out, 1, second);
	put_text(&out, 2, output);
	put_text(&out, 3, "the_node");
	put_text(&out, 4, kind);
	put_text(&attribute, 1, "pads");
	put_integer(&attribute, 8, 7);
	put_bytes(&attribute, 8, packed, sizeof packed); /* 3, -1 */
	put_integer(&attribute, 20, 7);
	put_message(&out, 5, &attribute);
	put_text(&out, 7, "ai.onnx");
	return out;
}

static message tensor(const char *name, int type, int dim, const void *raw, size_t size)
{
	message out = {0};

	put_integer(&out, 1, dim);
	put_integer(&out, 2, type);
	put_text(&out, 8, name);
	put_bytes(&out, 9, raw, size);
	return out;
}

static message whole(const message *graph)
{
	message opset = {0}, out = {0};

	put_integer(&out, 1, 8);
	put_text(&out, 2, "by hand");
	put_text(&opset, 1, "");
	put_integer(&opset, 2, 13);
	put_message(&out, 8, &opset);
	put_message(&out, 7, graph);
	return out;
}

/* y = Add(x, w) */
static message small_graph(const message *weights)
{
	const message in = value("x", ESPL_ONNX_FLOAT, 4), out = value("y", ESPL_ONNX_FLOAT, 4);
	const message add = node("Add", "x", "w", "y");
	message graph = {0};

	put_message(&graph, 1, &add);
	put_text(&graph, 2, "small");
	put_message(&graph, 5, weights);
	put_message(&graph, 11, &in);
	put_message(&graph, 12, &out);
	return graph;
}

static espl_status read_message(const message *m, espl_arena *arena, espl_onnx_model **model,
                                espl_error *err)
{
	return espl_onnx_read((espl_span){m->bytes, m->size}, arena, model, err);
}

static void reads_a_graph(void **state)
{
	const signed char raw[] = {1, -2, 3, -128};
	const message weights = tensor("w", ESPL_ONNX_INT8, 4, raw, 4);
	const message graph = small_graph(&weights), file = whole(&graph);
	espl_arena *arena = espl_arena_create();
	const espl_onnx_attribute *pads;
	const espl_onnx_node *first;
	espl_onnx_model *model;
	espl_error err;

	(void)state;
	assert_true(espl_onnx_recognise((espl_span){file.bytes, file.size}));
	assert_int_equal(read_message(&file, arena, &model, &err), ESPL_OK);
	assert_int_equal(espl_onnx_opset_version(model, ""), 13);
	assert_int_equal(espl_onnx_opset_version(model, "com.microsoft"), 0);
	assert_string_equal(model->producer, "by hand");
	assert_int_equal(model->node_count, 1);
	first = &model->nodes[0];
	assert_string_equal(first->kind, "Add");
	assert_string_equal(first->domain, "");
	assert_int_equal(first->input_count, 2);
	assert_int_equal(first->inputs[0], model->inputs[0]);
	assert_int_equal(model->values[first->outputs[0]].producer, 0);
	assert_int_equal(model->values[first->inputs[0]].dims[0], 4);
	assert_int_equal(model->values[first->inputs[0]].type, ESPL_ONNX_FLOAT);
	assert_int_equal(espl_onnx_integer_at(model->values[first->inputs[1]].initializer, 3),
	                 -128);
	pads = espl_onnx_find(first, "pads");
	assert_non_null(pads);
	assert_int_equal(pads->count, 3);
	assert_int_equal(pads->integers[0], 7);
	assert_int_equal(pads->integers[1], 3);
	assert_int_equal(pads->integers[2], -1);
	espl_arena_destroy(arena);
}

/* The element at `index` of a tensor made of a typed field. */
static double typed_element(int type, int dim, int field, const void *packed, size_t size,
                            int index)
{
	espl_arena *arena = espl_arena_create();
	message weights = {0}, graph, file;
	const espl_onnx_tensor *read;
	espl_onnx_model *model;
	espl_error err;
	double element;

	put_integer(&weights, 1, dim);
	put_integer(&weights, 2, type);
	put_bytes(&weights, field, packed, size);
	put_text(&weights, 8, "w");
	graph = small_graph(&weights);
	file = whole(&graph);
	assert_int_equal(read_message(&file, arena, &model, &err), ESPL_OK);
	read = model->values[model->nodes[0].inputs[1]].initializer;
	assert_int_equal(read->count, dim);
	element = espl_onnx_real_at(read, index);
	espl_arena_destroy(arena);
	return element;
}

static void reads_typed_elements(void **state)
{
	const unsigned char minus_one[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                   0xff, 0xff, 0xff, 1,    5};
	const unsigned char nibbles[] = {0x8f, 0x01, 0x03}; /* varint 143 = 0x8f, then 3 */
	const unsigned char one_and_half[] = {0, 0, 0xc0, 0x3f};
	const unsigned char half[] = {0x80, 0x70}; /* varint 0x3800: 0.5 as float16 */

	(void)state;
	assert_true(typed_element(ESPL_ONNX_INT8, 2, 5, minus_one, sizeof minus_one, 0) == -1);
	assert_true(typed_element(ESPL_ONNX_INT32, 2, 5, minus_one, sizeof minus_one, 1) == 5);
	assert_true(typed_element(ESPL_ONNX_INT64, 2, 7, minus_one, sizeof minus_one, 0) == -1);
	assert_true(typed_element(ESPL_ONNX_INT4, 3, 5, nibbles, sizeof nibbles, 0) == -1);
	assert_true(typed_element(ESPL_ONNX_INT4, 3, 5, nibbles, sizeof nibbles, 1) == -8);
	assert_true(typed_element(ESPL_ONNX_UINT4, 3, 5, nibbles, sizeof nibbles, 1) == 8);
	assert_true(typed_element(ESPL_ONNX_UINT4, 3, 5, nibbles, sizeof nibbles, 2) == 3);
	assert_true(typed_element(ESPL_ONNX_FLOAT, 1, 4, one_and_half, 4, 0) == 1.5);
	assert_true(typed_element(ESPL_ONNX_FLOAT16, 1, 5, half, sizeof half, 0) == 0.5);
}

/* A file with one thing wrong is refused with these words. */
static void refuse(const message *graph, espl_status status, const char *words)
{
	espl_arena *arena = espl_arena_create();
	const message file = whole(graph);
	espl_onnx_model *model = NULL;
	espl_error err = {0};

	assert_int_equal(read_message(&file, arena, &model, &err), status);
	assert_null(model);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
	espl_arena_destroy(arena);
}

static void refuses_what_does_not_fit_together(void **state)
{
	const message short_weights = tensor("w", ESPL_ONNX_INT8, 4, "abc", 3);
	const message other = tensor("v", ESPL_ONNX_INT8, 4, "abcd", 4);
	const message huge = tensor("w", ESPL_ONNX_INT8, 1 << 30, "abcd", 4);
	const message odd = tensor("w", 77, 4, "abcd", 4);
	const message quoted = tensor("w\"; $(reboot)", ESPL_ONNX_INT8, 4, "abcd", 4);
	const message weights = tensor("w", ESPL_ONNX_INT8, 4, "abcd", 4);
	const message add = node("Add", "z", "w", "x"), more = node("Mul", "x", "y", "z");
	message graph = small_graph(&short_weights);

	(void)state;
	refuse(&graph, ESPL_SHAPE, "tensor w has 3 bytes, its type and dimensions make 4");
	graph = small_graph(&other);
	refuse(&graph, ESPL_SHAPE, "node 0 Add (the_node) reads w, which is no input");
	graph = small_graph(&huge);
	refuse(&graph, ESPL_RANGE, "dimension 0 is 1073741824");
	graph = small_graph(&odd);
	refuse(&graph, ESPL_UNSUPPORTED, "elements of type 77");
	graph = small_graph(&quoted);
	refuse(&graph, ESPL_RANGE, "a character that is not allowed");
	graph = small_graph(&weights);
	put_message(&graph, 1, &add);
	refuse(&graph, ESPL_SHAPE, "which is no input, no initializer");
	put_message(&graph, 1, &more);
	refuse(&graph, ESPL_SHAPE, "node 1 Add (the_node) reads z, which node 2 Mul");
	graph = small_graph(&weights);
	put_message(&graph, 5, &weights);
	refuse(&graph, ESPL_SHAPE, "two initializers are named w");
	graph = small_graph(&weights);
	put_message(&graph, 15, &weights);
	refuse(&graph, ESPL_UNSUPPORTED, "sparse initializer");
}

static void refuses_data_in_other_files(void **state)
{
	message weights = {0}, entry = {0}, graph, outside = {0};

	(void)state;
	put_text(&entry, 1, "location");
	put_text(&entry, 2, "weights.bin");
	put_text(&outside, 1, "location");
	put_text(&outside, 2, "../../etc/passwd");
	put_text(&weights, 8, "w");
	put_integer(&weights, 1, 4);
	put_integer(&weights, 2, 3);
	put_message(&weights, 13, &entry);
	graph = small_graph(&weights);
	refuse(&graph, ESPL_UNSUPPORTED, "its data lies in weights.bin; save the model");
	weights.size = 0;
	put_text(&weights, 8, "w");
	put_message(&weights, 13, &outside);
	graph = small_graph(&weights);
	refuse(&graph, ESPL_UNSUPPORTED, "../../etc/passwd, outside the model's folder");
}

/* Cut anywhere, a file is read or refused, but nothing behind the cut is looked at. */
static void survives_every_cut(void **state)
{
	const message weights = tensor("w", ESPL_ONNX_INT8, 4, "abcd", 4);
	const message graph = small_graph(&weights), file = whole(&graph);
	int refused = 0;

	(void)state;
	for (size_t size = 0; size < file.size; size++) {
		espl_arena *arena = espl_arena_create();
		unsigned char *cut = espl_arena_copy(arena, file.bytes, size);
		espl_onnx_model *model;
		espl_error err = {0};

		refused += espl_onnx_read((espl_span){cut, size}, arena, &model, &err) != ESPL_OK;
		assert_null(strchr(err.message, '\n'));
		espl_arena_destroy(arena);
	}
	assert_int_equal(refused, (int)file.size); /* the graph is last and needed */
}

static void refuses_a_pointer_to_large_storage(void **state)
{
	static const char text[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
	espl_onnx_model *model;
	espl_error err;

	(void)state;
	assert_int_equal(espl_onnx_read((espl_span){(const unsigned char *)text, sizeof text - 1},
	                                NULL, &model, &err),
	                 ESPL_SYNTAX);
	assert_non_null(strstr(err.message, "git lfs pull"));
}

static void stops_at_the_depth_limit(void **state)
{
	espl_wire_file file = {.file = {(const unsigned char *)"", 0}};
	const espl_wire_field field = {.number = 1, .type = ESPL_WIRE_BYTES, .bytes = file.file};
	espl_wire wire = espl_wire_root(&file);

	(void)state;
	for (int depth = 0; depth < ESPL_WIRE_DEPTH_MAX; depth++)
		wire = espl_wire_open(&wire, &field);
	assert_null(file.broken);
	wire = espl_wire_open(&wire, &field);
	assert_non_null(file.broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_a_graph),
	        cmocka_unit_test(reads_typed_elements),
	        cmocka_unit_test(refuses_what_does_not_fit_together),
	        cmocka_unit_test(refuses_data_in_other_files),
	        cmocka_unit_test(survives_every_cut),
	        cmocka_unit_test(refuses_a_pointer_to_large_storage),
	        cmocka_unit_test(stops_at_the_depth_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
