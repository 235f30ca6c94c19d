/* Float operators, forward and backward, on samples of [rows][columns][channels].
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each function works on `count` samples one after another and is run by one thread; the caller
 * deals samples to threads. Backward functions add to the gradients of parameters; to the
 * gradient of the input they add when `add` is true, else they overwrite it.
 */
#ifndef ESPL_MATH_KERNELS_H
#define ESPL_MATH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A window that slides over an input: convolutions and pools. */
typedef struct {
	int rows, columns, channels; /* of the input */
	int out_rows, out_columns, out_channels;
	int kernel_rows, kernel_columns;
	int stride_rows, stride_columns;
	int dilation_rows, dilation_columns;
	int pad_top, pad_left;
	int groups; /* convolution; depthwise and pools: anything */
} espl_window;

/* Keeps BLAS from starting threads of its own, as every caller here is a thread of a pool. */
void espl_kernels_start(void);

/* c[m][n] = a * b + beta * c, where a is [m][k], or [k][m] when `transpose_a`, and b is [k][n],
 * or [n][k] when `transpose_b`; rows are lda, ldb, ldc apart. */
void espl_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda,
               const float *b, int ldb, float beta, float *c, int ldc);

/* Floats of scratch memory that the convolution's functions need. */
size_t espl_conv_scratch(const espl_window *window);

/* y = convolution of x. weights [out][kernel_rows][kernel_columns][channels / groups]; bias may be
 * NULL. */
void espl_conv_forward(const espl_window *window, int count, const float *x, const float *weights,
                       const float *bias, float *y, float *scratch);
/* Adds to dweights what dy, the gradient of y, says. */
void espl_conv_backward_weights(const espl_window *window, int count, const float *x,
                                const float *dy, float *dweights, float *scratch);
void espl_conv_backward_input(const espl_window *window, int count, const float *weights,
                              const float *dy, float *dx, bool add, float *scratch);

/* weights [kernel_rows][kernel_columns][out], out_channels = channels * multiplier. */
void espl_depthwise_forward(const espl_window *window, int count, const float *x,
                            const float *weights, const float *bias, float *y);
void espl_depthwise_backward_weights(const espl_window *window, int count, const float *x,
                                     const float *dy, float *dweights);
void espl_depthwise_backward_input(const espl_window *window, int count, const float *weights,
                                   const float *dy, float *dx, bool add);

/* y[count][out] = x[count][in] * weights[out][in]^T + bias */
void espl_dense_forward(int in, int out, int count, const float *x, const float *weights,
                        const float *bias, float *y);
void espl_dense_backward_weights(int in, int out, int count, const float *x, const float *dy,
                                 float *dweights);
void espl_dense_backward_input(int in, int out, int count, const float *weights, const float *dy,
                               float *dx, bool add);

/* sums[channel] += the sum over positions. Also the gradient of a bias. */
void espl_channel_sums(int channels, size_t positions, const float *x, double *sums);

/* Per channel over `positions`: *means and *squares (of the distances from that mean). */
void espl_channel_moments(int channels, size_t positions, const float *x, float *means,
                          float *squares);
/* y = clip(scale[channel] * x + shift[channel], low, high) */
void espl_scale_shift(int channels, size_t positions, const float *x, const float *scale,
                      const float *shift, float low, float high, float *y);
/* A batch norm's y = scale * x + shift with a clip behind it; dy counts where low < y < high, and
 * everywhere when the bounds are infinite. */
typedef struct {
	const float *scale, *shift; /* [channel] */
	float low, high;
} espl_norm_clip;

/* Adds up dy and dy * (x - mean). */
void espl_norm_sums(int channels, size_t positions, const espl_norm_clip *clip, const float *x,
                    const float *dy, const float *mean, double *sum, double *product);
/* dx = a[channel] * dy + b[channel] * x + c[channel] */
void espl_norm_backward(int channels, size_t positions, const espl_norm_clip *clip, const float *x,
                        const float *dy, const float *a, const float *b, const float *c, float *dx,
                        bool add);

/* dx = dy where low < y < high, else 0. */
void espl_clip_backward(size_t count, const float *y, float low, float high, const float *dy,
                        float *dx, bool add);

void espl_add(size_t count, const float *a, const float *b, float *y);
void espl_accumulate(size_t count, const float *x, float *sum);
/* y = a + b[channel] for the positions of one sample */
void espl_add_channels(int channels, size_t positions, const float *a, const float *b, float *y);

/* Padding never wins; the gradient goes to the first of the greatest. */
void espl_max_pool_forward(const espl_window *window, int count, const float *x, float *y);
void espl_max_pool_backward(const espl_window *window, int count, const float *x, const float *y,
                            const float *dy, float *dx, bool add);
/* Divides by the cells inside the image, or by all when `count_pads`. */
void espl_average_pool_forward(const espl_window *window, bool count_pads, int count,
                               const float *x, float *y);
void espl_average_pool_backward(const espl_window *window, bool count_pads, int count,
                                const float *dy, float *dx, bool add);
/* Over the positions of each sample. */
void espl_mean_forward(int channels, size_t positions, int count, const float *x, float *y);
void espl_mean_backward(int channels, size_t positions, int count, const float *dy, float *dx,
                        bool add);

/* Rounds to step * (floor(x / step + 1/2), within low..high), all in units of steps. */
void espl_fake_quantize(size_t count, const float *x, float step, float low, float high, float *y);
/* Straight through: dx = dy where x / step rounds within low..high, else 0; returns the gradient
 * of the step: the sum of dy * (rounded - x / step inside, low or high outside).
 *   from  Learned step size quantization, arXiv 1902.08153, equation 3 */
double espl_fake_quantize_backward(size_t count, const float *x, float step, float low, float high,
                                   const float *dy, float *dx);

#endif
