/* Tensors of an ONNX file: where their elements are, and reading them.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_read.h"

#include <math.h>
#include <string.h>

static const int64_t elements_max = INT64_C(1) << 28;

/* Numbers of TensorProto's fields. */
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_SEGMENT = 3,
	TENSOR_FLOATS = 4,
	TENSOR_INT32S = 5,
	TENSOR_STRINGS = 6,
	TENSOR_INT64S = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_DOUBLES = 10,
	TENSOR_UINT64S = 11,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
};

const char *espl_onnx_type_name(int type)
{
	switch (type) {
#define X(name, number, bits) \
	case number:          \
		return #name;
		ESPL_ONNX_TYPE_LIST(X)
#undef X
	default:
		return "unknown";
	}
}

static int type_bits(int type)
{
	switch (type) {
#define X(name, number, bits) \
	case number:          \
		return bits;
		ESPL_ONNX_TYPE_LIST(X)
#undef X
	default:
		return -1;
	}
}

bool espl_onnx_is_integer(espl_onnx_type type)
{
	return type_bits(type) > 0 && !espl_onnx_is_real(type);
}

bool espl_onnx_is_real(espl_onnx_type type)
{
	return type == ESPL_ONNX_FLOAT || type == ESPL_ONNX_DOUBLE || type == ESPL_ONNX_FLOAT16 ||
	       type == ESPL_ONNX_BFLOAT16;
}

/* The field that holds elements of a type when they are not raw. */
static uint32_t typed_field(espl_onnx_type type)
{
	switch (type) {
	case ESPL_ONNX_FLOAT:
		return TENSOR_FLOATS;
	case ESPL_ONNX_DOUBLE:
		return TENSOR_DOUBLES;
	case ESPL_ONNX_INT64:
		return TENSOR_INT64S;
	case ESPL_ONNX_UINT32:
	case ESPL_ONNX_UINT64:
		return TENSOR_UINT64S;
	default:
		return TENSOR_INT32S;
	}
}

static espl_status fail_external(espl_onnx_reader *reader, espl_wire entry, const char *name)
{
	const char *path = "", *text, **to;
	espl_wire_field field;
	bool is_location = false;

	while (espl_wire_next(&entry, &field)) {
		if (field.number != ENTRY_KEY && field.number != ENTRY_VALUE)
			continue;
		to = field.number == ENTRY_KEY ? &text : &path;
		ESPL_TRY(espl_onnx_take_name(reader, &entry, &field, "external data", to));
		if (field.number == ENTRY_KEY)
			is_location = !strcmp(text, "location");
	}
	ESPL_TRY(espl_onnx_intact(reader));
	if (!is_location)
		return ESPL_OK;
	if (path[0] == '/' || strstr(path, "..") || strchr(path, ':'))
		return espl_fail(reader->err, ESPL_UNSUPPORTED,
		                 "initializer %s: its data lies at %s, outside the model's folder",
		                 name, path);
	return espl_fail(reader->err, ESPL_UNSUPPORTED,
	                 "initializer %s: its data lies in %s; save the model with all data in "
	                 "one file",
	                 name, path);
}

/* Adds the dimensions of one field, packed or not. */
static espl_status take_dims(espl_onnx_reader *reader, espl_wire *wire,
                             const espl_wire_field *field, espl_onnx_tensor *out)
{
	espl_span rest = field->bytes;
	uint64_t value = field->value;

	while (field->type == ESPL_WIRE_VARINT || rest.size) {
		if (field->type != ESPL_WIRE_VARINT && !espl_wire_take_varint(wire, &rest, &value))
			return espl_onnx_intact(reader);
		if (out->rank == ESPL_ONNX_RANK_MAX)
			return espl_fail(reader->err, ESPL_RANGE,
			                 "a tensor of more than %d dimensions",
			                 (int)ESPL_ONNX_RANK_MAX);
		out->dims[out->rank++] = (int64_t)value;
		if (field->type == ESPL_WIRE_VARINT)
			break;
	}
	return ESPL_OK;
}

static espl_status count_elements(espl_onnx_reader *reader, espl_onnx_tensor *out)
{
	out->count = 1;
	for (int i = 0; i < out->rank; i++) {
		if (out->dims[i] < 0 || out->dims[i] > elements_max)
			return espl_fail(reader->err, ESPL_RANGE,
			                 "tensor %s: dimension %d is %lld, it must be 0 to %lld",
			                 out->name, i, (long long)out->dims[i],
			                 (long long)elements_max);
		out->count *= out->dims[i];
		if (out->count > elements_max)
			return espl_fail(reader->err, ESPL_RANGE,
			                 "tensor %s has more than %lld elements", out->name,
			                 (long long)elements_max);
	}
	return ESPL_OK;
}

/* Everything but the elements. */
static espl_status read_head(espl_onnx_reader *reader, espl_wire wire, espl_onnx_tensor *out)
{
	const espl_wire start = wire;
	espl_wire_field field;
	uint64_t type = 0;

	*out = (espl_onnx_tensor){.name = ""};
	while (espl_wire_next(&wire, &field))
		if (field.number == TENSOR_NAME)
			ESPL_TRY(espl_onnx_take_name(reader, &wire, &field, "a tensor's name",
			                             &out->name));
	for (wire = start; espl_wire_next(&wire, &field);) {
		if (field.number == TENSOR_DIMS)
			ESPL_TRY(take_dims(reader, &wire, &field, out));
		else if (field.number == TENSOR_TYPE)
			type = field.value;
		else if (field.number == TENSOR_SEGMENT)
			return espl_fail(reader->err, ESPL_UNSUPPORTED,
			                 "tensor %s is stored in segments", out->name);
		else if (field.number == TENSOR_EXTERNAL)
			ESPL_TRY(fail_external(reader, espl_wire_open(&wire, &field), out->name));
		else if (field.number == TENSOR_LOCATION && field.value)
			return espl_fail(reader->err, ESPL_UNSUPPORTED,
			                 "initializer %s: its data lies in another file; save the "
			                 "model with all data in one file",
			                 out->name);
	}
	ESPL_TRY(espl_onnx_intact(reader));
	if (type > INT32_MAX || type_bits((int)type) < 0)
		return espl_fail(reader->err, ESPL_UNSUPPORTED,
		                 "tensor %s has elements of type %llu", out->name,
		                 (unsigned long long)type);
	out->type = (espl_onnx_type)type;
	return count_elements(reader, out);
}

/* How many numbers the typed field holds. */
static int64_t count_typed(espl_wire wire, uint32_t number)
{
	int64_t count = 0;
	espl_wire_field field;

	while (espl_wire_next(&wire, &field)) {
		if (field.number != number)
			continue;
		if (number == TENSOR_FLOATS || number == TENSOR_DOUBLES)
			count += field.type == ESPL_WIRE_BYTES
			                 ? (int64_t)(field.bytes.size /
			                             (number == TENSOR_FLOATS ? 4 : 8))
			                 : 1;
		else
			count += espl_wire_count_varints(&wire, &field);
	}
	return count;
}

static void put(unsigned char *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

/* Copies the numbers of one field to `to`, which has room. */
static unsigned char *copy_typed(espl_wire *wire, const espl_wire_field *field, size_t bytes,
                                 unsigned char *to)
{
	const bool real = field->number == TENSOR_FLOATS || field->number == TENSOR_DOUBLES;
	espl_span rest = field->bytes;
	uint64_t value;

	if (field->type != ESPL_WIRE_BYTES) {
		put(to, field->value, bytes);
		return to + bytes;
	}
	if (real) {
		const size_t size = rest.size / bytes * bytes;

		if (size)
			memcpy(to, rest.data, size);
		return to + size;
	}
	while (rest.size && espl_wire_take_varint(wire, &rest, &value)) {
		put(to, value, bytes);
		to += bytes;
	}
	return to;
}

static espl_status read_typed(espl_onnx_reader *reader, espl_wire wire, espl_onnx_tensor *out)
{
	const uint32_t number = typed_field(out->type);
	const int bits = type_bits(out->type);
	const int64_t wanted = bits == 4 ? (out->count + 1) / 2 : out->count;
	const int64_t count = count_typed(wire, number);
	const size_t bytes = bits == 4 ? 1 : (size_t)bits / 8;
	espl_wire_field field;
	unsigned char *to;

	if (count != wanted)
		return espl_fail(reader->err, ESPL_SHAPE,
		                 "tensor %s has %lld elements, its dimensions make %lld", out->name,
		                 (long long)count, (long long)wanted);
	to = espl_arena_calloc(reader->arena, (size_t)wanted, bytes);
	out->data = (espl_span){to, (size_t)wanted * bytes};
	while (espl_wire_next(&wire, &field))
		if (field.number == number)
			to = copy_typed(&wire, &field, bytes, to);
	return espl_onnx_intact(reader);
}

espl_status espl_onnx_read_tensor(espl_onnx_reader *reader, espl_wire wire, espl_onnx_tensor *out)
{
	const espl_wire start = wire;
	espl_wire_field field;
	espl_span raw = {NULL, 0};
	int64_t wanted;

	ESPL_TRY(espl_onnx_intact(reader));
	ESPL_TRY(read_head(reader, wire, out));
	if (out->type == ESPL_ONNX_STRING)
		return ESPL_OK; /* read by nobody */
	while (espl_wire_next(&wire, &field))
		if (field.number == TENSOR_RAW && field.type == ESPL_WIRE_BYTES)
			raw = field.bytes;
	if (!raw.size)
		return read_typed(reader, start, out);
	wanted = (out->count * type_bits(out->type) + 7) / 8;
	if (raw.size != (size_t)wanted)
		return espl_fail(reader->err, ESPL_SHAPE,
		                 "tensor %s has %zu bytes, its type and dimensions make %lld",
		                 out->name, raw.size, (long long)wanted);
	out->data = raw;
	return ESPL_OK;
}

int64_t espl_onnx_integer_at(const espl_onnx_tensor *tensor, int64_t index)
{
	const int bits = type_bits(tensor->type);
	const unsigned char *at = tensor->data.data + (bits == 4 ? index / 2 : index * (bits / 8));

	switch (tensor->type) {
	case ESPL_ONNX_UINT4:
		return index % 2 ? at[0] >> 4 : at[0] & 15;
	case ESPL_ONNX_INT4:
		return ((index % 2 ? at[0] >> 4 : at[0] & 15) ^ 8) - 8;
	case ESPL_ONNX_BOOL:
	case ESPL_ONNX_UINT8:
		return at[0];
	case ESPL_ONNX_INT8:
		return (int8_t)at[0];
	case ESPL_ONNX_UINT16:
		return at[0] | at[1] << 8;
	case ESPL_ONNX_INT16:
		return (int16_t)(at[0] | at[1] << 8);
	case ESPL_ONNX_INT32:
		return (int32_t)espl_wire_fixed32(at);
	case ESPL_ONNX_UINT32:
		return espl_wire_fixed32(at);
	case ESPL_ONNX_INT64:
	case ESPL_ONNX_UINT64:
		return (int64_t)espl_wire_fixed64(at);
	default:
		return 0;
	}
}

static double half_at(const unsigned char *at)
{
	const int bits = at[0] | at[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
	double value;

	if (exponent == 31)
		value = fraction ? NAN : INFINITY;
	else if (exponent == 0)
		value = ldexp(fraction, -24);
	else
		value = ldexp(1024 + fraction, exponent - 25);
	return bits & 0x8000 ? -value : value;
}

static double single_from_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return (double)value;
}

double espl_onnx_real_at(const espl_onnx_tensor *tensor, int64_t index)
{
	const unsigned char *at = tensor->data.data;
	uint64_t bits;
	double value;

	switch (tensor->type) {
	case ESPL_ONNX_FLOAT:
		return single_from_bits(espl_wire_fixed32(at + 4 * index));
	case ESPL_ONNX_DOUBLE:
		bits = espl_wire_fixed64(at + 8 * index);
		memcpy(&value, &bits, sizeof value);
		return value;
	case ESPL_ONNX_FLOAT16:
		return half_at(at + 2 * index);
	case ESPL_ONNX_BFLOAT16:
		return single_from_bits((uint32_t)(at[2 * index] | at[2 * index + 1] << 8) << 16);
	default:
		return espl_onnx_is_integer(tensor->type)
		               ? (double)espl_onnx_integer_at(tensor, index)
		               : 0;
	}
}
