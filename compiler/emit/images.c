/* Memory images: the program as files that $readmemh reads.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "emit/images.h"

#include "base/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { WIDE = 0, NARROW = 1, ALL_SPLITS = -1, END = 1 << 24 };

/* What one file holds: of a memory (espl_pkg's number), of one split or of all, the words `step`
 * apart from address `first` up to `end`. */
typedef struct {
	int memory, split;
	int first, end, step;
} selection;

static bool holds(const selection *of, const espl_image *image)
{
	return image->memory == of->memory && (of->split < 0 || image->splits >> of->split & 1);
}

/* An upper bound of the text's length. */
static size_t room_for(const espl_plan *plan, const selection *of)
{
	size_t room = 64;

	for (int i = 0; i < plan->image_count; i++)
		if (holds(of, &plan->images[i]))
			room += 16 + (size_t)plan->images[i].count *
			                     (16 * (size_t)plan->images[i].beats + 1);
	return room;
}

/* A word in hexadecimal without leading zeros, so that it is as wide as the memory at most. */
static char *put_word(char *to, const uint64_t *beats, int count)
{
	int b = count - 1;

	while (b > 0 && !beats[b])
		b--;
	to += sprintf(to, "%llx", (unsigned long long)beats[b]);
	while (b-- > 0)
		to += sprintf(to, "%016llx", (unsigned long long)beats[b]);
	*to++ = '\n';
	return to;
}

static const char *image_text(const espl_plan *plan, const selection *of, espl_arena *arena)
{
	char *text = espl_arena_calloc(arena, room_for(plan, of), 1);
	char *to = text + sprintf(text, "// for $readmemh\n");
	int next = 0;

	for (int i = 0; i < plan->image_count; i++) {
		const espl_image *image = &plan->images[i];

		for (int w = 0; w < image->count && holds(of, image); w++) {
			int address = image->address + w - of->first;

			if (address < 0 || address % of->step || image->address + w >= of->end)
				continue;
			address /= of->step;
			if (address != next)
				to += sprintf(to, "@%x\n", (unsigned)address);
			to = put_word(to, image->words + (size_t)w * (size_t)image->beats,
			              image->beats);
			next = address + 1;
		}
	}
	return text;
}

static espl_status write_image(const espl_plan *plan, const char *folder, const char *name,
                               selection of, espl_arena *arena, espl_error *err)
{
	const espl_mark mark = espl_arena_mark(arena);
	const char *text = image_text(plan, &of, arena);
	const espl_status status = espl_file_write(
	        espl_arena_format(arena, "%s/%s.hex", folder, name), text, strlen(text), err);

	espl_arena_release(arena, mark);
	return status;
}

espl_status espl_images_write(const espl_plan *plan, const char *root, espl_arena *arena,
                              espl_error *err)
{
	static const struct {
		const char *name;
		int memory;
	} shared[] = {{"tap", 3},   {"param", 4},   {"group", 5},   {"block", 6},
	              {"entry", 7}, {"pattern", 8}, {"program", 9}, {"table", 10}};
	const int depth = plan->engine.WideDepth;
	const struct {
		const char *name;
		int memory, first, end, step;
	} per_split[] = {{"wide_even", WIDE, 0, depth, 2},
	                 {"wide_odd", WIDE, 1, depth, 2},
	                 {"narrow", NARROW, 0, END, 1},
	                 {"wide_extra", WIDE, depth, depth + plan->engine.WideExtra, 1}};
	const size_t files = plan->engine.WideExtra ? 4 : 3;
	const char *folder = espl_arena_format(arena, "%s/image", root);

	if (mkdir(folder, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		ESPL_TRY(write_image(plan, folder, shared[i].name,
		                     (selection){shared[i].memory, ALL_SPLITS, 0, END, 1}, arena,
		                     err));
	for (int s = 0; s < plan->engine.Splits; s++)
		for (size_t i = 0; i < files; i++)
			ESPL_TRY(
			        write_image(plan, folder,
			                    espl_arena_format(arena, "%s_%x", per_split[i].name, s),
			                    (selection){per_split[i].memory, s, per_split[i].first,
			                                per_split[i].end, per_split[i].step},
			                    arena, err));
	return ESPL_OK;
}
