/* Depthwise convolution: vectors run over channels, taps are summed in registers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/kernels.h"
#include "math/simd.h"

#include <string.h>

enum { LANES = 16 };

/* One tap that lies inside the image: where its input and its weights begin. */
struct tap {
	size_t x, weights;
};

enum { TAPS_MAX = 64 * 64 };

/* The taps of an output position inside the image; x counts from the sample's begin. */
static int find_taps(const espl_window *w, int row, int column, struct tap *taps)
{
	int count = 0;

	for (int i = 0; i < w->kernel_rows; i++) {
		const int r = row * w->stride_rows - w->pad_top + i * w->dilation_rows;

		if (r < 0 || r >= w->rows)
			continue;
		for (int j = 0; j < w->kernel_columns; j++) {
			const int c =
			        column * w->stride_columns - w->pad_left + j * w->dilation_columns;

			if (c < 0 || c >= w->columns)
				continue;
			taps[count].x = ((size_t)r * w->columns + (size_t)c) * (size_t)w->channels;
			taps[count++].weights = ((size_t)i * w->kernel_columns + (size_t)j) *
			                        (size_t)w->out_channels;
		}
	}
	return count;
}

/* One position of all channels; out channel = input channel. */
ESPL_SIMD
static void forward_position(const struct tap *taps, int count, int channels, const float *x,
                             const float *weights, const float *bias, float *y)
{
	int c = 0;

	for (; c + LANES <= channels; c += LANES) {
		float sum[LANES];

		for (int l = 0; l < LANES; l++)
			sum[l] = bias ? bias[c + l] : 0;
		for (int t = 0; t < count; t++) {
			const float *in = x + taps[t].x + c, *by = weights + taps[t].weights + c;

			for (int l = 0; l < LANES; l++)
				sum[l] += in[l] * by[l];
		}
		for (int l = 0; l < LANES; l++)
			y[c + l] = sum[l];
	}
	for (; c < channels; c++) {
		float sum = bias ? bias[c] : 0;

		for (int t = 0; t < count; t++)
			sum += x[taps[t].x + c] * weights[taps[t].weights + c];
		y[c] = sum;
	}
}

/* to[c] += a[c] * b[c] */
ESPL_SIMD
static void multiply_add(int channels, const float *a, const float *b, float *restrict to)
{
	for (int c = 0; c < channels; c++)
		to[c] += a[c] * b[c];
}

static void forward_any(const espl_window *w, const struct tap *taps, int count, const float *x,
                        const float *weights, const float *bias, float *y)
{
	const int multiplier = w->out_channels / w->channels;

	for (int o = 0; o < w->out_channels; o++) {
		float sum = bias ? bias[o] : 0;

		for (int t = 0; t < count; t++)
			sum += x[taps[t].x + o / multiplier] * weights[taps[t].weights + o];
		y[o] = sum;
	}
}

static size_t sample_floats(const espl_window *w)
{
	return (size_t)w->rows * w->columns * (size_t)w->channels;
}

void espl_depthwise_forward(const espl_window *w, int count, const float *x, const float *weights,
                            const float *bias, float *y)
{
	struct tap taps[TAPS_MAX];

	for (int r = 0; r < w->out_rows; r++) {
		for (int c = 0; c < w->out_columns; c++) {
			const int found = find_taps(w, r, c, taps);

			for (int n = 0; n < count; n++) {
				const float *in = x + n * sample_floats(w);
				float *out = y + (((size_t)n * w->out_rows + r) * w->out_columns +
				                  c) * w->out_channels;

				if (w->channels == w->out_channels)
					forward_position(taps, found, w->channels, in, weights,
					                 bias, out);
				else
					forward_any(w, taps, found, in, weights, bias, out);
			}
		}
	}
}

void espl_depthwise_backward_weights(const espl_window *w, int count, const float *x,
                                     const float *dy, float *dweights)
{
	const int multiplier = w->out_channels / w->channels;
	struct tap taps[TAPS_MAX];

	for (int r = 0; r < w->out_rows; r++) {
		for (int c = 0; c < w->out_columns; c++) {
			const int found = find_taps(w, r, c, taps);

			for (int n = 0; n < count; n++) {
				const float *in = x + n * sample_floats(w);
				const float *from =
				        dy + (((size_t)n * w->out_rows + r) * w->out_columns + c) *
				                     w->out_channels;

				for (int t = 0; t < found; t++) {
					float *to = dweights + taps[t].weights;

					if (multiplier == 1)
						multiply_add(w->channels, in + taps[t].x, from, to);
					else
						for (int o = 0; o < w->out_channels; o++)
							to[o] += in[taps[t].x + o / multiplier] *
							         from[o];
				}
			}
		}
	}
}

void espl_depthwise_backward_input(const espl_window *w, int count, const float *weights,
                                   const float *dy, float *dx, bool add)
{
	const int multiplier = w->out_channels / w->channels;
	struct tap taps[TAPS_MAX];

	if (!add)
		memset(dx, 0, (size_t)count * sample_floats(w) * sizeof(*dx));
	for (int r = 0; r < w->out_rows; r++) {
		for (int c = 0; c < w->out_columns; c++) {
			const int found = find_taps(w, r, c, taps);

			for (int n = 0; n < count; n++) {
				float *to = dx + n * sample_floats(w);
				const float *from =
				        dy + (((size_t)n * w->out_rows + r) * w->out_columns + c) *
				                     w->out_channels;

				for (int t = 0; t < found; t++) {
					const float *by = weights + taps[t].weights;

					if (multiplier == 1)
						multiply_add(w->channels, from, by, to + taps[t].x);
					else
						for (int o = 0; o < w->out_channels; o++)
							to[taps[t].x + o / multiplier] +=
							        from[o] * by[o];
				}
			}
		}
	}
}
