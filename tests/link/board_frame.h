/* A frame as a board writes it, in C: COBS as seen from the end.
 * SPDX-License-Identifier: Apache-2.0
 *
 * rtl/link/espl_link_send.sv does the same; tests/rtl/espl_link_send_tb.cc checks that one.
 */
#ifndef ESPL_TESTS_BOARD_FRAME_H
#define ESPL_TESTS_BOARD_FRAME_H

#include "host/crc32c.h"
#include "host/frame.h"

#include <string.h>

/* result: bytes written, without the delimiter at the end */
static inline size_t board_frame(const espl_frame *frame, uint8_t *wire)
{
	uint8_t body[4 + ESPL_FRAME_PAYLOAD + 4] = {frame->flags, frame->sequence,
	                                            frame->acknowledge, frame->size};
	const size_t size = 4 + (size_t)frame->size;
	uint8_t distance = 1;
	uint32_t crc;

	memcpy(body + 4, frame->payload, frame->size);
	crc = espl_crc32c(0, body, size);
	for (int i = 0; i < 4; i++)
		body[size + (size_t)i] = (uint8_t)(crc >> 8 * i);
	for (size_t i = 0; i < size + 4; i++) {
		wire[i] = body[i] ? body[i] : distance;
		distance = body[i] ? (uint8_t)(distance + 1) : 1;
	}
	wire[size + 4] = distance;
	return size + 5;
}

#endif
