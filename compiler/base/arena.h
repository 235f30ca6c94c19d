/* Memory that is released all at once.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a function returns lives in the arena that it was given; scratch is
 * released before it returns; nobody frees parts. Allocation never returns
 * NULL: when the system has no memory left, the arena's process ends with a
 * line on stderr and exit code 70 (the one exception to "no exit").
 */
#ifndef ESPL_BASE_ARENA_H
#define ESPL_BASE_ARENA_H

#include <stddef.h>

typedef struct espl_arena espl_arena;
typedef struct {
	void *block;
	size_t used;
} espl_mark;

espl_arena *espl_arena_create(void);
void espl_arena_destroy(espl_arena *arena); /* NULL is allowed */

/* Returns `count` * `size` zeroed bytes, aligned for any type. A count of 0
 * gives a valid pointer. Overflow of the product ends as lack of memory does. */
void *espl_arena_calloc(espl_arena *arena, size_t count, size_t size);
#define ESPL_NEW(arena, type) ((type *)espl_arena_calloc((arena), 1, sizeof(type)))
#define ESPL_ARRAY(arena, type, count) \
	((type *)espl_arena_calloc((arena), (size_t)(count), sizeof(type)))

void *espl_arena_copy(espl_arena *arena, const void *bytes, size_t size);
char *espl_arena_string(espl_arena *arena, const char *text);
char *espl_arena_format(espl_arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Everything allocated after the mark is released (poisoned under ASAN). */
espl_mark espl_arena_mark(const espl_arena *arena);
void espl_arena_release(espl_arena *arena, espl_mark mark);

#endif
