/* A list of blocks, newest first, each filled from its start.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#endif

#ifdef POISONS
#include <sanitizer/asan_interface.h>
#define POISON(address, size) ASAN_POISON_MEMORY_REGION((address), (size))
#define UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size))
enum { GAP = 16 }; /* stays poisoned behind each allocation */
#else
#define POISON(address, size) ((void)0)
#define UNPOISON(address, size) ((void)0)
enum { GAP = 0 };
#endif

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = 16, NOMEM_EXIT_CODE = 70 };

struct block {
	struct block *older;
	size_t size; /* of what follows the header */
	size_t used;
};

/* The header, rounded up so that what follows is aligned for any type. */
enum { HEADER_BYTES = (sizeof(struct block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

_Static_assert(_Alignof(max_align_t) <= ALIGNMENT, "blocks are aligned for any type");

struct espl_arena {
	struct block *newest;
};

static void end_without_memory(size_t size)
{
	fprintf(stderr, "espalier: out of memory, %zu more bytes are needed\n", size);
	exit(NOMEM_EXIT_CODE);
}

static unsigned char *block_bytes(struct block *block)
{
	return (unsigned char *)block + HEADER_BYTES;
}

espl_arena *espl_arena_create(void)
{
	espl_arena *arena = calloc(1, sizeof *arena);

	if (!arena)
		end_without_memory(sizeof *arena);
	return arena;
}

/* Frees every block that is newer than `last`. */
static void free_until(espl_arena *arena, const struct block *last)
{
	while (arena->newest != last) {
		struct block *block = arena->newest;

		assert(block); /* else the mark is not of this arena, or was released before */
		arena->newest = block->older;
		UNPOISON(block_bytes(block), block->size);
		free(block);
	}
}

void espl_arena_destroy(espl_arena *arena)
{
	if (!arena)
		return;
	free_until(arena, NULL);
	free(arena);
}

static void add_block(espl_arena *arena, size_t size)
{
	struct block *block;

	if (size < BLOCK_BYTES)
		size = BLOCK_BYTES;
	block = malloc(HEADER_BYTES + size);
	if (!block)
		end_without_memory(size);
	block->older = arena->newest;
	block->size = size;
	block->used = 0;
	POISON(block_bytes(block), size);
	arena->newest = block;
}

void *espl_arena_calloc(espl_arena *arena, size_t count, size_t size)
{
	unsigned char *bytes;
	size_t total, taken;

	if (size && count > (SIZE_MAX / 2) / size)
		end_without_memory(SIZE_MAX);
	total = count * size;
	taken = (total + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!arena->newest || arena->newest->size - arena->newest->used < taken)
		add_block(arena, taken);
	bytes = block_bytes(arena->newest) + arena->newest->used;
	arena->newest->used += taken;
	UNPOISON(bytes, total);
	memset(bytes, 0, total);
	return bytes;
}

void *espl_arena_copy(espl_arena *arena, const void *bytes, size_t size)
{
	void *copy = espl_arena_calloc(arena, size, 1);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *espl_arena_string(espl_arena *arena, const char *text)
{
	return espl_arena_copy(arena, text, strlen(text) + 1);
}

char *espl_arena_format(espl_arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	text = espl_arena_calloc(arena, (size_t)length + 1, 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

espl_mark espl_arena_mark(const espl_arena *arena)
{
	struct block *newest = arena->newest;

	return (espl_mark){newest, newest ? newest->used : 0};
}

void espl_arena_release(espl_arena *arena, espl_mark mark)
{
	struct block *block = mark.block;

	free_until(arena, block);
	if (!block)
		return;
	assert(mark.used <= block->used);
	block->used = mark.used;
	POISON(block_bytes(block) + block->used, block->size - block->used);
}
