/* Candidates: which network, how much of it stays, in how many bits.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FIT_CANDIDATE_H
#define ESPL_FIT_CANDIDATE_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* X(axis, grows): grows: with more of it and all else the same, a network can do at least as much.
 */
#define ESPL_AXIS_LIST(X)                                                            \
	X(depthwise, false) /* 1: depthwise and pointwise instead of convolutions */ \
	X(residual, false)  /* 1: blocks are added to their input */                 \
	X(shrink, false)    /* the image is taken at 1 / shrink of its size */       \
	X(depth, true)      /* blocks a stage */                                     \
	X(width, true)      /* channels of the first stage */                        \
	X(keep, true)       /* of 100 weights so many stay */                        \
	X(weight_bits, true)                                                         \
	X(activation_bits, true)

typedef enum {
#define X(name, grows) ESPL_AXIS_##name,
	ESPL_AXIS_LIST(X)
#undef X
	        ESPL_AXIS_COUNT
} espl_axis;

typedef union {
	struct {
#define X(name, grows) int name;
		ESPL_AXIS_LIST(X)
#undef X
	};
	int values[ESPL_AXIS_COUNT];
} espl_candidate;

enum { ESPL_AXIS_VALUES = 16 };

/* The values of each axis, ascending. Weight and activation bits go together: pair i. */
typedef struct {
	int counts[ESPL_AXIS_COUNT];
	int values[ESPL_AXIS_COUNT][ESPL_AXIS_VALUES];
} espl_space;

/* "conv width=16 depth=2 shrink=1 keep=50 bits=8/8", also with "depthwise" or "residual"; of width
 * 0, a network that was given: "model keep=50 bits=8/8". */
const char *espl_candidate_key(const espl_candidate *candidate, espl_arena *arena);

/* Whether `a` can do at least what `b` can: equal where nothing grows, nowhere less elsewhere. */
bool espl_candidate_covers(const espl_candidate *a, const espl_candidate *b);

bool espl_candidate_same(const espl_candidate *a, const espl_candidate *b);

#endif
