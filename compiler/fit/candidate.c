/* Candidates: their names, and which covers which.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/candidate.h"

#include <string.h>

static const bool grows_along[] = {
#define X(name, grows) grows,
        ESPL_AXIS_LIST(X)
#undef X
};

const char *espl_candidate_key(const espl_candidate *c, espl_arena *arena)
{
	if (!c->width)
		return espl_arena_format(arena, "model keep=%d bits=%d/%d", c->keep, c->weight_bits,
		                         c->activation_bits);
	return espl_arena_format(arena, "%s%s width=%d depth=%d shrink=%d keep=%d bits=%d/%d",
	                         c->depthwise ? "depthwise" : "conv",
	                         c->residual ? " residual" : "", c->width, c->depth, c->shrink,
	                         c->keep, c->weight_bits, c->activation_bits);
}

bool espl_candidate_covers(const espl_candidate *a, const espl_candidate *b)
{
	for (int i = 0; i < ESPL_AXIS_COUNT; i++)
		if (grows_along[i] ? a->values[i] < b->values[i] : a->values[i] != b->values[i])
			return false;
	return true;
}

bool espl_candidate_same(const espl_candidate *a, const espl_candidate *b)
{
	return !memcmp(a->values, b->values, sizeof(a->values));
}
