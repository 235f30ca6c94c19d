/* The engine's tables while they grow: words of up to 256 bits.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/work.h"

#include <assert.h>
#include <string.h>

int espl_table_append(espl_arena *arena, espl_table *table, int count)
{
	const int first = table->count;

	if (table->count + count > table->capacity) {
		const int capacity = 2 * (table->count + count) + 64;
		uint64_t *words =
		        ESPL_ARRAY(arena, uint64_t, (size_t)capacity * (size_t)table->width_beats);

		if (table->count)
			memcpy(words, table->words,
			       (size_t)table->count * (size_t)table->width_beats * sizeof(*words));
		table->words = words;
		table->capacity = capacity;
	}
	table->count += count;
	return first;
}

int espl_table_intern(espl_arena *arena, espl_table *table, const uint64_t *bits)
{
	const size_t bytes = (size_t)table->width_beats * sizeof(*bits);
	int index;

	for (int i = table->count - 1; i >= 0; i--)
		if (!memcmp(table->words + (size_t)i * (size_t)table->width_beats, bits, bytes))
			return i;
	index = espl_table_append(arena, table, 1);
	memcpy(table->words + (size_t)index * (size_t)table->width_beats, bits, bytes);
	return index;
}

void espl_put_bits(uint64_t *word, int low, int width, uint64_t value)
{
	if (width < 64)
		value &= (UINT64_C(1) << width) - 1;
	word[low / 64] |= value << (low % 64);
	if (low % 64 + width > 64)
		word[low / 64 + 1] |= value >> (64 - low % 64);
}
