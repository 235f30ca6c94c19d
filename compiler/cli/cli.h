/* What the commands share: options, samples, reports.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_CLI_CLI_H
#define ESPL_CLI_CLI_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "compress/train.h"
#include "fit/fit.h"
#include "host/espalier.h"
#include "ir/board.h"
#include "ir/net.h"
#include "judge/judge.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLI_MOST_FILES = 16, CLI_MOST_SEEDS = 64, CLI_MOST_LAYERS = 64, CLI_NAME_SIZE = 96 };

/* Those of fit alone; 0: not given. */
typedef struct {
	double latency_ms, throughput, accuracy, multiplications, clock_mhz, epochs;
	espl_effort effort;
} cli_fit_options;

/* Every command's options; a command refuses those that are not its own (options.c). */
typedef struct {
	const char *command;
	const char *model;  /* the one argument without a dash: MODEL or DIR */
	const char *output; /* -o DIR */
	const char *inputs[CLI_MOST_FILES], *outputs[CLI_MOST_FILES];
	int input_count, output_count;
	const char *board, *engine, *plan, *tensors, *trace, *junit, *cache, *simulator, *port,
	        *faults, *link, *form;
	int baud, timeout_ms;
	bool kat;
	int lanes, splits, requantizers, multipliers;
	int64_t memory_bytes;
	int64_t samples; /* 0: all */
	int extremes;
	espl_rounding rounding;
	bool rounding_given;
	espl_stall stall;
	bool stall_given;
	uint32_t seed;
	bool seed_given;
	int seeds[CLI_MOST_SEEDS], seed_count; /* of place and route */
	int64_t clock_hz;
	int limit_s; /* of place and route of a seed; 0: as usual */
	bool allow_slow, dry_run, install;
	bool json, quiet, baked;
	/* Training, pruning, quantization. */
	const char *data, *family, *teacher, *log;
	int validation; /* samples held out of the training file */
	bool validation_given, initialize;
	espl_train_options train;
	cli_fit_options fit;
	espl_prune_options prune;
	/* Quantization. */
	espl_quantize_options quantize;
	espl_layer_bits layers[CLI_MOST_LAYERS];
	char layer_names[CLI_MOST_LAYERS][CLI_NAME_SIZE];
	int layer_count;
	int64_t budget_bytes; /* 0: no mixed precision */
	const char *graph;    /* file for the graph with its steps; NULL: none */
	/* Benchmark. */
	const char *against, *control;
	bool no_corruptions;
	double input_scale, input_offset, idle_mw, kwh_price, device_price;
	espl_gate_state gates[ESPL_GATES];
} cli_options;

/* Fills options from the arguments after the command's name.
 *   out    *help  --help was asked for and printed
 *   fails  ESPL_USAGE */
espl_status cli_parse(int argc, char **argv, cli_options *options, bool *help, espl_error *err);
void cli_print_help(const char *command); /* NULL: of the whole program */
/* Takes an option of training (training_options.c).
 *   out  *taken  whether it is one */
espl_status cli_take_training(const char *name, const char *value, cli_options *options,
                              bool *taken, espl_error *err);
/* A number of an option; fails ESPL_USAGE. */
espl_status cli_number(const char *name, const char *text, double low, double high, double *out,
                       espl_error *err);
/* The same of pruning (prune.c), and what holds where no option says otherwise. */
espl_status cli_take_pruning(const char *name, const char *value, cli_options *options, bool *taken,
                             espl_error *err);
void cli_start_pruning(cli_options *options);
/* Takes an option of quantization (quantize.c), likewise. */
espl_status cli_take_quantization(const char *name, const char *value, cli_options *options,
                                  bool *taken, espl_error *err);
/* The same of fit (fit_options.c), which are asked first: its epochs have decimals. */
espl_status cli_take_fit(const char *name, const char *value, cli_options *options, bool *taken,
                         espl_error *err);
/* The same of the benchmark (benchmark_options.c). */
espl_status cli_take_benchmark(const char *name, const char *value, cli_options *options,
                               bool *taken, espl_error *err);

/* The commands. */
espl_status cli_check(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_compile(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_reference(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_simulate(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_verify(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_boards(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_run(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_board_sim(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_build(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_doctor(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_fit(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_flash(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_export(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_import(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_lower(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_quantize(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_train(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_benchmark(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_distil(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_compress(const cli_options *options, espl_arena *arena, espl_error *err);
espl_status cli_prune(const cli_options *options, espl_arena *arena, espl_error *err);

/* The samples of --data, with --validation of them held out; where that is not given, of small sets
 * a tenth at most. */
espl_status cli_read_data(const cli_options *options, espl_arena *arena, espl_data *data,
                          espl_error *err);

/* The float graph of a model file, and back. */
espl_status cli_read_graph(const char *path, espl_arena *arena, espl_graph **graph,
                           espl_error *err);
espl_status cli_write_graph(const char *path, const espl_graph *graph, espl_arena *arena,
                            espl_error *err);

/* The net of a model file, or of an emitted folder's net.json. */
espl_status cli_read_net(const char *path, espl_rounding rounding, espl_arena *arena,
                         espl_net **net, espl_error *err);

/* The envelope that --board, --array, --engine .. ask for; else the default board's.
 *   out  *board  NULL where the array was given by hand */
espl_status cli_choose_envelope(const cli_options *options, espl_arena *arena, espl_envelope *out,
                                const espl_board **board, espl_error *err);

/* Samples of one input: raw, or .npy.
 *   out   *data, *count samples; fails ESPL_SHAPE when the file is not whole samples */
espl_status cli_read_samples(const char *path, const espl_port *port, espl_arena *arena,
                             const unsigned char **data, size_t *count, espl_error *err);
/* Writes samples of a port; .npy by the file's name. */
espl_status cli_write_samples(const char *path, const espl_port *port, const void *data,
                              size_t count, espl_arena *arena, espl_error *err);

/* All inputs of a network, as many samples each; options->samples limits them. */
espl_status cli_read_inputs(const cli_options *options, int input_count, const espl_port *ports,
                            espl_arena *arena, const void **data, size_t *samples, espl_error *err);

/* A tensor of the net as the model's own border has it, and its values so. */
espl_port cli_port_of(const espl_net *net, int index, bool is_output);
void cli_store(const espl_port *port, const void *from, int8_t *to);
void cli_dequantize(const espl_port *port, const int8_t *from, void *to);

/* Streams the samples of options->inputs through a device, results to options->outputs.
 *   out  *counters  the latency is the first sample's, which ran alone; *count of samples */
espl_status cli_stream(espl_device *device, const cli_options *options, espl_arena *arena,
                       espl_counters *counters, size_t *count, espl_error *err);

/* The known-answer test: pseudo-random inputs and the reference's results (docs/format.md). */
espl_status cli_make_kat(const espl_net *net, espl_arena *arena, espl_span *input,
                         espl_span *output, espl_error *err);
/* fails ESPL_MISMATCH with the first difference */
espl_status cli_run_kat(espl_device *device, const cli_options *options, espl_arena *arena,
                        size_t *samples, espl_error *err);

/* A training that is watched: a line with the time left on stderr, when that is a terminal.
 *   out  hooks with `watch` as user, which SIGINT and SIGTERM stop */
typedef struct {
	const cli_options *options;
	double shown; /* when the line was last written, 0 at first */
} cli_watch;
espl_train_hooks cli_watch_training(cli_watch *watch);
/* "3 h 12 min", "4 min 5 s", "7 s" */
const char *cli_duration(double seconds, char *text, size_t size);
/* A line on stderr when it is a terminal. */
void cli_progress(void *user, const char *what);
/* Set by SIGINT and SIGTERM. */
bool cli_interrupted(void);
bool cli_stop(void *user); /* the same, as what runs long asks it */

/* The folder of the RTL library. */
espl_status cli_rtl_folder(espl_arena *arena, const char **folder, espl_error *err);
/* The folders of boards: $ESPALIER_BOARDS, several by colons, then the one that comes along. */
espl_status cli_board_folders(espl_arena *arena, espl_strings *out, espl_error *err);

#endif
