/* Blurs: frosted glass, and motion along a line.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/corrupt_kinds.h"

#include <string.h>

static int clamp(int value, int most)
{
	return value < 0 ? 0 : value > most ? most : value;
}

/* One pass of (1 2 1) / 4 in each direction; edges repeat. */
static void soften(const espl_picture *p, const uint8_t *from, uint8_t *to)
{
	for (int row = 0; row < p->rows; row++) {
		for (int column = 0; column < p->columns; column++) {
			for (int c = 0; c < p->channels; c++) {
				int sum = 8;

				for (int i = -1; i <= 1; i++)
					for (int j = -1; j <= 1; j++)
						sum += from[(clamp(row + i, p->rows - 1) *
						                     p->columns +
						             clamp(column + j, p->columns - 1)) *
						                    p->channels +
						            c] *
						       (2 - (i != 0)) * (2 - (j != 0));
				*to++ = (uint8_t)(sum / 16);
			}
		}
	}
}

static void exchange(uint8_t *a, uint8_t *b, int count)
{
	for (int i = 0; i < count; i++) {
		const uint8_t kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

/* So many hundredths of the pixels are exchanged with one nearby, one after another, and all is
 * softened. */
void espl_corrupt_glass_blur(espl_picture *p)
{
	static const int reach[ESPL_STRENGTHS] = {1, 1, 1, 2, 2};
	static const uint32_t hundredths[ESPL_STRENGTHS] = {10, 25, 50, 50, 90};
	const int most = (reach[p->strength] * p->side + 27) / 28;
	const uint32_t choices = 2 * (uint32_t)most + 1;

	memcpy(p->scratch, p->in, (size_t)espl_picture_bytes(p));
	for (int i = 0; i < p->rows * p->columns; i++) {
		int row, column;

		if (espl_random_below(&p->random, 100) >= hundredths[p->strength])
			continue;
		row = i / p->columns + (int)espl_random_below(&p->random, choices) - most;
		column = i % p->columns + (int)espl_random_below(&p->random, choices) - most;
		exchange(p->scratch + i * p->channels,
		         p->scratch + (clamp(row, p->rows - 1) * p->columns +
		                       clamp(column, p->columns - 1)) *
		                              p->channels,
		         p->channels);
	}
	soften(p, p->scratch, p->out);
}

/* The average of the pixels on a line through each, in one of 16 directions. */
void espl_corrupt_motion_blur(espl_picture *p)
{
	/* cosine and sine of 0, 11.25, .. degrees, times 256 */
	static const int directions[16][2] = {
	        {256, 0},    {251, 50},   {237, 98},  {213, 142}, {181, 181}, {142, 213},
	        {98, 237},   {50, 251},   {0, 256},   {-50, 251}, {-98, 237}, {-142, 213},
	        {-181, 181}, {-213, 142}, {-237, 98}, {-251, 50},
	};
	static const int lengths[ESPL_STRENGTHS] = {3, 5, 7, 9, 11};
	const int *direction = directions[espl_random_below(&p->random, 16)];
	const int half = lengths[p->strength] * p->side / 56, length = 2 * half + 1;

	memset(p->out, 0, (size_t)espl_picture_bytes(p));
	for (int row = 0; row < p->rows; row++) {
		for (int column = 0; column < p->columns; column++) {
			for (int c = 0; c < p->channels; c++) {
				int sum = length / 2;

				for (int n = -half; n <= half; n++) {
					const int y = row + (n * direction[1] + 128) / 256;
					const int x = column + (n * direction[0] + 128) / 256;

					sum += p->in[(clamp(y, p->rows - 1) * p->columns +
					              clamp(x, p->columns - 1)) *
					                     p->channels +
					             c];
				}
				p->out[(row * p->columns + column) * p->channels + c] =
				        (uint8_t)(sum / length);
			}
		}
	}
}
