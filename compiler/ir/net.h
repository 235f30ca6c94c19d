/* The integer graph: the only truth about numbers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A net is a list of operators in order of execution over int8 tensors. Its
 * meaning is exact: interp/ runs it, lower/ turns it into hardware's terms.
 * Every array lives in the arena that the net was built in.
 */
#ifndef ESPL_IR_NET_H
#define ESPL_IR_NET_H

#include "base/arena.h"
#include "base/status.h"
#include "ir/ops.h"
#include "math/fixed.h"

#include <stdbool.h>
#include <stdint.h>

enum { ESPL_MAX_INPUTS = 16, ESPL_MAX_ELEMENTS = 1 << 26 };

typedef enum { ESPL_TYPE_INT8, ESPL_TYPE_FLOAT32, ESPL_TYPE_UINT8 } espl_type;

/* In which order a file runs through a tensor, outermost first: 0 rows, 1 columns, 2 channels. */
typedef struct {
	int axes[3];
} espl_order;

/* An int8 tensor of rows x columns x channels (NHWC, batch 1). One-dimensional
 * data is 1 x 1 x channels. value = scale * (stored - zero_point). */
typedef struct {
	const char *name; /* unique in the net */
	int rows, columns, channels;
	double scale;
	int32_t zero_point; /* -128..127 */
} espl_tensor;

typedef struct {
	espl_op_kind kind;
	const char *name; /* unique in the net; "conv_3", kind and index, when the file has none */
	int input_count;
	int inputs[ESPL_MAX_INPUTS]; /* tensor indices, in the operator's order */
	int output;

	/* CONV, DEPTHWISE, pools; 1 and 0 elsewhere. Padding is explicit, never "SAME". For PAD the
	 * four pads are the operator itself. Kernels up to 64, strides and dilations up to 16. */
	int kernel_rows, kernel_columns;
	int stride_rows, stride_columns;
	int dilation_rows, dilation_columns;
	int pad_top, pad_bottom, pad_left, pad_right;
	int depth_multiplier; /* DEPTHWISE: output channel = channel * depth_multiplier + m */
	bool count_pads;      /* AVERAGE_POOL: cells outside the image count, as zero points */

	/* CONV, DEPTHWISE, DENSE: output channels of each array. */
	const int8_t *weights;    /* layout: ops.h; zero point 0 */
	const int32_t *bias;      /* [out]; never NULL (zeros when the file has none) */
	const espl_scale *scales; /* [out]; repeated when the file has one for all */
	bool scale_per_tensor;
	/* The model's format leaves the last bits of its scales open (ONNX's QDQ form, which
	 * engines fuse each in their own way): espl_settle may move them. Not in the text. */
	bool free_scales;

	/* ADD: shifted left by 20, scaled, summed, scaled (TFLite). MEAN: out_scale only.
	 * In ESPL_ROUND_ONNX an ADD's in_scales are the float32 ratios to the output's scale and
	 * out_scale is 1; it is espl_add_float32 over our values + file_offset (128 where the file
	 * stores uint8, 0 for int8). */
	espl_scale in_scales[2];
	espl_scale out_scale;
	int32_t file_offset;

	/* Fused activation, in stored values; -128 and 127 when there is none. */
	int32_t low, high;

	/* LOGISTIC: the result for stored value v at [v + 128]. */
	const int8_t *table;

	/* SOFTMAX: input scale times beta, as multiplier and left shift, and the least
	 * difference that counts (ARITHMETIC: TFLite's PreprocessSoftmaxScaling). */
	espl_scale softmax_scale;
	int32_t softmax_least;
} espl_op;

typedef struct {
	const char *name;
	espl_rounding rounding; /* of every requantization */
	int tensor_count, op_count;
	espl_tensor *tensors;
	espl_op *ops;
	int input_count, output_count;
	int *inputs, *outputs; /* tensor indices */
	/* What the file's own inputs and outputs are: FLOAT32 when the file has a QUANTIZE or
	 * DEQUANTIZE at that border, UINT8 when it has our values + 128; the tensor itself is int8
	 * always. */
	espl_type *input_types, *output_types;
	/* The order of their elements; NULL: all in rows, columns, channels, as the tensors. */
	espl_order *input_orders, *output_orders;
} espl_net;

/* Checks every invariant: indices, order, shapes against the operator, ranges. Importers end with
 * it; passes assert it.
 *   fails ESPL_SHAPE or ESPL_RANGE, naming the operator */
espl_status espl_net_check(const espl_net *net, espl_error *err);

int espl_tensor_elements(const espl_tensor *tensor);

/* A new operator of a kind: kernel, strides, dilations and depth multiplier 1, no pads, no bounds;
 * without name and tensors. */
espl_op espl_op_default(espl_op_kind kind);

/* AVERAGE_POOL in ESPL_ROUND_ONNX: the float32 that takes a sum of `cells` values, less their zero
 * points, to the output; float32(in / float32(out * cells)). */
espl_scale espl_pool_scale(const espl_net *net, const espl_op *op, int cells);

/* ADD in ESPL_ROUND_ONNX, of our stored values. */
int32_t espl_onnx_add(const espl_net *net, const espl_op *op, int32_t a, int32_t b);

/* Weights of an operator as its tensors' shapes demand; 0 for operators without. Saturates. */
int64_t espl_op_weights(const espl_net *net, const espl_op *op);

/* All sums, bias included, that an output channel of CONV, DEPTHWISE or DENSE can make, whatever
 * the input. */
void espl_op_reach(const espl_net *net, const espl_op *op, int channel, int64_t *least,
                   int64_t *most);

/* Multiplications of an operator, dense: zeros count. 0 for operators without weights. */
int64_t espl_op_multiplications(const espl_net *net, const espl_op *op);

/* Bytes of so many weights in so many bits each, or where that is less of the non-zeros among them
 * with 4-bit skips (a skip of 15 without a weight where zeros run longer), or with one bit a weight
 * that says whether it is there. */
int64_t espl_weights_bytes(const int8_t *weights, int64_t count, int bits);

/* Bytes of the model as it would be stored: an operator's weights in as many bits as its greatest
 * needs, 4 bytes of bias and 5 of scale an output channel. */
int64_t espl_model_bytes(const espl_net *net);

/* The net as JSON text (docs/net.md), and back. The same net gives the same bytes.
 *   out   *text in `arena`;  *net in `arena`, checked */
espl_status espl_net_print(const espl_net *net, espl_arena *arena, const char **text, size_t *size,
                           espl_error *err);
espl_status espl_net_parse(const char *text, size_t size, espl_arena *arena, espl_net **net,
                           espl_error *err);

#endif
