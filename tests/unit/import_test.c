/* Is a .tflite file understood, refused with reasons, and survived when it is damaged?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "import/import.h"
#include "tiny_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static espl_net *import_tiny(espl_arena *arena, espl_report *report)
{
	espl_net *net = NULL;
	espl_error err = {0};

	if (espl_import_tflite(tiny_model(arena), "some/tiny.tflite", ESPL_ROUND_TFLM, arena, &net,
	                       report, &err) != ESPL_OK)
		fail_msg("%s: %s", err.where, err.message);
	return net;
}

static void reads_every_operator(void **state)
{
	static const espl_op_kind kinds[] = {
	        ESPL_OP_CONV,         ESPL_OP_DEPTHWISE, ESPL_OP_ADD,    ESPL_OP_PAD,
	        ESPL_OP_MAX_POOL,     ESPL_OP_LOGISTIC,  ESPL_OP_CONCAT, ESPL_OP_MEAN,
	        ESPL_OP_AVERAGE_POOL, ESPL_OP_RESHAPE,   ESPL_OP_ADD,    ESPL_OP_DENSE,
	        ESPL_OP_SOFTMAX,
	};
	espl_arena *arena = espl_arena_create();
	espl_report report;
	const espl_net *net = import_tiny(arena, &report);

	(void)state;
	assert_string_equal(net->name, "tiny");
	assert_int_equal(net->op_count, (int)(sizeof kinds / sizeof kinds[0]));
	for (int i = 0; i < net->op_count; i++)
		assert_int_equal(net->ops[i].kind, kinds[i]);
	assert_int_equal(report.count, TINY_MODEL_OPS);
	assert_int_equal(report.refused, 0);
	assert_string_equal(report.verdicts[1].kind, "CONV_2D");
	assert_int_equal(net->input_types[0], ESPL_TYPE_FLOAT32);
	assert_int_equal(net->output_types[0], ESPL_TYPE_FLOAT32);
	assert_int_equal(net->tensors[net->outputs[0]].channels, 5);
	espl_arena_destroy(arena);
}

static void makes_padding_explicit(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_net *net = import_tiny(arena, NULL);
	const espl_op *conv = &net->ops[0], *pad = &net->ops[3];

	(void)state;
	assert_int_equal(conv->pad_top, 0); /* 6 rows by 2: the odd one is at the end */
	assert_int_equal(conv->pad_bottom, 1);
	assert_int_equal(conv->pad_left, 1);
	assert_int_equal(conv->pad_right, 1);
	assert_int_equal(pad->pad_top, 1);
	assert_int_equal(pad->pad_bottom, 1);
	assert_int_equal(pad->pad_left, 1);
	assert_int_equal(pad->pad_right, 0);
	espl_arena_destroy(arena);
}

static void computes_scales_and_clamps(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_net *net = import_tiny(arena, NULL);
	const espl_op *conv = &net->ops[0], *add = &net->ops[2], *mean = &net->ops[7];

	(void)state;
	assert_false(conv->scale_per_tensor);
	assert_int_equal(conv->scales[1].exponent, -4); /* 0.5 * 0.02 / 0.25 = 0.04 */
	assert_int_equal(conv->low, -128);
	assert_int_equal(conv->high, -128 + 24);                 /* 6 / 0.25 */
	assert_int_equal(add->in_scales[0].multiplier, 1 << 30); /* a half */
	assert_int_equal(add->in_scales[0].exponent, 0);
	assert_int_equal(add->out_scale.exponent, -19); /* 0.5 / (2^20 * 0.5) */
	assert_int_equal(mean->out_scale.exponent, -2); /* over 4 cells */
	assert_true(net->ops[11].scale_per_tensor);
	assert_int_equal(net->ops[5].table[255], 127);
	espl_arena_destroy(arena);
}

static void lists_what_it_refuses(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_report report;
	espl_error err = {0};
	espl_net *net = NULL;
	const espl_span file = tiny_model_with_code(arena, 5, 28);

	(void)state;
	assert_int_equal(
	        espl_import_tflite(file, "m.tflite", ESPL_ROUND_TFLM, arena, &net, &report, &err),
	        ESPL_UNSUPPORTED);
	assert_null(net);
	assert_string_equal(err.where, "m.tflite");
	assert_string_equal(err.message, "1 of 15 operators are refused; op 5 TANH: the operator "
	                                 "is not supported");
	assert_int_equal(report.refused, 1);
	assert_false(report.verdicts[5].supported);
	assert_true(report.verdicts[6].supported);
	espl_arena_destroy(arena);
}

static void reads_its_own_text_from_a_file(void **state)
{
	const char *path = "/tmp/espalier_import_test.json";
	espl_arena *arena = espl_arena_create();
	espl_net *net = import_tiny(arena, NULL), *again;
	espl_report report;
	espl_error err = {0};
	const char *text;
	size_t size;

	(void)state;
	assert_int_equal(espl_net_print(net, arena, &text, &size, NULL), ESPL_OK);
	assert_int_equal(espl_file_write(path, text, size, NULL), ESPL_OK);
	assert_int_equal(espl_import(path, ESPL_ROUND_TFLM, arena, &again, &report, &err), ESPL_OK);
	assert_int_equal(report.count, net->op_count);
	assert_int_equal(espl_file_write(path, "hello", 5, NULL), ESPL_OK);
	assert_int_equal(espl_import(path, ESPL_ROUND_TFLM, arena, &again, &report, &err),
	                 ESPL_SYNTAX);
	remove(path);
	assert_int_equal(espl_import(path, ESPL_ROUND_TFLM, arena, &again, &report, &err), ESPL_IO);
	espl_arena_destroy(arena);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Imports a copy that ends where its memory ends. What is accepted must be a checked net. */
static void import_bytes(const unsigned char *bytes, size_t size)
{
	espl_arena *arena = espl_arena_create();
	const espl_span file = {espl_arena_copy(arena, bytes, size), size};
	espl_report report;
	espl_net *net;

	if (espl_import_tflite(file, "damaged", ESPL_ROUND_TFLM, arena, &net, &report, NULL) ==
	    ESPL_OK)
		assert_int_equal(espl_net_check(net, NULL), ESPL_OK);
	espl_arena_destroy(arena);
}

/* Truncates the file to about `cuts` lengths and flips bytes `flips` times. */
static void damage(espl_span file, size_t cuts, int flips)
{
	espl_arena *arena = espl_arena_create();
	unsigned char *bytes = espl_arena_copy(arena, file.data, file.size);
	uint32_t random = 2463534242u;

	for (size_t size = 0; size < file.size; size += 1 + file.size / cuts)
		import_bytes(bytes, size);
	for (int i = 0; i < flips; i++) {
		size_t places[4];
		const uint32_t count = 1 + next_random(&random) % 4;

		for (uint32_t j = 0; j < count; j++) {
			places[j] = next_random(&random) % file.size;
			bytes[places[j]] = (unsigned char)next_random(&random);
		}
		import_bytes(bytes, file.size);
		for (uint32_t j = 0; j < count; j++)
			bytes[places[j]] = file.data[places[j]];
	}
	espl_arena_destroy(arena);
}

static void survives_damage(void **state)
{
	espl_arena *arena = espl_arena_create();

	(void)state;
	damage(tiny_model(arena), 2000, 6000);
	espl_arena_destroy(arena);
}

/* The published models, where they are at hand. */
static void survives_damage_to_real_models(void **state)
{
	static const char *const names[] = {"kws_ref_model", "str_ww_ref_model",
	                                    "pretrainedResnet_quant", "vww_96_int8"};
	const char *folder = getenv("ESPALIER_MODELS");
	espl_arena *arena = espl_arena_create();

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *path =
		        espl_arena_format(arena, "%s/mlperf-tiny/models/int8/%s.tflite",
		                          folder ? folder : "../shared/models", names[i]);
		espl_span file;

		if (espl_file_read(path, arena, &file, NULL) == ESPL_OK)
			damage(file, 60, 150);
	}
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_every_operator),
	        cmocka_unit_test(makes_padding_explicit),
	        cmocka_unit_test(computes_scales_and_clamps),
	        cmocka_unit_test(lists_what_it_refuses),
	        cmocka_unit_test(reads_its_own_text_from_a_file),
	        cmocka_unit_test(survives_damage),
	        cmocka_unit_test(survives_damage_to_real_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
