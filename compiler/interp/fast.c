/* Operators of the integer graph in loops that vectorize.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Sums: values and weights are widened to 16 bits, zero points taken off, patches laid side by
 * side, so that a product of two and their sum is one instruction for 16 of them. They stay
 * below 2^31 (espl_fast_prepare sees to it), where the reference's wrapping sums are the same.
 *
 * Requantization: both roundings of math/fixed give an integer r with |x - r| <= 1/2 + 2^(e-1),
 * where x = sum * multiplier * 2^(e-31) and e < 0 is the scale's exponent: single rounding
 * within 1/2, two roundings first to a multiple of 2^e, then to an integer. So when x is nearer
 * than 1/2 - 2^(e-1) to an integer, r is that integer. Where |x| <= 256, three roundings to floats
 * of 24 bits are off by less than 3 * 2^-16, and ONNX's rounding is within 1/2 + 2^-15 of x: both
 * together less than 2^-13. Beyond 256 every result saturates, as zero points are of 8 bits.
 */
#include "interp/fast.h"

#include "math/simd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	REACH = 255,      /* |value - zero point| */
	SATURATED = 512,  /* more than any stored value and zero point reach */
	EXPONENT_MAX = -2 /* of scales for which floats decide often enough */
};

static const float float_error = 1.0F / 8192; /* 2^-13 */
static const float round_trick = 12582912.0F; /* 1.5 * 2^23: adding it leaves no fraction */

static void prepare_rounding(const espl_net *net, const espl_op *op, const espl_scale *scales,
                             int count, espl_arena *arena, espl_fast_op *fast)
{
	espl_fast_rounding *out = &fast->rounding;

	out->zero = (float)net->tensors[op->output].zero_point;
	out->low = (float)op->low;
	out->high = (float)op->high;
	out->bias = ESPL_ARRAY(arena, int32_t, fast->channels);
	out->factors = ESPL_ARRAY(arena, float, fast->channels);
	out->limits = ESPL_ARRAY(arena, float, fast->channels);
	for (int c = 0; c < fast->channels; c++) {
		const bool used = c < count;
		const espl_scale scale = scales[used ? c : 0];

		out->bias[c] = used && op->bias ? op->bias[c] : 0;
		out->factors[c] = used ? ldexpf((float)scale.multiplier, scale.exponent - 31) : 0;
		out->limits[c] = 0.5F - ldexpf(1.0F, scale.exponent - 1) - float_error;
		if (scale.exponent > EXPONENT_MAX)
			out->limits[c] = -1.0F;
		if (!used)
			out->limits[c] = 1.0F;
	}
}

/* Whether no sum of an output channel can leave 32 bits. */
static bool sums_fit(const int8_t *weights, int64_t count)
{
	int64_t total = 0;

	for (int64_t i = 0; i < count; i++)
		total += abs(weights[i]);
	return total * REACH < INT32_MAX;
}

static int padded(int count, int multiple)
{
	return (count + multiple - 1) / multiple * multiple;
}

static void prepare_rows(const espl_op *op, int channels, int taps, espl_arena *arena,
                         espl_fast_op *out)
{
	out->fast = true;
	out->taps = padded(taps, ESPL_FAST_TAPS);
	out->weights = ESPL_ARRAY(arena, int16_t, (size_t)out->channels * out->taps);
	for (int c = 0; c < channels; c++) {
		out->fast &= sums_fit(op->weights + (size_t)c * taps, taps);
		for (int i = 0; i < taps; i++)
			out->weights[(size_t)c * out->taps + i] = op->weights[(size_t)c * taps + i];
	}
}

static void prepare_depthwise(const espl_op *op, int channels, espl_arena *arena, espl_fast_op *out)
{
	const int taps = op->kernel_rows * op->kernel_columns;

	out->fast = true; /* at most 64 x 64 taps of 127 * 255 */
	out->weights = ESPL_ARRAY(arena, int16_t, (size_t)taps * out->channels);
	for (int i = 0; i < taps; i++)
		for (int c = 0; c < channels; c++)
			out->weights[(size_t)i * out->channels + c] =
			        op->weights[(size_t)i * channels + c];
}

static void prepare_add(const espl_net *net, const espl_op *op, espl_arena *arena,
                        espl_fast_op *out)
{
	out->fast = net->rounding != ESPL_ROUND_ONNX; /* there it is no sum of two terms */
	if (!out->fast)
		return;
	for (int k = 0; k < 2; k++) {
		const int32_t zero = net->tensors[op->inputs[k]].zero_point;

		out->terms[k] = ESPL_ARRAY(arena, int32_t, 256);
		for (int v = INT8_MIN; v <= INT8_MAX; v++)
			out->terms[k][v - INT8_MIN] = espl_multiply_by_scale(
			        (v - zero) * (1 << 20), op->in_scales[k], net->rounding);
	}
	out->channels = 1;
	prepare_rounding(net, op, &op->out_scale, 1, arena, out);
}

void espl_fast_prepare(const espl_net *net, const espl_op *op, espl_arena *arena, espl_fast_op *out)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *result = &net->tensors[op->output];
	const int channels = result->channels;

	*out = (espl_fast_op){.channels = padded(channels, ESPL_FAST_CHANNELS)};
	out->rows = (result->rows - 1) * op->stride_rows +
	            (op->kernel_rows - 1) * op->dilation_rows + 1;
	out->columns = (result->columns - 1) * op->stride_columns +
	               (op->kernel_columns - 1) * op->dilation_columns + 1;
	switch (op->kind) {
	case ESPL_OP_CONV:
		prepare_rows(op, channels, op->kernel_rows * op->kernel_columns * in->channels,
		             arena, out);
		prepare_rounding(net, op, op->scales, channels, arena, out);
		return;
	case ESPL_OP_DENSE:
		prepare_rows(op, channels, espl_tensor_elements(in), arena, out);
		prepare_rounding(net, op, op->scales, channels, arena, out);
		return;
	case ESPL_OP_DEPTHWISE:
		prepare_depthwise(op, channels, arena, out);
		prepare_rounding(net, op, op->scales, channels, arena, out);
		return;
	case ESPL_OP_ADD:
		prepare_add(net, op, arena, out);
		return;
	case ESPL_OP_MAX_POOL:
	case ESPL_OP_LOGISTIC:
		out->fast = true;
		return;
	default:
		return;
	}
}

void espl_fast_needs(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                     size_t needs[ESPL_FAST_NEEDS])
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const size_t results = (size_t)ESPL_FAST_POSITIONS * fast->channels;
	/* channels of a depthwise layer are read in whole groups */
	const size_t plane = (size_t)fast->rows * fast->columns * in->channels + ESPL_FAST_CHANNELS;
	const size_t sizes[ESPL_FAST_NEEDS] = {
	        op->kind == ESPL_OP_DENSE ? 0 : plane * sizeof(int16_t),
	        (size_t)ESPL_FAST_POSITIONS * fast->taps * sizeof(int16_t),
	        results * sizeof(int32_t),
	        results,
	        results,
	};

	for (int i = 0; i < ESPL_FAST_NEEDS; i++)
		needs[i] = fast->weights && sizes[i] > needs[i] ? sizes[i] : needs[i];
}

/* out[i] = in[i] - zero_point */
static ESPL_SIMD void widen(const int8_t *in, int count, int32_t zero_point, int16_t *out)
{
	const int16_t zero = (int16_t)zero_point;

	for (int i = 0; i < count; i++)
		out[i] = (int16_t)(in[i] - zero);
}

/* The input with its pads, as 16 bits without the zero point: [rows][columns][channels]. */
static void fill_plane(const espl_tensor *in, const espl_op *op, const espl_fast_op *fast,
                       const int8_t *data, int16_t *plane)
{
	const int columns = in->columns < fast->columns - op->pad_left
	                            ? in->columns
	                            : fast->columns - op->pad_left;

	if (op->pad_top || op->pad_left || in->rows + op->pad_top < fast->rows ||
	    in->columns + op->pad_left < fast->columns)
		memset(plane, 0, (size_t)fast->rows * fast->columns * in->channels * sizeof *plane);
	for (int row = 0; row < in->rows && row + op->pad_top < fast->rows; row++)
		if (columns > 0)
			widen(data + (size_t)row * in->columns * in->channels,
			      columns * in->channels, in->zero_point,
			      plane + ((size_t)(row + op->pad_top) * fast->columns + op->pad_left) *
			                      in->channels);
}

/* What the kernel covers at one position: [kernel_rows][kernel_columns][channels]. */
static void gather(const espl_op *op, const espl_fast_op *fast, int channels, const int16_t *plane,
                   int row, int column, int16_t *patch)
{
	const int16_t *corner = plane + ((size_t)row * op->stride_rows * fast->columns +
	                                 (size_t)column * op->stride_columns) *
	                                        channels;
	const bool together = op->dilation_columns == 1;
	const int pieces = together ? 1 : op->kernel_columns;
	const size_t piece = (size_t)channels * (together ? op->kernel_columns : 1);

	for (int i = 0; i < op->kernel_rows; i++) {
		const int16_t *from =
		        corner + (size_t)i * op->dilation_rows * fast->columns * channels;

		for (int j = 0; j < pieces; j++) {
			memcpy(patch, from + (size_t)j * op->dilation_columns * channels,
			       piece * sizeof *patch);
			patch += piece;
		}
	}
}

/* sums[p][c] = dot(patches[p], weights[c]): two positions with four channels at a time. */
static ESPL_SIMD void dots(int positions, const int16_t *patches, const espl_fast_op *fast,
                           int32_t *sums)
{
	const int taps = fast->taps, channels = fast->channels;

	for (int p = 0; p < positions; p += 2) {
		const int16_t *a = patches + (size_t)p * taps, *b = a + taps;

		for (int c = 0; c < channels; c += 4) {
			const int16_t *w0 = fast->weights + (size_t)c * taps, *w1 = w0 + taps,
			              *w2 = w1 + taps, *w3 = w2 + taps;
			int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
			int32_t *to = sums + (size_t)p * channels + c;

			for (int i = 0; i < taps; i++) {
				a0 += a[i] * w0[i];
				a1 += a[i] * w1[i];
				a2 += a[i] * w2[i];
				a3 += a[i] * w3[i];
				b0 += b[i] * w0[i];
				b1 += b[i] * w1[i];
				b2 += b[i] * w2[i];
				b3 += b[i] * w3[i];
			}
			to[0] = a0, to[1] = a1, to[2] = a2, to[3] = a3;
			to += channels;
			to[0] = b0, to[1] = b1, to[2] = b2, to[3] = b3;
		}
	}
}

static inline int8_t round_float(float x, float limit, float zero, float low, float high,
                                 uint8_t *doubt)
{
	float rounded, y;

	x = x < -SATURATED ? -SATURATED : x;
	x = x > SATURATED ? SATURATED : x;
	rounded = (x + round_trick) - round_trick;
	*doubt = fabsf(x - rounded) > limit;
	y = rounded + zero;
	y = y < low ? low : y;
	y = y > high ? high : y;
	return (int8_t)(int32_t)y;
}

/* Rounds what floats can decide and marks what they cannot. The bias is added modulo 2^32, as the
 * reference does. */
static ESPL_SIMD void round_all(int positions, int channels, const espl_fast_rounding *how,
                                const int32_t *restrict sums, int8_t *restrict results,
                                uint8_t *restrict doubts)
{
	const float zero = how->zero, low = how->low, high = how->high;

	for (int p = 0; p < positions; p++) {
		for (int first = 0; first < channels; first += ESPL_FAST_CHANNELS) {
			const float *factors = how->factors + first, *limits = how->limits + first;
			const int32_t *bias = how->bias + first;

			for (int c = 0; c < ESPL_FAST_CHANNELS; c++) {
				const uint32_t sum = (uint32_t)sums[c] + (uint32_t)bias[c];

				results[c] = round_float((float)(int32_t)sum * factors[c],
				                         limits[c], zero, low, high, &doubts[c]);
			}
			sums += ESPL_FAST_CHANNELS;
			results += ESPL_FAST_CHANNELS;
			doubts += ESPL_FAST_CHANNELS;
		}
	}
}

/* The same for sums of one scale, without a bias. */
static ESPL_SIMD void round_one(int count, const espl_fast_rounding *how,
                                const int32_t *restrict sums, int8_t *restrict results,
                                uint8_t *restrict doubts)
{
	const float factor = how->factors[0], limit = how->limits[0];
	const float zero = how->zero, low = how->low, high = how->high;

	for (int i = 0; i < count; i++)
		results[i] =
		        round_float((float)sums[i] * factor, limit, zero, low, high, &doubts[i]);
}

/* The first mark from `at` on, or `count`. */
static size_t next_mark(const uint8_t *marks, size_t at, size_t count)
{
	const uint8_t *found = at < count ? memchr(marks + at, 1, count - at) : NULL;

	return found ? (size_t)(found - marks) : count;
}

void espl_fast_finish(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                      int positions, const espl_fast_scratch *scratch, int8_t *out)
{
	const size_t count = (size_t)positions * fast->channels;
	const int channels = net->tensors[op->output].channels;

	round_all(positions, fast->channels, &fast->rounding, scratch->sums, scratch->results,
	          scratch->doubts);
	for (size_t i = next_mark(scratch->doubts, 0, count); i < count;
	     i = next_mark(scratch->doubts, i + 1, count)) {
		const size_t c = i % (size_t)fast->channels;
		const uint32_t sum = (uint32_t)scratch->sums[i] + (uint32_t)fast->rounding.bias[c];

		scratch->results[i] = (int8_t)espl_requantize(
		        (int32_t)sum, op->scales[c], net->rounding,
		        net->tensors[op->output].zero_point, op->low, op->high);
	}
	for (int p = 0; p < positions; p++)
		memcpy(out + (size_t)p * channels, scratch->results + (size_t)p * fast->channels,
		       (size_t)channels);
}

static void run_conv(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                     int8_t *const *tensors, const espl_fast_scratch *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int positions = out->rows * out->columns;

	fill_plane(in, op, fast, tensors[op->inputs[0]], scratch->plane);
	memset(scratch->patches, 0,
	       (size_t)ESPL_FAST_POSITIONS * fast->taps * sizeof *scratch->patches);
	for (int first = 0; first < positions; first += ESPL_FAST_POSITIONS) {
		const int left = positions - first;
		const int count = left < ESPL_FAST_POSITIONS ? left : ESPL_FAST_POSITIONS;

		for (int k = 0; k < count; k++)
			gather(op, fast, in->channels, scratch->plane, (first + k) / out->columns,
			       (first + k) % out->columns,
			       scratch->patches + (size_t)k * fast->taps);
		dots(count, scratch->patches, fast, scratch->sums);
		espl_fast_finish(net, op, fast, count, scratch,
		                 tensors[op->output] + (size_t)first * out->channels);
	}
}

static void run_dense(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                      int8_t *const *tensors, const espl_fast_scratch *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];

	memset(scratch->patches, 0, 2 * (size_t)fast->taps * sizeof *scratch->patches);
	widen(tensors[op->inputs[0]], espl_tensor_elements(in), in->zero_point, scratch->patches);
	dots(1, scratch->patches, fast, scratch->sums);
	espl_fast_finish(net, op, fast, 1, scratch, tensors[op->output]);
}

/* The sums of one position, of which `corner` is the kernel's first cell; a group of channels at a
 * time, whole groups. */
static ESPL_SIMD void sum_depthwise(const espl_op *op, const espl_fast_op *fast, int channels,
                                    const int16_t *corner, int32_t *restrict sums)
{
	for (int first = 0; first < fast->channels; first += ESPL_FAST_CHANNELS) {
		const int16_t *weights = fast->weights + first;
		int32_t total[ESPL_FAST_CHANNELS] = {0};

		for (int i = 0; i < op->kernel_rows; i++) {
			const int16_t *values =
			        corner + first +
			        (size_t)i * op->dilation_rows * fast->columns * channels;

			for (int j = 0; j < op->kernel_columns; j++) {
				for (int c = 0; c < ESPL_FAST_CHANNELS; c++)
					total[c] += values[c] * weights[c];
				values += op->dilation_columns * channels;
				weights += fast->channels;
			}
		}
		memcpy(sums + first, total, sizeof total);
	}
}

/* The same where a channel has several outputs. */
static void sum_multiplied(const espl_op *op, const espl_fast_op *fast, int channels,
                           const int16_t *corner, int32_t *sums)
{
	const int16_t *weights = fast->weights;

	memset(sums, 0, (size_t)fast->channels * sizeof *sums);
	for (int i = 0; i < op->kernel_rows; i++) {
		for (int j = 0; j < op->kernel_columns; j++) {
			const int16_t *values =
			        corner + ((size_t)i * op->dilation_rows * fast->columns +
			                  (size_t)j * op->dilation_columns) *
			                         channels;

			for (int c = 0; c < channels * op->depth_multiplier; c++)
				sums[c] += values[c / op->depth_multiplier] * weights[c];
			weights += fast->channels;
		}
	}
}

static void run_depthwise(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                          int8_t *const *tensors, const espl_fast_scratch *scratch)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int positions = out->rows * out->columns;

	fill_plane(in, op, fast, tensors[op->inputs[0]], scratch->plane);
	for (int first = 0; first < positions; first += ESPL_FAST_POSITIONS) {
		const int left = positions - first;
		const int count = left < ESPL_FAST_POSITIONS ? left : ESPL_FAST_POSITIONS;

		for (int k = 0; k < count; k++) {
			const size_t row = (size_t)((first + k) / out->columns) * op->stride_rows;
			const size_t column =
			        (size_t)((first + k) % out->columns) * op->stride_columns;

			(op->depth_multiplier == 1 ? sum_depthwise : sum_multiplied)(
			        op, fast, in->channels,
			        scratch->plane + (row * fast->columns + column) * in->channels,
			        scratch->sums + (size_t)k * fast->channels);
		}
		espl_fast_finish(net, op, fast, count, scratch,
		                 tensors[op->output] + (size_t)first * out->channels);
	}
}

/* Blocks of sums, rounded as those of one channel. */
static void run_add(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                    int8_t *const *tensors)
{
	enum { BLOCK = 256 };
	const int8_t *first = tensors[op->inputs[0]], *second = tensors[op->inputs[1]];
	const espl_tensor *out = &net->tensors[op->output];
	const int elements = espl_tensor_elements(out);
	int8_t *result = tensors[op->output];
	uint8_t doubts[BLOCK];
	int32_t sums[BLOCK];

	for (int at = 0; at < elements; at += BLOCK) {
		const int count = elements - at < BLOCK ? elements - at : BLOCK;

		for (int i = 0; i < count; i++)
			sums[i] = (int32_t)((uint32_t)fast->terms[0][first[at + i] - INT8_MIN] +
			                    (uint32_t)fast->terms[1][second[at + i] - INT8_MIN]);
		round_one(count, &fast->rounding, sums, result + at, doubts);
		for (size_t i = next_mark(doubts, 0, (size_t)count); i < (size_t)count;
		     i = next_mark(doubts, i + 1, (size_t)count))
			result[at + i] =
			        (int8_t)espl_requantize(sums[i], op->out_scale, net->rounding,
			                                out->zero_point, op->low, op->high);
	}
}

static ESPL_SIMD void greatest(const int8_t *values, int count, int8_t *result)
{
	for (int c = 0; c < count; c++)
		result[c] = values[c] > result[c] ? values[c] : result[c];
}

static ESPL_SIMD void clamp_all(int count, int8_t low, int8_t high, int8_t *result)
{
	for (int c = 0; c < count; c++) {
		const int8_t value = result[c] < low ? low : result[c];

		result[c] = value > high ? high : value;
	}
}

static void run_max_pool(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const int8_t *data = tensors[op->inputs[0]];
	int8_t *result = tensors[op->output];

	memset(result, INT8_MIN, (size_t)espl_tensor_elements(out));
	for (int p = 0; p < out->rows * out->columns; p++) {
		const int top = p / out->columns * op->stride_rows - op->pad_top;
		const int left = p % out->columns * op->stride_columns - op->pad_left;
		const int first = left > 0 ? left : 0;
		const int last = left + op->kernel_columns < in->columns ? left + op->kernel_columns
		                                                         : in->columns;

		for (int row = top > 0 ? top : 0; row < top + op->kernel_rows && row < in->rows;
		     row++)
			for (int column = first; column < last; column++)
				greatest(data + ((size_t)row * in->columns + column) * in->channels,
				         in->channels, result + (size_t)p * out->channels);
	}
	clamp_all(espl_tensor_elements(out), (int8_t)op->low, (int8_t)op->high, result);
}

static void run_logistic(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const int count = espl_tensor_elements(&net->tensors[op->output]);

	for (int i = 0; i < count; i++)
		tensors[op->output][i] = op->table[tensors[op->inputs[0]][i] + 128];
}

void espl_fast_run(const espl_net *net, const espl_op *op, const espl_fast_op *fast,
                   int8_t *const *tensors, const espl_fast_scratch *scratch)
{
	switch (op->kind) {
	case ESPL_OP_CONV:
		run_conv(net, op, fast, tensors, scratch);
		return;
	case ESPL_OP_DENSE:
		run_dense(net, op, fast, tensors, scratch);
		return;
	case ESPL_OP_DEPTHWISE:
		run_depthwise(net, op, fast, tensors, scratch);
		return;
	case ESPL_OP_ADD:
		run_add(net, op, fast, tensors);
		return;
	case ESPL_OP_MAX_POOL:
		run_max_pool(net, op, tensors);
		return;
	default:
		run_logistic(net, op, tensors);
		return;
	}
}
