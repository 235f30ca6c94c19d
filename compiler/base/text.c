/* Text that grows, by doubling.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void reserve(espl_text *text, size_t more)
{
	size_t room = text->room ? text->room : 1024;
	char *data;

	if (text->size + more + 1 <= text->room)
		return;
	while (room < text->size + more + 1)
		room *= 2;
	data = espl_arena_calloc(text->arena, room, 1);
	if (text->data)
		memcpy(data, text->data, text->size);
	text->data = data;
	text->room = room;
}

void espl_text_add(espl_text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	reserve(text, (size_t)length);
	va_start(arguments, format);
	vsnprintf(text->data + text->size, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->size += (size_t)length;
}
