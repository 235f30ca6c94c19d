/* The driver's serial transport on a pseudo-terminal whose other side a test plays: the rare
 * errors. SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include "host/link.h"
#include "host/transport.h"

#include "../link/board_frame.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { NEVER = -1, INFO_BYTES = 48 };

/* A board that answers every question and takes every beat, but not as it should. */
typedef struct {
	int file; /* the pseudo-terminal's own side */
	pthread_t thread;
	atomic_bool stop;
	uint32_t protocol, program_crc;
	int gone_after; /* frames; NEVER */
	uint8_t accepted, session;
	espl_arena *arena;
	espl_transport *transport;
	espl_error err;
} board;

static void answer(board *b, const espl_frame *asked)
{
	espl_frame frame = {.sequence = asked->sequence};
	uint8_t wire[ESPL_FRAME_WIRE];
	size_t size;

	if (asked->flags & ESPL_FRAME_INPUT) {
		if (asked->sequence == b->accepted)
			b->accepted++;
		frame.flags = ESPL_FRAME_ANSWER;
	} else {
		if ((asked->flags & 7) == ESPL_FRAME_OPEN) {
			b->session = asked->sequence;
			b->accepted = 0;
		}
		frame.flags = ESPL_FRAME_INFO;
		frame.size = INFO_BYTES;
		for (int i = 0; i < 4; i++) {
			frame.payload[i] = (uint8_t)(b->protocol >> 8 * i);
			frame.payload[8 + i] = (uint8_t)(b->program_crc >> 8 * i);
		}
		frame.payload[12] = b->session;
	}
	frame.flags |= ESPL_FRAME_SESSION | (asked->flags & (3 << 3));
	frame.acknowledge = b->accepted;
	size = board_frame(&frame, wire);
	wire[size++] = 0;
	assert_int_equal(write(b->file, wire, size), (ssize_t)size);
}

/* Undoes COBS; nothing is damaged here, so the CRC is not looked at. */
static void take(board *b, const uint8_t *wire, size_t size)
{
	uint8_t body[ESPL_FRAME_LONGEST] = {0};
	size_t length = 0;

	for (size_t at = 0; at < size; at += wire[at]) {
		if (at)
			body[length++] = 0;
		memcpy(body + length, wire + at + 1, wire[at] - 1u);
		length += wire[at] - 1u;
	}
	answer(b, &(espl_frame){.flags = body[0], .sequence = body[1]});
}

static void *play(void *user)
{
	board *b = user;
	uint8_t wire[ESPL_FRAME_LONGEST];
	size_t size = 0;
	int frames = 0;
	uint8_t byte;

	while (!b->stop) {
		struct pollfd wait = {.fd = b->file, .events = POLLIN};

		if (poll(&wait, 1, 20) <= 0 || read(b->file, &byte, 1) != 1)
			continue;
		if (byte) {
			assert_true(size < sizeof(wire));
			wire[size++] = byte;
			continue;
		}
		if (size && frames++ == b->gone_after)
			break;
		if (size)
			take(b, wire, size);
		size = 0;
	}
	close(b->file);
	return NULL;
}

/* Opens the driver on such a board. */
static espl_status meet(board *b)
{
	struct termios line;
	espl_options options = {.baud = 3000000, .patience_ms = 2000};
	char name[64];
	int slave;

	b->file = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(b->file >= 0);
	assert_int_equal(grantpt(b->file) | unlockpt(b->file), 0);
	assert_int_equal(ptsname_r(b->file, name, sizeof(name)), 0);
	/* raw before the first byte, and open until the thread runs */
	slave = open(name, O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(slave, &line), 0);
	cfmakeraw(&line);
	assert_int_equal(tcsetattr(slave, TCSANOW, &line), 0);
	assert_int_equal(pthread_create(&b->thread, NULL, play, b), 0);
	b->arena = espl_arena_create();
	options.port = name;
	const espl_status status =
	        espl_transport_serial_open(NULL, &options, b->arena, &b->transport, &b->err);
	close(slave);
	return status;
}

static void part(board *b)
{
	b->transport->close(b->transport);
	b->stop = true;
	pthread_join(b->thread, NULL);
	espl_arena_destroy(b->arena);
}

static void says_which_protocols_differ(void **state)
{
	board b = {.protocol = 0x4c450002, .gone_after = NEVER};

	(void)state;
	assert_int_equal(meet(&b), ESPL_LINK);
	assert_non_null(strstr(b.err.message,
	                       "the board's link speaks protocol 4c450002, this driver 4c450001"));
	part(&b);
}

static void says_that_the_program_did_not_arrive(void **state)
{
	board b = {.protocol = ESPL_LINK_PROTOCOL, .program_crc = 0x12345678, .gone_after = NEVER};
	uint64_t beats[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_int_equal(meet(&b), ESPL_OK);
	assert_int_equal(b.transport->load(b.transport, beats, 8, &b.err), ESPL_LINK);
	assert_non_null(
	        strstr(b.err.message, "the checksum of the board's program is 12345678, it"));
	part(&b);
}

static void says_that_the_port_is_gone(void **state)
{
	board b = {.protocol = ESPL_LINK_PROTOCOL, .gone_after = 6};
	uint64_t beats[800] = {0};

	(void)state;
	assert_int_equal(meet(&b), ESPL_OK);
	assert_int_equal(b.transport->load(b.transport, beats, 800, &b.err), ESPL_LINK);
	assert_non_null(strstr(b.err.message, "the port is gone"));
	part(&b);
}

static void a_board_that_gives_no_result_is_not_waited_for_for_ever(void **state)
{
	board b = {.protocol = ESPL_LINK_PROTOCOL, .gone_after = NEVER};
	uint64_t beat = 0;

	(void)state;
	assert_int_equal(meet(&b), ESPL_OK);
	assert_int_equal(b.transport->receive(b.transport, &beat, 1, &b.err), ESPL_LINK);
	assert_non_null(strstr(b.err.message, "gives no result within 2000 ms"));
	part(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(says_which_protocols_differ),
	        cmocka_unit_test(says_that_the_program_did_not_arrive),
	        cmocka_unit_test(says_that_the_port_is_gone),
	        cmocka_unit_test(a_board_that_gives_no_result_is_not_waited_for_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
