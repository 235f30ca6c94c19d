/* Names that are unique, and things that are made before they are read.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/wiring.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Fails when two names are equal. Sorts `names`. */
static espl_status check_unique(const char **names, int count, const char *what, espl_error *err)
{
	for (int i = 0; i < count; i++)
		if (!names[i] || !names[i][0])
			return espl_fail(err, ESPL_SHAPE, "%s %d has no name", what, i);
	qsort(names, (size_t)count, sizeof *names, compare_texts);
	for (int i = 1; i < count; i++)
		if (!strcmp(names[i - 1], names[i]))
			return espl_fail(err, ESPL_SHAPE, "two %ss are named %s", what, names[i]);
	return ESPL_OK;
}

espl_status espl_check_names(const espl_wiring *w, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const char **names = ESPL_ARRAY(scratch, const char *, w->thing_count + w->maker_count);
	espl_status status;

	memcpy(names, w->names, (size_t)w->thing_count * sizeof *names);
	status = check_unique(names, w->thing_count, w->thing, err);
	if (status == ESPL_OK) {
		for (int i = 0; i < w->maker_count; i++)
			names[i] = w->makers[i].name;
		status = check_unique(names, w->maker_count, w->maker, err);
	}
	espl_arena_destroy(scratch);
	return status;
}

static espl_status check_index(const espl_wiring *w, int thing, const char *by, espl_error *err)
{
	if (thing < 0 || thing >= w->thing_count)
		return espl_fail(err, ESPL_SHAPE, "%s: %s %d, there are %d", by, w->thing, thing,
		                 w->thing_count);
	return ESPL_OK;
}

/* Marks a thing as made, once. */
static espl_status make(const espl_wiring *w, bool *made, int thing, const char *by,
                        espl_error *err)
{
	ESPL_TRY(check_index(w, thing, by, err));
	if (made[thing])
		return espl_fail(err, ESPL_SHAPE, "%s: %s is written a second time", by,
		                 w->names[thing]);
	made[thing] = true;
	return ESPL_OK;
}

static espl_status need(const espl_wiring *w, const bool *made, int thing, const char *by,
                        espl_error *err)
{
	ESPL_TRY(check_index(w, thing, by, err));
	if (!made[thing])
		return espl_fail(err, ESPL_SHAPE, "%s: %s is read before it is written", by,
		                 w->names[thing]);
	return ESPL_OK;
}

static espl_status check_order(const espl_wiring *w, bool *made, const char *things,
                               espl_error *err)
{
	for (int i = 0; i < w->input_count; i++)
		ESPL_TRY(make(w, made, w->inputs[i], "inputs", err));
	for (int i = 0; i < w->maker_count; i++) {
		const espl_maker *maker = &w->makers[i];

		if (maker->input_count < 1 || maker->input_count > w->most_inputs)
			return espl_fail(err, ESPL_SHAPE, "%s: %d inputs, 1 to %d are allowed",
			                 maker->name, maker->input_count, w->most_inputs);
		for (int j = 0; j < maker->input_count; j++)
			ESPL_TRY(need(w, made, maker->inputs[j], maker->name, err));
		ESPL_TRY(make(w, made, maker->output, maker->name, err));
	}
	for (int i = 0; i < w->output_count; i++)
		ESPL_TRY(need(w, made, w->outputs[i], "outputs", err));
	for (int i = 0; i < w->thing_count; i++)
		ESPL_TRY(need(w, made, i, things, err));
	return ESPL_OK;
}

espl_status espl_check_flow(const espl_wiring *w, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const espl_status status = check_order(w, ESPL_ARRAY(scratch, bool, w->thing_count),
	                                       espl_arena_format(scratch, "%ss", w->thing), err);

	espl_arena_destroy(scratch);
	return status;
}
