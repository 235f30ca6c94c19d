/* Parts of the test set, and who answers how much of them; private to judge/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The slices: each class, each quarter of the images by brightness, and each class under each kind
 * of corruption, its five strengths together.
 */
#ifndef ESPL_JUDGE_SLICES_H
#define ESPL_JUDGE_SLICES_H

#include "data/data.h"
#include "judge/judge.h"

/* Slices of fewer samples say too little to be the worst. */
enum { ESPL_SLICE_LEAST = 10 };

typedef struct {
	int samples, classes;
	const uint8_t *labels;
	int *class_samples;  /* [classes] */
	uint8_t *brightness; /* [samples]: its quarter, 0 the darkest; NULL: no images */
	int brightness_samples[ESPL_BRIGHTNESS_PARTS];
	bool corrupted; /* espl_tally_corrupted was called */
	/* right answers */
	int *class_right[ESPL_ROLES]; /* [classes] */
	int brightness_right[ESPL_ROLES][ESPL_BRIGHTNESS_PARTS];
	int *corrupted_right[ESPL_ROLES]; /* [ESPL_CORRUPTIONS][classes] */
} espl_tally;

/* Of the first `count` samples. */
void espl_tally_begin(espl_tally *tally, const espl_samples *samples, int count, espl_arena *arena);

void espl_tally_clean(espl_tally *tally, espl_role role, const bool *right);
/* Some samples of a kind; in the end every sample at every strength. */
void espl_tally_corrupted(espl_tally *tally, espl_role role, espl_corruption kind,
                          const uint8_t *labels, const uint8_t *answers, int count);

/* NAN where there is no sample. */
double espl_tally_recall(const espl_tally *tally, espl_role role, int class_number);
double espl_tally_brightness(const espl_tally *tally, espl_role role, int part);

/* The slice with the least accuracy, the first of equals; its name in `arena`. */
espl_slice espl_tally_worst(const espl_tally *tally, espl_role role, espl_arena *arena);
/* The slice in which `role` loses most against `other`. */
espl_slice espl_tally_worst_drop(const espl_tally *tally, espl_role role, espl_role other,
                                 espl_arena *arena, double *drop);

#endif
