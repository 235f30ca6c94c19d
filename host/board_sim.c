/* A simulated board behind a pseudo-terminal, which the driver opens like any port.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "host/board_sim.h"

#include "host/manifest.h"
#include "host/sim_build.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
	SLICE_CYCLES = 4000,   /* between two looks at the terminal */
	IDLE_CYCLES = 2000000, /* without a byte on the line: the board may sleep */
	QUEUE_BYTES = 512,     /* taken from the terminal ahead of the line */
	SLEEP_MS = 50
};

/* X(result, name, parameters): what the library exports. */
#define BOARD_LIST(X)                                                          \
	X(espl_sim_board *, create, (void))                                    \
	X(void, destroy, (espl_sim_board *))                                   \
	X(void, set_faults, (espl_sim_board *, const espl_sim_board_faults *)) \
	X(void, send, (espl_sim_board *, const uint8_t *, size_t))             \
	X(size_t, queued, (const espl_sim_board *))                            \
	X(size_t, run, (espl_sim_board *, uint64_t, uint8_t *, size_t))        \
	X(uint64_t, quiet, (const espl_sim_board *))

typedef struct {
	const espl_board_sim_options *options;
	void *library;
	espl_sim_board *board;
	int terminal;
	char port[128];
	uint8_t out[1 << 16]; /* from the board, not yet in the terminal */
	size_t out_size;
#define X(result, name, parameters) result(*name) parameters;
	BOARD_LIST(X)
#undef X
} server;

static espl_status bind(server *s, const char *path, espl_error *err)
{
	s->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!s->library)
		return espl_fail(err, ESPL_TOOL, "%s; remove it to build it anew", dlerror());
#define X(result, name, parameters)                                                             \
	{                                                                                       \
		void *symbol = dlsym(s->library, "espl_sim_board_" #name);                      \
		if (!symbol)                                                                    \
			return espl_fail(err, ESPL_TOOL, "%s: no espl_sim_board_" #name, path); \
		memcpy(&s->name, &symbol, sizeof(symbol));                                      \
	}
	BOARD_LIST(X)
#undef X
	return ESPL_OK;
}

static espl_status open_terminal(server *s, espl_error *err)
{
	const char *link = s->options->link;
	struct termios line;
	struct stat old;

	s->terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (s->terminal < 0 || grantpt(s->terminal) || unlockpt(s->terminal))
		return espl_fail(err, ESPL_IO, "no pseudo-terminal: %s", strerror(errno));
	snprintf(s->port, sizeof(s->port), "%s", ptsname(s->terminal));
	/* as a serial line is: nothing is echoed before the driver sets the line */
	if (!tcgetattr(s->terminal, &line)) {
		cfmakeraw(&line);
		tcsetattr(s->terminal, TCSANOW, &line);
	}
	fcntl(s->terminal, F_SETFL, O_NONBLOCK);
	if (!link)
		return ESPL_OK;
	if (!lstat(link, &old) && !S_ISLNK(old.st_mode))
		return espl_fail(err, ESPL_IO, "%s: exists, and is no symbolic link", link);
	unlink(link);
	if (symlink(s->port, link))
		return espl_fail(err, ESPL_IO, "%s: %s", link, strerror(errno));
	return ESPL_OK;
}

/* Waits for the driver when there is nothing to do. */
static void rest(const server *s)
{
	const bool busy = s->queued(s->board) || s->quiet(s->board) < IDLE_CYCLES || s->out_size;
	const struct timespec pause = {.tv_nsec = 1000000L * SLEEP_MS};
	struct pollfd wait = {.fd = s->terminal, .events = POLLIN};

	if (busy)
		return;
	/* with nobody at the other side poll returns at once */
	if (poll(&wait, 1, SLEEP_MS) > 0 && !(wait.revents & POLLIN))
		nanosleep(&pause, NULL);
}

static void serve(server *s)
{
	while (!s->options->stop(s->options->user)) {
		uint8_t bytes[QUEUE_BYTES];
		ssize_t count;

		rest(s);
		if (s->queued(s->board) < QUEUE_BYTES) {
			count = read(s->terminal, bytes, sizeof(bytes));
			if (count > 0)
				s->send(s->board, bytes, (size_t)count);
		}
		s->out_size += s->run(s->board, SLICE_CYCLES, s->out + s->out_size,
		                      sizeof(s->out) - s->out_size);
		if (!s->out_size)
			continue;
		count = write(s->terminal, s->out, s->out_size);
		if (count > 0) {
			s->out_size -= (size_t)count;
			memmove(s->out, s->out + count, s->out_size);
		} else if (s->out_size == sizeof(s->out)) {
			s->out_size = 0; /* nobody reads: as a line without a listener */
		}
	}
}

static espl_status start(server *s, const char *folder, espl_arena *arena, espl_error *err)
{
	const espl_options how = {
	        .cache = s->options->cache,
	        .progress = s->options->progress,
	        .user = s->options->user,
	};
	espl_manifest *m;
	const char *path;

	ESPL_TRY(espl_manifest_read(folder, arena, &m, err));
	ESPL_TRY(espl_board_build(m, &how, arena, &path, err));
	ESPL_TRY(bind(s, path, err));
	s->board = s->create();
	s->set_faults(s->board, &s->options->faults);
	return open_terminal(s, err);
}

espl_status espl_board_sim_run(const char *folder, const espl_board_sim_options *options,
                               espl_error *err)
{
	espl_arena *arena = espl_arena_create();
	server *s = ESPL_NEW(arena, server);
	espl_status status;

	s->options = options;
	s->terminal = -1;
	status = start(s, folder, arena, err);
	if (!status) {
		options->ready(options->user, s->port);
		serve(s);
		if (options->link)
			unlink(options->link);
	}
	if (s->terminal >= 0)
		close(s->terminal);
	if (s->board)
		s->destroy(s->board);
	if (s->library)
		dlclose(s->library);
	espl_arena_destroy(arena);
	return status;
}
