/* Gzip by zlib, whose only user this file is.
 * SPDX-License-Identifier: Apache-2.0
 */
#define ZLIB_CONST /* inputs are const */

#include "data/gzip.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
	INFLATED_MAX = 1 << 30,
	RATIO_MAX = 1032,     /* deflate: 258 bytes in two bits */
	LEAST = 18,           /* header and trailer */
	WITH_GZIP_HEADER = 16 /* zlib: read gzip, not zlib's own header */
};

bool espl_is_gzip(espl_span packed)
{
	return packed.size >= 2 && packed.data[0] == 0x1f && packed.data[1] == 0x8b;
}

/* The trailer's length of the content, modulo 2^32. */
static uint32_t claimed_size(espl_span packed)
{
	const unsigned char *at = packed.data + packed.size - 4;

	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Inflates into exactly `size` bytes. */
static espl_status inflate_all(espl_span packed, unsigned char *bytes, uint32_t size,
                               espl_error *err)
{
	z_stream stream = {0};
	size_t left;
	int result;

	stream.next_in = packed.data;
	stream.avail_in = (uInt)packed.size;
	stream.next_out = bytes;
	stream.avail_out = size;
	if (inflateInit2(&stream, MAX_WBITS + WITH_GZIP_HEADER) != Z_OK)
		return espl_fail(err, ESPL_NOMEM, "no memory for inflating");
	result = inflate(&stream, Z_FINISH);
	left = stream.avail_in;
	inflateEnd(&stream);
	if (result == Z_STREAM_END && !left)
		return ESPL_OK;
	if (result == Z_STREAM_END)
		return espl_fail(err, ESPL_SYNTAX,
		                 "gzip: %zu bytes follow the compressed data; one member is read",
		                 left);
	if (result == Z_DATA_ERROR)
		return espl_fail(err, ESPL_SYNTAX, "gzip: the compressed data is damaged (%s)",
		                 stream.msg ? stream.msg : "no reason given");
	return espl_fail(err, ESPL_SYNTAX,
	                 "gzip: the file is cut off, or its content is not %u bytes as its end "
	                 "says",
	                 (unsigned)size);
}

espl_status espl_gunzip(espl_span packed, espl_arena *arena, espl_span *out, espl_error *err)
{
	const espl_mark before = espl_arena_mark(arena);
	unsigned char *bytes;
	espl_status status;
	uint32_t size;

	if (packed.size < LEAST)
		return espl_fail(err, ESPL_SYNTAX, "gzip: %zu bytes are cut off", packed.size);
	size = claimed_size(packed);
	if (packed.size > INFLATED_MAX || size > INFLATED_MAX)
		return espl_fail(err, ESPL_RANGE, "gzip: %u bytes, at most %d are read",
		                 (unsigned)size, (int)INFLATED_MAX);
	if (size / RATIO_MAX > packed.size)
		return espl_fail(err, ESPL_SYNTAX,
		                 "gzip: the file is cut off: %zu bytes cannot hold the %u that "
		                 "its end says",
		                 packed.size, (unsigned)size);
	bytes = espl_arena_calloc(arena, (size_t)size + 1, 1);
	status = inflate_all(packed, bytes, size, err);
	if (status) {
		espl_arena_release(arena, before);
		return status;
	}
	*out = (espl_span){bytes, size};
	return ESPL_OK;
}
