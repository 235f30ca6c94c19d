/* Convolutions and dense layers: sums of weights times values.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Accumulators are 32 bits and wrap, as TFLite Micro's do in practice: the
 * sums are unsigned because there overflow is defined. Values enter the sums
 * without their zero point, so that cells outside the image are plain zeros.
 */
#include "interp/operators.h"

#include <string.h>

/* out[i] = in[i] - zero_point */
static void widen(const int8_t *in, int count, int32_t zero_point, int16_t *out)
{
	for (int i = 0; i < count; i++)
		out[i] = (int16_t)(in[i] - zero_point);
}

static uint32_t dot(const int16_t *values, const int8_t *weights, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (uint32_t)(values[i] * weights[i]);
	return sum;
}

static int8_t requantize(const espl_net *net, const espl_op *op, int channel, uint32_t sum)
{
	const uint32_t accumulator = (uint32_t)op->bias[channel] + sum;

	return (int8_t)espl_requantize((int32_t)accumulator, op->scales[channel], net->rounding,
	                               net->tensors[op->output].zero_point, op->low, op->high);
}

/* The input's cell under one cell of the kernel, or NULL outside the image. `row` and `column`
 * are the output's. */
static const int8_t *cell(const espl_tensor *tensor, const int8_t *data, const espl_op *op, int row,
                          int column, int kernel_row, int kernel_column)
{
	row = row * op->stride_rows - op->pad_top + kernel_row * op->dilation_rows;
	column = column * op->stride_columns - op->pad_left + kernel_column * op->dilation_columns;
	if (row < 0 || row >= tensor->rows || column < 0 || column >= tensor->columns)
		return NULL;
	return data + ((size_t)row * tensor->columns + column) * tensor->channels;
}

/* patch: [kernel_rows][kernel_columns][channels], what the kernel covers at one position */
static void gather(const espl_tensor *tensor, const int8_t *data, const espl_op *op, int row,
                   int column, int16_t *patch)
{
	for (int i = 0; i < op->kernel_rows; i++) {
		for (int j = 0; j < op->kernel_columns; j++) {
			const int8_t *values = cell(tensor, data, op, row, column, i, j);

			if (values)
				widen(values, tensor->channels, tensor->zero_point, patch);
			else
				memset(patch, 0, (size_t)tensor->channels * sizeof *patch);
			patch += tensor->channels;
		}
	}
}

void espl_interp_conv(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                      espl_arena *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const size_t taps = (size_t)op->kernel_rows * op->kernel_columns * in->channels;
	int16_t *patch = ESPL_ARRAY(scratch, int16_t, taps);
	int8_t *result = tensors[op->output];

	for (int row = 0; row < out->rows; row++) {
		for (int column = 0; column < out->columns; column++) {
			gather(in, tensors[op->inputs[0]], op, row, column, patch);
			for (int c = 0; c < out->channels; c++)
				*result++ = requantize(net, op, c,
				                       dot(patch, op->weights + c * taps, taps));
		}
	}
}

/* sums[c * multiplier + m] += (values[c] - zero_point) * weights[c * multiplier + m] */
static void accumulate(const int8_t *values, int channels, int32_t zero_point, int multiplier,
                       const int8_t *weights, uint32_t *sums)
{
	if (multiplier == 1) {
		for (int c = 0; c < channels; c++)
			sums[c] += (uint32_t)((values[c] - zero_point) * weights[c]);
		return;
	}
	for (int c = 0; c < channels; c++)
		for (int m = 0; m < multiplier; m++)
			*sums++ += (uint32_t)((values[c] - zero_point) * *weights++);
}

void espl_interp_depthwise(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                           espl_arena *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	uint32_t *sums = ESPL_ARRAY(scratch, uint32_t, out->channels);
	int8_t *result = tensors[op->output];

	for (int row = 0; row < out->rows; row++) {
		for (int column = 0; column < out->columns; column++) {
			const int8_t *weights = op->weights;

			memset(sums, 0, (size_t)out->channels * sizeof *sums);
			for (int i = 0; i < op->kernel_rows; i++) {
				for (int j = 0; j < op->kernel_columns; j++) {
					const int8_t *values = cell(in, tensors[op->inputs[0]], op,
					                            row, column, i, j);

					if (values)
						accumulate(values, in->channels, in->zero_point,
						           op->depth_multiplier, weights, sums);
					weights += out->channels;
				}
			}
			for (int c = 0; c < out->channels; c++)
				*result++ = requantize(net, op, c, sums[c]);
		}
	}
}

void espl_interp_dense(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                       espl_arena *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int count = espl_tensor_elements(in);
	int16_t *values = ESPL_ARRAY(scratch, int16_t, count);

	widen(tensors[op->inputs[0]], count, in->zero_point, values);
	for (int c = 0; c < out->channels; c++)
		tensors[op->output][c] = requantize(
		        net, op, c, dot(values, op->weights + (size_t)c * count, (size_t)count));
}
