/* The float graph: what compression works on.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A graph is a list of operators in order of execution over float tensors, with
 * what training has learned of how to make it integer: which weights are pruned,
 * and the bits and steps of every quantized tensor. compress/ changes it, interp/
 * runs it forward and backward, and compress/integer turns it into the net, which
 * alone says what numbers come out of the hardware.
 */
#ifndef ESPL_IR_GRAPH_H
#define ESPL_IR_GRAPH_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* X(name, text). Shapes as in ir/ops.h. */
#define ESPL_NODE_LIST(X)                                                                        \
	X(CONV, "conv")             /* weights [out][kernel_rows][kernel_columns][in/groups] */  \
	X(DEPTHWISE, "depthwise")   /* weights [kernel_rows][kernel_columns][out] */             \
	X(DENSE, "dense")           /* weights [out][in]; input flattened */                     \
	X(BATCH_NORM, "batch_norm") /* per channel: gain, offset, mean, variance */              \
	X(CLIP, "clip")             /* low..high: ReLU is 0..infinity, ReLU6 0..6 */             \
	X(LEAKY, "leaky")           /* x < 0 ? slope * x : x */                                  \
	X(SIGMOID, "sigmoid")                                                                    \
	X(TANH, "tanh")                                                                          \
	X(HARD_SIGMOID, "hard_sigmoid") /* clip(slope * x + shift, 0, 1) */                      \
	X(HARD_SWISH, "hard_swish")     /* x * clip(x / 6 + 1 / 2, 0, 1) */                      \
	X(ADD, "add")                   /* two inputs; the second may be 1 x 1 x channels */     \
	X(MULTIPLY, "multiply")         /* as ADD: squeeze and excite */                         \
	X(MAX_POOL, "max_pool")         /* padding never wins */                                 \
	X(AVERAGE_POOL, "average_pool") /* divides by the cells inside the image, or all */      \
	X(MEAN, "mean")                 /* over rows and columns */                              \
	X(PAD, "pad")                   /* zeros */                                              \
	X(UPSAMPLE, "upsample")         /* nearest neighbour, by the strides */                  \
	X(RESHAPE, "reshape")           /* same elements, in order of rows, columns, channels */ \
	X(CONCAT, "concat")             /* along channels */                                     \
	X(SOFTMAX, "softmax")           /* over channels */

typedef enum {
#define X(name, text) ESPL_NODE_##name,
	ESPL_NODE_LIST(X)
#undef X
	        ESPL_NODE_COUNT
} espl_node_kind;

const char *espl_node_name(espl_node_kind kind); /* the text; never NULL */

enum { ESPL_NODE_INPUTS = 16 };

/* How a tensor of floats is stored as integers: value = step * (stored - zero_point), stored
 * within low..high. bits 0: it stays float. The rounding is floor(x / step + 1/2). */
typedef struct {
	int bits; /* 0, 2..8 */
	float step;
	int32_t zero_point, low, high;
} espl_quantizer;

/* rows x columns x channels floats a sample. */
typedef struct {
	const char *name; /* unique in the graph */
	int rows, columns, channels;
	espl_quantizer quantizer;
} espl_value;

typedef struct {
	espl_node_kind kind;
	const char *name; /* unique in the graph */
	int input_count;
	int inputs[ESPL_NODE_INPUTS]; /* values, in the operator's order */
	int output;

	/* CONV, DEPTHWISE, pools; 1 and 0 elsewhere. PAD: the four pads are the operator. */
	int kernel_rows, kernel_columns;
	int stride_rows, stride_columns;
	int dilation_rows, dilation_columns;
	int pad_top, pad_bottom, pad_left, pad_right;
	int groups;           /* CONV */
	int depth_multiplier; /* DEPTHWISE: output channel = channel * depth_multiplier + m */
	bool count_pads;      /* AVERAGE_POOL: cells outside the image count as well */

	/* CONV, DEPTHWISE, DENSE. A weight of exactly 0 is pruned: training leaves it 0. */
	float *weights;
	float *bias; /* [out], NULL: none */
	/* Weights as integers: value = weight_steps[out] * stored, |stored| <= 2^(bits-1) - 1;
	 * 0: they stay float. */
	int weight_bits;     /* 0, 2..8 */
	float *weight_steps; /* [out]; NULL while weight_bits is 0 */

	/* BATCH_NORM: gain * (x - mean) / sqrt(variance + epsilon) + offset, each [channels] */
	float *gain, *offset, *mean, *variance;
	float epsilon;

	float low, high;    /* CLIP; infinite where there is no bound */
	float slope, shift; /* LEAKY, HARD_SIGMOID */
} espl_node;

typedef struct {
	const char *name;
	int value_count, node_count;
	espl_value *values;
	espl_node *nodes;
	int input_count, output_count;
	int *inputs, *outputs; /* values */
} espl_graph;

/* Checks every invariant: indices, order, shapes against the operator, finite parameters.
 *   fails  ESPL_SHAPE or ESPL_RANGE, naming the node */
espl_status espl_graph_check(const espl_graph *graph, espl_error *err);

/* An array of a node's parameters, for whoever treats all of them alike. */
typedef struct {
	const char
	        *name; /* "weights", "bias", "weight_steps", "gain", "offset", "mean", "variance" */
	float **values;
	int64_t count; /* as the shapes demand */
} espl_parameter;

enum { ESPL_NODE_PARAMETERS = 4 };

/* The arrays that a node of this kind has, in the order above; `bias` and `weight_steps` may be
 * NULL.
 *   out   parameters  room for ESPL_NODE_PARAMETERS; returns how many */
int espl_node_parameters(const espl_graph *graph, espl_node *node, espl_parameter *parameters);

/* A new node of a kind: kernel, strides, dilations, groups 1, no pads, no clip, epsilon 1e-5. */
espl_node espl_node_default(espl_node_kind kind, const char *name);

int espl_value_elements(const espl_value *value);
int64_t espl_node_weights(const espl_graph *graph, const espl_node *node); /* 0: has none */
int espl_node_outputs(const espl_graph *graph, const espl_node *node); /* channels of the output */
int64_t espl_graph_parameters(const espl_graph *graph); /* weights, biases, gains, offsets */
int64_t espl_node_multiplications(const espl_graph *graph, const espl_node *node); /* a sample */

/* The output channel that the i-th of a node's weights belongs to. */
int espl_weight_channel(const espl_graph *graph, const espl_node *node, int64_t i);

/* The integers that stand for a value, or for a weight, of these steps; the float arithmetic of
 * espl_fake_quantize. */
int32_t espl_store_value(const espl_quantizer *quantizer, float value);
int32_t espl_store_weight(float weight, float step, int bits);
float espl_stored_value(const espl_quantizer *quantizer, int32_t stored); /* and back */

/* A copy that shares nothing with the original. */
espl_graph *espl_graph_copy(const espl_graph *graph, espl_arena *arena);

/* The graph as JSON text (docs/graph.md), and back; parameters are float32, little endian, in
 * base64. The same graph gives the same bytes.
 *   out   *text in `arena`;  *graph in `arena`, checked */
espl_status espl_graph_print(const espl_graph *graph, espl_arena *arena, const char **text,
                             size_t *size, espl_error *err);
espl_status espl_graph_parse(const char *text, size_t size, espl_arena *arena, espl_graph **graph,
                             espl_error *err);

#endif
