/* Things in front of an image: blots, a stripe, lines.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/corrupt_kinds.h"

#include <string.h>

static void paint(const espl_picture *p, int row, int column, uint8_t value)
{
	if (row >= 0 && row < p->rows && column >= 0 && column < p->columns)
		memset(p->out + (row * p->columns + column) * p->channels, value,
		       (size_t)p->channels);
}

/* Light blots where the clouds are densest: those that reach the limit. */
void espl_corrupt_spatter(espl_picture *p)
{
	static const int limits[ESPL_STRENGTHS] = {162, 154, 146, 138, 130};
	const int limit = limits[p->strength];

	espl_random_clouds(&p->random, p->rows, p->columns, p->scratch);
	for (int i = 0; i < p->rows * p->columns; i++)
		for (int c = 0; c < p->channels; c++) {
			const uint8_t from = p->in[i * p->channels + c];
			const int light = 200 + (p->scratch[i] - limit);

			p->out[i * p->channels + c] =
			        p->scratch[i] < limit || light < from ? from : espl_to_byte(light);
		}
}

/* A vertical band is inverted, of 2, 4, .. 28ths of the width. */
void espl_corrupt_stripe(espl_picture *p)
{
	const int width = (2 * (p->strength + 1) * p->columns + 27) / 28;
	const int first = (int)espl_random_below(&p->random, (uint32_t)(p->columns - width) + 1);

	memcpy(p->out, p->in, (size_t)espl_picture_bytes(p));
	for (int row = 0; row < p->rows; row++) {
		uint8_t *at = p->out + (row * p->columns + first) * p->channels;

		for (int i = 0; i < width * p->channels; i++)
			at[i] = (uint8_t)(255 - at[i]);
	}
}

typedef struct {
	int row, column;
} place;

static place random_place(espl_picture *p)
{
	place at;

	at.row = (int)espl_random_below(&p->random, (uint32_t)p->rows);
	at.column = (int)espl_random_below(&p->random, (uint32_t)p->columns);
	return at;
}

/* A white line of squares as thick as a 28th of the side; of each `period` steps the first `drawn`
 * are drawn. */
static void draw_line(const espl_picture *p, place from, place to, int drawn, int period)
{
	const int rows = to.row - from.row, columns = to.column - from.column;
	const int height = rows < 0 ? -rows : rows, width = columns < 0 ? -columns : columns;
	const int steps = height > width ? height : width;
	const int thick = (p->side + 27) / 28;

	for (int n = 0; n <= steps; n++) {
		const int row = from.row + (steps ? (2 * n * rows + steps) / (2 * steps) : 0);
		const int column =
		        from.column + (steps ? (2 * n * columns + steps) / (2 * steps) : 0);

		if (n / thick % period >= drawn)
			continue;
		for (int i = 0; i < thick; i++)
			for (int j = 0; j < thick; j++)
				paint(p, row + i, column + j, 255);
	}
}

/* Lines of dots between random places: one more at each strength. */
void espl_corrupt_dotted_line(espl_picture *p)
{
	memcpy(p->out, p->in, (size_t)espl_picture_bytes(p));
	for (int n = 0; n <= p->strength; n++) {
		const place from = random_place(p), to = random_place(p);

		draw_line(p, from, to, 1, 2);
	}
}

/* White polylines from one side to the other, up and down: one more at each strength. */
void espl_corrupt_zigzag(espl_picture *p)
{
	enum { PIECES = 8 };

	memcpy(p->out, p->in, (size_t)espl_picture_bytes(p));
	for (int n = 0; n <= p->strength; n++) {
		const int middle = random_place(p).row, swing = (p->side + 13) / 14;
		place from = {middle - swing, 0};

		for (int i = 1; i <= PIECES; i++) {
			const place to = {middle + (i % 2 ? swing : -swing),
			                  (p->columns - 1) * i / PIECES};

			draw_line(p, from, to, 1, 1);
			from = to;
		}
	}
}
