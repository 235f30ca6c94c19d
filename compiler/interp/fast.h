/* The operators of net_run, private to interp/.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_INTERP_FAST_H
#define ESPL_INTERP_FAST_H

#include "interp/operators.h"

enum {
	ESPL_FAST_TAPS = 16,     /* multiples of it: taps of a sum */
	ESPL_FAST_CHANNELS = 16, /* and output channels */
	ESPL_FAST_POSITIONS = 32 /* summed and requantized together */
};

/* Requantization by floats: x = sum * factor, rounded, unless it lies so near to a half that the
 * exact functions must decide. Arrays are as long as padded channels. */
typedef struct {
	int32_t *bias;
	float *factors;
	float *limits; /* the distance from an integer beyond which x is in doubt; < 0: always */
	float zero, low, high;
} espl_fast_rounding;

/* A weighted operator, or an ADD, prepared once. */
typedef struct {
	bool fast;         /* false: the reference runs it */
	int16_t *weights;  /* CONV, DENSE: [channels][taps]; DEPTHWISE: [taps][channels]; zeros
	                      behind */
	int taps;          /* of CONV and DENSE, padded */
	int channels;      /* of the output, padded */
	int rows, columns; /* of the input with its pads, as far as the kernel reaches */
	espl_fast_rounding rounding;
	int32_t *terms[2]; /* ADD: the scaled value of each stored one, at [v + 128] */
} espl_fast_op;

/* What one thread works in. */
typedef struct {
	int16_t *plane;   /* the padded input, zero points taken off */
	int16_t *patches; /* [ESPL_FAST_POSITIONS][taps] */
	int32_t *sums;    /* [ESPL_FAST_POSITIONS][channels] */
	int8_t *results;  /* as sums */
	uint8_t *doubts;  /* as sums; 1: floats cannot decide */
} espl_fast_scratch;

enum { ESPL_FAST_NEEDS = 5 }; /* the parts of a scratch */

void espl_fast_prepare(const espl_net *net, const espl_op *op, espl_arena *arena,
                       espl_fast_op *out);
/* Bytes of each part of a scratch that an operator needs; the greatest of all operators counts. */
void espl_fast_needs(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                     size_t needs[ESPL_FAST_NEEDS]);

/* Runs one sample of an operator with `fast` true.
 *   in  tensors[t]  of this sample */
void espl_fast_run(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                   int8_t *const *tensors, const espl_fast_scratch *scratch);

/* Adds the bias to the sums of `positions`, scales, rounds and clamps them; those in doubt are
 * decided exactly.
 *   out  [positions][channels of the output] */
void espl_fast_finish(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                      int positions, const espl_fast_scratch *scratch, int8_t *out);

#endif
