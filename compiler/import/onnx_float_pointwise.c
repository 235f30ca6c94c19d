/* Activations, sums, products, concatenation and softmax of float ONNX models.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <math.h>
#include <string.h>

/* -- one input ------------------------------------------------------------------- */

static espl_status add_pointwise(espl_float_import *import, espl_node node, const espl_fact *in)
{
	espl_fact_same(espl_float_output(import, 0), in, espl_float_add(import, node, 0, false));
	return ESPL_OK;
}

espl_status espl_read_unary(espl_float_import *import)
{
	static const struct {
		const char *kind;
		espl_node_kind node;
	} kinds[] = {
	        {"Relu", ESPL_NODE_CLIP},
	        {"LeakyRelu", ESPL_NODE_LEAKY},
	        {"Sigmoid", ESPL_NODE_SIGMOID},
	        {"Tanh", ESPL_NODE_TANH},
	        {"HardSwish", ESPL_NODE_HARD_SWISH},
	        {"HardSigmoid", ESPL_NODE_HARD_SIGMOID},
	};
	const espl_fact *in;
	espl_node node;
	size_t i = 0;

	ESPL_TRY(espl_float_data(import, 0, &in));
	while (strcmp(kinds[i].kind, import->node->kind) != 0)
		i++;
	node = espl_float_node(import, kinds[i].node, in->value);
	if (node.kind == ESPL_NODE_CLIP)
		node.low = 0;
	if (node.kind == ESPL_NODE_LEAKY)
		node.slope = espl_onnx_get_real(import->node, "alpha", 0.01f);
	if (node.kind == ESPL_NODE_HARD_SIGMOID) {
		node.slope = espl_onnx_get_real(import->node, "alpha", 0.2f);
		node.shift = espl_onnx_get_real(import->node, "beta", 0.5f);
	}
	return add_pointwise(import, node, in);
}

static espl_status bound(espl_float_import *import, int index, const char *name, float *out)
{
	const espl_onnx_attribute *attribute = espl_onnx_find(import->node, name);
	const espl_fact *fact = espl_float_input(import, index);

	if (fact) {
		ESPL_TRY(espl_float_constant(import, index, name, &fact));
		if (fact->count != 1)
			return espl_float_refuse(import, "%s is not one number", name);
		*out = (float)espl_fact_number(fact, 0);
	} else if (attribute && attribute->kind == ESPL_ONNX_ATTRIBUTE_FLOAT) {
		*out = attribute->real;
	}
	return ESPL_OK;
}

espl_status espl_read_clip(espl_float_import *import)
{
	const espl_fact *in;
	espl_node node;

	ESPL_TRY(espl_float_data(import, 0, &in));
	node = espl_float_node(import, ESPL_NODE_CLIP, in->value);
	ESPL_TRY(bound(import, 1, "min", &node.low));
	ESPL_TRY(bound(import, 2, "max", &node.high));
	if (node.low > node.high)
		node.low = node.high; /* as ONNX has it since operator set 13 */
	/* bounds that no float exceeds are none */
	node.low = node.low <= -3.4028234e38f ? -INFINITY : node.low;
	node.high = node.high >= 3.4028234e38f ? INFINITY : node.high;
	return add_pointwise(import, node, in);
}

espl_status espl_read_prelu(espl_float_import *import)
{
	const espl_fact *in, *slopes;
	espl_node node;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_constant(import, 1, "the slope", &slopes));
	node = espl_float_node(import, ESPL_NODE_LEAKY, in->value);
	for (int64_t i = 0; i < slopes->count; i++) {
		const float slope = (float)espl_fact_number(slopes, i);

		if (i && (slope < node.slope || slope > node.slope))
			return espl_float_refuse(
			        import, "slopes differ among channels: one for all is supported");
		node.slope = slope;
	}
	if (!slopes->count)
		return espl_float_refuse(import, "the slope is empty");
	return add_pointwise(import, node, in);
}

/* -- data and a constant ------------------------------------------------------------ */

/* A constant, one number a channel of the data that it is broadcast to. */
static espl_status per_channel(espl_float_import *import, const espl_fact *data,
                               const espl_fact *constant, float **out)
{
	const int channels = import->builder.graph->values[data->value].channels;
	const int lead = data->rank - constant->rank;

	if (lead < 0)
		return espl_float_refuse(import, "the constant has %d dimensions, the data %d",
		                         constant->rank, data->rank);
	for (int i = 0; i < constant->rank; i++)
		if (constant->dims[i] != 1 && (constant->dims[i] != data->dims[lead + i] ||
		                               !espl_fact_is(data, lead + i, ESPL_ROLE_CHANNEL)))
			return espl_float_refuse(import,
			                         "the constant varies over dimension %d: one "
			                         "number, or one a channel is supported",
			                         lead + i);
	*out = ESPL_ARRAY(import->scratch, float, channels);
	for (int c = 0; c < channels; c++)
		(*out)[c] = (float)espl_fact_number(constant, constant->count == 1 ? 0 : c);
	return ESPL_OK;
}

/* Adds to the bias of the layer that made the data, if that is nowhere else used. */
static bool add_to_bias(espl_float_import *import, int index, const float *offset)
{
	espl_node *maker = espl_float_sole_maker(import, index);
	int outputs;

	if (!maker || (maker->kind != ESPL_NODE_CONV && maker->kind != ESPL_NODE_DEPTHWISE &&
	               maker->kind != ESPL_NODE_DENSE))
		return false;
	outputs = import->builder.graph->values[maker->output].channels;
	if (!maker->bias)
		maker->bias = ESPL_ARRAY(import->arena, float, outputs);
	for (int i = 0; i < outputs; i++)
		maker->bias[i] += offset[i];
	return true;
}

static espl_status with_constant(espl_float_import *import, int data_index)
{
	const char *kind = import->node->kind;
	const bool is_product = !strcmp(kind, "Mul") || !strcmp(kind, "Div");
	const espl_fact *data = espl_float_input(import, data_index), *constant;
	float *numbers = NULL;
	int channels;

	ESPL_TRY(espl_float_constant(import, 1 - data_index, "the other operand", &constant));
	ESPL_TRY(per_channel(import, data, constant, &numbers));
	channels = import->builder.graph->values[data->value].channels;
	if (!strcmp(kind, "Div")) {
		if (data_index)
			return espl_float_refuse(import, "it divides by data");
		for (int c = 0; c < channels; c++)
			numbers[c] = 1 / numbers[c];
	}
	if (!strcmp(kind, "Sub") && data_index) { /* constant - data */
		float *minus = ESPL_ARRAY(import->scratch, float, channels);

		for (int c = 0; c < channels; c++)
			minus[c] = -1;
		espl_fact_same(espl_float_output(import, 0), data,
		               espl_float_scale(import, data->value, minus, numbers));
		return ESPL_OK;
	}
	if (!strcmp(kind, "Sub"))
		for (int c = 0; c < channels; c++)
			numbers[c] = -numbers[c];
	if (!is_product && add_to_bias(import, data_index, numbers)) {
		*espl_float_output(import, 0) = *data;
		return ESPL_OK;
	}
	espl_fact_same(espl_float_output(import, 0), data,
	               espl_float_scale(import, data->value, is_product ? numbers : NULL,
	                                is_product ? NULL : numbers));
	return ESPL_OK;
}

/* -- two of data ---------------------------------------------------------------------- */

static bool same_view(const espl_fact *a, const espl_fact *b)
{
	bool same = a->rank == b->rank && a->atom_count == b->atom_count;

	for (int i = 0; i < a->rank && same; i++)
		same = a->dims[i] == b->dims[i] && a->axis_atoms[i] == b->axis_atoms[i];
	for (int i = 0; i < a->atom_count && same; i++)
		same = a->atoms[i].role == b->atoms[i].role && a->atoms[i].size == b->atoms[i].size;
	return same;
}

/* Whether b has one cell that is spread over a's rows and columns. */
static bool spreads(const espl_float_import *import, const espl_fact *a, const espl_fact *b)
{
	const espl_value *of = &import->builder.graph->values[a->value];
	const espl_value *one = &import->builder.graph->values[b->value];
	const int lead = a->rank - b->rank;

	if (one->rows != 1 || one->columns != 1 || one->channels != of->channels || lead < 0 ||
	    (lead && import->batch > 1))
		return false;
	for (int i = 0; i < b->rank; i++) {
		int count_a, count_b;
		const espl_atom *atoms_a = espl_fact_axis(a, lead + i, &count_a);
		const espl_atom *atoms_b = espl_fact_axis(b, i, &count_b);

		if (b->dims[i] == 1)
			continue;
		if (b->dims[i] != a->dims[lead + i] || count_a != 1 || count_b != 1 ||
		    atoms_a[0].role != atoms_b[0].role)
			return false;
	}
	return true;
}

static espl_status of_data(espl_float_import *import, const espl_fact *a, const espl_fact *b)
{
	const char *kind = import->node->kind;
	const bool product = !strcmp(kind, "Mul");
	int second = b->value;
	espl_node node;

	if (!strcmp(kind, "Div"))
		return espl_float_refuse(import, "it divides by data");
	if (!same_view(a, b) && !spreads(import, a, b)) {
		const espl_fact *other = a;

		if (!spreads(import, b, a) || !strcmp(kind, "Sub"))
			return espl_float_refuse(import,
			                         "the operands have different shapes: the second "
			                         "may have one cell, nothing else is supported");
		a = b;
		second = other->value;
	}
	if (!strcmp(kind, "Sub")) {
		const int channels = import->builder.graph->values[second].channels;
		float *minus = ESPL_ARRAY(import->scratch, float, channels);

		for (int c = 0; c < channels; c++)
			minus[c] = -1;
		second = espl_float_scale(import, second, minus, NULL);
	}
	node = espl_float_node(import, product ? ESPL_NODE_MULTIPLY : ESPL_NODE_ADD, a->value);
	node.inputs[node.input_count++] = second;
	return add_pointwise(import, node, a);
}

espl_status espl_read_arithmetic(espl_float_import *import)
{
	const espl_fact *a = espl_float_input(import, 0), *b = espl_float_input(import, 1);

	if (!a || !b)
		return espl_float_refuse(import, "two operands are wanted");
	if (a->kind == ESPL_FACT_CONSTANT)
		return with_constant(import, 1);
	if (b->kind == ESPL_FACT_CONSTANT)
		return with_constant(import, 0);
	return of_data(import, a, b);
}

/* Sum of one or more. */
espl_status espl_read_sum(espl_float_import *import)
{
	const espl_fact *first, *in;
	int value;

	ESPL_TRY(espl_float_data(import, 0, &first));
	value = first->value;
	if (import->node->input_count > ESPL_NODE_INPUTS)
		return espl_float_refuse(import, "%d inputs, at most %d", import->node->input_count,
		                         (int)ESPL_NODE_INPUTS);
	for (int i = 1; i < import->node->input_count; i++) {
		espl_node node;

		ESPL_TRY(espl_float_data(import, i, &in));
		if (!same_view(first, in))
			return espl_float_refuse(import, "its inputs have different shapes");
		node = espl_float_node(import, ESPL_NODE_ADD, value);
		node.inputs[node.input_count++] = in->value;
		value = espl_float_add(import, node, 0, false);
	}
	espl_fact_same(espl_float_output(import, 0), first, value);
	return ESPL_OK;
}

/* -- channels --------------------------------------------------------------------------- */

/* Whether b is a but for the channels, which both have on this axis. */
static bool beside(const espl_fact *a, const espl_fact *b, int axis)
{
	if (a->rank != b->rank || !espl_fact_is(a, axis, ESPL_ROLE_CHANNEL) ||
	    !espl_fact_is(b, axis, ESPL_ROLE_CHANNEL))
		return false;
	for (int i = 0; i < a->rank; i++) {
		int count_a, count_b;
		const espl_atom *atoms_a = espl_fact_axis(a, i, &count_a);
		const espl_atom *atoms_b = espl_fact_axis(b, i, &count_b);

		if (i == axis)
			continue;
		if (a->dims[i] != b->dims[i] || count_a != count_b)
			return false;
		for (int j = 0; j < count_a; j++)
			if (atoms_a[j].role != atoms_b[j].role)
				return false;
	}
	return true;
}

espl_status espl_read_concat(espl_float_import *import)
{
	const espl_onnx_node *onnx = import->node;
	const int64_t wanted = espl_onnx_get_integer(onnx, "axis", 1);
	const espl_fact *first, *in;
	espl_fact *parts;
	espl_node node;
	int axis;

	ESPL_TRY(espl_float_data(import, 0, &first));
	axis = (int)(wanted < 0 ? wanted + first->rank : wanted);
	if (axis < 0 || axis >= first->rank || onnx->input_count > ESPL_NODE_INPUTS)
		return espl_float_refuse(import, "axis %lld, %d inputs", (long long)wanted,
		                         onnx->input_count);
	parts = ESPL_ARRAY(import->scratch, espl_fact, onnx->input_count);
	for (int i = 0; i < onnx->input_count; i++) {
		ESPL_TRY(espl_float_data(import, i, &in));
		parts[i] = *in;
		if (axis < in->rank)
			parts[i] = espl_float_flat(import, in, axis);
		if (!beside(&parts[0], &parts[i], axis) ||
		    parts[i].dims[axis] != import->builder.graph->values[parts[i].value].channels)
			return espl_float_refuse(import,
			                         "only channels can be joined; axis %d holds "
			                         "something else",
			                         axis);
	}
	node = espl_float_node(import, ESPL_NODE_CONCAT, parts[0].value);
	for (int i = 0; i < onnx->input_count; i++)
		node.inputs[i] = parts[i].value;
	node.input_count = onnx->input_count;
	espl_fact_channels(import, espl_float_output(import, 0), &parts[0], axis,
	                   espl_float_add(import, node, 0, false));
	return ESPL_OK;
}

espl_status espl_read_softmax(espl_float_import *import)
{
	const bool old = import->opset < 13;
	const int64_t wanted = espl_onnx_get_integer(import->node, "axis", old ? 1 : -1);
	const espl_fact *in;
	int axis;

	ESPL_TRY(espl_float_data(import, 0, &in));
	axis = (int)(wanted < 0 ? wanted + in->rank : wanted);
	if (axis < 0 || axis >= in->rank)
		return espl_float_refuse(import, "axis %lld of %d", (long long)wanted, in->rank);
	for (int i = axis; i < in->rank; i++) {
		const bool all = i == axis || old; /* what the sum runs over */

		if (all && !(i == axis ? espl_fact_is(in, i, ESPL_ROLE_CHANNEL) : in->dims[i] == 1))
			return espl_float_refuse(import,
			                         "it runs over more, or other, than channels");
	}
	if (in->dims[axis] != import->builder.graph->values[in->value].channels)
		return espl_float_refuse(import, "it runs over other than channels");
	return add_pointwise(import, espl_float_node(import, ESPL_NODE_SOFTMAX, in->value), in);
}
