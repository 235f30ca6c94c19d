/* Does each operator of the interpreter compute what ARITHMETIC says, by hand?
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every expected number was worked out by hand; the comments say how. Scales are powers of two:
 * {1 << 30, 1} is 1, {1 << 30, 0} is 1/2, {1 << 30, -1} is 1/4.
 */
#include "interp/interp.h"
#include "math/softmax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const espl_scale unit = {1 << 30, 1}, half = {1 << 30, 0}, quarter = {1 << 30, -1};
static const int32_t no_bias[8] = {0};
static const espl_scale units[8] = {{1 << 30, 1}, {1 << 30, 1}, {1 << 30, 1}, {1 << 30, 1},
                                    {1 << 30, 1}, {1 << 30, 1}, {1 << 30, 1}, {1 << 30, 1}};

/* A net of one operator with up to three inputs. */
typedef struct {
	espl_tensor tensors[4];
	espl_op op;
	int input_tensors[3];
	espl_type types[3];
	espl_net net;
} single;

/* The output is tensor 0, the inputs are tensors 1 and up; shapes are set by the caller. */
static single make(espl_op_kind kind, int input_count)
{
	static const char *const names[4] = {"out", "in0", "in1", "in2"};
	single made;

	memset(&made, 0, sizeof made);
	for (int i = 0; i < 4; i++)
		made.tensors[i] = (espl_tensor){names[i], 1, 1, 1, 1.0, 0};
	made.op.kind = kind;
	made.op.name = "op";
	made.op.input_count = input_count;
	for (int i = 0; i < input_count; i++)
		made.op.inputs[i] = i + 1;
	made.op.output = 0;
	made.op.kernel_rows = made.op.kernel_columns = 1;
	made.op.stride_rows = made.op.stride_columns = 1;
	made.op.dilation_rows = made.op.dilation_columns = 1;
	made.op.depth_multiplier = 1;
	made.op.bias = no_bias;
	made.op.scales = units;
	made.op.in_scales[0] = made.op.in_scales[1] = made.op.out_scale = unit;
	made.op.low = -128;
	made.op.high = 127;
	for (int i = 0; i < 3; i++)
		made.input_tensors[i] = i + 1;
	return made;
}

static void shape(espl_tensor *tensor, int rows, int columns, int channels)
{
	tensor->rows = rows;
	tensor->columns = columns;
	tensor->channels = channels;
}

/* Runs the operator and compares all of its output; the net must be one that passes its check
 * unless `checked` is false. */
static void check(single *made, espl_rounding rounding, bool checked, const int8_t *const *inputs,
                  const int8_t *expected)
{
	espl_arena *arena = espl_arena_create();
	int8_t **tensors;
	espl_error err;

	made->net.name = "single";
	made->net.rounding = rounding;
	made->net.tensor_count = made->op.input_count + 1;
	made->net.op_count = 1;
	made->net.tensors = made->tensors;
	made->net.ops = &made->op;
	made->net.input_count = made->op.input_count;
	made->net.output_count = 1;
	made->net.inputs = made->input_tensors;
	made->net.outputs = &made->op.output;
	made->net.input_types = made->types;
	made->net.output_types = made->types;
	if (checked && espl_net_check(&made->net, &err) != ESPL_OK)
		fail_msg("%s", err.message);

	tensors = espl_interp_buffers(&made->net, arena);
	espl_interpret(&made->net, inputs, tensors);
	for (int i = 0; i < espl_tensor_elements(&made->tensors[0]); i++)
		assert_int_equal(tensors[0][i], expected[i]);
	for (int i = 0; i < made->net.input_count; i++)
		assert_memory_equal(tensors[i + 1], inputs[i],
		                    (size_t)espl_tensor_elements(&made->tensors[i + 1]));
	espl_arena_destroy(arena);
}

static void check_one(single *made, espl_rounding rounding, const int8_t *input,
                      const int8_t *expected)
{
	check(made, rounding, true, &input, expected);
}

/* -- convolutions and dense layers -- */

static void conv_multiplies_and_shifts_zero_points(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	static const int8_t input[] = {2, 3}; /* 1 and 2 above the zero point 1 */
	static const int8_t weights[] = {3, -1, 2, 2};
	static const int32_t bias[] = {10, -20};
	/* 10 + 3 - 2 - 3 and -20 + 2 + 4 - 3 */
	static const int8_t expected[] = {8, -17};

	(void)state;
	shape(&made.tensors[1], 1, 1, 2);
	shape(&made.tensors[0], 1, 1, 2);
	made.tensors[1].zero_point = 1;
	made.tensors[0].zero_point = -3;
	made.op.weights = weights;
	made.op.bias = bias;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void conv_scales_each_channel_and_clamps(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	static const int8_t input[] = {20};
	static const int8_t weights[] = {4, 4, 4, -4};
	const espl_scale scales[] = {half, quarter, unit, unit};
	/* 80/2, 80/4, 80 and -80 clamped to -5..60 */
	static const int8_t expected[] = {40, 20, 60, -5};

	(void)state;
	shape(&made.tensors[0], 1, 1, 4);
	made.op.weights = weights;
	made.op.scales = scales;
	made.op.low = -5;
	made.op.high = 60;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void conv_pads_one_side_with_the_zero_point(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	static const int8_t input[] = {11, 12, 13, 14}; /* 1 2 / 3 4 above the zero point */
	static const int8_t ones[] = {1, 1, 1, 1};
	static const int8_t after[] = {10, 6, 7, 4};
	static const int8_t before[] = {1, 3, 4, 10};

	(void)state;
	shape(&made.tensors[1], 2, 2, 1);
	shape(&made.tensors[0], 2, 2, 1);
	made.tensors[1].zero_point = 10;
	made.op.kernel_rows = made.op.kernel_columns = 2;
	made.op.weights = ones;
	made.op.pad_bottom = made.op.pad_right = 1;
	check_one(&made, ESPL_ROUND_TFLM, input, after);
	made.op.pad_bottom = made.op.pad_right = 0;
	made.op.pad_top = made.op.pad_left = 1;
	check_one(&made, ESPL_ROUND_TFLM, input, before);
}

static void conv_dilates(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	static const int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const int8_t weights[] = {1, 2, 3, 4};
	static const int8_t expected[] = {64}; /* the corners: 1 + 2*3 + 3*7 + 4*9 */

	(void)state;
	shape(&made.tensors[1], 3, 3, 1);
	made.op.kernel_rows = made.op.kernel_columns = 2;
	made.op.dilation_rows = made.op.dilation_columns = 2;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void conv_strides_over_rows_and_columns_apart(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	/* 4 rows, 3 columns */
	static const int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const int8_t weights[] = {1, -2}; /* two rows of one column */
	/* 1-8 2-10 3-12 / 7-20 8-22 9-24 */
	static const int8_t expected[] = {-7, -8, -9, -13, -14, -15};

	(void)state;
	shape(&made.tensors[1], 4, 3, 1);
	shape(&made.tensors[0], 2, 3, 1);
	made.op.kernel_rows = 2;
	made.op.stride_rows = 2;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void conv_orders_weights_out_rows_columns_in(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	static const int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8};    /* 2 x 2 x 2 */
	static const int8_t weights[] = {1, 0, 0, 0, 0,  0, 0, 2,  /* 1 + 2*8 */
	                                 0, 0, 0, 3, -1, 0, 0, 0}; /* 3*4 - 5 */
	static const int8_t expected[] = {17, 7};

	(void)state;
	shape(&made.tensors[1], 2, 2, 2);
	shape(&made.tensors[0], 1, 1, 2);
	made.op.kernel_rows = made.op.kernel_columns = 2;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void rounds_once_or_twice(void **state)
{
	single made = make(ESPL_OP_CONV, 1);
	const espl_scale scales[] = {quarter, quarter, quarter, half};
	static const int8_t input[] = {1};
	static const int8_t weights[] = {5, -6, 6, -5};
	/* A quarter of 5 is first 5/2 = 3 (halves up), then 3/2 = 2 (halves away from zero); of
	 * -6 it is -3, then -2. Once: 5/4 = 1, -6/4 = -1 (halves up). */
	static const int8_t twice[] = {2, -2, 2, -2};
	static const int8_t once[] = {1, -1, 2, -2};

	(void)state;
	shape(&made.tensors[0], 1, 1, 4);
	made.op.weights = weights;
	made.op.scales = scales;
	check_one(&made, ESPL_ROUND_TFLM, input, twice);
	check_one(&made, ESPL_ROUND_SINGLE, input, once);
}

static void accumulators_wrap(void **state)
{
	single made = make(ESPL_OP_DENSE, 1);
	static const int8_t input[] = {1}, weights[] = {1}, expected[] = {-128};
	static const int32_t bias[] = {INT32_MAX};
	static const espl_scale scale[] = {{1 << 30, -23}}; /* 2^-24: -2^31 gives -128 */
	const int8_t *inputs = input;

	(void)state;
	made.op.weights = weights;
	made.op.bias = bias;
	made.op.scales = scale;
	check(&made, ESPL_ROUND_TFLM, false, &inputs, expected);
}

static void depthwise_multiplies_its_channels(void **state)
{
	single made = make(ESPL_OP_DEPTHWISE, 1);
	static const int8_t input[] = {2, 5, 3, 7}; /* 2 rows of 2 channels, zero point 1 */
	/* two rows of 4: channel 0 twice, then channel 1 twice */
	static const int8_t weights[] = {1, 2, 3, 4, 5, 6, 7, 8};
	/* 1*1 + 2*5, 1*2 + 2*6, 4*3 + 6*7, 4*4 + 6*8 */
	static const int8_t expected[] = {11, 14, 54, 64};

	(void)state;
	shape(&made.tensors[1], 2, 1, 2);
	shape(&made.tensors[0], 1, 1, 4);
	made.tensors[1].zero_point = 1;
	made.op.kernel_rows = 2;
	made.op.depth_multiplier = 2;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void depthwise_strides_dilates_and_pads(void **state)
{
	single made = make(ESPL_OP_DEPTHWISE, 1);
	static const int8_t input[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50}; /* 5 columns of 2 */
	static const int8_t weights[] = {1, -1, 1, 0, 2, 1};               /* 3 columns of 2 */
	/* columns -2 0 2, 0 2 4, 2 4 6: 0+1+6, 1+3+10, 3+5+0 and 0+30, -10+50, -30+0 */
	static const int8_t expected[] = {7, 30, 14, 40, 8, -30};

	(void)state;
	shape(&made.tensors[1], 1, 5, 2);
	shape(&made.tensors[0], 1, 3, 2);
	made.op.kernel_columns = 3;
	made.op.stride_columns = 2;
	made.op.dilation_columns = 2;
	made.op.pad_left = 2;
	made.op.pad_right = 2;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void dense_flattens_rows_columns_channels(void **state)
{
	single made = make(ESPL_OP_DENSE, 1);
	static const int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8};    /* 2 x 2 x 2, zero point -1 */
	static const int8_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1,   /* 36 + 8 */
	                                 0, 0, 0, 0, 1, 0, 0, -2}; /* 6 - 18 */
	static const int8_t expected[] = {44, -12};

	(void)state;
	shape(&made.tensors[1], 2, 2, 2);
	shape(&made.tensors[0], 1, 1, 2);
	made.tensors[1].zero_point = -1;
	made.op.weights = weights;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

/* -- the others -- */

static void add_brings_both_to_one_scale(void **state)
{
	single made = make(ESPL_OP_ADD, 2);
	static const int8_t a[] = {3, 100, -100, 2}, b[] = {-1, 100, -100, 2};
	const int8_t *inputs[] = {a, b};
	/* the zero points are 1, 2 and 3: 2 - 3 + 3, saturated twice, 1 + 0 + 3 */
	static const int8_t expected[] = {2, 127, -128, 4};

	(void)state;
	for (int i = 0; i < 3; i++)
		shape(&made.tensors[i], 1, 2, 2);
	made.tensors[1].zero_point = 1;
	made.tensors[2].zero_point = 2;
	made.tensors[0].zero_point = 3;
	/* all scales equal: S = 2s, so 1/2 and 1/2, then 2 / 2^20 */
	made.op.in_scales[0] = made.op.in_scales[1] = half;
	made.op.out_scale = (espl_scale){1 << 30, -18};
	check(&made, ESPL_ROUND_TFLM, true, inputs, expected);
}

static void add_rounds_ties_by_the_net(void **state)
{
	single made = make(ESPL_OP_ADD, 2);
	static const int8_t a[] = {1, -1, -3}, b[] = {0, 0, 0};
	const int8_t *inputs[] = {a, b};
	/* halved: 0.5, -0.5, -1.5; away from zero, or up */
	static const int8_t twice[] = {1, -1, -2}, once[] = {1, 0, -1};

	(void)state;
	for (int i = 0; i < 3; i++)
		shape(&made.tensors[i], 1, 1, 3);
	made.op.in_scales[0] = made.op.in_scales[1] = half;
	made.op.out_scale = (espl_scale){1 << 30, -19};
	check(&made, ESPL_ROUND_TFLM, true, inputs, twice);
	check(&made, ESPL_ROUND_SINGLE, true, inputs, once);
}

static void max_pool_never_takes_padding(void **state)
{
	single made = make(ESPL_OP_MAX_POOL, 1);
	static const int8_t input[] = {-100, 5, -50, 6, -120, 7, -90, -8}; /* 2 x 2 x 2 */
	static const int8_t expected[] = {-100, 5, -50, 6, -100, 7, -50, 7};

	(void)state;
	shape(&made.tensors[1], 2, 2, 2);
	shape(&made.tensors[0], 2, 2, 2);
	made.op.kernel_rows = made.op.kernel_columns = 2;
	made.op.pad_top = made.op.pad_left = 1;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void max_pool_strides_and_clamps(void **state)
{
	single made = make(ESPL_OP_MAX_POOL, 1);
	static const int8_t input[] = {1, 9, 3, -20, -30, 100};
	static const int8_t expected[] = {9, 3, 50}; /* 3 and -20; -30 and 100 */
	static const int8_t raised[] = {9, 4, 50};

	(void)state;
	shape(&made.tensors[1], 1, 6, 1);
	shape(&made.tensors[0], 1, 3, 1);
	made.op.kernel_columns = made.op.stride_columns = 2;
	made.op.high = 50;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
	made.op.low = 4;
	check_one(&made, ESPL_ROUND_TFLM, input, raised);
}

static void average_pool_divides_by_the_cells_inside(void **state)
{
	single made = make(ESPL_OP_AVERAGE_POOL, 1);
	static const int8_t positive[] = {1, 2, 3, 5}, negative[] = {-1, -2, -3, -5};
	/* 11/4, 7/2, 8/2, 5: halves away from zero */
	static const int8_t up[] = {3, 4, 4, 5}, down[] = {-3, -4, -4, -5};

	(void)state;
	shape(&made.tensors[1], 2, 2, 1);
	shape(&made.tensors[0], 2, 2, 1);
	made.tensors[0].zero_point = made.tensors[1].zero_point = 7; /* plays no part */
	made.op.kernel_rows = made.op.kernel_columns = 2;
	made.op.pad_bottom = made.op.pad_right = 1;
	check_one(&made, ESPL_ROUND_TFLM, positive, up);
	check_one(&made, ESPL_ROUND_TFLM, negative, down);
	made.op.low = -4;
	check_one(&made, ESPL_ROUND_TFLM, negative, (const int8_t[]){-3, -4, -4, -4});
}

static void mean_is_over_rows_and_columns(void **state)
{
	single made = make(ESPL_OP_MEAN, 1);
	static const int8_t input[] = {2, -1, 3, -2, 4, -8}; /* 3 columns of 2, zero point 1 */
	/* (1+2+3)/3 and (-2-3-9)/3 = -4.67; 2 is added */
	static const int8_t expected[] = {4, -3};

	(void)state;
	shape(&made.tensors[1], 1, 3, 2);
	shape(&made.tensors[0], 1, 1, 2);
	made.tensors[1].zero_point = 1;
	made.tensors[0].zero_point = 2;
	made.op.out_scale = (espl_scale){715827882, 0}; /* 1/3 */
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void pad_fills_with_the_zero_point(void **state)
{
	single made = make(ESPL_OP_PAD, 1);
	static const int8_t input[] = {1, 2, 3, 4}; /* 1 x 2 x 2 */
	static const int8_t expected[] = {
	        -9, -9, -9, -9, -9, -9, -9, -9, /* one row of 4 columns above */
	        -9, -9, 1,  2,  3,  4,  -9, -9,
	};

	(void)state;
	shape(&made.tensors[1], 1, 2, 2);
	shape(&made.tensors[0], 2, 4, 2);
	made.tensors[0].zero_point = made.tensors[1].zero_point = -9;
	made.op.pad_top = made.op.pad_left = made.op.pad_right = 1;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void pad_takes_four_different_sides(void **state)
{
	single made = make(ESPL_OP_PAD, 1);
	static const int8_t input[] = {7};
	int8_t expected[4 * 6];

	(void)state;
	shape(&made.tensors[0], 4, 6, 1);
	made.op.pad_top = 1;
	made.op.pad_bottom = 2;
	made.op.pad_left = 3;
	made.op.pad_right = 2;
	memset(expected, 0, sizeof expected);
	expected[1 * 6 + 3] = 7;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void concat_puts_channels_side_by_side(void **state)
{
	single made = make(ESPL_OP_CONCAT, 3);
	static const int8_t a[] = {1, 2}, b[] = {3, 4, 5, 6}, c[] = {7, 8};
	const int8_t *inputs[] = {a, b, c};
	static const int8_t expected[] = {1, 3, 4, 7, 2, 5, 6, 8};

	(void)state;
	shape(&made.tensors[1], 1, 2, 1);
	shape(&made.tensors[2], 1, 2, 2);
	shape(&made.tensors[3], 1, 2, 1);
	shape(&made.tensors[0], 1, 2, 4);
	check(&made, ESPL_ROUND_TFLM, true, inputs, expected);
}

static void reshape_keeps_the_bytes(void **state)
{
	single made = make(ESPL_OP_RESHAPE, 1);
	static const int8_t input[] = {1, -2, 3, -4, 5, -6};

	(void)state;
	shape(&made.tensors[1], 1, 3, 2);
	shape(&made.tensors[0], 1, 1, 6);
	check_one(&made, ESPL_ROUND_TFLM, input, input);
}

static void softmax_is_over_channels(void **state)
{
	single made = make(ESPL_OP_SOFTMAX, 1);
	static const int8_t input[] = {5, 5, 127, -128}; /* 2 columns of 2 */
	static const int8_t expected[] = {0, 0, 127, -128};

	(void)state;
	shape(&made.tensors[1], 1, 2, 2);
	shape(&made.tensors[0], 1, 2, 2);
	made.tensors[0].scale = 1.0 / 256;
	made.tensors[0].zero_point = -128;
	espl_softmax_prepare(1.0, 1.0, &made.op.softmax_scale, &made.op.softmax_least);
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void logistic_looks_up_its_table(void **state)
{
	single made = make(ESPL_OP_LOGISTIC, 1);
	static const int8_t input[] = {-128, -1, 0, 127};
	static const int8_t expected[] = {11, 22, 33, 44};
	int8_t table[256] = {0};

	(void)state;
	table[0] = 11;
	table[127] = 22;
	table[128] = 33;
	table[255] = 44;
	shape(&made.tensors[1], 1, 1, 4);
	shape(&made.tensors[0], 1, 1, 4);
	made.tensors[0].scale = 1.0 / 256;
	made.tensors[0].zero_point = -128;
	made.op.table = table;
	check_one(&made, ESPL_ROUND_TFLM, input, expected);
}

static void keeps_every_tensor_of_a_chain(void **state)
{
	static const int8_t input[] = {3, -4}, two[] = {2, 2, 1, 3};
	espl_arena *arena = espl_arena_create();
	const int8_t *inputs = input;
	single first = make(ESPL_OP_DENSE, 1);
	espl_op ops[2] = {first.op, first.op};
	int8_t **tensors;
	int in = 0, out = 2;

	(void)state;
	for (int i = 0; i < 3; i++)
		shape(&first.tensors[i], 1, 1, 2);
	for (int i = 0; i < 2; i++) {
		ops[i].inputs[0] = i;
		ops[i].output = i + 1;
		ops[i].weights = two;
	}
	first.net = (espl_net){.name = "chain",
	                       .tensor_count = 3,
	                       .op_count = 2,
	                       .tensors = first.tensors,
	                       .ops = ops,
	                       .input_count = 1,
	                       .output_count = 1,
	                       .inputs = &in,
	                       .outputs = &out};
	tensors = espl_interp_buffers(&first.net, arena);
	espl_interpret(&first.net, &inputs, tensors);
	assert_memory_equal(tensors[0], input, 2);
	assert_memory_equal(tensors[1], ((const int8_t[]){-2, -9}), 2);   /* 6-8, 3-12 */
	assert_memory_equal(tensors[2], ((const int8_t[]){-22, -29}), 2); /* -4-18, -2-27 */
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(conv_multiplies_and_shifts_zero_points),
	        cmocka_unit_test(conv_scales_each_channel_and_clamps),
	        cmocka_unit_test(conv_pads_one_side_with_the_zero_point),
	        cmocka_unit_test(conv_dilates),
	        cmocka_unit_test(conv_strides_over_rows_and_columns_apart),
	        cmocka_unit_test(conv_orders_weights_out_rows_columns_in),
	        cmocka_unit_test(rounds_once_or_twice),
	        cmocka_unit_test(accumulators_wrap),
	        cmocka_unit_test(depthwise_multiplies_its_channels),
	        cmocka_unit_test(depthwise_strides_dilates_and_pads),
	        cmocka_unit_test(dense_flattens_rows_columns_channels),
	        cmocka_unit_test(add_brings_both_to_one_scale),
	        cmocka_unit_test(add_rounds_ties_by_the_net),
	        cmocka_unit_test(max_pool_never_takes_padding),
	        cmocka_unit_test(max_pool_strides_and_clamps),
	        cmocka_unit_test(average_pool_divides_by_the_cells_inside),
	        cmocka_unit_test(mean_is_over_rows_and_columns),
	        cmocka_unit_test(pad_fills_with_the_zero_point),
	        cmocka_unit_test(pad_takes_four_different_sides),
	        cmocka_unit_test(concat_puts_channels_side_by_side),
	        cmocka_unit_test(reshape_keeps_the_bytes),
	        cmocka_unit_test(softmax_is_over_channels),
	        cmocka_unit_test(logistic_looks_up_its_table),
	        cmocka_unit_test(keeps_every_tensor_of_a_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
