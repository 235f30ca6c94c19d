/* Does training learn, repeat itself bit by bit, resume, and say when it cannot?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "unit.h"

#include "base/file.h"
#include "base/random.h"
#include "compress/family.h"
#include "compress/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, CLASSES = 3, TRAIN = 300, JUDGED = 90 };

/* Bars: horizontal, vertical, diagonal, each anywhere, in noise. */
static espl_samples make_samples(espl_arena *arena, int count, uint32_t seed)
{
	espl_random random = espl_random_stream(seed, 1, 2);
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, count * SIDE * SIDE);
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, count);

	for (int s = 0; s < count; s++) {
		const int label = s % CLASSES, place = (int)espl_random_below(&random, SIDE);

		labels[s] = (uint8_t)label;
		for (int r = 0; r < SIDE; r++)
			for (int c = 0; c < SIDE; c++) {
				const bool bar = label == 0   ? r == place
				                 : label == 1 ? c == place
				                              : (r + c) % SIDE == place;

				bytes[(s * SIDE + r) * SIDE + c] =
				        (uint8_t)((bar ? 160 : 20) +
				                  espl_random_below(&random, 60));
			}
	}
	return (espl_samples){.count = count,
	                      .rows = SIDE,
	                      .columns = SIDE,
	                      .channels = 1,
	                      .classes = CLASSES,
	                      .bytes = bytes,
	                      .labels = labels};
}

static espl_data make_data(espl_arena *arena)
{
	return (espl_data){make_samples(arena, TRAIN, 1), make_samples(arena, JUDGED, 2),
	                   make_samples(arena, JUDGED, 3)};
}

static espl_graph *make_graph(espl_arena *arena, const char *text)
{
	espl_family family = espl_family_default(SIDE, SIDE, 1, CLASSES);
	espl_graph *graph = NULL;

	assert_int_equal(espl_family_parse(text, &family, NULL), ESPL_OK);
	assert_int_equal(espl_family_build(&family, 5, arena, &graph, NULL), ESPL_OK);
	return graph;
}

static espl_train_options make_options(void)
{
	espl_train_options options = espl_train_default();

	options.epochs = 6;
	options.batch = 20;
	options.rate = 0.05;
	return options;
}

static espl_train_result train(espl_graph *graph, const espl_data *data,
                               const espl_train_options *options)
{
	espl_train_result result = {0};
	espl_error err = {0};

	if (espl_train(graph, data, options, &result, &err))
		fail_msg("%s", err.message);
	return result;
}

static void assert_same_graphs(const espl_graph *a, const espl_graph *b, espl_arena *arena)
{
	const char *first, *second;
	size_t first_size, second_size;

	assert_int_equal(espl_graph_print(a, arena, &first, &first_size, NULL), ESPL_OK);
	assert_int_equal(espl_graph_print(b, arena, &second, &second_size, NULL), ESPL_OK);
	assert_int_equal(first_size, second_size);
	assert_memory_equal(first, second, first_size);
}

static void learns_with_either_optimizer(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	espl_train_options options = make_options();

	(void)state;
	for (int adam = 0; adam < 2; adam++) {
		espl_graph *graph = make_graph(arena, "width=4,stages=2,residual,convolutions=2");
		espl_train_result result;
		double test;

		options.optimizer = adam ? ESPL_OPTIMIZER_ADAM : ESPL_OPTIMIZER_SGD;
		options.rate = adam ? 0.01 : 0.05;
		result = train(graph, &data, &options);
		assert_int_equal(espl_graph_accuracy(graph, &data.test, 2, &test, NULL), ESPL_OK);
		assert_true(result.accuracy > 0.9 && test > 0.9);
		assert_int_equal(result.steps, 6 * TRAIN / 20);
		assert_int_equal(espl_graph_accuracy(graph, &data.validation, 1, &test, NULL),
		                 ESPL_OK);
		assert_true(fabs(test - result.accuracy) < 1e-9); /* what was chosen is returned */
	}
	espl_arena_destroy(arena);
}

static espl_train_options all_options(void)
{
	espl_train_options options = make_options();

	options.epochs = 3;
	options.average = 0.9;
	options.smoothing = 0.1;
	options.flip = true;
	options.shift = 1;
	options.erase = 0.5;
	return options;
}

static void threads_change_no_bit_of_a_training(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	espl_train_options options = all_options();
	espl_graph *one = make_graph(arena, "width=3,depthwise"), *three = NULL;

	(void)state;
	three = espl_graph_copy(one, arena);
	train(one, &data, &options);
	options.threads = 3;
	train(three, &data, &options);
	assert_same_graphs(one, three, arena);
	espl_arena_destroy(arena);
}

/* Interrupts at a step, once; and prunes along, as a schedule would. */
struct break_off {
	int64_t at, seen;
};

static bool breaks_off(void *user)
{
	struct break_off *off = user;

	return off->seen++ == off->at;
}

static espl_status prune_one(void *user, espl_graph *graph, const espl_graph_run *run, int64_t step,
                             int64_t steps, espl_error *err)
{
	float *weights = graph->nodes[0].weights;
	int least = -1;

	(void)user;
	(void)run;
	(void)step;
	(void)steps;
	(void)err;
	for (int i = 0; i < 27; i++)
		if (weights[i] != 0 &&
		    (least < 0 || fabs((double)weights[i]) < fabs((double)weights[least])))
			least = i;
	weights[least] = 0;
	return ESPL_OK;
}

static void resumes_to_the_same_bytes(void **state)
{
	static const int64_t places[] = {0, 7, 15, 16, 40};
	char path[] = "/tmp/espalier_train_XXXXXX";
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	const espl_graph *fresh = make_graph(arena, "width=3");
	espl_train_options options = all_options();
	espl_graph *whole = espl_graph_copy(fresh, arena);
	espl_train_result first, second;

	(void)state;
	close(mkstemp(path));
	options.hooks.act = prune_one;
	options.hooks.every = 6;
	first = train(whole, &data, &options);
	options.checkpoint = path;
	options.checkpoint_seconds = 1000;
	options.hooks.interrupted = breaks_off;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct break_off off = {places[i], 0};
		espl_graph *graph = espl_graph_copy(fresh, arena);
		espl_error err = {0};

		options.hooks.user = &off;
		options.resume = false;
		assert_int_equal(espl_train(graph, &data, &options, &second, &err),
		                 ESPL_INTERRUPTED);
		graph = espl_graph_copy(fresh, arena);
		off = (struct break_off){-1, 0};
		options.resume = true;
		second = train(graph, &data, &options);
		assert_same_graphs(whole, graph, arena);
		assert_true(first.accuracy >= second.accuracy && first.steps == second.steps);
	}
	unlink(path);
	espl_arena_destroy(arena);
}

static void refuses_other_and_damaged_checkpoints(void **state)
{
	char path[] = "/tmp/espalier_train_XXXXXX";
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	const espl_graph *fresh = make_graph(arena, "width=3");
	espl_train_options options = all_options();
	espl_train_result result;
	unsigned char *bytes;
	espl_error err = {0};
	espl_span file;

	(void)state;
	close(mkstemp(path));
	options.checkpoint = path;
	train(espl_graph_copy(fresh, arena), &data, &options);
	options.resume = true;
	options.rate = 0.06;
	assert_int_equal(espl_train(espl_graph_copy(fresh, arena), &data, &options, &result, &err),
	                 ESPL_SYNTAX);
	assert_non_null(strstr(err.message, "of a run with other options, data or model"));
	options.rate = 0.05;
	assert_int_equal(espl_file_read(path, arena, &file, NULL), ESPL_OK);
	bytes = espl_arena_copy(arena, file.data, file.size);
	bytes[file.size / 2] ^= 1;
	assert_int_equal(espl_file_write(path, bytes, file.size, NULL), ESPL_OK);
	assert_int_equal(espl_train(espl_graph_copy(fresh, arena), &data, &options, &result, &err),
	                 ESPL_SYNTAX);
	assert_non_null(strstr(err.message, "damaged"));
	assert_int_equal(espl_file_write(path, bytes, file.size - 4, NULL), ESPL_OK);
	assert_int_equal(espl_train(espl_graph_copy(fresh, arena), &data, &options, &result, &err),
	                 ESPL_SYNTAX);
	assert_int_equal(espl_file_write(path, "hello", 5, NULL), ESPL_OK);
	assert_int_equal(espl_train(espl_graph_copy(fresh, arena), &data, &options, &result, &err),
	                 ESPL_SYNTAX);
	unlink(path);
	espl_arena_destroy(arena);
}

static void pruned_weights_stay_zero(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	espl_graph *graph = make_graph(arena, "width=4");
	espl_train_options options = make_options();
	espl_node *conv = &graph->nodes[3];

	(void)state;
	options.epochs = 2;
	options.average = 0.9;
	for (int i = 0; i < 100; i++)
		conv->weights[2 * i] = 0;
	train(graph, &data, &options);
	for (int i = 0; i < 200; i++)
		assert_int_equal(conv->weights[i] != 0, i % 2);
	espl_arena_destroy(arena);
}

static void says_that_it_diverged(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	espl_graph *graph = make_graph(arena, "width=4");
	const espl_graph *before = espl_graph_copy(graph, arena);
	espl_train_options options = make_options();
	espl_train_result result = {.steps = -1};
	espl_error err = {0};

	(void)state;
	options.rate = 1e6;
	options.warmup = 0;
	assert_int_equal(espl_train(graph, &data, &options, &result, &err), ESPL_RANGE);
	assert_non_null(strstr(err.message, "training diverged in epoch 1"));
	assert_int_equal(result.steps, -1);
	assert_same_graphs(graph, before, arena);
	espl_arena_destroy(arena);
}

static void refuses_what_does_not_fit(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_data data = make_data(arena);
	espl_graph *graph = make_graph(arena, "width=4");
	espl_train_options options = make_options();
	espl_train_result result;
	espl_error err = {0};

	(void)state;
	data.train.rows = 4;
	assert_int_equal(espl_train(graph, &data, &options, &result, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "width=4: input of 8 x 8 x 1, samples of 4 x 8 x 1");
	data.train.rows = 8;
	data.train.classes = 4;
	assert_int_equal(espl_train(graph, &data, &options, &result, &err), ESPL_SHAPE);
	assert_string_equal(err.message, "width=4: 3 outputs, the labels have 4 classes");
	data.train.classes = 3;
	options.batch = 5000;
	assert_int_equal(espl_train(graph, &data, &options, &result, &err), ESPL_RANGE);
	espl_arena_destroy(arena);
}

/* With mix 1, labels count for nothing: the student learns right answers from its teacher though
 * every label is wrong. */
static void learns_from_a_teacher(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_data data = make_data(arena);
	espl_graph *teacher = make_graph(arena, "width=6"), *student = make_graph(arena, "width=4");
	espl_train_options options = make_options();
	uint8_t *wrong = ESPL_ARRAY(arena, uint8_t, TRAIN);
	double accuracy;

	(void)state;
	train(teacher, &data, &options);
	for (int s = 0; s < TRAIN; s++)
		wrong[s] = (uint8_t)((data.train.labels[s] + 1) % CLASSES);
	data.train.labels = wrong;
	options.teacher = teacher;
	options.mix = 1;
	options.temperature = 2;
	train(student, &data, &options);
	assert_int_equal(espl_graph_accuracy(student, &data.test, 1, &accuracy, NULL), ESPL_OK);
	assert_true(accuracy > 0.9);
	espl_arena_destroy(arena);
}

static void the_loss_has_the_gradient_of_differences(void **state)
{
	espl_train_options options = espl_train_default();
	const float logits[4] = {0.5f, -1.25f, 2.0f, 0.125f}, teacher[4] = {3, 1, -2, 0.5f};
	float gradient[4], none[4];

	(void)state;
	options.smoothing = 0.1;
	options.mix = 0.7;
	options.temperature = 3;
	for (int with = 0; with < 2; with++) {
		const float *of = with ? teacher : NULL;

		espl_loss(&options, 4, logits, of, 1, gradient);
		for (int i = 0; i < 4; i++) {
			float low[4], high[4];
			double slope;

			memcpy(low, logits, sizeof(low));
			memcpy(high, logits, sizeof(high));
			low[i] -= 0x1p-10f;
			high[i] += 0x1p-10f;
			slope = (espl_loss(&options, 4, high, of, 1, none) -
			         espl_loss(&options, 4, low, of, 1, none)) *
			        512;
			assert_true(fabs(slope - (double)gradient[i]) < 1e-5);
		}
	}
}

/* Every loss of the step's own quantizers falls or stays when their steps are trained. */
static void trains_the_steps_of_quantizers(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_data data = make_data(arena);
	espl_graph *graph = make_graph(arena, "width=4,stages=2");
	espl_train_options options = make_options();
	double accuracy;

	(void)state;
	train(graph, &data, &options);
	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];

		if (node->kind == ESPL_NODE_CLIP)
			graph->values[node->output].quantizer = (espl_quantizer){4, 0.4f, 0, 0, 15};
		if (!node->weights)
			continue;
		node->weight_bits = 3;
		node->weight_steps = ESPL_ARRAY(arena, float, espl_node_outputs(graph, node));
		for (int c = 0; c < espl_node_outputs(graph, node); c++)
			node->weight_steps[c] = 0.15f;
	}
	options.step_rate = 1;
	train(graph, &data, &options);
	assert_int_equal(espl_graph_check(graph, NULL), ESPL_OK);
	assert_int_equal(espl_graph_accuracy(graph, &data.test, 1, &accuracy, NULL), ESPL_OK);
	assert_true(accuracy > 0.9);
	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];

		if (node->weights)
			assert_true(node->weight_steps[0] != 0.15f);
		if (node->kind == ESPL_NODE_CLIP)
			assert_true(graph->values[node->output].quantizer.step != 0.4f);
	}
	espl_arena_destroy(arena);
}

static void estimates_norms_as_they_are(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_samples samples = make_samples(arena, 400, 9);
	espl_graph *graph = make_graph(arena, "width=4");
	const espl_node *norm = &graph->nodes[1];
	double sum = 0, squares = 0;
	int positions = 0;
	espl_graph_run *run;
	float *x, *image;

	(void)state;
	assert_int_equal(espl_graph_estimate_norms(graph, &samples, 400, 2, 1, NULL), ESPL_OK);
	assert_int_equal(espl_graph_run_create(graph, 400, 1, false, &run, NULL), ESPL_OK);
	image = ESPL_ARRAY(arena, float, 400 * SIDE * SIDE);
	x = ESPL_ARRAY(arena, float, 400 * SIDE * SIDE * 4);
	espl_samples_floats(&samples, 0, 400, image);
	espl_graph_run_forward(run, (const float *const[]){image}, 400);
	espl_graph_run_read(run, norm->inputs[0], x);
	espl_graph_run_destroy(run);
	for (int p = 0; p < 400 * SIDE * SIDE; p++, positions++)
		sum += (double)x[4 * p];
	for (int p = 0; p < positions; p++)
		squares += pow((double)x[4 * p] - sum / positions, 2);
	/* drawn with replacement: near, not equal */
	assert_true(fabs(sum / positions - (double)norm->mean[0]) < 0.02);
	assert_true(fabs(squares / positions / (double)norm->variance[0] - 1) < 0.1);
	espl_arena_destroy(arena);
}

static void augments_within_what_was_asked(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_samples samples = make_samples(arena, 1, 4);
	espl_train_options options = make_options();
	float plain[SIDE * SIDE], image[SIDE * SIDE], again[SIDE * SIDE];
	bool seen[2][3][3] = {{{false}}};
	int erased = 0;

	(void)state;
	espl_augment(&samples, &options, 0, 0, plain);
	for (int i = 0; i < SIDE * SIDE; i++)
		assert_true(plain[i] == (float)samples.bytes[i] / 255.0f);
	options.flip = true;
	options.shift = 1;
	for (int epoch = 0; epoch < 300; epoch++) {
		bool found = false;

		espl_augment(&samples, &options, 0, epoch, image);
		for (int k = 0; k < 18 && !found; k++) {
			const int mirrored = k / 9, down = k / 3 % 3 - 1, right = k % 3 - 1;

			found = true;
			for (int i = 0; i < SIDE * SIDE && found; i++) {
				const int r = i / SIDE - down, s = i % SIDE - right;
				const int c = mirrored ? SIDE - 1 - s : s;
				const bool in = r >= 0 && r < SIDE && s >= 0 && s < SIDE;

				found = image[i] == (in ? plain[r * SIDE + c] : 0);
			}
			if (found)
				seen[mirrored][down + 1][right + 1] = true;
		}
		assert_true(found);
	}
	for (int k = 0; k < 18; k++)
		assert_true(seen[k / 9][k / 3 % 3][k % 3]);
	options.flip = false;
	options.shift = 0;
	options.erase = 0.5;
	for (int epoch = 0; epoch < 200; epoch++) {
		espl_augment(&samples, &options, 0, epoch, image);
		espl_augment(&samples, &options, 0, epoch, again);
		assert_memory_equal(image, again, sizeof(image));
		erased += memcmp(image, plain, sizeof(image)) != 0;
	}
	assert_in_range(erased, 70, 130);
	espl_arena_destroy(arena);
}

static void the_family_reads_its_own_text(void **state)
{
	static const char *const texts[] = {"width=8", "width=12,depth=2,most=24,residual",
	                                    "width=8,stages=2,convolutions=2,depthwise,pool",
	                                    "width=8,shrink=2,residual,stem"};
	espl_arena *arena = espl_arena_create();
	espl_graph *graph = NULL;
	espl_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		espl_family family = espl_family_default(28, 28, 1, 10);

		assert_int_equal(espl_family_parse(texts[i], &family, NULL), ESPL_OK);
		assert_string_equal(espl_family_text(&family, arena), texts[i]);
		assert_int_equal(espl_family_build(&family, 1, arena, &graph, &err), ESPL_OK);
	}
	{
		espl_family family = espl_family_default(28, 28, 1, 10);

		assert_int_equal(espl_family_parse("width=0", &family, &err), ESPL_USAGE);
		assert_string_equal(err.message, "family: width is 0, it must be 1 to 1024");
		assert_int_equal(espl_family_parse("wide=3", &family, &err), ESPL_USAGE);
		assert_int_equal(espl_family_parse("width", &family, &err), ESPL_USAGE);
		assert_int_equal(espl_family_parse("width=x", &family, &err), ESPL_USAGE);
		family.shrink = 16;
		assert_int_equal(espl_family_build(&family, 1, arena, &graph, &err), ESPL_RANGE);
		assert_string_equal(err.message,
		                    "family: an image of 28 x 28 is too small for shrink 16 and 3 "
		                    "stages");
	}
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(learns_with_either_optimizer),
	        cmocka_unit_test(threads_change_no_bit_of_a_training),
	        cmocka_unit_test(resumes_to_the_same_bytes),
	        cmocka_unit_test(refuses_other_and_damaged_checkpoints),
	        cmocka_unit_test(pruned_weights_stay_zero),
	        cmocka_unit_test(says_that_it_diverged),
	        cmocka_unit_test(refuses_what_does_not_fit),
	        cmocka_unit_test(learns_from_a_teacher),
	        cmocka_unit_test(the_loss_has_the_gradient_of_differences),
	        cmocka_unit_test(trains_the_steps_of_quantizers),
	        cmocka_unit_test(estimates_norms_as_they_are),
	        cmocka_unit_test(augments_within_what_was_asked),
	        cmocka_unit_test(the_family_reads_its_own_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
