/* Arithmetic on constants, as exporters leave it behind for shapes and pads.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <math.h>
#include <string.h>

enum { COMPUTED_MAX = 1 << 24 };

/* -- shapes ------------------------------------------------------------------- */

/* The shape of two operands broadcast to each other; false when they do not fit. */
static bool broadcast(const espl_fact *a, const espl_fact *b, int *rank, int64_t *dims)
{
	*rank = a->rank > b->rank ? a->rank : b->rank;
	for (int i = 0; i < *rank; i++) {
		const int ai = i - (*rank - a->rank), bi = i - (*rank - b->rank);
		const int64_t da = ai < 0 ? 1 : a->dims[ai], db = bi < 0 ? 1 : b->dims[bi];

		if (da != db && da != 1 && db != 1)
			return false;
		dims[i] = da == 1 ? db : da;
	}
	return true;
}

/* The index in `fact` of element `at` of a tensor that it is broadcast to. */
static int64_t broadcast_index(const espl_fact *fact, int rank, const int64_t *dims, int64_t at)
{
	int64_t index = 0, stride = 1;

	for (int i = rank - 1; i >= 0; i--) {
		const int own = i - (rank - fact->rank);
		const int64_t place = at % dims[i];

		at /= dims[i];
		if (own < 0)
			continue;
		if (fact->dims[own] > 1)
			index += place * stride;
		stride *= fact->dims[own];
	}
	return index;
}

static bool small(const int64_t *dims, int rank)
{
	int64_t count = 1;

	for (int i = 0; i < rank; i++) {
		if (dims[i] < 0 || dims[i] > COMPUTED_MAX)
			return false;
		count *= dims[i];
		if (count > COMPUTED_MAX)
			return false;
	}
	return rank <= ESPL_ONNX_RANK_MAX;
}

static espl_status too_large(espl_float_import *import)
{
	return espl_float_refuse(import, "computing this constant would take over %d numbers",
	                         (int)COMPUTED_MAX);
}

static int64_t axis_of(int64_t axis, int rank)
{
	return axis < 0 ? axis + rank : axis;
}

/* -- one after the other --------------------------------------------------------- */

static double combined(const char *kind, double a, double b, bool is_integer)
{
	switch (kind[0]) {
	case 'A':
		return a + b;
	case 'S':
		return a - b;
	case 'M':
		return a * b;
	case 'P':
		return pow(a, b);
	default:
		if (!is_integer)
			return a / b;
		return b < 0 || b > 0 ? trunc(a / b) : 0;
	}
}

static espl_status fold_arithmetic(espl_float_import *import)
{
	const espl_fact *a = espl_float_input(import, 0), *b = espl_float_input(import, 1);
	int64_t dims[ESPL_ONNX_RANK_MAX];
	double *numbers;
	int rank;

	if (!a || !b)
		return espl_float_refuse(import, "two operands are wanted");
	if (!broadcast(a, b, &rank, dims))
		return espl_float_refuse(import, "the operands' shapes do not fit each other");
	if (!small(dims, rank))
		return too_large(import);
	numbers = espl_fact_compute(import, espl_float_output(import, 0), rank, dims,
	                            a->is_integer && b->is_integer);
	for (int64_t i = 0; i < espl_float_output(import, 0)->count; i++) {
		const double value = combined(
		        import->node->kind, espl_fact_number(a, broadcast_index(a, rank, dims, i)),
		        espl_fact_number(b, broadcast_index(b, rank, dims, i)),
		        a->is_integer && b->is_integer);

		numbers[i] = a->is_integer && b->is_integer ? value : (double)(float)value;
	}
	return ESPL_OK;
}

static espl_status fold_shape(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	const int64_t start = axis_of(espl_onnx_get_integer(import->node, "start", 0), in->rank);
	int64_t end = axis_of(espl_onnx_get_integer(import->node, "end", in->rank), in->rank);
	int64_t from = start < 0 ? 0 : start, count;
	double *numbers;

	end = end > in->rank ? in->rank : end;
	count = end > from ? end - from : 0;
	numbers = espl_fact_compute(import, espl_float_output(import, 0), 1, &count, true);
	for (int64_t i = 0; i < count; i++)
		numbers[i] = (double)in->dims[from + i];
	return ESPL_OK;
}

static espl_status fold_gather(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0), *at = espl_float_input(import, 1);
	const int64_t axis = axis_of(espl_onnx_get_integer(import->node, "axis", 0), in->rank);
	int64_t dims[2 * ESPL_ONNX_RANK_MAX], inner = 1;
	espl_fact *out = espl_float_output(import, 0);
	double *numbers;
	int rank = 0;

	if (!at || axis < 0 || axis >= in->rank)
		return espl_float_refuse(import, "axis %lld of %d dimensions", (long long)axis,
		                         in->rank);
	for (int i = 0; i < axis; i++)
		dims[rank++] = in->dims[i];
	for (int i = 0; i < at->rank; i++)
		dims[rank++] = at->dims[i];
	for (int64_t i = axis + 1; i < in->rank; i++) {
		dims[rank++] = in->dims[i];
		inner *= in->dims[i];
	}
	if (!small(dims, rank))
		return too_large(import);
	numbers = espl_fact_compute(import, out, rank, dims, in->is_integer);
	for (int64_t i = 0; i < out->count; i++) {
		const int64_t which = i / inner % (at->count ? at->count : 1);
		const int64_t outer = i / inner / (at->count ? at->count : 1);
		const double wanted = espl_fact_number(at, which);
		const double index = wanted < 0 ? wanted + (double)in->dims[axis] : wanted;

		if (!(index >= 0 && index < (double)in->dims[axis]))
			return espl_float_refuse(import, "index %g of %lld", wanted,
			                         (long long)in->dims[axis]);
		numbers[i] = espl_fact_number(
		        in, (outer * in->dims[axis] + (int64_t)index) * inner + i % inner);
	}
	return ESPL_OK;
}

/* The same numbers in another shape. */
static void reshaped(espl_float_import *import, const espl_fact *in, int rank, const int64_t *dims)
{
	espl_fact out = *in;

	out.rank = rank;
	memcpy(out.dims, dims, (size_t)rank * sizeof(*dims));
	*espl_float_output(import, 0) = out;
}

static espl_status fold_concat(espl_float_import *import)
{
	const espl_fact *first = espl_float_input(import, 0);
	const int64_t axis = axis_of(espl_onnx_get_integer(import->node, "axis", 0), first->rank);
	int64_t dims[ESPL_ONNX_RANK_MAX], outer = 1, inner = 1, done = 0;
	espl_fact *out = espl_float_output(import, 0);
	double *numbers;

	if (axis < 0 || axis >= first->rank)
		return espl_float_refuse(import, "axis %lld of %d dimensions", (long long)axis,
		                         first->rank);
	memcpy(dims, first->dims, sizeof(dims));
	for (int k = 1; k < import->node->input_count; k++) {
		const espl_fact *in = espl_float_input(import, k);

		if (!in || in->rank != first->rank)
			return espl_float_refuse(import, "inputs of different ranks");
		for (int i = 0; i < in->rank; i++)
			if (i != axis && in->dims[i] != first->dims[i])
				return espl_float_refuse(import, "inputs of different shapes");
		dims[axis] += in->dims[axis];
	}
	if (!small(dims, first->rank))
		return too_large(import);
	for (int i = 0; i < first->rank; i++)
		*(i < axis ? &outer : &inner) *= i == axis ? 1 : dims[i];
	numbers = espl_fact_compute(import, out, first->rank, dims, first->is_integer);
	for (int k = 0; k < import->node->input_count; k++) {
		const espl_fact *in = espl_float_input(import, k);
		const int64_t run = in->dims[axis] * inner;

		for (int64_t i = 0; i < in->count && run; i++)
			numbers[i / run * dims[axis] * inner + done + i % run] =
			        espl_fact_number(in, i);
		done += run;
	}
	return ESPL_OK;
}

static espl_status fold_slice(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	int64_t starts[16], ends[16], axes[16], steps[16];
	int64_t from[ESPL_ONNX_RANK_MAX] = {0}, step[ESPL_ONNX_RANK_MAX], dims[ESPL_ONNX_RANK_MAX];
	int start_count, end_count, axis_count, step_count;
	espl_fact *out = espl_float_output(import, 0);
	double *numbers;

	ESPL_TRY(espl_float_integers(import, 1, "starts", starts, &start_count));
	ESPL_TRY(espl_float_integers(import, 2, "ends", ends, &end_count));
	ESPL_TRY(espl_float_integers(import, 3, "axes", axes, &axis_count));
	ESPL_TRY(espl_float_integers(import, 4, NULL, steps, &step_count));
	for (int i = 0; i < in->rank; i++) {
		step[i] = 1;
		dims[i] = in->dims[i];
	}
	for (int i = 0; i < start_count; i++) {
		const int64_t axis = axis_of(i < axis_count ? axes[i] : i, in->rank);
		const int64_t by = i < step_count ? steps[i] : 1;
		int64_t size, first, last;

		if (axis < 0 || axis >= in->rank || i >= end_count || !by)
			return espl_float_refuse(import, "starts, ends, axes and steps disagree");
		size = in->dims[axis];
		first = starts[i] < 0 ? starts[i] + size : starts[i];
		last = ends[i] < 0 ? ends[i] + size : ends[i];
		if (by > 0) {
			first = first < 0 ? 0 : first > size ? size : first;
			last = last < 0 ? 0 : last > size ? size : last;
			dims[axis] = last > first ? (last - first + by - 1) / by : 0;
		} else {
			first = first < 0 ? -1 : first >= size ? size - 1 : first;
			last = last < -1 ? -1 : last >= size ? size - 1 : last;
			dims[axis] = first > last ? (first - last - by - 1) / -by : 0;
		}
		from[axis] = first;
		step[axis] = by;
	}
	numbers = espl_fact_compute(import, out, in->rank, dims, in->is_integer);
	for (int64_t i = 0; i < out->count; i++) {
		int64_t rest = i, index = 0, stride = 1;

		for (int d = in->rank - 1; d >= 0; d--) {
			index += (from[d] + rest % dims[d] * step[d]) * stride;
			rest /= dims[d];
			stride *= in->dims[d];
		}
		numbers[i] = espl_fact_number(in, index);
	}
	return ESPL_OK;
}

static espl_status fold_transpose(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	int64_t order[16], dims[ESPL_ONNX_RANK_MAX], strides[ESPL_ONNX_RANK_MAX], stride = 1;
	espl_fact *out = espl_float_output(import, 0);
	double *numbers;
	int count;

	ESPL_TRY(espl_float_integers(import, -1, "perm", order, &count));
	if (count < 0)
		for (count = 0; count < in->rank; count++)
			order[count] = in->rank - 1 - count;
	ESPL_TRY(espl_float_check_order(import, order, count, in->rank));
	for (int i = in->rank - 1; i >= 0; i--) {
		strides[i] = stride;
		stride *= in->dims[i];
	}
	for (int i = 0; i < in->rank; i++)
		dims[i] = in->dims[order[i]];
	if (!small(dims, in->rank))
		return too_large(import);
	numbers = espl_fact_compute(import, out, in->rank, dims, in->is_integer);
	for (int64_t i = 0; i < out->count; i++) {
		int64_t rest = i, index = 0;

		for (int d = in->rank - 1; d >= 0; d--) {
			index += rest % dims[d] * strides[order[d]];
			rest /= dims[d];
		}
		numbers[i] = espl_fact_number(in, index);
	}
	return ESPL_OK;
}

static espl_status fold_fill(espl_float_import *import)
{
	const espl_onnx_attribute *value = espl_onnx_find(import->node, "value");
	const espl_fact *shape = espl_float_input(import, 0);
	int64_t dims[16];
	espl_fact *out = espl_float_output(import, 0);
	espl_fact with = {0};
	double *numbers, number = 0;
	int rank;

	(void)shape;
	ESPL_TRY(espl_float_integers(import, 0, NULL, dims, &rank));
	if (rank > ESPL_ONNX_RANK_MAX || !small(dims, rank))
		return too_large(import);
	if (value && value->tensor && value->tensor->count) {
		with.tensor = value->tensor;
		with.is_integer = espl_onnx_is_integer(value->tensor->type);
		number = espl_fact_number(&with, 0);
	}
	numbers = espl_fact_compute(import, out, rank, dims, with.is_integer);
	for (int64_t i = 0; i < out->count; i++)
		numbers[i] = number;
	return ESPL_OK;
}

static espl_status fold_range(espl_float_import *import)
{
	const espl_fact *in[3];
	double numbers[3], *out, count;
	int64_t dims;

	for (int i = 0; i < 3; i++) {
		in[i] = espl_float_input(import, i);
		if (!in[i] || in[i]->count != 1)
			return espl_float_refuse(import, "start, limit and delta are wanted");
		numbers[i] = espl_fact_number(in[i], 0);
	}
	count = ceil((numbers[1] - numbers[0]) / numbers[2]);
	dims = count > 0 && count < COMPUTED_MAX ? (int64_t)count : 0;
	if (!(count <= COMPUTED_MAX))
		return too_large(import);
	out = espl_fact_compute(import, espl_float_output(import, 0), 1, &dims, in[0]->is_integer);
	for (int64_t i = 0; i < dims; i++)
		out[i] = numbers[0] + (double)i * numbers[2];
	return ESPL_OK;
}

static double mapped(const char *kind, double x)
{
	switch (kind[0]) {
	case 'N':
		return -x;
	case 'F':
		return floor(x);
	case 'A':
		return fabs(x);
	case 'S':
		return (double)sqrtf((float)x);
	default:
		return ceil(x);
	}
}

static espl_status fold_unary(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	double *numbers;

	if (!small(in->dims, in->rank))
		return too_large(import);
	numbers = espl_fact_compute(import, espl_float_output(import, 0), in->rank, in->dims,
	                            in->is_integer);
	for (int64_t i = 0; i < in->count; i++)
		numbers[i] = mapped(import->node->kind, espl_fact_number(in, i));
	return ESPL_OK;
}

static espl_status fold_cast(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	const espl_onnx_type to =
	        (espl_onnx_type)espl_onnx_get_integer(import->node, "to", ESPL_ONNX_FLOAT);
	double *numbers;

	if (!espl_onnx_is_integer(to) && !espl_onnx_is_real(to))
		return espl_float_refuse(import, "a cast to %s", espl_onnx_type_name(to));
	if (!small(in->dims, in->rank))
		return too_large(import);
	numbers = espl_fact_compute(import, espl_float_output(import, 0), in->rank, in->dims,
	                            espl_onnx_is_integer(to));
	for (int64_t i = 0; i < in->count; i++) {
		const double x = espl_fact_number(in, i);

		numbers[i] = espl_onnx_is_integer(to) ? trunc(x) : (double)(float)x;
	}
	return ESPL_OK;
}

static espl_status fold_constant(espl_float_import *import)
{
	const espl_onnx_node *node = import->node;
	const espl_onnx_attribute *value = espl_onnx_find(node, "value");
	espl_fact *out = espl_float_output(import, 0);
	double *numbers;
	int64_t count = 1;

	if (value && value->tensor) {
		espl_fact_of_tensor(out, value->tensor);
		return ESPL_OK;
	}
	for (int i = 0; i < node->attribute_count; i++) {
		const espl_onnx_attribute *a = &node->attributes[i];
		const bool list = a->kind == ESPL_ONNX_ATTRIBUTE_INTS ||
		                  a->kind == ESPL_ONNX_ATTRIBUTE_FLOATS;
		const bool whole =
		        a->kind == ESPL_ONNX_ATTRIBUTE_INT || a->kind == ESPL_ONNX_ATTRIBUTE_INTS;

		if (!list && !whole && a->kind != ESPL_ONNX_ATTRIBUTE_FLOAT)
			continue;
		count = list ? a->count : 1;
		numbers = espl_fact_compute(import, out, list ? 1 : 0, &count, whole);
		for (int64_t j = 0; j < count; j++)
			numbers[j] = list && whole ? (double)a->integers[j]
			             : list        ? (double)a->reals[j]
			             : whole       ? (double)a->integer
			                           : (double)a->real;
		return ESPL_OK;
	}
	return espl_float_refuse(import, "a constant without numbers");
}

/* Reshape, Squeeze, Unsqueeze and Flatten of constants. */
static espl_status fold_view(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	int64_t dims[ESPL_ONNX_RANK_MAX];
	int rank;

	ESPL_TRY(espl_float_new_shape(import, in, &rank, dims));
	reshaped(import, in, rank, dims);
	return ESPL_OK;
}

static espl_status fold_identity(espl_float_import *import)
{
	*espl_float_output(import, 0) = *espl_float_input(import, 0);
	return ESPL_OK;
}

static espl_status fold_expand(espl_float_import *import)
{
	const espl_fact *in = espl_float_input(import, 0);
	espl_fact wanted = {0};
	int64_t dims[ESPL_ONNX_RANK_MAX];
	espl_fact *out = espl_float_output(import, 0);
	int64_t shape[16];
	double *numbers;
	int rank;

	ESPL_TRY(espl_float_integers(import, 1, NULL, shape, &rank));
	if (rank < 0 || rank > ESPL_ONNX_RANK_MAX)
		return espl_float_refuse(import, "the shape is missing");
	wanted.rank = rank;
	memcpy(wanted.dims, shape, (size_t)rank * sizeof(*shape));
	if (!broadcast(in, &wanted, &rank, dims))
		return espl_float_refuse(import, "the shapes do not fit each other");
	if (!small(dims, rank))
		return too_large(import);
	numbers = espl_fact_compute(import, out, rank, dims, in->is_integer);
	for (int64_t i = 0; i < out->count; i++)
		numbers[i] = espl_fact_number(in, broadcast_index(in, rank, dims, i));
	return ESPL_OK;
}

static const struct {
	const char *kind;
	espl_status (*fold)(espl_float_import *import);
} folds[] = {
        {"Constant", fold_constant},    {"Shape", fold_shape},    {"Gather", fold_gather},
        {"Concat", fold_concat},        {"Slice", fold_slice},    {"Transpose", fold_transpose},
        {"ConstantOfShape", fold_fill}, {"Range", fold_range},    {"Neg", fold_unary},
        {"Floor", fold_unary},          {"Ceil", fold_unary},     {"Abs", fold_unary},
        {"Sqrt", fold_unary},           {"Cast", fold_cast},      {"Reshape", fold_view},
        {"Squeeze", fold_view},         {"Unsqueeze", fold_view}, {"Flatten", fold_view},
        {"Identity", fold_identity},    {"Expand", fold_expand},  {"Add", fold_arithmetic},
        {"Sub", fold_arithmetic},       {"Mul", fold_arithmetic}, {"Div", fold_arithmetic},
        {"Pow", fold_arithmetic},
};

bool espl_float_fold(espl_float_import *import, espl_status *status)
{
	const espl_onnx_node *node = import->node;
	const bool shape = !strcmp(node->kind, "Shape") && espl_float_input(import, 0);

	for (int i = 0; i < node->input_count && !shape; i++) {
		const espl_fact *in = espl_float_input(import, i);

		if (in && in->kind != ESPL_FACT_CONSTANT)
			return false;
	}
	if (!node->input_count && strcmp(node->kind, "Constant"))
		return false;
	if (node->input_count && !espl_float_input(import, 0))
		return false;
	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++)
		if (!strcmp(folds[i].kind, node->kind)) {
			*status = folds[i].fold(import);
			return true;
		}
	return false;
}
