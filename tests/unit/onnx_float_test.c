/* Float ONNX models: what is refused, and in which words.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The models are made by the writer that export uses. What is read right is for
 * tests/models/onnx_trained_test.c and onnx_conformance.c.
 */
#include "export/onnx_writer.h"
#include "import/import.h"
#include "import/onnx_float.h"

#include "unit.h"

#include <string.h>

typedef struct {
	espl_arena *arena;
	espl_onnx_writer w;
} bench;

static const int64_t image[] = {3, 6, 5};

static bench begin(void)
{
	bench t = {.arena = espl_arena_create()};

	t.w = espl_writer_in(t.arena, "test");
	espl_write_input(&t.w, "x", ESPL_ELEMENT_FLOAT, 3, image);
	return t;
}

/* Ends the model with output y; the graph, or NULL and the message. */
static const espl_graph *end(bench *t, espl_error *err)
{
	espl_graph *graph = NULL;
	espl_span bytes;

	*err = (espl_error){0};
	espl_write_output(&t->w, "y", ESPL_ELEMENT_FLOAT, 3, image);
	bytes = espl_write_finish(&t->w, "test");
	if (espl_import_onnx_graph(bytes, "m.onnx", t->arena, &graph, NULL, err) != ESPL_OK)
		return NULL;
	return graph;
}

static void expect_refusal(bench *t, const char *part)
{
	espl_error err;

	assert_null(end(t, &err));
	assert_int_equal(err.status, ESPL_UNSUPPORTED);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" is not in \"%s\"", part, err.message);
	assert_null(strchr(err.message, '\n'));
	espl_arena_destroy(t->arena);
}

static const char *weights(bench *t, int64_t out, int64_t in, int64_t rows, int64_t columns)
{
	const int64_t dims[] = {out, in, rows, columns};

	return espl_write_floats(&t->w, "w", 4, dims,
	                         ESPL_ARRAY(t->arena, float, out *in *rows *columns));
}

static void unknown_operators_are_named(void **state)
{
	bench t = begin();

	(void)state;
	espl_write_node(&t.w, "", "LSTM", "cell", "a", ESPL_INPUTS("x"));
	espl_write_node(&t.w, "", "Relu", NULL, "b", ESPL_INPUTS("a"));
	espl_write_node(&t.w, "", "Einsum", NULL, "y", ESPL_INPUTS("b"));
	expect_refusal(&t, "2 of 3 nodes are refused: node 0 LSTM (a): LSTM is not supported; node "
	                   "2 Einsum (y): Einsum is not supported");
	t = begin();
	espl_write_node(&t.w, "com.example", "Relu", NULL, "y", ESPL_INPUTS("x"));
	expect_refusal(&t, "Relu of com.example is not supported");
}

static void convolutions_that_do_not_fit(void **state)
{
	bench t = begin();

	(void)state;
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", weights(&t, 4, 2, 3, 3)));
	expect_refusal(&t, "weights 4 x 2 in 1 groups for 3 channels");
	t = begin();
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", "x"));
	expect_refusal(&t, "the weights is computed from data, it must be a constant");
	t = begin();
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", weights(&t, 4, 3, 3, 3)));
	espl_write_integer(&t.w, "group", 0);
	expect_refusal(&t, "in 0 groups");
	t = begin();
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", weights(&t, 4, 3, 3, 3)));
	espl_write_integers(&t.w, "strides", (const int64_t[]){1, INT64_MAX}, 2);
	expect_refusal(&t, "stride 9223372036854775807");
	t = begin();
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", weights(&t, 4, 3, 3, 3)));
	espl_write_integers(&t.w, "pads", (const int64_t[]){-1, 0, 0, INT64_MIN}, 4);
	expect_refusal(&t, "pads of -1 and 0");
	t = begin();
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("x", weights(&t, 4, 3, 3, 3)));
	espl_write_integers(&t.w, "kernel_shape", (const int64_t[]){3, 1}, 2);
	expect_refusal(&t, "kernel_shape is not that of the weights");
}

static void orders_that_the_hardware_has_not(void **state)
{
	const int64_t three = 3, four = 4;
	bench t = begin();

	(void)state;
	espl_write_node(&t.w, "", "Transpose", NULL, "a", ESPL_INPUTS("x"));
	espl_write_integers(&t.w, "perm", (const int64_t[]){0, 2, 1, 3}, 4);
	espl_write_node(&t.w, "", "Conv", NULL, "y", ESPL_INPUTS("a", weights(&t, 4, 6, 1, 1)));
	expect_refusal(&t, "its input is transposed");
	t = begin();
	espl_write_node(&t.w, "", "Transpose", NULL, "y", ESPL_INPUTS("x"));
	espl_write_integers(&t.w, "perm", (const int64_t[]){0, 2, 2, 3}, 4);
	expect_refusal(&t, "perm is no order of 4 dimensions");
	t = begin();
	espl_write_node(&t.w, "", "Reshape", NULL, "y",
	                ESPL_INPUTS("x", espl_write_int64s(&t.w, "s", 1, &three,
	                                                   (const int64_t[]){1, 9, 10})));
	expect_refusal(&t, "tears a side of the data apart");
	t = begin();
	espl_write_node(&t.w, "", "Reshape", NULL, "y",
	                ESPL_INPUTS("x", espl_write_int64s(&t.w, "s", 1, &four,
	                                                   (const int64_t[]){1, 3, 6, 6})));
	expect_refusal(&t, "90 elements do not fit the shape");
	t = begin();
	espl_write_node(&t.w, "", "Reshape", NULL, "y",
	                ESPL_INPUTS("x", espl_write_int64s(&t.w, "s", 1, &three,
	                                                   (const int64_t[]){INT64_MAX, 2, -1})));
	expect_refusal(&t, "dimension 0 is");
}

static void constants_of_wrong_shapes(void **state)
{
	const int64_t two[] = {5}, many[] = {1 << 12, 1 << 13};
	bench t = begin();

	(void)state;
	espl_write_node(&t.w, "", "Add", NULL, "y",
	                ESPL_INPUTS("x", espl_write_floats(&t.w, "c", 1, two,
	                                                   (const float[]){1, 2, 3, 4, 5})));
	expect_refusal(&t, "varies over dimension 3");
	t = begin();
	espl_write_node(&t.w, "", "ConstantOfShape", NULL, "c",
	                ESPL_INPUTS(espl_write_int64s(&t.w, "s", 1, (const int64_t[]){2}, many)));
	espl_write_node(&t.w, "", "Add", NULL, "y", ESPL_INPUTS("x", "c"));
	expect_refusal(&t, "would take over");
	t = begin();
	espl_write_node(&t.w, "", "MaxPool", NULL, "y", ESPL_INPUTS("x"));
	espl_write_integers(&t.w, "kernel_shape", (const int64_t[]){2, 2}, 2);
	espl_write_integers(&t.w, "dilations", (const int64_t[]){2, 2}, 2);
	expect_refusal(&t, "a dilation of 2");
}

/* Upsampling after upsampling ends before sides overflow. */
static void values_that_grow_without_end(void **state)
{
	const int64_t four = 4;
	bench t = begin();
	const char *from = "x", *scales;
	espl_error err;

	(void)state;
	scales = espl_write_floats(&t.w, "s", 1, &four, (const float[]){1, 1, 16, 16});
	for (int i = 0; i < 20; i++) {
		const char *to = i == 19 ? "y" : espl_arena_format(t.arena, "up%d", i);

		espl_write_node(&t.w, "", "Resize", NULL, to, ESPL_INPUTS(from, "", scales));
		espl_write_text(&t.w, "coordinate_transformation_mode", "asymmetric");
		espl_write_text(&t.w, "nearest_mode", "floor");
		from = to;
	}
	assert_null(end(&t, &err));
	assert_int_equal(err.status, ESPL_RANGE);
	assert_string_equal(err.message, "up2 has over 67108864 elements");
	espl_arena_destroy(t.arena);
}

static void a_quantized_model_is_no_graph(void **state)
{
	bench t = begin();

	(void)state;
	espl_write_node(&t.w, "", "QuantizeLinear", NULL, "y", ESPL_INPUTS("x"));
	expect_refusal(&t, "the model is quantized");
}

/* Open sizes and borders of other types. */
static void borders_that_are_no_images(void **state)
{
	bench t = {.arena = espl_arena_create()};

	(void)state;
	t.w = espl_writer_in(t.arena, "test");
	espl_write_input(&t.w, "x", ESPL_ELEMENT_INT32, 3, image);
	espl_write_node(&t.w, "", "Relu", NULL, "y", ESPL_INPUTS("x"));
	expect_refusal(&t, "input x is INT32: a float graph has float32 inputs");
	t = (bench){.arena = espl_arena_create()};
	t.w = espl_writer_in(t.arena, "test");
	espl_write_input(&t.w, "x", ESPL_ELEMENT_FLOAT, 4, (const int64_t[]){2, 2, 2, 2});
	espl_write_node(&t.w, "", "Relu", NULL, "y", ESPL_INPUTS("x"));
	expect_refusal(&t, "over 4 dimensions");
}

/* Reading changes no bias that others see through another view. */
static void a_bias_is_added_where_only_one_sees_it(void **state)
{
	const int64_t one[] = {4, 1, 1};
	bench t = begin();
	const espl_graph *graph;
	const char *c;
	espl_error err;

	(void)state;
	c = espl_write_floats(&t.w, "c", 3, one, (const float[]){1, 2, 3, 4});
	espl_write_node(&t.w, "", "Conv", NULL, "a", ESPL_INPUTS("x", weights(&t, 4, 3, 1, 1)));
	espl_write_node(&t.w, "", "Identity", NULL, "b", ESPL_INPUTS("a"));
	espl_write_node(&t.w, "", "Add", NULL, "d", ESPL_INPUTS("b", c));
	espl_write_node(&t.w, "", "Add", NULL, "y", ESPL_INPUTS("a", "d"));
	graph = end(&t, &err);
	assert_non_null(graph);
	assert_int_equal(graph->node_count, 3); /* conv, offset, sum */
	assert_null(graph->nodes[0].bias);
	espl_arena_destroy(t.arena);
	t = begin();
	c = espl_write_floats(&t.w, "c", 3, one, (const float[]){1, 2, 3, 4});
	espl_write_node(&t.w, "", "Conv", NULL, "a", ESPL_INPUTS("x", weights(&t, 4, 3, 1, 1)));
	espl_write_node(&t.w, "", "Add", NULL, "y", ESPL_INPUTS("a", c));
	graph = end(&t, &err);
	assert_non_null(graph);
	assert_int_equal(graph->node_count, 1);
	assert_true(graph->nodes[0].bias[3] == 4);
	espl_arena_destroy(t.arena);
	t = begin(); /* no layer at all */
	c = espl_write_floats(&t.w, "c", 0, NULL, (const float[]){1});
	espl_write_node(&t.w, "", "Identity", NULL, "a", ESPL_INPUTS("x"));
	espl_write_node(&t.w, "", "Add", NULL, "y", ESPL_INPUTS("a", c));
	graph = end(&t, &err);
	assert_non_null(graph);
	assert_int_equal(graph->nodes[0].kind, ESPL_NODE_BATCH_NORM);
	espl_arena_destroy(t.arena);
}

/* The page for users lists what the code reads. */
static void the_page_lists_the_operators(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_span page;
	const char *text, *end;

	(void)state;
	assert_int_equal(espl_file_read("docs/onnx.md", arena, &page, NULL), ESPL_OK);
	text = strstr((const char *)page.data, "## Float models");
	assert_non_null(text);
	end = strstr(text, "## Export");
	assert_non_null(end);
	text = espl_arena_format(arena, "%.*s", (int)(end - text), text);
	for (int i = 0; espl_float_operator(i); i++)
		if (!strstr(text, espl_arena_format(arena, " %s ", espl_float_operator(i))) &&
		    !strstr(text, espl_arena_format(arena, " %s,", espl_float_operator(i))))
			fail_msg("docs/onnx.md does not list %s", espl_float_operator(i));
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(unknown_operators_are_named),
	        cmocka_unit_test(convolutions_that_do_not_fit),
	        cmocka_unit_test(orders_that_the_hardware_has_not),
	        cmocka_unit_test(constants_of_wrong_shapes),
	        cmocka_unit_test(values_that_grow_without_end),
	        cmocka_unit_test(a_quantized_model_is_no_graph),
	        cmocka_unit_test(borders_that_are_no_images),
	        cmocka_unit_test(a_bias_is_added_where_only_one_sees_it),
	        cmocka_unit_test(the_page_lists_the_operators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
