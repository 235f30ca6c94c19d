/* The command line: which command takes which options.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const char *name, *argument, *commands, *text;
} option;

/* commands: the first letters of those that take it (check, compile = m, reference, simulate,
 * verify, boards, lower, run = u, board-sim = z, build = p, doctor, flash, train = t,
 * distil = i, prune = n, compress = o, quantize, fit = F, import = y,
 * benchmark = k, export = x) */
static const option table[] = {
        {"--board", "NAME", "mpdfFk", "a board by its name (espalier boards)"},
        {"--array", "WxS", "mk", "lanes by splits, e.g. 16x8"},
        {"--requantizers", "R", "mk", "results a cycle; default: the lesser of lanes and splits"},
        {"--multipliers", "N", "mF", "search the fastest array within N DSPs (and --memory)"},
        {"--memory", "BYTES", "mFk", "limit of all the engine's memories together"},
        {"--engine", "DIR", "m", "for the very engine of this emitted folder"},
        {"--plan", "FILE", "m", "take the decisions of this plan.json, perhaps edited"},
        {"--output", "FILE", "mrsuptinoqFykx",
         "what to write: a folder (compile, build, fit), a model, or a file a network output"},
        {"--input", "FILE", "rsvu", "samples of a network input, raw or .npy; one option an input"},
        {"--samples", "N", "rsvutinqk", "use the first N samples only"},
        {"--rounding", "tflm|single", "cmrlykx", "how the model requantizes; default tflm"},
        {"--form", "qoperator|qdq", "x",
         "integer operators (default), or float ones between quantizers"},
        {"--tensors", "DIR", "r", "keep every tensor of every sample there"},
        {"--stall", "none|random:P|burst:N", "sv", "pauses on both streams"},
        {"--seed", "N", "svztinoqFk", "of all that is random; default 1"},
        {"--trace", "FILE", "s", "write an FST waveform"},
        {"--junit", "FILE", "v", "write a JUnit report"},
        {"--extremes", "N", "v", "extreme inputs besides the given ones; default 4"},
        {"--baked", NULL, "sv", "memories that hold the program from the start; nothing is loaded"},
        {"--simulator", "FILE", "sv", "use this simulator library instead of building one"},
        {"--port", "PATH", "u", "the serial port of a board; default: simulate"},
        {"--baud", "N", "u", "speed of the port, as the bitstream has it; default 1000000"},
        {"--timeout", "MS", "u", "for a board that answers but gives nothing; default 20000"},
        {"--kat", NULL, "u", "run the known-answer test that travels with DIR"},
        {"--faults", "NAME=N,...", "z", "flip bits, drop bytes ...: N in a million (man page)"},
        {"--link", "PATH", "z", "keep a symbolic link to the port there"},
        {"--cache", "DIR", "svuz", "folder of built simulators"},
        {"--seeds", "N|LIST", "p", "N seeds, or these ones: 3,14,15; default 4"},
        {"--freq", "MHZ", "pk", "the engine's clock; default: the board's"},
        {"--allow-slow", NULL, "p", "keep a bitstream that misses its clock"},
        {"--time-limit", "MINUTES", "p", "for place and route of a seed; default 120"},
        {"--dry-run", NULL, "pf", "show the commands, run none"},
        {"--install", NULL, "d", "install what Python's package index has"},
        {"--clock", "MHZ", "F", "the engine's clock; default: the board's"},
        {"--max-latency-ms", "MS", "F", "the longest that one inference may take"},
        {"--min-throughput", "N", "F", "inferences a second, at least"},
        {"--min-accuracy", "PERCENT", "F", "of the validation samples, at least"},
        {"--effort", "NAME", "F", "quick, normal (the default) or thorough"},
        {"--epochs", "N", "F", "of the longest training; default: as the effort says"},
        {"--max-multiplications", "N", "F", "of a network; default: as the effort says"},
        {"--data", "DIR", "tinqFk", "samples as IDX, .npy or CSV files (docs/data.md)"},
        {"--validation", "N", "tinqF",
         "training samples held out to choose by; default 5000, a tenth at most"},
        {"--family", "KEY=N,...", "ti", "a network of the family: width, depth ... (man page)"},
        {"--model", "FILE", "tiF", "the graph to start with, as MODEL"},
        {"--initialize", NULL, "ti", "draw the model's weights anew"},
        {"--teacher", "MODEL", "tinqF", "a graph whose outputs are learned from"},
        {"--temperature", "T", "tinq", "softens both outputs; default 4"},
        {"--mix", "P", "tinq", "share of the teacher in the loss; default 0.9"},
        {"--epochs", "N", "tin", "default 20; prune 10"},
        {"--batch", "N", "tinq", "samples a step; default 128"},
        {"--optimizer", "sgd|adam", "tinq", "default sgd, with Nesterov's momentum"},
        {"--rate", "R", "tin", "the greatest learning rate; default 0.1, prune 0.05, adam 0.001"},
        {"--momentum", "P", "tinq", "default 0.9"},
        {"--weight-decay", "D", "tin", "of weights; default 0.0005"},
        {"--warmup", "EPOCHS", "tin", "in which the rate grows; default 1"},
        {"--label-smoothing", "P", "tinq", "default 0"},
        {"--ema", "P", "tinq", "decay of the parameters' moving average; default 0: none"},
        {"--flip", NULL, "tinq", "mirror half of the images"},
        {"--shift", "N", "tinq", "move images by up to N rows and columns; default 0"},
        {"--erase", "P", "tinq", "probability of a random rectangle; default 0"},
        {"--freeze-norms", NULL, "tinq", "batch norms keep their statistics"},
        {"--step-rate", "F", "tinq", "of quantizers' steps, as a multiple of the rate; default 1"},
        {"--threads", "N", "tinoqFk", "default 1; changes no result"},
        {"--checkpoint", "FILE", "tinq", "write the state of the run there, once a minute"},
        {"--resume", NULL, "tinoq", "go on from the checkpoint, if there is one"},
        {"--log", "FILE", "ti", "write a line of CSV an epoch"},
        {"--sparsity", "P", "n", "share of all weights that becomes zero, such as 0.8"},
        {"--pattern", "NAME", "n",
         "unstructured, N:M, balanced:S, blocks:RxC or channels[:K]; default unstructured"},
        {"--rank", "global|layer|cycles", "n", "whose weights go first; default global"},
        {"--edges", "P", "n", "most zeros of the first and last layer; default 0.5"},
        {"--ramp", "P", "n", "share of the training in which zeros grow; default 0.7"},
        {"--regrow", "P", "n", "share of non-zeros that move at an update; default 0"},
        {"--rounds", "N", "n", "of whole channels, an epoch between two; default 5"},
        {"--epochs", "N", "q", "train so long with rounding; default 0: not at all"},
        {"--rate", "R", "q", "the greatest learning rate; default 0.004, adam 0.001"},
        {"--weight-decay", "D", "q", "of weights; default 0.0001"},
        {"--warmup", "EPOCHS", "q", "in which the rate grows; default 0.5"},
        {"--weights", "BITS", "q", "of weights, 2 to 8; default 8"},
        {"--activations", "BITS", "q", "of stored values, 2 to 8; default 8"},
        {"--layer", "NAME=BITS[/BITS]", "q", "of one layer's weights, and of what it stores"},
        {"--budget", "BYTES", "q", "choose each layer's bits for so many stored bytes"},
        {"--method", "minmax|percentile|mse", "q", "how ranges are chosen; default mse"},
        {"--percentile", "P", "q", "for that method; default 99.9"},
        {"--calibration", "N", "q", "training samples to calibrate with; default 512"},
        {"--equalize", NULL, "q", "scale channels between layers so that their ranges are alike"},
        {"--gptq", NULL, "q", "round weights one by one, the rest making up for it"},
        {"--bias-correction", NULL, "q", "take the mean error of each layer out of its bias"},
        {"--graph", "FILE", "q", "also write the float graph with its steps"},
        {"--against", "MODEL", "k", "the full model: what is lost is said and limited"},
        {"--control", "MODEL", "k", "a model trained as long without being compressed"},
        {"--no-corruptions", NULL, "k", "only the test samples as they are"},
        {"--input-scale", "S", "k", "what a byte's step is worth; default 1/255"},
        {"--input-offset", "O", "k", "and what a byte of 0 is worth; default 0"},
        {"--max-drop", "POINTS", "k", "of accuracy, against the full model"},
        {"--max-worst-class-drop", "POINTS", "k", "of the worst class's recall"},
        {"--max-class-drop", "POINTS", "k", "of any class's recall"},
        {"--max-slice-drop", "POINTS", "k", "of any slice"},
        {"--max-corruption-drop", "POINTS", "k", "of the mean accuracy under corruption"},
        {"--max-flips", "PERCENT", "k", "answers flipped from right to wrong"},
        {"--min-agreement", "PERCENT", "k", "of the answers with the full model's"},
        {"--min-accuracy", "PERCENT", "k", "of the model"},
        {"--min-worst-class", "PERCENT", "k", "recall of the worst class"},
        {"--min-low-margin", "PERCENT", "k", "accuracy in the lowest tenth of margins"},
        {"--max-ece", "PERCENT", "k", "calibration error"},
        {"--max-bytes", "N", "k", "size of the model"},
        {"--max-latency-us", "US", "k", "on the engine that --board or --array gives"},
        {"--idle-mw", "MW", "k", "what the board draws when idle, for the energy; default 0"},
        {"--kwh-price", "P", "k", "of electricity, for the cost; default 0.3"},
        {"--device-price", "P", "k", "of the board, for the cost; default 0"},
        {"--json", NULL, "cmsvbupdtinoqFk", "machine-readable output"},
        {"--quiet", NULL, "cmrsvluzpdftinoqFykx", "no output but errors"},
};

enum { OPTION_COUNT = sizeof(table) / sizeof(table[0]) };

typedef struct {
	const char *name;
	char letter;
	const char *argument, *text;
} command;

static const command commands[] = {
        {"check", 'c', "MODEL", "say for each operator whether it can be compiled"},
        {"lower", 'l', "MODEL", "print the certificate: widths and proofs of every layer"},
        {"compile", 'm', "MODEL -o DIR", "plan and emit an accelerator for an envelope"},
        {"reference", 'r', "MODEL|DIR", "run the integer reference on input files"},
        {"simulate", 's', "DIR", "run the accelerator in Verilator on input files"},
        {"verify", 'v', "DIR", "compare accelerator and reference at every layer boundary"},
        {"run", 'u', "DIR", "run the accelerator, simulated or on a board, on input files"},
        {"board-sim", 'z', "DIR", "simulate a board behind a pseudo-terminal"},
        {"boards", 'b', "", "list the boards and their presets"},
        {"fit", 'F', "[--model GRAPH] --data DIR -o DIR",
         "search the most accurate network for a board or an envelope"},
        {"build", 'p', "DIR -o DIR", "make a board's bitstream of a compiled folder"},
        {"flash", 'f', "DIR", "load a built bitstream into its board"},
        {"train", 't', "[MODEL] --data DIR -o MODEL", "train a float network"},
        {"distil", 'i', "[MODEL] --teacher MODEL --data DIR -o MODEL",
         "train a network to do as another one does"},
        {"prune", 'n', "MODEL --data DIR --sparsity P -o MODEL",
         "make weights zero, or remove channels, while the network trains"},
        {"quantize", 'q', "MODEL --data DIR -o NET",
         "make a float network integer, with or without training"},
        {"compress", 'o', "CONFIG -o DIR", "distil, prune and quantize as a file says"},
        {"benchmark", 'k', "MODEL --data DIR",
         "say what a compressed model loses, on averages and on tails"},
        {"import", 'y', "MODEL -o FILE", "turn an .onnx or .tflite model into the own .json"},
        {"export", 'x', "MODEL -o FILE", "write a network as ONNX, with the reference's very bits"},
        {"doctor", 'd', "", "say which tools are there, and how to get the others"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const command *find_command(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (name && !strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Two columns; what is too long for the first has a line of its own. */
static void print_row(const char *name, int name_width, const char *argument, int width,
                      const char *text)
{
	const int long_name = (int)strlen(name) > name_width;
	const int used = (long_name ? (int)strlen(name) : name_width) + 1 + (int)strlen(argument);

	printf("  %-*s %s", name_width, name, argument);
	if (used > name_width + 1 + width)
		printf("\n%*s%s\n", name_width + width + 4, "", text);
	else
		printf("%*s%s\n", name_width + width + 2 - used, "", text);
}

void cli_print_help(const char *name)
{
	const command *c = find_command(name);

	if (!c) {
		printf("Espalier: networks in, FPGA accelerators out.\n\n"
		       "usage: espalier COMMAND [ARGUMENT] [OPTIONS]\n\n");
		for (int i = 0; i < COMMAND_COUNT; i++)
			print_row(commands[i].name, 10, commands[i].argument, 14, commands[i].text);
		printf("\nespalier COMMAND --help shows a command's options; the man pages say "
		       "more.\n"
		       "exit codes: 0 done, 1 mismatch, 2 usage, 3 input rejected, 4 does not "
		       "fit,\n"
		       "5 a tool is missing, 6 a tool failed, 7 link, 8 a gate of "
		       "benchmark, 70 our bug,\n130 interrupted\n");
		return;
	}
	printf("usage: espalier %s %s%s[OPTIONS]\n\n%s\n\n", c->name, c->argument,
	       *c->argument ? " " : "", c->text);
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strchr(table[i].commands, c->letter))
			print_row(table[i].name, 17, table[i].argument ? table[i].argument : "", 16,
			          table[i].text);
}

static espl_status integer(const char *name, const char *text, int64_t low, int64_t high,
                           int64_t *out, espl_error *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end || value < low || value > high)
		return espl_fail(err, ESPL_USAGE, "%s %s: a number from %lld to %lld is wanted",
		                 name, text, (long long)low, (long long)high);
	*out = value;
	return ESPL_OK;
}

static espl_status take_array(const char *text, cli_options *o, espl_error *err)
{
	char rest;

	if (sscanf(text, "%dx%d%c", &o->lanes, &o->splits, &rest) != 2 || o->lanes < 1 ||
	    o->splits < 1 || o->lanes > 4096 || o->splits > 4096)
		return espl_fail(err, ESPL_USAGE,
		                 "--array %s: lanes by splits are wanted, such as 16x8", text);
	return ESPL_OK;
}

static espl_status take_stall(const char *text, cli_options *o, espl_error *err)
{
	int64_t value = 0;

	o->stall_given = true;
	o->stall = (espl_stall){0};
	if (!strcmp(text, "none"))
		return ESPL_OK;
	if (!strncmp(text, "random:", 7)) {
		double share;
		char *end;

		share = strtod(text + 7, &end);
		if (end == text + 7 || *end || !(share >= 0) || share > 95)
			return espl_fail(
			        err, ESPL_USAGE,
			        "--stall %s: a share such as 0.3, or percent up to 95, is wanted",
			        text);
		o->stall.percent = (int)(share < 1 ? share * 100 + 0.5 : share);
		return ESPL_OK;
	}
	if (!strncmp(text, "burst:", 6)) {
		ESPL_TRY(integer("--stall burst:", text + 6, 1, 1000000, &value, err));
		o->stall.burst = (int)value;
		return ESPL_OK;
	}
	return espl_fail(err, ESPL_USAGE, "--stall %s: none, random:P or burst:N is wanted", text);
}

static espl_status add_file(const char *name, const char **files, int *count, const char *file,
                            espl_error *err)
{
	if (*count == CLI_MOST_FILES)
		return espl_fail(err, ESPL_USAGE, "%s: at most %d files", name,
		                 (int)CLI_MOST_FILES);
	files[(*count)++] = file;
	return ESPL_OK;
}

static espl_status take_rounding(const char *text, cli_options *o, espl_error *err)
{
	if (strcmp(text, "tflm") && strcmp(text, "single"))
		return espl_fail(err, ESPL_USAGE, "--rounding %s: tflm or single is wanted", text);
	o->rounding = strcmp(text, "tflm") ? ESPL_ROUND_SINGLE : ESPL_ROUND_TFLM;
	o->rounding_given = true;
	return ESPL_OK;
}

/* "4": seeds 1 to 4; "3,14": those two. */
static espl_status take_seeds(const char *text, cli_options *o, espl_error *err)
{
	const bool list = strchr(text, ',') != NULL;
	const char *at = text;

	o->seed_count = 0;
	while (*at) {
		char *end;
		const long value = strtol(at, &end, 10);

		if (end == at || (*end && *end != ',') || value < 1 || value > INT32_MAX ||
		    o->seed_count == CLI_MOST_SEEDS || (!list && value > CLI_MOST_SEEDS))
			break;
		for (int i = 0; i < o->seed_count; i++)
			if (o->seeds[i] == value)
				return espl_fail(err, ESPL_USAGE, "--seeds %s: %ld is there twice",
				                 text, value);
		o->seeds[o->seed_count++] = (int)value;
		at = end + (*end == ',');
	}
	if (*at || !o->seed_count)
		return espl_fail(err, ESPL_USAGE,
		                 "--seeds %s: 1 to %d, or a list such as 3,14,15 is wanted", text,
		                 (int)CLI_MOST_SEEDS);
	if (list)
		return ESPL_OK;
	o->seed_count = o->seeds[0];
	for (int i = 0; i < o->seed_count; i++)
		o->seeds[i] = i + 1;
	return ESPL_OK;
}

static espl_status take_clock(const char *text, cli_options *o, espl_error *err)
{
	char *end;
	const double mhz = strtod(text, &end);

	if (end == text || *end || !(mhz >= 1) || mhz > 1000)
		return espl_fail(err, ESPL_USAGE, "--freq %s: MHz from 1 to 1000 are wanted", text);
	o->clock_hz = (int64_t)(mhz * 1e6 + 0.5);
	return ESPL_OK;
}

static espl_status take_limit(const char *text, cli_options *o, espl_error *err)
{
	char *end;
	const double minutes = strtod(text, &end);

	if (end == text || *end || !(minutes > 0) || minutes > 100000)
		return espl_fail(err, ESPL_USAGE,
		                 "--time-limit %s: minutes are wanted, more than 0, at most 100000",
		                 text);
	o->limit_s = 1 + (int)(minutes * 60 - 0.5);
	return ESPL_OK;
}

static espl_status take_number(const char *name, const char *text, cli_options *o, espl_error *err)
{
	int64_t value = 0;

	if (!strcmp(name, "--memory"))
		return integer(name, text, 1, INT64_C(1) << 40, &o->memory_bytes, err);
	if (!strcmp(name, "--samples"))
		return integer(name, text, 1, INT32_MAX, &o->samples, err);
	if (!strcmp(name, "--baud") || !strcmp(name, "--timeout")) {
		ESPL_TRY(integer(name, text, 1, 100000000, &value, err));
		*(strcmp(name, "--baud") ? &o->timeout_ms : &o->baud) = (int)value;
		return ESPL_OK;
	}
	ESPL_TRY(integer(name, text, 0, UINT32_MAX, &value, err));
	if (!strcmp(name, "--seed")) {
		o->seed = (uint32_t)value;
		o->seed_given = true;
	} else if (value > 1000000)
		return espl_fail(err, ESPL_USAGE, "%s %s: at most 1000000", name, text);
	else if (!strcmp(name, "--multipliers"))
		o->multipliers = (int)value;
	else if (!strcmp(name, "--extremes"))
		o->extremes = (int)value;
	else
		o->requantizers = (int)value;
	return ESPL_OK;
}

static espl_status take(const char *name, const char *value, cli_options *o, espl_error *err)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {{"--board", &o->board},   {"--plan", &o->plan},
	             {"--engine", &o->engine}, {"--tensors", &o->tensors},
	             {"--trace", &o->trace},   {"--junit", &o->junit},
	             {"--cache", &o->cache},   {"--simulator", &o->simulator},
	             {"--port", &o->port},     {"--link", &o->link},
	             {"--faults", &o->faults}, {"--form", &o->form}};

	bool taken;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(name, texts[i].name)) {
			*texts[i].to = value;
			return ESPL_OK;
		}
	taken = false;
	if (!strcmp(o->command, "fit"))
		ESPL_TRY(cli_take_fit(name, value, o, &taken, err));
	if (!taken)
		ESPL_TRY(cli_take_training(name, value, o, &taken, err));
	if (taken)
		return ESPL_OK;
	ESPL_TRY(cli_take_pruning(name, value, o, &taken, err));
	if (!taken)
		ESPL_TRY(cli_take_quantization(name, value, o, &taken, err));
	if (!taken && !strcmp(o->command, "benchmark"))
		ESPL_TRY(cli_take_benchmark(name, value, o, &taken, err));
	if (taken)
		return ESPL_OK;
	if (!strcmp(name, "--json"))
		o->json = true;
	else if (!strcmp(name, "--baked"))
		o->baked = true;
	else if (!strcmp(name, "--quiet"))
		o->quiet = true;
	else if (!strcmp(name, "--kat"))
		o->kat = true;
	else if (!strcmp(name, "--allow-slow"))
		o->allow_slow = true;
	else if (!strcmp(name, "--dry-run"))
		o->dry_run = true;
	else if (!strcmp(name, "--install"))
		o->install = true;
	else if (!strcmp(name, "--seeds"))
		return take_seeds(value, o, err);
	else if (!strcmp(name, "--freq"))
		return take_clock(value, o, err);
	else if (!strcmp(name, "--time-limit"))
		return take_limit(value, o, err);
	else if (!strcmp(name, "--array"))
		return take_array(value, o, err);
	else if (!strcmp(name, "--stall"))
		return take_stall(value, o, err);
	else if (!strcmp(name, "--rounding"))
		return take_rounding(value, o, err);
	else if (!strcmp(name, "--input"))
		return add_file(name, o->inputs, &o->input_count, value, err);
	else if (!strcmp(name, "--output") && strcmp(o->command, "reference") &&
	         strcmp(o->command, "simulate") && strcmp(o->command, "run"))
		o->output = value;
	else if (!strcmp(name, "--output"))
		return add_file(name, o->outputs, &o->output_count, value, err);
	else
		return take_number(name, value, o, err);
	return ESPL_OK;
}

static const option *find_option(const char *text, size_t length, char letter)
{
	if (length == 2 && !strncmp(text, "-o", 2)) {
		text = "--output";
		length = 8;
	}
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strlen(table[i].name) == length && !strncmp(table[i].name, text, length) &&
		    strchr(table[i].commands, letter))
			return &table[i];
	return NULL;
}

espl_status cli_parse(int argc, char **argv, cli_options *o, bool *help, espl_error *err)
{
	const command *c = find_command(o->command);

	bool rate_given = false;

	*help = false;
	o->seed = 1;
	o->validation = 5000;
	o->train = espl_train_default();
	cli_start_pruning(o);
	o->quantize = espl_quantize_default();
	if (!strcmp(o->command, "quantize"))
		o->train = espl_quantize_train_default();
	o->fit.effort = ESPL_EFFORT_NORMAL;
	o->extremes = 4;
	o->kwh_price = 0.3;
	if (!c)
		return espl_fail(err, ESPL_USAGE, "%s: no such command; see espalier --help",
		                 o->command);
	for (int i = 0; i < argc; i++) {
		const char *text = argv[i], *equals = strchr(text, '=');
		const size_t length = equals ? (size_t)(equals - text) : strlen(text);
		const option *found;

		if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
			cli_print_help(o->command);
			*help = true;
			return ESPL_OK;
		}
		if (*text != '-') {
			if (o->model || !*c->argument)
				return espl_fail(err, ESPL_USAGE, "%s: one argument too many",
				                 text);
			o->model = text;
			continue;
		}
		found = find_option(text, length, c->letter);
		if (!found)
			return espl_fail(err, ESPL_USAGE, "%s: %s has no such option", text,
			                 c->name);
		rate_given |= !strcmp(found->name, "--rate");
		if (!found->argument) {
			ESPL_TRY(take(found->name, NULL, o, err));
			continue;
		}
		if (!equals && i + 1 == argc)
			return espl_fail(err, ESPL_USAGE, "%s: %s is missing", text,
			                 found->argument);
		ESPL_TRY(take(found->name, equals ? equals + 1 : argv[++i], o, err));
	}
	if (!rate_given && o->train.optimizer == ESPL_OPTIMIZER_ADAM)
		o->train.rate = 0.001;
	if (!o->model && *c->argument && *c->argument != '[')
		return espl_fail(err, ESPL_USAGE, "%s: %s is missing; see espalier %s --help",
		                 c->name, c->argument, c->name);
	return ESPL_OK;
}
