/* Reading protobuf's wire format that nobody has checked, field by field.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/protobuf.h"

enum { VARINT_BYTES_MAX = 10, NUMBER_MAX = (1 << 29) - 1 };

void espl_wire_break(espl_wire_file *file, const unsigned char *at, const char *why)
{
	if (file->broken)
		return;
	file->broken = why;
	file->broken_at = (size_t)(at - file->file.data);
}

espl_wire espl_wire_root(espl_wire_file *file)
{
	return (espl_wire){file, file->file.data, file->file.data + file->file.size, 0};
}

/* Reads a number of 7 bits a byte; false when it does not end, or not within 64 bits. */
static bool varint(const unsigned char **at, const unsigned char *end, uint64_t *out)
{
	uint64_t value = 0;

	for (int i = 0; i < VARINT_BYTES_MAX && *at + i < end; i++) {
		const unsigned char byte = (*at)[i];

		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*at += i + 1;
			*out = value;
			return true;
		}
	}
	return false;
}

uint32_t espl_wire_fixed32(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

uint64_t espl_wire_fixed64(const unsigned char *bytes)
{
	return espl_wire_fixed32(bytes) | (uint64_t)espl_wire_fixed32(bytes + 4) << 32;
}

static bool stop(espl_wire *wire, const char *why)
{
	espl_wire_break(wire->file, wire->at, why);
	wire->at = wire->end;
	return false;
}

static bool take_bytes(espl_wire *wire, size_t size, espl_span *out)
{
	if ((size_t)(wire->end - wire->at) < size)
		return stop(wire, "a field is longer than what is left");
	*out = (espl_span){wire->at, size};
	wire->at += size;
	return true;
}

static bool take_fixed(espl_wire *wire, size_t size, uint64_t *out)
{
	espl_span bytes;

	if (!take_bytes(wire, size, &bytes))
		return false;
	*out = size == 4 ? espl_wire_fixed32(bytes.data) : espl_wire_fixed64(bytes.data);
	return true;
}

bool espl_wire_next(espl_wire *wire, espl_wire_field *field)
{
	uint64_t key, size;

	if (wire->file->broken || wire->at >= wire->end)
		return false;
	if (!varint(&wire->at, wire->end, &key))
		return stop(wire, "a field's number does not end");
	if (key >> 3 < 1 || key >> 3 > NUMBER_MAX)
		return stop(wire, "a field's number is not 1 to 2^29 - 1");
	*field = (espl_wire_field){.number = (uint32_t)(key >> 3),
	                           .type = (espl_wire_type)(key & 7)};
	switch (field->type) {
	case ESPL_WIRE_VARINT:
		if (!varint(&wire->at, wire->end, &field->value))
			return stop(wire, "a number does not end");
		return true;
	case ESPL_WIRE_FIXED64:
		return take_fixed(wire, 8, &field->value);
	case ESPL_WIRE_FIXED32:
		return take_fixed(wire, 4, &field->value);
	case ESPL_WIRE_BYTES:
		if (!varint(&wire->at, wire->end, &size) || size > SIZE_MAX / 2)
			return stop(wire, "a field's length does not end");
		return take_bytes(wire, (size_t)size, &field->bytes);
	}
	return stop(wire, "a field of an unknown wire type");
}

espl_wire espl_wire_open(const espl_wire *parent, const espl_wire_field *field)
{
	espl_wire wire = {parent->file, field->bytes.data, field->bytes.data, parent->depth + 1};

	if (field->type != ESPL_WIRE_BYTES) {
		wire.at = wire.end = parent->at;
		stop(&wire, "a number stands where a message belongs");
	} else if (wire.depth > ESPL_WIRE_DEPTH_MAX) {
		stop(&wire, "messages are nested too deeply");
	} else {
		wire.end += field->bytes.size;
	}
	return wire;
}

int64_t espl_wire_count_varints(espl_wire *wire, const espl_wire_field *field)
{
	int64_t count = 0;

	if (field->type == ESPL_WIRE_VARINT)
		return 1;
	if (field->type != ESPL_WIRE_BYTES) {
		stop(wire, "a field of the wrong type");
		return 0;
	}
	for (size_t i = 0; i < field->bytes.size; i++)
		count += field->bytes.data[i] < 0x80;
	return count;
}

bool espl_wire_take_varint(espl_wire *wire, espl_span *rest, uint64_t *out)
{
	const unsigned char *at = rest->data;

	if (!varint(&at, rest->data + rest->size, out)) {
		espl_wire_break(wire->file, rest->data, "a packed number does not end");
		return false;
	}
	rest->size -= (size_t)(at - rest->data);
	rest->data = at;
	return true;
}
