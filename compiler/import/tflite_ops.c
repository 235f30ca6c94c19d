/* From an operator of the file to an operator of the net.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/tflite.h"
#include "math/softmax.h"

#include <math.h>

enum { RANK_MAX = ESPL_TFLITE_MAX_RANK, SOFTMAX_CHANNELS_MAX = 4095, ADD_SHIFT = 20 };

/* Codes of the format. */
enum {
	CODE_ADD = 0,
	CODE_AVERAGE_POOL = 1,
	CODE_CONCAT = 2,
	CODE_CONV = 3,
	CODE_DEPTHWISE = 4,
	CODE_DENSE = 9,
	CODE_LOGISTIC = 14,
	CODE_MAX_POOL = 17,
	CODE_RESHAPE = 22,
	CODE_SOFTMAX = 25,
	CODE_PAD = 34,
	CODE_MEAN = 40,
	CODE_SQUEEZE = 43,
	CODE_PAD_WITH = 60,
	CODE_EXPAND_DIMS = 70,
};

enum { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_RELU_N1_TO_1, ACTIVATION_RELU6 };

/* Slots of the schema's tables. */
enum { ADD_ACTIVATION = 0, CONCAT_AXIS = 0, CONCAT_ACTIVATION = 1, SOFTMAX_BETA = 0 };

/* A real number as a stored value, in float as TFLite Micro, cut to the int8 range. */
static int32_t to_stored(float real, const espl_tensor *tensor)
{
	const float steps = roundf(real / (float)tensor->scale);
	const float near = steps > 256 ? 256 : steps < -256 ? -256 : steps;
	const int32_t stored = tensor->zero_point + (int32_t)near;

	return stored < INT8_MIN ? INT8_MIN : stored > INT8_MAX ? INT8_MAX : stored;
}

const char *espl_tflite_fuse(espl_tflite *in, int activation, espl_op *op)
{
	const espl_tensor *output = &in->net->tensors[op->output];

	switch (activation) {
	case ACTIVATION_NONE:
		return NULL;
	case ACTIVATION_RELU:
		op->low = output->zero_point;
		return NULL;
	case ACTIVATION_RELU_N1_TO_1:
		op->low = to_stored(-1, output);
		op->high = to_stored(1, output);
		return NULL;
	case ACTIVATION_RELU6:
		op->low = output->zero_point;
		op->high = to_stored(6, output);
		return NULL;
	default:
		return espl_arena_format(in->arena, "fused activation %d is not supported",
		                         activation);
	}
}

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(a, b);
}

const char *espl_tflite_same_scale(espl_tflite *in, const espl_op *op)
{
	const espl_tensor *output = &in->net->tensors[op->output];

	for (int i = 0; i < op->input_count; i++) {
		const espl_tensor *input = &in->net->tensors[op->inputs[i]];

		if (!is_near(input->scale, output->scale) ||
		    input->zero_point != output->zero_point)
			return espl_arena_format(in->arena,
			                         "input %d has scale %g and zero point %d, the "
			                         "output %g and %d",
			                         i, input->scale, input->zero_point, output->scale,
			                         output->zero_point);
	}
	return NULL;
}

static const char *check_unit_output(espl_tflite *in, const espl_op *op)
{
	const espl_tensor *output = &in->net->tensors[op->output];

	if (!is_near(output->scale, 1.0 / 256) || output->zero_point != INT8_MIN)
		return espl_arena_format(in->arena,
		                         "the output has scale %g and zero point %d, not 1/256 and "
		                         "-128",
		                         output->scale, output->zero_point);
	return NULL;
}

static const char *convert_add(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tensor *tensors = in->net->tensors;
	const espl_tensor *a = &tensors[op->inputs[0]], *b = &tensors[op->inputs[1]];
	const espl_tensor *out = &tensors[op->output];
	const double twice_greater = 2 * fmax(a->scale, b->scale);
	const double real = twice_greater / ((double)(1 << ADD_SHIFT) * out->scale);

	op->kind = ESPL_OP_ADD;
	if (a->rows != b->rows || a->columns != b->columns || a->channels != b->channels)
		return espl_arena_format(in->arena, "inputs of %d x %d x %d and %d x %d x %d",
		                         a->rows, a->columns, a->channels, b->rows, b->columns,
		                         b->channels);
	if (!(real < 1))
		return espl_arena_format(in->arena, "the output's scale %g is too small",
		                         out->scale);
	op->in_scales[0] = espl_scale_from_real(a->scale / twice_greater);
	op->in_scales[1] = espl_scale_from_real(b->scale / twice_greater);
	op->out_scale = espl_scale_from_real(real);
	return espl_tflite_fuse(
	        in, espl_flat_get_int8(&in->buffer, source->options, ADD_ACTIVATION, 0), op);
}

static const char *convert_concat(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tflite_tensor *output =
	        espl_tflite_tensor_at(in, espl_flat_int32_at(&in->buffer, source->outputs, 0));
	int axis = espl_flat_get_int32(&in->buffer, source->options, CONCAT_AXIS, 0);

	op->kind = ESPL_OP_CONCAT;
	if (axis != -1 && axis != output->rank - 1)
		return espl_arena_format(in->arena, "axis %d, only channels are joined", axis);
	if (espl_flat_get_int8(&in->buffer, source->options, CONCAT_ACTIVATION, 0))
		return "a fused activation";
	return espl_tflite_same_scale(in, op);
}

/* Marks the dimensions (of `rank`) that a reduction goes over. */
static const char *read_axes(espl_tflite *in, const espl_tflite_op *source, int rank,
                             bool reduced[RANK_MAX])
{
	int64_t *axes;
	const char *reason;
	int count;

	reason =
	        espl_tflite_constant(in, espl_tflite_input(in, source, 1), RANK_MAX, &axes, &count);
	for (int i = 0; !reason && i < count; i++) {
		const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (axis < 0 || axis >= rank)
			return espl_arena_format(in->arena, "axis %lld of %d dimensions",
			                         (long long)axes[i], rank);
		reduced[axis] = true;
	}
	return reason;
}

/* Divides a scale by a count of elements, as TFLite Micro's QuantizedMeanOrSum. */
static espl_scale divide_scale(espl_scale scale, int64_t count)
{
	int bits = 0;

	while (bits < 32 && bits < 31 + scale.exponent && count >> (bits + 1))
		bits++;
	return (espl_scale){(int32_t)(((int64_t)scale.multiplier << bits) / count),
	                    scale.exponent - bits};
}

static const char *convert_mean(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tensor *input = &in->net->tensors[op->inputs[0]];
	const int rank = espl_tflite_input(in, source, 0)->rank;
	const double real = input->scale / in->net->tensors[op->output].scale;
	bool reduced[RANK_MAX] = {false};
	const char *reason;

	op->kind = ESPL_OP_MEAN;
	reason = read_axes(in, source, rank, reduced);
	if (reason)
		return reason;
	if (rank < 2 || reduced[0] || reduced[rank - 1] ||
	    (rank >= 3 && !reduced[rank - 2] && input->columns > 1) ||
	    (rank >= 4 && !reduced[rank - 3] && input->rows > 1))
		return "the mean is not over rows and columns";
	if (!(real < 1 << 30))
		return "the output's scale is too small";
	op->out_scale =
	        divide_scale(espl_scale_from_real(real), (int64_t)input->rows * input->columns);
	return NULL;
}

/* The value that is padded with must be what the net pads with: the output's zero point. */
static const char *check_pad_value(espl_tflite *in, const espl_tflite_op *source, const espl_op *op)
{
	const espl_tflite_tensor *value = espl_tflite_input(in, source, 2);

	if (source->code != CODE_PAD_WITH)
		return NULL;
	if (!value || value->type != ESPL_TFLITE_INT8 || value->data.size != 1)
		return "the value to pad with is not an int8 constant";
	if ((int8_t)value->data.data[0] != in->net->tensors[op->output].zero_point)
		return espl_arena_format(in->arena, "pads with %d, the zero point is %d",
		                         (int8_t)value->data.data[0],
		                         in->net->tensors[op->output].zero_point);
	return NULL;
}

static const char *convert_pad(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const int rank = espl_tflite_input(in, source, 0)->rank;
	int sides[RANK_MAX][2] = {{0}}; /* as if the tensor had 4 dimensions */
	const char *reason;
	int64_t *pads;
	int count;

	op->kind = ESPL_OP_PAD;
	reason = espl_tflite_constant(in, espl_tflite_input(in, source, 1), 2 * RANK_MAX, &pads,
	                              &count);
	if (reason)
		return reason;
	if (count != 2 * rank || rank < 2)
		return espl_arena_format(in->arena, "%d pads for %d dimensions", count, rank);
	for (int i = 0; i < count; i++) {
		if (pads[i] < 0 || pads[i] > ESPL_MAX_ELEMENTS)
			return espl_arena_format(in->arena, "a pad of %lld", (long long)pads[i]);
		if (pads[i] && (i / 2 == 0 || i / 2 == rank - 1))
			return "only rows and columns are padded";
		sides[i / 2 + RANK_MAX - rank][i % 2] = (int)pads[i];
	}
	op->pad_top = sides[1][0];
	op->pad_bottom = sides[1][1];
	op->pad_left = sides[2][0];
	op->pad_right = sides[2][1];
	reason = check_pad_value(in, source, op);
	return reason ? reason : espl_tflite_same_scale(in, op);
}

static const char *convert_reshape(espl_tflite *in, espl_op *op)
{
	const int from = espl_tensor_elements(&in->net->tensors[op->inputs[0]]);
	const int to = espl_tensor_elements(&in->net->tensors[op->output]);

	op->kind = ESPL_OP_RESHAPE;
	if (from != to)
		return espl_arena_format(in->arena, "%d elements become %d", from, to);
	return espl_tflite_same_scale(in, op);
}

static const char *convert_softmax(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const espl_tensor *input = &in->net->tensors[op->inputs[0]];
	const double beta = espl_flat_get_float(&in->buffer, source->options, SOFTMAX_BETA);
	const double scale = beta * input->scale;

	op->kind = ESPL_OP_SOFTMAX;
	if (!(scale > 0x1p-26) || !(scale < 0x1p38))
		return espl_arena_format(in->arena, "beta %g and scale %g", beta, input->scale);
	if (input->channels > SOFTMAX_CHANNELS_MAX)
		return espl_arena_format(in->arena, "%d channels, at most %d", input->channels,
		                         (int)SOFTMAX_CHANNELS_MAX);
	espl_softmax_prepare(input->scale, beta, &op->softmax_scale, &op->softmax_least);
	return check_unit_output(in, op);
}

static const char *convert_logistic(espl_tflite *in, espl_op *op)
{
	const espl_tensor *input = &in->net->tensors[op->inputs[0]];
	int8_t *table = ESPL_ARRAY(in->arena, int8_t, 256);

	op->kind = ESPL_OP_LOGISTIC;
	if (!(input->scale > 0x1p-27) || !(input->scale < 8))
		return espl_arena_format(in->arena, "the input's scale is %g", input->scale);
	espl_logistic_table(input->scale, input->zero_point, table);
	op->table = table;
	return check_unit_output(in, op);
}

/* How many of an operator's inputs are tensors of the net, as opposed to constants. */
static uint32_t count_activations(const espl_tflite_op *source)
{
	return source->code == CODE_CONCAT ? source->inputs.count
	       : source->code == CODE_ADD  ? 2
	                                   : 1;
}

static const char *connect(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const uint32_t wanted = count_activations(source);
	const char *reason = NULL;

	if (source->outputs.count != 1)
		return espl_arena_format(in->arena, "%u outputs, not 1", source->outputs.count);
	if (source->inputs.count < wanted || wanted < 1 || wanted > ESPL_MAX_INPUTS)
		return espl_arena_format(in->arena, "%u inputs, it takes %u (1 to %d)",
		                         source->inputs.count, wanted, (int)ESPL_MAX_INPUTS);
	op->input_count = (int)wanted;
	for (uint32_t i = 0; !reason && i < wanted; i++)
		reason = espl_tflite_activation(
		        in, espl_flat_int32_at(&in->buffer, source->inputs, i), &op->inputs[i]);
	if (!reason)
		reason = espl_tflite_activation(
		        in, espl_flat_int32_at(&in->buffer, source->outputs, 0), &op->output);
	return reason;
}

static const char *dispatch(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	switch (source->code) {
	case CODE_ADD:
		return convert_add(in, source, op);
	case CODE_AVERAGE_POOL:
		op->kind = ESPL_OP_AVERAGE_POOL;
		return espl_tflite_convert_pool(in, source, op);
	case CODE_MAX_POOL:
		op->kind = ESPL_OP_MAX_POOL;
		return espl_tflite_convert_pool(in, source, op);
	case CODE_CONCAT:
		return convert_concat(in, source, op);
	case CODE_CONV:
		return espl_tflite_convert_conv(in, source, op);
	case CODE_DEPTHWISE:
		return espl_tflite_convert_depthwise(in, source, op);
	case CODE_DENSE:
		return espl_tflite_convert_dense(in, source, op);
	case CODE_LOGISTIC:
		return convert_logistic(in, op);
	case CODE_RESHAPE:
	case CODE_SQUEEZE:
	case CODE_EXPAND_DIMS:
		return convert_reshape(in, op);
	case CODE_SOFTMAX:
		return convert_softmax(in, source, op);
	case CODE_PAD:
	case CODE_PAD_WITH:
		return convert_pad(in, source, op);
	case CODE_MEAN:
		return convert_mean(in, source, op);
	default:
		return "the operator is not supported";
	}
}

static bool is_known(int32_t code)
{
	static const int32_t codes[] = {
	        CODE_ADD,   CODE_AVERAGE_POOL, CODE_CONCAT,   CODE_CONV,        CODE_DEPTHWISE,
	        CODE_DENSE, CODE_LOGISTIC,     CODE_MAX_POOL, CODE_RESHAPE,     CODE_SOFTMAX,
	        CODE_PAD,   CODE_MEAN,         CODE_SQUEEZE,  CODE_EXPAND_DIMS, CODE_PAD_WITH,
	};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i] == code)
			return true;
	return false;
}

const char *espl_tflite_convert(espl_tflite *in, const espl_tflite_op *source, espl_op *op)
{
	const char *reason;

	*op = espl_op_default(ESPL_OP_CONV); /* its kind comes with its parts */
	if (!is_known(source->code))
		return "the operator is not supported";
	reason = connect(in, source, op);
	return reason ? reason : dispatch(in, source, op);
}
