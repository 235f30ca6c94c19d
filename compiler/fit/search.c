/* The search: which candidates are priced, trained shortly, trained longer, refined.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/search.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
	const espl_search_options *options;
	const espl_lab *lab;
	espl_arena *arena;
	espl_search_result *result;
	int64_t widest; /* cycles that the outermost ring allows */
	int64_t best_correct, best_samples;
} search;

static espl_candidate at_of(const espl_space *space, const int index[ESPL_AXIS_COUNT])
{
	espl_candidate c;

	for (int a = 0; a < ESPL_AXIS_COUNT; a++)
		c.values[a] = space->values[a][index[a]];
	return c;
}

static int count_networks(const espl_space *space)
{
	int count = 1;

	for (int a = 0; a < ESPL_AXIS_COUNT; a++)
		count *= space->counts[a];
	return count;
}

static void say(search *s, const espl_search_state *state)
{
	espl_search_state full = *state;

	full.correct = s->best_correct;
	full.samples = s->best_samples;
	if (s->lab->say)
		s->lab->say(s->lab->user, &full);
}

static bool fast_enough(const search *s, const espl_price *p)
{
	const espl_limits *l = &s->options->limits;

	return (!l->latency_cycles || p->latency_cycles <= l->latency_cycles) &&
	       (!l->interval_cycles || p->interval_cycles <= l->interval_cycles);
}

static espl_tried *find(search *s, const espl_candidate *c)
{
	for (int i = 0; i < s->result->tried_count; i++)
		if (espl_candidate_same(&s->result->tried[i].candidate, c))
			return &s->result->tried[i];
	return NULL;
}

/* Prices a candidate once. */
static espl_status price(search *s, const espl_candidate *c, espl_tried **out, espl_error *err)
{
	espl_stored_price found = {.reason = ""};
	espl_tried *t = find(s, c);

	if (!t) {
		const char *key = espl_candidate_key(c, s->arena);

		say(s, &(espl_search_state){.stage = "pricing", .at = s->result->tried_count});
		ESPL_TRY(s->lab->price(s->lab->user, c, key, s->arena, &found, err));
		t = &s->result->tried[s->result->tried_count++];
		*t = (espl_tried){
		        .candidate = *c,
		        .key = key,
		        .reason = found.reason,
		        .price = found.price,
		        .within = !*found.reason && fast_enough(s, &found.price),
		};
	}
	*out = t;
	return ESPL_OK;
}

/* Widths from the narrowest, until one does not fit: what is wider does not fit either. */
static espl_status climb(search *s, int index[ESPL_AXIS_COUNT], espl_error *err)
{
	const espl_space *space = &s->options->space;
	const int widths = space->counts[ESPL_AXIS_width];
	const int64_t most = s->options->limits.multiplications;

	for (int w = 0; w < widths; w++) {
		espl_candidate c;
		espl_tried *t;

		index[ESPL_AXIS_width] = w;
		c = at_of(space, index);
		ESPL_TRY(price(s, &c, &t, err));
		if (*t->reason) {
			s->result->too_large += widths - w;
			break;
		}
		if (!t->within) {
			s->result->too_slow += widths - w;
			break;
		}
		if (most && t->price.multiplications > most) {
			t->within = false;
			s->result->too_long += widths - w;
			break;
		}
	}
	return ESPL_OK;
}

/* Goes through all axes but width and bits, of which the most are taken. */
static espl_status price_all(search *s, espl_error *err)
{
	const espl_space *space = &s->options->space;
	int index[ESPL_AXIS_COUNT] = {0};

	index[ESPL_AXIS_weight_bits] = space->counts[ESPL_AXIS_weight_bits] - 1;
	index[ESPL_AXIS_activation_bits] = space->counts[ESPL_AXIS_activation_bits] - 1;
	for (;;) {
		int a = 0;

		ESPL_TRY(climb(s, index, err));
		for (; a < ESPL_AXIS_COUNT; a++) {
			if (a == ESPL_AXIS_width || a == ESPL_AXIS_weight_bits ||
			    a == ESPL_AXIS_activation_bits)
				continue;
			if (++index[a] < space->counts[a])
				break;
			index[a] = 0;
		}
		if (a == ESPL_AXIS_COUNT)
			return ESPL_OK;
	}
}

static int64_t ring_cycles(const search *s, int ring)
{
	return s->widest >> ring;
}

static void find_widest(search *s)
{
	s->widest = s->options->limits.latency_cycles;
	if (s->widest)
		return;
	for (int i = 0; i < s->result->tried_count; i++)
		if (s->result->tried[i].within &&
		    s->result->tried[i].price.latency_cycles > s->widest)
			s->widest = s->result->tried[i].price.latency_cycles;
}

/* Whether another candidate of the ring covers this one. */
static bool covered_in(const search *s, const espl_tried *t, int ring)
{
	for (int i = 0; i < s->result->tried_count; i++) {
		const espl_tried *other = &s->result->tried[i];

		if (other != t && other->within &&
		    other->price.latency_cycles <= ring_cycles(s, ring) &&
		    espl_candidate_covers(&other->candidate, &t->candidate))
			return true;
	}
	return false;
}

/* The candidates that no other within some ring covers. */
static int gather(search *s, espl_tried **pool)
{
	int count = 0;

	find_widest(s);
	for (int i = 0; i < s->result->tried_count; i++) {
		espl_tried *t = &s->result->tried[i];
		bool wanted = false;

		if (!t->within)
			continue;
		for (int ring = 0; ring <= s->options->rings && !wanted; ring++)
			wanted = t->price.latency_cycles <= ring_cycles(s, ring) &&
			         !covered_in(s, t, ring);
		if (wanted)
			pool[count++] = t;
		else
			s->result->covered++;
	}
	return count;
}

static int by_kind(const espl_tried *a, const espl_tried *b)
{
	const espl_candidate *x = &a->candidate, *y = &b->candidate;

	if (x->shrink != y->shrink)
		return x->shrink - y->shrink;
	if (x->depthwise != y->depthwise)
		return x->depthwise - y->depthwise;
	return x->residual - y->residual;
}

static int by_kind_and_work(const void *a, const void *b)
{
	const espl_tried *x = *(espl_tried *const *)a, *y = *(espl_tried *const *)b;
	const int kind = by_kind(x, y);

	if (kind)
		return kind;
	if (x->price.issued != y->price.issued)
		return x->price.issued > y->price.issued ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Takes one of each kind in turn, those that compute most first. */
static int limit(search *s, espl_tried **pool, int count)
{
	espl_tried **all = ESPL_ARRAY(s->arena, espl_tried *, count);
	int taken = 0;

	qsort(pool, (size_t)count, sizeof(espl_tried *), by_kind_and_work);
	if (!s->options->most || count <= s->options->most)
		return count;
	memcpy(all, pool, (size_t)count * sizeof(espl_tried *));
	for (int turn = 0; taken < s->options->most; turn++)
		for (int i = 0, in_kind = 0; i < count && taken < s->options->most; i++) {
			in_kind = i && !by_kind(all[i - 1], all[i]) ? in_kind + 1 : 0;
			if (in_kind == turn)
				pool[taken++] = all[i];
		}
	s->result->left_out += count - taken;
	return taken;
}

/* The better one first: more right, then fewer cycles, fewer bytes, the key. */
static int by_merit(const void *a, const void *b)
{
	const espl_tried *x = *(espl_tried *const *)a, *y = *(espl_tried *const *)b;

	if (x->within != y->within)
		return x->within ? -1 : 1;
	if (x->correct != y->correct)
		return x->correct > y->correct ? -1 : 1;
	if (x->price.latency_cycles != y->price.latency_cycles)
		return x->price.latency_cycles < y->price.latency_cycles ? -1 : 1;
	if (x->price.bytes != y->price.bytes)
		return x->price.bytes < y->price.bytes ? -1 : 1;
	return strcmp(x->key, y->key);
}

static espl_status measure(search *s, espl_tried *t, int64_t images, espl_error *err)
{
	espl_stored_result found = {.reason = ""};

	ESPL_TRY(s->lab->measure(s->lab->user, &t->candidate, t->key, images, s->arena, &found,
	                         err));
	t->reason = found.reason;
	t->price = found.price;
	t->images = images;
	t->correct = found.correct;
	t->samples = found.samples;
	t->within = !*t->reason && fast_enough(s, &t->price);
	if (t->within && (!s->best_samples || t->correct > s->best_correct)) {
		s->best_correct = t->correct;
		s->best_samples = t->samples;
	}
	return ESPL_OK;
}

static int64_t rung_images(const espl_search_options *o, int rung)
{
	int64_t images = o->images;

	for (int r = rung; r < o->rungs - 1; r++)
		images /= o->divide;
	return images > 1 ? images : 1;
}

/* Of those that are sorted: the first `keep`, and the best of each inner ring; none that fell
 * behind a limit. */
static int promote(search *s, espl_tried **pool, int count, int keep)
{
	int taken = 0;

	for (int i = 0; i < count; i++) {
		bool wanted = i < keep;

		for (int ring = 1; ring <= s->options->rings && !wanted; ring++) {
			int first = 0;

			while (first < i &&
			       pool[first]->price.latency_cycles > ring_cycles(s, ring))
				first++;
			wanted =
			        first == i && pool[i]->price.latency_cycles <= ring_cycles(s, ring);
		}
		if (wanted && pool[i]->within) {
			espl_tried *up = pool[i];

			/* those before it have been looked at: their order is kept */
			for (int j = i; j > taken; j--)
				pool[j] = pool[j - 1];
			pool[taken++] = up;
		}
	}
	return taken;
}

/* What the rungs from here on cost, in multiplications, as if all were like the mean. */
static double work_left(const search *s, espl_tried *const *pool, int count, int at, int rung)
{
	double sum = 0, left = 0;

	for (int i = 0; i < count; i++) {
		sum += (double)pool[i]->price.multiplications;
		if (i >= at)
			left += (double)pool[i]->price.multiplications *
			        (double)rung_images(s->options, rung);
	}
	for (int r = rung + 1, many = count; r < s->options->rungs; r++) {
		many = (many + s->options->divide - 1) / s->options->divide + s->options->rings;
		left += sum / count * many * (double)rung_images(s->options, r);
	}
	return left + sum / count * s->options->refine * (double)s->options->images;
}

static espl_status halve(search *s, espl_tried **pool, int *count, espl_error *err)
{
	const espl_search_options *o = s->options;

	for (int rung = 0; rung < o->rungs; rung++) {
		s->best_samples = 0; /* of this rung */
		for (int i = 0; i < *count; i++) {
			say(s, &(espl_search_state){
			               .stage = "training",
			               .rung = rung,
			               .rungs = o->rungs,
			               .at = i,
			               .count = *count,
			               .work_left = work_left(s, pool, *count, i, rung),
			       });
			ESPL_TRY(measure(s, pool[i], rung_images(o, rung), err));
		}
		qsort(pool, (size_t)*count, sizeof(espl_tried *), by_merit);
		*count = promote(s, pool, *count,
		                 rung == o->rungs - 1 ? 1 : (*count + o->divide - 1) / o->divide);
	}
	return ESPL_OK;
}

/* The index of a value on its axis. */
static int index_of(const espl_space *space, espl_axis axis, int value)
{
	int i = 0;

	while (i < space->counts[axis] - 1 && space->values[axis][i] != value)
		i++;
	return i;
}

/* The index of the pair of bits. */
static int bits_index_of(const espl_space *space, const espl_candidate *of)
{
	const int *const weight = space->values[ESPL_AXIS_weight_bits];
	const int *const activation = space->values[ESPL_AXIS_activation_bits];
	int i = 0;

	while (i < space->counts[ESPL_AXIS_weight_bits] - 1 &&
	       (weight[i] != of->weight_bits || activation[i] != of->activation_bits))
		i++;
	return i;
}

/* Fewer bits; fewer bits and a step wider; fewer weights. */
static int neighbours(const espl_space *space, const espl_candidate *of, espl_candidate *out)
{
	const int width = index_of(space, ESPL_AXIS_width, of->width);
	const int keep = index_of(space, ESPL_AXIS_keep, of->keep);
	int count = 0;

	for (int b = bits_index_of(space, of) - 1; b >= 0; b--)
		for (int wider = 0; wider < 2; wider++) {
			if (width + wider == space->counts[ESPL_AXIS_width])
				continue;
			out[count] = *of;
			out[count].weight_bits = space->values[ESPL_AXIS_weight_bits][b];
			out[count].activation_bits = space->values[ESPL_AXIS_activation_bits][b];
			out[count++].width = space->values[ESPL_AXIS_width][width + wider];
		}
	if (keep > 0) {
		out[count] = *of;
		out[count++].keep = space->values[ESPL_AXIS_keep][keep - 1];
	}
	return count;
}

/* Trains the neighbours of the best, and of each ring's best, as long as them. */
static espl_status refine(search *s, espl_tried *const *best, int count, espl_error *err)
{
	const espl_search_options *o = s->options;
	int done = 0;

	for (int i = 0; i < count && done < o->refine; i++) {
		espl_candidate around[2 * ESPL_AXIS_VALUES + 1];
		const int neighbour_count = neighbours(&o->space, &best[i]->candidate, around);

		for (int n = 0; n < neighbour_count && done < o->refine; n++) {
			espl_tried *t;

			ESPL_TRY(price(s, &around[n], &t, err));
			if (!t->within || t->images == o->images ||
			    (o->limits.multiplications &&
			     t->price.multiplications > o->limits.multiplications))
				continue;
			say(s, &(espl_search_state){
			               .stage = "refining",
			               .at = done,
			               .count = o->refine,
			               .work_left = (double)(o->refine - done) *
			                            (double)t->price.multiplications *
			                            (double)o->images,
			       });
			ESPL_TRY(measure(s, t, o->images, err));
			done++;
		}
	}
	return ESPL_OK;
}

static bool better(const espl_tried *a, const espl_tried *b)
{
	return by_merit(&a, &b) < 0;
}

/* How near a candidate is to be chosen: trained within the limits; trained, but that failed; held
 * by an engine; held by none. */
static int rank(const search *s, const espl_tried *t)
{
	if (t->images && !t->within)
		return *t->reason ? 2 : 1;
	if (t->images == s->options->images)
		return 3;
	return !*t->reason;
}

/* The higher rank; among trained ones the better, else the faster. */
static bool nearer(const search *s, const espl_tried *a, const espl_tried *b)
{
	const int x = rank(s, a), y = rank(s, b);

	if (x != y)
		return x > y;
	return x == 3 ? better(a, b) : a->price.latency_cycles < b->price.latency_cycles;
}

static void choose(search *s)
{
	espl_search_result *r = s->result;
	const double least = s->options->limits.accuracy;

	for (int i = 0; i < r->tried_count; i++) {
		const espl_tried *t = &r->tried[i];

		if (t->images != s->options->images || !t->within ||
		    (double)t->correct < least * (double)t->samples)
			continue;
		if (r->chosen < 0 || better(t, &r->tried[r->chosen]))
			r->chosen = i;
	}
	for (int i = 0; i < r->tried_count; i++)
		if (r->nearest < 0 || nearer(s, &r->tried[i], &r->tried[r->nearest]))
			r->nearest = i;
}

espl_status espl_search(const espl_search_options *options, const espl_lab *lab, espl_arena *arena,
                        espl_search_result *result, espl_error *err)
{
	const int room = count_networks(&options->space);
	espl_search_result found = {.chosen = -1, .nearest = -1};
	search s = {.options = options, .lab = lab, .arena = arena, .result = &found};
	espl_tried **pool = ESPL_ARRAY(arena, espl_tried *, room);
	int count;

	found.tried = ESPL_ARRAY(arena, espl_tried, room);
	ESPL_TRY(price_all(&s, err));
	count = limit(&s, pool, gather(&s, pool));
	if (count) {
		ESPL_TRY(halve(&s, pool, &count, err));
		ESPL_TRY(refine(&s, pool, count, err));
	}
	espl_front_mark(found.tried, found.tried_count, options->images);
	choose(&s);
	*result = found;
	return ESPL_OK;
}
