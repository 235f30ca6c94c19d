/* Writing protobuf's wire format: a message that grows in an arena.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "export/wire_writer.h"

#include <string.h>

enum { VARINT = 0, BYTES = 2, FIXED32 = 5, VARINT_BYTES_MAX = 10, ROOM_MIN = 64 };

espl_message espl_message_in(espl_arena *arena)
{
	return (espl_message){.arena = arena};
}

static unsigned char *grow(espl_message *message, size_t size)
{
	unsigned char *at;

	if (size > message->room - message->size) {
		size_t room = message->room ? message->room : ROOM_MIN;
		unsigned char *data;

		while (room - message->size < size)
			room *= 2;
		data = espl_arena_calloc(message->arena, room, 1);
		if (message->size)
			memcpy(data, message->data, message->size);
		message->data = data;
		message->room = room;
	}
	at = message->data + message->size;
	message->size += size;
	return at;
}

static void put_varint(espl_message *message, uint64_t value)
{
	unsigned char bytes[VARINT_BYTES_MAX];
	size_t count = 0;

	do {
		bytes[count] = (unsigned char)(value & 0x7f);
		value >>= 7;
		if (value)
			bytes[count] |= 0x80;
		count++;
	} while (value);
	memcpy(grow(message, count), bytes, count);
}

static void put_key(espl_message *message, int field, int type)
{
	put_varint(message, (uint64_t)field << 3 | (uint64_t)type);
}

void espl_put_integer(espl_message *message, int field, int64_t value)
{
	put_key(message, field, VARINT);
	put_varint(message, (uint64_t)value);
}

void espl_put_real(espl_message *message, int field, float value)
{
	uint32_t bits;
	unsigned char *at;

	put_key(message, field, FIXED32);
	memcpy(&bits, &value, sizeof(bits));
	at = grow(message, 4);
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(bits >> (8 * i));
}

unsigned char *espl_put_room(espl_message *message, int field, size_t size)
{
	put_key(message, field, BYTES);
	put_varint(message, size);
	return grow(message, size);
}

void espl_put_bytes(espl_message *message, int field, const void *bytes, size_t size)
{
	unsigned char *at = espl_put_room(message, field, size);

	if (size)
		memcpy(at, bytes, size);
}

void espl_put_text(espl_message *message, int field, const char *text)
{
	espl_put_bytes(message, field, text, strlen(text));
}

void espl_put_message(espl_message *message, int field, const espl_message *part)
{
	espl_put_bytes(message, field, part->data, part->size);
}

void espl_append(espl_message *message, const espl_message *fields)
{
	unsigned char *at = grow(message, fields->size);

	if (fields->size)
		memcpy(at, fields->data, fields->size);
}
