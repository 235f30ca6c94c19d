/* Which channels need not be computed: constant, and folded by all that read them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A constant channel may go when every reader can do without: a convolution or
 * a dense layer folds it into its bias, unless padding (which stands for the zero
 * point) could take its place under the kernel; a channel-by-channel operator
 * needs it just when it must make the channel of its result. A tensor keeps at
 * least one channel.
 */
#include "lower/pass.h"

static bool output_removed(const espl_pass *pass, const espl_op *op, int channel)
{
	const int table = pass->table_of[op - pass->net->ops];
	const int result = table >= 0 ? pass->net->ops[table].output : op->output;

	return pass->views[result].removed[channel];
}

/* Whether an operator can do without a constant channel of its `operand`-th input. */
static bool spares(const espl_pass *pass, const espl_op *op, int operand, int channel)
{
	const int t = pass->views[op->inputs[operand]].source;
	const bool is_zero = pass->views[t].least[channel] == pass->net->tensors[t].zero_point;
	int offset = 0;

	switch (op->kind) {
	case ESPL_OP_CONV:
		return is_zero || !espl_reads_padding(pass, op);
	case ESPL_OP_DENSE:
		return true;
	case ESPL_OP_RESHAPE:
		return true; /* its readers are asked */
	case ESPL_OP_CONCAT:
		for (int i = 0; i < operand; i++)
			offset += pass->net->tensors[op->inputs[i]].channels;
		return output_removed(pass, op, offset + channel);
	case ESPL_OP_DEPTHWISE:
		for (int m = 0; m < op->depth_multiplier; m++)
			if (!output_removed(pass, op, channel * op->depth_multiplier + m))
				return false;
		return true;
	case ESPL_OP_PAD:
		if (pass->gone[op - pass->net->ops])
			return true; /* its readers are asked */
		return output_removed(pass, op, channel);
	case ESPL_OP_SOFTMAX:
		return false;
	default:
		return output_removed(pass, op, channel);
	}
}

static bool needed(const espl_pass *pass, int t, int channel)
{
	const espl_net *net = pass->net;

	if (pass->views[t].least[channel] != pass->views[t].most[channel])
		return true;
	for (int o = 0; o < net->op_count; o++)
		for (int i = 0; i < net->ops[o].input_count; i++)
			if (pass->views[net->ops[o].inputs[i]].source == t &&
			    !spares(pass, &net->ops[o], i, channel))
				return true;
	return false;
}

/* Keeps a channel after all, and with it the channels of CONCATs that hold it. */
static void keep(espl_pass *pass, int t, int channel)
{
	const espl_net *net = pass->net;

	pass->views[t].removed[channel] = false;
	for (int o = 0; o < net->op_count; o++) {
		int offset = 0;

		if (net->ops[o].kind != ESPL_OP_CONCAT)
			continue;
		for (int i = 0; i < net->ops[o].input_count; i++) {
			if (pass->views[net->ops[o].inputs[i]].source == t)
				keep(pass, net->ops[o].output, offset + channel);
			offset += net->tensors[net->ops[o].inputs[i]].channels;
		}
	}
}

static bool is_border(const espl_pass *pass, int t)
{
	const espl_net *net = pass->net;

	for (int i = 0; i < net->input_count; i++)
		if (pass->views[net->inputs[i]].source == t)
			return true;
	for (int o = 0; o < net->output_count; o++)
		if (pass->views[net->outputs[o]].source == t)
			return true;
	return false;
}

static void remove_from(espl_pass *pass, int t)
{
	const int channels = pass->net->tensors[t].channels;
	const bool all = is_border(pass, t); /* the user's tensors are whole */
	espl_view *view = &pass->views[t];
	int left = 0;

	for (int c = 0; c < channels; c++) {
		view->removed[c] = true;
		if (all || needed(pass, t, c))
			keep(pass, t, c);
		left += !view->removed[c];
	}
	if (!left)
		keep(pass, t, 0);
}

void espl_find_removed(espl_pass *pass)
{
	for (int o = pass->net->op_count - 1; o >= 0; o--) {
		const espl_op *op = &pass->net->ops[o];

		/* what a fused LOGISTIC reads is never stored */
		if (pass->views[op->output].source == op->output && pass->table_of[o] < 0)
			remove_from(pass, op->output);
	}
}
