/* The host's side of the link against a board that a test plays, frame by frame.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/link.h"

#include "../link/board_frame.h"
#include "unit.h"

#include <string.h>

enum { ATTEMPTS = 3 << 3 };

typedef struct {
	espl_arena *arena;
	espl_link *link;
	int64_t now;
	espl_frame seen[64]; /* of the last look */
	int count;
	uint8_t attempt; /* of the last frame seen */
} host;

/* Undoes COBS: what the board sees. */
static espl_frame unwrap(const uint8_t *wire, size_t size)
{
	espl_frame frame = {0};
	uint8_t body[ESPL_FRAME_WIRE];
	size_t length = 0;

	for (size_t at = 0; at < size; at += wire[at]) {
		if (at)
			body[length++] = 0;
		memcpy(body + length, wire + at + 1, wire[at] - 1u);
		length += wire[at] - 1u;
	}
	frame.flags = body[0];
	frame.sequence = body[1];
	frame.acknowledge = body[2];
	frame.size = body[3];
	memcpy(frame.payload, body + 4, frame.size);
	return frame;
}

/* Takes all that the host wants to send now. */
static void look(host *h)
{
	uint8_t bytes[64 * ESPL_FRAME_WIRE];
	const size_t size = espl_link_transmit(h->link, h->now, bytes, sizeof(bytes));

	h->count = 0;
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(bytes + at + 1, 0, size - at - 1);

		assert_int_equal(bytes[at], 0);
		assert_non_null(end);
		h->seen[h->count] = unwrap(bytes + at + 1, (size_t)(end - bytes) - at - 1);
		h->attempt = h->seen[h->count++].flags & ATTEMPTS;
		at = (size_t)(end - bytes) + 1;
	}
}

static void say(host *h, espl_frame frame)
{
	uint8_t wire[ESPL_FRAME_LONGEST + 1];
	const size_t size = board_frame(&frame, wire);

	wire[size] = 0;
	espl_link_receive(h->link, h->now, wire, size + 1);
}

static void answer(host *h, int flags, uint8_t acknowledge)
{
	say(h, (espl_frame){.flags = (uint8_t)(ESPL_FRAME_ANSWER | ESPL_FRAME_SESSION | flags),
	                    .acknowledge = acknowledge});
}

static void output(host *h, uint8_t sequence, uint64_t beat, bool last)
{
	espl_frame frame = {.flags = (uint8_t)(ESPL_FRAME_OUTPUT | ESPL_FRAME_SESSION | h->attempt |
	                                       (last ? ESPL_FRAME_LAST : 0)),
	                    .sequence = sequence,
	                    .size = 8};

	for (int i = 0; i < 8; i++)
		frame.payload[i] = (uint8_t)(beat >> 8 * i);
	say(h, frame);
}

static void inform(host *h, uint8_t tag, uint8_t session)
{
	espl_frame frame = {.flags = ESPL_FRAME_SESSION, .sequence = tag, .size = 48};

	frame.payload[0] = 1;
	frame.payload[2] = 0x45;
	frame.payload[3] = 0x4c;
	frame.payload[12] = session;
	say(h, frame);
}

/* A session that has begun. */
static int begin(void **state)
{
	const espl_link_options options = {.baud = 1000000, .seed = 5};
	host *h = test_calloc(1, sizeof(*h));
	espl_link_info info;

	*state = h;
	h->arena = espl_arena_create();
	h->now = 1000;
	h->link = espl_link_create(&options, h->arena);
	espl_link_query(h->link);
	look(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->seen[0].flags & 7, ESPL_FRAME_QUERY);
	inform(h, h->seen[0].sequence, 6);
	assert_true(espl_link_answered(h->link, &info));
	assert_int_equal(info.protocol, ESPL_LINK_PROTOCOL);
	espl_link_open(h->link);
	look(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->seen[0].flags & 7, ESPL_FRAME_OPEN);
	assert_int_not_equal(h->seen[0].sequence, 6); /* the board's last one */
	inform(h, h->seen[0].sequence, h->seen[0].sequence);
	assert_true(espl_link_answered(h->link, &info));
	return 0;
}

static int end(void **state)
{
	host *h = *state;

	espl_arena_destroy(h->arena);
	test_free(h);
	return 0;
}

static void push(host *h, int beats)
{
	uint64_t data[3000];

	for (int i = 0; i < beats; i++)
		data[i] = (uint64_t)i;
	assert_int_equal(espl_link_push(h->link, data, (size_t)beats, 0, true), beats);
}

static void sends_no_more_than_the_window(void **state)
{
	host *h = *state;
	uint64_t beats[5000] = {0};
	int window;

	/* 64 frames of 30 beats may wait */
	assert_int_equal(espl_link_push(h->link, beats, 5000, 0, true), 64 * 30);
	look(h);
	window = h->count;
	assert_in_range(window, 8, 32); /* 40 ms of the line at 1 Mbaud */
	for (int i = 0; i < window; i++) {
		assert_int_equal(h->seen[i].flags & 7, ESPL_FRAME_INPUT);
		assert_int_equal(h->seen[i].sequence, i);
		assert_int_equal(h->seen[i].size, 240);
	}
	look(h);
	assert_int_equal(h->count, 0);
	answer(h, 0, 3);
	look(h);
	assert_int_equal(h->count, 3);
	assert_int_equal(h->seen[0].sequence, window);
}

static void goes_back_once_for_a_gap(void **state)
{
	host *h = *state;
	uint8_t attempt;

	push(h, 150);
	look(h);
	assert_int_equal(h->count, 5);
	attempt = h->attempt;
	answer(h, ESPL_FRAME_GAP | attempt, 2);
	answer(h, ESPL_FRAME_GAP | attempt, 2); /* of the frames that followed the lost one */
	answer(h, ESPL_FRAME_GAP | attempt, 2);
	look(h);
	assert_int_equal(h->count, 3);
	assert_int_equal(h->seen[0].sequence, 2);
	assert_int_not_equal(h->attempt, attempt);
	answer(h, ESPL_FRAME_GAP | attempt, 2);
	look(h);
	assert_int_equal(h->count, 0);
	/* the one that was sent again is lost as well: known at once */
	answer(h, ESPL_FRAME_GAP | h->attempt, 2);
	look(h);
	assert_int_equal(h->count, 3);
	answer(h, h->attempt, 5);
	assert_true(espl_link_idle(h->link));
}

static void waits_for_a_board_without_room(void **state)
{
	host *h = *state;

	push(h, 150);
	look(h);
	answer(h, ESPL_FRAME_GAP | ESPL_FRAME_FULL | h->attempt, 2);
	look(h);
	assert_int_equal(h->count, 0);
	h->now = espl_link_wake(h->link); /* asks whether it still is so */
	look(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->seen[0].flags & 7, ESPL_FRAME_POLL);
	answer(h, ESPL_FRAME_GAP | h->attempt, 2);
	look(h);
	assert_int_equal(h->count, 3);
	assert_int_equal(h->seen[0].sequence, 2);
}

static void takes_each_output_once_and_in_order(void **state)
{
	host *h = *state;
	uint64_t beats[4];

	look(h);
	espl_link_expect(h->link, 1);
	output(h, 0, 100, false);
	output(h, 0, 100, false);
	output(h, 2, 102, true); /* 1 is lost */
	look(h);
	assert_int_equal(h->count, 1);
	assert_true(h->seen[0].flags & ESPL_FRAME_RESEND);
	assert_int_equal(h->seen[0].acknowledge, 1);
	assert_int_equal(espl_link_pull(h->link, beats, 4), 0);
	output(h, 1, 101, false);
	output(h, 2, 102, true);
	output(h, 2, 102, true);
	assert_int_equal(espl_link_pull(h->link, beats, 4), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(beats[i], 100 + i);
	assert_int_equal(espl_link_pull(h->link, beats, 4), 0);
	look(h);
	assert_int_equal(h->count, 1);
	assert_int_equal(h->seen[0].flags & 7, ESPL_FRAME_CONFIRM);
	assert_int_equal(h->seen[0].acknowledge, 3);
}

static void calls_a_board_silent_in_bounded_time(void **state)
{
	host *h = *state;
	const int64_t began = h->now;
	int frames = 0;

	push(h, 1);
	while (espl_link_condition(h->link) == ESPL_LINK_ALIVE) {
		look(h);
		frames += h->count;
		assert_true(espl_link_wake(h->link) > h->now);
		h->now = espl_link_wake(h->link);
		assert_true(h->now - began < 10000000);
	}
	assert_int_equal(espl_link_condition(h->link), ESPL_LINK_SILENT);
	assert_true(h->now - began > 2000000);
	assert_in_range(frames, 5, 50);
}

static void a_board_that_answers_is_not_silent(void **state)
{
	host *h = *state;

	espl_link_expect(h->link, 1);
	for (int i = 0; i < 100; i++) {
		look(h);
		if (h->count)
			answer(h, h->attempt, 0);
		assert_int_equal(espl_link_condition(h->link), ESPL_LINK_ALIVE);
		h->now = espl_link_wake(h->link);
	}
}

static void notices_that_the_board_was_reset(void **state)
{
	host *h = *state;

	push(h, 1);
	look(h);
	say(h, (espl_frame){.flags = ESPL_FRAME_ANSWER});
	assert_int_equal(espl_link_condition(h->link), ESPL_LINK_LOST);
}

static void an_output_without_beats_is_none(void **state)
{
	host *h = *state;
	uint64_t beat;

	say(h, (espl_frame){.flags = ESPL_FRAME_OUTPUT | ESPL_FRAME_LAST | ESPL_FRAME_SESSION});
	assert_false(espl_link_has_packet(h->link));
	assert_int_equal(espl_link_pull(h->link, &beat, 1), 0);
}

static void survives_any_bytes(void **state)
{
	host *h = *state;
	uint32_t random = 1;

	push(h, 150);
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[64];

		for (size_t b = 0; b < sizeof(bytes); b++) {
			random = random * 1664525u + 1013904223u;
			bytes[b] = random >> 24 < 20 ? 0 : (uint8_t)(random >> 16);
		}
		espl_link_receive(h->link, h->now, bytes, sizeof(bytes));
		h->now += 1000;
		look(h);
	}
	assert_false(espl_link_idle(h->link));
	answer(h, h->attempt, 5);
	answer(h, h->attempt, 5);
	assert_true(espl_link_idle(h->link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	        T(sends_no_more_than_the_window),
	        T(goes_back_once_for_a_gap),
	        T(waits_for_a_board_without_room),
	        T(takes_each_output_once_and_in_order),
	        T(calls_a_board_silent_in_bounded_time),
	        T(a_board_that_answers_is_not_silent),
	        T(notices_that_the_board_was_reset),
	        T(an_output_without_beats_is_none),
	        T(survives_any_bytes),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
