/* Convolutions, dense layers and batch norms of float ONNX models.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/onnx_float.h"

#include <math.h>
#include <string.h>

enum { KERNEL_MAX = 64 }; /* as espl_graph_check */

/* -- windows ------------------------------------------------------------------ */

espl_status espl_float_window(espl_float_import *import, int spatial, const int64_t *kernel,
                              const int64_t *sizes, bool ceil_mode, espl_float_sides *out)
{
	const char *auto_pad = espl_onnx_get_text(import->node, "auto_pad", "NOTSET");
	int64_t strides[16], dilations[16], pads[16];
	int stride_count, dilation_count, pad_count;

	ESPL_TRY(espl_float_integers(import, -1, "strides", strides, &stride_count));
	ESPL_TRY(espl_float_integers(import, -1, "dilations", dilations, &dilation_count));
	ESPL_TRY(espl_float_integers(import, -1, "pads", pads, &pad_count));
	if ((stride_count >= 0 && stride_count != spatial) ||
	    (dilation_count >= 0 && dilation_count != spatial) ||
	    (pad_count >= 0 && pad_count != 2 * spatial))
		return espl_float_refuse(
		        import, "strides, dilations and pads are not those of %d axes", spatial);
	for (int i = 0; i < spatial; i++) {
		espl_float_side *side = &out->sides[i];
		int64_t reach, made;

		*side = (espl_float_side){.kernel = kernel[i],
		                          .stride = stride_count < 0 ? 1 : strides[i],
		                          .dilation = dilation_count < 0 ? 1 : dilations[i]};
		if (side->kernel < 1 || side->kernel > KERNEL_MAX || side->stride < 1 ||
		    side->stride > 16 || side->dilation < 1 || side->dilation > 16)
			return espl_float_refuse(import,
			                         "kernel %lld, stride %lld, dilation %lld: at most "
			                         "64, 16 and 16 are supported",
			                         (long long)side->kernel, (long long)side->stride,
			                         (long long)side->dilation);
		reach = side->dilation * (side->kernel - 1) + 1;
		if (!strncmp(auto_pad, "SAME", 4)) {
			int64_t total;

			made = (sizes[i] + side->stride - 1) / side->stride;
			total = (made - 1) * side->stride + reach - sizes[i];
			total = total < 0 ? 0 : total;
			side->before =
			        !strcmp(auto_pad, "SAME_LOWER") ? total - total / 2 : total / 2;
			side->after = total - side->before;
			continue;
		}
		if (pad_count >= 0 && strcmp(auto_pad, "VALID") != 0) {
			side->before = pads[i];
			side->after = pads[spatial + i];
		}
		if (side->before < 0 || side->after < 0 || side->before > KERNEL_MAX * 16 ||
		    side->after > KERNEL_MAX * 16)
			return espl_float_refuse(import, "pads of %lld and %lld",
			                         (long long)side->before, (long long)side->after);
		if (ceil_mode) {
			const int64_t whole = sizes[i] + side->before + side->after - reach;

			made = (whole + side->stride - 1) / side->stride + 1;
			if ((made - 1) * side->stride >= sizes[i] + side->before)
				made--; /* a window that would lie in the padding alone */
			side->extra = (made - 1) * side->stride - whole;
			side->extra = side->extra < 0 ? 0 : side->extra;
		}
	}
	return ESPL_OK;
}

void espl_float_put_window(const espl_float_sides *sides, const espl_role *roles, int spatial,
                           espl_node *node)
{
	for (int i = 0; i < spatial; i++) {
		const espl_float_side *side = &sides->sides[i];

		if (roles[2 + i] == ESPL_ROLE_ROW) {
			node->kernel_rows = (int)side->kernel;
			node->stride_rows = (int)side->stride;
			node->dilation_rows = (int)side->dilation;
			node->pad_top = (int)side->before;
			node->pad_bottom = (int)(side->after + side->extra);
		} else {
			node->kernel_columns = (int)side->kernel;
			node->stride_columns = (int)side->stride;
			node->dilation_columns = (int)side->dilation;
			node->pad_left = (int)side->before;
			node->pad_right = (int)(side->after + side->extra);
		}
	}
}

/* Pads that reach as far as the kernel are a node of their own: no window may see only padding. */
static void pad_apart(espl_float_import *import, espl_node *node)
{
	const int rows = node->dilation_rows * (node->kernel_rows - 1);
	const int columns = node->dilation_columns * (node->kernel_columns - 1);
	espl_node pad;

	if (node->pad_top <= rows && node->pad_bottom <= rows && node->pad_left <= columns &&
	    node->pad_right <= columns)
		return;
	pad = espl_float_node(import, ESPL_NODE_PAD, node->inputs[0]);
	pad.pad_top = node->pad_top;
	pad.pad_bottom = node->pad_bottom;
	pad.pad_left = node->pad_left;
	pad.pad_right = node->pad_right;
	node->pad_top = node->pad_bottom = node->pad_left = node->pad_right = 0;
	node->inputs[0] = espl_float_add(import, pad, 0, false);
}

/* -- convolution --------------------------------------------------------------- */

/* How the weights of ONNX, [out][in][sides], lie in the graph's node. */
typedef struct {
	int outputs, inputs, rows, columns; /* of the node; inputs of a group */
	bool depthwise, turned, rows_are_inputs;
} weight_layout;

static int64_t weight_place(const weight_layout *l, int o, int c, int row, int column)
{
	if (l->rows_are_inputs) /* [out][in = rows][columns] */
		return ((int64_t)o * l->rows + row) * l->columns + column;
	if (l->turned)
		return (((int64_t)o * l->inputs + c) * l->columns + column) * l->rows + row;
	return (((int64_t)o * l->inputs + c) * l->rows + row) * l->columns + column;
}

static float *take_weights(espl_float_import *import, const espl_fact *weights,
                           const weight_layout *l)
{
	float *out = ESPL_ARRAY(import->arena, float, weights->count);

	for (int o = 0; o < l->outputs; o++)
		for (int row = 0; row < l->rows; row++)
			for (int column = 0; column < l->columns; column++)
				for (int c = 0; c < l->inputs; c++) {
					const int64_t cell = (int64_t)row * l->columns + column;
					const int64_t at =
					        l->depthwise ? cell * l->outputs + o
					                     : ((int64_t)o * l->rows * l->columns +
					                        cell) * l->inputs +
					                               c;

					out[at] = (float)espl_fact_number(
					        weights, weight_place(l, o, c, row, column));
				}
	return out;
}

static espl_status take_bias(espl_float_import *import, int index, int64_t outputs, float **out)
{
	const espl_fact *bias = espl_float_input(import, index);

	*out = NULL;
	if (!bias)
		return ESPL_OK;
	ESPL_TRY(espl_float_constant(import, index, "the bias", &bias));
	if (bias->count != outputs)
		return espl_float_refuse(import, "a bias of %lld for %lld outputs",
		                         (long long)bias->count, (long long)outputs);
	*out = ESPL_ARRAY(import->arena, float, outputs);
	for (int64_t i = 0; i < outputs; i++)
		(*out)[i] = (float)espl_fact_number(bias, i);
	return ESPL_OK;
}

/* One-dimensional convolution over columns whose channels are an image's rows: the kernel then
 * covers all rows. */
static bool rows_are_channels(const espl_float_import *import, const espl_fact *in)
{
	const espl_value *value = &import->builder.graph->values[in->value];

	return in->rank == 3 && value->channels == 1 && value->rows > 1 &&
	       value->rows <= KERNEL_MAX && espl_fact_is(in, 0, ESPL_ROLE_BATCH) &&
	       espl_fact_is(in, 1, ESPL_ROLE_ROW) && espl_fact_is(in, 2, ESPL_ROLE_COLUMN);
}

static espl_status see_image(espl_float_import *import, const espl_fact *in, bool rows_too,
                             espl_role *roles)
{
	if (!rows_too)
		return espl_float_image(import, in, roles);
	roles[0] = ESPL_ROLE_BATCH;
	roles[1] = ESPL_ROLE_CHANNEL;
	roles[2] = ESPL_ROLE_COLUMN;
	return ESPL_OK;
}

static espl_status check_conv(espl_float_import *import, const espl_fact *in,
                              const espl_fact *weights, int64_t group)
{
	int64_t kernel[16];
	int count;

	ESPL_TRY(espl_float_integers(import, -1, "kernel_shape", kernel, &count));
	if (weights->rank != in->rank)
		return espl_float_refuse(import, "weights of %d dimensions for data of %d",
		                         weights->rank, in->rank);
	for (int i = 0; i < count; i++)
		if (count != in->rank - 2 || kernel[i] != weights->dims[2 + i])
			return espl_float_refuse(import, "kernel_shape is not that of the weights");
	if (!weights->count || group < 1 || group > in->dims[1] || in->dims[1] % group ||
	    weights->dims[0] % group || weights->dims[1] != in->dims[1] / group)
		return espl_float_refuse(import,
		                         "weights %lld x %lld in %lld groups for %lld channels",
		                         (long long)weights->dims[0], (long long)weights->dims[1],
		                         (long long)group, (long long)in->dims[1]);
	return ESPL_OK;
}

espl_status espl_read_conv(espl_float_import *import)
{
	const int64_t group = espl_onnx_get_integer(import->node, "group", 1);
	const espl_fact *in, *weights;
	espl_role roles[ESPL_ONNX_RANK_MAX];
	espl_float_sides sides;
	weight_layout layout;
	espl_node node;
	float *bias;
	bool rows_too;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_constant(import, 1, "the weights", &weights));
	rows_too = rows_are_channels(import, in) && group == 1;
	ESPL_TRY(see_image(import, in, rows_too, roles));
	ESPL_TRY(check_conv(import, in, weights, group));
	ESPL_TRY(take_bias(import, 2, weights->dims[0], &bias));
	ESPL_TRY(espl_float_window(import, in->rank - 2, weights->dims + 2, in->dims + 2, false,
	                           &sides));
	node = espl_float_node(
	        import, group > 1 && weights->dims[1] == 1 ? ESPL_NODE_DEPTHWISE : ESPL_NODE_CONV,
	        in->value);
	espl_float_put_window(&sides, roles, in->rank - 2, &node);
	if (rows_too)
		node.kernel_rows = (int)in->dims[1];
	layout = (weight_layout){.outputs = (int)weights->dims[0],
	                         .inputs = rows_too ? 1 : (int)weights->dims[1],
	                         .rows = node.kernel_rows,
	                         .columns = node.kernel_columns,
	                         .depthwise = node.kind == ESPL_NODE_DEPTHWISE,
	                         .turned = in->rank == 4 && roles[2] == ESPL_ROLE_COLUMN,
	                         .rows_are_inputs = rows_too};
	if (layout.depthwise)
		node.depth_multiplier = (int)(weights->dims[0] / group);
	else
		node.groups = (int)group;
	node.weights = take_weights(import, weights, &layout);
	node.bias = bias;
	pad_apart(import, &node);
	espl_fact_view(import, espl_float_output(import, 0),
	               espl_float_add(import, node, layout.outputs, false), in->rank, roles);
	return ESPL_OK;
}

/* -- dense ---------------------------------------------------------------------- */

/* A constant matrix, transposed or not: element of an output and an input. */
typedef struct {
	const espl_fact *fact;
	int64_t outputs, inputs;
	bool by_output; /* [out][in] */
} matrix;

static double matrix_at(const matrix *m, int64_t output, int64_t input)
{
	return espl_fact_number(m->fact, m->by_output ? output * m->inputs + input
	                                              : input * m->outputs + output);
}

/* Where element i of the data's last axis is in the graph's value. */
static int64_t input_place(const espl_float_import *import, const espl_fact *in, int64_t i)
{
	int64_t sample, place;

	espl_fact_place(import, in, i, &sample, &place); /* the first sample's */
	return place;
}

/* Dense over all of a sample, `in` of rank 2 or more, whose last axis holds it. */
static int add_dense(espl_float_import *import, const espl_fact *in, const matrix *m, double alpha,
                     float *bias)
{
	espl_node node = espl_float_node(import, ESPL_NODE_DENSE, in->value);

	node.weights = ESPL_ARRAY(import->arena, float, m->outputs * m->inputs);
	for (int64_t i = 0; i < m->inputs; i++) {
		const int64_t place = input_place(import, in, i);

		for (int64_t o = 0; o < m->outputs; o++)
			node.weights[o * m->inputs + place] = (float)(alpha * matrix_at(m, o, i));
	}
	node.bias = bias;
	return espl_float_add(import, node, (int)m->outputs, false);
}

static bool holds_sample(const espl_float_import *import, const espl_fact *in)
{
	const espl_value *value = &import->builder.graph->values[in->value];

	return in->rank >= 1 && in->dims[in->rank - 1] == espl_value_elements(value);
}

espl_status espl_read_gemm(espl_float_import *import)
{
	const espl_onnx_node *node = import->node;
	const double alpha = (double)espl_onnx_get_real(node, "alpha", 1);
	const double beta = (double)espl_onnx_get_real(node, "beta", 1);
	const bool by_output = espl_onnx_get_integer(node, "transB", 0) != 0;
	const espl_role roles[2] = {ESPL_ROLE_BATCH, ESPL_ROLE_CHANNEL};
	const espl_fact *in, *weights, *offset = espl_float_input(import, 2);
	float *bias = NULL;
	matrix m;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_constant(import, 1, "B", &weights));
	if (espl_onnx_get_integer(node, "transA", 0))
		return espl_float_refuse(import, "transA: the batch must come first");
	if (in->rank != 2 || weights->rank != 2 || !espl_fact_is(in, 0, ESPL_ROLE_BATCH) ||
	    !holds_sample(import, in))
		return espl_float_refuse(import, "data of batch x elements is wanted");
	m = (matrix){weights, weights->dims[by_output ? 0 : 1], weights->dims[by_output ? 1 : 0],
	             by_output};
	if (m.inputs != in->dims[1] || m.outputs < 1 || m.outputs > INT32_MAX)
		return espl_float_refuse(import, "B is %lld x %lld for %lld elements",
		                         (long long)weights->dims[0], (long long)weights->dims[1],
		                         (long long)in->dims[1]);
	if (offset) {
		ESPL_TRY(espl_float_constant(import, 2, "C", &offset));
		if (offset->count != 1 &&
		    (offset->count != m.outputs || offset->dims[offset->rank - 1] != m.outputs))
			return espl_float_refuse(import, "C does not hold one number an output");
		bias = ESPL_ARRAY(import->arena, float, m.outputs);
		for (int64_t i = 0; i < m.outputs; i++)
			bias[i] = (float)(beta *
			                  espl_fact_number(offset, offset->count == 1 ? 0 : i));
	}
	espl_fact_view(import, espl_float_output(import, 0), add_dense(import, in, &m, alpha, bias),
	               2, roles);
	return ESPL_OK;
}

/* Every cell's channels times a matrix: a convolution of 1 x 1. */
static espl_status read_pointwise(espl_float_import *import, const espl_fact *in, const matrix *m)
{
	espl_node node = espl_float_node(import, ESPL_NODE_CONV, in->value);

	node.weights = ESPL_ARRAY(import->arena, float, m->outputs * m->inputs);
	for (int64_t o = 0; o < m->outputs; o++)
		for (int64_t i = 0; i < m->inputs; i++)
			node.weights[o * m->inputs + i] = (float)matrix_at(m, o, i);
	espl_fact_channels(import, espl_float_output(import, 0), in, in->rank - 1,
	                   espl_float_add(import, node, (int)m->outputs, false));
	return ESPL_OK;
}

espl_status espl_read_matmul(espl_float_import *import)
{
	const espl_fact *in, *weights;
	matrix m;

	ESPL_TRY(espl_float_data(import, 0, &in));
	ESPL_TRY(espl_float_constant(import, 1, "the second factor", &weights));
	if (weights->rank != 2 || in->rank < 2 || weights->dims[0] != in->dims[in->rank - 1] ||
	    weights->dims[1] < 1 || weights->dims[1] > INT32_MAX)
		return espl_float_refuse(import, "a matrix of %lld rows is wanted",
		                         (long long)in->dims[in->rank > 0 ? in->rank - 1 : 0]);
	m = (matrix){weights, weights->dims[1], weights->dims[0], false};
	if (!holds_sample(import, in)) {
		if (in->rank > 4 || !espl_fact_is(in, in->rank - 1, ESPL_ROLE_CHANNEL))
			return espl_float_refuse(import, "it multiplies along another axis than "
			                                 "the channels");
		return read_pointwise(import, in, &m);
	}
	espl_fact_channels(import, espl_float_output(import, 0), in, in->rank - 1,
	                   add_dense(import, in, &m, 1, NULL));
	return ESPL_OK;
}

/* -- batch norm ----------------------------------------------------------------- */

static espl_status take_channels(espl_float_import *import, int index, const char *what,
                                 int64_t channels, float **out)
{
	const espl_fact *fact;

	ESPL_TRY(espl_float_constant(import, index, what, &fact));
	if (fact->count != channels)
		return espl_float_refuse(import, "%s has %lld numbers for %lld channels", what,
		                         (long long)fact->count, (long long)channels);
	*out = ESPL_ARRAY(import->arena, float, channels);
	for (int64_t i = 0; i < channels; i++)
		(*out)[i] = (float)espl_fact_number(fact, i);
	return ESPL_OK;
}

espl_status espl_read_batch_norm(espl_float_import *import)
{
	const espl_fact *in;
	espl_node node;
	int64_t channels;

	ESPL_TRY(espl_float_data(import, 0, &in));
	if (espl_onnx_get_integer(import->node, "training_mode", 0))
		return espl_float_refuse(import, "in training mode: export for inference");
	if (in->rank < 2 || !espl_fact_is(in, 0, ESPL_ROLE_BATCH) ||
	    !espl_fact_is(in, 1, ESPL_ROLE_CHANNEL))
		return espl_float_refuse(import, "its second axis must be the channels");
	channels = import->builder.graph->values[in->value].channels;
	if (channels != in->dims[1])
		return espl_float_refuse(import, "%lld channels of %lld", (long long)in->dims[1],
		                         (long long)channels);
	node = espl_float_node(import, ESPL_NODE_BATCH_NORM, in->value);
	ESPL_TRY(take_channels(import, 1, "scale", channels, &node.gain));
	ESPL_TRY(take_channels(import, 2, "B", channels, &node.offset));
	ESPL_TRY(take_channels(import, 3, "the mean", channels, &node.mean));
	ESPL_TRY(take_channels(import, 4, "the variance", channels, &node.variance));
	node.epsilon = espl_onnx_get_real(import->node, "epsilon", 1e-5f);
	espl_fact_same(espl_float_output(import, 0), in, espl_float_add(import, node, 0, false));
	return ESPL_OK;
}
