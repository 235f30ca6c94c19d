/* Weights, bias and multipliers of the operators that have them.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tflite.h"

#include <math.h>
#include <string.h>

static const double real_scale_max = 1 << 30;

static const char *copy_weights(espl_tflite *in, const espl_tflite_tensor *weights, espl_op *op)
{
	const int64_t count = espl_op_weights(in->net, op);

	if (weights->type != ESPL_TFLITE_INT8 || weights->is_sparse)
		return espl_arena_format(in->arena, "weights %s are not dense int8 (type %d)",
		                         weights->name, weights->type);
	if ((int64_t)weights->data.size != count)
		return espl_arena_format(in->arena, "weights %s have %zu bytes, %lld are needed",
		                         weights->name, weights->data.size, (long long)count);
	for (uint32_t i = 0; i < weights->zero_points.count; i++)
		if (espl_flat_int64_at(&in->buffer, weights->zero_points, i))
			return espl_arena_format(
			        in->arena, "weights %s have zero point %lld, not 0", weights->name,
			        (long long)espl_flat_int64_at(&in->buffer, weights->zero_points,
			                                      i));
	/* A hostile file may use one buffer as the weights of many operators. */
	in->weight_bytes += count;
	if (in->weight_bytes > ESPL_MAX_ELEMENTS)
		return espl_arena_format(in->arena, "the weights take over %d bytes in all",
		                         (int)ESPL_MAX_ELEMENTS);
	op->weights = espl_arena_copy(in->arena, weights->data.data, (size_t)count);
	return NULL;
}

static const char *copy_bias(espl_tflite *in, const espl_tflite_tensor *bias, espl_op *op,
                             int32_t channels)
{
	int32_t *values;

	if (bias && (bias->type != ESPL_TFLITE_INT32 ||
	             bias->data.size != (size_t)channels * sizeof *values))
		return espl_arena_format(in->arena,
		                         "bias %s has %zu bytes of type %d, not %d constant int32",
		                         bias->name, bias->data.size, bias->type, channels);
	values = ESPL_ARRAY(in->arena, int32_t, channels);
	for (int32_t i = 0; bias && i < channels; i++)
		values[i] = (int32_t)espl_load_uint32(bias->data.data + (size_t)i * 4);
	op->bias = values;
	return NULL;
}

/* Makes the scale of each channel, in double as TFLite Micro. The file's quantized dimension is
 * not looked at: as many scales as channels are per channel. */
static const char *make_scales(espl_tflite *in, const espl_tflite_tensor *weights, espl_op *op,
                               int32_t channels)
{
	const espl_flat_vector scales = weights->scales;
	const double in_scale = in->net->tensors[op->inputs[0]].scale;
	const double out_scale = in->net->tensors[op->output].scale;
	espl_scale *result;

	if (scales.count != 1 && scales.count != (uint32_t)channels)
		return espl_arena_format(in->arena, "weights %s have %u scales, not 1 or %d",
		                         weights->name, scales.count, channels);
	result = ESPL_ARRAY(in->arena, espl_scale, channels);
	for (int32_t i = 0; i < channels; i++) {
		const uint32_t from = scales.count == 1 ? 0 : (uint32_t)i;
		const double scale = espl_flat_float_at(&in->buffer, scales, from);
		const double real = in_scale * scale / out_scale;

		if (!(scale >= 0) || !(real < real_scale_max))
			return espl_arena_format(in->arena, "channel %d of %s has scale %g", i,
			                         weights->name, scale);
		result[i] = espl_scale_from_real(real);
	}
	op->scales = result;
	op->scale_per_tensor = scales.count == 1;
	return NULL;
}

const char *espl_tflite_parameters(espl_tflite *in, const espl_tflite_op *source, espl_op *op,
                                   int32_t channels)
{
	const espl_tflite_tensor *weights = espl_tflite_input(in, source, 1);
	const espl_tflite_tensor *bias = espl_tflite_input(in, source, 2);
	const char *reason;

	if (in->net->tensors[op->output].channels != channels)
		return espl_arena_format(in->arena, "weights make %d channels, the output has %d",
		                         channels, in->net->tensors[op->output].channels);
	reason = copy_weights(in, weights, op);
	if (!reason)
		reason = copy_bias(in, bias, op, channels);
	if (!reason)
		reason = make_scales(in, weights, op, channels);
	return reason;
}
