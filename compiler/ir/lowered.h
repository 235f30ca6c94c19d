/* The lowered net: the layers that the engine runs, in integers only.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Stored values are int8 here as in the net; the engine keeps a value v in its
 * wide memories as the byte v + 128. Accumulators in this file are over
 * BYTES: CONV, DEPTHWISE and pool layers accumulate sum(w * (v + 128)), with
 * positions outside the image counting as `pad` (a byte), and `bias` makes up for the
 * zero point. DENSE layers accumulate sum(w * v) over int8 values.
 */
#ifndef ESPL_IR_LOWERED_H
#define ESPL_IR_LOWERED_H

#include "ir/net.h"

/* Widths of the requantizer that every engine has. */
enum {
	ESPL_ACCUMULATOR_BITS = 24, /* signed; sums wrap, x = sum + bias must fit */
	ESPL_MULTIPLIER_BITS = 28,  /* unsigned: 0..2^28-1 */
	ESPL_SHIFT_MAX = 51,
	ESPL_ROUND_BITS = 24, /* signed: the rounding terms are round << max(shift - 23, 0) */
	ESPL_EVEN_MOST = 7,   /* `even` of a step */
	ESPL_EVEN_FINE = 13,  /* a window of even e is 2^(shift - 13 - e) wide */
};

/* An exact requantization: header of lower.h, where
 * round_positive = positive << max(shift - 23, 0), likewise negative. */
typedef struct {
	int32_t bias;       /* 24 bits signed; added to the raw sum to give x */
	int32_t multiplier; /* 0..2^28-1 */
	int shift;          /* 0..51 */
	int32_t positive;   /* 24 bits signed; used when x * multiplier >= 0 */
	int32_t negative;   /* 24 bits signed; used when x * multiplier < 0 */
	/* Halves to even: when the rounded product lies less than a window above a multiple of
	 * 2^shift, an odd result becomes the even one below. 0: never; 1..7: the window. */
	int even;
	bool even_half; /* the window is half as wide where x * multiplier < 0 */
} espl_step;

typedef enum {
	ESPL_LAYER_CONV, /* all input channels to each output channel (1x1, pools over nothing) */
	ESPL_LAYER_DEPTHWISE, /* one input channel to each output channel; average pools too, with
	                         weights 1, and MEAN */
	ESPL_LAYER_MAX,       /* max pool: steps are the identity */
	ESPL_LAYER_ADD,       /* over bytes a, b: v = (a + bias) * multiplier + (b + bias_b) *
	                         multiplier_b,       y = clamp(((v + (v >= 0 ? positive : negative)) >>
	                         shift) +       zero_point) */
	ESPL_LAYER_TABLE,     /* y = table[v]; one input channel to each output channel */
	ESPL_LAYER_DENSE,     /* input 1x1xn (or a flattened image): n in order of rows, columns,
	                         channels */
	ESPL_LAYER_CONCAT,    /* channels of the inputs side by side; no arithmetic */
} espl_layer_kind;

/* A tensor of live channels only. */
typedef struct {
	const char *name;
	int net_tensor;          /* the net's tensor that it holds */
	int rows, columns;       /* stored, before any flattening */
	int channels;            /* live ones */
	const int *net_channels; /* [channels] of the net's tensor, ascending */
	int32_t zero_point;
	/* the net's tensor has net_channel_count channels; those not live always have this value */
	int net_channel_count;
	const int8_t *constants; /* [net_channel_count]; meaningless where live */
} espl_lowered_tensor;

typedef struct {
	espl_layer_kind kind;
	const char *name;
	int net_op; /* the operator whose output this layer makes (the last one it implements) */
	int input_count;
	int inputs[ESPL_MAX_INPUTS];
	int output;
	int kernel_rows, kernel_columns, stride_rows, stride_columns;
	int dilation_rows, dilation_columns;
	int pad_top, pad_left; /* PAD is folded in; output size says the rest */
	int pad; /* the byte that stands outside the image: zero point + 128; 0 for MAX */
	/* CONV: [out][kernel_rows][kernel_columns][in]; DEPTHWISE:
	 * [out][kernel_rows][kernel_columns]; DENSE: [out][rows][columns][in] of the input; NULL
	 * elsewhere. Live channels only. */
	const int8_t *weights;
	const int *
	        source; /* DEPTHWISE, MAX, TABLE: [out], the input channel of each output channel */
	const espl_step *steps; /* [out][step_classes]; all but CONCAT */
	/* average pools whose windows reach beyond the image: the divisor, and so the step, depends
	 * on the position. Elsewhere one class, and no map. */
	int step_classes;
	const int *class_of;          /* [rows * columns] of the output */
	int32_t multiplier_b, bias_b; /* ADD */
	bool step_per_tensor; /* DENSE: multiplier, shift, positive, negative are the same for all
	                         out */
	int32_t zero_point, low, high; /* of the output, stored values */
	const int8_t *table;           /* LOGISTIC: applied to y (index y + 128), NULL if none */
	/* the certificate */
	int64_t least, most;                   /* reachable x over all channels */
	int accumulator_bits, multiplier_bits; /* the widest over channels */
	int64_t checked; /* accumulator values (ADD: pairs) compared one by one, or 0 if proved by
	                    thresholds only */
	int constant_channels; /* removed */
	int64_t multiplications, nonzero_multiplications;
} espl_layer;

typedef struct {
	const espl_net *net;
	int tensor_count, layer_count;
	espl_lowered_tensor *tensors;
	espl_layer *layers;
	int input_count, output_count;
	int *inputs, *outputs; /* lowered tensors */
	/* SOFTMAX at the end runs on the host: per output, the net's operator, or -1. The lowered
	 * output is then that operator's input. */
	int *host_softmax;
} espl_lowered;

#endif
