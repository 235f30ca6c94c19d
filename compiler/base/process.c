/* fork, exec and wait.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 64 * 1024, NOT_STARTED = 127 };

const char *espl_process_find(const char *name, espl_arena *arena)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : name;
	while (path && *path) {
		const size_t length = strcspn(path, ":");
		const char *file = espl_arena_format(arena, "%.*s/%s", (int)length, path, name);

		if (length && !access(file, X_OK))
			return file;
		path += length + (path[length] == ':');
	}
	return NULL;
}

static const char *quoted(const char *word, espl_arena *arena)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "-_./=:,+%@";
	const char *out = "'";

	if (*word && strspn(word, plain) == strlen(word))
		return word;
	for (; *word; word++)
		out = *word == '\'' ? espl_arena_format(arena, "%s'\\''", out)
		                    : espl_arena_format(arena, "%s%c", out, *word);
	return espl_arena_format(arena, "%s'", out);
}

const char *espl_command_text(const espl_command *command, espl_arena *arena)
{
	const char *text = "";

	for (int i = 0; command->argv[i]; i++)
		text = espl_arena_format(arena, "%s%s%s", text, i ? " " : "",
		                         quoted(command->argv[i], arena));
	return text;
}

/* Starts a command; `output` takes both its outputs unless it is negative or there is a log. */
static espl_status start(const espl_command *command, int output, pid_t *out, espl_error *err)
{
	const pid_t child = fork();

	if (child < 0)
		return espl_fail(err, ESPL_TOOL, "cannot start a process: %s", strerror(errno));
	if (!child) {
		const int to = command->log
		                       ? open(command->log, O_WRONLY | O_CREAT | O_APPEND, 0666)
		                       : output;

		if ((command->log && to < 0) || (to >= 0 && (dup2(to, 1) < 0 || dup2(to, 2) < 0)) ||
		    (command->folder && chdir(command->folder)))
			_exit(NOT_STARTED);
		execvp(command->argv[0], (char *const *)command->argv);
		_exit(NOT_STARTED);
	}
	*out = child;
	return ESPL_OK;
}

static int code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool was_interrupted(int code)
{
	return code == 128 + SIGINT || code == 128 + SIGTERM;
}

typedef struct {
	pid_t process;  /* 0: not running */
	time_t ends_at; /* by the clock that never goes back; 0: whenever it likes */
	bool late;
} child;

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Ends the children whose time is up: at first politely. */
static void end_late(child *children, int count)
{
	enum { GRACE_S = 5 };
	const time_t time = now();

	for (int i = 0; i < count; i++) {
		child *c = &children[i];

		if (c->process <= 0 || !c->ends_at || time < c->ends_at)
			continue;
		kill(c->process, c->late ? SIGKILL : SIGTERM);
		c->late = true;
		c->ends_at = time + GRACE_S;
	}
}

/* Waits for one of the children; a signal ends them all. */
static pid_t wait_for_any(child *children, int count, int *status, bool *stopped)
{
	pid_t ended;

	/* children of others must not be reaped, so look at each of ours in turn */
	for (;;) {
		for (int i = 0; i < count; i++) {
			if (children[i].process <= 0)
				continue;
			ended = waitpid(children[i].process, status, WNOHANG);
			if (ended == children[i].process || (ended < 0 && errno == ECHILD))
				return children[i].process;
		}
		end_late(children, count);
		{
			const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

			if (nanosleep(&pause, NULL) && errno == EINTR && !*stopped) {
				*stopped = true;
				for (int i = 0; i < count; i++)
					if (children[i].process > 0)
						kill(children[i].process, SIGTERM);
			}
		}
	}
}

espl_status espl_process_run_all(const espl_command *commands, int count, int most, int *exit_codes,
                                 espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	child *children = ESPL_ARRAY(scratch, child, count);
	espl_status status = ESPL_OK;
	int started = 0, running = 0;
	bool stopped = false;

	for (int i = 0; i < count; i++)
		exit_codes[i] = NOT_STARTED;
	while ((started < count && !status && !stopped) || running) {
		if (started < count && running < most && !status && !stopped) {
			status = start(&commands[started], -1, &children[started].process, err);
			if (commands[started].limit_s)
				children[started].ends_at = now() + commands[started].limit_s;
			running += !status;
			started += !status;
			continue;
		}
		{
			int ended = 0;
			const pid_t process = wait_for_any(children, started, &ended, &stopped);

			for (int i = 0; i < started; i++)
				if (children[i].process == process) {
					exit_codes[i] = children[i].late ? ESPL_PROCESS_LATE
					                                 : code_of(ended);
					stopped |= was_interrupted(exit_codes[i]);
					children[i].process = 0;
				}
			running--;
		}
	}
	espl_arena_destroy(scratch);
	if (!status && stopped)
		return espl_fail(err, ESPL_INTERRUPTED, "%s: interrupted", commands[0].argv[0]);
	return status;
}

espl_status espl_process_run(const espl_command *command, int *exit_code, espl_error *err)
{
	return espl_process_run_all(command, 1, 1, exit_code, err);
}

espl_status espl_process_read(const espl_command *command, espl_arena *arena, const char **text,
                              int *exit_code, espl_error *err)
{
	char *bytes = espl_arena_calloc(arena, TEXT_BYTES_MAX + 1, 1);
	size_t used = 0;
	int ends[2], ended = 0;
	ssize_t got = 1;
	espl_status status;
	pid_t process = 0;

	if (pipe(ends))
		return espl_fail(err, ESPL_TOOL, "cannot make a pipe: %s", strerror(errno));
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	status = start(command, ends[1], &process, err);
	close(ends[1]);
	while (!status && got) {
		char rest[4096];
		const bool full = used == TEXT_BYTES_MAX;

		got = read(ends[0], full ? rest : bytes + used,
		           full ? sizeof(rest) : TEXT_BYTES_MAX - used);
		if (got < 0 && errno != EINTR)
			break;
		if (got < 0) {
			kill(process, SIGTERM);
			status = espl_fail(err, ESPL_INTERRUPTED, "%s: interrupted",
			                   command->argv[0]);
		} else if (!full) {
			used += (size_t)got;
		}
	}
	close(ends[0]);
	if (process > 0)
		while (waitpid(process, &ended, 0) < 0 && errno == EINTR)
			;
	*exit_code = code_of(ended);
	*text = bytes;
	return status;
}
