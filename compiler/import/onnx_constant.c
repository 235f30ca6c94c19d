/* Constants of an ONNX graph: shape arithmetic, transposed weights.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx.h"

#include <string.h>

enum { INTEGERS_MAX = 1024 }; /* elements of a constant that is computed with */

const char *espl_onnx_constant(espl_onnx_import *in, const espl_onnx_node *node, int n, int most,
                               int64_t *values, int *count)
{
	const espl_onnx_state *state = espl_onnx_input(in, node, n);

	if (!state || state->kind != ESPL_ONNX_CONSTANT || state->scaling ||
	    !espl_onnx_is_integer(state->data->type))
		return espl_arena_format(in->arena, "%s is no constant of integers",
		                         espl_onnx_input_name(in, node, n));
	if (espl_onnx_elements(state) > most)
		return espl_arena_format(in->arena, "%s has %lld elements, at most %d",
		                         espl_onnx_input_name(in, node, n),
		                         (long long)espl_onnx_elements(state), most);
	*count = (int)espl_onnx_elements(state);
	for (int i = 0; i < *count; i++)
		values[i] = espl_onnx_integer_at(state->data, i);
	return NULL;
}

/* Makes output 0 a constant of int64. */
static void put_integers(espl_onnx_import *in, const espl_onnx_node *node, int rank,
                         const int64_t *dims, const int64_t *values)
{
	espl_onnx_state *to = espl_onnx_output(in, node, 0);
	espl_onnx_tensor *data = ESPL_NEW(in->arena, espl_onnx_tensor);
	unsigned char *bytes;

	*to = (espl_onnx_state){.kind = ESPL_ONNX_CONSTANT, .rank = rank, .data = data};
	if (rank)
		memcpy(to->dims, dims, (size_t)rank * sizeof *dims);
	*data = (espl_onnx_tensor){.name = "", .type = ESPL_ONNX_INT64, .rank = rank};
	memcpy(data->dims, to->dims, sizeof data->dims);
	data->count = espl_onnx_elements(to);
	bytes = espl_arena_calloc(in->arena, (size_t)data->count, 8);
	for (int64_t i = 0; i < 8 * data->count; i++)
		bytes[i] = (unsigned char)((uint64_t)values[i / 8] >> (8 * (i % 8)));
	data->data = (espl_span){bytes, 8 * (size_t)data->count};
}

ESPL_ONNX_CONVERTER(shape)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	int64_t count;

	if (!x)
		return "it has no input";
	if (espl_onnx_find(node, "start") || espl_onnx_find(node, "end"))
		return "start or end is set";
	count = x->rank;
	put_integers(in, node, 1, &count, x->dims);
	return NULL;
}

ESPL_ONNX_CONVERTER(constant)
{
	const espl_onnx_attribute *value = espl_onnx_find(node, "value");
	const espl_onnx_attribute *list = espl_onnx_find(node, "value_ints");
	const espl_onnx_attribute *one = espl_onnx_find(node, "value_int");
	espl_onnx_state *to = espl_onnx_output(in, node, 0);
	int64_t count;

	if (list && list->kind == ESPL_ONNX_ATTRIBUTE_INTS) {
		count = list->count;
		put_integers(in, node, 1, &count, list->integers);
		return NULL;
	}
	if (one && one->kind == ESPL_ONNX_ATTRIBUTE_INT) {
		put_integers(in, node, 0, NULL, &one->integer);
		return NULL;
	}
	if (!value || value->kind != ESPL_ONNX_ATTRIBUTE_TENSOR)
		return "its value is no tensor and no integers";
	*to = (espl_onnx_state){
	        .kind = ESPL_ONNX_CONSTANT, .rank = value->tensor->rank, .data = value->tensor};
	memcpy(to->dims, value->tensor->dims, sizeof to->dims);
	return NULL;
}

/* A constant with its axes in another order, element by element. */
static const char *transpose_constant(espl_onnx_import *in, const espl_onnx_node *node)
{
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);
	const espl_onnx_attribute *order = espl_onnx_find(node, "perm");
	espl_onnx_state *to = espl_onnx_output(in, node, 0);
	espl_onnx_tensor *data = ESPL_NEW(in->arena, espl_onnx_tensor);
	int64_t strides[ESPL_ONNX_RANK_MAX], step[ESPL_ONNX_RANK_MAX], stride = 1, at = 0;
	int64_t digits[ESPL_ONNX_RANK_MAX] = {0}, count = espl_onnx_elements(x);
	const size_t size = count ? x->data->data.size / (size_t)count : 0;
	bool used[ESPL_ONNX_RANK_MAX] = {false};
	espl_onnx_state result = *x;
	unsigned char *bytes;

	if (x->data->data.size != size * (size_t)count || !size)
		return "a constant of this type is transposed";
	if (order && (order->kind != ESPL_ONNX_ATTRIBUTE_INTS || order->count != x->rank))
		return "perm does not have a value for each axis";
	for (int i = x->rank - 1; i >= 0; i--) {
		strides[i] = stride;
		stride *= x->dims[i];
	}
	for (int i = 0; i < x->rank; i++) {
		const int64_t from = order ? order->integers[i] : x->rank - 1 - i;

		if (from < 0 || from >= x->rank || used[from])
			return espl_arena_format(in->arena, "perm names axis %lld",
			                         (long long)from);
		used[from] = true;
		result.dims[i] = x->dims[from];
		step[i] = strides[from];
		if (x->scaling && x->scaling->count > 1 && x->scaling->axis == from) {
			espl_onnx_scaling *moved =
			        espl_arena_copy(in->arena, x->scaling, sizeof *moved);

			moved->axis = i;
			result.scaling = moved;
		}
	}
	bytes = espl_arena_calloc(in->arena, (size_t)count, size);
	for (int64_t e = 0; e < count; e++) {
		memcpy(bytes + (size_t)e * size, x->data->data.data + (size_t)at * size, size);
		for (int i = x->rank - 1; i >= 0; i--) {
			at += step[i];
			if (++digits[i] < result.dims[i])
				break;
			at -= step[i] * result.dims[i];
			digits[i] = 0;
		}
	}
	*data = *x->data;
	memcpy(data->dims, result.dims, sizeof data->dims);
	data->data = (espl_span){bytes, (size_t)count * size};
	result.data = data;
	*to = result;
	return NULL;
}

/* What Cast makes of integers: integers. */
static const char *cast(espl_onnx_import *in, const espl_onnx_node *node)
{
	const int64_t type = espl_onnx_get_integer(node, "to", 0);
	const espl_onnx_state *x = espl_onnx_input(in, node, 0);

	if (type != (int64_t)x->data->type && type != ESPL_ONNX_INT64 && type != ESPL_ONNX_INT32)
		return "it casts a constant to another type than integers";
	*espl_onnx_output(in, node, 0) = *x;
	return NULL;
}

typedef struct {
	int64_t values[INTEGERS_MAX];
	int count;
} integers;

/* Elements of a list by index; the index's rank decides the result's. */
static const char *pick(espl_onnx_import *in, const espl_onnx_node *node, const integers *a,
                        const integers *b)
{
	const int rank = espl_onnx_input(in, node, 1)->rank;
	int64_t *out = ESPL_ARRAY(in->arena, int64_t, b->count), count = b->count;

	if (espl_onnx_input(in, node, 0)->rank != 1 || rank > 1 ||
	    espl_onnx_get_integer(node, "axis", 0) != 0)
		return "it picks from a constant that is no list";
	for (int i = 0; i < b->count; i++) {
		const int64_t index = b->values[i] < 0 ? b->values[i] + a->count : b->values[i];

		if (index < 0 || index >= a->count)
			return espl_arena_format(in->arena, "it picks %lld of %d",
			                         (long long)b->values[i], a->count);
		out[i] = a->values[index];
	}
	put_integers(in, node, rank, &count, out);
	return NULL;
}

static const char *cut(espl_onnx_import *in, const espl_onnx_node *node, const integers *a)
{
	int64_t list[4] = {0, 0, 0, 1}, count = 0; /* start, end, axis, step */
	int64_t *out = ESPL_ARRAY(in->arena, int64_t, a->count);

	for (int n = 1; n <= 4; n++) {
		int one = 0;
		const char *reason = NULL;

		if (n < 3 || espl_onnx_input(in, node, n))
			reason = espl_onnx_constant(in, node, n, 1, &list[n - 1], &one);
		if (reason || (n < 3 && one != 1))
			return reason ? reason : "start or end is missing";
	}
	if (espl_onnx_input(in, node, 0)->rank != 1 || list[2] > 0 || list[3] != 1)
		return "it cuts a constant that is no list, or with steps";
	for (int i = 0; i < 2; i++) {
		list[i] = list[i] < 0 ? list[i] + a->count : list[i];
		list[i] = list[i] < 0 ? 0 : list[i] > a->count ? a->count : list[i];
	}
	for (int64_t i = list[0]; i < list[1]; i++)
		out[count++] = a->values[i];
	put_integers(in, node, 1, &count, out);
	return NULL;
}

static const char *join(espl_onnx_import *in, const espl_onnx_node *node)
{
	int64_t *out = ESPL_ARRAY(in->arena, int64_t, INTEGERS_MAX), total = 0;

	for (int n = 0; n < node->input_count; n++) {
		int count;
		const char *reason = espl_onnx_constant(in, node, n, (int)(INTEGERS_MAX - total),
		                                        out + total, &count);

		if (reason)
			return reason;
		if (espl_onnx_input(in, node, n)->rank != 1)
			return "it joins constants that are no lists";
		total += count;
	}
	put_integers(in, node, 1, &total, out);
	return NULL;
}

/* a op b of two lists, one of which may have a single element. Wraps. */
static const char *arithmetic(espl_onnx_import *in, const espl_onnx_node *node, const integers *a,
                              const integers *b)
{
	const int longer = a->count == 1 ? 1 : 0;
	const int count = longer ? b->count : a->count;
	int64_t *out = ESPL_ARRAY(in->arena, int64_t, count);

	if (a->count != b->count && a->count != 1 && b->count != 1)
		return espl_arena_format(in->arena, "constants of %d and %d elements", a->count,
		                         b->count);
	for (int i = 0; i < count; i++) {
		const int64_t p = a->values[a->count == 1 ? 0 : i];
		const int64_t q = b->values[b->count == 1 ? 0 : i];

		if (!strcmp(node->kind, "Div") && (!q || (p == INT64_MIN && q == -1)))
			return "a constant is divided by zero";
		out[i] = !strcmp(node->kind, "Add")   ? (int64_t)((uint64_t)p + (uint64_t)q)
		         : !strcmp(node->kind, "Sub") ? (int64_t)((uint64_t)p - (uint64_t)q)
		         : !strcmp(node->kind, "Mul") ? (int64_t)((uint64_t)p * (uint64_t)q)
		                                      : p / q;
	}
	put_integers(in, node, espl_onnx_input(in, node, longer)->rank,
	             espl_onnx_input(in, node, longer)->dims, out);
	return NULL;
}

static bool all_known(espl_onnx_import *in, const espl_onnx_node *node)
{
	for (int n = 0; n < node->input_count; n++) {
		const espl_onnx_state *state = espl_onnx_input(in, node, n);

		if (state && state->kind != ESPL_ONNX_CONSTANT)
			return false;
	}
	return node->input_count > 0 && node->inputs[0] >= 0 && node->output_count > 0 &&
	       node->outputs[0] >= 0;
}

static bool is_any(const char *kind, const char *const *kinds)
{
	for (; *kinds; kinds++)
		if (!strcmp(kind, *kinds))
			return true;
	return false;
}

const char *espl_onnx_fold(espl_onnx_import *in, const espl_onnx_node *node, bool *folded)
{
	static const char *const with_one[] = {"Slice", NULL};
	static const char *const with_two[] = {"Gather", "Add", "Sub", "Mul", "Div", NULL};
	const char *reason = NULL;
	integers *a, *b;

	if (!all_known(in, node))
		return NULL;
	*folded = true;
	if (!strcmp(node->kind, "Transpose"))
		return transpose_constant(in, node);
	if (!strcmp(node->kind, "Cast"))
		return cast(in, node);
	if (!strcmp(node->kind, "Concat"))
		return join(in, node);
	if (!is_any(node->kind, with_one) && !is_any(node->kind, with_two)) {
		*folded = false;
		return NULL;
	}
	a = ESPL_NEW(in->arena, integers);
	b = ESPL_NEW(in->arena, integers);
	reason = espl_onnx_constant(in, node, 0, INTEGERS_MAX, a->values, &a->count);
	if (!reason && is_any(node->kind, with_two))
		reason = espl_onnx_constant(in, node, 1, INTEGERS_MAX, b->values, &b->count);
	if (reason)
		return reason;
	if (!strcmp(node->kind, "Slice"))
		return cut(in, node, a);
	if (!strcmp(node->kind, "Gather"))
		return pick(in, node, a, b);
	return arithmetic(in, node, a, b);
}
