/* espalier prune: weights of a float graph become zero, or channels go, while it trains.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/prune.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

void cli_start_pruning(cli_options *o)
{
	o->prune = espl_prune_default();
	o->prune.sparsity = -1;
	if (strcmp(o->command, "prune") != 0)
		return;
	o->train.epochs = 10;
	o->train.rate = 0.05;
}

static espl_status take_rank(const char *text, espl_prune_options *prune, espl_error *err)
{
	static const char *const names[] = {"global", "layer", "cycles"};

	for (int i = 0; i < 3; i++)
		if (!strcmp(text, names[i])) {
			prune->rule.rank = (espl_rank)i;
			return ESPL_OK;
		}
	return espl_fail(err, ESPL_USAGE, "--rank %s: global, layer or cycles is wanted", text);
}

espl_status cli_take_pruning(const char *name, const char *value, cli_options *o, bool *taken,
                             espl_error *err)
{
	espl_prune_options *p = &o->prune;
	const struct {
		const char *name;
		double low, high, *to;
	} numbers[] = {{"--sparsity", 0, 0.999, &p->sparsity},
	               {"--edges", 0, 1, &p->rule.edges},
	               {"--ramp", 0.01, 1, &p->ramp},
	               {"--regrow", 0, 1, &p->regrow}};
	double rounds = 0;

	*taken = true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(name, numbers[i].name))
			return cli_number(name, value, numbers[i].low, numbers[i].high,
			                  numbers[i].to, err);
	if (!strcmp(name, "--pattern"))
		return espl_pattern_parse(value, &p->rule.pattern, err);
	if (!strcmp(name, "--rank"))
		return take_rank(value, p, err);
	*taken = !strcmp(name, "--rounds");
	if (*taken)
		ESPL_TRY(cli_number(name, value, 1, 1000, &rounds, err));
	p->rounds = *taken ? (int)rounds : p->rounds;
	return ESPL_OK;
}

/* -- the report ----------------------------------------------------------------------------------
 */

typedef struct {
	const espl_graph *before, *after;
	double accuracy_before, accuracy_after; /* on the test samples */
	espl_train_result training;
} outcome;

static const espl_node *node_named(const espl_graph *graph, const char *name)
{
	for (int n = 0; n < graph->node_count; n++)
		if (!strcmp(graph->nodes[n].name, name))
			return &graph->nodes[n];
	return NULL;
}

static void print_text(const cli_options *options, const outcome *r)
{
	const espl_zeros before = espl_count_zeros(r->before), after = espl_count_zeros(r->after);
	char time[32];

	if (options->quiet)
		return;
	printf("%-24s %-10s %8s %8s %8s  zeros\n", "layer", "kind", "before", "weights", "zeros");
	for (int n = 0; n < r->after->node_count; n++) {
		const espl_node *node = &r->after->nodes[n];
		const int64_t weights = espl_node_weights(r->after, node);
		const int64_t zeros = espl_node_zeros(r->after, node);

		if (weights)
			printf("%-24s %-10s %8lld %8lld %8lld  %.1f %%\n", node->name,
			       espl_node_name(node->kind),
			       (long long)espl_node_weights(r->before,
			                                    node_named(r->before, node->name)),
			       (long long)weights, (long long)zeros,
			       100.0 * (double)zeros / (double)weights);
	}
	printf("%s: %lld of %lld weights are left, %lld of %lld not zero, trained %s\n",
	       options->output, (long long)after.weights, (long long)before.weights,
	       (long long)(after.weights - after.zeros), (long long)(before.weights - before.zeros),
	       cli_duration(r->training.seconds, time, sizeof(time)));
	printf("test accuracy: %.2f %% before, %.2f %% after\n", 100 * r->accuracy_before,
	       100 * r->accuracy_after);
}

static void put_counts(espl_json_writer *w, const char *key, const espl_graph *graph)
{
	const espl_zeros zeros = espl_count_zeros(graph);

	espl_json_open(w, key, '{');
	espl_json_put_integer(w, "parameters", espl_graph_parameters(graph));
	espl_json_put_integer(w, "weights", zeros.weights);
	espl_json_put_integer(w, "nonzero_weights", zeros.weights - zeros.zeros);
	espl_json_close(w);
}

static void print_json(const cli_options *options, const outcome *r, espl_arena *arena)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "model", options->output);
	espl_json_put_string(w, "pattern", espl_pattern_text(&options->prune.rule.pattern, arena));
	espl_json_put_number(w, "accuracy_before", r->accuracy_before);
	espl_json_put_number(w, "accuracy", r->accuracy_after);
	if (r->training.accuracy >= 0)
		espl_json_put_number(w, "validation_accuracy", r->training.accuracy);
	put_counts(w, "before", r->before);
	put_counts(w, "after", r->after);
	espl_json_open(w, "layers", '[');
	for (int n = 0; n < r->after->node_count; n++) {
		const espl_node *node = &r->after->nodes[n];

		if (!espl_node_weights(r->after, node))
			continue;
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", node->name);
		espl_json_put_string(w, "kind", espl_node_name(node->kind));
		espl_json_put_integer(w, "weights", espl_node_weights(r->after, node));
		espl_json_put_integer(w, "zeros", espl_node_zeros(r->after, node));
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_put_integer(w, "epochs", options->train.epochs);
	espl_json_put_number(w, "training_seconds", r->training.seconds);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

/* -- the command ---------------------------------------------------------------------------------
 */

static espl_status check_arguments(const cli_options *options, espl_error *err)
{
	if (!options->data)
		return espl_fail(err, ESPL_USAGE, "prune: --data DIR is missing");
	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "prune: -o MODEL is missing");
	if (options->prune.sparsity < 0 && options->prune.rule.pattern.kind != ESPL_PATTERN_N_OF_M)
		return espl_fail(err, ESPL_USAGE,
		                 "prune: --sparsity P is missing; only a pattern N:M goes without");
	if (options->train.resume && !options->train.checkpoint)
		return espl_fail(err, ESPL_USAGE, "--resume: --checkpoint FILE is missing");
	return ESPL_OK;
}

espl_status cli_prune(const cli_options *options, espl_arena *arena, espl_error *err)
{
	espl_train_options training = options->train;
	cli_watch watching = {.options = options};
	espl_graph *before, *after, *teacher = NULL;
	outcome r = {0};
	espl_data data;

	ESPL_TRY(check_arguments(options, err));
	ESPL_TRY(cli_read_graph(options->model, arena, &before, err));
	if (options->teacher)
		ESPL_TRY(cli_read_graph(options->teacher, arena, &teacher, err));
	ESPL_TRY(espl_data_read(options->data, options->validation, options->seed, arena, &data,
	                        err));
	ESPL_TRY(espl_context(err, espl_graph_fits(before, &data.train, err), options->model));
	training.seed = options->seed;
	training.samples = options->samples;
	training.teacher = teacher;
	training.hooks = cli_watch_training(&watching);
	ESPL_TRY(espl_prune_train(before, &data, &options->prune, &training, arena, &after,
	                          &r.training, err));
	r.before = before;
	r.after = after;
	ESPL_TRY(
	        espl_graph_accuracy(before, &data.test, training.threads, &r.accuracy_before, err));
	ESPL_TRY(espl_graph_accuracy(after, &data.test, training.threads, &r.accuracy_after, err));
	ESPL_TRY(cli_write_graph(options->output, after, arena, err));
	if (options->json)
		print_json(options, &r, arena);
	else
		print_text(options, &r);
	return ESPL_OK;
}
