/* The integer net as an ONNX model: borders, views, operators without weights.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The meaning is the net's, to the bit. Where ONNX has an operator that is proved to give the same
 * (QLinearConv, QGemm, MaxPool, Concat, Pad ...), that is taken; elsewhere integer operators and
 * the functions of own_functions.c.
 */
#include "export/export.h"

#include "export/net_export.h"
#include "math/softmax.h"

#include <string.h>

enum { TABLE = 256, POWERS = 36, LIMITS = 31, SHARE_BITS = 12 };

/* -- views ------------------------------------------------------------------- */

const char *espl_export_view(espl_net_export *export, int tensor, bool flat)
{
	return espl_view_name(&export->writer, &export->tensors[tensor].view, flat);
}

const char *espl_export_make(espl_net_export *export, int tensor, bool flat)
{
	return espl_view_make(&export->writer, &export->tensors[tensor].view, flat);
}

const char *espl_export_part(espl_net_export *export, const espl_op *op, const char *part)
{
	return espl_write_unique(&export->writer,
	                         espl_arena_format(export->arena, "%s/%s", op->name, part));
}

const char *espl_export_scale(espl_net_export *export, int tensor)
{
	const espl_tensor *of = &export->net->tensors[tensor];
	const float scale = (float)of->scale;

	if (!export->tensors[tensor].scale)
		export->tensors[tensor].scale = espl_write_floats(
		        &export->writer, espl_arena_format(export->arena, "%s/scale", of->name), 0,
		        NULL, &scale);
	return export->tensors[tensor].scale;
}

const char *espl_export_zero_point(espl_net_export *export, int tensor)
{
	const espl_tensor *of = &export->net->tensors[tensor];
	const int8_t zero_point = (int8_t)of->zero_point;

	if (!export->tensors[tensor].zero_point)
		export->tensors[tensor].zero_point = espl_write_int8s(
		        &export->writer,
		        espl_arena_format(export->arena, "%s/zero_point", of->name), 0, NULL,
		        &zero_point);
	return export->tensors[tensor].zero_point;
}

/* -- what several operators need --------------------------------------------- */

const char *espl_export_own(espl_net_export *export, espl_own function, const char *name,
                            const char *output, const char *const *inputs)
{
	export->own[function] = true;
	return espl_write_node(&export->writer, ESPL_DOMAIN_OWN, espl_own_name(function), name,
	                       output, inputs);
}

static void put_bounds(espl_net_export *export, const espl_op *op, bool zero_point)
{
	if (zero_point)
		espl_write_integer(&export->writer, "zero_point",
		                   export->net->tensors[op->output].zero_point);
	espl_write_integer(&export->writer, "low", op->low);
	espl_write_integer(&export->writer, "high", op->high);
}

static const char *constants(espl_net_export *export, const espl_op *op, const char *part,
                             const int64_t *values, int count, bool flat)
{
	const int64_t dims[3] = {count, 1, 1};

	return espl_write_int64s(&export->writer,
	                         espl_arena_format(export->arena, "%s/%s", op->name, part),
	                         count == 1 ? 0
	                         : flat     ? 1
	                                    : 3,
	                         dims, values);
}

static void requantize_float(espl_net_export *export, const espl_op *op, const char *sums,
                             const espl_scale *scales, int count, bool flat)
{
	const int64_t dims[3] = {count, 1, 1};
	float *factors = ESPL_ARRAY(export->arena, float, count);
	const char *factor;

	for (int c = 0; c < count; c++)
		factors[c] = espl_scale_to_float32(scales[c]);
	factor = espl_write_floats(&export->writer,
	                           espl_arena_format(export->arena, "%s/factor", op->name),
	                           count == 1 ? 0
	                           : flat     ? 1
	                                      : 3,
	                           dims, factors);
	espl_export_own(export, ESPL_OWN_REQUANTIZE_FLOAT, op->name,
	                espl_export_make(export, op->output, flat), ESPL_INPUTS(sums, factor));
	put_bounds(export, op, true);
}

void espl_export_requantize(espl_net_export *export, const espl_op *op, const char *sums,
                            const espl_scale *scales, int count, bool flat)
{
	const bool once = export->net->rounding == ESPL_ROUND_SINGLE;
	int64_t *multiplier, *left, *half, *divisor;
	const char *names[4];

	if (export->net->rounding == ESPL_ROUND_ONNX) {
		requantize_float(export, op, sums, scales, count, flat);
		return;
	}
	multiplier = ESPL_ARRAY(export->arena, int64_t, 4 * (size_t)count);
	left = multiplier + count;
	half = left + count;
	divisor = half + count;
	for (int c = 0; c < count; c++) {
		const int exponent = scales[c].exponent;
		const int right = once ? 31 - exponent : exponent < 0 ? -exponent : 0;

		multiplier[c] = scales[c].multiplier;
		left[c] = INT64_C(1) << (exponent > 0 ? exponent : 0);
		divisor[c] = INT64_C(1) << right;
		half[c] = divisor[c] / 2;
	}
	names[0] = constants(export, op, "multiplier", multiplier, count, flat);
	names[1] = once ? NULL : constants(export, op, "left", left, count, flat);
	names[2] = constants(export, op, "half", half, count, flat);
	names[3] = constants(export, op, "divisor", divisor, count, flat);
	if (once)
		espl_export_own(export, ESPL_OWN_REQUANTIZE_ONCE, op->name,
		                espl_export_make(export, op->output, flat),
		                ESPL_INPUTS(sums, names[0], names[2], names[3]));
	else
		espl_export_own(export, ESPL_OWN_REQUANTIZE_TWICE, op->name,
		                espl_export_make(export, op->output, flat),
		                ESPL_INPUTS(sums, names[0], names[1], names[2], names[3]));
	put_bounds(export, op, true);
}

static bool is_bounded(const espl_op *op)
{
	return op->low > INT8_MIN || op->high < INT8_MAX;
}

const char *espl_export_bounded(espl_net_export *export, const espl_op *op, const char *output)
{
	return is_bounded(op) ? espl_export_part(export, op, "unbounded") : output;
}

void espl_export_bound(espl_net_export *export, const espl_op *op, const char *from,
                       const char *output)
{
	const int8_t low = (int8_t)op->low, high = (int8_t)op->high;
	const char *bounds[2];

	if (!is_bounded(op))
		return;
	bounds[0] = espl_write_int8s(&export->writer,
	                             espl_arena_format(export->arena, "%s/low", op->name), 0, NULL,
	                             &low);
	bounds[1] = espl_write_int8s(&export->writer,
	                             espl_arena_format(export->arena, "%s/high", op->name), 0, NULL,
	                             &high);
	espl_write_node(&export->writer, "", "Clip", espl_export_part(export, op, "clip"), output,
	                ESPL_INPUTS(from, bounds[0], bounds[1]));
}

void espl_export_window(espl_net_export *export, const espl_op *op)
{
	espl_onnx_writer *w = &export->writer;

	espl_write_integers(w, "kernel_shape",
	                    (const int64_t[]){op->kernel_rows, op->kernel_columns}, 2);
	espl_write_integers(w, "strides", (const int64_t[]){op->stride_rows, op->stride_columns},
	                    2);
	espl_write_integers(
	        w, "pads",
	        (const int64_t[]){op->pad_top, op->pad_left, op->pad_bottom, op->pad_right}, 4);
	if (op->dilation_rows != 1 || op->dilation_columns != 1)
		espl_write_integers(w, "dilations",
		                    (const int64_t[]){op->dilation_rows, op->dilation_columns}, 2);
}

/* -- operators --------------------------------------------------------------- */

/* A table for every stored value, and one row for it in the model. */
static const char *lookup(espl_net_export *export, const espl_op *op, int input, const char *part,
                          const int32_t table[TABLE], bool flat, const char *output)
{
	const int64_t count = TABLE;
	const char *name = espl_write_int32s(
	        &export->writer, espl_arena_format(export->arena, "%s/%s_table", op->name, part), 1,
	        &count, table);

	return espl_export_own(export, ESPL_OWN_LOOKUP, espl_export_part(export, op, part), output,
	                       ESPL_INPUTS(espl_export_view(export, input, flat), name));
}

static bool both_flat(const espl_net_export *export, const espl_op *op)
{
	return export->tensors[op->inputs[0]].view.is_flat;
}

/* The sum of two tables, one an input, as the reference has it. */
static void export_add_tables(espl_net_export *export, const espl_op *op)
{
	const bool flat = both_flat(export, op);
	const char *parts[2], *sum;

	for (int k = 0; k < 2; k++) {
		const int32_t zero = export->net->tensors[op->inputs[k]].zero_point;
		const char *part = k ? "second" : "first";
		int32_t table[TABLE];

		for (int v = 0; v < TABLE; v++)
			table[v] = espl_multiply_by_scale((v - 128 - zero) * (1 << 20),
			                                  op->in_scales[k], export->net->rounding);
		parts[k] = lookup(export, op, op->inputs[k], part, table, flat,
		                  espl_export_part(export, op, k ? "b" : "a"));
	}
	sum = espl_write_node(&export->writer, "", "Add", espl_export_part(export, op, "sum"),
	                      espl_export_part(export, op, "sums"),
	                      ESPL_INPUTS(parts[0], parts[1]));
	espl_export_requantize(export, op, sum, &op->out_scale, 1, flat);
}

/* ONNX's sum of floats, by QLinearAdd's inputs, or by a table of all pairs where those cannot say
 * it: values that a file stored as uint8 are summed with other roundings than int8. */
static void export_add_onnx(espl_net_export *export, const espl_op *op)
{
	espl_onnx_writer *w = &export->writer;
	const bool flat = both_flat(export, op);
	const int64_t pairs = TABLE * TABLE;
	const char *a = espl_export_view(export, op->inputs[0], flat);
	const char *b = espl_export_view(export, op->inputs[1], flat);
	const char *output = espl_export_make(export, op->output, flat), *made, *name;
	int8_t *table = ESPL_ARRAY(export->arena, int8_t, pairs);
	bool plain = true;

	for (int i = 0; i < TABLE * TABLE; i++) {
		espl_op bare = *op;

		bare.file_offset = 0;
		for (int k = 0; k < 2; k++)
			bare.in_scales[k] = espl_scale_from_float32(
			        (float)export->net->tensors[op->inputs[k]].scale /
			        (float)export->net->tensors[op->output].scale);
		table[i] = (int8_t)espl_onnx_add(export->net, op, i / TABLE - 128, i % TABLE - 128);
		plain = plain && table[i] == espl_onnx_add(export->net, &bare, i / TABLE - 128,
		                                           i % TABLE - 128);
	}
	if (!plain) {
		name = espl_write_int8s(w, espl_arena_format(export->arena, "%s/pairs", op->name),
		                        1, &pairs, table);
		espl_export_own(export, ESPL_OWN_LOOKUP_PAIR, op->name, output,
		                ESPL_INPUTS(a, b, name));
		return;
	}
	made = espl_export_bounded(export, op, output);
	espl_write_node(w, ESPL_DOMAIN_MICROSOFT, "QLinearAdd", op->name, made,
	                ESPL_INPUTS(a, espl_export_scale(export, op->inputs[0]),
	                            espl_export_zero_point(export, op->inputs[0]), b,
	                            espl_export_scale(export, op->inputs[1]),
	                            espl_export_zero_point(export, op->inputs[1]),
	                            espl_export_scale(export, op->output),
	                            espl_export_zero_point(export, op->output)));
	espl_export_bound(export, op, made, output);
}

static void export_pad(espl_net_export *export, const espl_op *op)
{
	const int64_t count = 8;
	const int64_t pads[8] = {0, 0, op->pad_top,    op->pad_left,
	                         0, 0, op->pad_bottom, op->pad_right};
	const char *in = espl_export_view(export, op->inputs[0], false);
	const char *sizes = espl_write_int64s(&export->writer,
	                                      espl_arena_format(export->arena, "%s/pads", op->name),
	                                      1, &count, pads);

	espl_write_node(&export->writer, "", "Pad", op->name,
	                espl_export_make(export, op->output, false),
	                ESPL_INPUTS(in, sizes, espl_export_zero_point(export, op->output)));
}

static void export_concat(espl_net_export *export, const espl_op *op)
{
	const char *inputs[ESPL_MAX_INPUTS + 1] = {NULL};
	const bool flat = both_flat(export, op);

	for (int k = 0; k < op->input_count; k++)
		inputs[k] = espl_export_view(export, op->inputs[k], flat);
	espl_write_node(&export->writer, "", "Concat", op->name,
	                espl_export_make(export, op->output, flat), inputs);
	espl_write_integer(&export->writer, "axis", 1);
}

static void export_max_pool(espl_net_export *export, const espl_op *op)
{
	const char *in = espl_export_view(export, op->inputs[0], false);
	const char *output = espl_export_make(export, op->output, false);
	const char *made = espl_export_bounded(export, op, output);

	espl_write_node(&export->writer, "", "MaxPool", op->name, made, ESPL_INPUTS(in));
	espl_export_window(export, op);
	espl_export_bound(export, op, made, output);
}

/* Cells of an output's window inside the image, along one side. */
static int inside(int at, int stride, int pad, int kernel, int size)
{
	const int first = at * stride - pad, end = first + kernel;

	return (end < size ? end : size) - (first > 0 ? first : 0);
}

static int cells_inside(const espl_op *op, const espl_tensor *in, int row, int column)
{
	return inside(row, op->stride_rows, op->pad_top, op->kernel_rows, in->rows) *
	       inside(column, op->stride_columns, op->pad_left, op->kernel_columns, in->columns);
}

/* The sums of an average pool, of values less `zero_point`: a convolution with ones. */
static const char *pool_sums(espl_net_export *export, const espl_op *op, const char *zero_point)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const int64_t dims[4] = {in->channels, 1, op->kernel_rows, op->kernel_columns};
	int8_t *ones = ESPL_ARRAY(export->arena, int8_t,
	                          in->channels * op->kernel_rows * op->kernel_columns);
	const char *sums = espl_export_part(export, op, "sums"), *weights;

	memset(ones, 1, (size_t)in->channels * op->kernel_rows * op->kernel_columns);
	weights = espl_write_int8s(&export->writer,
	                           espl_arena_format(export->arena, "%s/ones", op->name), 4, dims,
	                           ones);
	espl_write_node(
	        &export->writer, "", "ConvInteger", espl_export_part(export, op, "sum"), sums,
	        ESPL_INPUTS(espl_export_view(export, op->inputs[0], false), weights, zero_point));
	espl_export_window(export, op);
	espl_write_integer(&export->writer, "group", in->channels);
	return sums;
}

/* ONNX's averages: sums less their zero points, scaled. */
static void export_average_onnx(espl_net_export *export, const espl_op *op)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const espl_tensor *out = &export->net->tensors[op->output];
	const int64_t dims[2] = {out->rows, out->columns};
	float *factors = ESPL_ARRAY(export->arena, float, out->rows * out->columns);
	const char *sums = pool_sums(export, op, espl_export_zero_point(export, op->inputs[0])),
	           *name;

	for (int i = 0; i < out->rows * out->columns; i++) {
		const int cells =
		        op->count_pads ? op->kernel_rows * op->kernel_columns
		                       : cells_inside(op, in, i / out->columns, i % out->columns);

		factors[i] = espl_scale_to_float32(espl_pool_scale(export->net, op, cells));
	}
	name = espl_write_floats(&export->writer,
	                         espl_arena_format(export->arena, "%s/factor", op->name), 2, dims,
	                         factors);
	espl_export_own(export, ESPL_OWN_REQUANTIZE_INSIDE, op->name,
	                espl_export_make(export, op->output, false), ESPL_INPUTS(sums, name));
	put_bounds(export, op, true);
}

static void export_average_pool(espl_net_export *export, const espl_op *op)
{
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const espl_tensor *out = &export->net->tensors[op->output];
	const int64_t dims[2] = {out->rows, out->columns};
	int64_t *cells = ESPL_ARRAY(export->arena, int64_t, out->rows * out->columns);
	const int8_t zero = 0;
	const char *sums, *name;

	for (int i = 0; i < out->rows * out->columns; i++)
		cells[i] = cells_inside(op, in, i / out->columns, i % out->columns);
	sums = pool_sums(export, op,
	                 espl_write_int8s(&export->writer,
	                                  espl_arena_format(export->arena, "%s/zero", op->name), 0,
	                                  NULL, &zero));
	name = espl_write_int64s(&export->writer,
	                         espl_arena_format(export->arena, "%s/cells", op->name), 2, dims,
	                         cells);
	espl_export_own(export, ESPL_OWN_AVERAGE, op->name,
	                espl_export_make(export, op->output, false), ESPL_INPUTS(sums, name));
	put_bounds(export, op, false);
}

static void export_mean(espl_net_export *export, const espl_op *op)
{
	espl_onnx_writer *w = &export->writer;
	const espl_tensor *in = &export->net->tensors[op->inputs[0]];
	const int32_t offset = in->rows * in->columns * in->zero_point;
	const int64_t two = 2;
	const char *axes, *wide, *sum, *zeros;

	axes = espl_write_int64s(w, espl_arena_format(export->arena, "%s/axes", op->name), 1, &two,
	                         (const int64_t[]){2, 3});
	zeros = espl_write_int32s(w, espl_arena_format(export->arena, "%s/zeros", op->name), 0,
	                          NULL, &offset);
	wide = espl_write_node(w, "", "Cast", espl_export_part(export, op, "cast"),
	                       espl_export_part(export, op, "wide"),
	                       ESPL_INPUTS(espl_export_view(export, op->inputs[0], false)));
	espl_write_integer(w, "to", ESPL_ELEMENT_INT32);
	sum = espl_write_node(w, "", "ReduceSum", espl_export_part(export, op, "sum"),
	                      espl_export_part(export, op, "raw_sums"), ESPL_INPUTS(wide, axes));
	sum = espl_write_node(w, "", "Sub", espl_export_part(export, op, "less_zeros"),
	                      espl_export_part(export, op, "sums"), ESPL_INPUTS(sum, zeros));
	espl_export_requantize(export, op, sum, &op->out_scale, 1, false);
}

static void export_logistic(espl_net_export *export, const espl_op *op)
{
	const bool flat = both_flat(export, op);
	const int64_t count = TABLE;
	const char *in = espl_export_view(export, op->inputs[0], flat);
	const char *table = espl_write_int8s(&export->writer,
	                                     espl_arena_format(export->arena, "%s/table", op->name),
	                                     1, &count, op->table);

	espl_export_own(export, ESPL_OWN_LOOKUP, op->name,
	                espl_export_make(export, op->output, flat), ESPL_INPUTS(in, table));
}

static void export_softmax(espl_net_export *export, const espl_op *op)
{
	const bool flat = both_flat(export, op);
	int64_t exponentials[TABLE], shares[TABLE], powers[POWERS];
	const int64_t counts[3] = {TABLE, LIMITS, POWERS};
	const char *in = espl_export_view(export, op->inputs[0], flat);
	const char *names[4];

	for (int i = 0; i < TABLE; i++) {
		const int32_t value = espl_softmax_exponential(i - (TABLE - 1), op->softmax_scale,
		                                               op->softmax_least);

		exponentials[i] = value;
		shares[i] = espl_rounding_shift(value, SHARE_BITS);
	}
	for (int i = 0; i < POWERS; i++)
		powers[i] = INT64_C(1) << i;
	names[0] = espl_write_int64s(&export->writer,
	                             espl_arena_format(export->arena, "%s/exponentials", op->name),
	                             1, &counts[0], exponentials);
	names[1] = espl_write_int64s(&export->writer,
	                             espl_arena_format(export->arena, "%s/shares", op->name), 1,
	                             &counts[0], shares);
	names[2] = espl_write_int64s(&export->writer,
	                             espl_arena_format(export->arena, "%s/limits", op->name), 1,
	                             &counts[1], powers + 1);
	names[3] = espl_write_int64s(&export->writer,
	                             espl_arena_format(export->arena, "%s/powers", op->name), 1,
	                             &counts[2], powers);
	espl_export_own(export, ESPL_OWN_SOFTMAX, op->name,
	                espl_export_make(export, op->output, flat),
	                ESPL_INPUTS(in, names[0], names[1], names[2], names[3]));
}

espl_status espl_export_exact_op(espl_net_export *export, const espl_op *op)
{
	switch (op->kind) {
	case ESPL_OP_CONV:
	case ESPL_OP_DEPTHWISE:
	case ESPL_OP_DENSE:
		espl_export_weighted(export, op);
		return ESPL_OK;
	case ESPL_OP_ADD:
		if (export->net->rounding == ESPL_ROUND_ONNX)
			export_add_onnx(export, op);
		else
			export_add_tables(export, op);
		return ESPL_OK;
	case ESPL_OP_MAX_POOL:
		export_max_pool(export, op);
		return ESPL_OK;
	case ESPL_OP_AVERAGE_POOL:
		if (export->net->rounding == ESPL_ROUND_ONNX)
			export_average_onnx(export, op);
		else
			export_average_pool(export, op);
		return ESPL_OK;
	case ESPL_OP_MEAN:
		export_mean(export, op);
		return ESPL_OK;
	case ESPL_OP_PAD:
		export_pad(export, op);
		return ESPL_OK;
	case ESPL_OP_RESHAPE:
		espl_view_reshape(&export->writer, &export->tensors[op->inputs[0]].view,
		                  &export->tensors[op->output].view, op->name);
		return ESPL_OK;
	case ESPL_OP_CONCAT:
		export_concat(export, op);
		return ESPL_OK;
	case ESPL_OP_SOFTMAX:
		export_softmax(export, op);
		return ESPL_OK;
	case ESPL_OP_LOGISTIC:
		export_logistic(export, op);
		return ESPL_OK;
	case ESPL_OP_COUNT:
		break;
	}
	return espl_fail(export->err, ESPL_UNSUPPORTED, "%s: %s has no ONNX form yet", op->name,
	                 espl_op_name(op->kind));
}

/* -- borders ----------------------------------------------------------------- */

static const espl_element border_types[] = {
        [ESPL_TYPE_INT8] = ESPL_ELEMENT_INT8,
        [ESPL_TYPE_FLOAT32] = ESPL_ELEMENT_FLOAT,
        [ESPL_TYPE_UINT8] = ESPL_ELEMENT_UINT8,
};

static const char *cast(espl_net_export *export, const char *name, espl_element type,
                        const char *from, const char *output)
{
	espl_write_node(&export->writer, "", "Cast", name, output, ESPL_INPUTS(from));
	espl_write_integer(&export->writer, "to", type);
	return output;
}

/* Stored values to or from those of a file that has them 128 greater. */
static void shift(espl_net_export *export, const char *name, bool down, const char *from,
                  const char *output)
{
	espl_onnx_writer *w = &export->writer;
	const int32_t offset = 128;
	const char *by = espl_write_int32s(w, espl_arena_format(export->arena, "%s/offset", name),
	                                   0, NULL, &offset);
	const char *wide = espl_write_unique(w, espl_arena_format(export->arena, "%s/wide", name));
	const char *moved =
	        espl_write_unique(w, espl_arena_format(export->arena, "%s/moved", name));

	cast(export, NULL, ESPL_ELEMENT_INT32, from, wide);
	espl_write_node(w, "", down ? "Sub" : "Add", NULL, moved, ESPL_INPUTS(wide, by));
	cast(export, NULL, down ? ESPL_ELEMENT_INT8 : ESPL_ELEMENT_UINT8, moved, output);
}

static const char *border_name(espl_net_export *export, const char *name, espl_type type)
{
	if (type == ESPL_TYPE_INT8)
		return name;
	return espl_write_unique(&export->writer,
	                         espl_arena_format(export->arena, "%s/%s", name,
	                                           type == ESPL_TYPE_UINT8 ? "uint8" : "real"));
}

static void export_input(espl_net_export *export, int index)
{
	const int tensor = export->net->inputs[index];
	const espl_tensor *of = &export->net->tensors[tensor];
	const espl_type type = export->net->input_types[index];
	const char *border = border_name(export, of->name, type);
	espl_view *view = &export->tensors[tensor].view;
	int64_t dims[3];
	int rank;

	view->is_flat = espl_view_one_cell(view);
	*(view->is_flat ? &view->flat : &view->spatial) = of->name;
	rank = espl_view_dims(view, view->is_flat, dims);
	espl_write_input(&export->writer, border, border_types[type], rank, dims);
	if (type == ESPL_TYPE_UINT8)
		shift(export, of->name, true, border, of->name);
	if (type == ESPL_TYPE_FLOAT32)
		espl_write_node(&export->writer, "", "QuantizeLinear",
		                espl_arena_format(export->arena, "%s/quantize", of->name), of->name,
		                ESPL_INPUTS(border, espl_export_scale(export, tensor),
		                            espl_export_zero_point(export, tensor)));
}

static void export_output(espl_net_export *export, int index)
{
	const int tensor = export->net->outputs[index];
	const espl_tensor *of = &export->net->tensors[tensor];
	const espl_type type = export->net->output_types[index];
	const char *border = border_name(export, of->name, type);
	const espl_view *view = &export->tensors[tensor].view;
	int64_t dims[3];
	const int rank = espl_view_dims(view, view->is_flat, dims);

	espl_write_output(&export->writer, border, border_types[type], rank, dims);
	if (type == ESPL_TYPE_UINT8)
		shift(export, of->name, false, of->name, border);
	if (type == ESPL_TYPE_FLOAT32)
		espl_write_node(&export->writer, "", "DequantizeLinear",
		                espl_arena_format(export->arena, "%s/dequantize", of->name), border,
		                ESPL_INPUTS(of->name, espl_export_scale(export, tensor),
		                            espl_export_zero_point(export, tensor)));
}

espl_status espl_export_net(const espl_net *net, espl_export_form form, const char *version,
                            espl_arena *arena, espl_span *model, espl_export_report *report,
                            espl_error *err)
{
	espl_net_export export = {
	        .net = net,
	        .arena = arena,
	        .writer = espl_writer_in(arena, net->name),
	        .tensors = ESPL_ARRAY(arena, espl_exported, net->tensor_count),
	        .report = report,
	        .err = err,
	};

	*report = (espl_export_report){0};
	for (int i = 0; i < net->tensor_count; i++) {
		const espl_tensor *of = &net->tensors[i];

		espl_write_unique(&export.writer, of->name);
		export.tensors[i].view = (espl_view){.name = of->name,
		                                     .rows = of->rows,
		                                     .columns = of->columns,
		                                     .channels = of->channels,
		                                     .type = ESPL_ELEMENT_INT8};
	}
	for (int i = 0; i < net->input_count; i++)
		export_input(&export, i);
	for (int i = 0; i < net->op_count; i++)
		if (form == ESPL_EXPORT_QDQ)
			ESPL_TRY(espl_export_qdq_op(&export, &net->ops[i]));
		else
			ESPL_TRY(espl_export_exact_op(&export, &net->ops[i]));
	for (int i = 0; i < net->output_count; i++)
		export_output(&export, i);
	for (int i = 0; i < ESPL_OWN_COUNT; i++)
		if (export.own[i])
			espl_own_define(&export.writer, (espl_own)i);
	*model = espl_write_finish(&export.writer, version);
	return ESPL_OK;
}
