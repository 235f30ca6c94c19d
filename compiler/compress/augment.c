/* Samples flipped, shifted, erased: by a stream for each sample and epoch.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/random.h"
#include "compress/training.h"

#include <math.h>
#include <string.h>

enum { AUGMENT_STREAM = 0x61756700 };

/* Uniform in 0..1. */
static double uniform(espl_random *random)
{
	return (double)espl_random_next(random) / 4294967296.0;
}

static float pixel(const espl_samples *samples, size_t at)
{
	return samples->bytes ? (float)samples->bytes[at] / 255.0f : samples->floats[at];
}

/* Copies the image, mirrored if asked, moved down and right; zeros come in. */
static void copy_image(const espl_samples *samples, int index, bool mirrored, int down, int right,
                       float *to)
{
	const int rows = samples->rows, columns = samples->columns, channels = samples->channels;
	const size_t begin = (size_t)index * (size_t)rows * (size_t)columns * (size_t)channels;

	for (int r = 0; r < rows; r++) {
		for (int c = 0; c < columns; c++, to += channels) {
			const int row = r - down, shifted = c - right;
			const int column = mirrored ? columns - 1 - shifted : shifted;
			const size_t at = begin + ((size_t)row * (size_t)columns + (size_t)column) *
			                                  (size_t)channels;

			if (row < 0 || row >= rows || column < 0 || column >= columns)
				memset(to, 0, (size_t)channels * sizeof(*to));
			else
				for (int k = 0; k < channels; k++)
					to[k] = pixel(samples, at + (size_t)k);
		}
	}
}

/* Fills a rectangle of 2 to 33 % of the area, of aspect 0.3 to 3.3, with random values.
 *   from  Zhong et al., Random erasing data augmentation, arXiv 1708.04896 */
static void erase(const espl_samples *samples, espl_random *random, float *image)
{
	const int rows = samples->rows, columns = samples->columns, channels = samples->channels;

	for (int tries = 0; tries < 100; tries++) {
		const double area = (0.02 + 0.31 * uniform(random)) * rows * columns;
		const double aspect = 0.3 + 3.0 * uniform(random);
		const int height = (int)(sqrt(area * aspect) + 0.5);
		const int width = (int)(sqrt(area / aspect) + 0.5);
		int top, left;

		if (height < 1 || width < 1 || height >= rows || width >= columns)
			continue;
		top = (int)espl_random_below(random, (uint32_t)(rows - height + 1));
		left = (int)espl_random_below(random, (uint32_t)(columns - width + 1));
		for (int r = top; r < top + height; r++)
			for (int i = left * channels; i < (left + width) * channels; i++)
				image[r * columns * channels + i] = (float)uniform(random);
		return;
	}
}

void espl_augment(const espl_samples *samples, const espl_train_options *options, int index,
                  int epoch, float *to)
{
	espl_random random = espl_random_stream(options->seed, AUGMENT_STREAM + (uint32_t)epoch,
	                                        (uint32_t)index);
	const bool mirrored = options->flip && espl_random_below(&random, 2);
	const uint32_t places = 2 * (uint32_t)options->shift + 1;
	const int down = (int)espl_random_below(&random, places) - options->shift;
	const int right = (int)espl_random_below(&random, places) - options->shift;

	copy_image(samples, index, mirrored, down, right, to);
	if (options->erase > 0 && uniform(&random) < options->erase)
		erase(samples, &random, to);
}
