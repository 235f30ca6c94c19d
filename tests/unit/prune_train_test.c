/* Does pruning while training reach its zeros, keep them, and give the same bytes again?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "folder_fixture.h"
#include "unit.h"

#include "base/file.h"
#include "compress/family.h"
#include "compress/prune.h"
#include "tiny_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, CLASSES = 3, COUNT = 240 };

/* Noise with a bright bar: its row says the class. */
static espl_samples make_samples(uint32_t seed)
{
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, COUNT * SIDE * SIDE);
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, COUNT);

	for (int i = 0; i < COUNT; i++) {
		labels[i] = (uint8_t)(i % CLASSES);
		for (int p = 0; p < SIDE * SIDE; p++)
			bytes[i * SIDE * SIDE + p] = (uint8_t)(60 + 50 * tiny_random(&seed));
		for (int x = 0; x < SIDE; x++)
			bytes[i * SIDE * SIDE + (1 + 2 * labels[i]) * SIDE + x] = 200;
	}
	return (espl_samples){COUNT, SIDE, SIDE, 1, CLASSES, bytes, NULL, labels};
}

static espl_data make_data(void)
{
	return (espl_data){make_samples(1), make_samples(2), make_samples(3)};
}

static espl_graph *make_family(const char *text)
{
	espl_family family = espl_family_default(SIDE, SIDE, 1, CLASSES);
	espl_graph *graph;

	assert_int_equal(espl_family_parse(text, &family, NULL), 0);
	assert_int_equal(espl_family_build(&family, 1, arena, &graph, NULL), 0);
	return graph;
}

static espl_graph *make_graph(void)
{
	return make_family("stages=2,depth=2,width=8,residual");
}

static espl_prune_options options_of(const char *pattern, double sparsity)
{
	espl_prune_options options = espl_prune_default();

	assert_int_equal(espl_pattern_parse(pattern, &options.rule.pattern, NULL), 0);
	options.sparsity = sparsity;
	return options;
}

static espl_train_options training_of(int epochs)
{
	espl_train_options training = espl_train_default();

	training.epochs = epochs;
	training.batch = 20;
	training.rate = 0.05;
	return training;
}

static espl_graph *prune(const espl_prune_options *options, const espl_train_options *training)
{
	const espl_data data = make_data();
	espl_train_result result;
	espl_graph *out = NULL;

	assert_int_equal(espl_prune_train(make_graph(), &data, options, training, arena, &out,
	                                  &result, NULL),
	                 0);
	assert_int_equal(espl_graph_check(out, NULL), 0);
	return out;
}

static double accuracy(const espl_graph *graph)
{
	const espl_samples samples = make_samples(3);
	double out;

	assert_int_equal(espl_graph_accuracy(graph, &samples, 1, &out, NULL), 0);
	return out;
}

static void zeros_are_as_asked_after_training(void **state)
{
	static const struct {
		int epochs;
		double regrow;
	} cases[] = {{1, 0}, {2, 0}, {6, 0}, {6, 0.3}};

	(void)state;
	for (int i = 0; i < 4; i++) {
		const espl_train_options training = training_of(cases[i].epochs);
		espl_prune_options options = options_of("unstructured", 0.8);
		espl_zeros zeros;

		options.regrow = cases[i].regrow;
		zeros = espl_count_zeros(prune(&options, &training));
		assert_int_equal(zeros.zeros, llround(0.8 * (double)zeros.weights));
	}
}

static void the_network_still_learns(void **state)
{
	const espl_prune_options options = options_of("unstructured", 0.8);
	const espl_train_options training = training_of(8);

	(void)state;
	assert_true(accuracy(make_graph()) < 0.7);
	assert_true(accuracy(prune(&options, &training)) > 0.95);
}

/* Where weights are zero after the ramp, they are at the end: training has not filled them. */
static void balance_survives_training(void **state)
{
	const espl_prune_options options = options_of("balanced:4", 0.7);
	const espl_train_options training = training_of(5);
	const espl_graph *graph = prune(&options, &training);
	int layers = 0;

	(void)state;
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];
		const int inputs = graph->values[node->inputs[0]].channels;
		const int outputs = espl_node_outputs(graph, node);
		const int taps = node->kernel_rows * node->kernel_columns;

		if (node->kind != ESPL_NODE_CONV || inputs < 4)
			continue;
		layers++;
		for (int o = 0; o < outputs; o++) {
			int count[4] = {0};

			for (int i = 0; i < taps * inputs; i++)
				count[i % inputs % 4] += node->weights[o * taps * inputs + i] != 0;
			for (int s = 1; s < 4; s++)
				assert_int_equal(count[s], count[0]);
		}
	}
	assert_true(layers >= 3);
}

static void n_of_m_needs_no_sparsity(void **state)
{
	const espl_prune_options options = options_of("1:4", -1);
	const espl_train_options training = training_of(3);
	const espl_graph *graph = prune(&options, &training);

	(void)state;
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].kind == ESPL_NODE_CONV &&
		    graph->values[graph->nodes[n].inputs[0]].channels >= 4)
			assert_int_equal(4 * espl_node_zeros(graph, &graph->nodes[n]),
			                 3 * espl_node_weights(graph, &graph->nodes[n]));
}

static void channels_go_and_the_rest_learns(void **state)
{
	const espl_prune_options options = options_of("channels:2", 0.5);
	const espl_train_options training = training_of(8);
	const int64_t before = espl_count_zeros(make_graph()).weights;
	const espl_graph *graph = prune(&options, &training);

	(void)state;
	assert_true(espl_count_zeros(graph).weights * 2 <= before);
	assert_int_equal(espl_count_zeros(graph).zeros, 0);
	for (int n = 0; n < graph->node_count; n++)
		if (graph->nodes[n].kind == ESPL_NODE_CONV)
			assert_int_equal(espl_node_outputs(graph, &graph->nodes[n]) % 2, 0);
	assert_true(accuracy(graph) > 0.9);
}

/* At once: the weights that stay are as they were, and batch norms fit the new sums. */
static void without_epochs_norms_are_estimated(void **state)
{
	const espl_prune_options options = options_of("unstructured", 0.5);
	const espl_train_options training = training_of(0);
	const espl_graph *before = make_graph(), *after = prune(&options, &training);
	bool moved = false;

	(void)state;
	assert_int_equal(espl_count_zeros(after).zeros,
	                 llround(0.5 * (double)espl_count_zeros(before).weights));
	for (int n = 0; n < before->node_count; n++) {
		for (int64_t i = 0; i < espl_node_weights(before, &before->nodes[n]); i++)
			assert_true(after->nodes[n].weights[i] == 0 ||
			            after->nodes[n].weights[i] == before->nodes[n].weights[i]);
		if (before->nodes[n].kind == ESPL_NODE_BATCH_NORM)
			moved = moved || after->nodes[n].mean[0] != before->nodes[n].mean[0];
	}
	assert_true(moved);
}

/* -- the same bytes ------------------------------------------------------------------------------
 */

static const char *text_of(const espl_graph *graph)
{
	const char *text;
	size_t size;

	assert_int_equal(espl_graph_print(graph, arena, &text, &size, NULL), 0);
	return text;
}

static int steps_left;

static bool stop(void *user)
{
	(void)user;
	return steps_left-- == 0;
}

static void an_interrupted_run_goes_on_as_if_nothing_had_been(const char *pattern, double regrow)
{
	const espl_data data = make_data();
	espl_prune_options options = options_of(pattern, 0.6);
	espl_train_options training = training_of(6);
	const char *whole;

	options.regrow = regrow;
	whole = text_of(prune(&options, &training));
	for (int stopped = 7; stopped < 72; stopped += 29) {
		espl_train_result result;
		espl_graph *out;

		training.checkpoint = espl_arena_format(arena, "%s/%s.%d", folder,
		                                        *pattern == 'c' ? "c" : "w", stopped);
		training.resume = false;
		training.hooks.interrupted = stop;
		steps_left = stopped;
		assert_int_equal(espl_prune_train(make_graph(), &data, &options, &training, arena,
		                                  &out, &result, NULL),
		                 ESPL_INTERRUPTED);
		training.hooks.interrupted = NULL;
		training.resume = true;
		training.threads = 2;
		assert_string_equal(text_of(prune(&options, &training)), whole);
		training.threads = 1;
	}
}

static void weights_resume(void **state)
{
	(void)state;
	an_interrupted_run_goes_on_as_if_nothing_had_been("unstructured", 0.2);
}

static void channels_resume(void **state)
{
	(void)state;
	an_interrupted_run_goes_on_as_if_nothing_had_been("channels", 0);
}

/* -- what a channel is worth ---------------------------------------------------------------------
 */

static double loss_of(const espl_graph *graph, const espl_samples *samples)
{
	float logits[COUNT * CLASSES];
	double loss = 0;

	assert_int_equal(espl_graph_predict(graph, samples, 1, logits, NULL), 0);
	for (int i = 0; i < samples->count; i++) {
		double sum = 0;

		for (int c = 0; c < CLASSES; c++)
			sum += exp((double)logits[i * CLASSES + c]);
		loss += log(sum) - (double)logits[i * CLASSES + samples->labels[i]];
	}
	return loss / samples->count;
}

/* The score is the square of what the loss changes when the channel shrinks, to first order: as a
 * difference of losses finds it. */
static void saliency_is_the_loss_that_would_change(void **state)
{
	espl_samples one = make_samples(5);
	espl_graph *graph = make_family("stages=2,depth=1,width=8");
	const espl_channel_classes classes = espl_classify_channels(graph, arena);
	double *scores = ESPL_ARRAY(arena, double, classes.class_count);
	int compared = 0;

	(void)state;
	one.count = 1; /* every batch is this sample */
	for (int n = 0; n < graph->node_count; n++)
		for (int c = 0;
		     graph->nodes[n].offset && c < espl_node_outputs(graph, &graph->nodes[n]); c++)
			graph->nodes[n].offset[c] = 0.25f;
	assert_int_equal(espl_channel_saliency(graph, &classes, &one, 4, 1, 1, 1, scores, NULL), 0);
	for (int n = 0; n < graph->node_count; n++) {
		espl_node *node = &graph->nodes[n];

		for (int c = 0; node->gain && c < espl_node_outputs(graph, node); c++) {
			const float gain = node->gain[c], offset = node->offset[c];
			const double score = scores[classes.of[classes.first[node->output] + c]];
			double change;

			node->gain[c] = gain * 1.01f;
			node->offset[c] = offset * 1.01f;
			change = loss_of(graph, &one);
			node->gain[c] = gain * 0.99f;
			node->offset[c] = offset * 0.99f;
			change = (change - loss_of(graph, &one)) / 0.02;
			node->gain[c] = gain;
			node->offset[c] = offset;
			assert_true(fabs(fabs(change) - sqrt(score)) <= 1e-4 + 0.05 * sqrt(score));
			compared += score > 1e-5;
		}
	}
	assert_true(compared >= 8);
}

/* -- refused -------------------------------------------------------------------------------------
 */

static void refuse(const espl_prune_options *options, int epochs, const espl_data *data,
                   const char *message)
{
	const espl_train_options training = training_of(epochs);
	espl_train_result result;
	espl_error err = {0};
	espl_graph *out = NULL;

	assert_int_not_equal(espl_prune_train(make_graph(), data, options, &training, arena, &out,
	                                      &result, &err),
	                     0);
	assert_string_equal(err.message, message);
	assert_null(out);
}

static void what_cannot_be_is_refused(void **state)
{
	const espl_data data = make_data();
	espl_prune_options options = options_of("unstructured", 0.5);

	(void)state;
	refuse(&options, 3, NULL, "3 epochs need data");
	options.regrow = 0.5;
	refuse(&options, 0, NULL, "regrowth of 0.5 needs epochs: it goes by gradients");
	options = options_of("unstructured", -1);
	refuse(&options, 0, NULL, "a sparsity is missing; only N:M goes without");
	options = options_of("channels", 1);
	refuse(&options, 1, &data, "sparsity 1: 0 to less than 1 is possible");
	options = options_of("balanced:4", 0.5);
	options.ramp = 0;
	refuse(&options, 1, &data,
	       "a ramp of 0, an update every 100 steps, 5 rounds: 0 to 1, 1 or more and 1 or more "
	       "are possible");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(zeros_are_as_asked_after_training),
	        cmocka_unit_test(the_network_still_learns),
	        cmocka_unit_test(balance_survives_training),
	        cmocka_unit_test(n_of_m_needs_no_sparsity),
	        cmocka_unit_test(channels_go_and_the_rest_learns),
	        cmocka_unit_test(without_epochs_norms_are_estimated),
	        cmocka_unit_test(weights_resume),
	        cmocka_unit_test(channels_resume),
	        cmocka_unit_test(saliency_is_the_loss_that_would_change),
	        cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
