/* Fuzzes the host's side of the serial link: any bytes from the board, at any time.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first byte of an input chooses how much of it comes at once, the second whether a session
 * is taken for granted; half of the inputs go through with a CRC that is made right.
 */
#include "host/crc32c.h"
#include "host/link.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the right CRC at the end of what may be a frame, and its codes with it. */
static size_t repair(const uint8_t *data, size_t size, uint8_t *wire)
{
	uint8_t body[ESPL_FRAME_LONGEST];
	uint8_t distance = 1;
	uint32_t crc;

	size = size > 240 ? 240 : size;
	memcpy(body, data, size);
	if (size > 3)
		body[3] = (uint8_t)(size - 4);
	crc = espl_crc32c(0, body, size);
	for (int i = 0; i < 4; i++)
		body[size++] = (uint8_t)(crc >> 8 * i);
	for (size_t i = 0; i < size; i++) {
		wire[i] = body[i] ? body[i] : distance;
		distance = body[i] ? (uint8_t)(distance + 1) : 1;
	}
	wire[size++] = distance;
	wire[size++] = 0;
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const espl_link_options options = {.baud = 1000000, .seed = 1};
	uint64_t beats[100] = {1, 2, 3};
	uint8_t wire[ESPL_FRAME_LONGEST + 8], out[4 * ESPL_FRAME_WIRE];
	int64_t now = 0;
	espl_arena *arena;
	espl_link *link;
	size_t step;
	bool whole;

	if (size < 2)
		return 0;
	step = 1 + data[0];
	whole = data[1] & 1;
	data += 2;
	size -= 2;
	arena = espl_arena_create();
	link = espl_link_create(&options, arena);
	espl_link_query(link);
	espl_link_transmit(link, now, out, sizeof(out));
	espl_link_open(link);
	espl_link_transmit(link, now, out, sizeof(out));
	/* the answer to the OPEN of seed 1, whose tag is 2 */
	memset(wire, 0, sizeof(wire));
	memcpy(out, (uint8_t[]){ESPL_FRAME_SESSION, 2, 0, 48, 1, 0, 0x45, 0x4c}, 8);
	memset(out + 8, 0, 44);
	out[16] = 2;
	espl_link_receive(link, now, wire, repair(out, 52, wire));
	espl_link_push(link, beats, 100, 0, true);
	espl_link_expect(link, 1);
	while (size) {
		const size_t here = step < size ? step : size;

		now += 50000;
		if (whole)
			espl_link_receive(link, now, wire, repair(data, here, wire));
		else
			espl_link_receive(link, now, data, here);
		data += here;
		size -= here;
		while (espl_link_pull(link, beats, 100))
			;
		espl_link_transmit(link, now, out, sizeof(out));
		espl_link_condition(link);
	}
	espl_arena_destroy(arena);
	return 0;
}
