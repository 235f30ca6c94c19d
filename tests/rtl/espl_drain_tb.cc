// espl_drain against two nested loops: steps, records and controls, cycle by cycle.
// SPDX-License-Identifier: Apache-2.0

#include <map>

#include "Vespl_drain_1.h"
#include "Vespl_drain_8.h"
#include "bench.hh"

namespace {

constexpr int kControls = 4;  // cycles from start_i to gate_o and shift_o
constexpr int kRecord = 4;    // from start_i to the record, without the tree's stages
constexpr int kRecordBits = 144, kOffsetBits = 17;
constexpr int kPushes = 400, kQuiet = 100;  // cycles of a layer, and until the next one
constexpr int kEntryDepth = 64, kParamDepth = 128;

struct entry {
  bool compute, second, next, shift;
  int quarter, pattern, offset;
};

struct block {
  int entry, count, loops, param, offset;
};

struct record {
  uint64_t low, high;
};

struct step {
  uint64_t gate;
  entry e;
  int offset;
  int record;
};

template <class Dut>
void run(bench::generator &random, int splits) {
  int stages = 0;
  while (1 << stages < splits) stages++;
  if (!stages) stages = 1;
  bench::clocked<Dut> drain;
  std::vector<entry> entries(kEntryDepth);
  std::vector<record> records(kParamDepth);
  std::deque<block> waiting;

  drain->rst_ni = 0;
  drain->push_i = 0;
  drain->start_i = 0;
  for (int i = 0; i < kParamDepth; i++) {
    if (i < kEntryDepth) {
      entry &e = entries[static_cast<size_t>(i)];
      const uint64_t word = random.bits(30);
      e = {(word >> 29 & 1) != 0,
           (word >> 28 & 1) != 0,
           (word >> 27 & 1) != 0,
           (word >> 26 & 1) != 0,
           static_cast<int>(word >> 23 & 7),
           static_cast<int>(word >> 17 & 63),
           static_cast<int>(word & 0x1ffff)};
      drain->entry_data_i = static_cast<uint32_t>(word);
      drain->entry_address_i = static_cast<uint8_t>(i);
    }
    drain->entry_write_i = i < kEntryDepth;
    records[static_cast<size_t>(i)] = {random.bits(64), random.bits(64)};
    bench::put(drain->param_data_i, 0, 64, records[static_cast<size_t>(i)].low);
    bench::put(drain->param_data_i, 64, 64, records[static_cast<size_t>(i)].high);
    bench::put(drain->param_data_i, 128, kRecordBits - 128, 0);
    drain->param_address_i = static_cast<uint8_t>(i);
    drain->param_write_i = 1;
    drain.tick();
  }
  drain->entry_write_i = 0;
  drain->param_write_i = 0;
  for (int i = 0; i < 16; i++) drain.tick();
  drain->rst_ni = 1;

  for (int layer = 0; layer < 60; layer++) {
    const bool per_split = random.chance(50);
    const int stride = random.below(4);
    std::map<long, step> controls, results;
    long ends = drain.cycle;  // the cycle after the last step
    drain->per_split_i = per_split;
    drain->param_stride_i = static_cast<uint8_t>(stride);
    for (int i = 0; i < kPushes + kQuiet; i++) {
      drain->push_i = i < kPushes && waiting.size() < 12 && random.chance(30);
      if (drain->push_i) {
        block b{};
        b.count = 1 + random.below(6);
        b.entry = random.below(kEntryDepth - b.count);
        b.loops = per_split ? 1 + random.below(splits) : 1;
        b.param = random.below(40);
        b.offset = static_cast<int>(random.bits(kOffsetBits));
        drain->entry_start_i = static_cast<uint16_t>(b.entry);
        drain->entry_count_i = static_cast<uint8_t>(b.count);
        drain->loops_i = static_cast<uint8_t>(b.loops);
        drain->param_i = static_cast<uint16_t>(b.param);
        drain->offset_i = static_cast<uint32_t>(b.offset);
      }
      // a descriptor is pushed some cycles before it is popped; blocks may follow at once
      drain->start_i = i < kPushes && !waiting.empty() && drain.cycle >= ends && random.chance(60);
      if (drain->start_i) {
        const block b = waiting.front();
        waiting.pop_front();
        long k = drain.cycle;
        int pointer = b.param;
        for (int loop = 0; loop < b.loops; loop++)
          for (int e = 0; e < b.count; e++, k++) {
            const entry &now = entries[static_cast<size_t>(b.entry + e)];
            const uint64_t all = (UINT64_C(1) << splits) - 1;
            const step s{per_split ? UINT64_C(1) << loop : all, now,
                         (now.offset + b.offset) & ((1 << kOffsetBits) - 1),
                         (pointer + now.second) % kParamDepth};
            controls[k + kControls] = s;
            results[k + kRecord + stages] = s;
            pointer += (e == b.count - 1 ? stride : 0) + now.next;
          }
        ends = k;
      }
      if (drain->push_i)
        waiting.push_back({drain->entry_start_i, drain->entry_count_i, drain->loops_i,
                           drain->param_i, static_cast<int>(drain->offset_i)});
      drain.tick();

      const auto c = controls.find(drain.cycle), r = results.find(drain.cycle);
      bench::equal("gate_o", drain->gate_o,
                   c == controls.end() ? 0 : static_cast<int64_t>(c->second.gate), drain.cycle);
      if (c != controls.end())
        bench::equal("shift_o", drain->shift_o, c->second.e.shift, drain.cycle);
      bench::equal("step_o", drain->step_o, r != results.end(), drain.cycle);
      if (r == results.end()) {
        bench::equal("compute_o", drain->compute_o, 0, drain.cycle);
        continue;
      }
      const step &s = r->second;
      const record &want = records[static_cast<size_t>(s.record)];
      bench::equal("compute_o", drain->compute_o, s.e.compute, drain.cycle);
      bench::equal("second_o", drain->second_o, s.e.second, drain.cycle);
      bench::equal("quarter_o", drain->quarter_o, s.e.quarter, drain.cycle);
      bench::equal("pattern_o", drain->pattern_o, s.e.pattern, drain.cycle);
      bench::equal("offset_o", drain->offset_o, s.offset, drain.cycle);
      bench::equal("record_o, low", static_cast<int64_t>(bench::get(drain->record_o, 0, 64)),
                   static_cast<int64_t>(want.low), drain.cycle);
      bench::equal("record_o, high", static_cast<int64_t>(bench::get(drain->record_o, 64, 64)),
                   static_cast<int64_t>(want.high), drain.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(espl_drain) {
  run<Vespl_drain_1>(random, 1);
  run<Vespl_drain_8>(random, 8);
}
