/* Frames: what goes to the board, byte by byte, and what comes from it, whole or damaged.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/frame.h"

#include "../link/board_frame.h"
#include "unit.h"

#include <string.h>

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static espl_frame some_frame(uint32_t *random)
{
	espl_frame frame = {
	        .flags = (uint8_t)next(random),
	        .sequence = (uint8_t)next(random),
	        .acknowledge = (uint8_t)next(random),
	        .size = (uint8_t)(next(random) % (ESPL_FRAME_PAYLOAD + 1)),
	};
	const uint32_t zeros = next(random) % 101;

	for (int i = 0; i < frame.size; i++)
		frame.payload[i] = next(random) % 100 < zeros ? 0 : (uint8_t)next(random);
	return frame;
}

/* docs/protocol.md shows this one */
static void writes_the_frame_of_the_page(void **state)
{
	static const uint8_t query[] = {0x00, 0x03, 0x01, 0x07, 0x01, 0x05,
	                                0x16, 0x85, 0xd2, 0xe1, 0x00};
	const espl_frame frame = {.flags = ESPL_FRAME_QUERY, .sequence = 7};
	uint8_t wire[ESPL_FRAME_WIRE];

	(void)state;
	assert_int_equal(espl_frame_encode(&frame, wire), sizeof(query));
	assert_memory_equal(wire, query, sizeof(query));
}

/* What COBS promises, and what a receiver makes of it. */
static void has_no_zero_inside_and_the_body_in_it(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int n = 0; n < 2000; n++) {
		const espl_frame frame = some_frame(&random);
		uint8_t wire[ESPL_FRAME_WIRE], body[ESPL_FRAME_WIRE];
		const size_t size = espl_frame_encode(&frame, wire);
		size_t length = 0;

		assert_int_equal(size, (size_t)frame.size + 11);
		assert_true(!wire[0] && !wire[size - 1]);
		for (size_t at = 1; at < size - 1; at += wire[at]) {
			assert_true(wire[at] && at + wire[at] < size);
			if (at > 1)
				body[length++] = 0;
			for (size_t i = 1; i < wire[at]; i++) {
				assert_true(wire[at + i]);
				body[length++] = wire[at + i];
			}
		}
		assert_int_equal(length, (size_t)frame.size + 8);
		assert_int_equal(body[0], frame.flags);
		assert_int_equal(body[3], frame.size);
		assert_memory_equal(body + 4, frame.payload, frame.size);
	}
}

static void reads_what_a_board_writes(void **state)
{
	uint32_t random = 2;

	(void)state;
	for (int n = 0; n < 2000; n++) {
		const espl_frame frame = some_frame(&random);
		uint8_t wire[ESPL_FRAME_LONGEST];
		const size_t size = board_frame(&frame, wire);
		espl_frame got;

		assert_null(memchr(wire, 0, size));
		assert_true(espl_frame_decode(wire, size, &got));
		assert_int_equal(got.flags, frame.flags);
		assert_int_equal(got.sequence, frame.sequence);
		assert_int_equal(got.acknowledge, frame.acknowledge);
		assert_int_equal(got.size, frame.size);
		assert_memory_equal(got.payload, frame.payload, frame.size);
	}
}

/* Every frame with one or two wrong bits, one byte more or less, or cut. */
static void refuses_what_is_damaged(void **state)
{
	uint32_t random = 3;

	(void)state;
	for (int n = 0; n < 100; n++) {
		espl_frame frame = some_frame(&random), got;
		uint8_t wire[ESPL_FRAME_LONGEST + 1], bad[ESPL_FRAME_LONGEST + 1];
		size_t size;

		frame.size %= 57;
		size = board_frame(&frame, wire);
		for (size_t bit = 0; bit < 8 * size; bit++) {
			memcpy(bad, wire, size);
			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(espl_frame_decode(bad, size, &got));
			bad[next(&random) % size] ^= (uint8_t)(1 << next(&random) % 8);
			if (memcmp(bad, wire, size))
				assert_false(espl_frame_decode(bad, size, &got));
		}
		for (size_t at = 0; at < size; at++) {
			assert_false(espl_frame_decode(wire, at, &got));
			memcpy(bad, wire, at);
			memcpy(bad + at, wire + at + 1, size - at - 1);
			/* one of several equal bytes that is gone moves the others */
			assert_false(espl_frame_decode(bad, size - 1, &got));
			memcpy(bad + at + 1, wire + at, size - at);
			bad[at] = wire[at];
			assert_false(espl_frame_decode(bad, size + 1, &got));
		}
	}
}

static void refuses_noise(void **state)
{
	uint32_t random = 4;

	(void)state;
	for (int n = 0; n < 100000; n++) {
		uint8_t wire[ESPL_FRAME_LONGEST + 40];
		const size_t size = next(&random) % sizeof(wire);
		espl_frame got;

		for (size_t i = 0; i < size; i++)
			wire[i] = (uint8_t)(next(&random) >> 7);
		assert_false(espl_frame_decode(wire, size, &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(writes_the_frame_of_the_page),
	        cmocka_unit_test(has_no_zero_inside_and_the_body_in_it),
	        cmocka_unit_test(reads_what_a_board_writes),
	        cmocka_unit_test(refuses_what_is_damaged),
	        cmocka_unit_test(refuses_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
