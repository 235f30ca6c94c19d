/* The annotated graph becomes the integer net.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every operator with its clip becomes one operator of the net, whose scales are
 * the ratios of the steps around it. Where the net has no operator for a node,
 * an exact one takes its place: averages are depthwise convolutions of ones,
 * functions of one value are tables, a change of step between two values that
 * must be stored alike is a table too.
 */
#include "compress/quantize.h"

#include "compress/roles.h"
#include "math/float_scale.h"
#include "math/softmax.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { ADD_SHIFT = 20, TABLE_SIZE = 256 };

typedef struct {
	const espl_graph *graph;
	espl_arena *arena;
	espl_roles roles;
	espl_net *net;
	int *tensor_of; /* [value] that is stored */
} maker;

/* What is added to a stored value to make it int8. */
static int32_t offset_of(const espl_quantizer *q)
{
	return q->high > INT8_MAX ? INT8_MIN : 0;
}

static bool same_steps(const espl_quantizer *a, const espl_quantizer *b)
{
	return a->step == b->step && a->zero_point + offset_of(a) == b->zero_point + offset_of(b);
}

static const espl_quantizer *quantizer_of(const maker *m, int value)
{
	return &m->graph->values[value].quantizer;
}

static int new_tensor(maker *m, const char *name, const espl_value *like)
{
	const espl_quantizer *q = &like->quantizer;

	m->net->tensors[m->net->tensor_count] = (espl_tensor){
	        .name = espl_arena_string(m->arena, name),
	        .rows = like->rows,
	        .columns = like->columns,
	        .channels = like->channels,
	        .scale = (double)q->step,
	        .zero_point = q->zero_point + offset_of(q),
	};
	return m->net->tensor_count++;
}

/* A new operator of the net, named as the node. */
static espl_op *new_op(maker *m, espl_op_kind kind, const char *name, int input, int output)
{
	espl_op *op = &m->net->ops[m->net->op_count++];

	*op = espl_op_default(kind);
	op->name = espl_arena_string(m->arena, name);
	op->input_count = 1;
	op->inputs[0] = input;
	op->output = output;
	return op;
}

static void set_window(espl_op *op, const espl_node *node)
{
	op->kernel_rows = node->kernel_rows;
	op->kernel_columns = node->kernel_columns;
	op->stride_rows = node->stride_rows;
	op->stride_columns = node->stride_columns;
	op->dilation_rows = node->dilation_rows;
	op->dilation_columns = node->dilation_columns;
	op->pad_top = node->pad_top;
	op->pad_bottom = node->pad_bottom;
	op->pad_left = node->pad_left;
	op->pad_right = node->pad_right;
}

/* The bounds that quantizer and clip leave: rounding keeps order, so both are one. */
static void set_bounds(const maker *m, int n, espl_op *op)
{
	const espl_quantizer *q = quantizer_of(m, espl_stored_output(m->graph, &m->roles, n));
	int32_t low = q->low, high = q->high;

	for (n = m->roles.taken_by[n]; n >= 0; n = m->roles.taken_by[n]) {
		const espl_node *clip = &m->graph->nodes[n];
		const int32_t least = espl_store_value(q, clip->low);
		const int32_t most = espl_store_value(q, clip->high);

		low = least > low ? least : low;
		high = most < high ? most : high;
	}
	op->low = low + offset_of(q);
	op->high = high + offset_of(q);
}

/* -- weights
 * ------------------------------------------------------------------------------------ */

/* Moves a channel's scale by parts in 2^24 to one with which ONNX's rounding would give the same
 * everywhere, so that the net can be written as QLinear operators. */
static void snap_scale(const maker *m, const espl_op *op, int channel, espl_scale *scale)
{
	const espl_tensor *in = &m->net->tensors[op->inputs[0]];
	const espl_tensor *out = &m->net->tensors[op->output];
	espl_channel_step step = {.scale = *scale,
	                          .rounding = ESPL_ROUND_SINGLE,
	                          .zero_point = out->zero_point,
	                          .low = op->low,
	                          .high = op->high};

	espl_op_reach(m->net, op, channel, &step.least, &step.most);
	if (step.least >= INT32_MIN && step.most <= INT32_MAX)
		espl_float_scale_snap(&step, (float)in->scale, (float)out->scale, scale);
}

static espl_status make_scales(maker *m, const espl_node *node, const float *bias,
                               const float *weight_steps, double divisor, int output, espl_op *op,
                               espl_error *err)
{
	const int channels = m->graph->values[output].channels;
	const double in = (double)quantizer_of(m, node->inputs[0])->step;
	const double out = (double)quantizer_of(m, output)->step;
	espl_scale *scales = ESPL_ARRAY(m->arena, espl_scale, channels);
	int32_t *stored = ESPL_ARRAY(m->arena, int32_t, channels);

	for (int c = 0; c < channels; c++) {
		const double step = in * (weight_steps ? (double)weight_steps[c] : 1);
		const double near = bias ? floor((double)bias[c] / step + 0.5) : 0;

		if (near < INT32_MIN || near > INT32_MAX)
			return espl_fail(err, ESPL_RANGE,
			                 "%s: channel %d: the bias %g is %g steps, beyond 32 bits: "
			                 "a greater weight step is needed",
			                 node->name, c, (double)bias[c], near);
		if (!(step / divisor / out < 0x1p30))
			return espl_fail(err, ESPL_RANGE,
			                 "%s: channel %d: the ratio of steps is %g", node->name, c,
			                 step / divisor / out);
		stored[c] = (int32_t)near;
		scales[c] = espl_scale_from_real(step / divisor / out);
	}
	op->bias = stored;
	op->scales = scales;
	for (int c = 0; c < channels; c++)
		snap_scale(m, op, c, &scales[c]);
	return ESPL_OK;
}

/* Where in the net's weights the i-th weight of the graph's belongs: groups are spread out, with
 * zeros between. */
static int64_t place_of(const espl_graph *graph, const espl_node *node, int64_t i)
{
	const int in = graph->values[node->inputs[0]].channels;
	const int depth = in / node->groups, out = espl_node_outputs(graph, node);
	int64_t channel, cell;

	if (node->kind != ESPL_NODE_CONV || node->groups == 1)
		return i;
	channel = i / depth / (node->kernel_rows * node->kernel_columns);
	cell = i / depth; /* over output channels and the kernel's cells */
	return cell * in + channel / (out / node->groups) * depth + i % depth;
}

static void make_weights(maker *m, const espl_node *node, espl_op *op)
{
	const int64_t count = espl_node_weights(m->graph, node);
	int8_t *weights = ESPL_ARRAY(m->arena, int8_t, espl_op_weights(m->net, op));

	for (int64_t i = 0; i < count; i++)
		weights[place_of(m->graph, node, i)] = (int8_t)espl_store_weight(
		        node->weights[i],
		        node->weight_steps[espl_weight_channel(m->graph, node, i)],
		        node->weight_bits);
	op->weights = weights;
}

static espl_status make_weighted(maker *m, int n, espl_error *err)
{
	static const espl_op_kind kinds[] = {
	        [ESPL_NODE_CONV] = ESPL_OP_CONV,
	        [ESPL_NODE_DEPTHWISE] = ESPL_OP_DEPTHWISE,
	        [ESPL_NODE_DENSE] = ESPL_OP_DENSE,
	};
	const espl_node *node = &m->graph->nodes[n];
	const int output = espl_stored_output(m->graph, &m->roles, n);
	espl_op *op;

	if (!node->weight_bits)
		return espl_fail(err, ESPL_SHAPE, "%s: the weights have no steps", node->name);
	op = new_op(m, kinds[node->kind], node->name, m->tensor_of[node->inputs[0]],
	            m->tensor_of[output]);
	if (node->kind != ESPL_NODE_DENSE)
		set_window(op, node);
	op->depth_multiplier = node->depth_multiplier;
	set_bounds(m, n, op);
	make_weights(m, node, op);
	return make_scales(m, node, node->bias, node->weight_steps, 1, output, op, err);
}

/* An average of as many cells everywhere: a sum, whose scale divides. */
static espl_status make_average(maker *m, int n, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const int output = espl_stored_output(m->graph, &m->roles, n);
	const int cells = node->kernel_rows * node->kernel_columns;
	const size_t count = (size_t)cells * (size_t)m->graph->values[output].channels;
	espl_op *op = new_op(m, ESPL_OP_DEPTHWISE, node->name, m->tensor_of[node->inputs[0]],
	                     m->tensor_of[output]);
	int8_t *weights = ESPL_ARRAY(m->arena, int8_t, count);

	memset(weights, 1, count);
	op->weights = weights;
	set_window(op, node);
	set_bounds(m, n, op);
	return make_scales(m, node, NULL, NULL, cells, output, op, err);
}

/* -- without weights
 * ---------------------------------------------------------------------------- */

static double apply(const espl_node *node, double x)
{
	switch (node->kind) {
	case ESPL_NODE_CLIP:
		return x < (double)node->low    ? (double)node->low
		       : x > (double)node->high ? (double)node->high
		                                : x;
	case ESPL_NODE_LEAKY:
		return x < 0 ? (double)node->slope * x : x;
	case ESPL_NODE_SIGMOID:
		return 1 / (1 + exp(-x));
	case ESPL_NODE_TANH:
		return tanh(x);
	case ESPL_NODE_HARD_SIGMOID:
		x = (double)node->slope * x + (double)node->shift;
		return x < 0 ? 0 : x > 1 ? 1 : x;
	case ESPL_NODE_HARD_SWISH:
		return x * fmin(fmax(x / 6 + 0.5, 0), 1);
	default:
		return x; /* only the step changes */
	}
}

/* The function of a node, or a mere change of step, as a table. */
static void make_table(maker *m, const espl_node *node, const espl_quantizer *from,
                       const espl_quantizer *to, const char *name, int input, int output)
{
	espl_op *op = new_op(m, ESPL_OP_LOGISTIC, name, input, output);
	int8_t *table = ESPL_ARRAY(m->arena, int8_t, TABLE_SIZE);

	for (int i = 0; i < TABLE_SIZE; i++) {
		int32_t stored = i + INT8_MIN - offset_of(from);

		stored = stored < from->low ? from->low : stored > from->high ? from->high : stored;
		table[i] =
		        (int8_t)(espl_store_value(to, (float)apply(node, (double)espl_stored_value(
		                                                                 from, stored))) +
		                 offset_of(to));
	}
	op->table = table;
}

/* The tensor of a value in another value's steps: itself, or what a table makes of it. */
static int in_steps_of(maker *m, const espl_node *node, int value, int like)
{
	static const espl_node nothing = {.kind = ESPL_NODE_RESHAPE};
	espl_value changed = m->graph->values[value];
	const char *name;
	int tensor;

	if (same_steps(quantizer_of(m, value), quantizer_of(m, like)))
		return m->tensor_of[value];
	name = espl_arena_format(m->arena, "%s.steps.%d", node->name, value);
	changed.quantizer = *quantizer_of(m, like);
	tensor = new_tensor(m, name, &changed);
	make_table(m, &nothing, quantizer_of(m, value), quantizer_of(m, like), name,
	           m->tensor_of[value], tensor);
	return tensor;
}

static espl_status make_add(maker *m, int n, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const espl_value *a = &m->graph->values[node->inputs[0]];
	const espl_value *b = &m->graph->values[node->inputs[1]];
	const int output = espl_stored_output(m->graph, &m->roles, n);
	const double greater = fmax((double)a->quantizer.step, (double)b->quantizer.step);
	const double real =
	        2 * greater / ((double)(1 << ADD_SHIFT) * (double)quantizer_of(m, output)->step);
	espl_op *op;

	if (a->rows != b->rows || a->columns != b->columns)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "%s: the net adds values of one shape, these are %d x %d and "
		                 "%d x %d",
		                 node->name, a->rows, a->columns, b->rows, b->columns);
	if (!(real < 1))
		return espl_fail(err, ESPL_RANGE, "%s: the step of the sum, %g, is too small",
		                 node->name, (double)quantizer_of(m, output)->step);
	op = new_op(m, ESPL_OP_ADD, node->name, m->tensor_of[node->inputs[0]],
	            m->tensor_of[output]);
	op->input_count = 2;
	op->inputs[1] = m->tensor_of[node->inputs[1]];
	op->in_scales[0] = espl_scale_from_real((double)a->quantizer.step / (2 * greater));
	op->in_scales[1] = espl_scale_from_real((double)b->quantizer.step / (2 * greater));
	op->out_scale = espl_scale_from_real(real);
	set_bounds(m, n, op);
	return ESPL_OK;
}

/* The quantizer's range as a table's, where the operator of the net has no bounds of its own. */
static espl_status make_mean(maker *m, int n, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const espl_value *in = &m->graph->values[node->inputs[0]];
	const espl_quantizer *out = quantizer_of(m, node->output);
	const double cells = (double)in->rows * in->columns;
	const double real = (double)in->quantizer.step / ((double)out->step * cells);
	const bool whole = out->high - out->low == TABLE_SIZE - 1;
	espl_op *op;

	if (in->rows <= 64 && in->columns <= 64 && !whole) {
		/* a depthwise convolution can bound its results, a mean of the net can not */
		espl_node window = *node;
		int8_t *ones = ESPL_ARRAY(m->arena, int8_t, espl_value_elements(in));

		op = new_op(m, ESPL_OP_DEPTHWISE, node->name, m->tensor_of[node->inputs[0]],
		            m->tensor_of[node->output]);
		window.kernel_rows = in->rows;
		window.kernel_columns = in->columns;
		set_window(op, &window);
		set_bounds(m, n, op);
		memset(ones, 1, (size_t)espl_value_elements(in));
		op->weights = ones;
		return make_scales(m, node, NULL, NULL, cells, node->output, op, err);
	}
	if (!whole)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "%s: a mean over %d x %d cells is stored in 8 bits only",
		                 node->name, in->rows, in->columns);
	if (!(real < 0x1p30))
		return espl_fail(err, ESPL_RANGE, "%s: the ratio of steps is %g", node->name, real);
	op = new_op(m, ESPL_OP_MEAN, node->name, m->tensor_of[node->inputs[0]],
	            m->tensor_of[node->output]);
	op->out_scale = espl_scale_from_real(real);
	return ESPL_OK;
}

/* MAX_POOL, and AVERAGE_POOL over a varying count of cells: the step does not change. */
static void make_pool(maker *m, int n, espl_op_kind kind)
{
	const espl_node *node = &m->graph->nodes[n];
	const int output = espl_stored_output(m->graph, &m->roles, n);
	const int input = in_steps_of(m, node, node->inputs[0], output);
	espl_op *op = new_op(m, kind, node->name, input, m->tensor_of[output]);

	set_window(op, node);
	set_bounds(m, n, op);
}

/* PAD, RESHAPE, CONCAT: bytes are moved. */
static espl_status make_move(maker *m, int n, espl_op_kind kind, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const espl_quantizer *out = quantizer_of(m, node->output);
	int inputs[ESPL_MAX_INPUTS];
	espl_op *op;

	for (int i = 0; i < node->input_count; i++) {
		const espl_quantizer *in = quantizer_of(m, node->inputs[i]);

		inputs[i] = in_steps_of(m, node, node->inputs[i], node->output);
		if (same_steps(in, out) && (in->low + offset_of(in) < out->low + offset_of(out) ||
		                            in->high + offset_of(in) > out->high + offset_of(out)))
			return espl_fail(err, ESPL_SHAPE,
			                 "%s: its input is stored within %d..%d, its output within "
			                 "%d..%d: give them one quantizer",
			                 node->name, in->low, in->high, out->low, out->high);
	}
	op = new_op(m, kind, node->name, inputs[0], m->tensor_of[node->output]);
	op->input_count = node->input_count;
	memcpy(op->inputs, inputs, sizeof inputs);
	if (node->kind == ESPL_NODE_PAD)
		set_window(op, node);
	return ESPL_OK;
}

static espl_status make_softmax(maker *m, int n, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const espl_quantizer *out = quantizer_of(m, node->output);
	const double step = (double)quantizer_of(m, node->inputs[0])->step;
	espl_op *op;

	if (out->step != 1.0f / 256 || out->zero_point + offset_of(out) != INT8_MIN)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: a softmax is stored with step 1/256 and zero point -128",
		                 node->name);
	if (!(step > 0x1p-26) || !(step < 0x1p38))
		return espl_fail(err, ESPL_RANGE, "%s: the step of its input is %g", node->name,
		                 step);
	op = new_op(m, ESPL_OP_SOFTMAX, node->name, m->tensor_of[node->inputs[0]],
	            m->tensor_of[node->output]);
	espl_softmax_prepare(step, 1, &op->softmax_scale, &op->softmax_least);
	return ESPL_OK;
}

static espl_status make_op(maker *m, int n, espl_error *err)
{
	const espl_node *node = &m->graph->nodes[n];
	const bool pads = node->pad_top || node->pad_bottom || node->pad_left || node->pad_right;

	if (m->roles.takes[n] && node->kind == ESPL_NODE_CLIP)
		return ESPL_OK; /* part of the operator before it */
	if (espl_is_table(&m->roles, m->graph, n)) {
		make_table(m, node, quantizer_of(m, node->inputs[0]), quantizer_of(m, node->output),
		           node->name, m->tensor_of[node->inputs[0]], m->tensor_of[node->output]);
		return ESPL_OK;
	}
	switch (node->kind) {
	case ESPL_NODE_CONV:
	case ESPL_NODE_DEPTHWISE:
	case ESPL_NODE_DENSE:
		return make_weighted(m, n, err);
	case ESPL_NODE_ADD:
		return make_add(m, n, err);
	case ESPL_NODE_MAX_POOL:
		make_pool(m, n, ESPL_OP_MAX_POOL);
		return ESPL_OK;
	case ESPL_NODE_AVERAGE_POOL:
		if (!pads || node->count_pads)
			return make_average(m, n, err);
		make_pool(m, n, ESPL_OP_AVERAGE_POOL);
		return ESPL_OK;
	case ESPL_NODE_MEAN:
		return make_mean(m, n, err);
	case ESPL_NODE_PAD:
		return make_move(m, n, ESPL_OP_PAD, err);
	case ESPL_NODE_RESHAPE:
		return make_move(m, n, ESPL_OP_RESHAPE, err);
	case ESPL_NODE_CONCAT:
		return make_move(m, n, ESPL_OP_CONCAT, err);
	case ESPL_NODE_SOFTMAX:
		return make_softmax(m, n, err);
	case ESPL_NODE_BATCH_NORM:
		return espl_fail(err, ESPL_SHAPE, "%s: a batch norm that is not folded",
		                 node->name);
	default:
		return espl_fail(err, ESPL_UNSUPPORTED, "%s: the net has no %s", node->name,
		                 espl_node_name(node->kind));
	}
}

static espl_status check_steps(const maker *m, espl_error *err)
{
	for (int v = 0; v < m->graph->value_count; v++) {
		const espl_value *value = &m->graph->values[v];
		const int32_t zero = value->quantizer.zero_point + offset_of(&value->quantizer);

		if (!m->roles.stored[v])
			continue;
		if (!value->quantizer.bits)
			return espl_fail(err, ESPL_SHAPE,
			                 "%s: a value without a step; calibrate it", value->name);
		if (value->quantizer.low + offset_of(&value->quantizer) < INT8_MIN ||
		    zero < INT8_MIN || zero > INT8_MAX)
			return espl_fail(err, ESPL_RANGE,
			                 "%s: stored within %d..%d with zero point %d, which no "
			                 "int8 does",
			                 value->name, value->quantizer.low, value->quantizer.high,
			                 value->quantizer.zero_point);
	}
	return ESPL_OK;
}

static void make_borders(maker *m)
{
	const espl_graph *graph = m->graph;
	espl_net *net = m->net;

	net->input_count = graph->input_count;
	net->output_count = graph->output_count;
	net->inputs = ESPL_ARRAY(m->arena, int, graph->input_count);
	net->outputs = ESPL_ARRAY(m->arena, int, graph->output_count);
	net->input_types = ESPL_ARRAY(m->arena, espl_type, graph->input_count);
	net->output_types = ESPL_ARRAY(m->arena, espl_type, graph->output_count);
	for (int i = 0; i < graph->input_count; i++)
		net->inputs[i] = m->tensor_of[graph->inputs[i]];
	for (int i = 0; i < graph->output_count; i++)
		net->outputs[i] = m->tensor_of[graph->outputs[i]];
}

/* The most tensors or operators that a node makes: itself, and a table for each input. */
static int most_of(const espl_graph *graph)
{
	int count = graph->value_count;

	for (int n = 0; n < graph->node_count; n++)
		count += 1 + graph->nodes[n].input_count;
	return count;
}

espl_status espl_graph_to_net(const espl_graph *graph, espl_arena *arena, espl_net **net,
                              espl_error *err)
{
	maker m = {.graph = graph, .arena = arena};

	ESPL_TRY(espl_graph_check(graph, err));
	m.roles = espl_find_roles(graph, arena);
	ESPL_TRY(check_steps(&m, err));
	m.net = ESPL_NEW(arena, espl_net);
	m.net->name = espl_arena_string(arena, graph->name);
	m.net->rounding = ESPL_ROUND_SINGLE;
	m.net->tensors = ESPL_ARRAY(arena, espl_tensor, most_of(graph));
	m.net->ops = ESPL_ARRAY(arena, espl_op, most_of(graph));
	m.tensor_of = ESPL_ARRAY(arena, int, graph->value_count);
	for (int v = 0; v < graph->value_count; v++)
		if (m.roles.stored[v])
			m.tensor_of[v] = new_tensor(&m, graph->values[v].name, &graph->values[v]);
	for (int n = 0; n < graph->node_count; n++)
		ESPL_TRY(make_op(&m, n, err));
	make_borders(&m);
	ESPL_TRY(espl_net_check(m.net, err));
	*net = m.net;
	return ESPL_OK;
}
