/* The known-answer test that travels with an accelerator: made by the reference, run anywhere.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"
#include "cli/cli.h"
#include "interp/interp.h"

#include <string.h>

enum { MOST_SAMPLES = 8, LEAST_SAMPLES = 2, ENOUGH_BYTES = 1 << 16 };

static size_t total(const espl_port *ports, int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += ports[i].bytes;
	return bytes;
}

static int8_t draw(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return (int8_t)(*random >> 24);
}

espl_status cli_make_kat(const espl_net *net, espl_arena *arena, espl_span *input,
                         espl_span *output, espl_error *err)
{
	espl_port in[CLI_MOST_FILES], out[CLI_MOST_FILES];
	int8_t *inputs[CLI_MOST_FILES], **tensors;
	unsigned char *from, *to;
	uint32_t random = 1;
	size_t samples;

	if (net->input_count > CLI_MOST_FILES || net->output_count > CLI_MOST_FILES)
		return espl_fail(err, ESPL_UNSUPPORTED, "more than %d inputs or outputs",
		                 (int)CLI_MOST_FILES);
	for (int i = 0; i < net->input_count; i++) {
		in[i] = cli_port_of(net, i, false);
		inputs[i] = ESPL_ARRAY(arena, int8_t, in[i].bytes);
	}
	for (int o = 0; o < net->output_count; o++)
		out[o] = cli_port_of(net, o, true);
	samples = ENOUGH_BYTES / total(in, net->input_count);
	samples = samples < LEAST_SAMPLES  ? LEAST_SAMPLES
	          : samples > MOST_SAMPLES ? MOST_SAMPLES
	                                   : samples;
	*input = (espl_span){NULL, samples * total(in, net->input_count)};
	*output = (espl_span){NULL, samples * total(out, net->output_count)};
	input->data = from = espl_arena_calloc(arena, input->size, 1);
	output->data = to = espl_arena_calloc(arena, output->size, 1);
	tensors = espl_interp_buffers(net, arena);
	for (size_t s = 0; s < samples; s++) {
		for (int i = 0; i < net->input_count; i++) {
			const size_t count = in[i].bytes / (in[i].is_float ? sizeof(float) : 1);

			for (size_t e = 0; e < count; e++)
				inputs[i][e] = draw(&random);
			cli_dequantize(&in[i], inputs[i], from);
			from += in[i].bytes;
		}
		espl_interpret(net, (const int8_t *const *)inputs, tensors);
		for (int o = 0; o < net->output_count; o++) {
			cli_dequantize(&out[o], tensors[net->outputs[o]], to);
			to += out[o].bytes;
		}
	}
	return ESPL_OK;
}

static espl_status read_part(const char *folder, const char *name, size_t bytes, espl_arena *arena,
                             espl_span *out, espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/kat/%s", folder, name);

	ESPL_TRY(espl_file_read(path, arena, out, err));
	if (!out->size || out->size % bytes)
		return espl_fail(err, ESPL_SHAPE, "%s: %zu bytes are no samples of %zu bytes", path,
		                 out->size, bytes);
	return ESPL_OK;
}

static espl_status compare(espl_device *device, const unsigned char *got,
                           const unsigned char *expected, size_t sample, espl_error *err)
{
	for (int o = 0; o < espl_device_output_count(device); o++) {
		const espl_port *port = espl_device_output(device, o);

		for (size_t b = 0; b < port->bytes; b++)
			if (got[b] != expected[b])
				return espl_fail(err, ESPL_MISMATCH,
				                 "known-answer test: sample %zu, output %s, byte "
				                 "%zu: expected %02x, got %02x",
				                 sample, port->name, b, expected[b], got[b]);
		got += port->bytes;
		expected += port->bytes;
	}
	return ESPL_OK;
}

espl_status cli_run_kat(espl_device *device, const cli_options *options, espl_arena *arena,
                        size_t *samples, espl_error *err)
{
	const int inputs = espl_device_input_count(device),
	          outputs = espl_device_output_count(device);
	espl_port in[CLI_MOST_FILES], out[CLI_MOST_FILES];
	const void *from[CLI_MOST_FILES];
	void *to[CLI_MOST_FILES];
	espl_span input, expected;
	size_t in_bytes, out_bytes;
	unsigned char *got;

	for (int i = 0; i < inputs; i++)
		in[i] = *espl_device_input(device, i);
	for (int o = 0; o < outputs; o++)
		out[o] = *espl_device_output(device, o);
	in_bytes = total(in, inputs);
	out_bytes = total(out, outputs);
	ESPL_TRY(read_part(options->model, "input.bin", in_bytes, arena, &input, err));
	ESPL_TRY(read_part(options->model, "output.bin", out_bytes, arena, &expected, err));
	*samples = input.size / in_bytes;
	if (expected.size / out_bytes != *samples)
		return espl_fail(err, ESPL_SHAPE, "%s/kat: %zu inputs, but %zu outputs",
		                 options->model, *samples, expected.size / out_bytes);
	got = espl_arena_calloc(arena, out_bytes, 1);
	for (size_t s = 0; s < *samples; s++) {
		size_t at = s * in_bytes;

		if (cli_interrupted())
			return ESPL_INTERRUPTED;
		for (int i = 0; i < inputs; at += in[i++].bytes)
			from[i] = input.data + at;
		at = 0;
		for (int o = 0; o < outputs; at += out[o++].bytes)
			to[o] = got + at;
		ESPL_TRY(espl_device_run(device, from, 1, to, err));
		ESPL_TRY(compare(device, got, expected.data + s * out_bytes, s, err));
	}
	return ESPL_OK;
}
