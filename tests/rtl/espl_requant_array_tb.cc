// espl_requant_array against lower/step.c: records with and without biases of their own.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_requant_array_1.h"
#include "Vespl_requant_array_8.h"
#include "even.hh"

namespace {

constexpr int kLatency = 12;  // from the record, one cycle before its sums, to the bytes
constexpr int kAccBits = 24, kRoundBits = 24, kMultiplierBits = 28, kPlaceBits = 33;
constexpr int kMost = 16;  // requantizers

struct job {
  espl_step step;
  uint64_t place;
  int64_t bias[kMost], sum[kMost];
};

template <class Dut>
void run(bench::generator &random, int count) {
  bench::clocked<Dut> array;
  bench::delay<job> jobs(kLatency);
  job state{};
  uint64_t sums[kMost] = {0};

  array->zero_i = 100;
  array->low_i = 3;
  array->high_i = 250;
  array->packed_i = 0;
  array->second_i = 0;
  array->table_i = 0;
  for (int i = 0; i < 20000; i++) {
    // stage -1: a record
    const bool biases = i > 0 && random.chance(40);
    const int quarter = random.below((count + 3) / 4);
    array->load_i = i == 0 || random.chance(70);
    array->quarter_i = static_cast<uint8_t>(quarter);
    bench::put(array->record_i, 0, 1, biases);
    if (biases) {
      for (int b = 0; b < 4; b++) {
        const uint64_t bias = random.edge(kAccBits);
        bench::put(array->record_i, 1 + 24 * b, kAccBits, bias);
        if (array->load_i && 4 * quarter + b < count)
          state.bias[4 * quarter + b] = bench::sign(bias, kAccBits);
      }
    } else {
      job next{};
      const uint64_t bias = random.edge(kAccBits);
      next.step.multiplier = static_cast<int32_t>(random.edge(kMultiplierBits));
      next.step.shift = random.below(50);
      const int round_bits = next.step.shift > 47 ? 74 - next.step.shift - 3 : kRoundBits;
      next.step.positive = static_cast<int32_t>(bench::sign(random.edge(round_bits), round_bits));
      next.step.negative = static_cast<int32_t>(bench::sign(random.edge(round_bits), round_bits));
      if (random.chance(50)) next.step.multiplier = 0;
      bench::even(random, next.step, 0);
      next.place = random.bits(kPlaceBits);
      for (int r = 0; r < count; r++) next.bias[r] = bench::sign(bias, kAccBits);
      int at = 1;
      bench::put(array->record_i, at, kAccBits, bias);
      bench::put(array->record_i, at += kAccBits, kMultiplierBits,
                 static_cast<uint64_t>(next.step.multiplier));
      bench::put(array->record_i, at += kMultiplierBits, 6, static_cast<uint64_t>(next.step.shift));
      bench::put(array->record_i, at += 6, kRoundBits, static_cast<uint64_t>(next.step.positive));
      bench::put(array->record_i, at += kRoundBits, kRoundBits,
                 static_cast<uint64_t>(next.step.negative));
      bench::put(array->record_i, at += kRoundBits, kPlaceBits, next.place);
      bench::put(array->record_i, at += kPlaceBits, 4,
                 static_cast<uint64_t>(next.step.even | next.step.even_half << 3));
      if (array->load_i) state = next;
    }
    // stage 0: the sums of the record before
    for (int r = 0; r < count; r++) bench::put(array->sums_i, kAccBits * r, kAccBits, sums[r]);
    job now = state;
    for (int r = 0; r < count; r++) {
      sums[r] = random.edge(kAccBits);
      now.sum[r] = bench::sign(sums[r], kAccBits);
    }
    jobs.push(now);
    array.tick();
    if (!jobs.ready()) continue;
    const job &out = jobs.now();
    bench::equal("mask_o", array->mask_o, static_cast<int64_t>(out.place & 0xffff), array.cycle);
    bench::equal("dest_o", array->dest_o, static_cast<int64_t>(out.place >> 16), array.cycle);
    for (int r = 0; r < count; r++) {
      const int64_t x = bench::sign(static_cast<uint64_t>(out.sum[r] + out.bias[r]), kAccBits);
      bench::equal("a byte", static_cast<int64_t>(bench::get(array->bytes_o, 8 * r, 8)),
                   espl_step_value(&out.step, x, 100, 3, 250), array.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(espl_requant_array) {
  run<Vespl_requant_array_1>(random, 1);
  run<Vespl_requant_array_8>(random, 8);
}
