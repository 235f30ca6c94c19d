/* The integer graph in hardware's terms: every output an exact, small step function.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine's requantizer computes, for an accumulator `x` that includes the bias,
 *     v = x * multiplier + (x >= 0 ? round_positive : round_negative)
 *     y = clamp((v >> shift) + zero_point, low, high)
 * where a step for ONNX's rounding may clear the lowest bit of v >> shift just above a multiple
 * of 2^shift (ir/lowered.h, `even`).
 * Lowering finds, per output channel, the narrowest such form equal to the
 * framework's definition at every reachable accumulator value, and proves it.
 */
#ifndef ESPL_LOWER_LOWER_H
#define ESPL_LOWER_LOWER_H

#include "ir/lowered.h"
#include "ir/net.h"

/* Lowers a checked net.
 *   out   *lowered in `arena`
 *   fails ESPL_RANGE, naming operator and channel, when no exact form exists within the
 *         hardware's widths; ESPL_UNSUPPORTED for an operator at a place where the engine cannot
 *         run it (e.g. SOFTMAX before the end)
 *   cost  milliseconds a channel, less for narrow ranges */
espl_status espl_lower(const espl_net *net, espl_arena *arena, espl_lowered **lowered,
                       espl_error *err);

/* Moves scales whose last bits the model's format leaves open (espl_op, free_scales) to a float32
 * near by, where a channel has no exact form otherwise: a few units in the last place, which change
 * its results by one step at a few sums. What the reference then computes, the hardware does.
 *   in/out  net      checked
 *   out     *moved   channels
 *   fails   as espl_lower, for what can't be helped so */
espl_status espl_settle(espl_net *net, espl_arena *arena, int *moved, espl_error *err);

/* Runs the lowered net in plain C, by the hardware's formulas: for tests, and to see
 * lowering's own effect apart from the schedule's.
 *   out   tensors[t]  lowered tensor t, int8, rows x columns x channels (removed channels absent)
 */
void espl_lowered_run(const espl_lowered *lowered, const int8_t *const *inputs,
                      int8_t *const *tensors);

/* Writes the certificate as text: a line a layer with widths, multiplier bits, proof and result. */
const char *espl_lowered_certificate(const espl_lowered *lowered, espl_arena *arena);

#endif
