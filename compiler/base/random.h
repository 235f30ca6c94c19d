/* Seeded random integers: the same seed gives the same numbers on every machine.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_RANDOM_H
#define ESPL_BASE_RANDOM_H

#include <stdint.h>

/* A stream of random numbers; plain data, copied by value. */
typedef struct {
	uint64_t state;
} espl_random;

/* The stream of a seed and two numbers that say what it is for, such as an image and an epoch:
 * streams of different numbers are independent. */
espl_random espl_random_stream(uint32_t seed, uint32_t what, uint32_t which);

/* The next 32 bits.
 *   from  SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), its upper half */
uint32_t espl_random_next(espl_random *random);

/* Uniform in 0..count-1, without bias; count >= 1. */
uint32_t espl_random_below(espl_random *random, uint32_t count);

#endif
