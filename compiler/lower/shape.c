/* Which tensors are only views of others: RESHAPE, PAD before a kernel, a fused LOGISTIC.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/pass.h"

static int reader_count(const espl_net *net, int tensor)
{
	int count = 0;

	for (int o = 0; o < net->op_count; o++)
		for (int i = 0; i < net->ops[o].input_count; i++)
			count += net->ops[o].inputs[i] == tensor;
	return count;
}

static bool is_output(const espl_net *net, int tensor)
{
	for (int o = 0; o < net->output_count; o++)
		if (net->outputs[o] == tensor)
			return true;
	return false;
}

static bool is_input(const espl_net *net, int tensor)
{
	for (int i = 0; i < net->input_count; i++)
		if (net->inputs[i] == tensor)
			return true;
	return false;
}

static bool reads_flat(espl_op_kind kind)
{
	return kind == ESPL_OP_DENSE || kind == ESPL_OP_SOFTMAX || kind == ESPL_OP_RESHAPE;
}

static bool pads_kernel(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE;
}

static bool all_readers(const espl_net *net, int tensor, bool (*accept)(espl_op_kind))
{
	for (int o = 0; o < net->op_count; o++)
		for (int i = 0; i < net->ops[o].input_count; i++)
			if (net->ops[o].inputs[i] == tensor && !accept(net->ops[o].kind))
				return false;
	return true;
}

static bool same_shape(const espl_tensor *a, const espl_tensor *b)
{
	return a->rows == b->rows && a->columns == b->columns && a->channels == b->channels;
}

static espl_status view_reshape(espl_pass *pass, int o, espl_error *err)
{
	const espl_op *op = &pass->net->ops[o];
	const int in = pass->views[op->inputs[0]].source;
	const espl_tensor *from = &pass->net->tensors[in], *to = &pass->net->tensors[op->output];

	pass->gone[o] = true;
	if (!pass->views[op->inputs[0]].padded &&
	    (same_shape(from, to) || all_readers(pass->net, op->output, reads_flat))) {
		pass->views[op->output].source = in;
		return ESPL_OK;
	}
	if (is_input(pass->net, in) && reader_count(pass->net, in) == 1 && in == op->inputs[0]) {
		pass->views[in].source = op->output; /* the input arrives in the new shape */
		return ESPL_OK;
	}
	return espl_fail(err, ESPL_UNSUPPORTED,
	                 "%s: reshape of %dx%dx%d to %dx%dx%d in the middle of the network",
	                 op->name, from->rows, from->columns, from->channels, to->rows, to->columns,
	                 to->channels);
}

static void view_pad(espl_pass *pass, int o)
{
	const espl_op *op = &pass->net->ops[o];
	const espl_view *in = &pass->views[op->inputs[0]];
	espl_view *out = &pass->views[op->output];

	if (is_output(pass->net, op->output) || !all_readers(pass->net, op->output, pads_kernel))
		return;
	pass->gone[o] = true;
	out->source = in->source;
	out->padded = true;
	out->pad_top = in->pad_top + op->pad_top;
	out->pad_left = in->pad_left + op->pad_left;
}

static bool ends_with_step(espl_op_kind kind)
{
	return kind == ESPL_OP_CONV || kind == ESPL_OP_DEPTHWISE || kind == ESPL_OP_DENSE;
}

static void fuse_logistic(espl_pass *pass, int o)
{
	const espl_op *op = &pass->net->ops[o];

	if (is_output(pass->net, op->inputs[0]) || reader_count(pass->net, op->inputs[0]) != 1)
		return;
	for (int p = 0; p < o; p++)
		if (pass->net->ops[p].output == op->inputs[0] &&
		    ends_with_step(pass->net->ops[p].kind)) {
			pass->table_of[p] = o;
			pass->gone[o] = true;
		}
}

espl_status espl_find_views(espl_pass *pass, espl_error *err)
{
	const espl_net *net = pass->net;

	for (int t = 0; t < net->tensor_count; t++)
		pass->views[t] = (espl_view){.source = t, .lowered = -1};
	for (int o = 0; o < net->op_count; o++) {
		const espl_op *op = &net->ops[o];

		pass->table_of[o] = -1;
		if (op->kind == ESPL_OP_RESHAPE)
			ESPL_TRY(view_reshape(pass, o, err));
		else if (op->kind == ESPL_OP_PAD)
			view_pad(pass, o);
		else if (op->kind == ESPL_OP_LOGISTIC)
			fuse_logistic(pass, o);
		else if (op->kind == ESPL_OP_SOFTMAX) {
			if (!is_output(net, op->output) || reader_count(net, op->output))
				return espl_fail(err, ESPL_UNSUPPORTED,
				                 "%s: a softmax can only be the last operator",
				                 op->name);
			pass->gone[o] = true;
		}
	}
	return ESPL_OK;
}
