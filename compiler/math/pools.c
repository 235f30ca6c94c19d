/* Pools and means: vectors run over channels.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/kernels.h"
#include "math/simd.h"

#include <string.h>

/* The part of a window that lies inside the image. */
struct cells {
	int top, bottom, left, right; /* rows [top, bottom), columns [left, right) */
};

static int at_least(int value, int least)
{
	return value < least ? least : value;
}

static int at_most(int value, int most)
{
	return value > most ? most : value;
}

static struct cells cells_of(const espl_window *w, int row, int column)
{
	const int top = row * w->stride_rows - w->pad_top;
	const int left = column * w->stride_columns - w->pad_left;

	return (struct cells){at_least(top, 0), at_most(top + w->kernel_rows, w->rows),
	                      at_least(left, 0), at_most(left + w->kernel_columns, w->columns)};
}

static size_t input_floats(const espl_window *w)
{
	return (size_t)w->rows * w->columns * (size_t)w->channels;
}

static const float *cell(const espl_window *w, const float *x, int row, int column)
{
	return x + ((size_t)row * w->columns + (size_t)column) * (size_t)w->channels;
}

ESPL_SIMD
static void take_greater(int channels, const float *x, float *restrict y)
{
	for (int c = 0; c < channels; c++)
		y[c] = x[c] > y[c] ? x[c] : y[c];
}

ESPL_SIMD
static void add_scaled(int channels, const float *x, float factor, float *restrict y)
{
	for (int c = 0; c < channels; c++)
		y[c] += x[c] * factor;
}

enum { REST = 64 };

/* One cell's share of the gradient: where it holds the maximum, all that is left of it. */
ESPL_SIMD
static void take_rest(int channels, const float *x, const float *y, float *restrict rest,
                      float *restrict dx)
{
	for (int c = 0; c < channels; c++) {
		const float given = x[c] >= y[c] ? rest[c] : 0;

		dx[c] += given;
		rest[c] -= given;
	}
}

/* The gradient of one output position: to the first cell that holds the maximum. */
static void give_to_greatest(const espl_window *w, const struct cells *in, const float *x,
                             const float *y, const float *dy, float *dx)
{
	float rest[REST];

	for (int first = 0; first < w->channels; first += REST) {
		const int count = at_most(w->channels - first, REST);

		memcpy(rest, dy + first, (size_t)count * sizeof(*rest));
		for (int i = in->top; i < in->bottom; i++)
			for (int j = in->left; j < in->right; j++)
				take_rest(count, cell(w, x, i, j) + first, y + first, rest,
				          (float *)cell(w, dx, i, j) + first);
	}
}

/* Whether windows of 2 x 2 cover the image without a rest, as they mostly do. */
static bool is_halving(const espl_window *w)
{
	return w->kernel_rows == 2 && w->kernel_columns == 2 && w->stride_rows == 2 &&
	       w->stride_columns == 2 && !w->pad_top && !w->pad_left &&
	       w->rows == 2 * w->out_rows && w->columns == 2 * w->out_columns;
}

/* A row of 2 x 2 windows; each cell of the input is written once. */
ESPL_SIMD
static void halve_row_backward(int channels, int windows, const float *x, const float *y,
                               const float *dy, size_t row, float *restrict dx)
{
	for (int n = 0; n < windows; n++) {
		const float *right = x + channels, *below = x + row, *last = below + channels;
		float *dright = dx + channels, *dbelow = dx + row, *dlast = dbelow + channels;

		for (int c = 0; c < channels; c++) {
			const float a = x[c] >= y[c] ? dy[c] : 0, after_a = dy[c] - a;
			const float b = right[c] >= y[c] ? after_a : 0, after_b = after_a - b;
			const float d = below[c] >= y[c] ? after_b : 0, after_d = after_b - d;

			dx[c] = a;
			dright[c] = b;
			dbelow[c] = d;
			dlast[c] = last[c] >= y[c] ? after_d : 0;
		}
		x += 2 * channels;
		dx += 2 * channels;
		y += channels;
		dy += channels;
	}
}

ESPL_SIMD
static void halve_row(int channels, int windows, const float *x, size_t row, float *restrict y)
{
	for (int n = 0; n < windows; n++, x += 2 * channels, y += channels) {
		const float *right = x + channels, *below = x + row, *last = below + channels;

		for (int c = 0; c < channels; c++) {
			const float upper = x[c] > right[c] ? x[c] : right[c];
			const float lower = below[c] > last[c] ? below[c] : last[c];

			y[c] = upper > lower ? upper : lower;
		}
	}
}

/* Max pools of 2 x 2, all rows of all samples. */
static void halve(const espl_window *w, int count, const float *x, float *y)
{
	const size_t row = (size_t)w->columns * (size_t)w->channels, out_row = row / 2;

	for (int r = 0; r < count * w->out_rows; r++)
		halve_row(w->channels, w->out_columns, x + 2 * (size_t)r * row, row,
		          y + (size_t)r * out_row);
}

static void halve_backward(const espl_window *w, int count, const float *x, const float *y,
                           const float *dy, float *dx)
{
	const size_t row = (size_t)w->columns * (size_t)w->channels, out_row = row / 2;

	for (int r = 0; r < count * w->out_rows; r++)
		halve_row_backward(w->channels, w->out_columns, x + 2 * (size_t)r * row,
		                   y + (size_t)r * out_row, dy + (size_t)r * out_row, row,
		                   dx + 2 * (size_t)r * row);
}

void espl_max_pool_forward(const espl_window *w, int count, const float *x, float *y)
{
	if (is_halving(w)) {
		halve(w, count, x, y);
		return;
	}
	for (int n = 0; n < count; n++, x += input_floats(w)) {
		for (int r = 0; r < w->out_rows; r++) {
			for (int c = 0; c < w->out_columns; c++, y += w->channels) {
				const struct cells in = cells_of(w, r, c);

				memcpy(y, cell(w, x, in.top, in.left),
				       (size_t)w->channels * sizeof(*y));
				for (int i = in.top; i < in.bottom; i++)
					for (int j = in.left; j < in.right; j++)
						take_greater(w->channels, cell(w, x, i, j), y);
			}
		}
	}
}

void espl_max_pool_backward(const espl_window *w, int count, const float *x, const float *y,
                            const float *dy, float *dx, bool add)
{
	if (is_halving(w) && !add) {
		halve_backward(w, count, x, y, dy, dx);
		return;
	}
	if (!add)
		memset(dx, 0, (size_t)count * input_floats(w) * sizeof(*dx));
	for (int n = 0; n < count; n++, x += input_floats(w), dx += input_floats(w)) {
		for (int r = 0; r < w->out_rows; r++) {
			for (int c = 0; c < w->out_columns; c++) {
				const struct cells in = cells_of(w, r, c);

				give_to_greatest(w, &in, x, y, dy, dx);
				y += w->channels;
				dy += w->channels;
			}
		}
	}
}

static float share(const espl_window *w, const struct cells *in, bool count_pads)
{
	const int cells = count_pads ? w->kernel_rows * w->kernel_columns
	                             : (in->bottom - in->top) * (in->right - in->left);

	return 1.0f / (float)cells;
}

void espl_average_pool_forward(const espl_window *w, bool count_pads, int count, const float *x,
                               float *y)
{
	for (int n = 0; n < count; n++, x += input_floats(w)) {
		for (int r = 0; r < w->out_rows; r++) {
			for (int c = 0; c < w->out_columns; c++, y += w->channels) {
				const struct cells in = cells_of(w, r, c);
				const float factor = share(w, &in, count_pads);

				memset(y, 0, (size_t)w->channels * sizeof(*y));
				for (int i = in.top; i < in.bottom; i++)
					for (int j = in.left; j < in.right; j++)
						add_scaled(w->channels, cell(w, x, i, j), factor,
						           y);
			}
		}
	}
}

void espl_average_pool_backward(const espl_window *w, bool count_pads, int count, const float *dy,
                                float *dx, bool add)
{
	if (!add)
		memset(dx, 0, (size_t)count * input_floats(w) * sizeof(*dx));
	for (int n = 0; n < count; n++, dx += input_floats(w)) {
		for (int r = 0; r < w->out_rows; r++) {
			for (int c = 0; c < w->out_columns; c++, dy += w->channels) {
				const struct cells in = cells_of(w, r, c);
				const float factor = share(w, &in, count_pads);

				for (int i = in.top; i < in.bottom; i++)
					for (int j = in.left; j < in.right; j++)
						add_scaled(w->channels, dy, factor,
						           (float *)cell(w, dx, i, j));
			}
		}
	}
}

void espl_mean_forward(int channels, size_t positions, int count, const float *x, float *y)
{
	for (int n = 0; n < count; n++, y += channels) {
		memset(y, 0, (size_t)channels * sizeof(*y));
		for (size_t p = 0; p < positions; p++, x += channels)
			add_scaled(channels, x, 1, y);
		for (int c = 0; c < channels; c++)
			y[c] /= (float)positions;
	}
}

void espl_mean_backward(int channels, size_t positions, int count, const float *dy, float *dx,
                        bool add)
{
	if (!add)
		memset(dx, 0, (size_t)count * positions * (size_t)channels * sizeof(*dx));
	for (int n = 0; n < count; n++, dy += channels)
		for (size_t p = 0; p < positions; p++, dx += channels)
			add_scaled(channels, dy, 1.0f / (float)positions, dx);
}
