/* A small .tflite file made by hand, with every operator that is imported.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_TINY_MODEL_H
#define ESPL_TESTS_TINY_MODEL_H

#include "base/file.h"

enum { TINY_MODEL_OPS = 15 };

/* Builds the file in `arena`: 6 x 5 x 2 floats in, 5 floats out. */
espl_span tiny_model(espl_arena *arena);

/* The same with operator `index` (0..TINY_MODEL_OPS - 1) given another code. */
espl_span tiny_model_with_code(espl_arena *arena, int index, int code);

#endif
