/* What runs over channels and elements: batch normalization, clips, sums, quantizers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/kernels.h"
#include "math/simd.h"

#include <math.h>
#include <string.h>

/* sums[c] = the sum over positions, in float: for blocks that are not long. */
ESPL_SIMD
static void block_sums(int channels, size_t positions, const float *x, float *restrict sums)
{
	size_t p = 0;

	memset(sums, 0, (size_t)channels * sizeof(*sums));
	for (; p + 4 <= positions; p += 4, x += 4 * (size_t)channels) {
		const float *b = x + channels, *c = b + channels, *d = c + channels;

		for (int i = 0; i < channels; i++)
			sums[i] += (x[i] + b[i]) + (c[i] + d[i]);
	}
	for (; p < positions; p++, x += channels)
		for (int i = 0; i < channels; i++)
			sums[i] += x[i];
}

enum { BLOCK = 512, CHANNELS_AT_A_TIME = 256 };

/* A block of positions is at most BLOCK long, so that float sums stay exact enough; channels in
 * portions that a stack array holds. */
void espl_channel_sums(int channels, size_t positions, const float *x, double *sums)
{
	float part[CHANNELS_AT_A_TIME];

	if (channels > CHANNELS_AT_A_TIME) {
		for (size_t p = 0; p < positions; p++)
			for (int c = 0; c < channels; c++)
				sums[c] += (double)x[p * (size_t)channels + (size_t)c];
		return;
	}
	for (size_t p = 0; p < positions; p += BLOCK) {
		const size_t rest = positions - p < BLOCK ? positions - p : BLOCK;

		block_sums(channels, rest, x + p * (size_t)channels, part);
		for (int c = 0; c < channels; c++)
			sums[c] += (double)part[c];
	}
}

ESPL_SIMD
static void block_squares(int channels, size_t positions, const float *x, const float *means,
                          float *restrict squares)
{
	size_t p = 0;

	memset(squares, 0, (size_t)channels * sizeof(*squares));
	for (; p + 2 <= positions; p += 2, x += 2 * (size_t)channels) {
		const float *b = x + channels;

		for (int i = 0; i < channels; i++) {
			const float d = x[i] - means[i], e = b[i] - means[i];

			squares[i] += d * d + e * e;
		}
	}
	for (; p < positions; p++, x += channels)
		for (int i = 0; i < channels; i++)
			squares[i] += (x[i] - means[i]) * (x[i] - means[i]);
}

void espl_channel_moments(int channels, size_t positions, const float *x, float *means,
                          float *squares)
{
	block_sums(channels, positions, x, means);
	for (int c = 0; c < channels; c++)
		means[c] /= (float)positions;
	block_squares(channels, positions, x, means, squares);
}

ESPL_SIMD
static void scale_shift(int channels, size_t positions, const float *x, const float *scale,
                        const float *shift, float *restrict y)
{
	for (size_t p = 0; p < positions; p++, x += channels, y += channels)
		for (int c = 0; c < channels; c++)
			y[c] = x[c] * scale[c] + shift[c];
}

ESPL_SIMD
static void scale_shift_clip(int channels, size_t positions, const float *x, const float *scale,
                             const float *shift, float low, float high, float *restrict y)
{
	for (size_t p = 0; p < positions; p++, x += channels, y += channels) {
		for (int c = 0; c < channels; c++) {
			float value = x[c] * scale[c] + shift[c];

			value = value < low ? low : value;
			y[c] = value > high ? high : value;
		}
	}
}

void espl_scale_shift(int channels, size_t positions, const float *x, const float *scale,
                      const float *shift, float low, float high, float *y)
{
	if (low > -INFINITY || high < INFINITY)
		scale_shift_clip(channels, positions, x, scale, shift, low, high, y);
	else
		scale_shift(channels, positions, x, scale, shift, y);
}

/* What of dy passes a clip behind y = scale * x + shift: no branch, so that it is vectorized. */
static inline float passed(float x, float scale, float shift, float low, float high, float dy)
{
	const float y = x * scale + shift, below = y < high ? dy : 0;

	return y > low ? below : 0;
}

ESPL_SIMD
static void block_norm_sums(int channels, size_t positions, const espl_norm_clip *clip,
                            const float *x, const float *dy, const float *mean, float *restrict sum,
                            float *restrict product)
{
	const float *scale = clip->scale, *shift = clip->shift;
	const float low = clip->low, high = clip->high;

	for (size_t p = 0; p < positions; p++, x += channels, dy += channels) {
		for (int c = 0; c < channels; c++) {
			const float d = passed(x[c], scale[c], shift[c], low, high, dy[c]);

			sum[c] += d;
			product[c] += d * (x[c] - mean[c]);
		}
	}
}

/* Of one position, for more channels than a stack array holds. */
static void position_norm_sums(int channels, const espl_norm_clip *clip, const float *x,
                               const float *dy, const float *mean, double *sum, double *product)
{
	for (int c = 0; c < channels; c++) {
		const float d =
		        passed(x[c], clip->scale[c], clip->shift[c], clip->low, clip->high, dy[c]);

		sum[c] += (double)d;
		product[c] += (double)(d * (x[c] - mean[c]));
	}
}

void espl_norm_sums(int channels, size_t positions, const espl_norm_clip *clip, const float *x,
                    const float *dy, const float *mean, double *sum, double *product)
{
	float sums[CHANNELS_AT_A_TIME], products[CHANNELS_AT_A_TIME];

	for (size_t p = 0; channels > CHANNELS_AT_A_TIME && p < positions; p++)
		position_norm_sums(channels, clip, x + p * (size_t)channels,
		                   dy + p * (size_t)channels, mean, sum, product);
	for (size_t p = 0; channels <= CHANNELS_AT_A_TIME && p < positions; p += BLOCK) {
		const size_t rest = positions - p < BLOCK ? positions - p : BLOCK;

		memset(sums, 0, sizeof(sums));
		memset(products, 0, sizeof(products));
		block_norm_sums(channels, rest, clip, x + p * (size_t)channels,
		                dy + p * (size_t)channels, mean, sums, products);
		for (int c = 0; c < channels; c++) {
			sum[c] += (double)sums[c];
			product[c] += (double)products[c];
		}
	}
}

ESPL_SIMD
static void norm_backward(int channels, size_t positions, const espl_norm_clip *clip,
                          const float *x, const float *dy, const float *a, const float *b,
                          const float *c, float *restrict dx)
{
	const float *scale = clip->scale, *shift = clip->shift;
	const float low = clip->low, high = clip->high;

	for (size_t p = 0; p < positions; p++, x += channels, dy += channels, dx += channels) {
		for (int i = 0; i < channels; i++) {
			const float d = passed(x[i], scale[i], shift[i], low, high, dy[i]);

			dx[i] = a[i] * d + (b[i] * x[i] + c[i]);
		}
	}
}

ESPL_SIMD
static void norm_backward_add(int channels, size_t positions, const espl_norm_clip *clip,
                              const float *x, const float *dy, const float *a, const float *b,
                              const float *c, float *restrict dx)
{
	const float *scale = clip->scale, *shift = clip->shift;
	const float low = clip->low, high = clip->high;

	for (size_t p = 0; p < positions; p++, x += channels, dy += channels, dx += channels) {
		for (int i = 0; i < channels; i++) {
			const float d = passed(x[i], scale[i], shift[i], low, high, dy[i]);

			dx[i] += a[i] * d + (b[i] * x[i] + c[i]);
		}
	}
}

void espl_norm_backward(int channels, size_t positions, const espl_norm_clip *clip, const float *x,
                        const float *dy, const float *a, const float *b, const float *c, float *dx,
                        bool add)
{
	if (add)
		norm_backward_add(channels, positions, clip, x, dy, a, b, c, dx);
	else
		norm_backward(channels, positions, clip, x, dy, a, b, c, dx);
}

ESPL_SIMD
static void clip_backward(size_t count, const float *y, float low, float high, const float *dy,
                          float *dx)
{
	for (size_t i = 0; i < count; i++) {
		const float passed = y[i] < high ? dy[i] : 0;

		dx[i] = y[i] > low ? passed : 0;
	}
}

ESPL_SIMD
static void clip_backward_add(size_t count, const float *y, float low, float high, const float *dy,
                              float *dx)
{
	for (size_t i = 0; i < count; i++) {
		const float passed = y[i] < high ? dy[i] : 0;

		dx[i] += y[i] > low ? passed : 0;
	}
}

void espl_clip_backward(size_t count, const float *y, float low, float high, const float *dy,
                        float *dx, bool add)
{
	if (add)
		clip_backward_add(count, y, low, high, dy, dx);
	else
		clip_backward(count, y, low, high, dy, dx);
}

ESPL_SIMD
void espl_add(size_t count, const float *a, const float *b, float *y)
{
	for (size_t i = 0; i < count; i++)
		y[i] = a[i] + b[i];
}

ESPL_SIMD
void espl_accumulate(size_t count, const float *x, float *sum)
{
	for (size_t i = 0; i < count; i++)
		sum[i] += x[i];
}

ESPL_SIMD
void espl_add_channels(int channels, size_t positions, const float *a, const float *b, float *y)
{
	for (size_t p = 0; p < positions; p++, a += channels, y += channels)
		for (int c = 0; c < channels; c++)
			y[c] = a[c] + b[c];
}

ESPL_SIMD
void espl_fake_quantize(size_t count, const float *x, float step, float low, float high, float *y)
{
	for (size_t i = 0; i < count; i++) {
		float stored = floorf(x[i] / step + 0.5f);

		stored = stored < low ? low : stored;
		stored = stored > high ? high : stored;
		y[i] = stored * step;
	}
}

enum { LANES = 16 };

ESPL_SIMD
static float quantize_backward(size_t count, const float *x, float step, float low, float high,
                               const float *dy, float *dx)
{
	float sums[LANES] = {0}, total = 0;
	size_t i = 0;

	for (; i + LANES <= count; i += LANES) {
		for (int l = 0; l < LANES; l++) {
			const float exact = x[i + l] / step, rounded = floorf(exact + 0.5f);
			const float capped = rounded < low ? low : rounded > high ? high : rounded;
			const bool inside = rounded >= low && rounded <= high;
			const float slope = capped - (inside ? exact : 0);

			sums[l] += dy[i + l] * slope;
			dx[i + l] = inside ? dy[i + l] : 0;
		}
	}
	for (; i < count; i++) {
		const float exact = x[i] / step, rounded = floorf(exact + 0.5f);
		const float capped = rounded < low ? low : rounded > high ? high : rounded;
		const bool inside = rounded >= low && rounded <= high;

		total += dy[i] * (capped - (inside ? exact : 0));
		dx[i] = inside ? dy[i] : 0;
	}
	for (int l = 0; l < LANES; l++)
		total += sums[l];
	return total;
}

double espl_fake_quantize_backward(size_t count, const float *x, float step, float low, float high,
                                   const float *dy, float *dx)
{
	double total = 0;

	for (size_t i = 0; i < count; i += 16 * BLOCK) {
		const size_t rest = count - i < 16 * BLOCK ? count - i : 16 * BLOCK;

		total += (double)quantize_backward(rest, x + i, step, low, high, dy + i, dx + i);
	}
	return total;
}
