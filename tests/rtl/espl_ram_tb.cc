// espl_ram against an array of bits: word and byte enables, both latencies.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_ram_bytes.h"
#include "Vespl_ram_words.h"
#include "bench.hh"

namespace {

template <class Dut>
void run(bench::generator &random, int width, int enable_width, int depth, int latency) {
  const int enables = width / enable_width;
  bench::clocked<Dut> ram;
  std::vector<uint64_t> words(static_cast<size_t>(depth));
  bench::delay<uint64_t> reads(latency);

  for (int i = 0; i < 20000 + depth; i++) {
    // every word is written before the first comparison
    const bool filling = i < depth;
    const int to = filling ? i : random.below(depth);
    const uint64_t data = random.bits(width);
    const uint64_t mask = filling ? (UINT64_C(1) << enables) - 1 : random.bits(enables);
    int from = filling ? 0 : random.below(depth);
    if (from == to && mask) from = (from + 1) % depth;

    bench::put(ram->write_i, 0, enables, mask);
    ram->write_address_i = static_cast<uint8_t>(to);
    bench::put(ram->write_data_i, 0, width, data);
    ram->read_address_i = static_cast<uint8_t>(from);
    if (!filling) reads.push(words[static_cast<size_t>(from)]);
    for (int e = 0; e < enables; e++)
      if (mask >> e & 1)
        bench::put(words[static_cast<size_t>(to)], e * enable_width, enable_width,
                   data >> (e * enable_width));
    ram.tick();
    if (!filling && reads.ready())
      bench::equal("read_data_o", static_cast<int64_t>(bench::get(ram->read_data_o, 0, width)),
                   static_cast<int64_t>(reads.now()), ram.cycle);
  }
}

}  // namespace

ESPL_BENCH(espl_ram) {
  run<Vespl_ram_bytes>(random, 64, 8, 64, 1);
  run<Vespl_ram_words>(random, 35, 35, 100, 2);
}
