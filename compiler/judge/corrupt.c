/* The corruptions by their names, and what several of them share.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/corrupt.h"

#include "judge/corrupt_kinds.h"

#include <assert.h>

static const struct {
	const char *name;
	void (*corrupt)(espl_picture *);
} kinds[] = {
#define X(name, function) {#function, espl_corrupt_##function},
        ESPL_CORRUPTION_LIST(X)
#undef X
};

const char *espl_corruption_name(espl_corruption kind)
{
	return kind < ESPL_CORRUPTIONS ? kinds[kind].name : "?";
}

const espl_corruptor *espl_corruptor_create(int rows, int columns, int channels, uint32_t seed,
                                            espl_arena *arena)
{
	espl_corruptor *result = ESPL_NEW(arena, espl_corruptor);

	assert(rows >= 1 && columns >= 1 && channels >= 1);
	*result = (espl_corruptor){rows, columns, channels, seed, NULL};
	result->photons = ESPL_ARRAY(arena, uint32_t, (size_t)ESPL_STRENGTHS * 256 * ESPL_PHOTONS);
	espl_fill_photons(result->photons);
	return result;
}

size_t espl_corrupt_scratch(const espl_corruptor *corruptor)
{
	return (size_t)corruptor->rows * corruptor->columns * corruptor->channels;
}

void espl_corrupt(const espl_corruptor *of, espl_corruption kind, int strength, int index,
                  const uint8_t *in, uint8_t *out, void *scratch)
{
	espl_picture picture = {
	        .of = of,
	        .rows = of->rows,
	        .columns = of->columns,
	        .channels = of->channels,
	        .side = of->rows < of->columns ? of->rows : of->columns,
	        .in = in,
	        .out = out,
	        .scratch = scratch,
	        .strength = strength,
	        .random = espl_random_stream(of->seed, (uint32_t)(kind * ESPL_STRENGTHS + strength),
	                                     (uint32_t)index),
	};

	assert(kind < ESPL_CORRUPTIONS && strength >= 0 && strength < ESPL_STRENGTHS && in != out);
	kinds[kind].corrupt(&picture);
}

int espl_random_sign(espl_random *random)
{
	return espl_random_below(random, 2) ? 1 : -1;
}

/* Adds one octave: values of `squares` + 1 corners a side, 8 fractional bits between. */
static void add_octave(espl_random *random, int rows, int columns, int squares, int weight,
                       uint8_t *map)
{
	enum { MOST = 17 };
	int corners[MOST][MOST];

	for (int i = 0; i <= squares; i++)
		for (int j = 0; j <= squares; j++)
			corners[i][j] = (int)(espl_random_next(random) >> 24);
	for (int row = 0; row < rows; row++) {
		const int y = (int)((int64_t)row * squares * 256 / rows), i = y >> 8, v = y & 255;

		for (int column = 0; column < columns; column++) {
			const int x = (int)((int64_t)column * squares * 256 / columns);
			const int j = x >> 8, u = x & 255;
			const int top = corners[i][j] * (256 - u) + corners[i][j + 1] * u;
			const int bottom =
			        corners[i + 1][j] * (256 - u) + corners[i + 1][j + 1] * u;

			*map = (uint8_t)(*map +
			                 (((top * (256 - v) + bottom * v) >> 16) * weight >> 4));
			map++;
		}
	}
}

void espl_random_clouds(espl_random *random, int rows, int columns, uint8_t *map)
{
	for (int i = 0; i < rows * columns; i++)
		map[i] = 0;
	/* weights of 16ths: 8 + 4 + 2 + 1 of 255 stay below 256 */
	for (int octave = 1; octave <= 4; octave++)
		add_octave(random, rows, columns, 1 << octave, 16 >> octave, map);
}
