/* reference and simulate: samples in, results out.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "cli/cli.h"
#include "interp/interp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

espl_port cli_port_of(const espl_net *net, int index, bool is_output)
{
	const int t = is_output ? net->outputs[index] : net->inputs[index];
	const espl_type type = is_output ? net->output_types[index] : net->input_types[index];
	const espl_order *orders = is_output ? net->output_orders : net->input_orders;
	const espl_tensor *tensor = &net->tensors[t];
	espl_port port = {
	        .name = tensor->name,
	        .rows = tensor->rows,
	        .columns = tensor->columns,
	        .channels = tensor->channels,
	        .is_float = type == ESPL_TYPE_FLOAT32,
	        .is_unsigned = type == ESPL_TYPE_UINT8,
	        .halves_to_even = net->rounding == ESPL_ROUND_ONNX,
	        .scale = tensor->scale,
	        .zero_point = tensor->zero_point,
	        .bytes = (size_t)espl_tensor_elements(tensor) * (type == ESPL_TYPE_FLOAT32 ? 4 : 1),
	};

	for (int i = 0; i < 3; i++)
		port.order[i] = orders ? orders[index].axes[i] : i;
	return port;
}

void cli_store(const espl_port *port, const void *from, int8_t *to)
{
	for (size_t i = 0; i < port->bytes / (port->is_float ? 4 : 1); i++)
		to[i] = espl_port_store(port, from, i);
}

void cli_dequantize(const espl_port *port, const int8_t *from, void *to)
{
	for (size_t i = 0; i < port->bytes / (port->is_float ? 4 : 1); i++)
		espl_port_restore(port, from[i], to, i);
}

static espl_status keep_tensors(const espl_net *net, const char *folder, size_t sample,
                                int8_t *const *tensors, espl_arena *arena, espl_error *err)
{
	if (mkdir(folder, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", folder, strerror(errno));
	for (int t = 0; t < net->tensor_count; t++) {
		char *name = espl_arena_format(arena, "%zu.%03d.%s.bin", sample, t,
		                               net->tensors[t].name);

		for (char *p = name; *p; p++)
			if (*p == '/' || *p == ';' || *p == ' ')
				*p = '_';
		ESPL_TRY(espl_file_write(espl_arena_format(arena, "%s/%s", folder, name),
		                         tensors[t], (size_t)espl_tensor_elements(&net->tensors[t]),
		                         err));
	}
	return ESPL_OK;
}

espl_status cli_reference(const cli_options *options, espl_arena *arena, espl_error *err)
{
	const void *data[CLI_MOST_FILES];
	void *results[CLI_MOST_FILES];
	espl_port in[CLI_MOST_FILES], out[CLI_MOST_FILES];
	int8_t *quantized[CLI_MOST_FILES], **tensors;
	size_t samples;
	espl_net *net;

	ESPL_TRY(cli_read_net(options->model, options->rounding, arena, &net, err));
	if (options->rounding_given)
		net->rounding = options->rounding;
	if (net->input_count > CLI_MOST_FILES || net->output_count > CLI_MOST_FILES)
		return espl_fail(err, ESPL_UNSUPPORTED, "more than %d inputs or outputs",
		                 (int)CLI_MOST_FILES);
	for (int i = 0; i < net->input_count; i++) {
		in[i] = cli_port_of(net, i, false);
		quantized[i] = ESPL_ARRAY(arena, int8_t, in[i].bytes);
	}
	ESPL_TRY(cli_read_inputs(options, net->input_count, in, arena, data, &samples, err));
	if (options->output_count && options->output_count != net->output_count)
		return espl_fail(err, ESPL_USAGE,
		                 "the network has %d outputs, --output was given %d times",
		                 net->output_count, options->output_count);
	for (int o = 0; o < net->output_count; o++) {
		out[o] = cli_port_of(net, o, true);
		results[o] = espl_arena_calloc(arena, samples, out[o].bytes);
	}
	tensors = espl_interp_buffers(net, arena);
	for (size_t s = 0; s < samples; s++) {
		if (cli_interrupted())
			return ESPL_INTERRUPTED;
		for (int i = 0; i < net->input_count; i++)
			cli_store(&in[i], (const char *)data[i] + s * in[i].bytes, quantized[i]);
		espl_interpret(net, (const int8_t *const *)quantized, tensors);
		for (int o = 0; o < net->output_count; o++)
			cli_dequantize(&out[o], tensors[net->outputs[o]],
			               (char *)results[o] + s * out[o].bytes);
		if (options->tensors)
			ESPL_TRY(keep_tensors(net, options->tensors, s, tensors, arena, err));
	}
	for (int o = 0; o < options->output_count; o++)
		ESPL_TRY(cli_write_samples(options->outputs[o], &out[o], results[o], samples, arena,
		                           err));
	if (!options->quiet && !options->output_count)
		printf("%zu samples\n", samples);
	return ESPL_OK;
}

static espl_options device_options(const cli_options *options)
{
	espl_options out = {
	        .stall_in = options->stall,
	        .stall_out = options->stall,
	        .trace = options->trace,
	        .cache = options->cache,
	        .baked = options->baked,
	        .simulator = options->simulator,
	        .progress = cli_progress,
	        .user = (void *)options,
	};

	out.stall_in.seed = options->seed * 2 + 1;
	out.stall_out.seed = options->seed * 2 + 12345;
	return out;
}

static void print_simulation(const cli_options *options, espl_arena *arena, size_t samples,
                             const espl_counters *counters, double seconds)
{
	espl_json_writer *w;
	size_t size;

	if (options->quiet)
		return;
	if (!options->json) {
		printf("%zu samples, latency %llu cycles, interval %llu cycles, %.0f cycles "
		       "simulated a second\n",
		       samples, (unsigned long long)counters->latency_cycles,
		       (unsigned long long)counters->interval_cycles,
		       (double)counters->cycles / seconds);
		return;
	}
	w = espl_json_writer_create(arena);
	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "samples", (int64_t)samples);
	espl_json_put_integer(w, "latency_cycles", (int64_t)counters->latency_cycles);
	espl_json_put_integer(w, "interval_cycles", (int64_t)counters->interval_cycles);
	espl_json_put_integer(w, "load_cycles", (int64_t)counters->load_cycles);
	espl_json_put_integer(w, "cycles", (int64_t)counters->cycles);
	espl_json_put_integer(w, "cycles_per_second",
	                      (int64_t)((double)counters->cycles / seconds));
	espl_json_close(w);
	fputs(espl_json_text(w, &size), stdout);
}

espl_status cli_stream(espl_device *device, const cli_options *options, espl_arena *arena,
                       espl_counters *counters, size_t *count, espl_error *err)
{
	const int inputs = espl_device_input_count(device),
	          outputs = espl_device_output_count(device);
	const void *data[CLI_MOST_FILES];
	void *results[CLI_MOST_FILES];
	espl_port ports[CLI_MOST_FILES];
	espl_counters single;
	size_t samples;

	if (inputs > CLI_MOST_FILES || outputs > CLI_MOST_FILES)
		return espl_fail(err, ESPL_UNSUPPORTED, "more than %d inputs or outputs",
		                 (int)CLI_MOST_FILES);
	for (int i = 0; i < inputs; i++)
		ports[i] = *espl_device_input(device, i);
	ESPL_TRY(cli_read_inputs(options, inputs, ports, arena, data, &samples, err));
	if (options->output_count && options->output_count != outputs)
		return espl_fail(err, ESPL_USAGE,
		                 "the network has %d outputs, --output was given %d times", outputs,
		                 options->output_count);
	for (int o = 0; o < outputs; o++)
		results[o] =
		        espl_arena_calloc(arena, samples, espl_device_output(device, o)->bytes);
	/* the first alone gives the latency, the rest back to back the interval */
	ESPL_TRY(espl_device_run(device, data, 1, results, err));
	espl_device_counters(device, &single);
	for (size_t s = 1; s < samples; s += 16) {
		const void *rest[CLI_MOST_FILES];
		void *to[CLI_MOST_FILES];

		if (cli_interrupted())
			return ESPL_INTERRUPTED;
		for (int i = 0; i < inputs; i++)
			rest[i] = (const char *)data[i] + s * ports[i].bytes;
		for (int o = 0; o < outputs; o++)
			to[o] = (char *)results[o] + s * espl_device_output(device, o)->bytes;
		ESPL_TRY(espl_device_run(device, rest, samples - s < 16 ? samples - s : 16, to,
		                         err));
	}
	espl_device_counters(device, counters);
	counters->latency_cycles = single.latency_cycles;
	for (int o = 0; o < options->output_count; o++)
		ESPL_TRY(cli_write_samples(options->outputs[o], espl_device_output(device, o),
		                           results[o], samples, arena, err));
	*count = samples;
	return ESPL_OK;
}

espl_status cli_simulate(const cli_options *options, espl_arena *arena, espl_error *err)
{
	const espl_options how = device_options(options);
	espl_counters counters;
	espl_device *device;
	espl_status status;
	size_t samples;
	double start;

	ESPL_TRY(espl_device_open(options->model, &how, &device, err));
	start = espl_seconds();
	status = cli_stream(device, options, arena, &counters, &samples, err);
	espl_device_close(device);
	if (!status)
		print_simulation(options, arena, samples, &counters, espl_seconds() - start);
	return status;
}
