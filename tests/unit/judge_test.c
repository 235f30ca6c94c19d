/* Does the benchmark count what its page says, on models whose answers are known?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "ir/graph_build.h"
#include "judge/report.h"

#include <math.h>
#include <string.h>

/* Images of 1 x 3 pixels; a model that weighs them answers the brightest one. */
enum { CLASSES = 3, SAMPLES = 40 };

static void assert_near(double got, double expected)
{
	if (!(fabs(got - expected) < 1e-6))
		fail_msg("%.9g, expected %.9g", got, expected);
}

/* A dense net whose logit of class o is the sum of weights[o][i] times pixel i, in bytes. */
static const espl_net *dense_net(espl_arena *arena, double input_scale,
                                 const int8_t weights[CLASSES][CLASSES])
{
	espl_net *net = ESPL_NEW(arena, espl_net);
	espl_scale *scales = ESPL_ARRAY(arena, espl_scale, CLASSES);
	espl_tensor *tensors = ESPL_ARRAY(arena, espl_tensor, 2);
	espl_type *type = ESPL_NEW(arena, espl_type);
	espl_op *op = ESPL_NEW(arena, espl_op);
	int *input = ESPL_NEW(arena, int), *output = ESPL_NEW(arena, int);

	tensors[0] = (espl_tensor){"in", 1, 3, 1, input_scale, -128};
	tensors[1] = (espl_tensor){"out", 1, 1, CLASSES, 0.1, -128};
	for (int c = 0; c < CLASSES; c++)
		scales[c] = (espl_scale){1 << 30, -5};
	*op = (espl_op){.kind = ESPL_OP_DENSE,
	                .name = "dense",
	                .input_count = 1,
	                .output = 1,
	                .kernel_rows = 1,
	                .kernel_columns = 1,
	                .stride_rows = 1,
	                .stride_columns = 1,
	                .dilation_rows = 1,
	                .dilation_columns = 1,
	                .weights = espl_arena_copy(arena, weights, CLASSES * CLASSES),
	                .bias = ESPL_ARRAY(arena, int32_t, CLASSES),
	                .scales = scales,
	                .low = -128,
	                .high = 127};
	*output = 1;
	*net = (espl_net){.name = "dense",
	                  .rounding = ESPL_ROUND_SINGLE,
	                  .tensor_count = 2,
	                  .op_count = 1,
	                  .tensors = tensors,
	                  .ops = op,
	                  .input_count = 1,
	                  .output_count = 1,
	                  .inputs = input,
	                  .outputs = output,
	                  .input_types = type,
	                  .output_types = type};
	assert_int_equal(espl_net_check(net, NULL), ESPL_OK);
	return net;
}

static const int8_t brightest[CLASSES][CLASSES] = {{32, 0, 0}, {0, 32, 0}, {0, 0, 32}};
/* takes class 2 for class 0 */
static const int8_t blind[CLASSES][CLASSES] = {{32, 0, 33}, {0, 32, 0}, {0, 0, 32}};

/* Sample i is of class i % 3; the last four of class 1 look like class 0. */
static espl_samples make_samples(espl_arena *arena)
{
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, SAMPLES * CLASSES);
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, SAMPLES);

	for (int i = 0; i < SAMPLES; i++) {
		labels[i] = (uint8_t)(i % CLASSES);
		bytes[i * CLASSES + (i >= 28 && i % 3 == 1 ? 0 : i % 3)] = (uint8_t)(100 + i);
	}
	return (espl_samples){SAMPLES, 1, 3, 1, CLASSES, bytes, NULL, labels};
}

static espl_judge_options options(void)
{
	return (espl_judge_options){.corruptions = false, .seed = 1, .threads = 1};
}

/* 40 samples: 14 of class 0, 13 of 1, 13 of 2; 28, 31, 34, 37 are of class 1 and look like 0. */
static void counts_what_is_known(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"blind", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged full = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, &full, &full};
	const espl_samples samples = make_samples(arena);
	const espl_judge_options how = options();
	const espl_judgement *of, *other;
	espl_benchmark b;

	(void)state;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	of = &b.judgements[ESPL_ROLE_MODEL];
	other = &b.judgements[ESPL_ROLE_AGAINST];
	assert_int_equal(b.class_samples[0], 14);
	assert_int_equal(b.class_samples[1], 13);
	assert_near(other->accuracy, 36.0 / 40);
	assert_near(other->recall[0], 1);
	assert_near(other->recall[1], 9.0 / 13);
	assert_int_equal(other->worst_class, 1);
	assert_near(other->worst_class_recall, 9.0 / 13);
	assert_string_equal(other->worst_slice.name, "class 1");
	assert_int_equal(other->worst_slice.samples, 13);
	assert_near(of->accuracy, 23.0 / 40);
	assert_near(of->recall[2], 0);
	assert_int_equal(of->worst_class, 2);
	assert_string_equal(of->worst_slice.name, "class 2");
	assert_near(b.against.drop, 13.0 / 40);
	assert_near(b.against.worst_class_drop, 9.0 / 13);
	assert_near(b.against.class_drop, 1);
	assert_int_equal(b.against.dropped_class, 2);
	assert_int_equal(b.against.right_to_wrong, 13);
	assert_int_equal(b.against.wrong_to_right, 0);
	assert_int_equal(b.against.flip_count, 13);
	assert_int_equal(b.against.flips[0], 2);
	assert_int_equal(b.against.flips[12], 38);
	assert_near(b.against.agreement, 27.0 / 40);
	assert_near(b.against.mcnemar_p, 2.0 / 8192);
	/* the four darkest have the smallest margins: samples 0 to 3, of which blind misses 2 */
	assert_int_equal(b.low_margin_samples, 4);
	assert_near(of->low_margin_accuracy, 3.0 / 4);
	assert_near(other->low_margin_accuracy, 1);
	/* quarters of ten: in the lightest, 30..39, the full model misses 31, 34 and 37 */
	assert_near(other->brightness[3], 7.0 / 10);
	assert_near(other->brightness[0], 1);
	assert_int_equal(of->work.weights, 9);
	assert_int_equal(of->work.nonzero_weights, 4);
	assert_int_equal(of->work.multiplications, 9);
	assert_int_equal(of->work.nonzero_multiplications, 4);
	/* of -32..33 in 7 bits: 4 non-zeros and 9 bits of presence are 5 bytes, 9 of 7 bits are 8;
	 * 27 for channels */
	assert_int_equal(of->bytes, 32);
	espl_arena_destroy(arena);
}

/* Logits: byte * 32 / 64 in steps of 0.1, all others 0: the likelihood by hand. */
static void likelihood_and_calibration_are_of_the_logits(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	espl_samples samples = make_samples(arena);
	const espl_judge_options how = options();
	double sum = 0, gap = 0;
	espl_benchmark b;

	(void)state;
	samples.count = 20; /* all of them right */
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	for (int i = 0; i < 20; i++) {
		const double logit = floor((100 + i) / 2.0 + 0.5) / 10; /* 32 / 64 */
		const double confidence = 1 / (1 + 2 * exp(-logit));

		sum -= log(confidence);
		gap += 1 - confidence; /* every bin is right throughout */
	}
	assert_near(b.judgements[0].negative_log_likelihood, sum / 20);
	assert_near(b.judgements[0].calibration_error, gap / 20);
	assert_false(b.present[ESPL_ROLE_AGAINST]);
	espl_arena_destroy(arena);
}

/* The same answers as the net's, through a softmax, and 4 bytes a parameter. */
static void a_float_graph_is_judged_as_well(void **state)
{
	static const float weights[CLASSES * CLASSES] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
	espl_arena *arena = espl_arena_create();
	espl_graph_builder builder = espl_graph_build(arena, "float");
	espl_node node = espl_node_default(ESPL_NODE_DENSE, "dense");
	const espl_samples samples = make_samples(arena);
	const espl_judged *models[ESPL_ROLES] = {NULL};
	espl_judge_options how = options();
	espl_judged model = {.name = "float"};
	espl_benchmark b;
	double sum = 0;
	int value;

	(void)state;
	node.inputs[0] = espl_graph_add_input(&builder, "in", 1, 3, 1);
	node.input_count = 1;
	node.weights = espl_arena_copy(arena, weights, sizeof weights);
	value = espl_graph_add(&builder, node, CLASSES, false);
	value = espl_graph_add_plain(&builder, ESPL_NODE_SOFTMAX, value);
	espl_graph_add_output(&builder, value);
	model.graph = builder.graph;
	models[ESPL_ROLE_MODEL] = &model;
	assert_int_equal(espl_graph_check(model.graph, NULL), ESPL_OK);
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	assert_near(b.judgements[0].accuracy, 36.0 / 40);
	/* 3 of 9 weights: entries of 32 + 4 bits are 14 bytes, all nine would be 36 */
	assert_int_equal(b.judgements[0].bytes, 14);
	assert_int_equal(b.judgements[0].work.nonzero_multiplications, 3);
	for (int i = 0; i < SAMPLES; i++) {
		const bool right = i < 28 || i % 3 != 1;
		const double logit = (100 + i) / 255.0;

		sum -= log((right ? exp(logit) : 1) / (exp(logit) + 2));
	}
	assert_near(b.judgements[0].negative_log_likelihood, sum / SAMPLES);
	/* twice as bright, and an offset that moves all logits alike */
	how.input_scale = 2.0 / 255;
	how.input_offset = -0.5;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	sum = 0;
	for (int i = 0; i < SAMPLES; i++) {
		const bool right = i < 28 || i % 3 != 1;
		const double logit = 2 * (100 + i) / 255.0;

		sum -= log((right ? exp(logit) : 1) / (exp(logit) + 2));
	}
	assert_near(b.judgements[0].negative_log_likelihood, sum / SAMPLES);
	espl_arena_destroy(arena);
}

static void raw_pixels_and_other_scales(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged raw = {"raw", dense_net(arena, 1.0, brightest), NULL};
	const espl_judged odd = {"odd", dense_net(arena, 0.02, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&raw, NULL, NULL};
	const espl_samples samples = make_samples(arena);
	espl_judge_options how = options();
	espl_error err = {0};
	espl_benchmark b;

	(void)state;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	assert_near(b.judgements[0].accuracy, 36.0 / 40);
	models[0] = &odd;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, &err), ESPL_RANGE);
	assert_string_equal(err.where, "odd");
	assert_non_null(strstr(err.message, "say what a byte's step is worth by --input-scale"));
	how.input_scale = 0.02; /* a byte's step is the net's step */
	how.input_offset = 0;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	assert_near(b.judgements[0].accuracy, 36.0 / 40);
	espl_arena_destroy(arena);
}

static void refuses_models_that_do_not_suit_the_data(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"model.json", dense_net(arena, 1.0, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	espl_samples samples = make_samples(arena);
	const espl_judge_options how = options();
	espl_error err = {0};
	espl_benchmark b;

	(void)state;
	samples.classes = 4;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "gives 3 values, the data has 4 classes");
	assert_string_equal(err.where, "model.json");
	samples.classes = 3;
	samples.rows = 2;
	samples.count /= 2;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "takes 3 values, samples are 2x3x1");
	espl_arena_destroy(arena);
}

/* Floats go in as they are; they are neither bright nor corrupted. */
static void tables_of_floats_are_judged_as_well(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"blind", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	const espl_gate_state gates[ESPL_GATES] = {{0}};
	espl_samples bytes = make_samples(arena), floats = bytes;
	float *values = ESPL_ARRAY(arena, float, SAMPLES *CLASSES);
	espl_judge_options how = options();
	espl_benchmark first, second;
	const char *json;

	(void)state;
	espl_samples_floats(&bytes, 0, SAMPLES, values);
	floats.bytes = NULL;
	floats.floats = values;
	how.corruptions = true;
	assert_int_equal(espl_judge(models, &bytes, &how, arena, &first, NULL), ESPL_OK);
	assert_int_equal(espl_judge(models, &floats, &how, arena, &second, NULL), ESPL_OK);
	assert_memory_equal(first.judgements[0].answers, second.judgements[0].answers, SAMPLES);
	assert_true(first.corrupted);
	assert_false(second.corrupted);
	assert_true(isnan(second.judgements[0].brightness[0]));
	assert_true(isnan(second.judgements[0].corruption_accuracy));
	json = espl_benchmark_json(&second, gates, arena, NULL);
	assert_non_null(strstr(json, "\"corruptions\": null"));
	assert_null(strstr(json, "nan"));
	assert_non_null(espl_benchmark_text(&second, gates, arena));
	espl_arena_destroy(arena);
}

/* The same figures, whatever the threads; other ones with another seed. */
static void corrupted_figures_are_reproducible(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	const espl_samples samples = make_samples(arena);
	const espl_gate_state gates[ESPL_GATES] = {{0}};
	espl_judge_options how = options();
	const char *texts[3];
	espl_benchmark b;

	(void)state;
	how.corruptions = true;
	for (int i = 0; i < 3; i++) {
		how.threads = i == 1 ? 3 : 1;
		how.seed = i == 2 ? 2 : 1;
		assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
		texts[i] = espl_benchmark_json(&b, gates, arena, NULL);
		assert_true(b.judgements[0].corruption_accuracy < 0.9);
		assert_true(b.judgements[0].corruption_accuracy > 0.1);
	}
	assert_string_equal(texts[0], texts[1]);
	assert_string_not_equal(texts[0], texts[2]);
	espl_arena_destroy(arena);
}

static bool stop(void *user, const char *what, double share)
{
	(void)what;
	(void)share;
	return --*(int *)user < 0;
}

static void can_be_stopped(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	const espl_samples samples = make_samples(arena);
	espl_judge_options how = options();
	espl_benchmark b;
	int left = 20;

	(void)state;
	how.corruptions = true;
	how.progress = stop;
	how.user = &left;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_INTERRUPTED);
	espl_arena_destroy(arena);
}

static void gates_say_which_and_by_how_much(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"blind", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged full = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, &full, NULL};
	const espl_samples samples = make_samples(arena);
	espl_gate_state gates[ESPL_GATES] = {{0}};
	const espl_judge_options how = options();
	espl_error err = {0};
	espl_benchmark b;

	(void)state;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_OK);
	gates[ESPL_GATE_max_drop] = (espl_gate_state){.given = true, .limit = 32.5};
	gates[ESPL_GATE_min_accuracy] = (espl_gate_state){.given = true, .limit = 57.5};
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_OK); /* exactly at the limit */
	assert_true(gates[ESPL_GATE_max_drop].passed);
	assert_near(gates[ESPL_GATE_max_drop].value, 32.5);
	gates[ESPL_GATE_max_drop].limit = 30;
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_GATE);
	assert_string_equal(err.message, "--max-drop: the drop of accuracy is 32.5, at most 30 is "
	                                 "allowed (2.5 too much)");
	assert_int_equal(espl_status_exit_code(ESPL_GATE), 8);
	gates[ESPL_GATE_max_drop].given = false;
	gates[ESPL_GATE_min_accuracy].limit = 60;
	gates[ESPL_GATE_max_bytes] = (espl_gate_state){.given = true, .limit = 10};
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_GATE);
	assert_string_equal(err.message, "--min-accuracy: the accuracy is 57.5, at least 60 is "
	                                 "allowed (2.5 too little); and 1 more");
	/* what was not measured passes nothing */
	memset(gates, 0, sizeof gates);
	gates[ESPL_GATE_max_latency_us] = (espl_gate_state){.given = true, .limit = 1e9};
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_GATE);
	assert_string_equal(err.message,
	                    "--max-latency-us: there is no figure of the latency in microseconds");
	gates[ESPL_GATE_max_latency_us].given = false;
	gates[ESPL_GATE_max_corruption_drop] = (espl_gate_state){.given = true, .limit = 100};
	assert_int_equal(espl_judge_gates(&b, gates, &err), ESPL_GATE);
	espl_arena_destroy(arena);
}

/* Cycles are the scheduler's; the energy by the constants of docs/benchmark.md. */
static void prices_a_net_on_an_engine(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"blind", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	const espl_samples samples = make_samples(arena);
	const espl_pricing pricing = {.envelope = {.lanes = 8, .splits = 1},
	                              .clock_hz = 1000000,
	                              .idle_mw = 2,
	                              .kwh_price = 0.36,
	                              .device_price = 157.788}; /* a millionth a second */
	espl_judge_options how = options();
	const espl_cost *cost;
	espl_benchmark b;
	double joules;

	(void)state;
	how.pricing = &pricing;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	cost = &b.judgements[0].cost;
	assert_true(cost->known);
	assert_int_equal(cost->lanes, 8);
	assert_true(cost->latency_cycles > 0);
	assert_near(cost->latency_us, (double)cost->latency_cycles);
	/* idle: 2 mW for the latency; the rest is less than a nanojoule for so few products */
	joules = cost->energy_uj * 1e-6;
	assert_true(joules > 2e-9 * (double)cost->latency_cycles);
	assert_true(joules < 2e-9 * (double)cost->latency_cycles + 1e-8);
	assert_near(cost->cost_million, joules / 3.6 * 0.36 + (double)cost->latency_cycles * 1e-6);
	espl_arena_destroy(arena);
}

/* Three models, corrupted: a figure a line, in columns that fit a terminal. */
static void the_table_fits_a_terminal(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"blind", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged full = {"full", dense_net(arena, 1.0 / 255, brightest), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, &full, &full};
	const espl_samples samples = make_samples(arena);
	espl_gate_state gates[ESPL_GATES] = {{0}};
	espl_judge_options how = options();
	espl_benchmark b;
	const char *text;

	(void)state;
	how.corruptions = true;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	gates[ESPL_GATE_max_drop] = (espl_gate_state){.given = true, .limit = 5};
	assert_int_equal(espl_judge_gates(&b, gates, NULL), ESPL_GATE);
	text = espl_benchmark_text(&b, gates, arena);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 100);
	assert_non_null(strstr(text, "\naccuracy                             57.50 %       90.00 %"
	                             "        -32.50       90.00 %\n"));
	assert_non_null(strstr(text, "13 flipped: 13 right to wrong, 0 wrong to right"));
	assert_non_null(strstr(text, "\n--max-drop                                 5          32.5"
	                             "  NOT PASSED\n"));
	espl_arena_destroy(arena);
}

static void the_page_is_whole_and_escaped(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_judged model = {"<script>&\"x\"", dense_net(arena, 1.0 / 255, blind), NULL};
	const espl_judged *models[ESPL_ROLES] = {&model, NULL, NULL};
	const espl_samples samples = make_samples(arena);
	espl_gate_state gates[ESPL_GATES] = {{0}};
	const espl_judge_options how = options();
	espl_benchmark b;
	const char *page;
	size_t size;

	(void)state;
	assert_int_equal(espl_judge(models, &samples, &how, arena, &b, NULL), ESPL_OK);
	page = espl_benchmark_html(&b, gates, arena, &size);
	assert_int_equal(strlen(page), size);
	assert_non_null(strstr(page, "&lt;script&gt;&amp;&quot;x&quot;"));
	assert_null(strstr(page, "<script"));
	assert_non_null(strstr(page, "57.50 %"));
	assert_string_equal(page + size - 8, "</html>\n");
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(counts_what_is_known),
	        cmocka_unit_test(likelihood_and_calibration_are_of_the_logits),
	        cmocka_unit_test(a_float_graph_is_judged_as_well),
	        cmocka_unit_test(raw_pixels_and_other_scales),
	        cmocka_unit_test(refuses_models_that_do_not_suit_the_data),
	        cmocka_unit_test(tables_of_floats_are_judged_as_well),
	        cmocka_unit_test(corrupted_figures_are_reproducible),
	        cmocka_unit_test(can_be_stopped),
	        cmocka_unit_test(gates_say_which_and_by_how_much),
	        cmocka_unit_test(prices_a_net_on_an_engine),
	        cmocka_unit_test(the_table_fits_a_terminal),
	        cmocka_unit_test(the_page_is_whole_and_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
