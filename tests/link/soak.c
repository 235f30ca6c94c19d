/* Packets through the host's link, the Verilated board and a line full of faults, and back.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: soak [--frames N] [--flip PPM] [--drop PPM] [--duplicate PPM] [--truncate PPM]
 *             [--garbage PPM] [--stall PPM] [--reset PPM] [--kill N] [--seed N]
 *             [--rate | --recover N]
 *
 * Runs until N frames have been on the line. Every packet must come back as it went, once and
 * in order, or the session must be reported as lost; then a new one must begin. After a kill
 * (every N packets on the average: the host forgets everything at once) the same holds.
 * --rate measures throughput to the board instead, on a line without faults; --recover disturbs
 * the line N times and counts the frames that a new host needs until it is answered.
 */
#include "host/crc32c.h"
#include "host/link.h"
#include "sim/espl_board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BIT_US = 1, /* a bit takes a microsecond of the board's time */
	SLICE_CYCLES = 40 * ESPL_BOARD_CLOCKS,
	MOST_BEATS = 200,
	IN_FLIGHT = 12,
	PATIENCE_US = 20000000
};

typedef struct {
	espl_board *board;
	espl_arena *arena;
	espl_link *link;
	uint32_t random;
	uint8_t line[16 * ESPL_FRAME_WIRE];
	/* packets in flight, a ring */
	uint64_t beats[IN_FLIGHT][MOST_BEATS];
	size_t sizes[IN_FLIGHT];
	size_t begun, pushed_beats, done;
	int64_t alive; /* when something last went well */
	uint64_t progress;
	long lost, killed, packets, frames_before;
	int64_t worst_recovery_us;
} soak;

static uint32_t next(soak *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return s->random;
}

static int64_t now_us(const soak *s)
{
	return (int64_t)(espl_board_cycles(s->board) / ESPL_BOARD_CLOCKS) * BIT_US;
}

static void exchange(soak *s)
{
	uint8_t bytes[256];
	size_t count;

	if (espl_board_queued(s->board) < 64) {
		count = espl_link_transmit(s->link, now_us(s), s->line, sizeof(s->line));
		espl_board_send(s->board, s->line, count);
	}
	count = espl_board_run(s->board, SLICE_CYCLES, bytes, sizeof(bytes));
	espl_link_receive(s->link, now_us(s), bytes, count);
}

static void fail(const soak *s, const char *what)
{
	fprintf(stderr, "soak: %s, after %ld packets, at %" PRId64 " us\n", what, s->packets,
	        now_us(s));
	exit(1);
}

static long frames(const soak *s)
{
	espl_link_counters c;

	espl_link_count(s->link, &c);
	return s->frames_before + (long)(c.sent + c.received);
}

/* A host that starts: asks, begins a session. */
static void start(soak *s)
{
	const espl_link_options options = {.baud = 1000000, .seed = (uint8_t)next(s)};
	const int64_t began = now_us(s);
	espl_link_info info;

	if (s->link)
		s->frames_before = frames(s);
	espl_arena_destroy(s->arena);
	s->arena = espl_arena_create();
	s->link = espl_link_create(&options, s->arena);
	for (int step = 0; step < 2; step++) {
		if (step)
			espl_link_open(s->link);
		else
			espl_link_query(s->link);
		while (!espl_link_answered(s->link, &info)) {
			exchange(s);
			if (now_us(s) - began > PATIENCE_US)
				fail(s, "no session begins");
		}
		if (info.protocol != ESPL_LINK_PROTOCOL || info.status[3] != 0xe3)
			fail(s, "the information is wrong");
	}
	if (now_us(s) - began > s->worst_recovery_us)
		s->worst_recovery_us = now_us(s) - began;
	s->begun = s->done = s->pushed_beats = 0;
	s->alive = now_us(s);
	s->progress = espl_link_progress(s->link);
}

static void feed(soak *s)
{
	size_t slot = s->begun % IN_FLIGHT;

	if (s->begun - s->done == IN_FLIGHT)
		return;
	if (!s->pushed_beats) {
		s->sizes[slot] = 1 + next(s) % (next(s) % 4 ? 40 : MOST_BEATS);
		for (size_t i = 0; i < s->sizes[slot]; i++) {
			const uint64_t value = (uint64_t)next(s) << 32 | next(s);

			s->beats[slot][i] = next(s) % 4 ? value & ~UINT64_C(1) : 0;
		}
	}
	s->pushed_beats += espl_link_push(s->link, s->beats[slot] + s->pushed_beats,
	                                  s->sizes[slot] - s->pushed_beats, 0, true);
	if (s->pushed_beats == s->sizes[slot]) {
		s->begun++;
		s->pushed_beats = 0;
	}
}

static void check(soak *s)
{
	uint64_t beats[MOST_BEATS];
	const size_t slot = s->done % IN_FLIGHT;
	const size_t count = espl_link_pull(s->link, beats, MOST_BEATS);

	if (!count)
		return;
	if (s->done == s->begun)
		fail(s, "a packet came that was not sent");
	if (count != s->sizes[slot] || memcmp(beats, s->beats[slot], count * sizeof(beats[0])))
		fail(s, "a packet came back changed");
	s->done++;
	s->packets++;
}

static void run(soak *s, long most_frames, long kill)
{
	start(s);
	while (frames(s) < most_frames) {
		feed(s);
		espl_link_expect(s->link, s->begun != s->done);
		exchange(s);
		check(s);
		if (espl_link_progress(s->link) != s->progress) {
			s->progress = espl_link_progress(s->link);
			s->alive = now_us(s);
		}
		if (espl_link_condition(s->link) == ESPL_LINK_LOST) {
			s->lost++;
			start(s);
		} else if (espl_link_condition(s->link) == ESPL_LINK_SILENT) {
			fail(s, "the board is silent");
		} else if (now_us(s) - s->alive > PATIENCE_US) {
			fail(s, "nothing moves");
		} else if (kill && next(s) % (uint32_t)(kill * 40) == 0) {
			s->killed++;
			start(s);
		}
	}
}

/* Disturbs the line in traffic, in the middle of whatever goes; then it is quiet again, and a host
 * that starts must be answered after two frames at most. */
static void recover(soak *s, int trials)
{
	const espl_board_faults bad = {.flip = 3000,
	                               .drop = 3000,
	                               .truncate = 2000,
	                               .garbage = 5000,
	                               .duplicate = 1000},
	                        none = {0};
	long most = 0, sum = 0;

	for (int t = 0; t < trials; t++) {
		espl_board_faults faults = bad;
		espl_link_counters c;

		start(s);
		espl_link_count(s->link, &c);
		if (t && (long)c.sent - 1 > most)
			most = (long)c.sent - 1; /* the last one opens the session */
		sum += (long)c.sent - 1;
		for (uint32_t n = next(s) % 3000; n; n--) {
			feed(s);
			exchange(s);
			check(s);
		}
		faults.seed = next(s);
		if (t & 1)
			espl_board_set_faults(s->board, &faults);
		for (uint32_t n = next(s) % 300; n; n--)
			exchange(s);
		espl_board_set_faults(s->board, &none);
		if (t & 2)
			espl_board_reset(s->board);
		espl_board_drop(s->board); /* the rest of what the dead host had queued */
	}
	printf("%d disturbances: a new host was answered after %ld frames at most, %.2f on the "
	       "average\n",
	       trials, most, (double)sum / trials);
	if (most > 2)
		fail(s, "that is more than two");
}

/* Beats to the board as fast as they go. */
static void measure(soak *s)
{
	uint64_t beats[3000];
	espl_link_counters c;
	espl_link_info info;
	int64_t began;
	size_t pushed = 0;

	start(s);
	memset(beats, 0xff, 8);
	for (size_t i = 1; i < 3000; i++)
		beats[i] = (uint64_t)next(s) << 32 | next(s);
	began = now_us(s);
	while (pushed < 3000 || !espl_link_idle(s->link)) {
		pushed +=
		        espl_link_push(s->link, beats + pushed, 3000 - pushed,
		                       ESPL_FRAME_PROGRAM | (pushed ? 0 : ESPL_FRAME_BEGIN), true);
		exchange(s);
	}
	began = now_us(s) - began;
	espl_link_count(s->link, &c);
	espl_link_query(s->link);
	while (!espl_link_answered(s->link, &info))
		exchange(s);
	printf("%d bytes in %" PRId64 " us: %.1f%% of the line rate, %" PRIu64
	       " frames sent again, "
	       "program checksum %08" PRIx32 "\n",
	       3000 * 8, began, 100.0 * 3000 * 8 * 10 / (double)began, c.resent, info.program_crc);
	if (info.program_crc != espl_crc32c(0, beats, sizeof(beats)))
		fail(s, "the program's checksum is wrong");
	if (3000 * 8 * 10 * 100 / began < 90)
		fail(s, "that is less than 90%");
}

int main(int argc, char **argv)
{
	static soak s = {.random = 1};
	espl_board_faults faults = {0};
	long most_frames = 2000, kill = 0, seed = 1, recoveries = 0;
	espl_link_counters c;
	int rate = 0;

	for (int i = 1; i < argc; i++) {
		const struct {
			const char *name;
			uint32_t *to;
		} rates[] = {
		        {"--flip", &faults.flip},           {"--drop", &faults.drop},
		        {"--duplicate", &faults.duplicate}, {"--truncate", &faults.truncate},
		        {"--garbage", &faults.garbage},     {"--stall", &faults.stall},
		        {"--reset", &faults.reset},
		};
		const long value = i + 1 < argc ? strtol(argv[i + 1], NULL, 10) : 0;

		if (!strcmp(argv[i], "--rate")) {
			rate = 1;
			continue;
		}
		if (!strcmp(argv[i], "--frames"))
			most_frames = value;
		else if (!strcmp(argv[i], "--kill"))
			kill = value;
		else if (!strcmp(argv[i], "--recover"))
			recoveries = value;
		else if (!strcmp(argv[i], "--seed"))
			seed = value;
		for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
			if (!strcmp(argv[i], rates[r].name))
				*rates[r].to = (uint32_t)value;
		i++;
	}
	s.board = espl_board_create();
	s.random = (uint32_t)seed * 2654435761u | 1;
	faults.seed = (uint32_t)seed;
	espl_board_set_faults(s.board, &faults);
	if (rate) {
		measure(&s);
	} else if (recoveries) {
		recover(&s, (int)recoveries);
	} else {
		run(&s, most_frames, kill);
		espl_link_count(s.link, &c);
		printf("%ld frames, %ld packets as they went; %ld sessions lost and reported, %ld "
		       "hosts killed; a session began within %" PRId64
		       " us; of the last session: %" PRIu64 " sent, %" PRIu64 " resent, %" PRIu64
		       " damaged, %" PRIu64 " timeouts, %" PRIu64 " stalls\n",
		       frames(&s), s.packets, s.lost, s.killed, s.worst_recovery_us, c.sent,
		       c.resent, c.damaged, c.timeouts, c.stalls);
	}
	espl_board_destroy(s.board);
	espl_arena_destroy(s.arena);
	return 0;
}
