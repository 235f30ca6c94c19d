/* The importer of quantized ONNX: what its page says, and what it refuses.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include "tiny_onnx.h"
#include "unit.h"

#include <string.h>

/* docs/onnx.md lists exactly the operators that the importer has. */
static void the_page_lists_the_operators(void **state)
{
	espl_arena *arena = espl_arena_create();
	const char *at;
	espl_span page;
	int lines = 0;

	(void)state;
	assert_int_equal(espl_file_read("docs/onnx.md", arena, &page, NULL), ESPL_OK);
	for (int i = 0; i < espl_onnx_operator_count; i++) {
		const espl_onnx_operator *op = &espl_onnx_operators[i];
		const char *line = espl_arena_format(arena, "| `%s%s%s` | %s |\n", op->domain,
		                                     op->domain[0] ? "." : "", op->kind, op->text);

		if (!strstr((const char *)page.data, line))
			fail_msg("docs/onnx.md has no line %s", line);
	}
	for (at = (const char *)page.data; (at = strstr(at, "\n| `")); at++)
		lines++;
	assert_int_equal(lines, espl_onnx_operator_count);
	espl_arena_destroy(arena);
}

static void reads_a_small_model(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_span file = tiny_onnx(arena, TINY_ONNX_RIGHT);
	espl_report report;
	espl_error err = {0};
	espl_net *net;

	(void)state;
	assert_int_equal(espl_import_onnx(file, "tiny.onnx", arena, &net, &report, &err), ESPL_OK);
	assert_int_equal(net->rounding, ESPL_ROUND_ONNX);
	assert_int_equal(net->op_count, 1);
	assert_int_equal(net->ops[0].kind, ESPL_OP_DENSE);
	assert_int_equal(net->tensors[net->inputs[0]].channels, 4);
	assert_int_equal(net->tensors[net->inputs[0]].zero_point, -128 + 7);
	assert_int_equal(net->input_types[0], ESPL_TYPE_FLOAT32);
	/* the scale is float32(float32(0.5 * 0.25) / 2) */
	assert_true(espl_scale_to_float32(net->ops[0].scales[0]) == 0.0625f);
	assert_int_equal(net->ops[0].weights[6], 6);
	espl_arena_destroy(arena);
}

static void refuse(tiny_onnx_kind kind, espl_status status, const char *words)
{
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};
	espl_report report;
	espl_net *net = NULL;

	assert_int_equal(
	        espl_import_onnx(tiny_onnx(arena, kind), "tiny.onnx", arena, &net, &report, &err),
	        status);
	assert_null(net);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
	espl_arena_destroy(arena);
}

static void refuses_by_name(void **state)
{
	(void)state;
	refuse(TINY_ONNX_ZERO_SCALE, ESPL_UNSUPPORTED, "scale xs is 0, it must be positive");
	refuse(TINY_ONNX_INT16, ESPL_UNSUPPORTED, "activations are INT16");
	refuse(TINY_ONNX_UNKNOWN, ESPL_UNSUPPORTED, "node 1 Einsum: the operator is unknown");
	refuse(TINY_ONNX_OTHER_SCALE, ESPL_UNSUPPORTED, "was made with scale 0.5");
	refuse(TINY_ONNX_OTHER_SHAPE, ESPL_UNSUPPORTED, "the weights are 3x2, the input has 4");
	refuse(TINY_ONNX_FLOAT, ESPL_UNSUPPORTED, "a float model: quantize it first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_page_lists_the_operators),
	        cmocka_unit_test(reads_a_small_model),
	        cmocka_unit_test(refuses_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
