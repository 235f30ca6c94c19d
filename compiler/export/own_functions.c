/* The net's arithmetic as ONNX functions: exact in any runtime that has integers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each function's body is made of ONNX's own operators on int64, so that it gives the same bits
 * everywhere; viewers show one node. Names within a function are its own. Shifts to the right are
 * divisions by powers of two: the operator set has no signed ones.
 */
#include "export/net_export.h"

static const char *const own_names[ESPL_OWN_COUNT] = {
        "RequantizeOnce", "RequantizeTwice", "RequantizeFloat", "RequantizeInside",
        "Lookup",         "LookupPair",      "Average",         "Softmax",
};

const char *espl_own_name(espl_own function)
{
	return own_names[function];
}

static const char *op(espl_onnx_writer *w, const char *kind, const char *output, const char *a,
                      const char *b)
{
	return espl_write_node(w, "", kind, NULL, output, (const char *const[]){a, b, NULL});
}

static const char *number(espl_onnx_writer *w, const char *output, int64_t value)
{
	espl_write_node(w, "", "Constant", NULL, output, (const char *const[]){NULL});
	espl_write_integer(w, "value_int", value);
	return output;
}

static const char *attribute(espl_onnx_writer *w, const char *name)
{
	espl_write_node(w, "", "Constant", NULL, name, (const char *const[]){NULL});
	espl_write_reference(w, "value_int", name);
	return name;
}

static const char *cast(espl_onnx_writer *w, const char *output, const char *from, int type)
{
	espl_write_node(w, "", "Cast", NULL, output, (const char *const[]){from, NULL});
	espl_write_integer(w, "to", type);
	return output;
}

/* output = floor(value / divisor); `rest` and `whole` name what is between */
static const char *floor_divide(espl_onnx_writer *w, const char *output, const char *value,
                                const char *divisor, const char *rest, const char *whole)
{
	op(w, "Mod", rest, value, divisor);
	op(w, "Sub", whole, value, rest);
	return op(w, "Div", output, whole, divisor);
}

/* result = int8(min(max(value, low), high)) */
static void finish_bounded(espl_onnx_writer *w, const char *value)
{
	op(w, "Max", "raised_low", value, attribute(w, "low"));
	op(w, "Min", "bounded", "raised_low", attribute(w, "high"));
	cast(w, "result", "bounded", ESPL_ELEMENT_INT8);
}

static void finish(espl_onnx_writer *w, const char *value)
{
	op(w, "Add", "moved", value, attribute(w, "zero_point"));
	finish_bounded(w, "moved");
}

static const char *const output_attributes[] = {"zero_point", "low", "high", NULL};

static void define_once(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	cast(w, "wide", "sums", ESPL_ELEMENT_INT64);
	op(w, "Mul", "product", "wide", "multiplier");
	op(w, "Add", "lifted", "product", "half");
	floor_divide(w, "rounded", "lifted", "divisor", "rest", "whole");
	finish(w, "rounded");
	espl_write_function_end(w, own_names[ESPL_OWN_REQUANTIZE_ONCE],
	                        ESPL_INPUTS("sums", "multiplier", "half", "divisor"),
	                        output_attributes, "result",
	                        "floor((sums * multiplier + half) / divisor) + zero_point, within "
	                        "low..high: halves go up");
}

/* output = (a * b + 2^30) >> 31: the high half of a doubled product */
static const char *high_multiply(espl_onnx_writer *w, const char *output, const char *a,
                                 const char *b)
{
	const char *product = espl_arena_format(w->arena, "%s_product", output);
	const char *lifted = espl_arena_format(w->arena, "%s_lifted", output);

	op(w, "Mul", product, a, b);
	op(w, "Add", lifted, product, "half_of_31");
	return floor_divide(w, output, lifted, "two_to_31",
	                    espl_arena_format(w->arena, "%s_rest", output),
	                    espl_arena_format(w->arena, "%s_whole", output));
}

static void high_multiply_numbers(espl_onnx_writer *w)
{
	number(w, "half_of_31", INT64_C(1) << 30);
	number(w, "two_to_31", INT64_C(1) << 31);
}

static void define_twice(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	high_multiply_numbers(w);
	cast(w, "wide", "sums", ESPL_ELEMENT_INT64);
	op(w, "Mul", "shifted", "wide", "left");
	high_multiply(w, "upper", "shifted", "multiplier");
	op(w, "Abs", "magnitude", "upper", NULL);
	op(w, "Add", "raised", "magnitude", "half");
	op(w, "Div", "quotient", "raised", "divisor");
	op(w, "Sign", "sign", "upper", NULL);
	op(w, "Mul", "rounded", "quotient", "sign");
	finish(w, "rounded");
	espl_write_function_end(
	        w, own_names[ESPL_OWN_REQUANTIZE_TWICE],
	        ESPL_INPUTS("sums", "multiplier", "left", "half", "divisor"), output_attributes,
	        "result",
	        "TensorFlow Lite Micro's two roundings: the high half of sums * left * multiplier, "
	        "halves up; that over divisor, halves away from zero; zero_point, low..high");
}

static const char *scaled(espl_onnx_writer *w)
{
	cast(w, "real", "sums", ESPL_ELEMENT_FLOAT);
	op(w, "Mul", "product", "real", "scale");
	/* beyond int8 nothing matters, and int64 must hold it */
	espl_write_node(w, "", "Constant", NULL, "most", (const char *const[]){NULL});
	espl_write_real(w, "value_float", 65536);
	op(w, "Neg", "least", "most", NULL);
	op(w, "Max", "above", "product", "least");
	return op(w, "Min", "limited", "above", "most");
}

static void define_float(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	op(w, "Round", "nearest", scaled(w), NULL);
	finish(w, cast(w, "rounded", "nearest", ESPL_ELEMENT_INT64));
	espl_write_function_end(w, own_names[ESPL_OWN_REQUANTIZE_FLOAT],
	                        ESPL_INPUTS("sums", "scale"), output_attributes, "result",
	                        "round(float32(sums) * scale) + zero_point, within low..high: "
	                        "halves go to even");
}

static void define_inside(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	cast(w, "long", scaled(w), ESPL_ELEMENT_DOUBLE);
	cast(w, "zero", attribute(w, "zero_point"), ESPL_ELEMENT_DOUBLE);
	op(w, "Add", "moved_real", "long", "zero");
	op(w, "Round", "nearest", "moved_real", NULL);
	finish_bounded(w, cast(w, "rounded", "nearest", ESPL_ELEMENT_INT64));
	espl_write_function_end(w, own_names[ESPL_OWN_REQUANTIZE_INSIDE],
	                        ESPL_INPUTS("sums", "scale"), output_attributes, "result",
	                        "round(float32(sums) * scale + zero_point), within low..high: "
	                        "halves go to even");
}

static const char *const no_attributes[] = {NULL};

static void define_lookup(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	number(w, "offset", 128);
	cast(w, "wide", "x", ESPL_ELEMENT_INT64);
	op(w, "Add", "index", "wide", "offset");
	op(w, "Gather", "result", "table", "index");
	espl_write_function_end(w, own_names[ESPL_OWN_LOOKUP], ESPL_INPUTS("x", "table"),
	                        no_attributes, "result", "table[x + 128]");
}

static void define_lookup_pair(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	number(w, "offset", 128 * 256 + 128);
	number(w, "row", 256);
	cast(w, "wide_a", "a", ESPL_ELEMENT_INT64);
	cast(w, "wide_b", "b", ESPL_ELEMENT_INT64);
	op(w, "Mul", "start", "wide_a", "row");
	op(w, "Add", "place", "start", "wide_b");
	op(w, "Add", "index", "place", "offset");
	op(w, "Gather", "result", "table", "index");
	espl_write_function_end(w, own_names[ESPL_OWN_LOOKUP_PAIR], ESPL_INPUTS("a", "b", "table"),
	                        no_attributes, "result", "table[(a + 128) * 256 + b + 128]");
}

static void define_average(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	number(w, "two", 2);
	cast(w, "wide", "sums", ESPL_ELEMENT_INT64);
	op(w, "Div", "half", "cells", "two");
	op(w, "Abs", "magnitude", "wide", NULL);
	op(w, "Add", "raised", "magnitude", "half");
	op(w, "Div", "quotient", "raised", "cells");
	op(w, "Sign", "sign", "wide", NULL);
	finish_bounded(w, op(w, "Mul", "rounded", "quotient", "sign"));
	espl_write_function_end(w, own_names[ESPL_OWN_AVERAGE], ESPL_INPUTS("sums", "cells"),
	                        (const char *const[]){"low", "high", NULL}, "result",
	                        "sums / cells, halves away from zero, within low..high");
}

/* softmax's reciprocal: 1 / (1 + x), x = sum * 2^headroom - 2^31, by three Newton steps */
static const char *reciprocal(espl_onnx_writer *w)
{
	const char *guess = "guess";

	number(w, "two", 2);
	number(w, "four", 4);
	number(w, "one_q29", 1 << 29);
	number(w, "most_32", INT32_MAX);
	number(w, "least_32", INT32_MIN);
	op(w, "Mul", "normal", "sum", "normalizer");
	op(w, "Div", "half", "normal", "two"); /* (1 + x) / 2, in Q0.31 */
	high_multiply(w, "slope", "half", number(w, "minus_32_17", -1010580540));
	op(w, "Add", guess, number(w, "plus_48_17", 1515870810), "slope");
	for (int i = 0; i < 3; i++) {
		const char *at = espl_arena_format(w->arena, "step%d_", i);
		const char *error = espl_arena_format(w->arena, "%serror", at);
		const char *share = espl_arena_format(w->arena, "%sshare", at);
		const char *more = espl_arena_format(w->arena, "%smore", at);
		const char *raised = espl_arena_format(w->arena, "%sraised", at);
		const char *limited = espl_arena_format(w->arena, "%slimited", at);
		const char *next = espl_arena_format(w->arena, "%sguess", at);

		high_multiply(w, share, "half", guess);
		op(w, "Sub", error, "one_q29", share);
		high_multiply(w, more, guess, error);
		op(w, "Mul", raised, more, "four");
		op(w, "Max", limited, raised, "least_32");
		op(w, "Min", espl_arena_format(w->arena, "%sfit", at), limited, "most_32");
		guess = op(w, "Add", next, guess, espl_arena_format(w->arena, "%sfit", at));
	}
	op(w, "Mul", "doubled", guess, "two");
	return op(w, "Min", "reciprocal", "doubled", "most_32");
}

static void define_softmax(espl_onnx_writer *w)
{
	espl_write_function_begin(w);
	high_multiply_numbers(w);
	cast(w, "wide", "x", ESPL_ELEMENT_INT64);
	espl_write_node(w, "", "ReduceMax", NULL, "greatest", ESPL_INPUTS("wide"));
	espl_write_integers(w, "axes", (const int64_t[]){1}, 1);
	op(w, "Sub", "difference", "wide", "greatest");
	op(w, "Add", "index", "difference", number(w, "last", 255));
	op(w, "Gather", "exponential", "exponentials", "index");
	op(w, "Gather", "share", "shares", "index");
	espl_write_node(w, "", "Constant", NULL, "channel_axis", (const char *const[]){NULL});
	espl_write_integers(w, "value_ints", (const int64_t[]){1}, 1);
	espl_write_node(w, "", "Constant", NULL, "last_axis", (const char *const[]){NULL});
	espl_write_integers(w, "value_ints", (const int64_t[]){-1}, 1);
	op(w, "ReduceSum", "sum", "share", "channel_axis");
	/* leading zeros of a 32-bit sum: so many powers 2^1 .. 2^31 are above it */
	op(w, "Unsqueeze", "column", "sum", "last_axis");
	op(w, "Less", "above", "column", "limits");
	cast(w, "ones", "above", ESPL_ELEMENT_INT64);
	op(w, "ReduceSum", "headroom", "ones", "last_axis");
	espl_write_integer(w, "keepdims", 0);
	op(w, "Gather", "normalizer", "powers", "headroom");
	high_multiply(w, "ratio", reciprocal(w), "exponential");
	op(w, "Sub", "shift", number(w, "shift_of_none", 35), "headroom");
	op(w, "Gather", "divisor", "powers", "shift");
	op(w, "Div", "half_divisor", "divisor", "two");
	op(w, "Add", "raised", "ratio", "half_divisor");
	op(w, "Div", "quotient", "raised", "divisor");
	op(w, "Min", "limited", "quotient", "last");
	op(w, "Sub", "moved", "limited", number(w, "offset", 128));
	cast(w, "result", "moved", ESPL_ELEMENT_INT8);
	espl_write_function_end(
	        w, own_names[ESPL_OWN_SOFTMAX],
	        ESPL_INPUTS("x", "exponentials", "shares", "limits", "powers"), no_attributes,
	        "result",
	        "TensorFlow Lite Micro's softmax over channels: exponentials[x - greatest + 255] "
	        "over their sum, in fixed point, as result = (stored + 128) / 256");
}

void espl_own_define(espl_onnx_writer *writer, espl_own function)
{
	static void (*const defines[ESPL_OWN_COUNT])(espl_onnx_writer *) = {
	        define_once,   define_twice,       define_float,   define_inside,
	        define_lookup, define_lookup_pair, define_average, define_softmax,
	};

	defines[function](writer);
}
