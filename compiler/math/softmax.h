/* Softmax and the logistic function in integers, as TFLite Micro's kernels.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter, the importer and the host driver run this one definition.
 */
#ifndef ESPL_MATH_SOFTMAX_H
#define ESPL_MATH_SOFTMAX_H

#include "math/fixed.h"

#include <stdint.h>

/* Turns an input's scale into what espl_softmax needs.
 *   in    beta    1 in nearly every model
 *   out   *scale  min(beta * input_scale * 2^26, 2^31 - 1), exponent >= 0
 *         *least  the least difference to the greatest input that counts, <= 0
 *   range beta * input_scale in [2^-26, 2^38)
 *   from  TFLite's PreprocessSoftmaxScaling and CalculateInputRadius
 */
void espl_softmax_prepare(double input_scale, double beta, espl_scale *scale, int32_t *least);

/* Writes the softmax of `count` stored values: result = (stored + 128) / 256. The input's zero
 * point does not matter. `output` may be `input`.
 *   range count >= 1; from 512 equally likely values on, TFLite Micro is undefined where this
 *         gives -128
 *   cost  two exponentials a value, of 12 multiplications each
 *   from  tflite/kernels/internal/reference/softmax.h; gemmlowp/fixedpoint/fixedpoint.h
 */
void espl_softmax(const int8_t *input, int count, espl_scale scale, int32_t least, int8_t *output);

/* What a value `difference` <= 0 below the greatest one counts in that sum, in Q0.31; 0 below
 * `least`. */
int32_t espl_softmax_exponential(int difference, espl_scale scale, int32_t least);

/* Fills the table of the logistic function: 1 / (1 + exp(-input_scale * (stored - zero_point))).
 *   out   table[stored + 128], where result = (table + 128) / 256
 *   range input_scale in [2^-27, 8)
 *   from  tflite/kernels/internal/reference/integer_ops/logistic.h
 */
void espl_logistic_table(double input_scale, int32_t zero_point, int8_t table[256]);

#endif
