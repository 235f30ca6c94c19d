/* SplitMix64: a counter, mixed.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/random.h"

#include <assert.h>

static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

espl_random espl_random_stream(uint32_t seed, uint32_t what, uint32_t which)
{
	const uint64_t first = mix(seed + UINT64_C(0x9e3779b97f4a7c15));

	return (espl_random){mix(first ^ ((uint64_t)what << 32 | which))};
}

uint32_t espl_random_next(espl_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(mix(random->state) >> 32);
}

uint32_t espl_random_below(espl_random *random, uint32_t count)
{
	const uint32_t uneven = -count % count; /* 2^32 mod count: these would come too often */
	uint32_t value;

	assert(count);
	do
		value = espl_random_next(random);
	while (value < uneven);
	return value % count;
}
