/* Text that grows.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_TEXT_H
#define ESPL_BASE_TEXT_H

#include "base/arena.h"

/* A string in an arena, longer with each call; what it was stays in the arena. */
typedef struct {
	espl_arena *arena;
	char *data; /* ends with a zero byte; NULL: empty yet */
	size_t size, room;
} espl_text;

void espl_text_add(espl_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
