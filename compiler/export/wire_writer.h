/* Writing protobuf's wire format: a message that grows in an arena.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to export/. A message within a message is written on its own and then put.
 */
#ifndef ESPL_EXPORT_WIRE_WRITER_H
#define ESPL_EXPORT_WIRE_WRITER_H

#include "base/arena.h"
#include "base/file.h"

#include <stdint.h>

typedef struct {
	espl_arena *arena;
	unsigned char *data;
	size_t size, room;
} espl_message;

espl_message espl_message_in(espl_arena *arena); /* an empty one */

/* A field of a number; negative ones take ten bytes, as protobuf has it. */
void espl_put_integer(espl_message *message, int field, int64_t value);
void espl_put_real(espl_message *message, int field, float value);
void espl_put_text(espl_message *message, int field, const char *text);
void espl_put_bytes(espl_message *message, int field, const void *bytes, size_t size);
void espl_put_message(espl_message *message, int field, const espl_message *part);
/* A field of `size` bytes that the caller fills before the next field is put. */
unsigned char *espl_put_room(espl_message *message, int field, size_t size);
void espl_append(espl_message *message, const espl_message *fields); /* all its fields */

#endif
