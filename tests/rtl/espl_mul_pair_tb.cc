// espl_mul_pair against multiplication: every pair of bytes times every weight.
// SPDX-License-Identifier: Apache-2.0
//
// Both forms, the portable one and the ECP5's with the multiplier's model. a1 = -128 with a
// negative a0 is outside of the module's range.

#include "Vespl_mul_pair_portable.h"
#ifdef ESPL_HAVE_ECP5_CELLS
#include "Vespl_mul_pair_ecp5.h"
#endif
#include "bench.hh"

namespace {

constexpr int kLatency = 3;

struct operands {
  int a0, a1, w;
};

template <class Dut>
void give(bench::clocked<Dut> &pair, bench::delay<operands> &inside, bool is_signed, int a0, int a1,
          int w) {
  operands in{a0, a1, w};
  if (is_signed) {
    in.a0 = static_cast<int8_t>(a0);
    in.a1 = static_cast<int8_t>(a1);
    if (in.a1 == -128 && in.a0 < 0) return;
  }
  pair->signed_i = is_signed;
  pair->a0_i = static_cast<uint8_t>(a0);
  pair->a1_i = static_cast<uint8_t>(a1);
  pair->w_i = static_cast<uint8_t>(w);
  inside.push(in);
  pair.tick();
  if (!inside.ready()) return;
  const operands &out = inside.now();
  const int64_t product0 = bench::sign(pair->product0_o, 17);
  const int64_t product1 = bench::sign(pair->product1_o, 17);
  if (product0 != out.a0 * out.w || product1 != out.a1 * out.w)
    bench::fail("(%d, %d) * %d gives %d, %d", out.a0, out.a1, out.w, static_cast<int>(product0),
                static_cast<int>(product1));
}

template <class Dut>
void run(bench::generator &random) {
  bench::clocked<Dut> pair;
  bench::delay<operands> inside(kLatency);

  for (int i = 0; i < 100000; i++)
    give(pair, inside, random.chance(50), static_cast<int>(random.edge(8)),
         static_cast<int>(random.edge(8)), bench::sign(random.edge(8), 8));
  for (int is_signed = 0; is_signed < 2; is_signed++)
    for (int w = -128; w < 128; w += bench::kQuick ? 51 : 1)
      for (int a1 = 0; a1 < 256; a1++)
        for (int a0 = 0; a0 < 256; a0++) give(pair, inside, is_signed, a0, a1, w);
}

}  // namespace

ESPL_BENCH(espl_mul_pair) {
  run<Vespl_mul_pair_portable>(random);
#ifdef ESPL_HAVE_ECP5_CELLS
  run<Vespl_mul_pair_ecp5>(random);
#endif
}
