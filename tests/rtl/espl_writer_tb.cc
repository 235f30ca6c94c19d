// espl_writer against bytes placed one by one: wide memories, output, one and several elements.
// SPDX-License-Identifier: Apache-2.0

#include <map>
#include <tuple>

#include "Vespl_writer_8x1.h"
#include "Vespl_writer_8x4.h"
#include "bench.hh"

namespace {

constexpr int kLatency = 3;    // to the write ports
constexpr int kKindStage = 2;  // cycles from the rest to kind_i; it holds for a layer
constexpr int kAddrBits = 17;

enum kind { kWide, kElement, kElements, kOutput };

struct step {
  bool now;
  uint8_t bytes[16];  // picked
  bool valid[16];
  int address;
  int mask;
};

struct shape {
  int lanes, splits, requantizers, wide_depth, output_depth;
};

// Where bytes must go: (odd bank, address in it, lane) -> byte.
using places = std::map<std::tuple<bool, int, int>, int>;

template <class Dut>
void run(bench::generator &random, const shape &s) {
  bench::clocked<Dut> writer;
  int select_bits = 1;
  while (1 << select_bits < s.requantizers) select_bits++;

  for (int layer = 0; layer < 400; layer++) {
    const int kind = layer % 4;
    bench::delay<step> steps(kLatency);
    for (int i = 0; i < 60; i++) {
      step in{};
      in.now = i < 56 && random.chance(70);
      in.mask = random.chance(90) ? static_cast<int>(random.bits(s.splits)) : 0;
      uint8_t bytes[16];
      for (int r = 0; r < s.requantizers; r++) {
        bytes[r] = static_cast<uint8_t>(random.bits(8));
        bench::put(writer->bytes_i, 8 * r, 8, bytes[r]);
      }
      for (int r = 0; r < s.requantizers; r++) {
        const int from = random.below(s.requantizers);
        in.bytes[r] = bytes[from];
        in.valid[r] = r == 0 ? random.chance(90) : random.chance(70);
        bench::put(writer->pattern_i, select_bits * r, select_bits, static_cast<uint64_t>(from));
        bench::put(writer->pattern_i, select_bits * s.requantizers + r, 1, in.valid[r]);
      }
      const uint64_t dest = random.bits(kAddrBits), offset = random.bits(kAddrBits);
      in.address = static_cast<int>((dest + offset) & ((1 << kAddrBits) - 1));
      if (kind == kElements) {
        const int aligned = in.address - in.address % s.requantizers;
        in.address = aligned;
      }
      writer->dest_i = static_cast<uint32_t>(dest);
      writer->offset_i =
          static_cast<uint32_t>(in.address - static_cast<int>(dest)) & ((1 << kAddrBits) - 1);
      writer->step_i = in.now;
      writer->kind_i = static_cast<uint8_t>(kind);
      writer->mask_i = static_cast<uint16_t>(in.mask);
      steps.push(in);
      writer.tick();
      if (!steps.ready()) continue;

      const step &out = steps.now();
      const bool writes = out.now && out.mask != 0 && out.valid[0];
      bench::equal("wide_o", writer->wide_o, writes && kind == kWide, writer.cycle);
      bench::equal("output_o", writer->output_o, writes && kind == kOutput, writer.cycle);
      bench::equal("vector_o", writer->vector_o, writes && (kind == kElement || kind == kElements),
                   writer.cycle);
      if (!writes) continue;
      if (kind == kWide || kind == kOutput) {
        const int half = (kind == kWide ? s.wide_depth : s.output_depth) / 2;
        places want, got;
        for (int r = 0; r < s.requantizers; r++) {
          const int byte = (out.address + r) & ((1 << kAddrBits) - 1), word = byte / s.lanes;
          if (out.valid[r]) want[{word % 2 == 1, word / 2 % half, byte % s.lanes}] = out.bytes[r];
        }
        for (int l = 0; l < s.lanes; l++) {
          const int byte = static_cast<int>(bench::get(writer->data_o, 8 * l, 8));
          if (writer->enable_even_o >> l & 1)
            got[{false, kind == kWide ? writer->even_address_o : writer->output_even_address_o,
                 l}] = byte;
          if (writer->enable_odd_o >> l & 1)
            got[{true, kind == kWide ? writer->odd_address_o : writer->output_odd_address_o, l}] =
                byte;
        }
        if (got != want)
          bench::fail("cycle %ld: bytes at %d are not where they belong", writer.cycle,
                      out.address);
        if (kind == kWide)
          bench::equal("wide_splits_o", writer->wide_splits_o, out.mask, writer.cycle);
        continue;
      }
      bench::equal("vector_address_o", writer->vector_address_o, out.address / s.splits % (1 << 11),
                   writer.cycle);
      for (int split = 0; split < s.splits; split++) {
        const int element = out.address % s.splits;
        const bool takes = kind == kElement ? split == element
                                            : split / s.requantizers == element / s.requantizers;
        bench::equal("vector_splits_o", writer->vector_splits_o >> split & 1, takes, writer.cycle);
        if (takes)
          bench::equal("vector_data_o",
                       static_cast<int64_t>(bench::get(writer->vector_data_o, 8 * split, 8)),
                       out.bytes[kind == kElement ? 0 : split % s.requantizers], writer.cycle);
      }
    }
  }
}

}  // namespace

ESPL_BENCH(espl_writer) {
  run<Vespl_writer_8x1>(random, {8, 1, 1, 256, 16});
  run<Vespl_writer_8x4>(random, {8, 4, 2, 256, 16});
}
