/* Fifteen kinds of corruption of images, at five strengths.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The kinds are those of MNIST-C and Fashion-MNIST-C, made anew from integers and a seeded random
 * generator: the same image, seed and index give the same bytes on every machine.
 *   from  Mu and Gilmer, MNIST-C, arXiv 1906.02337; Weiss and Tonella, Fashion-MNIST-C (2022)
 */
#ifndef ESPL_JUDGE_CORRUPT_H
#define ESPL_JUDGE_CORRUPT_H

#include "base/arena.h"
#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

/* X(name, function): in the order of reports. */
#define ESPL_CORRUPTION_LIST(X)                                             \
	X(SHOT_NOISE, shot_noise)       /* photons counted */               \
	X(IMPULSE_NOISE, impulse_noise) /* salt and pepper */               \
	X(GLASS_BLUR, glass_blur)       /* neighbours exchanged, blurred */ \
	X(MOTION_BLUR, motion_blur)     /* averaged along a line */         \
	X(SHEAR, shear)                                                     \
	X(SCALE, scale) /* smaller */                                       \
	X(ROTATE, rotate)                                                   \
	X(TRANSLATE, translate)                                             \
	X(BRIGHTNESS, brightness) /* lighter */                             \
	X(CONTRAST, contrast)     /* less of it */                          \
	X(FOG, fog)                                                         \
	X(SPATTER, spatter)         /* light blots */                       \
	X(STRIPE, stripe)           /* a band inverted */                   \
	X(DOTTED_LINE, dotted_line) /* dots on straight lines */            \
	X(ZIGZAG, zigzag)           /* white polylines */

typedef enum {
#define X(name, function) ESPL_CORRUPTION_##name,
	ESPL_CORRUPTION_LIST(X)
#undef X
	        ESPL_CORRUPTIONS
} espl_corruption;

enum { ESPL_STRENGTHS = 5 };

const char *espl_corruption_name(espl_corruption kind); /* "shot_noise"; never NULL */

/* What all images of a set share; constant once made. */
typedef struct {
	int rows, columns, channels;
	uint32_t seed;
	uint32_t *photons; /* shot noise: [ESPL_STRENGTHS][256][ESPL_PHOTONS], of 2^32: the chance
	                      of at most so many */
} espl_corruptor;

enum { ESPL_PHOTONS = 128 };

/* In `arena`. Any shape of at least one pixel. */
const espl_corruptor *espl_corruptor_create(int rows, int columns, int channels, uint32_t seed,
                                            espl_arena *arena);

/* Bytes of scratch memory that espl_corrupt needs. */
size_t espl_corrupt_scratch(const espl_corruptor *corruptor);

/* Corrupts one image, [rows][columns][channels].
 *   in   strength  0..4, the least first
 *        index     of the image: it decides what is random, with the seed and the kind
 *   out  a picture of its own: `out` is not `in` */
void espl_corrupt(const espl_corruptor *corruptor, espl_corruption kind, int strength, int index,
                  const uint8_t *in, uint8_t *out, void *scratch);

#endif
