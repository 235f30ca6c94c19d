// Steps that round halves to even, for the benches of the requantizers.
// SPDX-License-Identifier: Apache-2.0
#ifndef ESPL_TESTS_RTL_EVEN_HH
#define ESPL_TESTS_RTL_EVEN_HH

#include "bench.hh"

extern "C" {
#include "lower/step.h"
}

namespace bench {

// Gives some steps a window, and roundings that bring x * multiplier near its edges.
inline void even(generator &random, espl_step &step, int64_t x) {
  const int room = step.shift - ESPL_EVEN_FINE;
  if (room < 2 || random.chance(30)) return;
  step.even = 1 + random.below(room - 1 < ESPL_EVEN_MOST ? room - 1 : ESPL_EVEN_MOST);
  step.even_half = random.chance(50);
  if (step.shift > 47 || random.chance(20)) return;
  const int lift = step.shift > 23 ? step.shift - 23 : 0;
  const int64_t one = INT64_C(1) << step.shift, product = x * step.multiplier;
  const int64_t window = INT64_C(1) << (room - step.even);
  const int64_t rest = static_cast<int64_t>(random.bits(62) % static_cast<uint64_t>(2 * window));
  const int64_t up = (((rest - product) % one) + one) % one;
  const int64_t most = (INT64_C(1) << 23) - 1;
  int64_t round = (up - (random.chance(50) ? one : 0)) >> lift;
  round = round > most ? most : round < -most ? -most : round;
  step.positive = step.negative = static_cast<int32_t>(round);
}

}  // namespace bench

#endif
