/* The search: prices first, short training of many, long training of few.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a candidate costs and how good it gets is asked of a lab, which may remember: the search is
 * a function of its answers alone, so that a stopped one that is asked again takes the same way.
 */
#ifndef ESPL_FIT_SEARCH_H
#define ESPL_FIT_SEARCH_H

#include "fit/candidate.h"
#include "fit/store.h"

typedef struct {
	int64_t latency_cycles, interval_cycles; /* most; 0: any */
	int64_t multiplications;                 /* most of a network that is trained; 0: any */
	double accuracy;                         /* least of validation, of 1; 0: any */
} espl_limits;

typedef struct {
	const char *stage;        /* "pricing", "training", "refining" */
	int rung, rungs;          /* of training, from 0 */
	int at, count;            /* in the stage, or rung; count 0: not known */
	int64_t correct, samples; /* of the best so far; samples 0: none yet */
	double work_left; /* multiplications of all that is still to be trained, an estimate */
} espl_search_state;

typedef struct {
	void *user;
	/* Prices a network with random weights: reason "" or why no engine holds it.
	 *   fails  whatever ends the search */
	espl_status (*price)(void *user, const espl_candidate *candidate, const char *key,
	                     espl_arena *arena, espl_stored_price *out, espl_error *err);
	/* Trains on so many images and measures the integer net on validation. */
	espl_status (*measure)(void *user, const espl_candidate *candidate, const char *key,
	                       int64_t images, espl_arena *arena, espl_stored_result *out,
	                       espl_error *err);
	void (*say)(void *user, const espl_search_state *state); /* NULL: nobody listens */
} espl_lab;

typedef struct {
	espl_space space;
	espl_limits limits;
	int rungs, divide; /* rung r trains on images / divide^(rungs - 1 - r), and as few go on */
	int64_t images;
	int rings;  /* so often the latency is halved, and the best below it kept: the front */
	int most;   /* candidates that training begins with; 0: all */
	int refine; /* neighbours of the best that are trained as long */
} espl_search_options;

/* A candidate that was looked at. */
typedef struct {
	espl_candidate candidate;
	const char *key;
	const char *reason; /* why no engine holds it; "" */
	espl_price price;   /* with random weights until it is trained */
	int64_t images;     /* of the longest training; 0: priced only */
	int64_t correct, samples;
	bool within; /* the limits, accuracy aside */
	bool front;  /* trained to the end, and nothing is better in all of accuracy, cycles, bytes
	              */
} espl_tried;

typedef struct {
	int tried_count;
	espl_tried *tried; /* in the order in which they were first looked at */
	int chosen;        /* the most accurate within the limits, -1: none */
	int nearest;       /* what comes closest where none is chosen, -1: nothing was priced */
	int too_large;     /* no engine holds them; counts of networks, not all of them priced */
	int too_slow, too_long; /* beyond the cycles; beyond what is trained */
	int covered;            /* left out as another within the limits covers them */
	int left_out;           /* for `most` */
} espl_search_result;

/* Searches.
 *   out    *result in `arena`
 *   fails  what the lab fails with. That nothing fits is no failure: chosen is -1 */
espl_status espl_search(const espl_search_options *options, const espl_lab *lab, espl_arena *arena,
                        espl_search_result *result, espl_error *err);

/* Marks the front among what was trained on `images` images and is planned: more right, fewer
 * cycles, fewer bytes. Equal points count once, the first. */
void espl_front_mark(espl_tried *tried, int count, int64_t images);

#endif
