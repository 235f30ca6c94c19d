/* Float ONNX models to graphs: borders, and every node in its turn.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *kind;
	espl_float_reader *read;
} readers[] = {
        {"Add", espl_read_arithmetic},
        {"AveragePool", espl_read_pool},
        {"BatchNormalization", espl_read_batch_norm},
        {"Cast", espl_read_identity},
        {"Clip", espl_read_clip},
        {"Concat", espl_read_concat},
        {"Conv", espl_read_conv},
        {"Div", espl_read_arithmetic},
        {"Dropout", espl_read_identity},
        {"Flatten", espl_read_reshape},
        {"Gather", espl_read_gather},
        {"Gemm", espl_read_gemm},
        {"GlobalAveragePool", espl_read_global_pool},
        {"GlobalMaxPool", espl_read_global_pool},
        {"HardSigmoid", espl_read_unary},
        {"HardSwish", espl_read_unary},
        {"Identity", espl_read_identity},
        {"LeakyRelu", espl_read_unary},
        {"MatMul", espl_read_matmul},
        {"MaxPool", espl_read_pool},
        {"Mul", espl_read_arithmetic},
        {"PRelu", espl_read_prelu},
        {"Pad", espl_read_pad},
        {"ReduceMax", espl_read_reduce},
        {"ReduceMean", espl_read_reduce},
        {"ReduceSum", espl_read_reduce},
        {"Relu", espl_read_unary},
        {"Reshape", espl_read_reshape},
        {"Resize", espl_read_resize},
        {"Sigmoid", espl_read_unary},
        {"Slice", espl_read_slice},
        {"Softmax", espl_read_softmax},
        {"Squeeze", espl_read_reshape},
        {"Sub", espl_read_arithmetic},
        {"Sum", espl_read_sum},
        {"Tanh", espl_read_unary},
        {"Transpose", espl_read_transpose},
        {"Unsqueeze", espl_read_reshape},
        {"Upsample", espl_read_resize},
};

enum {
	READER_COUNT = sizeof(readers) / sizeof(readers[0]),
	OPSET_MIN = 7,
	OPSET_MAX = 28,
	BORDERS_MAX = 64
};

static espl_float_reader *reader_of(const char *kind)
{
	for (int i = 0; i < READER_COUNT; i++)
		if (!strcmp(readers[i].kind, kind))
			return readers[i].read;
	return NULL;
}

const char *espl_float_operator(int index)
{
	return index < READER_COUNT ? readers[index].kind : NULL;
}

bool espl_onnx_is_quantized(const espl_onnx_model *model)
{
	static const char *const kinds[] = {
	        "QuantizeLinear", "DequantizeLinear",      "DynamicQuantizeLinear",
	        "ConvInteger",    "MatMulInteger",         "QGemm",
	        "Quant",          "BipolarQuant",          "Trunc",
	        "IntQuant",       "DynamicQuantizeMatMul", "MultiThreshold"};

	for (int i = 0; i < model->node_count; i++) {
		if (!strncmp(model->nodes[i].kind, "QLinear", 7))
			return true;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (!strcmp(model->nodes[i].kind, kinds[k]))
				return true;
	}
	return false;
}

/* -- borders ------------------------------------------------------------------- */

/* The batch of every border: the first dimension of the first input that has a number there. */
static espl_status find_batch(espl_float_import *import)
{
	const espl_onnx_model *model = import->model;

	import->batch = 1;
	for (int i = 0; i < model->input_count; i++) {
		const espl_onnx_value *value = &model->values[model->inputs[i]];

		if (!value->has_shape || value->rank < 2 || value->dims[0] < 1)
			continue;
		import->batch = value->dims[0];
		break;
	}
	if (import->batch > 4096)
		return espl_fail(import->err, ESPL_RANGE, "a batch of %lld, at most 4096",
		                 (long long)import->batch);
	return ESPL_OK;
}

/* Whether a node takes the last axis of its data of this rank as channels. */
static bool takes_last(const espl_onnx_node *node, int rank)
{
	const espl_onnx_attribute *order = espl_onnx_find(node, "perm");
	const int64_t axis = espl_onnx_get_integer(node, "axis", -1);

	if (!strcmp(node->kind, "MatMul"))
		return true;
	if (!strcmp(node->kind, "Softmax"))
		return axis == -1 || axis == rank - 1;
	if (strcmp(node->kind, "Transpose") != 0 || !order || order->count != rank)
		return false;
	return order->integers[0] == 0 && order->integers[1] == rank - 1 && order->integers[2] == 1;
}

/* Whether all that read an input of rank 3 or 4 take its channels last. */
static bool channels_last(const espl_onnx_model *model, int value)
{
	bool any = false;

	for (int i = 0; i < model->node_count; i++) {
		const espl_onnx_node *node = &model->nodes[i];

		for (int k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != value)
				continue;
			if (k || !takes_last(node, model->values[value].rank))
				return false;
			any = true;
		}
	}
	return any;
}

static espl_status check_input(espl_float_import *import, const espl_onnx_value *value)
{
	espl_error *err = import->err;
	int64_t count = 1;

	if (value->type != ESPL_ONNX_FLOAT)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "input %s is %s: a float graph has float32 inputs", value->name,
		                 espl_onnx_type_name((int)value->type));
	if (!value->has_shape || value->rank > 4)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "input %s has %s: batch, channels, rows and columns are wanted",
		                 value->name, value->has_shape ? "over 4 dimensions" : "no shape");
	for (int i = 0; i < value->rank; i++) {
		const bool open = value->dims[i] < 0;

		if (!value->dims[i])
			return espl_fail(err, ESPL_SHAPE, "input %s has no elements", value->name);
		if (open && i)
			return espl_fail(err, ESPL_SHAPE,
			                 "input %s leaves dimension %d open: export it with a size",
			                 value->name, i);
		if (i || value->rank == 1)
			count = open ? count : count * value->dims[i];
		if (count > ESPL_MAX_ELEMENTS)
			return espl_fail(err, ESPL_RANGE, "input %s has over %d elements",
			                 value->name, (int)ESPL_MAX_ELEMENTS);
	}
	if (value->rank > 1 && value->dims[0] > 0 && value->dims[0] != import->batch)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "input %s has a first dimension of %lld, another %lld: the first "
		                 "is the batch",
		                 value->name, (long long)value->dims[0], (long long)import->batch);
	return ESPL_OK;
}

static espl_status take_input(espl_float_import *import, int index)
{
	static const espl_role first[4] = {ESPL_ROLE_BATCH, ESPL_ROLE_CHANNEL, ESPL_ROLE_ROW,
	                                   ESPL_ROLE_COLUMN};
	static const espl_role last[4] = {ESPL_ROLE_BATCH, ESPL_ROLE_ROW, ESPL_ROLE_COLUMN,
	                                  ESPL_ROLE_CHANNEL};
	static const espl_role line[3] = {ESPL_ROLE_BATCH, ESPL_ROLE_CHANNEL, ESPL_ROLE_COLUMN};
	static const espl_role line_last[3] = {ESPL_ROLE_BATCH, ESPL_ROLE_COLUMN,
	                                       ESPL_ROLE_CHANNEL};
	static const espl_role vector[1] = {ESPL_ROLE_CHANNEL};
	const int number = import->model->inputs[index];
	const espl_onnx_value *value = &import->model->values[number];
	const espl_role *roles;
	int sides[4] = {1, 1, 1, 1};
	bool is_last;

	ESPL_TRY(check_input(import, value));
	is_last = value->rank > 2 && channels_last(import->model, number);
	roles = first;
	if (value->rank == 4 && is_last)
		roles = last;
	if (value->rank == 3)
		roles = is_last ? line_last : line;
	if (value->rank == 1 && value->dims[0] > 0)
		roles = vector;
	for (int i = 0; i < value->rank; i++)
		if (roles[i] != ESPL_ROLE_BATCH)
			sides[roles[i]] = (int)value->dims[i];
	espl_fact_view(import, &import->facts[number],
	               espl_graph_add_input(&import->builder, espl_float_name(import, value->name),
	                                    sides[ESPL_ROLE_ROW], sides[ESPL_ROLE_COLUMN],
	                                    sides[ESPL_ROLE_CHANNEL]),
	               value->rank, roles);
	return ESPL_OK;
}

/* An output that is an input: a graph's outputs are made by nodes, so one passes it on. */
static void pass_on(espl_float_import *import, espl_fact *fact)
{
	const espl_graph *graph = import->builder.graph;
	espl_node node = espl_node_default(
	        ESPL_NODE_CLIP,
	        espl_float_name(import, espl_arena_format(import->arena, "%s_output",
	                                                  graph->values[fact->value].name)));

	for (int i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == fact->value) {
			node.input_count = 1;
			node.inputs[0] = fact->value;
			fact->value = espl_float_add(import, node, 0, false);
			return;
		}
}

static espl_status take_output(espl_float_import *import, int index)
{
	const int number = import->model->outputs[index];
	espl_fact *fact = &import->facts[number];
	const espl_graph *graph = import->builder.graph;

	if (fact->kind != ESPL_FACT_DATA)
		return espl_fail(import->err, ESPL_UNSUPPORTED,
		                 "output %s does not depend on the input",
		                 import->model->values[number].name);
	pass_on(import, fact);
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == fact->value)
			return ESPL_OK;
	espl_graph_add_output(&import->builder, fact->value);
	return ESPL_OK;
}

/* -- nodes --------------------------------------------------------------------- */

static bool knows_inputs(const espl_float_import *import)
{
	for (int i = 0; i < import->node->input_count; i++) {
		const espl_fact *in = espl_float_input(import, i);

		if (in && in->kind == ESPL_FACT_UNKNOWN)
			return false;
	}
	return true;
}

static espl_status read_node(espl_float_import *import)
{
	const espl_onnx_node *node = import->node;
	espl_float_reader *read = *node->domain ? NULL : reader_of(node->kind);
	espl_status status;

	if (!*node->domain && knows_inputs(import) && espl_float_fold(import, &status))
		return status;
	if (!read && *node->domain)
		return espl_float_refuse(import, "%s of %s is not supported", node->kind,
		                         node->domain);
	if (!read)
		return espl_float_refuse(import, "%s is not supported", node->kind);
	if (!knows_inputs(import)) /* of a node that was refused */
		return ESPL_OK;
	return read(import);
}

static espl_status read_nodes(espl_float_import *import, espl_report *report)
{
	const espl_onnx_model *model = import->model;
	espl_error *err = import->err, refusal = {0};
	espl_status status = ESPL_OK;

	report->count = model->node_count;
	report->verdicts = ESPL_ARRAY(import->arena, espl_verdict, model->node_count);
	import->err = &refusal;
	for (int i = 0; i < model->node_count; i++) {
		const espl_onnx_node *node = &model->nodes[i];
		espl_verdict *verdict = &report->verdicts[i];

		import->node = node;
		*verdict = (espl_verdict){i, node->kind, node->name, true, ""};
		if (node->output_count && node->outputs[0] >= 0)
			verdict->name = model->values[node->outputs[0]].name;
		status = read_node(import);
		if (status != ESPL_OK) {
			verdict->supported = false;
			verdict->reason = espl_arena_string(import->arena, refusal.message);
			report->refused++;
		}
	}
	import->err = err;
	return ESPL_OK;
}

/* Names as many of the refused nodes as fit. */
static espl_status refused(const espl_report *report, espl_error *err)
{
	char text[400];
	size_t used = 0;

	for (int i = 0; i < report->count && used < sizeof(text); i++) {
		const espl_verdict *v = &report->verdicts[i];

		if (!v->supported)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
			                         "%snode %d %s "
			                         "(%s): %s",
			                         used ? "; " : "", v->index, v->kind, v->name,
			                         v->reason);
	}
	return espl_fail(err, ESPL_UNSUPPORTED, "%d of %d nodes are refused: %s", report->refused,
	                 report->count, text);
}

static espl_status read_model(espl_float_import *import, espl_report *report)
{
	const espl_onnx_model *model = import->model;

	import->opset = espl_onnx_opset_version(model, "");
	if (import->opset < OPSET_MIN || import->opset > OPSET_MAX)
		return espl_fail(import->err, ESPL_UNSUPPORTED,
		                 "operator set %lld: %d to %d are supported",
		                 (long long)import->opset, (int)OPSET_MIN, (int)OPSET_MAX);
	if (model->input_count > BORDERS_MAX || model->output_count > BORDERS_MAX)
		return espl_fail(import->err, ESPL_UNSUPPORTED,
		                 "%d inputs and %d outputs, at most %d", model->input_count,
		                 model->output_count, (int)BORDERS_MAX);
	ESPL_TRY(find_batch(import));
	for (int i = 0; i < model->value_count; i++)
		if (model->values[i].initializer)
			espl_fact_of_tensor(&import->facts[i], model->values[i].initializer);
	for (int i = 0; i < model->input_count; i++)
		ESPL_TRY(take_input(import, i));
	ESPL_TRY(read_nodes(import, report));
	if (import->oversized)
		return espl_fail(import->err, ESPL_RANGE, "%s has over %d elements",
		                 import->oversized, (int)ESPL_MAX_ELEMENTS);
	if (report->refused)
		return refused(report, import->err);
	for (int i = 0; i < model->output_count; i++)
		ESPL_TRY(take_output(import, i));
	return espl_graph_check(import->builder.graph, import->err);
}

static void count_uses(espl_float_import *import)
{
	const espl_onnx_model *model = import->model;

	for (int i = 0; i < model->node_count; i++)
		for (int k = 0; k < model->nodes[i].input_count; k++)
			if (model->nodes[i].inputs[k] >= 0)
				import->uses[model->nodes[i].inputs[k]]++;
	for (int i = 0; i < model->output_count; i++)
		import->uses[model->outputs[i]]++;
}

espl_status espl_onnx_to_graph(const espl_onnx_model *model, espl_arena *arena,
                               espl_float_import *import, espl_report *report, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_report own = {0};
	espl_status status;

	*import = (espl_float_import){
	        .model = model,
	        .arena = arena,
	        .scratch = scratch,
	        .builder = espl_graph_build(arena, *model->graph_name ? model->graph_name : "onnx"),
	        .facts = ESPL_ARRAY(arena, espl_fact, model->value_count + 1),
	        .uses = ESPL_ARRAY(arena, int, model->value_count + 1),
	        .name_room = 64,
	        .err = err,
	};
	while (import->name_room < 32 * (model->node_count + model->input_count + 1))
		import->name_room *= 2;
	import->names = ESPL_ARRAY(arena, const char *, import->name_room);
	count_uses(import);
	if (!report)
		report = &own;
	*report = (espl_report){0};
	status = read_model(import, report);
	espl_arena_destroy(scratch);
	import->scratch = NULL;
	return status;
}

espl_status espl_import_onnx_graph(espl_span file, const char *label, espl_arena *arena,
                                   espl_graph **graph, espl_report *report, espl_error *err)
{
	espl_float_import import;
	espl_onnx_model *model;
	espl_status status;

	if (report)
		*report = (espl_report){0};
	status = espl_onnx_read(file, arena, &model, err);
	if (status == ESPL_OK && espl_onnx_is_quantized(model))
		status = espl_fail(err, ESPL_UNSUPPORTED,
		                   "the model is quantized: its meaning is an integer network, not "
		                   "a float graph");
	else if (status == ESPL_OK)
		status = espl_onnx_to_graph(model, arena, &import, report, err);
	if (status != ESPL_OK)
		return espl_context(err, status, label);
	*graph = import.builder.graph;
	return ESPL_OK;
}
