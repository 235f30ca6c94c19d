/* Frames of the serial link: bodies with CRC-32C, to and from the line's bytes.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/frame.h"

#include "host/crc32c.h"

#include <string.h>

enum { HEADER = 4, CHECK = 4 };

size_t espl_frame_encode(const espl_frame *frame, uint8_t *wire)
{
	const size_t size = HEADER + (size_t)frame->size;
	uint8_t body[ESPL_FRAME_BODY] = {frame->flags, frame->sequence, frame->acknowledge,
	                                 frame->size};
	uint8_t *code = wire + 1; /* of the run being written */
	uint32_t crc;

	memcpy(body + HEADER, frame->payload, frame->size);
	crc = espl_crc32c(0, body, size);
	for (int i = 0; i < CHECK; i++)
		body[size + (size_t)i] = (uint8_t)(crc >> 8 * i);
	wire[0] = 0;
	wire += 2;
	/* a body is shorter than the longest run, 254: a code always stands for a zero */
	for (size_t i = 0; i < size + CHECK; i++) {
		if (!body[i]) {
			*code = (uint8_t)(wire - code);
			code = wire;
		}
		*wire++ = body[i];
	}
	*code = (uint8_t)(wire - code);
	*wire = 0;
	return size + CHECK + 3;
}

bool espl_frame_decode(const uint8_t *wire, size_t size, espl_frame *frame)
{
	uint8_t body[ESPL_FRAME_LONGEST];
	size_t at, code;

	if (size < HEADER + CHECK + 1 || size > ESPL_FRAME_LONGEST)
		return false;
	memcpy(body, wire, size);
	/* each code is the distance to the zero before it; the first byte's is to before the body
	 */
	at = size - 1;
	code = body[at];
	for (;;) {
		if (!code || code > at + 1)
			return false;
		if (code == at + 1)
			break;
		at -= code;
		code = body[at];
		body[at] = 0;
	}
	size -= 1 + CHECK;
	if (body[3] != size - HEADER || body[3] > ESPL_FRAME_PAYLOAD)
		return false;
	if (espl_crc32c(0, body, size) !=
	    ((uint32_t)body[size] | (uint32_t)body[size + 1] << 8 | (uint32_t)body[size + 2] << 16 |
	     (uint32_t)body[size + 3] << 24))
		return false;
	frame->flags = body[0];
	frame->sequence = body[1];
	frame->acknowledge = body[2];
	frame->size = body[3];
	memcpy(frame->payload, body + HEADER, frame->size);
	return true;
}
