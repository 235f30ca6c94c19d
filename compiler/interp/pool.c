/* Pools and means: many cells of one channel to one.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interp/operators.h"

#include <assert.h>

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* The part of a window that lies inside the image: rows [top, bottom), columns [left, right). */
typedef struct {
	int top, bottom, left, right;
} window;

static window window_at(const espl_tensor *in, const espl_op *op, int row, int column)
{
	const int top = row * op->stride_rows - op->pad_top;
	const int left = column * op->stride_columns - op->pad_left;
	window inside;

	inside.top = top > 0 ? top : 0;
	inside.left = left > 0 ? left : 0;
	inside.bottom = top + op->kernel_rows < in->rows ? top + op->kernel_rows : in->rows;
	inside.right =
	        left + op->kernel_columns < in->columns ? left + op->kernel_columns : in->columns;
	return inside;
}

static int greatest(const espl_tensor *in, const int8_t *data, window inside, int channel)
{
	int result = INT8_MIN;

	for (int row = inside.top; row < inside.bottom; row++) {
		for (int column = inside.left; column < inside.right; column++) {
			int value =
			        data[((size_t)row * in->columns + column) * in->channels + channel];

			result = value > result ? value : result;
		}
	}
	return result;
}

/* At most 2^16 cells (espl_net_check), so it fits. */
static int32_t sum(const espl_tensor *in, const int8_t *data, window inside, int channel)
{
	int32_t result = 0;

	for (int row = inside.top; row < inside.bottom; row++) {
		for (int column = inside.left; column < inside.right; column++)
			result +=
			        data[((size_t)row * in->columns + column) * in->channels + channel];
	}
	return result;
}

void espl_interp_max_pool(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int8_t *data = tensors[op->inputs[0]];
	int8_t *result = tensors[op->output];

	for (int row = 0; row < out->rows; row++)
		for (int column = 0; column < out->columns; column++)
			for (int c = 0; c < out->channels; c++)
				*result++ = (int8_t)clamp(
				        greatest(in, data, window_at(in, op, row, column), c),
				        op->low, op->high);
}

/* The quotient nearest to sum / cells, halves away from zero. */
static int32_t average(int32_t total, int32_t cells)
{
	return total > 0 ? (total + cells / 2) / cells : (total - cells / 2) / cells;
}

/* ONNX's meaning: the sum less its zero points, scaled in float32, rounded with the zero point
 * inside. */
static void average_pool_onnx(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	int8_t *result = tensors[op->output];

	for (int row = 0; row < out->rows; row++)
		for (int column = 0; column < out->columns; column++) {
			const window inside = window_at(in, op, row, column);
			const int cells =
			        (inside.bottom - inside.top) * (inside.right - inside.left);
			const int divisor =
			        op->count_pads ? op->kernel_rows * op->kernel_columns : cells;
			const espl_scale scale = espl_pool_scale(net, op, divisor);

			for (int c = 0; c < out->channels; c++)
				*result++ = (int8_t)espl_requantize_inside(
				        sum(in, tensors[op->inputs[0]], inside, c) -
				                cells * in->zero_point,
				        scale, out->zero_point, op->low, op->high);
		}
}

void espl_interp_average_pool(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int8_t *data = tensors[op->inputs[0]];
	int8_t *result = tensors[op->output];

	if (net->rounding == ESPL_ROUND_ONNX) {
		average_pool_onnx(net, op, tensors);
		return;
	}
	for (int row = 0; row < out->rows; row++) {
		for (int column = 0; column < out->columns; column++) {
			const window inside = window_at(in, op, row, column);
			const int cells =
			        (inside.bottom - inside.top) * (inside.right - inside.left);

			assert(cells > 0);
			for (int c = 0; c < out->channels; c++)
				*result++ = (int8_t)clamp(average(sum(in, data, inside, c), cells),
				                          op->low, op->high);
		}
	}
}

void espl_interp_mean(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const window all = {0, in->rows, 0, in->columns};
	const int32_t offset = in->rows * in->columns * in->zero_point;

	/* out_scale holds the division by rows * columns already */
	for (int c = 0; c < in->channels; c++)
		tensors[op->output][c] = (int8_t)espl_requantize(
		        sum(in, tensors[op->inputs[0]], all, c) - offset, op->out_scale,
		        net->rounding, net->tensors[op->output].zero_point, op->low, op->high);
}
