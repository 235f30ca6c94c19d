// espl_gather against bytes picked one by one.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_gather_16.h"
#include "Vespl_gather_8.h"
#include "bench.hh"

namespace {

constexpr int kRotate = 3;  // cycles to the rotated word

struct words {
  uint8_t first[32], second[32];
  int shift;
};

template <class Dut>
void run(bench::generator &random, int lanes) {
  bench::clocked<Dut> gather;
  bench::delay<words> inside(kRotate);

  for (int i = 0; i < 20000; i++) {
    words in{};
    const bool odd_first = random.chance(50);
    in.shift = random.below(lanes);
    for (int l = 0; l < lanes; l++) {
      in.first[l] = static_cast<uint8_t>(random.bits(8));
      in.second[l] = static_cast<uint8_t>(random.bits(8));
      bench::put(gather->even_i, 8 * l, 8, odd_first ? in.second[l] : in.first[l]);
      bench::put(gather->odd_i, 8 * l, 8, odd_first ? in.first[l] : in.second[l]);
    }
    gather->odd_first_i = odd_first;
    gather->shift_i = static_cast<uint8_t>(in.shift);
    inside.push(in);
    gather.tick();
    if (!inside.ready()) continue;

    const words &out = inside.now();
    const uint64_t valid = random.bits(lanes);
    uint8_t other[32];
    for (int l = 0; l < lanes; l++) {
      other[l] = static_cast<uint8_t>(random.bits(8));
      bench::put(gather->other_i, 8 * l, 8, other[l]);
    }
    bench::put(gather->valid_i, 0, lanes, valid);
    gather->eval();
    for (int l = 0; l < lanes; l++) {
      const int b = out.shift + l;
      const int byte = b < lanes ? out.first[b] : out.second[b - lanes];
      bench::equal("a lane", static_cast<int64_t>(bench::get(gather->lanes_o, 8 * l, 8)),
                   valid >> l & 1 ? byte : other[l], gather.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(espl_gather) {
  run<Vespl_gather_8>(random, 8);
  run<Vespl_gather_16>(random, 16);
}
