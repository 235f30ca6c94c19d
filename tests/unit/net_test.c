/* Is a net checked, counted, printed, and read back the same, and is bad text refused?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "import/import.h"
#include "ir/net.h"
#include "tiny_model.h"

#include <string.h>

static espl_net *import_tiny(espl_arena *arena)
{
	espl_net *net = NULL;

	assert_int_equal(espl_import_tflite(tiny_model(arena), "tiny.tflite", ESPL_ROUND_TFLM,
	                                    arena, &net, NULL, NULL),
	                 ESPL_OK);
	return net;
}

static void reads_back_what_it_prints(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_net *net = import_tiny(arena), *again;
	const char *text, *second;
	size_t size, second_size;

	(void)state;
	net->rounding = ESPL_ROUND_SINGLE;
	assert_int_equal(espl_net_print(net, arena, &text, &size, NULL), ESPL_OK);
	assert_int_equal(espl_net_parse(text, size, arena, &again, NULL), ESPL_OK);
	assert_int_equal(espl_net_print(again, arena, &second, &second_size, NULL), ESPL_OK);
	assert_int_equal(size, second_size);
	assert_memory_equal(text, second, size);
	assert_int_equal(again->input_types[0], ESPL_TYPE_FLOAT32);
	assert_memory_equal(again->tensors[3].name, net->tensors[3].name, 8);
	espl_arena_destroy(arena);
}

static void counts_multiplications(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_net *net = import_tiny(arena);

	(void)state;
	assert_int_equal(espl_op_multiplications(net, &net->ops[0]), 3 * 3 * 4 * 3 * 3 * 2);
	assert_int_equal(espl_op_multiplications(net, &net->ops[1]), 3 * 3 * 8 * 3 * 3);
	assert_int_equal(espl_op_multiplications(net, &net->ops[2]), 0);
	assert_int_equal(espl_op_multiplications(net, &net->ops[11]), 16 * 5);
	espl_arena_destroy(arena);
}

/* Each line breaks one thing of a good net; the message names it. */
static void refuses_broken_nets(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_net *net = import_tiny(arena);
	espl_op *conv = &net->ops[0];
	int32_t bias[4] = {INT32_MAX, 0, 0, 0};
	const espl_op saved_op = *conv;
	const espl_tensor saved_tensor = net->tensors[0];
	espl_error err = {0};

	(void)state;
	assert_int_equal(espl_net_check(net, &err), ESPL_OK);
	conv->output = 400;
	assert_int_equal(espl_net_check(net, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "conv_1: tensor 400, there are 14");
	*conv = saved_op;
	conv->inputs[0] = conv->output;
	assert_int_equal(espl_net_check(net, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "conv_1: tensor_f is read before it is written");
	*conv = saved_op;
	conv->stride_rows = 1;
	assert_int_equal(espl_net_check(net, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "conv_1: output is 3 x 3 x 4, conv makes 5 x 3 x 4");
	*conv = saved_op;
	conv->kernel_rows = 65;
	assert_int_equal(espl_net_check(net, &err), ESPL_RANGE);
	*conv = saved_op;
	conv->bias = bias;
	assert_int_equal(espl_net_check(net, &err), ESPL_RANGE);
	*conv = saved_op;
	net->tensors[0].scale = 0;
	assert_int_equal(espl_net_check(net, &err), ESPL_RANGE);
	assert_string_equal(err.message, "tensor_c: scale 0 is not positive");
	net->tensors[0] = saved_tensor;
	net->tensors[0].name = net->tensors[1].name;
	assert_int_equal(espl_net_check(net, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "two tensors are named tensor_f");
	net->tensors[0] = saved_tensor;
	net->tensors[0].channels = 1 << 30;
	assert_int_equal(espl_net_check(net, &err), ESPL_RANGE);
	espl_arena_destroy(arena);
}

/* Replaces one text by another; the result must be refused with this message. */
static void expect_refusal(espl_arena *arena, const char *text, const char *from, const char *to,
                           const char *where, const char *message)
{
	const char *at = strstr(text, from);
	espl_error err = {0};
	espl_net *net = NULL;
	const char *changed;

	assert_non_null(at);
	changed =
	        espl_arena_format(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	assert_int_not_equal(espl_net_parse(changed, strlen(changed), arena, &net, &err), ESPL_OK);
	assert_null(net);
	assert_string_equal(err.where, where);
	assert_string_equal(err.message, message);
}

static void refuses_bad_text(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_net *net = import_tiny(arena);
	const char *text;
	size_t size;

	(void)state;
	assert_int_equal(espl_net_print(net, arena, &text, &size, NULL), ESPL_OK);
	expect_refusal(arena, text, "\"format\": 1", "\"format\": 2", "",
	               "\"format\" is 2, it must be 1");
	expect_refusal(arena, text, "\"conv\"", "\"warp\"", "op 0",
	               "operators of kind \"warp\" are unknown");
	expect_refusal(arena, text, "\"kernel\": [3, 3]", "\"kernel\": [32767, 32767]", "op 0",
	               "\"weights\" has 72 values, it must have 8589410312");
	expect_refusal(arena, text, "\"shape\": [3, 3, 4]", "\"shape\": [1, 1, 67108864]", "op 0",
	               "\"bias\" has 4 values, it must have 67108864");
	expect_refusal(arena, text, "\"output\": 1", "\"output\": -1", "op 0",
	               "\"output\" is -1, it must be 0 to 13");
	expect_refusal(arena, text, "\"inputs\": [0]", "\"inputs\": []", "op 0",
	               "0 inputs, 1 to 16 are allowed");
	expect_refusal(arena, text, "\"bias\": [-1500", "\"bias\": [2147483648", "op 0",
	               "\"bias\" is 2147483648, it must be -2147483648 to 2147483647");
	expect_refusal(arena, text, "\"low\": -128", "\"low\": 127", "",
	               "conv_1: high is -104, it must be 127 to 127");
	expect_refusal(arena, text, "\"exponents\": [-5", "\"exponents\": [25", "",
	               "conv_1: channel 0 sums to -142143..140907, which needs over 32 bits times "
	               "2^25");
	espl_arena_destroy(arena);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void survives_random_changes(void **state)
{
	static const char digits[] = "0123456789-,[]{}\":. e";
	espl_arena *arena = espl_arena_create();
	const espl_net *net = import_tiny(arena);
	uint32_t random = 1;
	const char *text;
	size_t size;

	(void)state;
	assert_int_equal(espl_net_print(net, arena, &text, &size, NULL), ESPL_OK);
	for (int i = 0; i < 1500; i++) {
		const espl_mark mark = espl_arena_mark(arena);
		char *copy = espl_arena_copy(arena, text, size);
		espl_net *again;

		for (uint32_t n = next_random(&random) % 3; n < 3; n++)
			copy[next_random(&random) % size] =
			        digits[next_random(&random) % (sizeof digits - 1)];
		(void)espl_net_parse(copy, size, arena, &again, NULL);
		espl_arena_release(arena, mark);
	}
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_back_what_it_prints),
	        cmocka_unit_test(counts_multiplications),
	        cmocka_unit_test(refuses_broken_nets),
	        cmocka_unit_test(refuses_bad_text),
	        cmocka_unit_test(survives_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
