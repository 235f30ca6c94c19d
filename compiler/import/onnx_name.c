/* Names in an ONNX file: clean ones only.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_read.h"

#include <string.h>

enum { NAME_BYTES_MAX = 1000 };

espl_status espl_onnx_intact(const espl_onnx_reader *reader)
{
	if (!reader->file.broken)
		return ESPL_OK;
	return espl_fail(reader->err, ESPL_SYNTAX, "%s, at byte %zu of %zu", reader->file.broken,
	                 reader->file.broken_at, reader->file.file.size);
}

/* The bytes of a well-formed UTF-8 character that may stand in a name; 0 when it may not. */
static size_t name_character(const unsigned char *at, size_t left)
{
	const unsigned char c = at[0];
	const size_t size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (size == 1)
		return c >= 0x20 && c < 0x7f && !strchr("\"'`\\$<>", c);
	if (!size || c > 0xf4 || size > left)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xc2 && at[1] < 0xa0) || (c == 0xe0 && at[1] < 0xa0) ||
	    (c == 0xed && at[1] > 0x9f) || (c == 0xf0 && at[1] < 0x90) ||
	    (c == 0xf4 && at[1] > 0x8f))
		return 0; /* control characters, overlong forms, surrogates, beyond Unicode */
	return size;
}

static bool is_clean(espl_span text)
{
	for (size_t i = 0; i < text.size;) {
		const size_t size = name_character(text.data + i, text.size - i);

		if (!size)
			return false;
		i += size;
	}
	return true;
}

espl_status espl_onnx_take_name(espl_onnx_reader *reader, espl_wire *wire,
                                const espl_wire_field *field, const char *what, const char **out)
{
	char *text;

	if (field->type != ESPL_WIRE_BYTES) {
		espl_wire_break(wire->file, wire->at, "a number stands where a name belongs");
		return espl_onnx_intact(reader);
	}
	if (field->bytes.size > NAME_BYTES_MAX)
		return espl_fail(reader->err, ESPL_RANGE, "%s of %zu bytes, at most %d are allowed",
		                 what, field->bytes.size, (int)NAME_BYTES_MAX);
	if (!is_clean(field->bytes))
		return espl_fail(reader->err, ESPL_RANGE,
		                 "%s at byte %zu has a character that is not allowed (control "
		                 "characters, quotes, \\, $, angle brackets, bytes that are not "
		                 "UTF-8): rename it",
		                 what, (size_t)(field->bytes.data - reader->file.file.data));
	text = espl_arena_calloc(reader->arena, field->bytes.size + 1, 1);
	if (field->bytes.size)
		memcpy(text, field->bytes.data, field->bytes.size);
	*out = text;
	return ESPL_OK;
}

const char *espl_onnx_take_text(espl_onnx_reader *reader, const espl_wire_field *field)
{
	const espl_span bytes = field->bytes;
	char *text;

	if (field->type != ESPL_WIRE_BYTES || bytes.size > NAME_BYTES_MAX || !is_clean(bytes))
		return "?";
	text = espl_arena_calloc(reader->arena, bytes.size + 1, 1);
	if (bytes.size)
		memcpy(text, bytes.data, bytes.size);
	return text;
}

espl_status espl_onnx_take_domain(espl_onnx_reader *reader, espl_wire *wire,
                                  const espl_wire_field *field, const char **out)
{
	ESPL_TRY(espl_onnx_take_name(reader, wire, field, "a domain", out));
	if (!strcmp(*out, "ai.onnx"))
		*out = "";
	return ESPL_OK;
}
