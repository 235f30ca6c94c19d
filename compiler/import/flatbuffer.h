/* Reading a flatbuffer that nobody has checked, field by field.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. Nothing here trusts an offset, a count or an alignment.
 * A reference outside the file reads as if the field were absent, and marks
 * the buffer as broken: look at `broken` before believing what was read.
 */
#ifndef ESPL_IMPORT_FLATBUFFER_H
#define ESPL_IMPORT_FLATBUFFER_H

#include "base/file.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	espl_span file;
	bool broken;
	size_t broken_at; /* the first bad reference; a byte of the file */
} espl_flatbuffer;

/* Zero where the table is absent: every field of it reads as its default. */
typedef struct {
	size_t at, vtable, vtable_size;
} espl_flat_table;

/* Zero where the vector is absent or empty. All elements lie in the file. */
typedef struct {
	size_t at; /* of the first element */
	uint32_t count;
} espl_flat_vector;

espl_flat_table espl_flat_root(espl_flatbuffer *buffer);

/* Fields; `slot` is the field's number in the schema, from 0. */
espl_flat_table espl_flat_get_table(espl_flatbuffer *buffer, espl_flat_table table, int slot);
espl_flat_vector espl_flat_get_vector(espl_flatbuffer *buffer, espl_flat_table table, int slot,
                                      size_t element_bytes);
int8_t espl_flat_get_int8(espl_flatbuffer *buffer, espl_flat_table table, int slot, int8_t absent);
int32_t espl_flat_get_int32(espl_flatbuffer *buffer, espl_flat_table table, int slot,
                            int32_t absent);
uint32_t espl_flat_get_uint32(espl_flatbuffer *buffer, espl_flat_table table, int slot);
uint64_t espl_flat_get_uint64(espl_flatbuffer *buffer, espl_flat_table table, int slot);
float espl_flat_get_float(espl_flatbuffer *buffer, espl_flat_table table, int slot);

/* Elements; requires: index < vector.count. */
espl_flat_table espl_flat_table_at(espl_flatbuffer *buffer, espl_flat_vector vector,
                                   uint32_t index);
int32_t espl_flat_int32_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index);
int64_t espl_flat_int64_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index);
float espl_flat_float_at(const espl_flatbuffer *buffer, espl_flat_vector vector, uint32_t index);

/* Little-endian numbers at any address. */
uint32_t espl_load_uint32(const unsigned char *bytes);
uint64_t espl_load_uint64(const unsigned char *bytes);

#endif
