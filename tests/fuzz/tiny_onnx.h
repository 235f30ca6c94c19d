/* A small ONNX model made by hand, right or with one thing wrong.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_TINY_ONNX_H
#define ESPL_TESTS_TINY_ONNX_H

#include "base/arena.h"
#include "base/file.h"

typedef enum {
	TINY_ONNX_RIGHT, /* QuantizeLinear, QLinearMatMul of 4 x 2 weights, DequantizeLinear */
	TINY_ONNX_ZERO_SCALE,
	TINY_ONNX_INT16,
	TINY_ONNX_UNKNOWN,
	TINY_ONNX_OTHER_SCALE,
	TINY_ONNX_OTHER_SHAPE,
	TINY_ONNX_FLOAT, /* nothing in it is quantized */
	TINY_ONNX_KINDS,
} tiny_onnx_kind;

espl_span tiny_onnx(espl_arena *arena, tiny_onnx_kind kind);

#endif
