/* verify: the accelerator against the reference, at every layer boundary.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"
#include "cli/cli.h"
#include "interp/interp.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	int64_t compared, mismatches;
} tally;

/* The first element that differs. */
typedef struct {
	bool any;
	char layer[128]; /* a copy: the device is opened anew for the next pass */
	size_t sample;
	int channel, row, column, expected, got;
	bool stalled;
} difference;

typedef struct {
	const cli_options *options;
	espl_arena *arena;
	espl_device *device;
	const espl_net *net;
	int8_t **expected; /* of the sample in flight */
	int8_t *got;
	tally *layers; /* [layer count + 1]: the last is the outputs */
	int layer_count;
	size_t sample;
	bool stalled;
	int64_t wrong_cycles;
	char cycle_text[160];
	difference first;
} checker;

static void compare(checker *c, tally *to, const char *layer, const espl_port *port,
                    const int8_t *expected, const int8_t *got)
{
	const size_t count = (size_t)port->rows * (size_t)port->columns * (size_t)port->channels;

	to->compared += (int64_t)count;
	for (size_t i = 0; i < count; i++) {
		if (expected[i] == got[i])
			continue;
		to->mismatches++;
		if (c->first.any)
			continue;
		c->first = (difference){
		        .any = true,
		        .sample = c->sample,
		        .channel = (int)(i % (size_t)port->channels),
		        .row = (int)(i / (size_t)port->channels / (size_t)port->columns),
		        .column = (int)(i / (size_t)port->channels % (size_t)port->columns),
		        .expected = expected[i],
		        .got = got[i],
		        .stalled = c->stalled,
		};
		snprintf(c->first.layer, sizeof(c->first.layer), "%s", layer);
	}
}

static void on_layer(void *user, int layer)
{
	checker *c = user;
	int tensor;
	const espl_port *port = espl_device_layer_port(c->device, layer, &tensor);

	if (espl_device_layer_is_output(c->device, layer))
		return; /* compared as an output */
	espl_device_read_layer(c->device, layer, c->got);
	compare(c, &c->layers[layer], espl_device_layer_name(c->device, layer), port,
	        c->expected[tensor], c->got);
}

/* Without stalls, measured cycles must be the plan's, layer by layer. */
static void check_cycles(checker *c)
{
	espl_counters planned, measured;

	if (c->stalled)
		return;
	espl_device_planned(c->device, &planned);
	espl_device_counters(c->device, &measured);
	for (int l = 0; l < c->layer_count; l++) {
		const int64_t plan = espl_device_layer_cycles(c->device, l);
		const int64_t cycles = espl_device_layer_measured(c->device, l);

		if (plan != cycles && !c->wrong_cycles++)
			snprintf(c->cycle_text, sizeof(c->cycle_text),
			         "%s took %lld cycles, planned were %lld",
			         espl_device_layer_name(c->device, l), (long long)cycles,
			         (long long)plan);
	}
	if (planned.latency_cycles != measured.latency_cycles && !c->wrong_cycles++)
		snprintf(c->cycle_text, sizeof(c->cycle_text),
		         "latency is %llu cycles, planned were %llu",
		         (unsigned long long)measured.latency_cycles,
		         (unsigned long long)planned.latency_cycles);
}

static espl_status run_sample(checker *c, const int8_t *const *inputs, espl_error *err)
{
	const void *in[CLI_MOST_FILES];
	void *out[CLI_MOST_FILES];
	void *device_in[CLI_MOST_FILES];

	if (cli_interrupted())
		return ESPL_INTERRUPTED;
	espl_interpret(c->net, inputs, c->expected);
	for (int i = 0; i < espl_device_input_count(c->device); i++) {
		const espl_port *port = espl_device_input(c->device, i);

		/* a float that quantizes to the stored value */
		device_in[i] = espl_arena_calloc(c->arena, port->bytes, 1);
		cli_dequantize(port, inputs[i], device_in[i]);
		in[i] = device_in[i];
	}
	for (int o = 0; o < espl_device_output_count(c->device); o++)
		out[o] = espl_arena_calloc(c->arena, espl_device_output(c->device, o)->bytes, 1);
	ESPL_TRY(espl_device_run(c->device, in, 1, out, err));
	for (int o = 0; o < espl_device_output_count(c->device); o++) {
		const espl_port *port = espl_device_output(c->device, o);
		int8_t *stored = espl_arena_calloc(c->arena, port->bytes, 1);

		cli_store(port, out[o], stored);
		compare(c, &c->layers[c->layer_count], port->name, port,
		        c->expected[c->net->outputs[o]], stored);
	}
	check_cycles(c);
	return ESPL_OK;
}

/* Extreme inputs: all least, all greatest, a checkerboard, then random ones. */
static int8_t extreme(int kind, size_t i, uint32_t *random)
{
	if (kind < 2)
		return kind ? INT8_MAX : INT8_MIN;
	if (kind == 2)
		return i & 1 ? INT8_MAX : INT8_MIN;
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return (int8_t)(*random >> 24);
}

static espl_status run_pass(checker *c, const void *const *data, size_t samples, espl_error *err)
{
	int8_t *made[CLI_MOST_FILES];
	const int8_t *inputs[CLI_MOST_FILES];
	uint32_t random = c->options->seed * 2654435761u + 1;

	for (int i = 0; i < c->net->input_count; i++)
		made[i] = ESPL_ARRAY(c->arena, int8_t,
		                     espl_tensor_elements(&c->net->tensors[c->net->inputs[i]]));
	for (c->sample = 0; c->sample < samples + (size_t)c->options->extremes; c->sample++) {
		const espl_mark mark = espl_arena_mark(c->arena);

		for (int i = 0; i < c->net->input_count; i++) {
			const espl_port *port = espl_device_input(c->device, i);
			const size_t count = port->bytes / (port->is_float ? 4 : 1);

			inputs[i] = made[i];
			if (c->sample < samples)
				cli_store(port, (const char *)data[i] + c->sample * port->bytes,
				          made[i]);
			else
				for (size_t e = 0; e < count; e++)
					made[i][e] =
					        extreme((int)(c->sample - samples), e, &random);
		}
		ESPL_TRY(run_sample(c, inputs, err));
		espl_arena_release(c->arena, mark);
	}
	return ESPL_OK;
}

/* The interval must be the plan's as well: a few samples back to back. */
static espl_status check_interval(checker *c, const void *const *data, size_t samples,
                                  espl_error *err)
{
	void *out[CLI_MOST_FILES];
	espl_counters planned, measured;

	if (samples < 3)
		return ESPL_OK;
	for (int o = 0; o < espl_device_output_count(c->device); o++)
		out[o] = espl_arena_calloc(c->arena, samples,
		                           espl_device_output(c->device, o)->bytes);
	ESPL_TRY(espl_device_run(c->device, data, 3, out, err));
	espl_device_planned(c->device, &planned);
	espl_device_counters(c->device, &measured);
	if (planned.interval_cycles != measured.interval_cycles && !c->wrong_cycles++)
		snprintf(c->cycle_text, sizeof(c->cycle_text),
		         "the interval is %llu cycles, planned were %llu",
		         (unsigned long long)measured.interval_cycles,
		         (unsigned long long)planned.interval_cycles);
	return ESPL_OK;
}

static espl_status open_checked(checker *c, espl_stall stall, espl_error *err)
{
	espl_options how = {
	        .stall_in = stall,
	        .stall_out = stall,
	        .cache = c->options->cache,
	        .baked = c->options->baked,
	        .simulator = c->options->simulator,
	        .progress = cli_progress,
	        .user = (void *)c->options,
	};
	size_t most = 1;

	how.stall_in.seed = c->options->seed * 2 + 1;
	how.stall_out.seed = c->options->seed * 2 + 12345;
	ESPL_TRY(espl_device_open(c->options->model, &how, &c->device, err));
	c->layer_count = espl_device_layer_count(c->device);
	for (int t = 0; t < c->net->tensor_count; t++)
		if ((size_t)espl_tensor_elements(&c->net->tensors[t]) > most)
			most = (size_t)espl_tensor_elements(&c->net->tensors[t]);
	if (!c->layers)
		c->layers = ESPL_ARRAY(c->arena, tally, c->layer_count + 1);
	for (int l = 0; l < c->layer_count; l++) {
		const espl_port *port;
		int tensor;

		port = espl_device_layer_port(c->device, l, &tensor);
		if (tensor >= c->net->tensor_count || c->net->tensors[tensor].rows != port->rows ||
		    c->net->tensors[tensor].columns != port->columns ||
		    c->net->tensors[tensor].channels != port->channels)
			return espl_fail(err, ESPL_SHAPE,
			                 "manifest.json and net.json disagree on tensor %d",
			                 tensor);
	}
	if (c->net->input_count != espl_device_input_count(c->device) ||
	    c->net->output_count != espl_device_output_count(c->device) ||
	    c->net->input_count > CLI_MOST_FILES || c->net->output_count > CLI_MOST_FILES)
		return espl_fail(err, ESPL_SHAPE,
		                 "manifest.json and net.json disagree on inputs or outputs");
	c->got = ESPL_ARRAY(c->arena, int8_t, most);
	return ESPL_OK;
}

static int64_t total(const checker *c, bool mismatches)
{
	int64_t sum = 0;

	for (int l = 0; l <= c->layer_count; l++)
		sum += mismatches ? c->layers[l].mismatches : c->layers[l].compared;
	return sum;
}

static const char *name_of(const checker *c, int layer)
{
	return layer == c->layer_count ? "outputs" : espl_device_layer_name(c->device, layer);
}

static const char *escaped(espl_arena *arena, const char *text)
{
	const char *out = "";

	for (; *text; text++) {
		const char *entity = *text == '&'   ? "&amp;"
		                     : *text == '<' ? "&lt;"
		                     : *text == '"' ? "&quot;"
		                                    : NULL;

		out = entity ? espl_arena_format(arena, "%s%s", out, entity)
		             : espl_arena_format(arena, "%s%c", out, *text);
	}
	return out;
}

static espl_status write_junit(const checker *c, espl_error *err)
{
	int failures = c->wrong_cycles > 0;
	const char *text;

	for (int l = 0; l <= c->layer_count; l++)
		failures += c->layers[l].mismatches > 0;
	text = espl_arena_format(
	        c->arena,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	        "<testsuite name=\"espalier verify %s\" tests=\"%d\" failures=\"%d\">\n",
	        escaped(c->arena, c->options->model), c->layer_count + 2, failures);
	for (int l = 0; l <= c->layer_count; l++) {
		text = espl_arena_format(c->arena,
		                         "%s  <testcase classname=\"layers\" name=\"%s\">", text,
		                         escaped(c->arena, name_of(c, l)));
		if (c->layers[l].mismatches)
			text = espl_arena_format(
			        c->arena, "%s<failure message=\"%lld of %lld elements differ\"/>",
			        text, (long long)c->layers[l].mismatches,
			        (long long)c->layers[l].compared);
		text = espl_arena_format(c->arena, "%s</testcase>\n", text);
	}
	text = espl_arena_format(
	        c->arena, "%s  <testcase classname=\"cycles\" name=\"cycles as planned\">", text);
	if (c->wrong_cycles)
		text = espl_arena_format(c->arena, "%s<failure message=\"%s\"/>", text,
		                         escaped(c->arena, c->cycle_text));
	text = espl_arena_format(c->arena, "%s</testcase>\n</testsuite>\n", text);
	return espl_file_write(c->options->junit, text, strlen(text), err);
}

static void print_json(const checker *c, size_t samples)
{
	espl_json_writer *w = espl_json_writer_create(c->arena);
	const difference *d = &c->first;
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "samples", (int64_t)samples);
	espl_json_put_integer(w, "compared", total(c, false));
	espl_json_put_integer(w, "mismatches", total(c, true));
	espl_json_put_bool(w, "cycles_as_planned", !c->wrong_cycles);
	if (c->wrong_cycles)
		espl_json_put_string(w, "cycles", c->cycle_text);
	if (d->any) {
		espl_json_open(w, "first", '{');
		espl_json_put_string(w, "layer", d->layer);
		espl_json_put_integer(w, "sample", (int64_t)d->sample);
		espl_json_put_integer(w, "channel", d->channel);
		espl_json_put_integer(w, "row", d->row);
		espl_json_put_integer(w, "column", d->column);
		espl_json_put_integer(w, "expected", d->expected);
		espl_json_put_integer(w, "got", d->got);
		espl_json_put_bool(w, "stalled", d->stalled);
		espl_json_close(w);
	}
	espl_json_open(w, "layers", '[');
	for (int l = 0; l <= c->layer_count; l++) {
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", name_of(c, l));
		espl_json_put_integer(w, "compared", c->layers[l].compared);
		espl_json_put_integer(w, "mismatches", c->layers[l].mismatches);
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

static espl_status verdict(const checker *c, size_t samples, espl_error *err)
{
	const difference *d = &c->first;

	if (c->options->json)
		print_json(c, samples);
	if (d->any)
		return espl_fail(err, ESPL_MISMATCH,
		                 "%s: sample %zu%s, channel %d, row %d, column %d: expected %d, "
		                 "got %d (%lld of "
		                 "%lld elements differ)",
		                 d->layer, d->sample, d->stalled ? " (with stalls)" : "",
		                 d->channel, d->row, d->column, d->expected, d->got,
		                 (long long)total(c, true), (long long)total(c, false));
	if (c->wrong_cycles)
		return espl_fail(err, ESPL_MISMATCH, "%s", c->cycle_text);
	if (!c->options->json && !c->options->quiet)
		printf("bit-exact over %zu inputs and %d extreme ones, with and without stalls: "
		       "%lld elements at "
		       "%d layer boundaries, none differs; cycles are as planned\n",
		       samples, c->options->extremes, (long long)total(c, false), c->layer_count);
	return ESPL_OK;
}

static espl_status verify(checker *c, espl_error *err)
{
	const espl_stall passes[2] = {{0}, {.percent = 30}};
	const void *data[CLI_MOST_FILES];
	espl_port ports[CLI_MOST_FILES];
	size_t samples = 0;

	for (int p = 0; p < 2; p++) {
		const espl_stall stall = c->options->stall_given ? c->options->stall : passes[p];

		if (c->options->stall_given && p)
			break;
		espl_device_close(c->device);
		c->device = NULL;
		c->stalled = stall.percent || stall.burst;
		ESPL_TRY(open_checked(c, stall, err));
		for (int i = 0; i < c->net->input_count; i++)
			ports[i] = *espl_device_input(c->device, i);
		if (c->options->input_count)
			ESPL_TRY(cli_read_inputs(c->options, c->net->input_count, ports, c->arena,
			                         data, &samples, err));
		ESPL_TRY(espl_device_watch(c->device, on_layer, c, err));
		ESPL_TRY(run_pass(c, data, samples, err));
		if (c->stalled)
			continue;
		ESPL_TRY(espl_device_watch(c->device, NULL, NULL, err));
		ESPL_TRY(check_interval(c, data, samples, err));
	}
	if (c->options->junit)
		ESPL_TRY(write_junit(c, err));
	return verdict(c, samples, err);
}

espl_status cli_verify(const cli_options *options, espl_arena *arena, espl_error *err)
{
	checker c = {.options = options, .arena = arena};
	espl_status status;
	espl_net *net;

	if (!espl_file_exists(espl_arena_format(arena, "%s/manifest.json", options->model)))
		return espl_fail(err, ESPL_IO,
		                 "%s: no manifest.json; give the folder that compile wrote",
		                 options->model);
	ESPL_TRY(cli_read_net(options->model, options->rounding, arena, &net, err));
	c.net = net;
	c.expected = espl_interp_buffers(net, arena);
	status = verify(&c, err);
	espl_device_close(c.device);
	return status;
}
