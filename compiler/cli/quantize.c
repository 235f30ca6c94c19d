/* espalier quantize: a float graph becomes an integer net.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPARED = 256 }; /* samples on which float forward and net are compared */

/* What is reported. */
typedef struct {
	const espl_graph *original, *graph;
	const espl_net *net;
	double before, after;                       /* accuracies on the test samples */
	double before_validation, after_validation; /* negative: no validation samples */
	espl_agreement agreement;
	espl_train_result trained;
	double seconds;
} outcome;

static espl_status bits(const char *name, const char *text, const char *end_at, int *out,
                        espl_error *err)
{
	char *end;
	const long value = strtol(text, &end, 10);

	if (end == text || end != end_at || value < 2 || value > 8)
		return espl_fail(err, ESPL_USAGE, "%s %s: 2 to 8 bits are wanted", name, text);
	*out = (int)value;
	return ESPL_OK;
}

/* NAME=BITS or NAME=BITS/BITS: of its weights, and of what it stores. */
static espl_status take_layer(const char *text, cli_options *o, espl_error *err)
{
	const char *equals = strrchr(text, '='), *slash;
	espl_layer_bits *layer = &o->layers[o->layer_count];

	if (!equals || equals == text || (size_t)(equals - text) >= sizeof(o->layer_names[0]))
		return espl_fail(err, ESPL_USAGE, "--layer %s: NAME=BITS or NAME=BITS/BITS", text);
	if (o->layer_count == CLI_MOST_LAYERS)
		return espl_fail(err, ESPL_USAGE, "--layer: at most %d layers",
		                 (int)CLI_MOST_LAYERS);
	memcpy(o->layer_names[o->layer_count], text, (size_t)(equals - text));
	layer->name = o->layer_names[o->layer_count];
	slash = strchr(equals, '/');
	ESPL_TRY(bits("--layer", equals + 1, slash ? slash : equals + strlen(equals),
	              &layer->weight_bits, err));
	if (slash)
		ESPL_TRY(bits("--layer", slash + 1, slash + strlen(slash), &layer->activation_bits,
		              err));
	o->layer_count++;
	return ESPL_OK;
}

static espl_status take_method(const char *text, espl_quantize_options *q, espl_error *err)
{
	if (!strcmp(text, "minmax"))
		q->method = ESPL_RANGE_MINMAX;
	else if (!strcmp(text, "percentile"))
		q->method = ESPL_RANGE_PERCENTILE;
	else if (!strcmp(text, "mse"))
		q->method = ESPL_RANGE_MSE;
	else
		return espl_fail(err, ESPL_USAGE,
		                 "--method %s: minmax, percentile or mse is wanted", text);
	return ESPL_OK;
}

static espl_status whole(const char *name, const char *text, int64_t most, int64_t *out,
                         espl_error *err)
{
	char *end;
	const long long value = strtoll(text, &end, 10);

	if (end == text || *end || value < 1 || value > most)
		return espl_fail(err, ESPL_USAGE, "%s %s: a number from 1 to %lld is wanted", name,
		                 text, (long long)most);
	*out = value;
	return ESPL_OK;
}

espl_status cli_take_quantization(const char *name, const char *value, cli_options *o, bool *taken,
                                  espl_error *err)
{
	espl_quantize_options *q = &o->quantize;
	int64_t count = 0;
	char *end;

	*taken = true;
	if (!strcmp(name, "--weights"))
		return bits(name, value, value + strlen(value), &q->weight_bits, err);
	if (!strcmp(name, "--activations"))
		return bits(name, value, value + strlen(value), &q->activation_bits, err);
	if (!strcmp(name, "--layer"))
		return take_layer(value, o, err);
	if (!strcmp(name, "--method"))
		return take_method(value, q, err);
	if (!strcmp(name, "--budget"))
		return whole(name, value, INT64_C(1) << 40, &o->budget_bytes, err);
	if (!strcmp(name, "--calibration")) {
		ESPL_TRY(whole(name, value, 1000000, &count, err));
		q->samples = (int)count;
	} else if (!strcmp(name, "--percentile")) {
		q->percentile = strtod(value, &end);
		if (end == value || *end || !(q->percentile >= 50 && q->percentile <= 100))
			return espl_fail(err, ESPL_USAGE,
			                 "--percentile %s: a number from 50 to 100 is wanted",
			                 value);
	} else if (!strcmp(name, "--graph"))
		o->graph = value;
	else if (!strcmp(name, "--gptq"))
		q->gptq = true;
	else if (!strcmp(name, "--equalize"))
		q->equalize = true;
	else if (!strcmp(name, "--bias-correction"))
		q->bias_correction = true;
	else
		*taken = false;
	return ESPL_OK;
}

/* -- the report
 * ---------------------------------------------------------------------------------- */

/* What a layer of the graph became in the net. */
static const espl_op *op_named(const espl_net *net, const char *name)
{
	for (int i = 0; i < net->op_count; i++)
		if (!strcmp(net->ops[i].name, name))
			return &net->ops[i];
	return NULL;
}

static int64_t nonzero(const espl_net *net, const espl_op *op)
{
	int64_t count = 0;

	for (int64_t i = 0; i < espl_op_weights(net, op); i++)
		count += op->weights[i] != 0;
	return count;
}

/* The bits of what an operator stores, by the graph's value of that name. */
static int stored_bits(const outcome *r, const espl_op *op)
{
	for (int v = 0; v < r->graph->value_count; v++)
		if (!strcmp(r->graph->values[v].name, r->net->tensors[op->output].name))
			return r->graph->values[v].quantizer.bits;
	return 8;
}

static int64_t float_bytes(const outcome *r)
{
	return 4 * espl_graph_parameters(r->original);
}

static void print_text(const cli_options *options, const outcome *r)
{
	if (options->quiet)
		return;
	printf("%-24s %-10s %8s %8s  bits\n", "layer", "kind", "weights", "non-zero");
	for (int n = 0; n < r->graph->node_count; n++) {
		const espl_node *node = &r->graph->nodes[n];
		const espl_op *op = op_named(r->net, node->name);

		if (node->weight_bits && op)
			printf("%-24s %-10s %8lld %8lld  %d/%d\n", node->name,
			       espl_node_name(node->kind), (long long)espl_op_weights(r->net, op),
			       (long long)nonzero(r->net, op), node->weight_bits,
			       stored_bits(r, op));
	}
	printf("%s: %lld bytes, float32 %lld (%.1f times smaller)\n", options->output,
	       (long long)espl_model_bytes(r->net), (long long)float_bytes(r),
	       (double)float_bytes(r) / (double)espl_model_bytes(r->net));
	printf("test accuracy: float %.2f %%, integer %.2f %%\n", 100 * r->before, 100 * r->after);
	printf("float forward with rounding and net: %lld of %lld stored values differ, by %d at "
	       "most\n",
	       (long long)r->agreement.differing, (long long)r->agreement.values,
	       r->agreement.most);
}

static void put_layers(espl_json_writer *w, const outcome *r)
{
	espl_json_open(w, "layers", '[');
	for (int n = 0; n < r->graph->node_count; n++) {
		const espl_node *node = &r->graph->nodes[n];
		const espl_op *op = op_named(r->net, node->name);

		if (!node->weight_bits || !op)
			continue;
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", node->name);
		espl_json_put_string(w, "kind", espl_node_name(node->kind));
		espl_json_put_integer(w, "weights", espl_op_weights(r->net, op));
		espl_json_put_integer(w, "nonzero_weights", nonzero(r->net, op));
		espl_json_put_integer(w, "weight_bits", node->weight_bits);
		espl_json_put_integer(w, "activation_bits", stored_bits(r, op));
		espl_json_close(w);
	}
	espl_json_close(w);
}

static void print_json(const cli_options *options, const outcome *r, espl_arena *arena)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "model", options->output);
	espl_json_put_number(w, "float_accuracy", r->before);
	espl_json_put_number(w, "accuracy", r->after);
	if (r->after_validation >= 0) {
		espl_json_put_number(w, "float_validation_accuracy", r->before_validation);
		espl_json_put_number(w, "validation_accuracy", r->after_validation);
	}
	espl_json_put_integer(w, "float_bytes", float_bytes(r));
	espl_json_put_integer(w, "bytes", espl_model_bytes(r->net));
	put_layers(w, r);
	espl_json_open(w, "agreement", '{');
	espl_json_put_integer(w, "stored_values", r->agreement.values);
	espl_json_put_integer(w, "differing", r->agreement.differing);
	espl_json_put_integer(w, "greatest_difference", r->agreement.most);
	espl_json_close(w);
	espl_json_put_integer(w, "epochs", options->train.epochs);
	espl_json_put_number(w, "training_seconds", r->trained.seconds);
	espl_json_put_number(w, "seconds", r->seconds);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

/* -- the command
 * --------------------------------------------------------------------------------- */

static espl_status make(const cli_options *options, const espl_data *data,
                        const espl_graph *original, const espl_graph *teacher, espl_arena *arena,
                        outcome *r, espl_error *err)
{
	espl_quantize_options how = options->quantize;
	espl_train_options train = options->train;
	cli_watch watching = {.options = options};
	espl_layer_bits *layers;
	int layer_count;
	espl_graph *graph;
	espl_net *net;

	how.layers = options->layers;
	how.layer_count = options->layer_count;
	how.threads = train.threads;
	how.seed = options->seed;
	if (options->budget_bytes) {
		ESPL_TRY(espl_choose_bits(original, &data->train, &how, options->budget_bytes,
		                          arena, &layers, &layer_count, err));
		how.layers = layers;
		how.layer_count = layer_count;
	}
	if (!train.epochs) {
		ESPL_TRY(espl_quantize(original, &data->train, &how, false, arena, &graph, err));
	} else {
		train.seed = options->seed;
		train.samples = options->samples;
		train.teacher = teacher;
		train.hooks = cli_watch_training(&watching);
		ESPL_TRY(espl_quantize_trained(original, data, &how, &train, arena, &graph,
		                               &r->trained, err));
	}
	ESPL_TRY(espl_graph_to_net(graph, arena, &net, err));
	r->graph = graph;
	r->net = net;
	return ESPL_OK;
}

static espl_status measure(const cli_options *options, const espl_data *data, outcome *r,
                           espl_error *err)
{
	const int threads = options->train.threads;

	r->before_validation = r->after_validation = -1;
	if (data->validation.count) {
		ESPL_TRY(espl_graph_accuracy(r->original, &data->validation, threads,
		                             &r->before_validation, err));
		ESPL_TRY(espl_net_accuracy(r->net, &data->validation, threads, &r->after_validation,
		                           err));
	}
	ESPL_TRY(espl_graph_accuracy(r->original, &data->test, threads, &r->before, err));
	ESPL_TRY(espl_net_accuracy(r->net, &data->test, threads, &r->after, err));
	return espl_compare_forward(r->graph, r->net, &data->test, COMPARED, threads, &r->agreement,
	                            err);
}

static espl_status check_arguments(const cli_options *options, espl_error *err)
{
	if (!options->data)
		return espl_fail(err, ESPL_USAGE, "quantize: --data DIR is missing");
	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "quantize: -o NET.json is missing");
	if (options->teacher && !options->train.epochs)
		return espl_fail(err, ESPL_USAGE,
		                 "--teacher: only training has one; --epochs N is missing");
	if (options->train.resume && !options->train.checkpoint)
		return espl_fail(err, ESPL_USAGE, "--resume: --checkpoint FILE is missing");
	return ESPL_OK;
}

espl_status cli_quantize(const cli_options *options, espl_arena *arena, espl_error *err)
{
	const double begin = espl_seconds();
	espl_graph *original, *teacher = NULL;
	outcome r = {0};
	const char *text;
	espl_data data;
	size_t size;

	ESPL_TRY(check_arguments(options, err));
	ESPL_TRY(cli_read_graph(options->model, arena, &original, err));
	original = espl_float_graph(original, arena);
	if (options->teacher)
		ESPL_TRY(cli_read_graph(options->teacher, arena, &teacher, err));
	ESPL_TRY(cli_read_data(options, arena, &data, err));
	ESPL_TRY(espl_context(err, espl_graph_fits(original, &data.train, err), options->model));
	r.original = original;
	ESPL_TRY(make(options, &data, original, teacher, arena, &r, err));
	ESPL_TRY(espl_net_print(r.net, arena, &text, &size, err));
	ESPL_TRY(espl_file_write(options->output, text, size, err));
	if (options->graph)
		ESPL_TRY(cli_write_graph(options->graph, r.graph, arena, err));
	ESPL_TRY(measure(options, &data, &r, err));
	r.seconds = espl_seconds() - begin;
	if (options->json)
		print_json(options, &r, arena);
	else
		print_text(options, &r);
	return ESPL_OK;
}
