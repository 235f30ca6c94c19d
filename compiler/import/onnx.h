/* What the parts of the importer of quantized ONNX share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. Each value of the graph has a state: what is known of it and how the net
 * holds it. A QDQ graph means its fused integer operators: DequantizeLinear makes a tensor of the
 * net REAL, a float operator over such tensors is PENDING, and QuantizeLinear turns it into an
 * operator of the net. uint8 values are held as v - 128. A problem with one node is a reason, a
 * line of text (NULL: none), so that all of them can be shown at once.
 *
 * In order: onnx_import.c (graph, borders, verdicts), onnx_state.c (shapes and axes),
 * onnx_constant.c (constants), onnx_view.c (what only moves elements), onnx_quantize.c (Quantize-
 * and DequantizeLinear), onnx_sum.c (convolution, dense), onnx_pool.c (pools, sums, concatenation),
 * onnx_unary.c (functions of one value), onnx_qonnx.c (Quant).
 */
#ifndef ESPL_IMPORT_ONNX_H
#define ESPL_IMPORT_ONNX_H

#include "import/import.h"
#include "import/onnx_model.h"

typedef enum {
	ESPL_ONNX_NOTHING,  /* not there: a node that makes it was refused */
	ESPL_ONNX_CONSTANT, /* known numbers */
	ESPL_ONNX_BORDER,   /* a float input of the graph, before it is quantized */
	ESPL_ONNX_STORED,   /* a tensor of the net, as the integers that the file stores */
	ESPL_ONNX_REAL,     /* a tensor of the net, dequantized, or a function of one */
	ESPL_ONNX_PENDING,  /* an operator's result that is still to be quantized */
} espl_onnx_state_kind;

/* How integers stand for reals: real = scale * (stored - zero), one for all or one each along an
 * axis. Zeros are the file's. */
typedef struct {
	int count; /* 1, or the axis's size */
	int axis;
	const float *scales;
	const int32_t *zeros;
} espl_onnx_scaling;

typedef struct espl_onnx_pending espl_onnx_pending;

typedef struct {
	espl_onnx_state_kind kind;
	int rank;
	int64_t dims[ESPL_ONNX_RANK_MAX]; /* the batch is 1 */
	/* CONSTANT */
	const espl_onnx_tensor *data;     /* elements in order of dims */
	const espl_onnx_scaling *scaling; /* NULL: the numbers are themselves */
	/* BORDER, STORED, REAL: the net's tensor (BORDER: the input's number), and its axes in the
	 * order in which the elements of this value run through them; axes of size 1 left out */
	int tensor;
	int axis_count, axes[3];
	int version;         /* of the tensor's axes */
	const float *values; /* REAL: [256] of stored value + 128; NULL: dequantized as it is */
	const espl_onnx_pending *pending;
} espl_onnx_state;

/* An operator without output and scales. */
struct espl_onnx_pending {
	espl_op op;
	int rows, columns, channels; /* of the output */
	const float *units;          /* [channels] what 1 in the accumulator is worth; or NULL */
	float low, high;             /* a clip that follows, in reals */
	int part_count;              /* CONCAT: what is concatenated, REAL */
	const espl_onnx_state *parts;
};

/* A tensor of the net by its axes: 0 to 2 in the file's order. */
typedef struct {
	int axis_count;
	int sizes[3];
	int roles[3]; /* once decided: 0 rows, 1 columns, 2 channels */
	bool decided; /* an input's axes are undecided until the first operator reads it */
	bool is_unsigned;
	int version;         /* of the axes: an undecided input may be cut anew */
	const int8_t *table; /* when it is a function of another tensor: of stored value + 128 */
	int table_source;
} espl_onnx_axes;

typedef struct {
	const espl_onnx_model *model;
	espl_arena *arena;
	espl_net *net;
	espl_onnx_state *states; /* [values] */
	espl_onnx_axes *axes;    /* [tensors of the net] */
	int *border_tensors;     /* [inputs of the graph] the net's tensor, -1 */
	int tensor_room, op_room;
	int node; /* the one at work */
	int made; /* operators made of it */
} espl_onnx_import;

/* What converts a node: sets the states of its outputs. */
typedef const char *(*espl_onnx_converter)(espl_onnx_import *in, const espl_onnx_node *node);

/* onnx_state.c */

/* The n-th input's state; NULL when it is left out. */
espl_onnx_state *espl_onnx_input(espl_onnx_import *in, const espl_onnx_node *node, int n);
espl_onnx_state *espl_onnx_output(espl_onnx_import *in, const espl_onnx_node *node, int n);
const char *espl_onnx_input_name(const espl_onnx_import *in, const espl_onnx_node *node, int n);
int64_t espl_onnx_elements(const espl_onnx_state *state);

/* Gives a state the shape [1, channels, rows, columns], cut to `rank` dimensions, and axes in that
 * order. */
void espl_onnx_describe(espl_onnx_state *state, int rank, int channels, int rows, int columns);
/* Makes a tensor of the net for output n: rows x columns x channels, read in the file's order of
 * channels first. `rank` says with how many dimensions: 2 to 4. */
void espl_onnx_put(espl_onnx_import *in, const espl_onnx_node *node, int n, int tensor, int rank,
                   espl_onnx_state_kind kind);
int espl_onnx_new_tensor(espl_onnx_import *in, const char *name, int rows, int columns,
                         int channels, float scale, int32_t zero, bool is_unsigned);
espl_op *espl_onnx_new_op(espl_onnx_import *in, espl_op_kind kind);

/* Sets the axes of a state whose tensor has the shape of another state's tensor. */
void espl_onnx_transfer(const espl_onnx_import *in, const espl_onnx_state *from,
                        espl_onnx_state *to);

/* Sees to it that a state is [1, channels, rows, columns] or [1, channels, rows] of its tensor. */
const char *espl_onnx_as_planes(espl_onnx_import *in, espl_onnx_state *state, const char *name);
/* Sees to it that a state is a vector; order[i]: where in the net's tensor its element i is. */
const char *espl_onnx_as_vector(espl_onnx_import *in, espl_onnx_state *state, const char *name,
                                int **order);
/* The order in which the file runs through a tensor of the border, as roles; `axes` as in a state,
 * NULL: those of an input. Ascending where that is the same. */
void espl_onnx_border_order(espl_onnx_import *in, int tensor, const int *axes, int order[3]);

/* onnx_quantize.c */

/* Reads scale and zero point of an activation: one of each, of 8 bits.
 *   out  *zero  as we store it */
const char *espl_onnx_quantization(espl_onnx_import *in, const espl_onnx_node *node, int scale,
                                   int zero_point, float *out_scale, int32_t *zero,
                                   bool *is_unsigned);
/* The stored value of a real. */
int32_t espl_onnx_quantize(float real, float scale, int32_t zero);
/* Makes the operator of a pending result.
 *   out  *tensor  its output */
const char *espl_onnx_realise(espl_onnx_import *in, const espl_onnx_pending *pending, float scale,
                              int32_t zero, bool is_unsigned, const char *name, int *tensor);
/* Checks that a QLinear operator's operand n is STORED with this scale and zero point. */
const char *espl_onnx_operand(espl_onnx_import *in, const espl_onnx_node *node, int n, int scale,
                              int zero_point);
/* The reals of a tensor's 256 stored values. */
const float *espl_onnx_reals(espl_onnx_import *in, const espl_onnx_state *state);
/* A table operator from a REAL state to a tensor of the given quantization. */
const char *espl_onnx_table(espl_onnx_import *in, const espl_onnx_state *state, float scale,
                            int32_t zero, bool is_unsigned, const char *name, int *tensor);

/* Scaling of constant weights: scales of node input `scale`, zeros of `zero_point`. */
const char *espl_onnx_read_scaling(espl_onnx_import *in, const espl_onnx_node *node, int scale,
                                   int zero_point, const espl_onnx_state *data, int axis,
                                   const espl_onnx_scaling **out);

/* The index along the scaling's axis of element `i`. */
int espl_onnx_scaling_index(const espl_onnx_state *state, const espl_onnx_scaling *scaling,
                            int64_t i);

/* onnx_sum.c */

/* A pending operator with defaults: no window, no clip, 1 x 1 position. */
espl_onnx_pending espl_onnx_nothing_pending(void);
/* Refuses an operand that is not REAL as it was dequantized. */
const char *espl_onnx_need_real(espl_onnx_import *in, const espl_onnx_node *node, int n);
/* Makes output 0 PENDING. */
void espl_onnx_wait(espl_onnx_import *in, const espl_onnx_node *node,
                    const espl_onnx_pending *pending, int rank);
/* Makes output 0 STORED, quantized by the node's own inputs. */
const char *espl_onnx_finish(espl_onnx_import *in, const espl_onnx_node *node,
                             const espl_onnx_pending *pending, int scale, int zero_point, int rank);
/* Strides, dilations and pads of a window over planes. */
const char *espl_onnx_window(espl_onnx_import *in, const espl_onnx_node *node,
                             const espl_onnx_state *x, const int kernel[2], espl_op *op, int *rows,
                             int *columns);
/* Adds a constant to a pending sum that has no bias yet.
 *   result  false when it is none of that */
bool espl_onnx_add_bias(espl_onnx_import *in, const espl_onnx_state *sum,
                        const espl_onnx_state *constant, espl_onnx_pending *out,
                        const char **reason);

/* onnx_unary.c: the sum or product of two functions of one tensor, or of one and a constant, as
 * output 0.
 *   result  false when it is none of that */
bool espl_onnx_combine(espl_onnx_import *in, const espl_onnx_node *node, bool multiply,
                       const char **reason);

/* onnx_constant.c */

/* An integer constant.
 *   out  values  room for `most` */
const char *espl_onnx_constant(espl_onnx_import *in, const espl_onnx_node *node, int n, int most,
                               int64_t *values, int *count);
/* Evaluates a node all of whose inputs are known. NULL and *folded false: it is none of those. */
const char *espl_onnx_fold(espl_onnx_import *in, const espl_onnx_node *node, bool *folded);

/* The converters, by operator: onnx_table.c */
typedef struct {
	const char *domain, *kind;
	espl_onnx_converter convert;
	const char *text; /* for docs/onnx.md */
} espl_onnx_operator;

extern const espl_onnx_operator espl_onnx_operators[];
extern const int espl_onnx_operator_count;

#define ESPL_ONNX_CONVERTER(name) \
	const char *espl_onnx_convert_##name(espl_onnx_import *in, const espl_onnx_node *node)

ESPL_ONNX_CONVERTER(quantize);
ESPL_ONNX_CONVERTER(dequantize);
ESPL_ONNX_CONVERTER(conv);
ESPL_ONNX_CONVERTER(qlinear_conv);
ESPL_ONNX_CONVERTER(gemm);
ESPL_ONNX_CONVERTER(matmul);
ESPL_ONNX_CONVERTER(qgemm);
ESPL_ONNX_CONVERTER(qlinear_matmul);
ESPL_ONNX_CONVERTER(batch_norm);
ESPL_ONNX_CONVERTER(max_pool);
ESPL_ONNX_CONVERTER(average_pool);
ESPL_ONNX_CONVERTER(global_average_pool);
ESPL_ONNX_CONVERTER(reduce_mean);
ESPL_ONNX_CONVERTER(qlinear_average_pool);
ESPL_ONNX_CONVERTER(qlinear_global_average_pool);
ESPL_ONNX_CONVERTER(add);
ESPL_ONNX_CONVERTER(mul);
ESPL_ONNX_CONVERTER(qlinear_add);
ESPL_ONNX_CONVERTER(concat);
ESPL_ONNX_CONVERTER(qlinear_concat);
ESPL_ONNX_CONVERTER(relu);
ESPL_ONNX_CONVERTER(clip);
ESPL_ONNX_CONVERTER(unary);
ESPL_ONNX_CONVERTER(qlinear_unary);
ESPL_ONNX_CONVERTER(identity);
ESPL_ONNX_CONVERTER(reshape);
ESPL_ONNX_CONVERTER(flatten);
ESPL_ONNX_CONVERTER(squeeze);
ESPL_ONNX_CONVERTER(unsqueeze);
ESPL_ONNX_CONVERTER(transpose);
ESPL_ONNX_CONVERTER(pad);
ESPL_ONNX_CONVERTER(gather);
ESPL_ONNX_CONVERTER(shape);
ESPL_ONNX_CONVERTER(constant);
ESPL_ONNX_CONVERTER(quant);
ESPL_ONNX_CONVERTER(bipolar);

#endif
