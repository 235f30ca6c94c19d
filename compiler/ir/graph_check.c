/* Every invariant of a graph, checked.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/graph.h"
#include "ir/net.h"
#include "ir/wiring.h"

#include <math.h>
#include <string.h>

enum {
	COUNT_MAX = 1 << 16, /* values; nodes */
	KERNEL_MAX = 64,
	STEP_MAX = 16,              /* strides, dilations */
	STORED_MIN = -128,          /* of any quantizer: int8 ... */
	STORED_MAX = 255,           /* ... or uint8 */
	MEAN_CELLS_MAX = 1 << 16,   /* as the net's */
	SOFTMAX_CHANNELS_MAX = 4095 /* as the net's */
};

static const int64_t total_elements_max = INT64_C(1) << 30;

static espl_status check_quantizer(const espl_value *value, espl_error *err)
{
	const espl_quantizer *q = &value->quantizer;

	if (!q->bits)
		return ESPL_OK;
	if (q->bits < 2 || q->bits > 8)
		return espl_fail(err, ESPL_RANGE, "%s: %d bits, 0 or 2 to 8 are allowed",
		                 value->name, q->bits);
	if (!(q->step > 0) || !isfinite(q->step))
		return espl_fail(err, ESPL_RANGE, "%s: step %g is not positive", value->name,
		                 (double)q->step);
	if (q->low < STORED_MIN || q->high > STORED_MAX || q->low >= q->high ||
	    q->high - q->low >= 1 << q->bits)
		return espl_fail(err, ESPL_RANGE, "%s: %d..%d is no range of %d bits", value->name,
		                 q->low, q->high, q->bits);
	if (q->zero_point < STORED_MIN || q->zero_point > STORED_MAX)
		return espl_fail(err, ESPL_RANGE, "%s: zero point %d is not in %d..%d", value->name,
		                 q->zero_point, (int)STORED_MIN, (int)STORED_MAX);
	return ESPL_OK;
}

static espl_status check_values(const espl_graph *graph, espl_error *err)
{
	int64_t total = 0;

	for (int i = 0; i < graph->value_count; i++) {
		const espl_value *value = &graph->values[i];

		if (value->rows < 1 || value->columns < 1 || value->channels < 1)
			return espl_fail(err, ESPL_SHAPE, "%s: a value of %d x %d x %d",
			                 value->name, value->rows, value->columns, value->channels);
		if (espl_value_elements(value) > ESPL_MAX_ELEMENTS)
			return espl_fail(err, ESPL_RANGE,
			                 "%s: %d x %d x %d elements, at most %d are allowed",
			                 value->name, value->rows, value->columns, value->channels,
			                 (int)ESPL_MAX_ELEMENTS);
		ESPL_TRY(check_quantizer(value, err));
		total += espl_value_elements(value);
	}
	if (total > total_elements_max)
		return espl_fail(err, ESPL_RANGE,
		                 "%lld elements in all values, at most %lld are allowed",
		                 (long long)total, (long long)total_elements_max);
	return ESPL_OK;
}

static espl_status check_range(const espl_node *node, const char *what, int value, int low,
                               int high, espl_error *err)
{
	if (value < low || value > high)
		return espl_fail(err, ESPL_RANGE, "%s: %s is %d, it must be %d to %d", node->name,
		                 what, value, low, high);
	return ESPL_OK;
}

static espl_status check_shape(const espl_node *node, const espl_value *output, int64_t rows,
                               int64_t columns, int64_t channels, espl_error *err)
{
	if (output->rows != rows || output->columns != columns || output->channels != channels)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: output is %d x %d x %d, %s makes %lld x %lld x %lld",
		                 node->name, output->rows, output->columns, output->channels,
		                 espl_node_name(node->kind), (long long)rows, (long long)columns,
		                 (long long)channels);
	return ESPL_OK;
}

/* Checks one direction of a window and gives the output's size in that direction. */
static espl_status check_side(const espl_node *node, int size, int kernel, int stride, int dilation,
                              int before, int after, int64_t *out, espl_error *err)
{
	int reach;

	ESPL_TRY(check_range(node, "the kernel", kernel, 1, KERNEL_MAX, err));
	ESPL_TRY(check_range(node, "the stride", stride, 1, STEP_MAX, err));
	ESPL_TRY(check_range(node, "the dilation", dilation, 1, STEP_MAX, err));
	reach = dilation * (kernel - 1) + 1;
	ESPL_TRY(check_range(node, "a pad", before, 0, reach - 1, err));
	ESPL_TRY(check_range(node, "a pad", after, 0, reach - 1, err));
	if (size + before + after < reach)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: the window reaches over %d, the input has %d", node->name,
		                 reach, size + before + after);
	*out = (size + before + after - reach) / stride + 1;
	return ESPL_OK;
}

static espl_status check_window(const espl_graph *graph, const espl_node *node, int64_t channels,
                                espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];
	int64_t rows = 0, columns = 0;

	ESPL_TRY(check_side(node, input->rows, node->kernel_rows, node->stride_rows,
	                    node->dilation_rows, node->pad_top, node->pad_bottom, &rows, err));
	ESPL_TRY(check_side(node, input->columns, node->kernel_columns, node->stride_columns,
	                    node->dilation_columns, node->pad_left, node->pad_right, &columns,
	                    err));
	return check_shape(node, &graph->values[node->output], rows, columns, channels, err);
}

/* An array of finite numbers of at least `least`. */
static espl_status check_floats(const espl_node *node, const char *what, const float *values,
                                int64_t count, float least, espl_error *err)
{
	for (int64_t i = 0; i < count; i++)
		if (!isfinite(values[i]) || values[i] < least)
			return espl_fail(err, ESPL_RANGE, "%s: %s[%lld] is %g", node->name, what,
			                 (long long)i, (double)values[i]);
	return ESPL_OK;
}

static espl_status check_weights(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const int64_t count = espl_node_weights(graph, node);
	const int channels = espl_node_outputs(graph, node);

	if (count > ESPL_MAX_ELEMENTS)
		return espl_fail(err, ESPL_RANGE, "%s: %lld weights, at most %d are allowed",
		                 node->name, (long long)count, (int)ESPL_MAX_ELEMENTS);
	if (!node->weights)
		return espl_fail(err, ESPL_SHAPE, "%s: the weights are missing", node->name);
	ESPL_TRY(check_floats(node, "weights", node->weights, count, -INFINITY, err));
	if (node->bias)
		ESPL_TRY(check_floats(node, "bias", node->bias, channels, -INFINITY, err));
	if (!node->weight_bits != !node->weight_steps)
		return espl_fail(err, ESPL_SHAPE, "%s: %d weight bits %s weight steps", node->name,
		                 node->weight_bits, node->weight_steps ? "with" : "without");
	if (!node->weight_bits)
		return ESPL_OK;
	ESPL_TRY(check_range(node, "weight bits", node->weight_bits, 2, 8, err));
	for (int i = 0; i < channels; i++)
		if (!(node->weight_steps[i] > 0) || !isfinite(node->weight_steps[i]))
			return espl_fail(err, ESPL_RANGE,
			                 "%s: weight_steps[%d] is %g, not positive", node->name, i,
			                 (double)node->weight_steps[i]);
	return ESPL_OK;
}

static espl_status check_conv(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const int in = graph->values[node->inputs[0]].channels;
	const int out = espl_node_outputs(graph, node);

	ESPL_TRY(check_window(graph, node, out, err));
	ESPL_TRY(check_range(node, "the count of groups", node->groups, 1, in, err));
	if (in % node->groups || out % node->groups)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: %d groups do not divide %d input and %d output channels",
		                 node->name, node->groups, in, out);
	return check_weights(graph, node, err);
}

static espl_status check_depthwise(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	ESPL_TRY(check_range(node, "the depth multiplier", node->depth_multiplier, 1, INT32_MAX,
	                     err));
	ESPL_TRY(check_window(graph, node, (int64_t)input->channels * node->depth_multiplier, err));
	return check_weights(graph, node, err);
}

static espl_status check_pool(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	ESPL_TRY(check_range(node, "the dilation", node->dilation_rows, 1, 1, err));
	ESPL_TRY(check_range(node, "the dilation", node->dilation_columns, 1, 1, err));
	return check_window(graph, node, graph->values[node->inputs[0]].channels, err);
}

static espl_status check_same_shape(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	return check_shape(node, &graph->values[node->output], input->rows, input->columns,
	                   input->channels, err);
}

/* ADD and MULTIPLY: the second input is as the first, or one value a channel. */
static espl_status check_pair(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *first = &graph->values[node->inputs[0]];
	const espl_value *second = &graph->values[node->inputs[1]];
	const bool one = second->rows == 1 && second->columns == 1;

	if (second->channels != first->channels ||
	    (!one && (second->rows != first->rows || second->columns != first->columns)))
		return espl_fail(err, ESPL_SHAPE, "%s: inputs of %d x %d x %d and %d x %d x %d",
		                 node->name, first->rows, first->columns, first->channels,
		                 second->rows, second->columns, second->channels);
	return check_same_shape(graph, node, err);
}

static espl_status check_batch_norm(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const int channels = espl_node_outputs(graph, node);

	ESPL_TRY(check_same_shape(graph, node, err));
	if (!node->gain || !node->offset || !node->mean || !node->variance)
		return espl_fail(err, ESPL_SHAPE, "%s: gain, offset, mean or variance are missing",
		                 node->name);
	ESPL_TRY(check_floats(node, "gain", node->gain, channels, -INFINITY, err));
	ESPL_TRY(check_floats(node, "offset", node->offset, channels, -INFINITY, err));
	ESPL_TRY(check_floats(node, "mean", node->mean, channels, -INFINITY, err));
	ESPL_TRY(check_floats(node, "variance", node->variance, channels, 0, err));
	if (!isfinite(node->epsilon) || !(node->epsilon > 0))
		return espl_fail(err, ESPL_RANGE, "%s: epsilon %g is not positive", node->name,
		                 (double)node->epsilon);
	return ESPL_OK;
}

static espl_status check_clip(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	if (!(node->low <= node->high) || node->low >= INFINITY || node->high <= -INFINITY)
		return espl_fail(err, ESPL_RANGE, "%s: clip to %g..%g", node->name,
		                 (double)node->low, (double)node->high);
	return check_same_shape(graph, node, err);
}

/* LEAKY, HARD_SIGMOID */
static espl_status check_slope(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	if (!isfinite(node->slope) || !isfinite(node->shift))
		return espl_fail(err, ESPL_RANGE, "%s: slope %g, shift %g", node->name,
		                 (double)node->slope, (double)node->shift);
	return check_same_shape(graph, node, err);
}

static espl_status check_mean(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	if ((int64_t)input->rows * input->columns > MEAN_CELLS_MAX)
		return espl_fail(err, ESPL_RANGE, "%s: mean of %d x %d cells, at most %d",
		                 node->name, input->rows, input->columns, (int)MEAN_CELLS_MAX);
	return check_shape(node, &graph->values[node->output], 1, 1, input->channels, err);
}

static espl_status check_pad(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	ESPL_TRY(check_range(node, "a pad", node->pad_top, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(node, "a pad", node->pad_bottom, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(node, "a pad", node->pad_left, 0, ESPL_MAX_ELEMENTS, err));
	ESPL_TRY(check_range(node, "a pad", node->pad_right, 0, ESPL_MAX_ELEMENTS, err));
	return check_shape(node, &graph->values[node->output],
	                   input->rows + node->pad_top + node->pad_bottom,
	                   input->columns + node->pad_left + node->pad_right, input->channels, err);
}

static espl_status check_upsample(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *input = &graph->values[node->inputs[0]];

	ESPL_TRY(check_range(node, "the stride", node->stride_rows, 1, STEP_MAX, err));
	ESPL_TRY(check_range(node, "the stride", node->stride_columns, 1, STEP_MAX, err));
	return check_shape(node, &graph->values[node->output],
	                   (int64_t)input->rows * node->stride_rows,
	                   (int64_t)input->columns * node->stride_columns, input->channels, err);
}

static espl_status check_reshape(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const int in = espl_value_elements(&graph->values[node->inputs[0]]);
	const int out = espl_value_elements(&graph->values[node->output]);

	if (in != out)
		return espl_fail(err, ESPL_SHAPE, "%s: %d elements become %d", node->name, in, out);
	return ESPL_OK;
}

static espl_status check_concat(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *first = &graph->values[node->inputs[0]];
	int64_t channels = 0;

	for (int i = 0; i < node->input_count; i++) {
		const espl_value *input = &graph->values[node->inputs[i]];

		if (input->rows != first->rows || input->columns != first->columns)
			return espl_fail(err, ESPL_SHAPE, "%s: inputs of %d x %d and %d x %d",
			                 node->name, first->rows, first->columns, input->rows,
			                 input->columns);
		channels += input->channels;
	}
	return check_shape(node, &graph->values[node->output], first->rows, first->columns,
	                   channels, err);
}

static espl_status check_node(const espl_graph *graph, const espl_node *node, espl_error *err)
{
	const espl_value *output = &graph->values[node->output];

	switch (node->kind) {
	case ESPL_NODE_CONV:
		return check_conv(graph, node, err);
	case ESPL_NODE_DEPTHWISE:
		return check_depthwise(graph, node, err);
	case ESPL_NODE_DENSE:
		ESPL_TRY(check_shape(node, output, 1, 1, output->channels, err));
		return check_weights(graph, node, err);
	case ESPL_NODE_BATCH_NORM:
		return check_batch_norm(graph, node, err);
	case ESPL_NODE_CLIP:
		return check_clip(graph, node, err);
	case ESPL_NODE_LEAKY:
	case ESPL_NODE_HARD_SIGMOID:
		return check_slope(graph, node, err);
	case ESPL_NODE_SOFTMAX:
		ESPL_TRY(check_range(node, "the count of channels", output->channels, 1,
		                     SOFTMAX_CHANNELS_MAX, err));
		return check_same_shape(graph, node, err);
	case ESPL_NODE_SIGMOID:
	case ESPL_NODE_TANH:
	case ESPL_NODE_HARD_SWISH:
		return check_same_shape(graph, node, err);
	case ESPL_NODE_ADD:
	case ESPL_NODE_MULTIPLY:
		return check_pair(graph, node, err);
	case ESPL_NODE_MAX_POOL:
	case ESPL_NODE_AVERAGE_POOL:
		return check_pool(graph, node, err);
	case ESPL_NODE_MEAN:
		return check_mean(graph, node, err);
	case ESPL_NODE_PAD:
		return check_pad(graph, node, err);
	case ESPL_NODE_UPSAMPLE:
		return check_upsample(graph, node, err);
	case ESPL_NODE_RESHAPE:
		return check_reshape(graph, node, err);
	case ESPL_NODE_CONCAT:
		return check_concat(graph, node, err);
	case ESPL_NODE_COUNT:
		break;
	}
	return espl_fail(err, ESPL_SHAPE, "%s: node of kind %d", node->name, (int)node->kind);
}

static espl_status check_inputs(const espl_node *node, espl_error *err)
{
	const int wanted = node->kind == ESPL_NODE_ADD || node->kind == ESPL_NODE_MULTIPLY ? 2 : 1;

	if (node->kind != ESPL_NODE_CONCAT && node->input_count != wanted)
		return espl_fail(err, ESPL_SHAPE, "%s: %d inputs, %s has %d", node->name,
		                 node->input_count, espl_node_name(node->kind), wanted);
	return ESPL_OK;
}

static espl_wiring wire(const espl_graph *graph, espl_arena *scratch)
{
	const char **names = ESPL_ARRAY(scratch, const char *, graph->value_count);
	espl_maker *makers = ESPL_ARRAY(scratch, espl_maker, graph->node_count);

	for (int i = 0; i < graph->value_count; i++)
		names[i] = graph->values[i].name;
	for (int i = 0; i < graph->node_count; i++) {
		const espl_node *node = &graph->nodes[i];

		makers[i] = (espl_maker){node->name, node->input_count, node->inputs, node->output};
	}
	return (espl_wiring){.thing = "value",
	                     .maker = "node",
	                     .thing_count = graph->value_count,
	                     .maker_count = graph->node_count,
	                     .most_inputs = ESPL_NODE_INPUTS,
	                     .names = names,
	                     .makers = makers,
	                     .input_count = graph->input_count,
	                     .output_count = graph->output_count,
	                     .inputs = graph->inputs,
	                     .outputs = graph->outputs};
}

espl_status espl_graph_check(const espl_graph *graph, espl_error *err)
{
	espl_arena *scratch;
	espl_wiring wiring;
	espl_status status;

	if (!graph->name)
		return espl_fail(err, ESPL_SHAPE, "the graph has no name");
	if (graph->value_count < 1 || graph->value_count > COUNT_MAX || graph->node_count < 0 ||
	    graph->node_count > COUNT_MAX)
		return espl_fail(err, ESPL_RANGE, "%d values and %d nodes, at most %d each",
		                 graph->value_count, graph->node_count, (int)COUNT_MAX);
	if (graph->input_count < 1 || graph->output_count < 1 || graph->input_count > COUNT_MAX ||
	    graph->output_count > COUNT_MAX)
		return espl_fail(err, ESPL_SHAPE, "%d inputs and %d outputs", graph->input_count,
		                 graph->output_count);
	scratch = espl_arena_create();
	wiring = wire(graph, scratch);
	status = espl_check_names(&wiring, err);
	if (status == ESPL_OK)
		status = check_values(graph, err);
	if (status == ESPL_OK)
		status = espl_check_flow(&wiring, err);
	espl_arena_destroy(scratch);
	if (status != ESPL_OK)
		return status;
	for (int i = 0; i < graph->node_count; i++) {
		ESPL_TRY(check_inputs(&graph->nodes[i], err));
		ESPL_TRY(check_node(graph, &graph->nodes[i], err));
	}
	return ESPL_OK;
}
