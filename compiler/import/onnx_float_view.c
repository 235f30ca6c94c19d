/* Operators that only change how data is seen.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <string.h>

static int64_t axis_of(int64_t axis, int rank)
{
	return axis < 0 ? axis + rank : axis;
}

/* The dimensions that `shape` of a Reshape means: 0 copies one, -1 takes what is left. */
static espl_status resolve(espl_float_import *import, const espl_fact *in, const int64_t *shape,
                           int count, int64_t *dims)
{
	const bool allow_zero = espl_onnx_get_integer(import->node, "allowzero", 0) != 0;
	int64_t product = 1;
	int open = -1;

	for (int i = 0; i < count; i++) {
		dims[i] = shape[i];
		if (!shape[i] && !allow_zero) {
			if (i >= in->rank)
				return espl_float_refuse(import, "dimension %d copies none", i);
			dims[i] = in->dims[i];
		}
		if (shape[i] == -1 && open < 0)
			open = i;
		else if (dims[i] < 0 || dims[i] > INT32_MAX)
			return espl_float_refuse(import, "dimension %d is %lld", i,
			                         (long long)dims[i]);
		else if (dims[i] && product > INT64_MAX / dims[i] / 2)
			return espl_float_refuse(import, "the shape is too large");
		else
			product *= dims[i];
	}
	if (open >= 0)
		dims[open] = product ? in->count / product : 0;
	if ((open >= 0 ? product * dims[open] : product) != in->count)
		return espl_float_refuse(import, "%lld elements do not fit the shape",
		                         (long long)in->count);
	return ESPL_OK;
}

static espl_status squeezed(espl_float_import *import, const espl_fact *in, int *rank,
                            int64_t *dims)
{
	int64_t axes[16];
	bool gone[ESPL_ONNX_RANK_MAX] = {false};
	int count;

	ESPL_TRY(espl_float_integers(import, 1, "axes", axes, &count));
	for (int i = 0; i < in->rank && count < 0; i++)
		gone[i] = in->dims[i] == 1;
	for (int i = 0; i < count; i++) {
		const int64_t axis = axis_of(axes[i], in->rank);

		if (axis < 0 || axis >= in->rank || in->dims[axis] != 1)
			return espl_float_refuse(import, "axis %lld cannot be squeezed",
			                         (long long)axes[i]);
		gone[axis] = true;
	}
	*rank = 0;
	for (int i = 0; i < in->rank; i++)
		if (!gone[i])
			dims[(*rank)++] = in->dims[i];
	return ESPL_OK;
}

static espl_status unsqueezed(espl_float_import *import, const espl_fact *in, int *rank,
                              int64_t *dims)
{
	int64_t axes[16];
	bool new[ESPL_ONNX_RANK_MAX] = {false};
	int count, next = 0;

	ESPL_TRY(espl_float_integers(import, 1, "axes", axes, &count));
	*rank = in->rank + count;
	if (count < 0 || *rank > ESPL_ONNX_RANK_MAX)
		return espl_float_refuse(import, "%d axes for %d dimensions", count, in->rank);
	for (int i = 0; i < count; i++) {
		const int64_t axis = axis_of(axes[i], *rank);

		if (axis < 0 || axis >= *rank || new[axis])
			return espl_float_refuse(import, "axis %lld of %d", (long long)axes[i],
			                         *rank);
		new[axis] = true;
	}
	for (int i = 0; i < *rank; i++)
		dims[i] = new[i] ? 1 : in->dims[next++];
	return ESPL_OK;
}

espl_status espl_float_new_shape(espl_float_import *import, const espl_fact *in, int *rank,
                                 int64_t dims[ESPL_ONNX_RANK_MAX])
{
	const char *kind = import->node->kind;
	int64_t shape[16];

	if (!strcmp(kind, "Squeeze"))
		return squeezed(import, in, rank, dims);
	if (!strcmp(kind, "Unsqueeze"))
		return unsqueezed(import, in, rank, dims);
	if (!strcmp(kind, "Flatten")) {
		const int64_t axis =
		        axis_of(espl_onnx_get_integer(import->node, "axis", 1), in->rank);

		if (axis < 0 || axis > in->rank)
			return espl_float_refuse(import, "axis %lld of %d", (long long)axis,
			                         in->rank);
		*rank = 2;
		dims[0] = dims[1] = 1;
		for (int i = 0; i < in->rank; i++)
			dims[i >= axis] *= in->dims[i];
		return ESPL_OK;
	}
	ESPL_TRY(espl_float_integers(import, 1, "shape", shape, rank));
	if (*rank < 0 || *rank > ESPL_ONNX_RANK_MAX)
		return espl_float_refuse(import,
		                         "the new shape is missing, or has over %d "
		                         "dimensions",
		                         (int)ESPL_ONNX_RANK_MAX);
	return resolve(import, in, shape, *rank, dims);
}

espl_status espl_float_check_order(espl_float_import *import, const int64_t *order, int count,
                                   int rank)
{
	bool seen[ESPL_ONNX_RANK_MAX] = {false};
	bool right = count == rank;

	for (int i = 0; i < count && right; i++) {
		right = order[i] >= 0 && order[i] < rank && !seen[order[i]];
		if (right)
			seen[order[i]] = true;
	}
	return right ? ESPL_OK
	             : espl_float_refuse(import, "perm is no order of %d dimensions", rank);
}

/* Tears a vector of channels into rows and columns, which keeps the order when no two of three
 * new sides would have to change places. */
static espl_status tear(espl_float_import *import, const espl_fact *in, int rank,
                        const int64_t *dims)
{
	const espl_value *value = &import->builder.graph->values[in->value];
	const int spatial = rank - 2;
	espl_role roles[ESPL_ONNX_RANK_MAX] = {ESPL_ROLE_BATCH, ESPL_ROLE_CHANNEL, ESPL_ROLE_ROW,
	                                       ESPL_ROLE_COLUMN};
	const bool vector = value->rows == 1 && value->columns == 1;
	const int64_t rows = rank == 4 ? dims[2] : 1, columns = rank == 4 ? dims[3] : dims[2];
	espl_node node;
	int output;

	if (!vector || (spatial != 1 && spatial != 2) || dims[0] != import->batch ||
	    in->axis_atoms[0] != (import->batch > 1))
		return espl_float_refuse(import, "this shape tears a side of the data apart");
	if (dims[1] > 1 && rows * columns > 1)
		return espl_float_refuse(import,
		                         "a vector becomes %lld channels of %lld x %lld: the order "
		                         "would change, as the hardware keeps channels together",
		                         (long long)dims[1], (long long)rows, (long long)columns);
	node = espl_float_node(import, ESPL_NODE_RESHAPE, in->value);
	output = espl_float_add(import, node, 0, false);
	import->builder.graph->values[output].rows = (int)rows;
	import->builder.graph->values[output].columns = (int)columns;
	import->builder.graph->values[output].channels = (int)dims[1];
	if (rank == 3)
		roles[2] = ESPL_ROLE_COLUMN;
	espl_fact_view(import, espl_float_output(import, 0), output, rank, roles);
	return ESPL_OK;
}

espl_status espl_read_reshape(espl_float_import *import)
{
	const espl_fact *in;
	int64_t dims[ESPL_ONNX_RANK_MAX];
	int rank;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_new_shape(import, in, &rank, dims));
	if (espl_fact_regroup(espl_float_output(import, 0), in, rank, dims))
		return ESPL_OK;
	return tear(import, in, rank, dims);
}

espl_status espl_read_transpose(espl_float_import *import)
{
	const espl_fact *in;
	int64_t order[16];
	int count;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_integers(import, -1, "perm", order, &count));
	if (count < 0)
		for (count = 0; count < in->rank; count++)
			order[count] = in->rank - 1 - count;
	ESPL_TRY(espl_float_check_order(import, order, count, in->rank));
	espl_fact_transpose(espl_float_output(import, 0), in, order);
	return ESPL_OK;
}

/* Identity, and Dropout and Cast where they are that. */
espl_status espl_read_identity(espl_float_import *import)
{
	const espl_onnx_node *node = import->node;
	const espl_fact *in, *training;

	ESPL_TRY(espl_float_data(import, 0, &in));
	if (!strcmp(node->kind, "Cast") &&
	    espl_onnx_get_integer(node, "to", ESPL_ONNX_FLOAT) != ESPL_ONNX_FLOAT)
		return espl_float_refuse(
		        import, "data cast to %s: only float32 is supported",
		        espl_onnx_type_name((int)espl_onnx_get_integer(node, "to", 0)));
	if (!strcmp(node->kind, "Dropout")) {
		training = espl_float_input(import, 2);
		if (training && (training->kind != ESPL_FACT_CONSTANT || training->count != 1 ||
		                 espl_fact_number(training, 0) != 0))
			return espl_float_refuse(import, "in training mode: export for inference");
		if (node->output_count > 1 && node->outputs[1] >= 0 &&
		    import->uses[node->outputs[1]])
			return espl_float_refuse(import, "its mask is used");
	}
	*espl_float_output(import, 0) = *in;
	return ESPL_OK;
}
