/* Small nets made by a seed: branches, strides, pools, vectors, two results.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiny_net.h"

#include <stdlib.h>

enum { MOST = 24 };

typedef struct {
	espl_arena *arena;
	espl_net *net;
	uint32_t random;
	int keep; /* every so-manieth weight is not zero */
} builder;

static int below(builder *b, int count)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 17;
	b->random ^= b->random << 5;
	return (int)(b->random % (uint32_t)count);
}

static espl_tensor *tensor_of(const builder *b, int t)
{
	return &b->net->tensors[t];
}

static int add_tensor(builder *b, int rows, int columns, int channels)
{
	static const int zeros[] = {-128, 0, 5};
	const int t = b->net->tensor_count++;

	*tensor_of(b, t) = (espl_tensor){espl_arena_format(b->arena, "t%d", t),
	                                 rows,
	                                 columns,
	                                 channels,
	                                 0.05,
	                                 zeros[below(b, 3)]};
	return t;
}

static espl_op *add_op(builder *b, espl_op_kind kind, int input, int output)
{
	espl_op *op = &b->net->ops[b->net->op_count];

	*op = espl_op_default(kind);
	op->name = espl_arena_format(b->arena, "%s%d", espl_op_name(kind), b->net->op_count);
	op->input_count = 1;
	op->inputs[0] = input;
	op->output = output;
	b->net->op_count++;
	return op;
}

static void add_weights(builder *b, espl_op *op, int outputs, int count)
{
	int8_t *weights = ESPL_ARRAY(b->arena, int8_t, count);
	int32_t *bias = ESPL_ARRAY(b->arena, int32_t, outputs);
	espl_scale *scales = ESPL_ARRAY(b->arena, espl_scale, outputs);

	for (int i = 0; i < count; i++)
		if (!below(b, b->keep))
			weights[i] = (int8_t)(below(b, 253) - 126);
	for (int o = 0; o < outputs; o++) {
		bias[o] = below(b, 4001) - 2000;
		scales[o] = (espl_scale){(1 << 30) + below(b, 1 << 30), -9 + below(b, 2)};
	}
	op->weights = weights;
	op->bias = bias;
	op->scales = scales;
}

/* SAME padding along one axis; gives the output's size. */
static int same(int size, int kernel, int stride, int *before, int *after)
{
	const int count = (size + stride - 1) / stride;
	const int total = (count - 1) * stride + kernel - size;

	*before = total > 0 ? total / 2 : 0;
	*after = total > 0 ? total - total / 2 : 0;
	return count;
}

/* A square window with SAME padding. */
static int window(builder *b, espl_op_kind kind, int input, int kernel, int stride, int outputs)
{
	const espl_tensor in = *tensor_of(b, input);
	const int output = add_tensor(b, 1, 1, outputs);
	espl_op *op = add_op(b, kind, input, output);

	op->kernel_rows = op->kernel_columns = kernel;
	op->stride_rows = op->stride_columns = stride;
	tensor_of(b, output)->rows = same(in.rows, kernel, stride, &op->pad_top, &op->pad_bottom);
	tensor_of(b, output)->columns =
	        same(in.columns, kernel, stride, &op->pad_left, &op->pad_right);
	if (kind == ESPL_OP_CONV)
		add_weights(b, op, outputs, outputs * kernel * kernel * in.channels);
	else if (kind == ESPL_OP_DEPTHWISE)
		add_weights(b, op, outputs, outputs * kernel * kernel);
	else
		tensor_of(b, output)->zero_point = in.zero_point;
	return output;
}

static int joined(builder *b, int input)
{
	const int channels = 1 + below(b, 6);
	const int left = window(b, ESPL_OP_CONV, input, 3, 1, channels);
	const int right = window(b, ESPL_OP_CONV, input, 1, 1, channels);
	const bool sum = below(b, 2);
	const espl_tensor of = *tensor_of(b, left);
	const int output = add_tensor(b, of.rows, of.columns, sum ? channels : 2 * channels);
	espl_op *op = add_op(b, sum ? ESPL_OP_ADD : ESPL_OP_CONCAT, left, output);

	op->input_count = 2;
	op->inputs[1] = right;
	if (!sum)
		tensor_of(b, right)->zero_point = tensor_of(b, output)->zero_point = of.zero_point;
	op->in_scales[0] = (espl_scale){1 << 30, 0};
	op->in_scales[1] = (espl_scale){(1 << 30) + 12345, -1};
	op->out_scale = (espl_scale){1 << 30, -18};
	return output;
}

static int dense(builder *b, int input, int outputs)
{
	const int count = espl_tensor_elements(tensor_of(b, input));
	const int output = add_tensor(b, 1, 1, outputs);
	espl_op *op = add_op(b, ESPL_OP_DENSE, input, output);

	add_weights(b, op, outputs, outputs * count);
	op->scale_per_tensor = below(b, 2);
	for (int o = 1; op->scale_per_tensor && o < outputs; o++)
		((espl_scale *)op->scales)[o] = op->scales[0];
	return output;
}

static int mean(builder *b, int input)
{
	const int output = add_tensor(b, 1, 1, tensor_of(b, input)->channels);

	add_op(b, ESPL_OP_MEAN, input, output)->out_scale = (espl_scale){1 << 30, -2};
	return output;
}

static builder begin(espl_arena *arena, uint32_t seed, int rows, int columns, int channels)
{
	builder b = {.arena = arena, .random = seed * 2654435761u + 1, .keep = 1};

	for (int i = 0; i < 8; i++)
		below(&b, 2);
	b.net = ESPL_NEW(arena, espl_net);
	b.net->name = "tiny";
	b.net->rounding = below(&b, 2) ? ESPL_ROUND_TFLM : ESPL_ROUND_SINGLE;
	b.net->tensors = ESPL_ARRAY(arena, espl_tensor, MOST);
	b.net->ops = ESPL_ARRAY(arena, espl_op, MOST);
	b.net->inputs = ESPL_ARRAY(arena, int, 1);
	b.net->outputs = ESPL_ARRAY(arena, int, 2);
	b.net->input_types = ESPL_ARRAY(arena, espl_type, 1);
	b.net->output_types = ESPL_ARRAY(arena, espl_type, 2);
	b.net->inputs[b.net->input_count++] = add_tensor(&b, rows, columns, channels);
	return b;
}

/* Ends with the results; a net that does not pass its check is a mistake here. */
static const espl_net *end(builder *b, int first, int second)
{
	espl_error err = {0};

	b->net->outputs[b->net->output_count++] = first;
	if (second >= 0)
		b->net->outputs[b->net->output_count++] = second;
	if (espl_net_check(b->net, &err))
		abort();
	return b->net;
}

const espl_net *tiny_net(espl_arena *arena, uint32_t seed)
{
	static const espl_op_kind pools[] = {ESPL_OP_MAX_POOL, ESPL_OP_AVERAGE_POOL};
	builder b =
	        begin(arena, seed, 3 + (int)(seed % 7), 2 + (int)(seed % 11), 1 + (int)(seed % 5));
	int t = b.net->inputs[0], second = -1;

	b.keep = 1 + below(&b, 3);
	t = window(&b, ESPL_OP_CONV, t, 1 + below(&b, 4), 1 + below(&b, 2), 1 + below(&b, 8));
	for (int steps = below(&b, 3); steps > 0; steps--)
		switch (below(&b, 4)) {
		case 0:
			t = joined(&b, t);
			break;
		case 1:
			t = window(&b, ESPL_OP_DEPTHWISE, t, 3, 1 + below(&b, 2),
			           tensor_of(&b, t)->channels);
			break;
		case 2:
			t = window(&b, pools[below(&b, 2)], t, 2 + below(&b, 2), 1 + below(&b, 2),
			           tensor_of(&b, t)->channels);
			break;
		default:
			t = window(&b, ESPL_OP_CONV, t, 3, 1, 1 + below(&b, 9));
		}
	switch (below(&b, 3)) {
	case 0:
		t = mean(&b, t);
		second = dense(&b, t, 1 + below(&b, 5));
		t = dense(&b, t, 1 + below(&b, 20));
		break;
	case 1:
		t = dense(&b, dense(&b, t, 1 + below(&b, 12)), 1 + below(&b, 5));
		break;
	default:
		break;
	}
	return end(&b, t, second);
}

const espl_net *tiny_conv(espl_arena *arena, uint32_t seed, const int shape[3], int kernel,
                          int stride, int outputs, int zeros)
{
	builder b = begin(arena, seed, shape[0], shape[1], shape[2]);

	b.keep = zeros;
	return end(&b, window(&b, ESPL_OP_CONV, b.net->inputs[0], kernel, stride, outputs), -1);
}
