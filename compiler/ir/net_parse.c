/* A net out of JSON text that nobody has checked.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "ir/net.h"

#include <assert.h>
#include <string.h>

enum { FORMAT = 1, TABLE_SIZE = 256, COUNT_MAX = 1 << 16 };

struct reader {
	espl_arena *arena;   /* of the net */
	espl_arena *scratch; /* until the parse is over */
	espl_net *net;
	espl_error *err;
};

static espl_status read_pair(struct reader *in, const espl_json *object, const char *key, int *rows,
                             int *columns)
{
	int64_t *pair;

	ESPL_TRY(espl_json_exactly(object, key, 1, INT16_MAX, 2, in->scratch, &pair, in->err));
	*rows = (int)pair[0];
	*columns = (int)pair[1];
	return ESPL_OK;
}

static espl_status read_pads(struct reader *in, const espl_json *object, espl_op *op)
{
	int64_t *pads;

	ESPL_TRY(espl_json_exactly(object, "pads", 0, ESPL_MAX_ELEMENTS, 4, in->scratch, &pads,
	                           in->err));
	op->pad_top = (int)pads[0];
	op->pad_bottom = (int)pads[1];
	op->pad_left = (int)pads[2];
	op->pad_right = (int)pads[3];
	return ESPL_OK;
}

static espl_status read_window(struct reader *in, const espl_json *object, espl_op *op)
{
	ESPL_TRY(read_pair(in, object, "kernel", &op->kernel_rows, &op->kernel_columns));
	ESPL_TRY(read_pair(in, object, "strides", &op->stride_rows, &op->stride_columns));
	ESPL_TRY(read_pair(in, object, "dilations", &op->dilation_rows, &op->dilation_columns));
	return read_pads(in, object, op);
}

static espl_status read_bytes(struct reader *in, const espl_json *object, const char *key,
                              int64_t count, const int8_t **out)
{
	int64_t *values;
	int8_t *bytes;

	ESPL_TRY(espl_json_exactly(object, key, INT8_MIN, INT8_MAX, count, in->scratch, &values,
	                           in->err));
	bytes = ESPL_ARRAY(in->arena, int8_t, count);
	for (int64_t i = 0; i < count; i++)
		bytes[i] = (int8_t)values[i];
	*out = bytes;
	return ESPL_OK;
}

/* Reads `given` scales; fills `count` >= `given` of them, the rest with the first. */
static espl_status read_scales(struct reader *in, const espl_json *object, int given, int count,
                               espl_scale *scales)
{
	int64_t *multipliers, *exponents;

	ESPL_TRY(espl_json_exactly(object, "multipliers", 0, INT32_MAX, given, in->scratch,
	                           &multipliers, in->err));
	ESPL_TRY(espl_json_exactly(object, "exponents", -31, 30, given, in->scratch, &exponents,
	                           in->err));
	for (int i = 0; i < count; i++) {
		scales[i].multiplier = (int32_t)multipliers[i < given ? i : 0];
		scales[i].exponent = (int)exponents[i < given ? i : 0];
	}
	return ESPL_OK;
}

static espl_status read_weights(struct reader *in, const espl_json *object, espl_op *op)
{
	const int64_t weights = espl_op_weights(in->net, op);
	const int channels = in->net->tensors[op->output].channels;
	espl_scale *scales;
	int64_t *values;
	int32_t *bias;

	ESPL_TRY(espl_json_bool(object, "scale_per_tensor", &op->scale_per_tensor, in->err));
	ESPL_TRY(espl_json_exactly(object, "bias", INT32_MIN, INT32_MAX, channels, in->scratch,
	                           &values, in->err));
	bias = ESPL_ARRAY(in->arena, int32_t, channels);
	for (int i = 0; i < channels; i++)
		bias[i] = (int32_t)values[i];
	op->bias = bias;
	scales = ESPL_ARRAY(in->arena, espl_scale, channels);
	ESPL_TRY(read_scales(in, object, op->scale_per_tensor ? 1 : channels, channels, scales));
	op->scales = scales;
	return read_bytes(in, object, "weights", weights, &op->weights);
}

static espl_status read_kind(struct reader *in, const espl_json *object, espl_op_kind *kind)
{
	const char *text;

	ESPL_TRY(espl_json_string(object, "kind", &text, in->err));
	for (int i = 0; i < ESPL_OP_COUNT; i++) {
		if (!strcmp(text, espl_op_name((espl_op_kind)i))) {
			*kind = (espl_op_kind)i;
			return ESPL_OK;
		}
	}
	return espl_fail(in->err, ESPL_SYNTAX, "operators of kind \"%.60s\" are unknown", text);
}

static espl_status read_name(struct reader *in, const espl_json *object, const char **name)
{
	ESPL_TRY(espl_json_string(object, "name", name, in->err));
	*name = espl_arena_string(in->arena, *name);
	return ESPL_OK;
}

/* Reads what only operators of this kind have. */
static espl_status read_rest(struct reader *in, const espl_json *object, espl_op *op)
{
	espl_scale scales[3];

	switch (op->kind) {
	case ESPL_OP_CONV:
		ESPL_TRY(read_window(in, object, op));
		return read_weights(in, object, op);
	case ESPL_OP_DEPTHWISE:
		ESPL_TRY(espl_json_int(object, "depth_multiplier", 1, ESPL_MAX_ELEMENTS,
		                       &op->depth_multiplier, in->err));
		ESPL_TRY(read_window(in, object, op));
		return read_weights(in, object, op);
	case ESPL_OP_DENSE:
		return read_weights(in, object, op);
	case ESPL_OP_MAX_POOL:
		return read_window(in, object, op);
	case ESPL_OP_AVERAGE_POOL:
		if (in->net->rounding == ESPL_ROUND_ONNX)
			ESPL_TRY(espl_json_bool(object, "count_pads", &op->count_pads, in->err));
		return read_window(in, object, op);
	case ESPL_OP_PAD:
		return read_pads(in, object, op);
	case ESPL_OP_ADD:
		if (in->net->rounding == ESPL_ROUND_ONNX)
			ESPL_TRY(espl_json_int(object, "file_offset", 0, 128, &op->file_offset,
			                       in->err));
		ESPL_TRY(read_scales(in, object, 3, 3, scales));
		op->in_scales[0] = scales[0];
		op->in_scales[1] = scales[1];
		op->out_scale = scales[2];
		return ESPL_OK;
	case ESPL_OP_MEAN:
		return read_scales(in, object, 1, 1, &op->out_scale);
	case ESPL_OP_SOFTMAX:
		ESPL_TRY(espl_json_int(object, "least", INT32_MIN, 0, &op->softmax_least, in->err));
		return read_scales(in, object, 1, 1, &op->softmax_scale);
	case ESPL_OP_LOGISTIC:
		return read_bytes(in, object, "table", TABLE_SIZE, &op->table);
	default:
		return ESPL_OK;
	}
}

static espl_status read_op(struct reader *in, const espl_json *object, espl_op *op)
{
	const int last = in->net->tensor_count - 1;
	int64_t *inputs;

	op->kernel_rows = op->kernel_columns = 1;
	op->stride_rows = op->stride_columns = 1;
	op->dilation_rows = op->dilation_columns = 1;
	op->depth_multiplier = 1;
	ESPL_TRY(read_kind(in, object, &op->kind));
	ESPL_TRY(read_name(in, object, &op->name));
	ESPL_TRY(espl_json_int(object, "output", 0, last, &op->output, in->err));
	ESPL_TRY(espl_json_integers(object, "inputs", 0, last, in->scratch, &inputs,
	                            &op->input_count, in->err));
	if (op->input_count < 1 || op->input_count > ESPL_MAX_INPUTS)
		return espl_fail(in->err, ESPL_SHAPE, "%d inputs, 1 to %d are allowed",
		                 op->input_count, (int)ESPL_MAX_INPUTS);
	for (int i = 0; i < op->input_count; i++)
		op->inputs[i] = (int)inputs[i];
	ESPL_TRY(espl_json_int(object, "low", INT8_MIN, INT8_MAX, &op->low, in->err));
	ESPL_TRY(espl_json_int(object, "high", INT8_MIN, INT8_MAX, &op->high, in->err));
	return read_rest(in, object, op);
}

static espl_status read_tensor(struct reader *in, const espl_json *object, espl_tensor *tensor)
{
	int64_t *shape;

	ESPL_TRY(read_name(in, object, &tensor->name));
	ESPL_TRY(espl_json_exactly(object, "shape", 1, ESPL_MAX_ELEMENTS, 3, in->scratch, &shape,
	                           in->err));
	tensor->rows = (int)shape[0];
	tensor->columns = (int)shape[1];
	tensor->channels = (int)shape[2];
	ESPL_TRY(espl_json_number(object, "scale", &tensor->scale, in->err));
	return espl_json_int(object, "zero_point", INT8_MIN, INT8_MAX, &tensor->zero_point,
	                     in->err);
}

static espl_status read_type(struct reader *in, const espl_json *object, espl_type *type)
{
	const char *text;

	ESPL_TRY(espl_json_string(object, "type", &text, in->err));
	*type = !strcmp(text, "float32") ? ESPL_TYPE_FLOAT32
	        : !strcmp(text, "uint8") ? ESPL_TYPE_UINT8
	                                 : ESPL_TYPE_INT8;
	if (*type == ESPL_TYPE_INT8 && strcmp(text, "int8"))
		return espl_fail(in->err, ESPL_SYNTAX, "type \"%.60s\" is unknown", text);
	return ESPL_OK;
}

/* A border's order; rows, columns, channels when it is absent. */
static espl_status read_order(struct reader *in, const espl_json *object, espl_order *order)
{
	int64_t *axes;

	*order = (espl_order){{0, 1, 2}};
	if (!espl_json_has(object, "order"))
		return ESPL_OK;
	ESPL_TRY(espl_json_exactly(object, "order", 0, 2, 3, in->scratch, &axes, in->err));
	for (int i = 0; i < 3; i++)
		order->axes[i] = (int)axes[i];
	if (axes[0] == axes[1] || axes[0] == axes[2] || axes[1] == axes[2])
		return espl_fail(in->err, ESPL_SYNTAX, "\"order\" names an axis twice");
	return ESPL_OK;
}

/* Finds an array of the document and counts it. */
static espl_status open_array(struct reader *in, const espl_json *document, const char *key,
                              int least, const espl_json **array, int *count)
{
	ESPL_TRY(espl_json_array(document, key, array, in->err));
	*count = espl_json_count(*array);
	if (*count < least || *count > COUNT_MAX)
		return espl_fail(in->err, ESPL_RANGE,
		                 "\"%s\" has %d entries, it must have %d to %d", key, *count, least,
		                 (int)COUNT_MAX);
	return ESPL_OK;
}

static espl_status read_borders(struct reader *in, const espl_json *document, const char *key,
                                int **tensors, espl_type **types, espl_order **orders, int *count)
{
	const espl_json *array;
	int i = 0;

	ESPL_TRY(open_array(in, document, key, 1, &array, count));
	*tensors = ESPL_ARRAY(in->arena, int, *count);
	*types = ESPL_ARRAY(in->arena, espl_type, *count);
	*orders = ESPL_ARRAY(in->arena, espl_order, *count);
	for (const espl_json *at = espl_json_first(array); at; at = espl_json_next(at), i++) {
		ESPL_TRY(espl_json_int(at, "tensor", 0, in->net->tensor_count - 1, &(*tensors)[i],
		                       in->err));
		ESPL_TRY(read_type(in, at, &(*types)[i]));
		ESPL_TRY(read_order(in, at, &(*orders)[i]));
	}
	return ESPL_OK;
}

/* Names the entry of an array in which a failure happened. */
static espl_status in_entry(struct reader *in, espl_status status, const char *what, int index)
{
	return espl_context(in->err, status, espl_arena_format(in->scratch, "%s %d", what, index));
}

static espl_status read_net(struct reader *in, const espl_json *document)
{
	espl_net *net = in->net;
	const espl_json *array;
	const char *rounding;
	int format, i = 0;

	ESPL_TRY(espl_json_int(document, "format", FORMAT, FORMAT, &format, in->err));
	ESPL_TRY(read_name(in, document, &net->name));
	ESPL_TRY(espl_json_string(document, "rounding", &rounding, in->err));
	net->rounding = !strcmp(rounding, "single") ? ESPL_ROUND_SINGLE
	                : !strcmp(rounding, "onnx") ? ESPL_ROUND_ONNX
	                                            : ESPL_ROUND_TFLM;
	if (net->rounding == ESPL_ROUND_TFLM && strcmp(rounding, "tflm"))
		return espl_fail(in->err, ESPL_SYNTAX, "rounding \"%.60s\" is unknown", rounding);
	ESPL_TRY(open_array(in, document, "tensors", 1, &array, &net->tensor_count));
	net->tensors = ESPL_ARRAY(in->arena, espl_tensor, net->tensor_count);
	for (const espl_json *at = espl_json_first(array); at; at = espl_json_next(at), i++)
		ESPL_TRY(in_entry(in, read_tensor(in, at, &net->tensors[i]), "tensor", i));
	ESPL_TRY(read_borders(in, document, "inputs", &net->inputs, &net->input_types,
	                      &net->input_orders, &net->input_count));
	ESPL_TRY(read_borders(in, document, "outputs", &net->outputs, &net->output_types,
	                      &net->output_orders, &net->output_count));
	ESPL_TRY(open_array(in, document, "ops", 0, &array, &net->op_count));
	net->ops = ESPL_ARRAY(in->arena, espl_op, net->op_count);
	i = 0;
	for (const espl_json *at = espl_json_first(array); at; at = espl_json_next(at), i++)
		ESPL_TRY(in_entry(in, read_op(in, at, &net->ops[i]), "op", i));
	return espl_net_check(net, in->err);
}

espl_status espl_net_parse(const char *text, size_t size, espl_arena *arena, espl_net **net,
                           espl_error *err)
{
	const espl_mark before = espl_arena_mark(arena);
	struct reader in = {arena, NULL, NULL, err};
	espl_json *document;
	espl_status status;

	ESPL_TRY(espl_json_parse(text, size, &document, err));
	in.scratch = espl_arena_create();
	in.net = ESPL_NEW(arena, espl_net);
	status = read_net(&in, document);
	if (status == ESPL_OK)
		*net = in.net;
	else
		espl_arena_release(arena, before);
	espl_arena_destroy(in.scratch);
	espl_json_destroy(document);
	return status;
}
