/* Bytes as base64 text.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_BASE64_H
#define ESPL_BASE_BASE64_H

#include "base/arena.h"
#include "base/status.h"

/* The bytes with the alphabet A-Z a-z 0-9 + / and padding, no line breaks.
 *   from  RFC 4648, section 4 */
const char *espl_base64_encode(const void *bytes, size_t size, espl_arena *arena);

/* Decodes exactly `size` bytes into `bytes`.
 *   fails  ESPL_SYNTAX: other characters, unused bits that are not 0, other length */
espl_status espl_base64_decode(const char *text, size_t size, void *bytes, espl_error *err);

#endif
