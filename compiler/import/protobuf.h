/* Reading protobuf's wire format that nobody has checked, field by field.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. Nothing here trusts a length, and nothing is copied: fields of bytes point
 * into the file. A message that is malformed reads as if it ended there, and marks the file as
 * broken: look at `broken` before believing what was read.
 */
#ifndef ESPL_IMPORT_PROTOBUF_H
#define ESPL_IMPORT_PROTOBUF_H

#include "base/file.h"

#include <stdbool.h>
#include <stdint.h>

enum { ESPL_WIRE_DEPTH_MAX = 16 }; /* messages within messages */

typedef struct {
	espl_span file;
	const char *broken; /* why; NULL while all is well */
	size_t broken_at;   /* a byte of the file */
} espl_wire_file;

/* What is left to read of one message. */
typedef struct {
	espl_wire_file *file;
	const unsigned char *at, *end;
	int depth;
} espl_wire;

typedef enum {
	ESPL_WIRE_VARINT = 0,
	ESPL_WIRE_FIXED64 = 1,
	ESPL_WIRE_BYTES = 2, /* text, messages, packed fields */
	ESPL_WIRE_FIXED32 = 5,
} espl_wire_type;

typedef struct {
	uint32_t number;
	espl_wire_type type;
	uint64_t value;  /* of VARINT, FIXED64, FIXED32 */
	espl_span bytes; /* of BYTES; in the file */
} espl_wire_field;

espl_wire espl_wire_root(espl_wire_file *file);

/* Reads the next field.
 *   result  false at the message's end, or when the file is broken */
bool espl_wire_next(espl_wire *wire, espl_wire_field *field);

/* The message in a field of bytes; empty, and the file broken, when the field is none or lies too
 * deep. */
espl_wire espl_wire_open(const espl_wire *parent, const espl_wire_field *field);

/* Numbers of a repeated field, packed or one by one. */
int64_t espl_wire_count_varints(espl_wire *wire, const espl_wire_field *field);
/* Reads one number off the front of `rest`; false, and the file broken, when there is none. */
bool espl_wire_take_varint(espl_wire *wire, espl_span *rest, uint64_t *out);

uint32_t espl_wire_fixed32(const unsigned char *bytes); /* little endian */
uint64_t espl_wire_fixed64(const unsigned char *bytes);

/* Marks the file as broken at a place in it; the first mark stays. */
void espl_wire_break(espl_wire_file *file, const unsigned char *at, const char *why);

#endif
