/* Convolutions and dense layers as matrix products; the only user of BLAS.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Samples are [rows][columns][channels], so that a row of the matrix (im2col) is made of runs of
 * channels, weights are used as they lie, and a 1 x 1 convolution needs no matrix at all. The
 * matrix is made in blocks of positions that stay in the second-level cache.
 */
#include "math/kernels.h"

#include <cblas.h>
#include <string.h>

enum {
	BLOCK_FLOATS = 24 * 1024, /* of the matrix at a time */
	LEAST_POSITIONS = 96,  /* but so many rows, as BLAS packs the weights for each block ... */
	MOST_FLOATS = 1 << 20, /* ... while they are no more than this */
	SHORT_RUN = 8,         /* below it, a loop is quicker than memcpy */
};

void espl_kernels_start(void)
{
	openblas_set_num_threads(1);
}

void espl_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc)
{
	cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
	            transpose_b ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a, lda, b, ldb, beta, c,
	            ldc);
}

static int matrix_columns(const espl_window *w)
{
	return w->kernel_rows * w->kernel_columns * (w->channels / w->groups);
}

/* Positions of the output that are treated at a time. */
static int block_positions(const espl_window *w)
{
	const int columns = matrix_columns(w), positions = BLOCK_FLOATS / columns;

	if (positions >= LEAST_POSITIONS)
		return positions;
	return columns > MOST_FLOATS / LEAST_POSITIONS ? MOST_FLOATS / columns + 1
	                                               : LEAST_POSITIONS;
}

size_t espl_conv_scratch(const espl_window *w)
{
	return (size_t)block_positions(w) * (size_t)matrix_columns(w);
}

/* Whether the input itself is the matrix. */
static bool is_pointwise(const espl_window *w)
{
	return w->kernel_rows == 1 && w->kernel_columns == 1 && w->stride_rows == 1 &&
	       w->stride_columns == 1 && !w->pad_top && !w->pad_left && w->out_rows == w->rows &&
	       w->out_columns == w->columns;
}

static void copy_run(float *to, const float *from, int count)
{
	if (count >= SHORT_RUN) {
		memcpy(to, from, (size_t)count * sizeof(*to));
		return;
	}
	if (count == 3) { /* 3 x 3 on one channel, as first layers are: worth no loop */
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		return;
	}
	for (int i = 0; i < count; i++)
		to[i] = from[i];
}

static void zero_run(float *to, int count)
{
	if (count >= SHORT_RUN) {
		memset(to, 0, (size_t)count * sizeof(*to));
		return;
	}
	for (int i = 0; i < count; i++)
		to[i] = 0;
}

static void add_run(float *to, const float *from, int count)
{
	for (int i = 0; i < count; i++)
		to[i] += from[i];
}

/* An output position: where its taps begin in its sample, and which taps of a kernel's row lie
 * inside the image: [first, last). */
struct place {
	int sample, out_row, out_column;
	int row, column, first, last;
};

static void find_taps(const espl_window *w, struct place *at)
{
	at->row = at->out_row * w->stride_rows - w->pad_top;
	at->column = at->out_column * w->stride_columns - w->pad_left;
	at->first = 0;
	at->last = w->kernel_columns;
	while (at->first < at->last && at->column + at->first * w->dilation_columns < 0)
		at->first++;
	while (at->last > at->first &&
	       at->column + (at->last - 1) * w->dilation_columns >= w->columns)
		at->last--;
}

static struct place first_place(const espl_window *w, long position)
{
	const long positions = (long)w->out_rows * w->out_columns;
	struct place at = {.sample = (int)(position / positions),
	                   .out_row = (int)(position % positions / w->out_columns),
	                   .out_column = (int)(position % w->out_columns)};

	find_taps(w, &at);
	return at;
}

static void next_place(const espl_window *w, struct place *at)
{
	if (++at->out_column == w->out_columns) {
		at->out_column = 0;
		if (++at->out_row == w->out_rows) {
			at->out_row = 0;
			at->sample++;
		}
	}
	find_taps(w, at);
}

/* Copies the taps of one kernel row; `x` is the first channel of the image's row. */
static void gather_taps(const espl_window *w, const float *x, const struct place *at, int depth,
                        float *to)
{
	if (at->first)
		zero_run(to, at->first * depth);
	if (w->dilation_columns == 1 && depth == w->channels) {
		copy_run(to + at->first * depth, x + (at->column + at->first) * depth,
		         (at->last - at->first) * depth);
	} else {
		for (int t = at->first; t < at->last; t++)
			copy_run(to + t * depth,
			         x + (at->column + t * w->dilation_columns) * w->channels, depth);
	}
	if (at->last < w->kernel_columns)
		zero_run(to + at->last * depth, (w->kernel_columns - at->last) * depth);
}

static void scatter_taps(const espl_window *w, const float *from, const struct place *at, int depth,
                         float *x)
{
	if (w->dilation_columns == 1 && depth == w->channels) {
		add_run(x + (at->column + at->first) * depth, from + at->first * depth,
		        (at->last - at->first) * depth);
		return;
	}
	for (int t = at->first; t < at->last; t++)
		add_run(x + (at->column + t * w->dilation_columns) * w->channels, from + t * depth,
		        depth);
}

/* Fills the matrix's rows for output positions [first, first + count) of all samples. */
static void gather(const espl_window *w, const float *x, int group, long first, int count,
                   float *matrix)
{
	const int depth = w->channels / w->groups, run = w->kernel_columns * depth;
	const size_t sample = (size_t)w->rows * (size_t)w->columns * (size_t)w->channels;
	struct place at = first_place(w, first);

	for (int p = 0; p < count; p++, next_place(w, &at)) {
		const float *image = x + (size_t)at.sample * sample + group * depth;

		for (int k = 0; k < w->kernel_rows; k++, matrix += run) {
			const int row = at.row + k * w->dilation_rows;

			if (row < 0 || row >= w->rows)
				zero_run(matrix, run);
			else
				gather_taps(w, image + (size_t)row * w->columns * w->channels, &at,
				            depth, matrix);
		}
	}
}

/* Adds the matrix's rows to where they were gathered from. */
static void scatter(const espl_window *w, const float *matrix, int group, long first, int count,
                    float *x)
{
	const int depth = w->channels / w->groups, run = w->kernel_columns * depth;
	const size_t sample = (size_t)w->rows * (size_t)w->columns * (size_t)w->channels;
	struct place at = first_place(w, first);

	for (int p = 0; p < count; p++, next_place(w, &at)) {
		float *image = x + (size_t)at.sample * sample + group * depth;

		for (int k = 0; k < w->kernel_rows; k++, matrix += run) {
			const int row = at.row + k * w->dilation_rows;

			if (row >= 0 && row < w->rows)
				scatter_taps(w, matrix, &at, depth,
				             image + (size_t)row * w->columns * w->channels);
		}
	}
}

static void set_bias(int channels, long positions, const float *bias, float *y)
{
	for (long p = 0; p < positions; p++)
		copy_run(y + p * channels, bias, channels);
}

/* The matrix's rows for those positions, in x itself for a pointwise convolution, else in scratch.
 *   out  *stride from one row to the next */
static const float *rows_of(const espl_window *w, const float *x, int group, long first, int count,
                            float *scratch, int *stride)
{
	const int columns = matrix_columns(w);

	if (is_pointwise(w)) {
		*stride = w->channels;
		return x + first * w->channels + group * columns;
	}
	gather(w, x, group, first, count, scratch);
	*stride = columns;
	return scratch;
}

void espl_conv_forward(const espl_window *w, int count, const float *x, const float *weights,
                       const float *bias, float *y, float *scratch)
{
	const long positions = (long)count * w->out_rows * w->out_columns;
	const int columns = matrix_columns(w), out = w->out_channels / w->groups;
	const int block = block_positions(w);

	if (bias)
		set_bias(w->out_channels, positions, bias, y);
	for (int g = 0; g < w->groups; g++) {
		const float *of_group = weights + (size_t)g * out * columns;

		for (long p = 0; p < positions; p += block) {
			const int rows = (int)(positions - p < block ? positions - p : block);
			int stride;
			const float *matrix = rows_of(w, x, g, p, rows, scratch, &stride);

			espl_gemm(false, true, rows, out, columns, matrix, stride, of_group,
			          columns, bias ? 1.0f : 0.0f, y + p * w->out_channels + g * out,
			          w->out_channels);
		}
	}
}

void espl_conv_backward_weights(const espl_window *w, int count, const float *x, const float *dy,
                                float *dweights, float *scratch)
{
	const long positions = (long)count * w->out_rows * w->out_columns;
	const int columns = matrix_columns(w), out = w->out_channels / w->groups;
	const int block = block_positions(w);

	for (int g = 0; g < w->groups; g++) {
		for (long p = 0; p < positions; p += block) {
			const int rows = (int)(positions - p < block ? positions - p : block);
			int stride;
			const float *matrix = rows_of(w, x, g, p, rows, scratch, &stride);

			espl_gemm(true, false, out, columns, rows,
			          dy + p * w->out_channels + g * out, w->out_channels, matrix,
			          stride, 1.0f, dweights + (size_t)g * out * columns, columns);
		}
	}
}

void espl_conv_backward_input(const espl_window *w, int count, const float *weights,
                              const float *dy, float *dx, bool add, float *scratch)
{
	const long positions = (long)count * w->out_rows * w->out_columns;
	const int columns = matrix_columns(w), out = w->out_channels / w->groups;
	const int block = block_positions(w);
	const bool pointwise = is_pointwise(w);

	if (!add && !pointwise)
		memset(dx, 0,
		       (size_t)count * w->rows * w->columns * (size_t)w->channels * sizeof(*dx));
	for (int g = 0; g < w->groups; g++) {
		const float *of_group = weights + (size_t)g * out * columns;

		for (long p = 0; p < positions; p += block) {
			const int rows = (int)(positions - p < block ? positions - p : block);
			const float *from = dy + p * w->out_channels + g * out;

			if (pointwise) {
				espl_gemm(false, false, rows, columns, out, from, w->out_channels,
				          of_group, columns, add ? 1.0f : 0.0f,
				          dx + p * w->channels + g * columns, w->channels);
				continue;
			}
			espl_gemm(false, false, rows, columns, out, from, w->out_channels, of_group,
			          columns, 0.0f, scratch, columns);
			scatter(w, scratch, g, p, rows, dx);
		}
	}
}

void espl_dense_forward(int in, int out, int count, const float *x, const float *weights,
                        const float *bias, float *y)
{
	if (bias)
		set_bias(out, count, bias, y);
	espl_gemm(false, true, count, out, in, x, in, weights, in, bias ? 1.0f : 0.0f, y, out);
}

void espl_dense_backward_weights(int in, int out, int count, const float *x, const float *dy,
                                 float *dweights)
{
	espl_gemm(true, false, out, in, count, dy, out, x, in, 1.0f, dweights, in);
}

void espl_dense_backward_input(int in, int out, int count, const float *weights, const float *dy,
                               float *dx, bool add)
{
	espl_gemm(false, false, count, in, out, dy, out, weights, in, add ? 1.0f : 0.0f, dx, in);
}
