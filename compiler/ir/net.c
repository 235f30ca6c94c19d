/* What can be counted on a net.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/net.h"

/* a * b of numbers >= 0, at most INT64_MAX. */
static int64_t times(int64_t a, int64_t b)
{
	return b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

int espl_tensor_elements(const espl_tensor *tensor)
{
	const int64_t positions = times(tensor->rows, tensor->columns);
	const int64_t elements = times(positions, tensor->channels);

	return elements > INT32_MAX ? INT32_MAX : (int)elements;
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
