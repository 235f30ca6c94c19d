/* Frames of the serial link: bodies with CRC-32C, to and from the line's bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * docs/protocol.md. The host's frames are COBS; the board's are COBS as seen from their end.
 */
#ifndef ESPL_HOST_FRAME_H
#define ESPL_HOST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ESPL_FRAME_PAYLOAD = 240,                      /* bytes at most, to the board */
	ESPL_FRAME_BODY = ESPL_FRAME_PAYLOAD + 8,      /* header and CRC with it */
	ESPL_FRAME_WIRE = 1 + 1 + ESPL_FRAME_BODY + 1, /* delimiter, code, body, delimiter */
	ESPL_FRAME_LONGEST = 255 /* bytes between delimiters: more is no frame */
};

/* Header byte 0, bits 2:0. */
enum {
	ESPL_FRAME_OPEN = 0,    /* to the board: begin session `sequence` */
	ESPL_FRAME_QUERY = 1,   /* tell about yourself; `sequence` comes back */
	ESPL_FRAME_POLL = 2,    /* an answer is wanted */
	ESPL_FRAME_CONFIRM = 3, /* none is */
	ESPL_FRAME_INPUT = 4,   /* beats for the engine; + LAST, + PROGRAM */
	ESPL_FRAME_LAST = 1,    /* ... the last beat ends a packet */
	ESPL_FRAME_PROGRAM = 2, /* ... they count for the program's checksum */

	ESPL_FRAME_INFO = 0,   /* from the board: answer to OPEN and QUERY */
	ESPL_FRAME_ANSWER = 2, /* nothing but the header */
	ESPL_FRAME_OUTPUT = 4  /* beats of the engine; + LAST */
};

/* Header byte 0, the other bits: 4:3 are the attempt, both ways. */
enum {
	ESPL_FRAME_RESEND = 1 << 5, /* to the board: send again from `acknowledge` on */
	ESPL_FRAME_BEGIN = 1 << 6,  /* ... of PROGRAM: the checksum begins here */
	ESPL_FRAME_GAP = 1 << 5,    /* from the board: something was lost since `acknowledge` */
	ESPL_FRAME_FULL = 1 << 6,   /* ... for lack of room, and there still is none */
	ESPL_FRAME_SESSION = 1 << 7 /* ... a session exists */
};

typedef struct {
	uint8_t flags, sequence, acknowledge, size; /* size: of the payload */
	uint8_t payload[ESPL_FRAME_PAYLOAD];
} espl_frame;

/* Writes a frame for the board, with a delimiter at both ends.
 *   out  wire  ESPL_FRAME_WIRE bytes at most; result their number */
size_t espl_frame_encode(const espl_frame *frame, uint8_t *wire);

/* Reads a frame of the board's from the bytes between two delimiters.
 *   result  false: not a frame, or damaged */
bool espl_frame_decode(const uint8_t *wire, size_t size, espl_frame *frame);

#endif
