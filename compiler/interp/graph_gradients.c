/* Gradients of functions of single elements, of products, of what is repeated and of softmax.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/running.h"

#include <string.h>

/* dy/dx at x, where y is the result. */
static float slope_at(const espl_node *node, float x, float y)
{
	switch (node->kind) {
	case ESPL_NODE_LEAKY:
		return x < 0 ? node->slope : 1;
	case ESPL_NODE_SIGMOID:
		return y * (1 - y);
	case ESPL_NODE_TANH:
		return 1 - y * y;
	case ESPL_NODE_HARD_SIGMOID:
		return y > 0 && y < 1 ? node->slope : 0;
	default: /* HARD_SWISH */
		return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
	}
}

void back_unary(const espl_node *node, size_t count, const float *x, const float *y,
                const float *dy, float *dx, bool add)
{
	for (size_t i = 0; i < count; i++)
		dx[i] = (add ? dx[i] : 0) + dy[i] * slope_at(node, x[i], y[i]);
}

void back_factor(int channels, size_t positions, size_t other_positions, const float *other,
                 const float *dy, float *dx, bool add)
{
	for (size_t p = 0; p < positions; p++, dy += channels, dx += channels) {
		const float *factor = other + (other_positions > 1 ? p : 0) * (size_t)channels;

		for (int c = 0; c < channels; c++)
			dx[c] = (add ? dx[c] : 0) + dy[c] * factor[c];
	}
}

void back_channel_factor(int channels, size_t positions, const float *other, const float *dy,
                         float *dx, bool add)
{
	if (!add)
		memset(dx, 0, (size_t)channels * sizeof(*dx));
	for (size_t p = 0; p < positions; p++, dy += channels, other += channels)
		for (int c = 0; c < channels; c++)
			dx[c] += dy[c] * other[c];
}

void back_upsample(const espl_window *w, int count, const float *dy, float *dx, bool add)
{
	const size_t sample = (size_t)w->rows * (size_t)w->columns * (size_t)w->channels;

	if (!add)
		memset(dx, 0, (size_t)count * sample * sizeof(*dx));
	for (int n = 0; n < count; n++, dx += sample)
		for (int r = 0; r < w->out_rows; r++)
			for (int c = 0; c < w->out_columns; c++, dy += w->channels)
				espl_accumulate(
				        (size_t)w->channels, dy,
				        dx + ((size_t)(r / w->stride_rows) * (size_t)w->columns +
				              (size_t)(c / w->stride_columns)) *
				                        (size_t)w->channels);
}

void back_softmax(int channels, size_t positions, const float *y, const float *dy, float *dx,
                  bool add)
{
	for (size_t p = 0; p < positions; p++, y += channels, dy += channels, dx += channels) {
		float sum = 0;

		for (int c = 0; c < channels; c++)
			sum += y[c] * dy[c];
		for (int c = 0; c < channels; c++)
			dx[c] = (add ? dx[c] : 0) + y[c] * (dy[c] - sum);
	}
}
