/* The host's side of the serial link, without a port: bytes in, bytes out, time given.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Frames to the board go back to the first one that it has not accepted (go-back-N). An
 * attempt number travels with every frame, and the board returns the last one that it saw: so
 * a complaint about frames of an earlier attempt is told from a new one without waiting.
 */
#include "host/link.h"

#include <string.h>

enum {
	WINDOW = 64,      /* frames that may wait for the board, at most */
	LEAST_WINDOW = 4, /* at any speed */
	BOARD_FRAMES = 2, /* that a board keeps for its engine */
	BEATS = ESPL_FRAME_PAYLOAD / 8,
	WINDOW_US = 40000, /* of line time in flight: more than a USB port's latency */
	BACKOFF = 3,       /* doublings of the timeout */
	LEAST_TRIES = 5,   /* before a board counts as dead */
	ATTEMPTS = 3 << 3, /* the bits of header byte 0 */
	ATTEMPT = 1 << 3,
	INFO_BYTES = 48,
	BEAT_BYTES = 8
};

typedef enum { ASK_NOTHING, ASK_QUERY, ASK_OPEN } ask;

struct espl_link {
	espl_arena *arena;
	int64_t timeout_us, silence_us;
	uint8_t window, allowed; /* frames in flight: of the line; of a board that had no room */
	int accepted;            /* since `allowed` last grew */

	/* to the board: frame n is frames[n % WINDOW]; first..pushed wait, next is sent next */
	espl_frame frames[WINDOW];
	uint8_t first, next, furthest, pushed;
	uint8_t attempt; /* bits ATTEMPTS */
	bool stalled;    /* the board has no room: it will say when */

	/* from the board */
	uint8_t expected;
	bool answer_due, resend_due, resend_asked, poll_due;
	uint64_t *beats;
	bool *ends; /* of packets */
	size_t begin, end, room, packets, wanted;

	/* questions */
	ask asked;
	bool ask_due, answered, session_open, lost;
	uint8_t tag, session;
	espl_link_info info;

	/* time: of the last frame that came, of the timeout that runs */
	int64_t heard, deadline;
	int tries;
	bool running;

	uint8_t wire[ESPL_FRAME_LONGEST]; /* of the frame that comes */
	size_t wire_size;

	espl_link_counters counters;
	uint64_t progress;
};

espl_link *espl_link_create(const espl_link_options *options, espl_arena *arena)
{
	espl_link *l = ESPL_NEW(arena, espl_link);
	const int64_t frame_us = INT64_C(10000000) * ESPL_FRAME_WIRE / options->baud;
	const int64_t window = WINDOW_US / frame_us;

	l->arena = arena;
	l->window = (uint8_t)(window < LEAST_WINDOW ? LEAST_WINDOW
	                      : window > WINDOW     ? WINDOW
	                                            : window);
	l->allowed = l->window;
	l->timeout_us =
	        2 * l->window * frame_us + (options->latency_us ? options->latency_us : 60000);
	l->silence_us = options->silence_us ? options->silence_us : 3000000;
	l->tag = options->seed;
	l->session = options->seed;
	return l;
}

/* -- what comes ---------------------------------------------------------------------------------
 */

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* Something moved: the timeout begins anew. */
static void moved(espl_link *l)
{
	l->progress++;
	l->tries = 0;
	l->running = false;
}

static void take_info(espl_link *l, const espl_frame *frame)
{
	const uint8_t *p = frame->payload;

	if (l->asked == ASK_NOTHING || frame->size != INFO_BYTES || frame->sequence != l->tag)
		return;
	l->info = (espl_link_info){
	        .protocol = word(p),
	        .clock_hz = word(p + 4),
	        .program_crc = word(p + 8),
	        .session = p[12],
	        .busy = p[13] & 1,
	        .bad_frames = (uint16_t)(p[14] | p[15] << 8),
	};
	for (int i = 0; i < 8; i++)
		l->info.status[i] = word(p + 16 + 4 * i);
	if (l->asked == ASK_OPEN) {
		/* a session of that number may have been there before, and not be fresh */
		if (frame->acknowledge || l->info.session != l->session) {
			l->tag = ++l->session;
			l->ask_due = true;
			return;
		}
		l->session_open = true;
	}
	l->asked = ASK_NOTHING;
	l->answered = true;
	moved(l);
}

static void grow(espl_link *l, size_t more)
{
	const size_t used = l->end - l->begin;
	uint64_t *beats;
	bool *ends;

	if (l->end + more <= l->room)
		return;
	if (used + more <= l->room / 2) {
		memmove(l->beats, l->beats + l->begin, used * sizeof(*l->beats));
		memmove(l->ends, l->ends + l->begin, used * sizeof(*l->ends));
	} else {
		l->room = 2 * (used + more) + 1024;
		beats = ESPL_ARRAY(l->arena, uint64_t, l->room);
		ends = ESPL_ARRAY(l->arena, bool, l->room);
		if (used) {
			memcpy(beats, l->beats + l->begin, used * sizeof(*beats));
			memcpy(ends, l->ends + l->begin, used * sizeof(*ends));
		}
		l->beats = beats;
		l->ends = ends;
	}
	l->begin = 0;
	l->end = used;
}

static void take_output(espl_link *l, const espl_frame *frame)
{
	const uint8_t ahead = (uint8_t)(frame->sequence - l->expected);
	const size_t count = frame->size / BEAT_BYTES;

	l->answer_due = true;
	if (ahead) {
		/* one was lost; what comes after a request that the board has seen, too */
		if (ahead < 128 && (!l->resend_asked || (frame->flags & ATTEMPTS) == l->attempt))
			l->resend_due = true;
		return;
	}
	grow(l, count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = frame->payload + BEAT_BYTES * i;

		l->beats[l->end] = word(p) | (uint64_t)word(p + 4) << 32;
		l->ends[l->end++] = (frame->flags & ESPL_FRAME_LAST) && i + 1 == count;
	}
	l->packets += frame->flags & ESPL_FRAME_LAST;
	l->expected++;
	l->resend_asked = false;
	l->resend_due = false;
	moved(l);
}

/* What every frame of the board says about the frames to it. */
static void take_answer(espl_link *l, const espl_frame *frame)
{
	const uint8_t accepted = (uint8_t)(frame->acknowledge - l->first);
	const bool full = frame->flags & ESPL_FRAME_FULL;

	if (accepted && accepted <= (uint8_t)(l->furthest - l->first)) {
		l->first = frame->acknowledge;
		if ((uint8_t)(l->next - l->first) > WINDOW)
			l->next = l->first;
		l->accepted += accepted;
		if (l->accepted >= l->allowed && l->allowed < l->window) {
			l->allowed++;
			l->accepted = 0;
		}
		moved(l);
	}
	if (full && !l->stalled) {
		/* what is sent in vain costs more than a pause */
		l->allowed = l->allowed > 2 * BOARD_FRAMES ? l->allowed / 2 : BOARD_FRAMES;
		l->accepted = 0;
		l->counters.stalls++;
	}
	l->stalled = full;
	/* a gap among what was sent since we last went back: go back again */
	if ((frame->flags & ESPL_FRAME_GAP) && !full && l->next != l->first &&
	    (frame->flags & ATTEMPTS) == l->attempt) {
		l->attempt = (l->attempt + ATTEMPT) & ATTEMPTS;
		l->next = l->first;
	}
}

static void take_frame(espl_link *l, int64_t now)
{
	espl_frame frame;

	if (!l->wire_size)
		return;
	if (!espl_frame_decode(l->wire, l->wire_size, &frame)) {
		l->counters.damaged++;
		return;
	}
	l->counters.received++;
	l->heard = now;
	if ((frame.flags & 7) == ESPL_FRAME_INFO)
		take_info(l, &frame);
	if (!l->session_open)
		return; /* of a session before ours */
	if (!(frame.flags & ESPL_FRAME_SESSION)) {
		l->lost = true;
		return;
	}
	take_answer(l, &frame);
	if ((frame.flags & 6) == ESPL_FRAME_OUTPUT)
		take_output(l, &frame);
}

void espl_link_receive(espl_link *l, int64_t now, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!bytes[i]) {
			take_frame(l, now);
			l->wire_size = 0;
		} else if (l->wire_size < ESPL_FRAME_LONGEST) {
			l->wire[l->wire_size++] = bytes[i];
		} else {
			l->wire_size = ESPL_FRAME_LONGEST + 1; /* no frame, counted at its end */
		}
	}
}

/* -- what goes ----------------------------------------------------------------------------------
 */

/* Whether something is missing that only the board can give. */
static bool waits(const espl_link *l)
{
	return l->asked != ASK_NOTHING || l->first != l->pushed || l->packets < l->wanted;
}

/* The answer is overdue: ask again, all of it. */
static void overdue(espl_link *l)
{
	l->counters.timeouts++;
	l->tries++;
	l->running = false;
	if (l->asked != ASK_NOTHING) {
		l->ask_due = true;
		return;
	}
	l->attempt = (l->attempt + ATTEMPT) & ATTEMPTS;
	if (!l->stalled)
		l->next = l->first;
	l->poll_due = true;
	l->resend_due = l->resend_due || l->packets < l->wanted;
}

static size_t put(espl_link *l, espl_frame *frame, int64_t now, uint8_t *wire)
{
	if (!l->running && waits(l)) {
		const int doublings = l->asked != ASK_NOTHING ? 0 : l->tries;

		l->running = true;
		if (!l->tries)
			l->heard = now > l->heard ? now : l->heard;
		l->deadline = now + (l->timeout_us << (doublings < BACKOFF ? doublings : BACKOFF));
	}
	frame->acknowledge = l->expected;
	if (l->session_open && l->resend_due && (frame->flags & 7) >= ESPL_FRAME_POLL) {
		/* a new attempt, so that what comes after it is known to be later */
		l->attempt = (l->attempt + ATTEMPT) & ATTEMPTS;
		frame->flags |= ESPL_FRAME_RESEND;
		l->resend_asked = true;
		l->resend_due = false;
	}
	frame->flags |= l->attempt;
	l->answer_due = false;
	l->poll_due = false;
	l->counters.sent++;
	return espl_frame_encode(frame, wire);
}

static size_t put_data(espl_link *l, int64_t now, uint8_t *wire)
{
	espl_frame frame = l->frames[l->next % WINDOW];

	frame.sequence = l->next++;
	if ((uint8_t)(l->next - l->first) > (uint8_t)(l->furthest - l->first))
		l->furthest = l->next;
	else
		l->counters.resent++;
	return put(l, &frame, now, wire);
}

size_t espl_link_transmit(espl_link *l, int64_t now, uint8_t *bytes, size_t room)
{
	size_t size = 0;

	if (!waits(l))
		l->running = false;
	else if (l->running && now >= l->deadline)
		overdue(l);
	while (room - size >= ESPL_FRAME_WIRE) {
		espl_frame frame = {.sequence = l->tag};

		if (l->ask_due) {
			frame.flags = l->asked == ASK_OPEN ? ESPL_FRAME_OPEN : ESPL_FRAME_QUERY;
			l->ask_due = false;
			size += put(l, &frame, now, bytes + size);
		} else if (l->session_open && !l->stalled && l->next != l->pushed &&
		           (uint8_t)(l->next - l->first) < l->allowed) {
			size += put_data(l, now, bytes + size);
		} else if (l->session_open && (l->answer_due || l->resend_due || l->poll_due)) {
			frame.flags =
			        l->resend_due || l->poll_due ? ESPL_FRAME_POLL : ESPL_FRAME_CONFIRM;
			size += put(l, &frame, now, bytes + size);
		} else {
			break;
		}
	}
	if (!l->running && waits(l)) {
		l->running = true;
		l->deadline = now + l->timeout_us;
	}
	return size;
}

int64_t espl_link_wake(const espl_link *l)
{
	return l->running && waits(l) ? l->deadline : INT64_MAX;
}

espl_link_state espl_link_condition(const espl_link *l)
{
	if (l->lost)
		return ESPL_LINK_LOST;
	if (l->running && l->tries >= LEAST_TRIES && l->deadline - l->heard > l->silence_us)
		return ESPL_LINK_SILENT;
	return ESPL_LINK_ALIVE;
}

/* -- what is asked ------------------------------------------------------------------------------
 */

void espl_link_query(espl_link *l)
{
	l->asked = ASK_QUERY;
	l->tag++;
	l->ask_due = true;
	l->answered = false;
	l->running = false;
	l->tries = 0;
}

/* requires: a query was answered: the new session is not the board's last one */
void espl_link_open(espl_link *l)
{
	espl_link_query(l);
	l->asked = ASK_OPEN;
	if (++l->session == l->info.session)
		l->session++;
	l->tag = l->session;
	l->first = l->next = l->furthest = l->pushed = 0;
	l->expected = 0;
	l->begin = l->end = l->packets = l->wanted = 0;
	l->allowed = l->window;
	l->stalled = l->session_open = l->lost = false;
	l->answer_due = l->resend_due = l->resend_asked = l->poll_due = false;
}

bool espl_link_answered(const espl_link *l, espl_link_info *info)
{
	if (l->answered)
		*info = l->info;
	return l->answered;
}

size_t espl_link_push(espl_link *l, const uint64_t *beats, size_t count, int kind, bool last)
{
	size_t done = 0;

	while (done < count && espl_link_has_room(l)) {
		espl_frame *frame = &l->frames[l->pushed++ % WINDOW];
		const size_t left = count - done, here = left < BEATS ? left : BEATS;
		const bool ends = last && here == left;

		frame->flags = (uint8_t)(ESPL_FRAME_INPUT | kind | (ends ? ESPL_FRAME_LAST : 0));
		kind &= ~ESPL_FRAME_BEGIN;
		frame->size = (uint8_t)(BEAT_BYTES * here);
		for (size_t i = 0; i < BEAT_BYTES * here; i++)
			frame->payload[i] =
			        (uint8_t)(beats[done + i / BEAT_BYTES] >> i % BEAT_BYTES * 8);
		done += here;
	}
	return done;
}

bool espl_link_has_room(const espl_link *l)
{
	return (uint8_t)(l->pushed - l->first) < WINDOW;
}

bool espl_link_idle(const espl_link *l)
{
	return l->first == l->pushed;
}

void espl_link_expect(espl_link *l, size_t packets)
{
	l->wanted = packets;
}

size_t espl_link_pull(espl_link *l, uint64_t *beats, size_t room)
{
	size_t count = 0;

	if (!l->packets)
		return 0;
	for (bool ends = false; !ends; count++) {
		if (count < room)
			beats[count] = l->beats[l->begin];
		ends = l->ends[l->begin++];
	}
	l->packets--;
	return count;
}

bool espl_link_has_packet(const espl_link *l)
{
	return l->packets > 0;
}

void espl_link_count(const espl_link *l, espl_link_counters *out)
{
	*out = l->counters;
}

uint64_t espl_link_progress(const espl_link *l)
{
	return l->progress;
}
