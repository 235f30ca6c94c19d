/* Shears, scales, turns and moves an image; what comes in from outside is black.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each pixel of the result asks where it comes from, in 16 fractional bits, and takes the four
 * pixels around that place by their shares.
 */
#include "judge/corrupt_kinds.h"

enum { ONE = 1 << 16 };

/* from = matrix * (to - center) + center + move; places are (row, column). */
typedef struct {
	int64_t matrix[2][2];
	int64_t move[2];
} mapping;

static int pixel(const espl_picture *p, int64_t row, int64_t column, int channel)
{
	if (row < 0 || row >= p->rows || column < 0 || column >= p->columns)
		return 0;
	return p->in[(row * p->columns + column) * p->channels + channel];
}

/* The value at a place between pixels. */
static uint8_t blend(const espl_picture *p, int64_t y, int64_t x, int channel)
{
	const int64_t row = y >> 16, column = x >> 16; /* floor */
	const int64_t v = (y & (ONE - 1)) >> 8, u = (x & (ONE - 1)) >> 8;
	const int64_t top =
	        pixel(p, row, column, channel) * (256 - u) + pixel(p, row, column + 1, channel) * u;
	const int64_t bottom = pixel(p, row + 1, column, channel) * (256 - u) +
	                       pixel(p, row + 1, column + 1, channel) * u;

	return (uint8_t)((top * (256 - v) + bottom * v + 32768) >> 16);
}

static void map(const espl_picture *p, const mapping *m)
{
	const int64_t middle_row = (int64_t)(p->rows - 1) * ONE / 2;
	const int64_t middle_column = (int64_t)(p->columns - 1) * ONE / 2;
	uint8_t *out = p->out;

	for (int row = 0; row < p->rows; row++) {
		for (int column = 0; column < p->columns; column++) {
			const int64_t dy = row * (int64_t)ONE - middle_row;
			const int64_t dx = column * (int64_t)ONE - middle_column;
			const int64_t y = (m->matrix[0][0] * dy + m->matrix[0][1] * dx) / ONE +
			                  middle_row + m->move[0];
			const int64_t x = (m->matrix[1][0] * dy + m->matrix[1][1] * dx) / ONE +
			                  middle_column + m->move[1];

			for (int c = 0; c < p->channels; c++)
				*out++ = blend(p, y, x, c);
		}
	}
}

/* A row is moved by its distance from the middle, that many hundredths of it. */
void espl_corrupt_shear(espl_picture *p)
{
	static const int hundredths[ESPL_STRENGTHS] = {10, 20, 30, 40, 50};
	const int64_t shear =
	        (int64_t)espl_random_sign(&p->random) * hundredths[p->strength] * ONE / 100;

	map(p, &(mapping){.matrix = {{ONE, 0}, {shear, ONE}}});
}

/* To that many hundredths of the size. */
void espl_corrupt_scale(espl_picture *p)
{
	static const int hundredths[ESPL_STRENGTHS] = {90, 80, 70, 60, 50};
	const int64_t inverse = 100 * (int64_t)ONE / hundredths[p->strength];

	map(p, &(mapping){.matrix = {{inverse, 0}, {0, inverse}}});
}

/* By 10, 20, 30, 40 or 50 degrees to either side. */
void espl_corrupt_rotate(espl_picture *p)
{
	static const int sines[ESPL_STRENGTHS] = {11380, 22415, 32768, 42126, 50203};
	static const int cosines[ESPL_STRENGTHS] = {64540, 61584, 56756, 50203, 42126};
	const int64_t sine = (int64_t)espl_random_sign(&p->random) * sines[p->strength];
	const int64_t cosine = cosines[p->strength];

	map(p, &(mapping){.matrix = {{cosine, sine}, {-sine, cosine}}});
}

/* By so many 28ths of the side, up or down and left or right. */
void espl_corrupt_translate(espl_picture *p)
{
	const int64_t distance = (int64_t)(p->strength + 1) * p->side * ONE / 28;
	mapping m = {.matrix = {{ONE, 0}, {0, ONE}}};

	m.move[0] = espl_random_sign(&p->random) * distance;
	m.move[1] = espl_random_sign(&p->random) * distance;
	map(p, &m);
}
