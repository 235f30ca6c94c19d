/* Espalier's driver: an accelerator, simulated or real, behind one API.
 * SPDX-License-Identifier: Apache-2.0
 *
 *     espl_device *device;
 *     espl_device_open("kws.espl", NULL, &device, &error);
 *     espl_device_run(device, inputs, samples, outputs, &error);
 *     espl_device_close(device);
 *
 * A device is one accelerator with one network loaded. It may be used by one
 * thread at a time. What it returns stays valid until it is closed.
 */
#ifndef ESPALIER_H
#define ESPALIER_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct espl_device espl_device;

/* How a side of the simulated streams pauses. All zero: never. */
typedef struct {
	int percent; /* of cycles, at random */
	int burst;   /* so many cycles on, as many off */
	uint32_t seed;
} espl_stall;

/* Zero-initialised options are the defaults. */
typedef struct {
	espl_stall stall_in, stall_out;
	const char *trace;     /* path of an FST waveform, NULL for none */
	const char *cache;     /* folder of built simulators; NULL: $ESPALIER_CACHE,
	                          $XDG_CACHE_HOME/espalier or ~/.cache/espalier */
	const char *simulator; /* a library with sim/espl_sim.h's functions, e.g. of a synthesized
	                          netlist; NULL: built from the folder's RTL, and cached */
	int baked;             /* the memories hold the program from the start (espl_top_baked):
	                          nothing is loaded; a simulator is then built for the one folder */
	const char *port;      /* serial port of a board that holds the engine; NULL: simulate */
	int baud;              /* of the port; 0: 1 000 000 */
	int patience_ms;       /* for a board that answers, but gives nothing; 0: 20 s */
	void (*progress)(void *user, const char *what); /* before something slow; may be NULL */
	void *user;
} espl_options;

/* One input or output of the network, as the model's file has it. */
typedef struct {
	const char *name;
	int rows, columns, channels;
	int is_float; /* float32 values, else int8, or uint8 if is_unsigned: stored + 128 */
	int is_unsigned;
	int halves_to_even; /* how a float is quantized: ONNX's rounding; else halves away from 0 */
	int order[3];       /* of the values, outermost first: 0 rows, 1 columns, 2 channels */
	double scale;       /* value = scale * (stored - zero_point) */
	int32_t zero_point;
	size_t bytes; /* of one sample, little-endian */
} espl_port;

/* One element between a sample in the model's own form and order, and what is stored; `index`
 * runs over rows, columns, channels. */
int8_t espl_port_store(const espl_port *port, const void *values, size_t index);
void espl_port_restore(const espl_port *port, int8_t stored, void *values, size_t index);

/* Opens the accelerator of an emitted folder (docs/format.md): the board at options->port, or a
 * simulator, which is built if the cache has none of this shape. Checks the engine's identity,
 * loads the program unless it is baked in or a board's
 * checksum says that it is there, and checks its identity.
 *   fails ESPL_IO, ESPL_SYNTAX for the folder; ESPL_MISSING, ESPL_TOOL for Verilator; ESPL_LINK
 *         for the port, a board that does not answer, or an identity that differs */
espl_status espl_device_open(const char *folder, const espl_options *options, espl_device **out,
                             espl_error *err);
void espl_device_close(espl_device *device); /* NULL is allowed */

int espl_device_input_count(const espl_device *device);
int espl_device_output_count(const espl_device *device);
const espl_port *espl_device_input(const espl_device *device, int index);
const espl_port *espl_device_output(const espl_device *device, int index);

/* Sends one sample. Several may be in flight; results come in order.
 *   in    inputs[i]  input i, `bytes` of its port */
espl_status espl_device_submit(espl_device *device, const void *const *inputs, espl_error *err);
/* Waits for the oldest sample in flight: softmax and dequantization included.
 *   out   outputs[o]  output o, `bytes` of its port */
espl_status espl_device_collect(espl_device *device, void *const *outputs, espl_error *err);

/* Runs `samples` samples, one after another in each buffer, keeping the accelerator busy. */
espl_status espl_device_run(espl_device *device, const void *const *inputs, size_t samples,
                            void *const *outputs, espl_error *err);

/* What was measured since opening. Zero where fewer than one (latency) or two (interval) samples
 * have been collected; a board counts no cycles. */
typedef struct {
	uint64_t cycles;          /* of the clock, loading included */
	uint64_t latency_cycles;  /* of the last sample: last input beat to last output beat */
	uint64_t interval_cycles; /* between the last two results */
	uint64_t load_cycles;     /* of the last sample: first input beat to last */
	size_t samples;
	/* of a serial link: frames both ways, those that were sent again, those that came damaged
	 */
	uint64_t link_frames, link_retries, link_errors;
} espl_counters;
void espl_device_counters(const espl_device *device, espl_counters *out);

/* What the engine itself counted, on a board as in a simulation: the last inference, from its first
 * layer's begin to its last layer's end.
 *   fails  ESPL_LINK: the board does not answer */
espl_status espl_device_engine_cycles(espl_device *device, uint32_t *cycles, espl_error *err);

/* Looks inside a simulation, layer after layer: `watcher` is called when layer `layer` of the
 * sample in flight is complete, and may read its tensor. out   values  int8, rows x columns x
 * channels of the net's tensor, constants filled in */
typedef void (*espl_watcher)(void *user, int layer);
espl_status espl_device_watch(espl_device *device, espl_watcher watcher, void *user,
                              espl_error *err);
int espl_device_layer_count(const espl_device *device);
const char *espl_device_layer_name(const espl_device *device, int layer);
int64_t espl_device_layer_cycles(const espl_device *device, int layer);   /* as planned */
int64_t espl_device_layer_measured(const espl_device *device, int layer); /* of the last sample */
/* A port of the layer's result; net_tensor is its index in net.json. */
const espl_port *espl_device_layer_port(const espl_device *device, int layer, int *net_tensor);
/* Whether the layer's result lies in the output memory, which only collect sees. */
int espl_device_layer_is_output(const espl_device *device, int layer);
void espl_device_read_layer(const espl_device *device, int layer, int8_t *values);

/* As the manifest predicts. */
void espl_device_planned(const espl_device *device, espl_counters *out);

#endif
