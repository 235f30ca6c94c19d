// espl_loader against frames read beat by beat: random stalls on both ends, malformed frames.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_loader_16x8.h"
#include "Vespl_loader_8x1.h"
#include "bench.hh"

namespace {

enum memory {
  kWide,
  kNarrow,
  kVector,
  kTap,
  kParam,
  kGroup,
  kBlock,
  kEntry,
  kPattern,
  kProgram,
  kTable,
  kControl,
  kMemories
};

struct word {
  int memory, splits, address;
  std::vector<uint64_t> beats;
};

struct beat {
  uint64_t data;
  bool last;
};

struct shape {
  int lanes, splits, requantizers, pad_max;

  int beats(int memory) const {
    int select = 1;
    while (1 << select < requantizers) select++;
    const int bits = memory == kWide      ? 8 * lanes
                     : memory == kVector  ? 8 * splits
                     : memory == kParam   ? 144
                     : memory == kBlock   ? 19 + 2 * pad_max * lanes
                     : memory == kPattern ? requantizers * (select + 1)
                                          : 64;
    return (bits + 63) / 64;
  }
};

template <class Dut>
void run(bench::generator &random, const shape &s) {
  bench::clocked<Dut> loader;
  std::deque<beat> stream;
  std::deque<word> writes;
  long malformed = 0, inputs = 0, begun = 0;  // what the frames say
  long errors = 0, done = 0, begins = 0;      // what the module says

  // the frames, and what must come of them
  bool mine = false;  // an input is being sent
  for (int f = 0; f < 4000; f++) {
    const int memory = random.below(kMemories);
    const int count = random.chance(15) ? 0 : 1 + random.below(6);
    if (!mine) mine = random.chance(40);
    const bool input = mine && random.chance(70), go = input && random.chance(40);
    const int splits = static_cast<int>(random.bits(16)),
              address = static_cast<int>(random.edge(24));
    const bool early = random.chance(5);  // tlast before the end
    const int words = count * s.beats(memory);
    const int at = early ? random.below(words + 1) : words;
    inputs += go;
    begun += input;
    if (go) mine = false;
    for (int b = 0; b <= words; b++) {
      const uint64_t header = static_cast<uint64_t>(memory) | static_cast<uint64_t>(input) << 5 |
                              static_cast<uint64_t>(go) << 6 | static_cast<uint64_t>(address) << 8 |
                              static_cast<uint64_t>(count) << 32 |
                              static_cast<uint64_t>(splits) << 48;
      const bool last = b == at && (early || random.chance(50));
      stream.push_back({b ? random.bits(64) : header, last});
      malformed += last && b != words;
      if (!b) continue;
      if ((b - 1) % s.beats(memory) == 0)
        writes.push_back({memory, splits, (address + (b - 1) / s.beats(memory)) & 0xffffff, {}});
      writes.back().beats.push_back(stream.back().data);
    }
  }

  loader->rst_ni = 0;
  loader->in_valid_i = 0;
  loader->taken_i = 0;
  loader->input_free_i = 1;
  loader.tick();
  loader.tick();
  loader->rst_ni = 1;
  bool offered = false, held = false, free = true, closes = false;
  int idle = 0, eager = 50;
  long sent_goes = 0;
  bool inside = false, go = false;
  int left = 0;
  word kept{};
  while (idle < 2000) {
    if (loader.cycle % 512 == 0) eager = 10 + random.below(91);
    if (!offered && !stream.empty() && random.chance(eager)) offered = true;
    loader->in_valid_i = offered;
    if (offered) {
      loader->in_data_i = stream.front().data;
      loader->in_last_i = stream.front().last;
    }
    loader->taken_i = random.chance(eager);
    loader->input_free_i = free;
    loader.settle();
    idle++;
    if (loader->write_o) {
      word now{loader->memory_o, loader->splits_o, static_cast<int>(loader->address_o), {}};
      for (int b = 0; b < 4; b++) now.beats.push_back(bench::get(loader->data_o, 64 * b, 64));
      if (held && (now.memory != kept.memory || now.splits != kept.splits ||
                   now.address != kept.address || now.beats != kept.beats))
        bench::fail("cycle %ld: a write changes before it is taken", loader.cycle);
      held = !loader->taken_i;
      kept = now;
      if (loader->taken_i) {
        if (writes.empty()) bench::fail("cycle %ld: a write that no frame asks for", loader.cycle);
        const word &want = writes.front();
        bench::equal("memory_o", now.memory, want.memory, loader.cycle);
        bench::equal("splits_o", now.splits, want.splits, loader.cycle);
        bench::equal("address_o", now.address, want.address, loader.cycle);
        for (size_t b = 0; b < want.beats.size(); b++)
          bench::equal("a beat of data_o", static_cast<int64_t>(now.beats[b]),
                       static_cast<int64_t>(want.beats[b]), loader.cycle);
        writes.pop_front();
        idle = 0;
      }
    } else if (held) {
      bench::fail("cycle %ld: a write is withdrawn", loader.cycle);
    }
    if (offered && loader->in_ready_o) {
      const uint64_t data = stream.front().data;
      if (!inside) {
        if (data >> 5 & 1 && (!free || closes || sent_goes != done))
          bench::fail("cycle %ld: a frame of the input while its place is taken", loader.cycle);
        left = static_cast<int>(data >> 32 & 0xffff) * s.beats(static_cast<int>(data & 31));
        go = data >> 6 & 1;
      } else {
        left--;
      }
      inside = left > 0;
      if (!inside && go) sent_goes++;
      stream.pop_front();
      offered = false;
      idle = 0;
    }
    loader.rise();
    errors += loader->error_o;
    begins += loader->input_begins_o;
    done += loader->input_done_o;
    // the engine closes the input's place a cycle after input_done_o and opens it some time later
    if (closes)
      free = false;
    else if (!free)
      free = random.chance(5);
    closes = loader->input_done_o;
  }
  if (!stream.empty()) bench::fail("%zu beats are not taken", stream.size());
  if (!writes.empty()) bench::fail("%zu words are not written", writes.size());
  bench::equal("pulses of error_o", errors, malformed, loader.cycle);
  bench::equal("pulses of input_begins_o", begins, begun, loader.cycle);
  bench::equal("pulses of input_done_o", done, inputs, loader.cycle);
}

}  // namespace

ESPL_BENCH(espl_loader) {
  run<Vespl_loader_8x1>(random, {8, 1, 1, 1});
  run<Vespl_loader_16x8>(random, {16, 8, 8, 2});
}
