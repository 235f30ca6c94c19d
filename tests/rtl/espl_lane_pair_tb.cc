// espl_lane_pair against sums of products in 24 bits, portable and with ECP5's cells.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_lane_pair_portable.h"
#ifdef ESPL_HAVE_ECP5_CELLS
#include "Vespl_lane_pair_ecp5.h"
#endif
#include "bench.hh"

namespace {

constexpr int kMultiply = 3;  // cycles from the operands to valid_i and first_i
constexpr int kAccBits = 24;

struct term {
  int product[2];
};

template <class Dut>
void run(bench::generator &random) {
  bench::clocked<Dut> lanes;
  bench::delay<term> inside(kMultiply + 1);
  int64_t sums[2] = {0, 0};
  bool started = false;

  for (int i = 0; i < 300000; i++) {
    // long runs of large products pass the ends of 24 bits
    const bool large = i / 4096 % 2 == 1;
    const bool is_signed = random.chance(50);
    uint64_t a[2], w = large ? 0x81 : random.edge(8);
    term in{};
    for (uint64_t &byte : a) byte = large ? 0x7f : random.edge(8);
    if (is_signed && a[1] == 0x80 && a[0] & 0x80) a[1] = 0x81;
    for (int l = 0; l < 2; l++)
      in.product[l] = static_cast<int>(
          (is_signed ? bench::sign(a[l], 8) : static_cast<int64_t>(a[l])) * bench::sign(w, 8));
    lanes->signed_i = is_signed;
    lanes->a0_i = static_cast<uint8_t>(a[0]);
    lanes->a1_i = static_cast<uint8_t>(a[1]);
    lanes->w_i = static_cast<uint8_t>(w);
    inside.push(in);
    const bool valid = inside.ready() && random.chance(80);
    const bool first = valid && (!started || random.below(large ? 3000 : 40) == 0);
    lanes->valid_i = valid;
    lanes->first_i = valid ? first : random.chance(50);
    lanes.tick();
    started |= valid;
    for (int l = 0; l < 2; l++) {
      if (valid)
        sums[l] = bench::sign(
            static_cast<uint64_t>((first ? 0 : sums[l]) + inside.now().product[l]), kAccBits);
      if (started)
        bench::equal(l ? "sum1_o" : "sum0_o",
                     bench::sign(l ? lanes->sum1_o : lanes->sum0_o, kAccBits), sums[l],
                     lanes.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(espl_lane_pair) {
  run<Vespl_lane_pair_portable>(random);
#ifdef ESPL_HAVE_ECP5_CELLS
  run<Vespl_lane_pair_ecp5>(random);
#endif
}
