/* Programs started by their argument list, never through a shell.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_PROCESS_H
#define ESPL_BASE_PROCESS_H

#include "base/arena.h"
#include "base/status.h"

typedef struct {
	const char *const
	        *argv;      /* NULL behind the last; argv[0] is a path or is looked for on PATH */
	const char *folder; /* where it runs; NULL: here */
	const char *log;    /* both its outputs are appended; NULL: they are the caller's */
	int limit_s;        /* it is ended after so many seconds; 0: never */
} espl_command;

/* The exit code of a command that was ended at its limit. */
enum { ESPL_PROCESS_LATE = 124 };

/* The path of an executable on PATH, or NULL. */
const char *espl_process_find(const char *name, espl_arena *arena);

/* The command as a person would type it, quoted where needed. */
const char *espl_command_text(const espl_command *command, espl_arena *arena);

/* Runs a command to its end.
 *   out    *exit_code  127 when the program could not be started; 128 + n when signal n ended it;
 *          ESPL_PROCESS_LATE
 *   fails  ESPL_TOOL: no process could be made; ESPL_INTERRUPTED: a signal came in, to us or to it
 */
espl_status espl_process_run(const espl_command *command, int *exit_code, espl_error *err);

/* Runs commands side by side, at most `most` at a time, in their order.
 *   out    exit_codes[count]
 *   fails  as espl_process_run; what runs then is ended before this returns */
espl_status espl_process_run_all(const espl_command *commands, int count, int most, int *exit_codes,
                                 espl_error *err);

/* Runs a command and takes what it writes to either output, at most 64 KiB of it.
 *   out    *text in `arena` */
espl_status espl_process_read(const espl_command *command, espl_arena *arena, const char **text,
                              int *exit_code, espl_error *err);

#endif
