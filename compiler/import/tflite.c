/* The graph of a .tflite file: subgraph 0, operator by operator.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tflite.h"

#include "import/tidy.h"

#include <string.h>

enum { VERSION = 3, COUNT_MAX = 1 << 16, BORDER_MAX = 256 };

/* Slots of the schema's tables. */
enum { MODEL_VERSION, MODEL_OPCODES, MODEL_SUBGRAPHS, MODEL_BUFFERS = 4 };
enum { GRAPH_TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS };
enum { OPCODE_OLD_CODE, OPCODE_CUSTOM, OPCODE_CODE = 3 };
enum { OPERATOR_OPCODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS = 4 };

static espl_status fail_broken(const espl_tflite *in, espl_error *err)
{
	return espl_fail(err, ESPL_SYNTAX, "a reference at byte %zu leads out of the %zu bytes",
	                 in->buffer.broken_at, in->buffer.file.size);
}

static espl_status open_graph(espl_tflite *in, espl_error *err)
{
	espl_flatbuffer *buffer = &in->buffer;
	espl_flat_vector subgraphs, tensors;
	espl_flat_table model, graph;
	uint32_t version;

	if (buffer->file.size < 8 || memcmp(buffer->file.data + 4, "TFL3", 4))
		return espl_fail(err, ESPL_SYNTAX, "not a .tflite file");
	model = espl_flat_root(buffer);
	version = espl_flat_get_uint32(buffer, model, MODEL_VERSION);
	in->opcodes = espl_flat_get_vector(buffer, model, MODEL_OPCODES, 4);
	in->buffers = espl_flat_get_vector(buffer, model, MODEL_BUFFERS, 4);
	subgraphs = espl_flat_get_vector(buffer, model, MODEL_SUBGRAPHS, 4);
	if (buffer->broken)
		return fail_broken(in, err);
	if (version != VERSION)
		return espl_fail(err, ESPL_UNSUPPORTED, "schema version %u, not %d", version,
		                 (int)VERSION);
	if (!subgraphs.count)
		return espl_fail(err, ESPL_SHAPE, "there is no graph");
	graph = espl_flat_table_at(buffer, subgraphs, 0);
	tensors = espl_flat_get_vector(buffer, graph, GRAPH_TENSORS, 4);
	in->inputs = espl_flat_get_vector(buffer, graph, GRAPH_INPUTS, 4);
	in->outputs = espl_flat_get_vector(buffer, graph, GRAPH_OUTPUTS, 4);
	in->operators = espl_flat_get_vector(buffer, graph, GRAPH_OPERATORS, 4);
	if (tensors.count > COUNT_MAX || in->operators.count > COUNT_MAX)
		return espl_fail(err, ESPL_RANGE, "%u tensors and %u operators, at most %d each",
		                 tensors.count, in->operators.count, (int)COUNT_MAX);
	if (!in->inputs.count || in->inputs.count > BORDER_MAX || !in->outputs.count ||
	    in->outputs.count > BORDER_MAX)
		return espl_fail(err, ESPL_SHAPE, "%u inputs and %u outputs, 1 to %d each",
		                 in->inputs.count, in->outputs.count, (int)BORDER_MAX);
	espl_tflite_read_tensors(in, tensors);
	return buffer->broken ? fail_broken(in, err) : ESPL_OK;
}

/* The name of a custom operator: "CUSTOM detect". */
static const char *custom_name(espl_tflite *in, espl_flat_table opcode)
{
	const espl_flat_vector text = espl_flat_get_vector(&in->buffer, opcode, OPCODE_CUSTOM, 1);
	const int length = text.count < 60 ? (int)text.count : 60;

	return espl_arena_format(in->arena, "CUSTOM %.*s", length,
	                         length ? (const char *)in->buffer.file.data + text.at : "");
}

static espl_tflite_op read_operator(espl_tflite *in, int index)
{
	espl_flatbuffer *buffer = &in->buffer;
	const espl_flat_table table = espl_flat_table_at(buffer, in->operators, (uint32_t)index);
	const uint32_t opcode_index = espl_flat_get_uint32(buffer, table, OPERATOR_OPCODE);
	espl_tflite_op op = {.index = index, .code = -1, .kind = espl_tflite_op_name(-1)};
	int32_t old_code, code;
	espl_flat_table opcode;

	op.inputs = espl_flat_get_vector(buffer, table, OPERATOR_INPUTS, 4);
	op.outputs = espl_flat_get_vector(buffer, table, OPERATOR_OUTPUTS, 4);
	op.options = espl_flat_get_table(buffer, table, OPERATOR_OPTIONS);
	if (opcode_index >= in->opcodes.count)
		return op;
	opcode = espl_flat_table_at(buffer, in->opcodes, opcode_index);
	old_code = espl_flat_get_int8(buffer, opcode, OPCODE_OLD_CODE, 0);
	code = espl_flat_get_int32(buffer, opcode, OPCODE_CODE, 0);
	op.code = code > old_code ? code : old_code;
	op.kind = op.code == ESPL_TFLITE_CUSTOM ? custom_name(in, opcode)
	                                        : espl_tflite_op_name(op.code);
	return op;
}

static int find_index(const espl_tflite *in, espl_flat_vector list, int32_t tensor)
{
	for (uint32_t i = 0; i < list.count; i++)
		if (espl_flat_int32_at(&in->buffer, list, i) == tensor)
			return (int)i;
	return -1;
}

/* A QUANTIZE of a float input, or a DEQUANTIZE to a float output: the int8 side becomes the net's
 * border, and the float tensor stands for it. */
static const char *fold_border(espl_tflite *in, const espl_tflite_op *source)
{
	const bool enters = source->code == ESPL_TFLITE_QUANTIZE;
	const espl_flat_vector border = enters ? in->inputs : in->outputs;
	int32_t outer, inner;
	espl_tflite_tensor *tensor;
	const char *reason;
	int net_tensor;

	if (source->inputs.count != 1 || source->outputs.count != 1)
		return "it does not have one input and one output";
	outer = espl_flat_int32_at(&in->buffer, enters ? source->inputs : source->outputs, 0);
	inner = espl_flat_int32_at(&in->buffer, enters ? source->outputs : source->inputs, 0);
	tensor = espl_tflite_tensor_at(in, outer);
	if (!tensor || find_index(in, border, outer) < 0)
		return "it is not at the border of the graph";
	if (tensor->type != ESPL_TFLITE_FLOAT32)
		return espl_arena_format(in->arena, "tensor %s is not float32 (type %d)",
		                         tensor->name, tensor->type);
	if (tensor->net_tensor >= 0)
		return espl_arena_format(in->arena, "tensor %s is converted twice", tensor->name);
	reason = espl_tflite_activation(in, inner, &net_tensor);
	if (!reason)
		tensor->net_tensor = net_tensor;
	return reason;
}

/* Converts every operator, the refused ones into verdicts only. */
static void convert_operators(espl_tflite *in, espl_report *report)
{
	espl_net *net = in->net;

	for (int i = 0; i < (int)in->operators.count && !in->buffer.broken; i++) {
		const espl_tflite_op source = read_operator(in, i);
		const espl_tflite_tensor *first = NULL;
		espl_op *op = &net->ops[net->op_count];
		const char *reason;

		if (source.code == ESPL_TFLITE_QUANTIZE || source.code == ESPL_TFLITE_DEQUANTIZE) {
			reason = fold_border(in, &source);
		} else {
			reason = espl_tflite_convert(in, &source, op);
			op->name = espl_arena_format(in->arena, "%s_%d", espl_op_name(op->kind), i);
			if (!reason)
				net->op_count++;
		}
		if (source.outputs.count)
			first = espl_tflite_tensor_at(
			        in, espl_flat_int32_at(&in->buffer, source.outputs, 0));
		report->verdicts[report->count++] = (espl_verdict){
		        i, source.kind, first ? first->name : "", !reason, reason ? reason : ""};
		report->refused += reason != NULL;
	}
}

/* Makes the net's inputs or outputs.
 *   tensors, types  room for as many as the list has */
static espl_status make_border(espl_tflite *in, espl_flat_vector list, int *tensors,
                               espl_type *types, int *count, espl_error *err)
{
	for (uint32_t i = 0; i < list.count; i++) {
		const int32_t index = espl_flat_int32_at(&in->buffer, list, i);
		const espl_tflite_tensor *tensor = espl_tflite_tensor_at(in, index);
		const bool is_float = tensor && tensor->type == ESPL_TFLITE_FLOAT32;
		const char *reason = NULL;

		if (is_float && tensor->net_tensor >= 0)
			tensors[i] = tensor->net_tensor;
		else
			reason = espl_tflite_activation(in, index, &tensors[i]);
		if (reason)
			return espl_fail(err, ESPL_UNSUPPORTED, "at the border of the graph: %s",
			                 reason);
		types[i] = is_float ? ESPL_TYPE_FLOAT32 : ESPL_TYPE_INT8;
	}
	*count = (int)list.count;
	return ESPL_OK;
}

static espl_status build(espl_tflite *in, espl_report *report, espl_error *err)
{
	espl_net *net = in->net;

	ESPL_TRY(open_graph(in, err));
	net->tensors = ESPL_ARRAY(in->arena, espl_tensor, in->tensor_count);
	net->ops = ESPL_ARRAY(in->arena, espl_op, in->operators.count);
	report->verdicts = ESPL_ARRAY(in->arena, espl_verdict, in->operators.count);
	convert_operators(in, report);
	if (in->buffer.broken)
		return fail_broken(in, err);
	if (report->refused)
		return espl_fail_refused(report, "op", err);
	net->inputs = ESPL_ARRAY(in->arena, int, in->inputs.count);
	net->input_types = ESPL_ARRAY(in->arena, espl_type, in->inputs.count);
	ESPL_TRY(
	        make_border(in, in->inputs, net->inputs, net->input_types, &net->input_count, err));
	net->outputs = ESPL_ARRAY(in->arena, int, in->outputs.count);
	net->output_types = ESPL_ARRAY(in->arena, espl_type, in->outputs.count);
	ESPL_TRY(make_border(in, in->outputs, net->outputs, net->output_types, &net->output_count,
	                     err));
	espl_name_tensors(net, in->arena);
	return espl_net_check(net, err);
}

espl_status espl_import_tflite(espl_span file, const char *label, espl_rounding rounding,
                               espl_arena *arena, espl_net **net, espl_report *report,
                               espl_error *err)
{
	espl_tflite in = {.buffer = {.file = file}, .arena = arena};
	espl_report verdicts = {0, 0, NULL};
	espl_status status;

	in.net = ESPL_NEW(arena, espl_net);
	in.net->name = espl_base_name(arena, label);
	in.net->rounding = rounding;
	status = build(&in, &verdicts, err);
	if (report)
		*report = verdicts;
	if (status != ESPL_OK)
		return espl_context(err, status, label);
	*net = in.net;
	return ESPL_OK;
}
