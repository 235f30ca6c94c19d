/* Light: brighter, flatter, through fog.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/corrupt_kinds.h"

/* Networks that have only seen black behind things are lost long before a person is: the weakest
 * strengths here are weaker than those of the same name elsewhere. */

/* So many 255ths of white more. */
void espl_corrupt_brightness(espl_picture *p)
{
	static const int steps[ESPL_STRENGTHS] = {6, 12, 24, 48, 96};
	const int more = steps[p->strength], count = espl_picture_bytes(p);

	for (int i = 0; i < count; i++)
		p->out[i] = espl_to_byte(p->in[i] + more);
}

/* Values are drawn to the image's average, to so many hundredths of their distance from it. */
void espl_corrupt_contrast(espl_picture *p)
{
	static const int hundredths[ESPL_STRENGTHS] = {95, 90, 80, 65, 45};
	const int count = espl_picture_bytes(p), keep = hundredths[p->strength];
	int64_t sum = 0;
	int average;

	for (int i = 0; i < count; i++)
		sum += p->in[i];
	average = (int)((sum + count / 2) / count);
	for (int i = 0; i < count; i++)
		p->out[i] = espl_to_byte(average + (p->in[i] - average) * keep / 100);
}

/* Light clouds in front, so many hundredths of what is seen. */
void espl_corrupt_fog(espl_picture *p)
{
	static const int hundredths[ESPL_STRENGTHS] = {4, 8, 16, 32, 56};
	const int share = hundredths[p->strength];

	espl_random_clouds(&p->random, p->rows, p->columns, p->scratch);
	for (int i = 0; i < p->rows * p->columns; i++) {
		const int fog = 64 + p->scratch[i] * 3 / 4;

		for (int c = 0; c < p->channels; c++)
			p->out[i * p->channels + c] = espl_to_byte(
			        (p->in[i * p->channels + c] * (100 - share) + fog * share) / 100);
	}
}
