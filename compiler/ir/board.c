/* Boards as their folders describe them.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "ir/board.h"

#include "base/file.h"
#include "base/json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRINGS_MAX = 64, CLOCK_MAX = 1000000000 };

static espl_status text(const espl_json *json, const char *key, espl_arena *arena, const char **out,
                        espl_error *err)
{
	const char *borrowed;

	ESPL_TRY(espl_json_string(json, key, &borrowed, err));
	if (!*borrowed)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is empty", key);
	*out = espl_arena_string(arena, borrowed);
	return ESPL_OK;
}

static espl_status strings(const espl_json *json, const char *key, espl_arena *arena,
                           espl_strings *out, espl_error *err)
{
	const espl_json *list;
	int i = 0;

	ESPL_TRY(espl_json_array(json, key, &list, err));
	if (espl_json_count(list) > STRINGS_MAX)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" has %d strings, at most %d are read",
		                 key, espl_json_count(list), (int)STRINGS_MAX);
	out->count = espl_json_count(list);
	out->items = ESPL_ARRAY(arena, const char *, out->count + 1);
	for (const espl_json *s = espl_json_first(list); s; s = espl_json_next(s), i++) {
		const char *borrowed;

		if (espl_json_value_string(s, &borrowed))
			return espl_fail(err, ESPL_SYNTAX, "\"%s\" holds what is not a string",
			                 key);
		out->items[i] = espl_arena_string(arena, borrowed);
	}
	return ESPL_OK;
}

static espl_status band(const espl_json *json, const char *key, espl_arena *arena, espl_band *out,
                        espl_error *err)
{
	int64_t *ends;
	int count;

	ESPL_TRY(espl_json_integers(json, key, 1, INT64_C(10) * CLOCK_MAX, arena, &ends, &count,
	                            err));
	if (count != 2 || ends[0] > ends[1])
		return espl_fail(err, ESPL_SYNTAX,
		                 "\"%s\" must hold the least and the greatest frequency in Hz",
		                 key);
	*out = (espl_band){ends[0], ends[1]};
	return ESPL_OK;
}

static espl_status read_chip(const espl_json *json, espl_arena *arena, espl_board *b,
                             espl_error *err)
{
	ESPL_TRY(text(json, "family", arena, &b->family, err));
	ESPL_TRY(text(json, "part", arena, &b->part, err));
	ESPL_TRY(text(json, "package", arena, &b->package, err));
	ESPL_TRY(text(json, "speed_grade", arena, &b->speed_grade, err));
	ESPL_TRY(espl_json_int(json, "multipliers", 0, 1 << 20, &b->multipliers, err));
	ESPL_TRY(espl_json_int(json, "block_rams", 0, 1 << 20, &b->block_rams, err));
	ESPL_TRY(espl_json_int(json, "block_ram_bits", 1, 1 << 24, &b->block_ram_bits, err));
	ESPL_TRY(espl_json_integer(json, "other_ram_bytes", 0, INT64_C(1) << 32,
	                           &b->other_ram_bytes, err));
	ESPL_TRY(espl_json_int(json, "luts", 1, 1 << 28, &b->luts, err));
	return espl_json_int(json, "ffs", 1, 1 << 28, &b->ffs, err);
}

static espl_status read_clock(const espl_json *json, espl_arena *arena, espl_board *b,
                              espl_error *err)
{
	ESPL_TRY(espl_json_integer(json, "oscillator", 1, CLOCK_MAX, &b->oscillator_hz, err));
	ESPL_TRY(text(json, "pin", arena, &b->clock_pin, err));
	ESPL_TRY(band(json, "pll_compare", arena, &b->compare, err));
	ESPL_TRY(band(json, "pll_vco", arena, &b->vco, err));
	ESPL_TRY(band(json, "pll_output", arena, &b->output, err));
	return espl_json_integer(json, "engine", 1, CLOCK_MAX, &b->clock_hz, err);
}

/* The rest of the engine's parameters: one engine, and so one bitstream, for many networks. */
static espl_status read_memories(const espl_json *json, espl_arena *arena, espl_envelope *p,
                                 espl_error *err)
{
	espl_engine *engine = ESPL_NEW(arena, espl_engine);
	const espl_json *memories;

	ESPL_TRY(espl_json_object(json, "memories", &memories, err));
	engine->Lanes = p->lanes;
	engine->Splits = p->splits;
	engine->Requantizers = p->requantizers;
	ESPL_TRY(espl_engine_read_memories(memories, engine, err));
	p->engine = engine;
	return ESPL_OK;
}

static espl_status read_preset(const espl_json *json, espl_arena *arena, espl_board *b,
                               espl_error *err)
{
	espl_envelope *p = &b->preset;
	const char *array;
	char rest;

	(void)arena;
	ESPL_TRY(espl_json_string(json, "array", &array, err));
	if (sscanf(array, "%dx%d%c", &p->lanes, &p->splits, &rest) != 2 || p->lanes < 1 ||
	    p->splits < 1 || p->lanes > 4096 || p->splits > 4096)
		return espl_fail(err, ESPL_SYNTAX,
		                 "\"array\" must be lanes by splits, such as 16x8");
	ESPL_TRY(espl_json_int(json, "requantizers", 1, 4096, &p->requantizers, err));
	if (espl_json_has(json, "memories"))
		ESPL_TRY(read_memories(json, arena, p, err));
	p->board = b->name;
	p->memory_bytes = (int64_t)b->block_rams * b->block_ram_bits / 8 + b->other_ram_bytes;
	return ESPL_OK;
}

static espl_status read_link(const espl_json *json, espl_arena *arena, espl_board *b,
                             espl_error *err)
{
	const char *kind;

	ESPL_TRY(espl_json_string(json, "kind", &kind, err));
	if (strcmp(kind, "uart"))
		return espl_fail(err, ESPL_SYNTAX, "\"kind\" is %s, only uart is known", kind);
	ESPL_TRY(espl_json_int(json, "baud", 300, 12000000, &b->baud, err));
	ESPL_TRY(text(json, "receive", arena, &b->receive_pin, err));
	return text(json, "transmit", arena, &b->transmit_pin, err);
}

static espl_status read_tools(const espl_json *json, espl_arena *arena, espl_board *b,
                              espl_error *err)
{
	ESPL_TRY(strings(json, "synthesis", arena, &b->synthesis, err));
	ESPL_TRY(strings(json, "place", arena, &b->place, err));
	ESPL_TRY(strings(json, "pack", arena, &b->pack, err));
	return strings(json, "loader", arena, &b->loader, err);
}

/* What a reader does not know would be silently without effect: it is refused. */
static espl_status check_fields(const espl_json *json, const char *fields, espl_error *err)
{
	for (const espl_json *m = espl_json_first(json); m; m = espl_json_next(m)) {
		const char *key = espl_json_key(m), *at = fields;
		const size_t length = strlen(key);

		while (*at && (strncmp(at, key, length) || (at[length] != ' ' && at[length]))) {
			at += strcspn(at, " ");
			at += *at == ' ';
		}
		if (!*at)
			return espl_fail(err, ESPL_SYNTAX, "\"%s\" is no field of this", key);
	}
	return ESPL_OK;
}

static espl_status read_section(const espl_json *json, const char *name, const char *fields,
                                espl_status (*read)(const espl_json *, espl_arena *, espl_board *,
                                                    espl_error *),
                                espl_arena *arena, espl_board *b, espl_error *err)
{
	const espl_json *section;

	ESPL_TRY(espl_json_object(json, name, &section, err));
	ESPL_TRY(espl_context(err, check_fields(section, fields, err), name));
	return espl_context(err, read(section, arena, b, err), name);
}

static espl_status read_all(const espl_json *json, espl_arena *arena, espl_board *b,
                            espl_error *err)
{
	int format;

	ESPL_TRY(espl_json_int(json, "format", 1, 1, &format, err));
	ESPL_TRY(check_fields(json, "format text chip clock engine link pins tools", err));
	ESPL_TRY(text(json, "text", arena, &b->text, err));
	ESPL_TRY(read_section(json, "chip",
	                      "family part package speed_grade multipliers block_rams "
	                      "block_ram_bits other_ram_bytes luts ffs",
	                      read_chip, arena, b, err));
	ESPL_TRY(read_section(json, "clock", "oscillator pin engine pll_compare pll_vco pll_output",
	                      read_clock, arena, b, err));
	ESPL_TRY(read_section(json, "engine", "array requantizers memories", read_preset, arena, b,
	                      err));
	ESPL_TRY(
	        read_section(json, "link", "kind baud receive transmit", read_link, arena, b, err));
	ESPL_TRY(text(json, "pins", arena, &b->pins, err));
	if (strchr(b->pins, '/'))
		return espl_fail(err, ESPL_SYNTAX, "\"pins\" is %s, not a file of this folder",
		                 b->pins);
	return read_section(json, "tools", "synthesis place pack loader", read_tools, arena, b,
	                    err);
}

static espl_status read_board(const char *root, const char *name, espl_arena *arena,
                              espl_board *out, espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/%s/board.json", root, name);
	espl_board board = {
	        .name = espl_arena_string(arena, name),
	        .folder = espl_arena_format(arena, "%s/%s", root, name),
	};
	espl_status status;
	espl_json *json;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	status = read_all(json, arena, &board, err);
	espl_json_destroy(json);
	ESPL_TRY(espl_context(err, status, path));
	*out = board;
	return ESPL_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the folders of `root` that hold a board.json; none when there is no such folder. */
static int list_names(const char *root, espl_arena *arena, const char ***out)
{
	int count = 0, room = 0;
	const struct dirent *entry;
	const char **names = NULL;
	DIR *folder = opendir(root);

	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name == '.' ||
		    !espl_file_exists(
		            espl_arena_format(arena, "%s/%s/board.json", root, entry->d_name)))
			continue;
		if (count == room) {
			const char **more = ESPL_ARRAY(arena, const char *, 2 * room + 16);

			if (count)
				memcpy(more, names, (size_t)count * sizeof(*names));
			names = more;
			room = 2 * room + 16;
		}
		names[count++] = espl_arena_string(arena, entry->d_name);
	}
	if (folder)
		closedir(folder);
	if (count)
		qsort(names, (size_t)count, sizeof(*names), by_name);
	*out = names;
	return count;
}

static int by_board_name(const void *a, const void *b)
{
	return strcmp(((const espl_board *)a)->name, ((const espl_board *)b)->name);
}

static bool has_board(const espl_board *boards, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(boards[i].name, name))
			return true;
	return false;
}

espl_status espl_boards(const espl_strings *folders, espl_arena *arena, const espl_board **out,
                        int *count, espl_error *err)
{
	espl_board *boards;
	int most = 0, found = 0;

	for (int f = 0; f < folders->count; f++) {
		const char **names;

		most += list_names(folders->items[f], arena, &names);
	}
	boards = ESPL_ARRAY(arena, espl_board, most);
	for (int f = 0; f < folders->count; f++) {
		const char **names;
		const int here = list_names(folders->items[f], arena, &names);

		for (int i = 0; i < here && found < most; i++) {
			if (has_board(boards, found, names[i]))
				continue;
			ESPL_TRY(read_board(folders->items[f], names[i], arena, &boards[found],
			                    err));
			found++;
		}
	}
	qsort(boards, (size_t)found, sizeof(*boards), by_board_name);
	*out = boards;
	*count = found;
	return ESPL_OK;
}

espl_status espl_board_find(const char *name, const espl_strings *folders, espl_arena *arena,
                            const espl_board **out, espl_error *err)
{
	const char *known = "";

	for (int f = 0; f < folders->count; f++) {
		const char **names;
		const int here = list_names(folders->items[f], arena, &names);

		for (int i = 0; i < here; i++) {
			espl_board *board;

			known = espl_arena_format(arena, "%s%s%s", known, *known ? ", " : "",
			                          names[i]);
			if (strcmp(names[i], name))
				continue;
			board = ESPL_NEW(arena, espl_board);
			ESPL_TRY(read_board(folders->items[f], name, arena, board, err));
			*out = board;
			return ESPL_OK;
		}
	}
	if (!*known)
		return espl_fail(err, ESPL_IO, "no board in %s; set ESPALIER_BOARDS",
		                 folders->count ? folders->items[folders->count - 1] : "no folder");
	return espl_fail(err, ESPL_USAGE, "%s: no such board; there are %s", name, known);
}
