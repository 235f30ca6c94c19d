/* Espalier's driver: opens, loads, checks, streams.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/espalier.h"

#include "base/file.h"
#include "host/layout.h"
#include "host/transport.h"

#include <inttypes.h>
#include <string.h>

enum { IN_FLIGHT = 4 };

struct espl_device {
	espl_arena *arena, *scratch;
	espl_manifest *manifest;
	espl_transport *transport;
	uint64_t *beats, *packet;
	size_t input_beats;
	size_t submitted, collected;
	espl_watcher watcher;
	void *user;
};

static espl_status check_engine(espl_device *d, espl_error *err)
{
	const espl_manifest *m = d->manifest;
	uint32_t engine;

	ESPL_TRY(d->transport->status(d->transport, 1, &engine, err));
	if (engine != m->engine_identity)
		return espl_fail(err, ESPL_LINK,
		                 "the accelerator is engine %08" PRIx32
		                 ", the manifest wants %08" PRIx32
		                 ": another bitstream, or another folder, is needed",
		                 engine, m->engine_identity);
	return ESPL_OK;
}

static espl_status check_program(espl_device *d, espl_error *err)
{
	const espl_manifest *m = d->manifest;
	uint32_t low, high;

	ESPL_TRY(d->transport->status(d->transport, 2, &low, err));
	ESPL_TRY(d->transport->status(d->transport, 3, &high, err));
	if (((uint64_t)high << 32 | low) != m->program_identity)
		return espl_fail(err, ESPL_LINK,
		                 "the accelerator holds program %08" PRIx32 "%08" PRIx32
		                 ", the manifest wants %016" PRIx64,
		                 high, low, m->program_identity);
	return ESPL_OK;
}

static espl_status load_program(espl_device *d, espl_error *err)
{
	const espl_mark mark = espl_arena_mark(d->scratch);
	uint64_t identity = UINT64_C(0xcbf29ce484222325);
	const char *path = espl_arena_format(d->scratch, "%s/program.bin", d->manifest->folder);
	espl_span file;
	uint64_t *beats;
	size_t count;

	ESPL_TRY(espl_file_read(path, d->scratch, &file, err));
	if (file.size % 8 || file.size < 24)
		return espl_fail(err, ESPL_SYNTAX, "%s: %zu bytes are not whole beats", path,
		                 file.size);
	for (size_t i = 0; i + 24 < file.size; i++)
		identity = (identity ^ file.data[i]) * UINT64_C(0x100000001b3);
	if (identity != d->manifest->program_identity)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%s: the program's identity is %016" PRIx64
		                 ", manifest.json says %016" PRIx64 "; compile again",
		                 path, identity, d->manifest->program_identity);
	count = file.size / 8;
	beats = ESPL_ARRAY(d->scratch, uint64_t, count);
	for (size_t i = 0; i < file.size; i++)
		beats[i / 8] |= (uint64_t)file.data[i] << i % 8 * 8;
	ESPL_TRY(d->transport->load(d->transport, beats, count, err));
	espl_arena_release(d->scratch, mark);
	return ESPL_OK;
}

static espl_status open_device(espl_device *d, const char *folder, const espl_options *options,
                               espl_error *err)
{
	ESPL_TRY(espl_manifest_read(folder, d->arena, &d->manifest, err));
	if (options->port)
		ESPL_TRY(espl_transport_serial_open(d->manifest, options, d->arena, &d->transport,
		                                    err));
	else
		ESPL_TRY(espl_transport_sim_open(d->manifest, options, d->arena, &d->transport,
		                                 err));
	ESPL_TRY(check_engine(d, err));
	d->input_beats = espl_layout_input_beats(d->manifest);
	d->beats = ESPL_ARRAY(d->arena, uint64_t, d->input_beats);
	d->packet = ESPL_ARRAY(d->arena, uint64_t, d->manifest->output_beats);
	if (!options->baked)
		ESPL_TRY(load_program(d, err));
	return check_program(d, err);
}

espl_status espl_device_open(const char *folder, const espl_options *options, espl_device **out,
                             espl_error *err)
{
	static const espl_options defaults;
	espl_arena *arena = espl_arena_create();
	espl_device *d = ESPL_NEW(arena, espl_device);
	espl_status status;

	d->arena = arena;
	d->scratch = espl_arena_create();
	status = open_device(d, folder, options ? options : &defaults, err);
	if (status) {
		espl_device_close(d);
		return status;
	}
	*out = d;
	return ESPL_OK;
}

void espl_device_close(espl_device *device)
{
	espl_arena *arena;

	if (!device)
		return;
	if (device->transport)
		device->transport->close(device->transport);
	arena = device->arena;
	espl_arena_destroy(device->scratch);
	espl_arena_destroy(arena);
}

int espl_device_input_count(const espl_device *device)
{
	return device->manifest->input_count;
}

int espl_device_output_count(const espl_device *device)
{
	return device->manifest->output_count;
}

const espl_port *espl_device_input(const espl_device *device, int index)
{
	return &device->manifest->inputs[index].port;
}

const espl_port *espl_device_output(const espl_device *device, int index)
{
	return &device->manifest->outputs[index].port;
}

espl_status espl_device_submit(espl_device *device, const void *const *inputs, espl_error *err)
{
	espl_layout_encode(device->manifest, inputs, device->beats);
	ESPL_TRY(device->transport->send(device->transport, device->beats, device->input_beats,
	                                 err));
	device->submitted++;
	return ESPL_OK;
}

espl_status espl_device_collect(espl_device *device, void *const *outputs, espl_error *err)
{
	if (device->collected == device->submitted)
		return espl_fail(err, ESPL_USAGE, "no sample is in flight");
	ESPL_TRY(device->transport->receive(device->transport, device->packet,
	                                    (size_t)device->manifest->output_beats, err));
	device->collected++;
	espl_layout_decode(device->manifest, device->packet, device->scratch, outputs);
	return ESPL_OK;
}

espl_status espl_device_run(espl_device *device, const void *const *inputs, size_t samples,
                            void *const *outputs, espl_error *err)
{
	const espl_manifest *m = device->manifest;
	const void **in = ESPL_ARRAY(device->scratch, const void *, m->input_count);
	void **out = ESPL_ARRAY(device->scratch, void *, m->output_count);

	for (size_t sent = 0, done = 0; done < samples;) {
		if (sent < samples && sent - done < IN_FLIGHT) {
			for (int i = 0; i < m->input_count; i++)
				in[i] = (const char *)inputs[i] + sent * m->inputs[i].port.bytes;
			ESPL_TRY(espl_device_submit(device, in, err));
			sent++;
			continue;
		}
		for (int o = 0; o < m->output_count; o++)
			out[o] = (char *)outputs[o] + done * m->outputs[o].port.bytes;
		ESPL_TRY(espl_device_collect(device, out, err));
		done++;
	}
	return ESPL_OK;
}

void espl_device_counters(const espl_device *device, espl_counters *out)
{
	memset(out, 0, sizeof(*out));
	out->samples = device->collected;
	device->transport->counters(device->transport, device->collected, out);
}

espl_status espl_device_engine_cycles(espl_device *device, uint32_t *cycles, espl_error *err)
{
	return device->transport->status(device->transport, 4, cycles, err);
}

void espl_device_planned(const espl_device *device, espl_counters *out)
{
	*out = (espl_counters){
	        .latency_cycles = (uint64_t)device->manifest->latency_cycles,
	        .interval_cycles = (uint64_t)device->manifest->interval_cycles,
	        .load_cycles = (uint64_t)device->manifest->load_cycles,
	};
}

espl_status espl_device_watch(espl_device *device, espl_watcher watcher, void *user,
                              espl_error *err)
{
	if (!device->transport->watch)
		return espl_fail(err, ESPL_UNSUPPORTED, "only a simulation can be watched");
	device->transport->watch(device->transport, device->manifest->layer_count, watcher, user);
	return ESPL_OK;
}

int espl_device_layer_count(const espl_device *device)
{
	return device->manifest->layer_count;
}

const char *espl_device_layer_name(const espl_device *device, int layer)
{
	return device->manifest->layers[layer].name;
}

int64_t espl_device_layer_cycles(const espl_device *device, int layer)
{
	return device->manifest->layers[layer].cycles;
}

int64_t espl_device_layer_measured(const espl_device *device, int layer)
{
	return device->transport->layer_cycles(device->transport, device->collected, layer);
}

const espl_port *espl_device_layer_port(const espl_device *device, int layer, int *net_tensor)
{
	*net_tensor = device->manifest->tensors[layer].net_tensor;
	return &device->manifest->tensors[layer].port;
}

int espl_device_layer_is_output(const espl_device *device, int layer)
{
	return device->manifest->tensors[layer].at == ESPL_AT_OUTPUT;
}

void espl_device_read_layer(const espl_device *device, int layer, int8_t *values)
{
	espl_layout_gather(device->manifest, &device->manifest->tensors[layer], device->transport,
	                   device->transport->wide, device->transport->vector, values);
}
