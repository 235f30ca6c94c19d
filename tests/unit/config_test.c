/* Is a config read with its defaults, and what is wrong in it refused by key and value?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "folder_fixture.h"
#include "unit.h"

#include "base/file.h"
#include "compress/config.h"

#include <stdlib.h>
#include <string.h>

static const char *path;

static int open_config(void **state)
{
	const int failed = open_folder(state);

	path = failed ? NULL : espl_arena_format(arena, "%s/config.json", folder);
	return failed;
}

static espl_status read(const char *text, espl_compress_config *out, espl_error *err)
{
	assert_int_equal(espl_file_write(path, text, strlen(text), NULL), 0);
	return espl_compress_config_read(path, arena, out, err);
}

static void all_keys_are_taken(void **state)
{
	espl_compress_config c;

	(void)state;
	assert_int_equal(
	        read("{\"model\": \"student.json\", \"data\": \"/data\", \"teacher\": \"t.json\",\n"
	             " \"validation\": 100, \"threads\": 2, \"batch\": 64, \"seed\": 7,\n"
	             " \"distil\": {\"epochs\": 3, \"rate\": 0.2, \"weight_decay\": 0.001,\n"
	             "  \"temperature\": 2, \"mix\": 0.5, \"optimizer\": \"adam\", \"flip\": "
	             "true,\n"
	             "  \"samples\": 1000},\n"
	             " \"prune\": {\"sparsity\": 0.8, \"pattern\": \"balanced:8\",\n"
	             "  \"rank\": \"cycles\", \"edges\": 0.25, \"regrow\": 0.3, \"epochs\": 4},\n"
	             " \"quantize\": {\"weight_bits\": 4, \"activation_bits\": 6,\n"
	             "  \"weight_bytes\": 5000000000, \"calibration\": 256, \"epochs\": 2}}",
	             &c, NULL),
	        0);
	assert_string_equal(c.model, espl_arena_format(arena, "%s/student.json", folder));
	assert_string_equal(c.data, "/data");
	assert_string_equal(c.teacher, espl_arena_format(arena, "%s/t.json", folder));
	assert_true(c.validation == 100 && c.threads == 2 && c.batch == 64 && c.seed == 7);
	assert_true(c.wanted[0] && c.wanted[1] && c.wanted[2]);
	assert_int_equal(c.training[ESPL_STAGE_DISTIL].epochs, 3);
	assert_true(c.training[ESPL_STAGE_DISTIL].rate == 0.2);
	assert_true(c.training[ESPL_STAGE_DISTIL].weight_decay == 0.001);
	assert_true(c.training[ESPL_STAGE_DISTIL].temperature == 2);
	assert_int_equal(c.training[ESPL_STAGE_DISTIL].optimizer, ESPL_OPTIMIZER_ADAM);
	assert_true(c.training[ESPL_STAGE_DISTIL].flip && !c.training[ESPL_STAGE_PRUNE].flip);
	assert_int_equal(c.training[ESPL_STAGE_DISTIL].samples, 1000);
	for (int s = 0; s < ESPL_STAGE_COUNT; s++)
		assert_true(c.training[s].batch == 64 && c.training[s].seed == 7 &&
		            c.training[s].threads == 2);
	assert_true(c.quantize.seed == 7 && c.quantize.threads == 2);
	assert_true(c.training[ESPL_STAGE_DISTIL].mix == 0.5);
	assert_int_equal(c.training[ESPL_STAGE_PRUNE].epochs, 4);
	assert_true(c.prune.sparsity == 0.8 && c.prune.rule.edges == 0.25 && c.prune.regrow == 0.3);
	assert_int_equal(c.prune.rule.pattern.kind, ESPL_PATTERN_BALANCED);
	assert_int_equal(c.prune.rule.pattern.splits, 8);
	assert_int_equal(c.prune.rule.rank, ESPL_RANK_CYCLES);
	assert_true(c.quantize.weight_bits == 4 && c.quantize.activation_bits == 6 &&
	            c.quantize.samples == 256);
	assert_true(c.weight_bytes == 5000000000);
	assert_int_equal(c.training[ESPL_STAGE_QUANTIZE].epochs, 2);
}

static void what_is_left_out_has_a_default(void **state)
{
	espl_compress_config c;

	(void)state;
	assert_int_equal(read("{\"model\": \"m\", \"data\": \"d\", \"quantize\": {}}", &c, NULL),
	                 0);
	assert_true(!c.wanted[ESPL_STAGE_DISTIL] && !c.wanted[ESPL_STAGE_PRUNE]);
	assert_true(c.wanted[ESPL_STAGE_QUANTIZE] && !c.teacher);
	assert_true(c.validation == 5000 && c.threads == 1 && c.batch == 128 && c.seed == 1);
	assert_true(c.quantize.weight_bits == 8 && c.quantize.activation_bits == 8 &&
	            c.weight_bytes == 0);
	assert_true(c.prune.rule.edges == 0.5 && c.prune.rule.rank == ESPL_RANK_GLOBAL &&
	            c.prune.regrow == 0);
}

static const char *text_of(const espl_compress_config *config, espl_stage stage)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	size_t size;

	espl_stage_put(config, stage, w, NULL, arena);
	return espl_json_text(w, &size);
}

/* --resume compares these texts: what changes the result must change them. */
static void texts_tell_stages_apart(void **state)
{
	const char *const one = "{\"model\": \"m\", \"data\": \"d\",%s"
	                        " \"prune\": {\"sparsity\": %s}, \"quantize\": {}}";
	espl_compress_config a, b, c, d;

	(void)state;
	assert_int_equal(read(espl_arena_format(arena, one, "", "0.5"), &a, NULL), 0);
	assert_int_equal(read(espl_arena_format(arena, one, "\"batch\": 128,", "0.50"), &b, NULL),
	                 0);
	assert_int_equal(read(espl_arena_format(arena, one, "", "0.6"), &c, NULL), 0);
	assert_int_equal(read(espl_arena_format(arena, one, "\"seed\": 2,", "0.5"), &d, NULL), 0);
	assert_string_equal(text_of(&a, ESPL_STAGE_PRUNE), text_of(&b, ESPL_STAGE_PRUNE));
	assert_string_not_equal(text_of(&a, ESPL_STAGE_PRUNE), text_of(&c, ESPL_STAGE_PRUNE));
	assert_string_equal(text_of(&a, ESPL_STAGE_QUANTIZE), text_of(&c, ESPL_STAGE_QUANTIZE));
	assert_string_not_equal(text_of(&a, ESPL_STAGE_QUANTIZE), text_of(&d, ESPL_STAGE_QUANTIZE));
}

static void refuse(const char *text, espl_status status, const char *message)
{
	espl_compress_config untouched = {.seed = 99};
	espl_error err = {0};

	assert_int_equal(read(text, &untouched, &err), status);
	assert_int_equal(untouched.seed, 99);
	assert_non_null(strstr(err.where, path));
	if (!strstr(err.message, message))
		fail_msg("%s: %s", err.where, err.message);
}

#define WITH(rest) "{\"model\": \"m\", \"data\": \"d\", " rest "}"

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	refuse("{", ESPL_SYNTAX, "line 1");
	refuse("{}", ESPL_SYNTAX, "one of \"model\" and \"family\" is wanted");
	refuse(WITH("\"family\": \"width=8\", \"quantize\": {}"), ESPL_SYNTAX,
	       "one of \"model\" and \"family\" is wanted");
	refuse("[1]", ESPL_SYNTAX, "no such key");
	refuse("{\"model\": \"m\"}", ESPL_SYNTAX, "\"data\" is missing");
	refuse("{\"model\": 3, \"data\": \"d\"}", ESPL_SYNTAX, "\"model\": a path is wanted");
	refuse(WITH("\"seed\": 1"), ESPL_SYNTAX,
	       "no stage: one of distil, prune, quantize is wanted");
	refuse(WITH("\"prune\": 1"), ESPL_SYNTAX, "\"prune\": an object is wanted");
	refuse(WITH("\"distil\": {}"), ESPL_SYNTAX,
	       "\"teacher\" is missing, and \"distil\" is wanted");
	refuse(WITH("\"epochs\": 1"), ESPL_SYNTAX,
	       "\"epochs\": no such key; there are model, family, data, teacher, validation, "
	       "threads, "
	       "batch, seed, distil, prune, quantize");
	refuse(WITH("\"quantize\": {\"bits\": 4}"), ESPL_SYNTAX,
	       "\"bits\" in \"quantize\": no such key; there are epochs, samples, optimizer, rate, "
	       "momentum, weight_decay, warmup, label_smoothing, ema, step_rate, freeze_norms, "
	       "flip, "
	       "shift, erase, temperature, mix, weight_bits, activation_bits, weight_bytes, range, "
	       "percentile, equalize, gptq, bias_correction, calibration");
	refuse(WITH("\"quantize\": {\"epochs\": 1, \"epochs\": 2}"), ESPL_SYNTAX,
	       "\"epochs\" is there twice");
	refuse(WITH("\"quantize\": {\"weight_bits\": 9}"), ESPL_RANGE,
	       "\"weight_bits\" is 9: 2 to 8 is possible");
	refuse(WITH("\"quantize\": {\"weight_bits\": \"4\"}"), ESPL_SYNTAX,
	       "\"weight_bits\": 2 to 8 is wanted");
	refuse(WITH("\"quantize\": {\"weight_bits\": 4.5}"), ESPL_SYNTAX,
	       "\"weight_bits\" is 4.5: a whole number is wanted");
	refuse(WITH("\"quantize\": {\"gptq\": 1}"), ESPL_SYNTAX,
	       "\"gptq\": true or false is wanted");
	refuse(WITH("\"prune\": {}"), ESPL_SYNTAX,
	       "\"sparsity\" is missing; only N:M goes without");
	refuse(WITH("\"prune\": {\"sparsity\": 1}"), ESPL_RANGE,
	       "\"sparsity\" is 1: 0 to 0.999 is possible");
	refuse(WITH("\"prune\": {\"sparsity\": 0.5, \"pattern\": \"4:2\"}"), ESPL_USAGE,
	       "pattern 4:2: unstructured, N:M");
	refuse(WITH("\"prune\": {\"sparsity\": 0.5, \"rank\": \"best\"}"), ESPL_RANGE,
	       "\"rank\" is \"best\": global, layer or cycles is possible");
	refuse(WITH("\"prune\": {\"sparsity\": 0.5, \"pattern\": \"channels\", \"regrow\": 0.1}"),
	       ESPL_RANGE, "channels and blocks do not grow back");
}

static void n_of_m_needs_no_sparsity(void **state)
{
	espl_compress_config c;

	(void)state;
	assert_int_equal(read(WITH("\"prune\": {\"pattern\": \"2:4\"}"), &c, NULL), 0);
	assert_true(c.prune.sparsity < 0);
}

/* The config of demo.sh is one, and its teacher is there. */
static void the_demo_has_one(void **state)
{
	espl_compress_config c;
	espl_graph *teacher;
	espl_span text;

	(void)state;
	assert_int_equal(espl_compress_config_read("models/fashion/demo.json", arena, &c, NULL), 0);
	assert_string_equal(c.teacher, "models/fashion/student.json");
	assert_int_equal(espl_file_read(c.teacher, arena, &text, NULL), 0);
	assert_int_equal(
	        espl_graph_parse((const char *)text.data, text.size, arena, &teacher, NULL), 0);
	for (int s = 0; s < ESPL_STAGE_COUNT; s++)
		assert_true(c.wanted[s]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_keys_are_taken),
	        cmocka_unit_test(what_is_left_out_has_a_default),
	        cmocka_unit_test(texts_tell_stages_apart),
	        cmocka_unit_test(what_is_wrong_is_named),
	        cmocka_unit_test(n_of_m_needs_no_sparsity),
	        cmocka_unit_test(the_demo_has_one),
	};

	return cmocka_run_group_tests(tests, open_config, close_folder);
}
