// espl_output against an array: results of any length, random stalls, writes just in time.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_output_16.h"
#include "Vespl_output_8.h"
#include "bench.hh"

namespace {

constexpr int kLatency = 3;  // from start_i to the first beat

template <class Dut>
void run(bench::generator &random, int lanes, int depth) {
  bench::clocked<Dut> output;
  std::vector<uint8_t> bytes(static_cast<size_t>(lanes * depth));
  const int parts = lanes / 8, most = depth * parts;

  output->rst_ni = 0;
  output->write_i = 0;
  output->start_i = 0;
  output->out_ready_i = 0;
  output.tick();
  output.tick();
  output->rst_ni = 1;
  for (int result = 0; result < 1500; result++) {
    const int beats = random.chance(20) ? 1 : 1 + random.below(most);
    const int eager = random.chance(30) ? 100 : 5 + random.below(95);
    const bool late =
        random.chance(50);  // a word is written when its first beat is about to be read
    int word = 0, beat = 0;
    long start = -1;
    bool stalled = false;
    uint64_t data = 0;
    bool last = false;
    while (beat < beats) {
      // a write: a word's bytes in two parts at random, the second one with the rest
      const int needed = (beats + parts - 1) / parts;
      output->write_i = 0;
      if (word < needed &&
          (!late || start < 0 ? word == 0 || !late : output.cycle - start >= word * parts - 1)) {
        const uint64_t all = (UINT64_C(1) << lanes) - 1;
        for (int l = 0; l < lanes; l++) {
          bytes[static_cast<size_t>(word * lanes + l)] = static_cast<uint8_t>(random.bits(8));
          bench::put(output->data_i, 8 * l, 8, bytes[static_cast<size_t>(word * lanes + l)]);
        }
        output->write_i = 1;
        bench::put(output->enable_even_i, 0, lanes, word % 2 ? 0 : all);
        bench::put(output->enable_odd_i, 0, lanes, word % 2 ? all : 0);
        output->even_address_i = static_cast<uint8_t>(word / 2);
        output->odd_address_i = static_cast<uint8_t>(word / 2);
        word++;
      }
      output->start_i = start < 0 && (late ? word == 1 : word == needed && !output->write_i);
      output->beats_i = static_cast<uint16_t>(beats);
      if (output->start_i) start = output.cycle;
      output->out_ready_i = random.chance(eager);
      output.settle();
      if (start < 0) bench::equal("out_valid_o", output->out_valid_o, 0, output.cycle);
      if (start < 0 || output.cycle == start)
        bench::equal("free_o", output->free_o, 1, output.cycle);
      if (start >= 0 && output.cycle > start)
        bench::equal("free_o", output->free_o, 0, output.cycle);
      if (start >= 0 && output.cycle - start < kLatency)
        bench::equal("out_valid_o", output->out_valid_o, 0, output.cycle);
      if (start >= 0 && output.cycle - start == kLatency)
        bench::equal("out_valid_o", output->out_valid_o, 1, output.cycle);
      // nothing pauses by itself
      if (start >= 0 && output.cycle - start >= kLatency)
        bench::equal("out_valid_o", output->out_valid_o, 1, output.cycle);
      if (stalled) {
        bench::equal("out_data_o, held", static_cast<int64_t>(output->out_data_o),
                     static_cast<int64_t>(data), output.cycle);
        bench::equal("out_last_o, held", output->out_last_o, last, output.cycle);
      }
      data = output->out_data_o;
      last = output->out_last_o;
      stalled = output->out_valid_o && !output->out_ready_i;
      if (output->out_valid_o && output->out_ready_i) {
        for (int b = 0; b < 8; b++)
          bench::equal("a byte", static_cast<int64_t>(data >> (8 * b) & 0xff),
                       bytes[static_cast<size_t>(8 * beat + b)], output.cycle);
        bench::equal("out_last_o", last, beat == beats - 1, output.cycle);
        beat++;
      }
      output.rise();
    }
    output->start_i = 0;
    output->write_i = 0;
    for (int i = random.below(4); i >= 0; i--) {
      output.settle();
      bench::equal("free_o", output->free_o, 1, output.cycle);
      bench::equal("out_valid_o", output->out_valid_o, 0, output.cycle);
      output.rise();
    }
  }
}

}  // namespace

ESPL_BENCH(espl_output) {
  run<Vespl_output_8>(random, 8, 16);
  run<Vespl_output_16>(random, 16, 10);
}
