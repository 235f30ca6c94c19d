/* The command line: arguments in, exit code out.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

bool cli_interrupted(void)
{
	return interrupted;
}

bool cli_stop(void *user)
{
	(void)user;
	return cli_interrupted();
}

void cli_progress(void *user, const char *what)
{
	const cli_options *options = user;

	if (isatty(2) && !options->quiet)
		fprintf(stderr, "%s ...\n", what);
}

static espl_status run(const cli_options *options, espl_arena *arena, espl_error *err)
{
	static const struct {
		const char *name;
		espl_status (*run)(const cli_options *, espl_arena *, espl_error *);
	} commands[] = {
	        {"check", cli_check},
	        {"lower", cli_lower},
	        {"compile", cli_compile},
	        {"reference", cli_reference},
	        {"simulate", cli_simulate},
	        {"verify", cli_verify},
	        {"boards", cli_boards},
	        {"run", cli_run},
	        {"board-sim", cli_board_sim},
	        {"build", cli_build},
	        {"import", cli_import},
	        {"export", cli_export},
	        {"doctor", cli_doctor},
	        {"flash", cli_flash},
	        {"fit", cli_fit},
	        {"train", cli_train},
	        {"distil", cli_distil},
	        {"prune", cli_prune},
	        {"quantize", cli_quantize},
	        {"compress", cli_compress},
	        {"benchmark", cli_benchmark},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, options->command))
			return commands[i].run(options, arena, err);
	return espl_fail(err, ESPL_USAGE, "%s: no such command", options->command);
}

int main(int argc, char **argv)
{
	const struct sigaction on_int = {.sa_handler = on_interrupt};
	cli_options options = {0};
	espl_error error = {0};
	espl_status status;
	espl_arena *arena;
	bool help;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		cli_print_help(argc > 2 ? argv[2] : NULL);
		return argc < 2 ? espl_status_exit_code(ESPL_USAGE) : 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("espalier %s\n", ESPALIER_VERSION);
		return 0;
	}
	sigaction(SIGINT, &on_int, NULL);
	sigaction(SIGTERM, &on_int, NULL); /* what was begun is cleared away */
	options.command = argv[1];
	arena = espl_arena_create();
	status = cli_parse(argc - 2, argv + 2, &options, &help, &error);
	if (!status && !help)
		status = run(&options, arena, &error);
	if (!status && fflush(stdout))
		status = espl_fail(&error, ESPL_IO, "standard output cannot be written");
	if (status && interrupted)
		status = ESPL_INTERRUPTED;
	if (status && status != ESPL_INTERRUPTED && error.message[0])
		fprintf(stderr, "espalier: %s%s%s\n", error.where, error.where[0] ? ": " : "",
		        error.message);
	espl_arena_destroy(arena);
	return espl_status_exit_code(status);
}
