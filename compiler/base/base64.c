/* Three bytes in four characters.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *espl_base64_encode(const void *bytes, size_t size, espl_arena *arena)
{
	char *text = espl_arena_calloc(arena, (size + 2) / 3 * 4 + 1, 1), *to = text;
	const unsigned char *from = bytes;

	for (size_t i = 0; i < size; i += 3) {
		const size_t have = size - i < 3 ? size - i : 3;
		const uint32_t group = (uint32_t)from[i] << 16 |
		                       (have > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
		                       (have > 2 ? (uint32_t)from[i + 2] : 0);

		*to++ = alphabet[group >> 18];
		*to++ = alphabet[group >> 12 & 63];
		*to++ = have > 1 ? alphabet[group >> 6 & 63] : '=';
		*to++ = have > 2 ? alphabet[group & 63] : '=';
	}
	return text;
}

/* The value of a character, or -1. */
static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

espl_status espl_base64_decode(const char *text, size_t size, void *bytes, espl_error *err)
{
	const size_t length = strlen(text), wanted = (size + 2) / 3 * 4;
	unsigned char *to = bytes;

	if (length != wanted)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%zu characters of base64, %zu bytes need exactly %zu", length,
		                 size, wanted);
	for (size_t i = 0; i < size; i += 3, text += 4) {
		const size_t have = size - i < 3 ? size - i : 3;
		uint32_t group = 0;

		for (size_t j = 0; j < 4; j++) {
			const int value = j <= have ? digit(text[j]) : text[j] == '=' ? 0 : -1;

			if (value < 0)
				return espl_fail(err, ESPL_SYNTAX, "character %zu is not base64",
				                 i / 3 * 4 + j);
			group = group << 6 | (uint32_t)value;
		}
		if (group & ((1u << 8 * (3 - have)) - 1))
			return espl_fail(err, ESPL_SYNTAX, "the last characters have unused bits");
		for (size_t j = 0; j < have; j++)
			to[i + j] = (unsigned char)(group >> (16 - 8 * j));
	}
	return ESPL_OK;
}
