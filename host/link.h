/* The host's side of the serial link, without a port: bytes in, bytes out, time given.
 * SPDX-License-Identifier: Apache-2.0
 *
 * docs/protocol.md. Whoever owns the line calls espl_link_receive with what came and
 * espl_link_transmit for what is to go, and sleeps until espl_link_wake at most. Times are
 * microseconds of any clock that never goes back.
 */
#ifndef ESPL_HOST_LINK_H
#define ESPL_HOST_LINK_H

#include "base/arena.h"
#include "host/frame.h"

enum { ESPL_LINK_PROTOCOL = 0x4c450001 };

typedef struct espl_link espl_link;

/* What the board says of itself. */
typedef struct {
	uint32_t protocol; /* ESPL_LINK_PROTOCOL */
	uint32_t clock_hz;
	uint32_t program_crc; /* CRC-32C of the program's beats, as they went to the engine */
	uint8_t session;
	bool busy;           /* beats still wait for the engine */
	uint16_t bad_frames; /* that the board saw, modulo 2^16 */
	uint32_t status[8];  /* the engine's registers */
} espl_link_info;

typedef enum {
	ESPL_LINK_ALIVE,
	ESPL_LINK_SILENT, /* asked again and again, the board did not answer */
	ESPL_LINK_LOST    /* the board does not know the session: it was reset */
} espl_link_state;

typedef struct {
	uint64_t sent, received; /* frames */
	uint64_t resent;         /* of those sent: with beats that had been sent before */
	uint64_t damaged;        /* came, but were no frames */
	uint64_t timeouts, stalls;
} espl_link_counters;

typedef struct {
	int baud;
	int latency_us; /* there and back, beside the time on the line; 0: 60 ms */
	int silence_us; /* of a board that is asked, until it counts as dead; 0: 3 s */
	uint8_t seed;   /* of the tags; another one for each process */
} espl_link_options;

espl_link *espl_link_create(const espl_link_options *options, espl_arena *arena);

/* Bytes of the line, either way.
 *   out     result of transmit: how many of `room` were written; 0: nothing is to go now */
void espl_link_receive(espl_link *link, int64_t now, const uint8_t *bytes, size_t count);
size_t espl_link_transmit(espl_link *link, int64_t now, uint8_t *bytes, size_t room);
/* When transmit has something to say next, if nothing comes; INT64_MAX: never. */
int64_t espl_link_wake(const espl_link *link);
espl_link_state espl_link_condition(const espl_link *link);

/* Asks for information, or begins a session: the engine is reset, all in flight is gone.
 * espl_link_answered says when the answer is there. */
void espl_link_query(espl_link *link);
void espl_link_open(espl_link *link);
bool espl_link_answered(const espl_link *link, espl_link_info *info);

/* Queues beats for the engine, as many as there is room for; the result is their number.
 *   in  kind   ESPL_FRAME_PROGRAM and ESPL_FRAME_BEGIN, or 0
 *       last   the last of `count` ends a packet */
size_t espl_link_push(espl_link *link, const uint64_t *beats, size_t count, int kind, bool last);
bool espl_link_has_room(const espl_link *link);
bool espl_link_idle(const espl_link *link); /* the board has all that was pushed */

/* Takes a packet of the engine's, once it is complete.
 *   out     result: its beats, of which at most `room` were written; 0: none is complete */
size_t espl_link_pull(espl_link *link, uint64_t *beats, size_t room);
bool espl_link_has_packet(const espl_link *link);
/* Packets that are due: while the number is not 0, the board is asked for them. */
void espl_link_expect(espl_link *link, size_t packets);

void espl_link_count(const espl_link *link, espl_link_counters *out);
/* Grows whenever the board accepted or gave something. */
uint64_t espl_link_progress(const espl_link *link);

#endif
