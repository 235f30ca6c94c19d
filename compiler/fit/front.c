/* The Pareto front: what nothing else is better than in everything.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/search.h"

static bool counts(const espl_tried *t, int64_t images)
{
	return t->images == images && t->samples && !*t->reason;
}

/* Whether `a` is at least as good in all, and better in one, or stands before an equal. */
static bool beats(const espl_tried *a, const espl_tried *b)
{
	const bool no_worse = a->correct >= b->correct &&
	                      a->price.latency_cycles <= b->price.latency_cycles &&
	                      a->price.bytes <= b->price.bytes;
	const bool same = a->correct == b->correct &&
	                  a->price.latency_cycles == b->price.latency_cycles &&
	                  a->price.bytes == b->price.bytes;

	return no_worse && (!same || a < b);
}

void espl_front_mark(espl_tried *tried, int count, int64_t images)
{
	for (int i = 0; i < count; i++) {
		tried[i].front = counts(&tried[i], images);
		for (int j = 0; j < count && tried[i].front; j++)
			if (j != i && counts(&tried[j], images) && beats(&tried[j], &tried[i]))
				tried[i].front = false;
	}
}
