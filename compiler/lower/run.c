/* Runs the lowered net by the hardware's formulas: bytes, padding, 24 bits, steps.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/lower.h"
#include "lower/step.h"

typedef struct {
	const espl_layer *layer;
	const espl_lowered_tensor *in, *out;
	const int8_t *data, *other; /* operands */
} runner;

static int byte_at(const runner *r, int row, int column, int channel)
{
	if (row < 0 || row >= r->in->rows || column < 0 || column >= r->in->columns)
		return r->layer->pad;
	return r->data[((int64_t)row * r->in->columns + column) * r->in->channels + channel] + 128;
}

static int64_t window(const runner *r, int row, int column, int o)
{
	const espl_layer *l = r->layer;
	const int taps = l->kernel_rows * l->kernel_columns;
	int64_t sum = 0;

	for (int k = 0; k < taps; k++) {
		const int y = row * l->stride_rows + k / l->kernel_columns * l->dilation_rows -
		              l->pad_top;
		const int x = column * l->stride_columns +
		              k % l->kernel_columns * l->dilation_columns - l->pad_left;

		if (l->kind == ESPL_LAYER_CONV) {
			for (int c = 0; c < r->in->channels; c++)
				sum += (int64_t)l
				               ->weights[((int64_t)o * taps + k) * r->in->channels +
				                         c] *
				       byte_at(r, y, x, c);
		} else {
			const int byte = byte_at(r, y, x, l->source[o]);

			if (l->kind == ESPL_LAYER_MAX)
				sum = byte > sum ? byte : sum;
			else
				sum += (l->kind == ESPL_LAYER_TABLE ? 1
				                                    : l->weights[o * taps + k]) *
				       byte;
		}
	}
	return sum;
}

static int64_t dense(const runner *r, int o)
{
	const int64_t inputs = (int64_t)r->in->rows * r->in->columns * r->in->channels;
	int64_t sum = 0;

	for (int64_t i = 0; i < inputs; i++)
		sum += r->layer->weights[o * inputs + i] * r->data[i];
	return sum;
}

static int64_t wrap(int64_t sum)
{
	const int64_t one = (int64_t)1 << ESPL_ACCUMULATOR_BITS;
	const int64_t rest = ((sum % one) + one) % one;

	return rest >= one / 2 ? rest - one : rest;
}

static int32_t value_at(const runner *r, int row, int column, int o)
{
	const espl_layer *l = r->layer;
	const espl_step *step =
	        &l->steps[o * l->step_classes +
	                  (l->class_of ? l->class_of[row * r->out->columns + column] : 0)];
	const int64_t i = ((int64_t)row * r->in->columns + column) * r->in->channels + o;
	espl_step scaled = *step;
	int32_t y;

	if (l->kind == ESPL_LAYER_ADD) {
		scaled.multiplier = 1;
		y = espl_step_value(&scaled,
		                    (int64_t)(r->data[i] + 128 + step->bias) * step->multiplier +
		                            (int64_t)(r->other[i] + 128 + l->bias_b) *
		                                    l->multiplier_b,
		                    l->zero_point, l->low, l->high);
	} else {
		const int64_t sum =
		        l->kind == ESPL_LAYER_DENSE ? dense(r, o) : window(r, row, column, o);

		y = espl_step_value(step, wrap(sum + step->bias), l->zero_point, l->low, l->high);
	}
	return l->table ? l->table[y + 128] : y;
}

static void concat(const espl_lowered *lowered, const espl_layer *layer, int8_t *const *tensors)
{
	const espl_lowered_tensor *out = &lowered->tensors[layer->output];
	int8_t *to = tensors[layer->output];

	for (int p = 0; p < out->rows * out->columns; p++)
		for (int i = 0; i < layer->input_count; i++) {
			const int channels = lowered->tensors[layer->inputs[i]].channels;

			for (int c = 0; c < channels; c++)
				*to++ = tensors[layer->inputs[i]][(int64_t)p * channels + c];
		}
}

void espl_lowered_run(const espl_lowered *lowered, const int8_t *const *inputs,
                      int8_t *const *tensors)
{
	for (int i = 0; i < lowered->input_count; i++) {
		const espl_lowered_tensor *in = &lowered->tensors[lowered->inputs[i]];

		for (int e = 0; e < in->rows * in->columns * in->channels; e++)
			tensors[lowered->inputs[i]][e] = inputs[i][e];
	}
	for (int l = 0; l < lowered->layer_count; l++) {
		const espl_layer *layer = &lowered->layers[l];
		const runner r = {
		        .layer = layer,
		        .in = &lowered->tensors[layer->inputs[0]],
		        .out = &lowered->tensors[layer->output],
		        .data = tensors[layer->inputs[0]],
		        .other = layer->input_count > 1 ? tensors[layer->inputs[1]] : NULL,
		};
		int8_t *to = tensors[layer->output];

		if (layer->kind == ESPL_LAYER_CONCAT) {
			concat(lowered, layer, tensors);
			continue;
		}
		for (int row = 0; row < r.out->rows; row++)
			for (int column = 0; column < r.out->columns; column++)
				for (int o = 0; o < r.out->channels; o++)
					*to++ = (int8_t)value_at(&r, row, column, o);
	}
}
