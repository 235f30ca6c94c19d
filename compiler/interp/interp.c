/* Runs the net: one operator after the other, none forgotten.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The operators that move bytes or look at one cell at a time are here; the
 * sums are in weighted.c, the pools in pool.c.
 */
#include "interp/interp.h"

#include "interp/operators.h"
#include "math/softmax.h"

#include <assert.h>
#include <string.h>

/* Both terms are scaled from 20 bits further left to the output's scale (TFLite's ADD). */
static void run_add(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *out = &net->tensors[op->output];
	const int count = espl_tensor_elements(out);

	for (int i = 0; i < count && net->rounding == ESPL_ROUND_ONNX; i++)
		tensors[op->output][i] = (int8_t)espl_onnx_add(net, op, tensors[op->inputs[0]][i],
		                                               tensors[op->inputs[1]][i]);
	for (int i = 0; i < count && net->rounding != ESPL_ROUND_ONNX; i++) {
		uint32_t sum = 0;

		for (int k = 0; k < 2; k++) {
			int32_t value = tensors[op->inputs[k]][i];

			value = (value - net->tensors[op->inputs[k]].zero_point) * (1 << 20);
			sum += (uint32_t)espl_multiply_by_scale(value, op->in_scales[k],
			                                        net->rounding);
		}
		tensors[op->output][i] =
		        (int8_t)espl_requantize((int32_t)sum, op->out_scale, net->rounding,
		                                out->zero_point, op->low, op->high);
	}
}

static void run_pad(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *in = &net->tensors[op->inputs[0]];
	const espl_tensor *out = &net->tensors[op->output];
	const size_t in_row = (size_t)in->columns * in->channels;
	const size_t out_row = (size_t)out->columns * out->channels;
	int8_t *result = tensors[op->output];

	memset(result, (int8_t)out->zero_point, (size_t)espl_tensor_elements(out));
	for (int row = 0; row < in->rows; row++)
		memcpy(result + (row + op->pad_top) * out_row +
		               (size_t)op->pad_left * out->channels,
		       tensors[op->inputs[0]] + row * in_row, in_row);
}

static void run_concat(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *out = &net->tensors[op->output];
	const int cells = out->rows * out->columns;
	int first = 0; /* channel of the output */

	for (int k = 0; k < op->input_count; k++) {
		const int channels = net->tensors[op->inputs[k]].channels;

		for (int i = 0; i < cells; i++)
			memcpy(tensors[op->output] + (size_t)i * out->channels + first,
			       tensors[op->inputs[k]] + (size_t)i * channels, (size_t)channels);
		first += channels;
	}
}

static void run_softmax(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const espl_tensor *out = &net->tensors[op->output];
	const int cells = out->rows * out->columns;

	for (int i = 0; i < cells; i++)
		espl_softmax(tensors[op->inputs[0]] + (size_t)i * out->channels, out->channels,
		             op->softmax_scale, op->softmax_least,
		             tensors[op->output] + (size_t)i * out->channels);
}

static void run_logistic(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	const int count = espl_tensor_elements(&net->tensors[op->output]);

	for (int i = 0; i < count; i++)
		tensors[op->output][i] = op->table[tensors[op->inputs[0]][i] + 128];
}

static void run_reshape(const espl_net *net, const espl_op *op, int8_t *const *tensors)
{
	memcpy(tensors[op->output], tensors[op->inputs[0]],
	       (size_t)espl_tensor_elements(&net->tensors[op->output]));
}

void espl_interp_run(const espl_net *net, const espl_op *op, int8_t *const *tensors,
                     espl_arena *scratch)
{
	assert(op->kind < ESPL_OP_COUNT);
	switch (op->kind) {
	case ESPL_OP_CONV:
		espl_interp_conv(net, op, tensors, scratch);
		return;
	case ESPL_OP_DEPTHWISE:
		espl_interp_depthwise(net, op, tensors, scratch);
		return;
	case ESPL_OP_DENSE:
		espl_interp_dense(net, op, tensors, scratch);
		return;
	case ESPL_OP_ADD:
		run_add(net, op, tensors);
		return;
	case ESPL_OP_MAX_POOL:
		espl_interp_max_pool(net, op, tensors);
		return;
	case ESPL_OP_AVERAGE_POOL:
		espl_interp_average_pool(net, op, tensors);
		return;
	case ESPL_OP_MEAN:
		espl_interp_mean(net, op, tensors);
		return;
	case ESPL_OP_PAD:
		run_pad(net, op, tensors);
		return;
	case ESPL_OP_RESHAPE:
		run_reshape(net, op, tensors);
		return;
	case ESPL_OP_CONCAT:
		run_concat(net, op, tensors);
		return;
	case ESPL_OP_SOFTMAX:
		run_softmax(net, op, tensors);
		return;
	case ESPL_OP_LOGISTIC:
		run_logistic(net, op, tensors);
		return;
	case ESPL_OP_COUNT:
		return;
	}
}

void espl_interpret(const espl_net *net, const int8_t *const *inputs, int8_t *const *tensors)
{
	espl_arena *scratch = espl_arena_create();
	const espl_mark empty = espl_arena_mark(scratch);

	for (int i = 0; i < net->input_count; i++)
		memcpy(tensors[net->inputs[i]], inputs[i],
		       (size_t)espl_tensor_elements(&net->tensors[net->inputs[i]]));
	for (int i = 0; i < net->op_count; i++) {
		espl_interp_run(net, &net->ops[i], tensors, scratch);
		espl_arena_release(scratch, empty);
	}
	espl_arena_destroy(scratch);
}

int8_t **espl_interp_buffers(const espl_net *net, espl_arena *arena)
{
	int8_t **tensors = ESPL_ARRAY(arena, int8_t *, net->tensor_count);

	for (int i = 0; i < net->tensor_count; i++)
		tensors[i] = ESPL_ARRAY(arena, int8_t, espl_tensor_elements(&net->tensors[i]));
	return tensors;
}
