/* Slices of the test set, counted.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/slices.h"

#include "judge/metrics.h"

#include <math.h>

/* Quarters by the sum of an image's bytes; of equals the first is the darker. */
static void rank_brightness(espl_tally *tally, const espl_samples *samples, espl_arena *arena)
{
	const size_t elements = (size_t)samples->rows * samples->columns * samples->channels;
	float *sums = ESPL_ARRAY(arena, float, tally->samples);
	const int *order;

	for (int i = 0; i < tally->samples; i++) {
		uint64_t sum = 0;

		for (size_t k = 0; k < elements; k++)
			sum += samples->bytes[i * elements + k];
		sums[i] = (float)sum;
	}
	order = espl_least(sums, tally->samples, tally->samples, arena);
	tally->brightness = ESPL_ARRAY(arena, uint8_t, tally->samples);
	for (int i = 0; i < tally->samples; i++) {
		const int part = (int)((int64_t)i * ESPL_BRIGHTNESS_PARTS / tally->samples);

		tally->brightness[order[i]] = (uint8_t)part;
		tally->brightness_samples[part]++;
	}
}

void espl_tally_begin(espl_tally *tally, const espl_samples *samples, int count, espl_arena *arena)
{
	*tally = (espl_tally){.samples = count,
	                      .classes = samples->classes,
	                      .labels = samples->labels,
	                      .class_samples = ESPL_ARRAY(arena, int, samples->classes)};
	for (espl_role role = 0; role < ESPL_ROLES; role++) {
		tally->class_right[role] = ESPL_ARRAY(arena, int, samples->classes);
		tally->corrupted_right[role] =
		        ESPL_ARRAY(arena, int, (size_t)ESPL_CORRUPTIONS * samples->classes);
	}
	for (int i = 0; i < count; i++)
		tally->class_samples[samples->labels[i]]++;
	if (samples->bytes)
		rank_brightness(tally, samples, arena);
}

void espl_tally_clean(espl_tally *tally, espl_role role, const bool *right)
{
	for (int i = 0; i < tally->samples; i++) {
		tally->class_right[role][tally->labels[i]] += right[i];
		if (tally->brightness)
			tally->brightness_right[role][tally->brightness[i]] += right[i];
	}
}

void espl_tally_corrupted(espl_tally *tally, espl_role role, espl_corruption kind,
                          const uint8_t *labels, const uint8_t *answers, int count)
{
	int *right = tally->corrupted_right[role] + (size_t)kind * tally->classes;

	tally->corrupted = true;
	for (int i = 0; i < count; i++)
		right[labels[i]] += answers[i] == labels[i];
}

static double share(int right, int samples)
{
	return samples ? (double)right / samples : NAN;
}

double espl_tally_recall(const espl_tally *tally, espl_role role, int class_number)
{
	return share(tally->class_right[role][class_number], tally->class_samples[class_number]);
}

double espl_tally_brightness(const espl_tally *tally, espl_role role, int part)
{
	return share(tally->brightness_right[role][part], tally->brightness_samples[part]);
}

/* How many slices there are, numbered: classes, brightness, classes under corruption. */
static int slice_count(const espl_tally *tally)
{
	return tally->classes + ESPL_BRIGHTNESS_PARTS +
	       (tally->corrupted ? ESPL_CORRUPTIONS * tally->classes : 0);
}

static int slice_samples(const espl_tally *tally, int slice)
{
	if (slice < tally->classes)
		return tally->class_samples[slice];
	slice -= tally->classes;
	if (slice < ESPL_BRIGHTNESS_PARTS)
		return tally->brightness_samples[slice];
	slice -= ESPL_BRIGHTNESS_PARTS;
	return ESPL_STRENGTHS * tally->class_samples[slice % tally->classes];
}

static double slice_accuracy(const espl_tally *tally, espl_role role, int slice)
{
	const int samples = slice_samples(tally, slice);

	if (slice < tally->classes)
		return share(tally->class_right[role][slice], samples);
	slice -= tally->classes;
	if (slice < ESPL_BRIGHTNESS_PARTS)
		return share(tally->brightness_right[role][slice], samples);
	return share(tally->corrupted_right[role][slice - ESPL_BRIGHTNESS_PARTS], samples);
}

static const char *slice_name(const espl_tally *tally, int slice, espl_arena *arena)
{
	static const char *const parts[ESPL_BRIGHTNESS_PARTS] = {"darkest", "second darkest",
	                                                         "second lightest", "lightest"};

	if (slice < tally->classes)
		return espl_arena_format(arena, "class %d", slice);
	slice -= tally->classes;
	if (slice < ESPL_BRIGHTNESS_PARTS)
		return espl_arena_format(arena, "%s quarter", parts[slice]);
	slice -= ESPL_BRIGHTNESS_PARTS;
	return espl_arena_format(arena, "class %d under %s", slice % tally->classes,
	                         espl_corruption_name((espl_corruption)(slice / tally->classes)));
}

static espl_slice describe(const espl_tally *tally, espl_role role, int slice, espl_arena *arena)
{
	if (slice < 0)
		return (espl_slice){NULL, 0, NAN};
	return (espl_slice){slice_name(tally, slice, arena), slice_samples(tally, slice),
	                    slice_accuracy(tally, role, slice)};
}

espl_slice espl_tally_worst(const espl_tally *tally, espl_role role, espl_arena *arena)
{
	double least = INFINITY;
	int worst = -1;

	for (int i = 0; i < slice_count(tally); i++)
		if (slice_samples(tally, i) >= ESPL_SLICE_LEAST &&
		    slice_accuracy(tally, role, i) < least) {
			least = slice_accuracy(tally, role, i);
			worst = i;
		}
	return describe(tally, role, worst, arena);
}

espl_slice espl_tally_worst_drop(const espl_tally *tally, espl_role role, espl_role other,
                                 espl_arena *arena, double *drop)
{
	int worst = -1;

	*drop = -INFINITY;
	for (int i = 0; i < slice_count(tally); i++) {
		const double lost =
		        slice_accuracy(tally, other, i) - slice_accuracy(tally, role, i);

		if (slice_samples(tally, i) >= ESPL_SLICE_LEAST && lost > *drop) {
			*drop = lost;
			worst = i;
		}
	}
	return describe(tally, role, worst, arena);
}
