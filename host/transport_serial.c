/* A board on a serial port as a transport: the port, opened and watched. The only user of termios.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every wait has a bound: a board that is silent, and one that answers without getting
 * anywhere, are told apart. Closing never waits: what is still to go is dropped.
 */
#define _DEFAULT_SOURCE
#include "host/crc32c.h"
#include "host/link.h"
#include "host/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_BAUD = 1000000,
	DEFAULT_PATIENCE_MS = 20000, /* without anything accepted or given by the board */
	CONTROL_BEATS = 3,           /* at a program's end: its control frame */
	READ_BYTES = 4096
};

typedef struct {
	espl_transport transport; /* first: a transport is one of these */
	const char *port;
	int file;
	espl_link *link;
	int64_t patience_us;
	uint8_t out[16 * ESPL_FRAME_WIRE];
	size_t out_at, out_size;
	espl_link_info info; /* of the last question */
} serial_transport;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* -- the port -----------------------------------------------------------------------------------
 */

static espl_status speed_of(int baud, speed_t *out, espl_error *err)
{
	static const struct {
		int baud;
		speed_t speed;
	} speeds[] = {
	        {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
	        {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
	        {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
	        {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
	};

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud == baud) {
			*out = speeds[i].speed;
			return ESPL_OK;
		}
	return espl_fail(err, ESPL_USAGE,
	                 "%d baud is no speed of a serial port (115200, 1000000, 3000000 are)",
	                 baud);
}

static espl_status set_line(const serial_transport *s, speed_t speed, espl_error *err)
{
	struct termios line;

	if (tcgetattr(s->file, &line))
		return espl_fail(err, ESPL_LINK, "%s: not a serial port", s->port);
	cfmakeraw(&line);
	line.c_cflag &= (tcflag_t) ~(CSTOPB | CRTSCTS | HUPCL);
	line.c_cflag |= CLOCAL | CREAD;
	line.c_cc[VMIN] = 0;
	line.c_cc[VTIME] = 0;
	if (cfsetspeed(&line, speed) || tcsetattr(s->file, TCSANOW, &line))
		return espl_fail(err, ESPL_LINK, "%s: the speed cannot be set: %s", s->port,
		                 strerror(errno));
	tcflush(s->file, TCIOFLUSH);
	return ESPL_OK;
}

static espl_status open_port(serial_transport *s, speed_t speed, espl_error *err)
{
	s->file = open(s->port, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (s->file < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
		return espl_fail(err, ESPL_LINK, "%s: no such port", s->port);
	if (s->file < 0 && errno == EACCES)
		return espl_fail(err, ESPL_LINK,
		                 "%s: permission denied; serial ports belong to a group, such as "
		                 "dialout",
		                 s->port);
	if (s->file < 0 && errno == EBUSY)
		return espl_fail(err, ESPL_LINK, "%s: busy: another program has the port", s->port);
	if (s->file < 0)
		return espl_fail(err, ESPL_LINK, "%s: %s", s->port, strerror(errno));
	/* not ours yet: closed as it is */
	if (!isatty(s->file)) {
		close(s->file);
		s->file = -1;
		return espl_fail(err, ESPL_LINK, "%s: not a serial port", s->port);
	}
	if (flock(s->file, LOCK_EX | LOCK_NB)) {
		close(s->file);
		s->file = -1;
		return espl_fail(err, ESPL_LINK, "%s: busy: another program has the port", s->port);
	}
	/* for programs that do not ask for the lock; a pseudo-terminal would stay exclusive after
	 * us, if its other side lives on */
	if (strncmp(s->port, "/dev/pts/", 9))
		ioctl(s->file, TIOCEXCL);
	return set_line(s, speed, err);
}

/* Moves bytes both ways until `until`, or until something came. */
static espl_status exchange(serial_transport *s, int64_t until, espl_error *err)
{
	struct pollfd wait = {.fd = s->file, .events = POLLIN};
	uint8_t bytes[READ_BYTES];
	int64_t now = now_us(), wake;
	ssize_t count;

	if (s->out_at == s->out_size) {
		s->out_at = 0;
		s->out_size = espl_link_transmit(s->link, now, s->out, sizeof(s->out));
	}
	if (s->out_at < s->out_size) {
		count = write(s->file, s->out + s->out_at, s->out_size - s->out_at);
		if (count > 0)
			s->out_at += (size_t)count;
		else if (count < 0 && errno != EAGAIN && errno != EINTR)
			return espl_fail(err, ESPL_LINK, "%s: the port is gone: %s", s->port,
			                 strerror(errno));
	}
	if (s->out_at < s->out_size)
		wait.events |= POLLOUT;
	wake = espl_link_wake(s->link);
	wake = wake < until ? wake : until;
	wake = wake > now ? (wake - now + 999) / 1000 : 0;
	if (poll(&wait, 1, (int)(wake > 1000 ? 1000 : wake)) < 0 && errno != EINTR)
		return espl_fail(err, ESPL_LINK, "%s: %s", s->port, strerror(errno));
	if (wait.revents & (POLLERR | POLLHUP | POLLNVAL))
		return espl_fail(err, ESPL_LINK, "%s: the port is gone", s->port);
	if (!(wait.revents & POLLIN))
		return ESPL_OK;
	count = read(s->file, bytes, sizeof(bytes));
	if (count < 0 && errno != EAGAIN && errno != EINTR)
		return espl_fail(err, ESPL_LINK, "%s: the port is gone: %s", s->port,
		                 strerror(errno));
	if (count > 0)
		espl_link_receive(s->link, now_us(), bytes, (size_t)count);
	return ESPL_OK;
}

/* -- waiting ------------------------------------------------------------------------------------
 */

typedef bool done_test(serial_transport *s);

/* Exchanges until done(s) holds; fails when the board is silent, has forgotten the session, or
 * gets nowhere for as long as patience lasts. `what` the board does not do. */
static espl_status wait_for(serial_transport *s, done_test *done, const char *what, espl_error *err)
{
	uint64_t progress = espl_link_progress(s->link);
	int64_t last = now_us();

	while (!done(s)) {
		ESPL_TRY(exchange(s, last + s->patience_us, err));
		switch (espl_link_condition(s->link)) {
		case ESPL_LINK_SILENT:
			return espl_fail(err, ESPL_LINK,
			                 "%s: no answer; is it the board's port, is the bitstream "
			                 "loaded, and is the speed right",
			                 s->port);
		case ESPL_LINK_LOST:
			return espl_fail(err, ESPL_LINK,
			                 "%s: the board was reset and has lost the session",
			                 s->port);
		case ESPL_LINK_ALIVE:
			break;
		}
		if (espl_link_progress(s->link) != progress) {
			progress = espl_link_progress(s->link);
			last = now_us();
		} else if (now_us() - last > s->patience_us) {
			return espl_fail(err, ESPL_LINK,
			                 "%s: the board answers, but %s within %" PRId64 " ms",
			                 s->port, what, s->patience_us / 1000);
		}
	}
	return ESPL_OK;
}

static bool answered(serial_transport *s)
{
	return espl_link_answered(s->link, &s->info);
}

static bool all_taken(serial_transport *s)
{
	return espl_link_idle(s->link);
}

static bool has_room(serial_transport *s)
{
	return espl_link_has_room(s->link);
}

static bool packet_came(serial_transport *s)
{
	return espl_link_has_packet(s->link);
}

static espl_status query(serial_transport *s, espl_error *err)
{
	espl_link_query(s->link);
	return wait_for(s, answered, "does not tell about itself", err);
}

/* Queues a packet: whole, however long it takes. */
static espl_status push(serial_transport *s, const uint64_t *beats, size_t count, int kind,
                        espl_error *err)
{
	while (count) {
		const size_t taken = espl_link_push(s->link, beats, count, kind, true);

		if (taken)
			kind &= ~ESPL_FRAME_BEGIN;
		beats += taken;
		count -= taken;
		if (count)
			ESPL_TRY(wait_for(s, has_room, "takes nothing", err));
	}
	return exchange(s, 0, err);
}

/* -- the transport ------------------------------------------------------------------------------
 */

/* The program goes over the line only if the board does not hold it: the checksum tells. A
 * session's reset of the engine leaves the memories, but not what the control frame wrote. */
static espl_status load(espl_transport *t, const uint64_t *beats, size_t count, espl_error *err)
{
	serial_transport *s = (serial_transport *)t;
	uint32_t crc = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[8];

		for (int b = 0; b < 8; b++)
			bytes[b] = (uint8_t)(beats[i] >> 8 * b);
		crc = espl_crc32c(crc, bytes, sizeof(bytes));
	}
	if (s->info.program_crc == crc && count > CONTROL_BEATS)
		ESPL_TRY(push(s, beats + count - CONTROL_BEATS, CONTROL_BEATS, 0, err));
	else
		ESPL_TRY(push(s, beats, count, ESPL_FRAME_PROGRAM | ESPL_FRAME_BEGIN, err));
	ESPL_TRY(wait_for(s, all_taken, "does not take the program", err));
	for (int64_t last = now_us() + s->patience_us;;) {
		ESPL_TRY(query(s, err));
		if (!s->info.busy)
			break;
		if (now_us() > last)
			return espl_fail(err, ESPL_LINK,
			                 "%s: the engine does not take the program within %" PRId64
			                 " ms",
			                 s->port, s->patience_us / 1000);
	}
	if (s->info.program_crc != crc)
		return espl_fail(err, ESPL_LINK,
		                 "%s: the checksum of the board's program is %08" PRIx32
		                 ", it should be %08" PRIx32,
		                 s->port, s->info.program_crc, crc);
	return ESPL_OK;
}

static espl_status send_packet(espl_transport *t, const uint64_t *beats, size_t count,
                               espl_error *err)
{
	return push((serial_transport *)t, beats, count, 0, err);
}

static espl_status receive(espl_transport *t, uint64_t *beats, size_t count, espl_error *err)
{
	serial_transport *s = (serial_transport *)t;
	size_t got;

	espl_link_expect(s->link, 1);
	ESPL_TRY(wait_for(s, packet_came, "gives no result", err));
	got = espl_link_pull(s->link, beats, count);
	espl_link_expect(s->link, 0);
	if (got != count)
		return espl_fail(err, ESPL_LINK,
		                 "%s: the result has %zu beats, the manifest says %zu", s->port,
		                 got, count);
	return ESPL_OK;
}

static espl_status status(espl_transport *t, int address, uint32_t *value, espl_error *err)
{
	serial_transport *s = (serial_transport *)t;

	ESPL_TRY(query(s, err));
	*value = s->info.status[address];
	return ESPL_OK;
}

static void counters(espl_transport *t, size_t collected, espl_counters *out)
{
	serial_transport *s = (serial_transport *)t;
	espl_link_counters c;

	(void)collected;
	espl_link_count(s->link, &c);
	out->link_frames = c.sent + c.received;
	out->link_retries = c.resent;
	out->link_errors = c.damaged;
}

static void close_port(espl_transport *t)
{
	serial_transport *s = (serial_transport *)t;

	if (s->file < 0)
		return;
	/* else the system would wait for the line to take the rest */
	tcflush(s->file, TCIOFLUSH);
	ioctl(s->file, TIOCNXCL);
	close(s->file);
}

static espl_status begin(serial_transport *s, espl_error *err)
{
	ESPL_TRY(query(s, err));
	if (s->info.protocol != ESPL_LINK_PROTOCOL)
		return espl_fail(err, ESPL_LINK,
		                 "%s: the board's link speaks protocol %08" PRIx32
		                 ", this driver %08" PRIx32,
		                 s->port, s->info.protocol, (uint32_t)ESPL_LINK_PROTOCOL);
	espl_link_open(s->link);
	return wait_for(s, answered, "does not begin a session", err);
}

espl_status espl_transport_serial_open(const espl_manifest *m, const espl_options *options,
                                       espl_arena *arena, espl_transport **out, espl_error *err)
{
	const espl_link_options how = {
	        .baud = options->baud ? options->baud : DEFAULT_BAUD,
	        .seed = (uint8_t)(now_us() ^ getpid()),
	};
	serial_transport *s = ESPL_NEW(arena, serial_transport);
	speed_t speed = 0;

	(void)m;
	ESPL_TRY(speed_of(how.baud, &speed, err));
	s->transport = (espl_transport){
	        .load = load,
	        .send = send_packet,
	        .receive = receive,
	        .status = status,
	        .counters = counters,
	        .close = close_port,
	};
	s->port = espl_arena_string(arena, options->port);
	s->file = -1;
	s->patience_us =
	        INT64_C(1000) * (options->patience_ms ? options->patience_ms : DEFAULT_PATIENCE_MS);
	s->link = espl_link_create(&how, arena);
	*out = &s->transport;
	ESPL_TRY(open_port(s, speed, err));
	return begin(s, err);
}
