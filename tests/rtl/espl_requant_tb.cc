// espl_requant against lower/step.c (lower/run.c's steps), and pairs of products against 64 bits.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_requant_plain.h"
#include "Vespl_requant_tables.h"
#include "even.hh"

namespace {

// the stage in which each input is used, and the one whose register is the result
constexpr int kMultiplierStage = 0, kSecondStage = 5, kRoundStage = 6, kCoarseStage = 7,
              kFineStage = 8, kLatency = 11;
constexpr int kKeptBits = 9;  // of the shifted value, besides its sign
constexpr int kAccBits = 24;

struct job {
  int64_t x;  // with the bias
  espl_step step;
  bool second;
};

struct layer {
  int zero, low, high;
  bool packed, table;
  int table_select;
};

// y of a job; the one before it gives a second one the other product
int value(const layer &l, const job &before, const job &now) {
  espl_step step = now.step;
  int64_t x = now.x;
  if (now.second) {
    x = before.x * before.step.multiplier + now.x * now.step.multiplier;
    step.multiplier = 1;
  }
  return espl_step_value(&step, x, l.zero, l.low, l.high);
}

template <class Dut>
void run(bench::generator &random, int tables) {
  bench::clocked<Dut> requant;
  std::vector<uint8_t> table(static_cast<size_t>(256 * (tables ? tables : 1)));

  requant->table_write_i = 1;
  for (size_t i = 0; i < table.size(); i++) {
    table[i] = static_cast<uint8_t>(random.bits(8));
    bench::put(requant->table_address_i, 0, tables > 1 ? 9 : 8, i);
    requant->table_data_i = table[i];
    requant.tick();
  }
  requant->table_write_i = 0;

  for (int layers = 0; layers < 100; layers++) {
    layer l{};
    l.zero = static_cast<int>(random.edge(8));
    l.low = static_cast<int>(random.edge(8));
    l.high = l.low + random.below(256 - l.low);
    l.packed = random.chance(30);
    l.table = tables && random.chance(50);
    l.table_select = tables ? random.below(tables) : 0;
    requant->zero_i = static_cast<uint8_t>(l.zero);
    requant->low_i = static_cast<uint8_t>(l.low);
    requant->high_i = static_cast<uint8_t>(l.high);
    requant->packed_i = l.packed;
    requant->table_i = l.table;
    requant->table_select_i = static_cast<uint8_t>(l.table_select);

    bench::delay<job> jobs(kLatency + 1);
    bool second = false;
    for (int i = 0; i < 1000; i++) {
      job now{};
      second = l.packed && !second && random.chance(80);
      now.second = second;
      // sums of two products stay below 2^52
      now.step.multiplier = static_cast<int32_t>(random.edge(l.packed ? 27 : 28));
      now.step.shift = random.below(54);
      const int lift = now.step.shift > 23 ? now.step.shift - 23 : 0;
      const int round_bits = lift > 26 ? 50 - lift : 24;
      now.step.positive = static_cast<int32_t>(bench::sign(random.edge(round_bits), round_bits));
      now.step.negative = static_cast<int32_t>(bench::sign(random.edge(round_bits), round_bits));
      const uint64_t bias = random.edge(kAccBits);
      uint64_t sum = random.edge(kAccBits);
      const uint64_t byte = sum >> (second ? 8 : 0) & 0xff;
      now.x = bench::sign((l.packed ? byte : sum) + bias, kAccBits);
      if (!l.packed) bench::even(random, now.step, now.x);

      requant->sum_i = static_cast<uint32_t>(sum);
      requant->bias_i = static_cast<uint32_t>(bias);
      requant->second_i = second;
      jobs.push(now);
      const auto step = [&](size_t ago) {
        return jobs.has(ago) ? jobs.ago(ago).step : espl_step{};
      };
      requant->multiplier_i = static_cast<uint32_t>(step(kMultiplierStage).multiplier);
      requant->second5_i = jobs.has(kSecondStage) && jobs.ago(kSecondStage).second;
      const espl_step round = step(kRoundStage);
      const int lifted = round.shift > 23 ? round.shift - 23 : 0;
      requant->positive_i = static_cast<uint64_t>(static_cast<int64_t>(round.positive) << lifted) &
                            ((UINT64_C(1) << 53) - 1);
      requant->negative_i = static_cast<uint64_t>(static_cast<int64_t>(round.negative) << lifted) &
                            ((UINT64_C(1) << 53) - 1);
      const int coarse = step(kCoarseStage).shift;
      requant->coarse_i = static_cast<uint8_t>(coarse >> 3);
      for (int k = 0; k < 53; k++) bench::put(requant->above_i, k, 1, k >= coarse + kKeptBits);
      const espl_step near = step(kCoarseStage);
      const int window = near.shift - ESPL_EVEN_FINE - near.even;
      for (int k = 0; k < 53; k++) {
        bench::put(requant->near_i, k, 1, k >= window && k < near.shift);
        bench::put(requant->half_i, k, 1, near.even_half && k == window - 1);
      }
      requant->even_i = step(kFineStage).even != 0;
      requant->fine_i = static_cast<uint8_t>(step(kFineStage).shift & 7);
      requant.tick();
      if (!jobs.ready()) continue;
      const int y = value(l, jobs.ago(kLatency), jobs.ago(kLatency - 1));
      bench::equal("byte_o", requant->byte_o,
                   l.table ? table[static_cast<size_t>(256 * l.table_select + y)] : y,
                   requant.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(espl_requant) {
  run<Vespl_requant_plain>(random, 0);
  run<Vespl_requant_tables>(random, 2);
}
