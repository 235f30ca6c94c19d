/* Tables by way of their vtables, with every step bounded by the file.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/flatbuffer.h"

#include <assert.h>
#include <string.h>

enum { OFFSET_BYTES = 4, VTABLE_HEADER_BYTES = 4, SLOT_BYTES = 2 };

static uint32_t load_uint16(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

uint32_t espl_load_uint32(const unsigned char *bytes)
{
	return load_uint16(bytes) | load_uint16(bytes + 2) << 16;
}

uint64_t espl_load_uint64(const unsigned char *bytes)
{
	return espl_load_uint32(bytes) | (uint64_t)espl_load_uint32(bytes + 4) << 32;
}

static float to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* Whether `size` bytes at `at` lie in the file; if not, the buffer is broken. */
static bool inside(espl_flatbuffer *buffer, size_t at, size_t size)
{
	if (at <= buffer->file.size && size <= buffer->file.size - at)
		return true;
	if (!buffer->broken) {
		buffer->broken = true;
		buffer->broken_at = at < buffer->file.size ? at : buffer->file.size;
	}
	return false;
}

/* Follows the offset that is stored at `at`. Gives 0 where that leads out of the file. */
static size_t follow(espl_flatbuffer *buffer, size_t at)
{
	size_t target;

	if (!inside(buffer, at, OFFSET_BYTES))
		return 0;
	target = at + espl_load_uint32(buffer->file.data + at);
	return inside(buffer, target, OFFSET_BYTES) ? target : 0;
}

/* requires: 4 bytes at `at` lie in the file */
static espl_flat_table open_table(espl_flatbuffer *buffer, size_t at)
{
	const espl_flat_table absent = {0, 0, 0};
	int64_t vtable;
	size_t size;

	vtable = (int64_t)at - (int32_t)espl_load_uint32(buffer->file.data + at);
	if (vtable < 0)
		vtable = INT64_MAX; /* also outside */
	if (!inside(buffer, (size_t)vtable, VTABLE_HEADER_BYTES))
		return absent;
	size = load_uint16(buffer->file.data + vtable);
	if (!inside(buffer, (size_t)vtable, size))
		return absent;
	return (espl_flat_table){at, (size_t)vtable, size};
}

espl_flat_table espl_flat_root(espl_flatbuffer *buffer)
{
	const size_t at = follow(buffer, 0);

	return at ? open_table(buffer, at) : (espl_flat_table){0, 0, 0};
}

/* Finds a field of `size` bytes. Gives 0 where it is absent or outside. */
static size_t find(espl_flatbuffer *buffer, espl_flat_table table, int slot, size_t size)
{
	const size_t entry = VTABLE_HEADER_BYTES + SLOT_BYTES * (size_t)slot;
	uint32_t offset;

	if (entry + SLOT_BYTES > table.vtable_size)
		return 0;
	offset = load_uint16(buffer->file.data + table.vtable + entry);
	if (!offset || !inside(buffer, table.at + offset, size))
		return 0;
	return table.at + offset;
}

espl_flat_table espl_flat_get_table(espl_flatbuffer *buffer, espl_flat_table table, int slot)
{
	const size_t field = find(buffer, table, slot, OFFSET_BYTES);
	const size_t at = field ? follow(buffer, field) : 0;

	return at ? open_table(buffer, at) : (espl_flat_table){0, 0, 0};
}

espl_flat_vector espl_flat_get_vector(espl_flatbuffer *buffer, espl_flat_table table, int slot,
                                      size_t element_bytes)
{
	const size_t field = find(buffer, table, slot, OFFSET_BYTES);
	const size_t at = field ? follow(buffer, field) : 0;
	uint32_t count;

	if (!at)
		return (espl_flat_vector){0, 0};
	count = espl_load_uint32(buffer->file.data + at);
	if (!inside(buffer, at + OFFSET_BYTES, (uint64_t)count * element_bytes))
		return (espl_flat_vector){0, 0};
	return (espl_flat_vector){at + OFFSET_BYTES, count};
}

int8_t espl_flat_get_int8(espl_flatbuffer *buffer, espl_flat_table table, int slot, int8_t absent)
{
	const size_t field = find(buffer, table, slot, 1);

	return field ? (int8_t)buffer->file.data[field] : absent;
}

int32_t espl_flat_get_int32(espl_flatbuffer *buffer, espl_flat_table table, int slot,
                            int32_t absent)
{
	const size_t field = find(buffer, table, slot, 4);

	return field ? (int32_t)espl_load_uint32(buffer->file.data + field) : absent;
}

uint32_t espl_flat_get_uint32(espl_flatbuffer *buffer, espl_flat_table table, int slot)
{
	const size_t field = find(buffer, table, slot, 4);

	return field ? espl_load_uint32(buffer->file.data + field) : 0;
}

uint64_t espl_flat_get_uint64(espl_flatbuffer *buffer, espl_flat_table table, int slot)
{
	const size_t field = find(buffer, table, slot, 8);

	return field ? espl_load_uint64(buffer->file.data + field) : 0;
}

float espl_flat_get_float(espl_flatbuffer *buffer, espl_flat_table table, int slot)
{
	return to_float(espl_flat_get_uint32(buffer, table, slot));
}

espl_flat_table espl_flat_table_at(espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index)
{
	size_t at;

	assert(index < vector.count);
	at = follow(buffer, vector.at + (size_t)index * OFFSET_BYTES);
	return at ? open_table(buffer, at) : (espl_flat_table){0, 0, 0};
}

int32_t espl_flat_int32_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index)
{
	assert(index < vector.count);
	return (int32_t)espl_load_uint32(buffer->file.data + vector.at + (size_t)index * 4);
}

int64_t espl_flat_int64_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index)
{
	assert(index < vector.count);
	return (int64_t)espl_load_uint64(buffer->file.data + vector.at + (size_t)index * 8);
}

float espl_flat_float_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index)
{
	assert(index < vector.count);
	return to_float(espl_load_uint32(buffer->file.data + vector.at + (size_t)index * 4));
}
