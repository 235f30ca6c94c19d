/* What can be counted on a net.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/net.h"

#include <stdlib.h>

/* a * b of numbers >= 0, at most INT64_MAX. */
static int64_t times(int64_t a, int64_t b)
{
	return b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

espl_op espl_op_default(espl_op_kind kind)
{
	return (espl_op){
	        .kind = kind,
	        .kernel_rows = 1,
	        .kernel_columns = 1,
	        .stride_rows = 1,
	        .stride_columns = 1,
	        .dilation_rows = 1,
	        .dilation_columns = 1,
	        .depth_multiplier = 1,
	        .low = INT8_MIN,
	        .high = INT8_MAX,
	};
}

int espl_tensor_elements(const espl_tensor *tensor)
{
	const int64_t positions = times(tensor->rows, tensor->columns);
	const int64_t elements = times(positions, tensor->channels);

	return elements > INT32_MAX ? INT32_MAX : (int)elements;
}

espl_scale espl_pool_scale(const espl_net *net, const espl_op *op, int cells)
{
	const float in = (float)net->tensors[op->inputs[0]].scale;
	const float out = (float)net->tensors[op->output].scale;
	const float whole = out * (float)cells;

	return espl_scale_from_float32(in / whole);
}

int32_t espl_onnx_add(const espl_net *net, const espl_op *op, int32_t a, int32_t b)
{
	const int32_t offset = op->file_offset;
	const espl_float_sum sum = {
	        .scales = {espl_scale_to_float32(op->in_scales[0]),
	                   espl_scale_to_float32(op->in_scales[1])},
	        .zeros = {net->tensors[op->inputs[0]].zero_point + offset,
	                  net->tensors[op->inputs[1]].zero_point + offset},
	        .zero_point = net->tensors[op->output].zero_point + offset,
	};

	return espl_add_float32(&sum, a + offset, b + offset, op->low + offset, op->high + offset) -
	       offset;
}

int64_t espl_op_weights(const espl_net *net, const espl_op *op)
{
	const espl_tensor *input, *output;
	int64_t cells;

	if (op->input_count < 1)
		return 0;
	input = &net->tensors[op->inputs[0]];
	output = &net->tensors[op->output];
	cells = times(op->kernel_rows, op->kernel_columns);
	switch (op->kind) {
	case ESPL_OP_CONV:
		return times(times(cells, input->channels), output->channels);
	case ESPL_OP_DEPTHWISE:
		return times(cells, output->channels);
	case ESPL_OP_DENSE:
		return times(espl_tensor_elements(input), output->channels);
	default:
		return 0;
	}
}

int64_t espl_op_multiplications(const espl_net *net, const espl_op *op)
{
	const espl_tensor *output = &net->tensors[op->output];

	/* Every weight is used once at every position of the output. */
	return times(espl_op_weights(net, op), times(output->rows, output->columns));
}

int64_t espl_weights_bytes(const int8_t *weights, int64_t count, int bits)
{
	int64_t entries = 0, zeros = 0, nonzeros = 0, least, other;

	for (int64_t i = 0; i < count; i++) {
		if (!weights[i]) {
			zeros++;
			continue;
		}
		entries += 1 + zeros / 16; /* fillers skip 15 zeros and are one more */
		nonzeros++;
		zeros = 0;
	}
	least = (count * bits + 7) / 8;
	other = (entries * (bits + 4) + 7) / 8;
	least = other < least ? other : least;
	other = (count + nonzeros * bits + 7) / 8;
	return other < least ? other : least;
}

static int bits_for(int greatest)
{
	int bits = 2;

	while (greatest > (1 << (bits - 1)) - 1)
		bits++;
	return bits;
}

int64_t espl_model_bytes(const espl_net *net)
{
	int64_t bytes = 0;

	for (int o = 0; o < net->op_count; o++) {
		const espl_op *op = &net->ops[o];
		const int64_t count = espl_op_weights(net, op);
		int greatest = 0;

		if (!count)
			continue;
		for (int64_t i = 0; i < count; i++)
			greatest = abs(op->weights[i]) > greatest ? abs(op->weights[i]) : greatest;
		bytes += espl_weights_bytes(op->weights, count, bits_for(greatest)) +
		         9 * (int64_t)net->tensors[op->output].channels;
	}
	return bytes;
}

void espl_op_reach(const espl_net *net, const espl_op *op, int channel, int64_t *least,
                   int64_t *most)
{
	const int32_t zero_point = net->tensors[op->inputs[0]].zero_point;
	const int outputs = net->tensors[op->output].channels;
	const int64_t each = espl_op_weights(net, op) / outputs;
	const bool depthwise = op->kind == ESPL_OP_DEPTHWISE;
	const int8_t *weights = op->weights + (depthwise ? channel : channel * each);
	const int64_t stride = depthwise ? outputs : 1;

	*least = *most = op->bias[channel];
	for (int64_t i = 0; i < each; i++) {
		const int64_t low = weights[i * stride] * (INT8_MIN - zero_point);
		const int64_t high = weights[i * stride] * (INT8_MAX - zero_point);

		*least += low < high ? low : high;
		*most += low < high ? high : low;
	}
}
