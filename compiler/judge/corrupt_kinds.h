/* The kernels of the corruptions, private to judge/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lengths are in 28ths of the shorter side, so that strengths mean the same on larger images.
 */
#ifndef ESPL_JUDGE_CORRUPT_KINDS_H
#define ESPL_JUDGE_CORRUPT_KINDS_H

#include "judge/corrupt.h"

typedef struct {
	const espl_corruptor *of;
	int rows, columns, channels;
	int side; /* the shorter one */
	const uint8_t *in;
	uint8_t *out;
	uint8_t *scratch; /* as large as the image */
	int strength;     /* 0..4 */
	espl_random random;
} espl_picture;

/* corrupt_noise.c */
void espl_corrupt_shot_noise(espl_picture *picture);
void espl_corrupt_impulse_noise(espl_picture *picture);
/* The chances of Poisson's distribution for espl_corruptor.photons. */
void espl_fill_photons(uint32_t *photons);
/* corrupt_blur.c */
void espl_corrupt_glass_blur(espl_picture *picture);
void espl_corrupt_motion_blur(espl_picture *picture);
/* corrupt_shape.c */
void espl_corrupt_shear(espl_picture *picture);
void espl_corrupt_scale(espl_picture *picture);
void espl_corrupt_rotate(espl_picture *picture);
void espl_corrupt_translate(espl_picture *picture);
/* corrupt_light.c */
void espl_corrupt_brightness(espl_picture *picture);
void espl_corrupt_contrast(espl_picture *picture);
void espl_corrupt_fog(espl_picture *picture);
/* corrupt_cover.c */
void espl_corrupt_spatter(espl_picture *picture);
void espl_corrupt_stripe(espl_picture *picture);
void espl_corrupt_dotted_line(espl_picture *picture);
void espl_corrupt_zigzag(espl_picture *picture);

/* One of -1 and 1. */
int espl_random_sign(espl_random *random);

/* Fills a map of [rows][columns] with smooth random bytes: random values at the corners of
 * 2, 4, 8 and 16 squares a side, bilinear between, the coarsest weighing most. */
void espl_random_clouds(espl_random *random, int rows, int columns, uint8_t *map);

static inline uint8_t espl_to_byte(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* The pixel values of the image, one after another. */
static inline int espl_picture_bytes(const espl_picture *picture)
{
	return picture->rows * picture->columns * picture->channels;
}

#endif
