/* A quantized ONNX file to the net: graph, borders, verdicts.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include "import/onnx_float.h"
#include "import/tidy.h"

#include <stdio.h>
#include <string.h>

static const int64_t elements_max = ESPL_MAX_ELEMENTS;

/* An input of the graph: its tensor of the net, whose axes are not yet decided. */
static espl_status place_input(espl_onnx_import *in, int index, espl_error *err)
{
	const espl_onnx_value *value = &in->model->values[in->model->inputs[index]];
	espl_onnx_state *state = &in->states[in->model->inputs[index]];
	espl_onnx_axes *axes;
	int64_t count = 1;

	if (value->type != ESPL_ONNX_FLOAT && value->type != ESPL_ONNX_UINT8 &&
	    value->type != ESPL_ONNX_INT8)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "input %s is of type %s, it must be FLOAT, UINT8 or INT8",
		                 value->name, espl_onnx_type_name((int)value->type));
	if (!value->has_shape || !value->rank)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "input %s has no shape: export it with fixed sizes", value->name);
	*state = (espl_onnx_state){.kind = value->type == ESPL_ONNX_FLOAT ? ESPL_ONNX_BORDER
	                                                                  : ESPL_ONNX_STORED,
	                           .rank = value->rank};
	state->tensor = espl_onnx_new_tensor(in, value->name, 1, 1, 1, 0, 0,
	                                     value->type == ESPL_ONNX_UINT8);
	axes = &in->axes[state->tensor];
	axes->decided = false;
	for (int d = 0; d < value->rank; d++) {
		const int64_t dim = value->dims[d] < 0 && d == 0 ? 1 : value->dims[d];

		state->dims[d] = dim;
		if (dim < 0)
			return espl_fail(err, ESPL_UNSUPPORTED,
			                 "input %s: dimension %d is open: export it with fixed "
			                 "sizes",
			                 value->name, d);
		count *= dim;
		if (count > elements_max)
			return espl_fail(err, ESPL_RANGE, "input %s has more than %lld elements",
			                 value->name, (long long)elements_max);
		if (dim == 1)
			continue;
		if (axes->axis_count == 3 || (d == 0 && value->rank > 1))
			return espl_fail(err, ESPL_UNSUPPORTED,
			                 "input %s: a batch of %lld, or more than three axes",
			                 value->name, (long long)state->dims[0]);
		state->axes[axes->axis_count] = axes->axis_count;
		axes->sizes[axes->axis_count++] = (int)dim;
	}
	state->axis_count = axes->axis_count;
	in->border_tensors[index] = state->tensor;
	return ESPL_OK;
}

static void place_constants(espl_onnx_import *in)
{
	for (int v = 0; v < in->model->value_count; v++) {
		const espl_onnx_tensor *data = in->model->values[v].initializer;
		espl_onnx_state *state = &in->states[v];

		if (!data)
			continue;
		*state = (espl_onnx_state){
		        .kind = ESPL_ONNX_CONSTANT, .rank = data->rank, .data = data};
		memcpy(state->dims, data->dims, sizeof state->dims);
	}
}

static const espl_onnx_operator *find_operator(const espl_onnx_node *node)
{
	for (int i = 0; i < espl_onnx_operator_count; i++)
		if (!strcmp(espl_onnx_operators[i].kind, node->kind) &&
		    !strcmp(espl_onnx_operators[i].domain, node->domain))
			return &espl_onnx_operators[i];
	return NULL;
}

/* Whether an operand is missing because the node that makes it was refused. */
static bool waits(const espl_onnx_import *in, const espl_onnx_node *node)
{
	for (int i = 0; i < node->input_count; i++)
		if (node->inputs[i] >= 0 && in->states[node->inputs[i]].kind == ESPL_ONNX_NOTHING)
			return true;
	return false;
}

static const char *convert(espl_onnx_import *in, const espl_onnx_node *node)
{
	const espl_onnx_operator *found = find_operator(node);
	const char *reason;
	bool folded = false;

	if (!node->domain[0] && !waits(in, node)) {
		reason = espl_onnx_fold(in, node, &folded);
		if (folded || reason)
			return reason;
	}
	if (!found)
		return espl_arena_format(in->arena, "the operator is unknown%s%.60s",
		                         node->domain[0] ? ", domain " : "", node->domain);
	if (node->output_count < 1 || node->outputs[0] < 0)
		return "it has no output";
	if (waits(in, node))
		return NULL; /* the one before is to blame */
	return found->convert(in, node);
}

static void convert_nodes(espl_onnx_import *in, espl_report *report)
{
	for (int n = 0; n < in->model->node_count; n++) {
		const espl_onnx_node *node = &in->model->nodes[n];
		const int tensors = in->net->tensor_count, ops = in->net->op_count;
		const char *name = node->name, *reason;

		in->node = n;
		in->made = 0;
		reason = convert(in, node);
		if (reason) { /* what it began is undone */
			in->net->tensor_count = tensors;
			in->net->op_count = ops;
			for (int i = 0; i < node->output_count; i++)
				if (node->outputs[i] >= 0)
					in->states[node->outputs[i]] = (espl_onnx_state){0};
		}
		if (!name[0] && node->output_count && node->outputs[0] >= 0)
			name = in->model->values[node->outputs[0]].name;
		report->verdicts[report->count++] =
		        (espl_verdict){n, node->kind, name, !reason, reason ? reason : ""};
		report->refused += reason != NULL;
	}
}

static espl_status make_inputs(espl_onnx_import *in, espl_error *err)
{
	espl_net *net = in->net;
	const int count = in->model->input_count;

	net->inputs = ESPL_ARRAY(in->arena, int, count);
	net->input_types = ESPL_ARRAY(in->arena, espl_type, count);
	net->input_orders = ESPL_ARRAY(in->arena, espl_order, count);
	for (int i = 0; i < count; i++) {
		const espl_onnx_value *value = &in->model->values[in->model->inputs[i]];
		const int t = in->border_tensors[i];

		if (!(net->tensors[t].scale > 0))
			return espl_fail(err, ESPL_UNSUPPORTED,
			                 "input %s is not quantized: no QuantizeLinear and no "
			                 "QLinear operator reads it",
			                 value->name);
		net->inputs[i] = t;
		net->input_types[i] = value->type == ESPL_ONNX_FLOAT   ? ESPL_TYPE_FLOAT32
		                      : value->type == ESPL_ONNX_UINT8 ? ESPL_TYPE_UINT8
		                                                       : ESPL_TYPE_INT8;
		espl_onnx_border_order(in, t, NULL, net->input_orders[i].axes);
	}
	net->input_count = count;
	return ESPL_OK;
}

static espl_status make_outputs(espl_onnx_import *in, espl_error *err)
{
	espl_net *net = in->net;
	const int count = in->model->output_count;

	net->outputs = ESPL_ARRAY(in->arena, int, count);
	net->output_types = ESPL_ARRAY(in->arena, espl_type, count);
	net->output_orders = ESPL_ARRAY(in->arena, espl_order, count);
	for (int i = 0; i < count; i++) {
		const espl_onnx_value *value = &in->model->values[in->model->outputs[i]];
		const espl_onnx_state *state = &in->states[in->model->outputs[i]];

		if ((state->kind != ESPL_ONNX_STORED && state->kind != ESPL_ONNX_REAL) ||
		    state->values)
			return espl_fail(err, ESPL_UNSUPPORTED,
			                 "output %s is not quantized: put QuantizeLinear and "
			                 "DequantizeLinear in front of it",
			                 value->name);
		net->outputs[i] = state->tensor;
		net->output_types[i] = state->kind == ESPL_ONNX_REAL         ? ESPL_TYPE_FLOAT32
		                       : in->axes[state->tensor].is_unsigned ? ESPL_TYPE_UINT8
		                                                             : ESPL_TYPE_INT8;
		espl_onnx_border_order(in, state->tensor, state->axes, net->output_orders[i].axes);
	}
	net->output_count = count;
	return ESPL_OK;
}

static espl_status build(espl_onnx_import *in, espl_report *report, espl_error *err)
{
	in->states = ESPL_ARRAY(in->arena, espl_onnx_state, in->model->value_count);
	in->border_tensors = ESPL_ARRAY(in->arena, int, in->model->input_count);
	report->verdicts = ESPL_ARRAY(in->arena, espl_verdict, in->model->node_count);
	if (!in->model->input_count || !in->model->output_count)
		return espl_fail(err, ESPL_SHAPE, "%d inputs and %d outputs",
		                 in->model->input_count, in->model->output_count);
	place_constants(in);
	for (int i = 0; i < in->model->input_count; i++)
		ESPL_TRY(place_input(in, i, err));
	convert_nodes(in, report);
	if (report->refused)
		return espl_fail_refused(report, "node", err);
	ESPL_TRY(make_inputs(in, err));
	ESPL_TRY(make_outputs(in, err));
	espl_drop_unused(in->net, in->arena);
	espl_name_tensors(in->net, in->arena);
	return espl_net_check(in->net, err);
}

espl_status espl_import_onnx(espl_span file, const char *label, espl_arena *arena, espl_net **net,
                             espl_report *report, espl_error *err)
{
	espl_onnx_import in = {.arena = arena};
	espl_report verdicts = {0, 0, NULL};
	espl_onnx_model *model;
	espl_status status;

	in.net = ESPL_NEW(arena, espl_net);
	in.net->name = espl_base_name(arena, label);
	in.net->rounding = ESPL_ROUND_ONNX;
	status = espl_onnx_read(file, arena, &model, err);
	if (status == ESPL_OK && !espl_onnx_is_quantized(model))
		status = espl_fail(err, ESPL_UNSUPPORTED,
		                   "a float model: quantize it first (espalier quantize)");
	if (status == ESPL_OK) {
		in.model = model;
		status = build(&in, &verdicts, err);
	}
	if (report)
		*report = verdicts;
	if (status != ESPL_OK)
		return espl_context(err, status, label);
	*net = in.net;
	return ESPL_OK;
}
