/* The search, asked by a made-up lab: never loses the best, asks little, repeats nothing.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/search.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A lab whose networks are as good as they are large, after any training, and cost as much. */
typedef struct {
	int prices, measures;
	int64_t images;       /* of all trainings */
	int largest;          /* width beyond which no engine holds a network */
	int dead;             /* measures until the lab stops answering; 0: never */
	int64_t trained_more; /* cycles that training adds */
	espl_tried seen[4096];
} lab;

static int64_t capacity(const espl_candidate *c)
{
	return (int64_t)c->width * (10 + 7 * c->depth) * (c->depthwise ? 2 : 3) * (10 + c->keep) *
	       (8 + c->weight_bits) * (8 + c->activation_bits) / c->shrink;
}

static espl_price cost(const espl_candidate *c)
{
	const int64_t positions = 784 / (c->shrink * c->shrink);
	const int64_t macs =
	        (int64_t)c->width * c->width * c->depth * positions * (c->depthwise ? 2 : 9);

	return (espl_price){.latency_cycles = 100 + macs * c->keep / 100 + 3 * c->residual,
	                    .interval_cycles = 110 + macs * c->keep / 100,
	                    .multiplications = macs,
	                    .issued = macs * c->keep / 100,
	                    .bytes = (int64_t)c->width * c->width * c->weight_bits * c->keep};
}

static espl_status price(void *user, const espl_candidate *c, const char *key, espl_arena *arena,
                         espl_stored_price *out, espl_error *err)
{
	lab *l = user;

	(void)key;
	(void)arena;
	(void)err;
	l->prices++;
	*out = (espl_stored_price){cost(c), c->width > l->largest ? "too wide" : ""};
	return ESPL_OK;
}

static espl_status measure(void *user, const espl_candidate *c, const char *key, int64_t images,
                           espl_arena *arena, espl_stored_result *out, espl_error *err)
{
	lab *l = user;

	(void)key;
	(void)arena;
	if (l->dead && l->measures == l->dead)
		return espl_fail(err, ESPL_INTERRUPTED, "interrupted");
	l->measures++;
	l->images += images;
	*out = (espl_stored_result){.price = cost(c), .reason = "", .samples = INT64_C(1) << 40};
	out->price.latency_cycles += l->trained_more;
	/* less training: all are worse, in the same order */
	out->correct = capacity(c) * (1 + images / 1000);
	return ESPL_OK;
}

static espl_search_options options(void)
{
	espl_search_options o = {
	        .space = {.counts = {2, 2, 2, 2, 5, 3, 3, 3},
	                  .values = {{0, 1},
	                             {0, 1},
	                             {1, 2},
	                             {1, 2},
	                             {4, 8, 16, 32, 64},
	                             {25, 50, 100},
	                             {4, 4, 8},
	                             {4, 8, 8}}},
	        .rungs = 3,
	        .divide = 3,
	        .images = 9000,
	        .rings = 2,
	        .refine = 4,
	};

	return o;
}

/* The most correct of all that the limits allow, by trying everything. */
static int64_t best_of_all(const espl_search_options *o, const lab *l)
{
	const espl_space *s = &o->space;
	int64_t best = -1;
	int at[ESPL_AXIS_COUNT] = {0};

	for (;;) {
		espl_candidate c;
		espl_price p;
		int a = 0;

		for (int i = 0; i < ESPL_AXIS_COUNT; i++)
			c.values[i] = s->values[i][at[i]];
		p = cost(&c);
		if (c.width <= l->largest &&
		    (!o->limits.latency_cycles || p.latency_cycles <= o->limits.latency_cycles) &&
		    (!o->limits.interval_cycles ||
		     p.interval_cycles <= o->limits.interval_cycles) &&
		    (!o->limits.multiplications ||
		     p.multiplications <= o->limits.multiplications) &&
		    capacity(&c) * 10 > best)
			best = capacity(&c) * 10;
		for (; a < ESPL_AXIS_COUNT && ++at[a] == s->counts[a]; a++)
			at[a] = 0;
		if (a == ESPL_AXIS_COUNT)
			return best;
	}
}

static espl_status ask(const espl_search_options *o, lab *l, espl_arena *arena,
                       espl_search_result *out)
{
	const espl_lab asked = {.user = l, .price = price, .measure = measure};
	espl_error err = {0};

	return espl_search(o, &asked, arena, out, &err);
}

static void finds_the_best_within_any_limit(void **state)
{
	static const int64_t latencies[] = {0,     101,   300,    1000,   5000,   20000,
	                                    40000, 90000, 200000, 700000, 9000000};

	(void)state;
	for (size_t i = 0; i < sizeof(latencies) / sizeof(latencies[0]); i++)
		for (int largest = 4; largest <= 64; largest *= 2) {
			espl_arena *arena = espl_arena_create();
			espl_search_options o = options();
			lab *l = ESPL_NEW(arena, lab);
			espl_search_result r;
			int64_t best;

			l->largest = largest;
			o.limits.latency_cycles = latencies[i];
			best = best_of_all(&o, l);
			assert_int_equal(ask(&o, l, arena, &r), ESPL_OK);
			if (best < 0) {
				assert_int_equal(r.chosen, -1);
				assert_true(r.nearest >= 0);
			} else {
				assert_true(r.chosen >= 0);
				assert_true(r.tried[r.chosen].correct == best);
				assert_true(r.tried[r.chosen].front);
				assert_int_equal(r.tried[r.chosen].images, o.images);
			}
			espl_arena_destroy(arena);
		}
}

static void trains_few_of_many_and_few_of_them_long(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_search_options o = options();
	lab *l = ESPL_NEW(arena, lab);
	espl_search_result r;
	int longest = 0;

	(void)state;
	l->largest = 64;
	assert_int_equal(ask(&o, l, arena, &r), ESPL_OK);
	for (int i = 0; i < r.tried_count; i++)
		longest += r.tried[i].images == o.images;
	/* at most the best, one a ring, and the neighbours */
	assert_true(longest <= 1 + o.divide + 2 * o.rings + o.refine);
	assert_true(r.covered > r.tried_count / 2);
	/* three rungs of about as much work each, instead of all to the end */
	assert_true(l->images < 10 * o.images * 3);
	espl_arena_destroy(arena);
}

static void each_limit_is_kept_and_counted(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_search_options o = options();
	lab *l = ESPL_NEW(arena, lab);
	espl_search_result r;

	(void)state;
	l->largest = 32;
	o.limits = (espl_limits){
	        .latency_cycles = 60000, .interval_cycles = 50000, .multiplications = 100000};
	assert_int_equal(ask(&o, l, arena, &r), ESPL_OK);
	assert_true(r.tried[r.chosen].correct == best_of_all(&o, l));
	assert_true(r.tried[r.chosen].price.interval_cycles <= 50000);
	assert_true(r.tried[r.chosen].price.multiplications <= 100000);
	assert_true(r.too_slow > 0);
	assert_true(r.too_long > 0);
	espl_arena_destroy(arena);
}

static void what_training_makes_too_slow_is_not_chosen(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_search_options o = options();
	lab *l = ESPL_NEW(arena, lab);
	espl_search_result r;

	(void)state;
	l->largest = 64;
	l->trained_more = 2000;
	o.limits.latency_cycles = 30000;
	assert_int_equal(ask(&o, l, arena, &r), ESPL_OK);
	for (int i = 0; i < r.tried_count; i++)
		if (r.tried[i].images)
			assert_int_equal(r.tried[i].within,
			                 r.tried[i].price.latency_cycles <= 30000);
	assert_true(r.chosen < 0 || r.tried[r.chosen].within);
	espl_arena_destroy(arena);
}

static void too_little_accuracy_is_no_choice_but_the_nearest(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_search_options o = options();
	lab *l = ESPL_NEW(arena, lab);
	espl_search_result r;

	(void)state;
	l->largest = 64;
	o.limits.latency_cycles = 20000;
	o.limits.accuracy = 0.99;
	assert_int_equal(ask(&o, l, arena, &r), ESPL_OK);
	assert_int_equal(r.chosen, -1);
	assert_true(r.tried[r.nearest].correct == best_of_all(&o, l));
	espl_arena_destroy(arena);
}

static void a_limit_of_candidates_says_what_it_leaves_out(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_search_options o = options();
	lab *all = ESPL_NEW(arena, lab), *few = ESPL_NEW(arena, lab);
	espl_search_result r, s;

	(void)state;
	all->largest = few->largest = 64;
	assert_int_equal(ask(&o, all, arena, &r), ESPL_OK);
	assert_int_equal(r.left_out, 0);
	o.most = 4;
	assert_int_equal(ask(&o, few, arena, &s), ESPL_OK);
	assert_true(s.left_out > 0);
	assert_true(few->measures < all->measures);
	espl_arena_destroy(arena);
}

/* Remembers, as the real lab does; the other lab is asked once for each answer. */
typedef struct {
	lab *inner;
	struct {
		char key[128];
		int64_t images;
		espl_stored_result result;
	} rows[512];
	int count;
} memory;

static espl_status remembered(void *user, const espl_candidate *c, const char *key, int64_t images,
                              espl_arena *arena, espl_stored_result *out, espl_error *err)
{
	memory *m = user;

	for (int i = 0; i < m->count; i++)
		if (m->rows[i].images == images && !strcmp(m->rows[i].key, key)) {
			*out = m->rows[i].result;
			return ESPL_OK;
		}
	ESPL_TRY(measure(m->inner, c, key, images, arena, out, err));
	strncpy(m->rows[m->count].key, key, sizeof(m->rows[0].key) - 1);
	m->rows[m->count].images = images;
	m->rows[m->count++].result = *out;
	return ESPL_OK;
}

static espl_status priced(void *user, const espl_candidate *c, const char *key, espl_arena *arena,
                          espl_stored_price *out, espl_error *err)
{
	return price(((memory *)user)->inner, c, key, arena, out, err);
}

static void a_stopped_search_goes_on_to_the_same_answer(void **state)
{
	espl_arena *arena = espl_arena_create();
	espl_search_options o = options();
	lab *whole = ESPL_NEW(arena, lab), *parts = ESPL_NEW(arena, lab);
	memory *m = ESPL_NEW(arena, memory);
	const espl_lab asked = {.user = m, .price = priced, .measure = remembered};
	espl_search_result r, s;
	espl_error err = {0};
	int stops = 0;

	(void)state;
	whole->largest = parts->largest = 64;
	o.limits.latency_cycles = 40000;
	assert_int_equal(ask(&o, whole, arena, &r), ESPL_OK);
	m->inner = parts;
	for (parts->dead = 3; espl_search(&o, &asked, arena, &s, &err); parts->dead += 3) {
		assert_int_equal(err.status, ESPL_INTERRUPTED);
		stops++;
	}
	assert_true(stops > 3);
	assert_int_equal(parts->measures, whole->measures);
	assert_int_equal(s.tried_count, r.tried_count);
	assert_string_equal(s.tried[s.chosen].key, r.tried[r.chosen].key);
	for (int i = 0; i < s.tried_count; i++) {
		assert_string_equal(s.tried[i].key, r.tried[i].key);
		assert_true(s.tried[i].correct == r.tried[i].correct);
		assert_int_equal(s.tried[i].front, r.tried[i].front);
	}
	/* and once finished, nothing is asked again */
	parts->dead = 0;
	assert_int_equal(espl_search(&o, &asked, arena, &s, &err), ESPL_OK);
	assert_int_equal(parts->measures, whole->measures);
	espl_arena_destroy(arena);
}

static void the_front_is_what_nothing_beats(void **state)
{
	espl_tried t[] = {
	        {.correct = 90, .price = {.latency_cycles = 100, .bytes = 50}},
	        {.correct = 80, .price = {.latency_cycles = 100, .bytes = 50}}, /* less right */
	        {.correct = 80, .price = {.latency_cycles = 90, .bytes = 60}},
	        {.correct = 70, .price = {.latency_cycles = 100, .bytes = 40}},
	        {.correct = 90,
	         .price = {.latency_cycles = 100, .bytes = 50}}, /* the first again */
	        {.correct = 99,
	         .price = {.latency_cycles = 1, .bytes = 1},
	         .images = 5}, /* short */
	        {.correct = 99, .price = {.latency_cycles = 1, .bytes = 1}, .reason = "too wide"},
	        {.correct = 60,
	         .price = {.latency_cycles = 90, .bytes = 61}}, /* beaten by the third */
	};
	static const bool expected[] = {true, false, true, true, false, false, false, false};
	enum { COUNT = sizeof(t) / sizeof(t[0]) };

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		t[i].samples = 100;
		t[i].images = t[i].images ? t[i].images : 1000;
		t[i].reason = t[i].reason ? t[i].reason : "";
	}
	espl_front_mark(t, COUNT, 1000);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(t[i].front, expected[i]);
}

static void keys_tell_candidates_apart(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_candidate a = {{.width = 16,
	                           .depth = 2,
	                           .shrink = 1,
	                           .keep = 50,
	                           .weight_bits = 8,
	                           .activation_bits = 8}};

	(void)state;
	assert_string_equal(espl_candidate_key(&a, arena),
	                    "conv width=16 depth=2 shrink=1 keep=50 bits=8/8");
	for (int i = 0; i < ESPL_AXIS_COUNT; i++) {
		espl_candidate b = a;

		b.values[i]++;
		assert_string_not_equal(espl_candidate_key(&a, arena),
		                        espl_candidate_key(&b, arena));
		assert_false(espl_candidate_same(&a, &b));
		assert_false(espl_candidate_covers(&a, &b));
	}
	assert_true(espl_candidate_covers(&a, &a));
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(finds_the_best_within_any_limit),
	        cmocka_unit_test(trains_few_of_many_and_few_of_them_long),
	        cmocka_unit_test(each_limit_is_kept_and_counted),
	        cmocka_unit_test(what_training_makes_too_slow_is_not_chosen),
	        cmocka_unit_test(too_little_accuracy_is_no_choice_but_the_nearest),
	        cmocka_unit_test(a_limit_of_candidates_says_what_it_leaves_out),
	        cmocka_unit_test(a_stopped_search_goes_on_to_the_same_answer),
	        cmocka_unit_test(the_front_is_what_nothing_beats),
	        cmocka_unit_test(keys_tell_candidates_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
