// espl_deframe against host/frame.c: frames whole and damaged, garbage in between.
// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include "Vespl_deframe.h"
#include "bench.hh"
extern "C" {
#include "host/crc32c.h"
#include "host/frame.h"
}

namespace {

struct harness {
  bench::clocked<Vespl_deframe> dut;
  std::vector<uint8_t> body;
  int ended = 0;
  bool good = false;

  void look() {
    if (dut->byte_valid_o) {
      bench::equal("index_o", dut->index_o, static_cast<int64_t>(body.size()) & 255, dut.cycle);
      body.push_back(dut->byte_o);
    }
    if (dut->done_o) {
      ended++;
      good = dut->good_o;
    }
  }
  void put(bench::generator &random, uint8_t byte, bool error = false) {
    dut->in_valid_i = 1;
    dut->in_error_i = error;
    dut->in_data_i = byte;
    dut.tick();
    dut->in_valid_i = 0;
    look();
    for (int i = 11 + random.below(4); i; i--) {
      dut.tick();
      look();
    }
  }
  void begin() {
    body.clear();
    ended = 0;
  }
};

// What a frame's bytes mean, by the definition: false when they mean nothing.
bool decode(const std::vector<uint8_t> &wire, std::vector<uint8_t> &body) {
  size_t at = 0;
  while (at < wire.size()) {
    const size_t code = wire[at];
    if (at + code > wire.size()) return false;
    if (at) body.push_back(0);
    body.insert(body.end(), wire.begin() + static_cast<long>(at) + 1, wire.begin() + static_cast<long>(at + code));
    at += code;
  }
  if (body.size() < 4 || body.size() > 254) return false;
  uint32_t crc = 0;
  for (int i = 0; i < 4; i++) crc |= static_cast<uint32_t>(body[body.size() - 4 + static_cast<size_t>(i)]) << 8 * i;
  return espl_crc32c(0, body.data(), body.size() - 4) == crc;
}

}  // namespace

ESPL_BENCH(espl_deframe) {
  harness h;
  h.dut->in_valid_i = 0;
  h.dut.reset();
  for (int i = 0; i < 3000; i++) {
    espl_frame frame = {};
    uint8_t wire[ESPL_FRAME_WIRE];
    frame.flags = static_cast<uint8_t>(random.bits(8));
    frame.sequence = static_cast<uint8_t>(random.bits(8));
    frame.acknowledge = static_cast<uint8_t>(random.bits(8));
    frame.size = static_cast<uint8_t>(random.chance(10) ? ESPL_FRAME_PAYLOAD : random.below(ESPL_FRAME_PAYLOAD + 1));
    const int zeros = random.below(101);
    for (int b = 0; b < frame.size; b++)
      frame.payload[b] = static_cast<uint8_t>(random.chance(zeros) ? 0 : random.bits(8));
    const size_t size = espl_frame_encode(&frame, wire);
    std::vector<uint8_t> bytes(wire + 1, wire + size - 1);  // between the delimiters
    const int kind = random.below(8);
    bool error = false;
    if (kind == 1) bytes[static_cast<size_t>(random.below(static_cast<int>(bytes.size())))] ^= static_cast<uint8_t>(1 << random.below(8));
    if (kind == 2) bytes.erase(bytes.begin() + random.below(static_cast<int>(bytes.size())));
    if (kind == 3) {
      const int at = random.below(static_cast<int>(bytes.size()));
      bytes.insert(bytes.begin() + at, bytes[static_cast<size_t>(at)]);
    }
    if (kind == 4) bytes.resize(static_cast<size_t>(random.below(static_cast<int>(bytes.size()))));
    if (kind == 5) error = true;
    if (kind == 6)
      for (int b = random.below(600); b; b--) bytes.push_back(static_cast<uint8_t>(1 + random.below(255)));

    // a byte that became a delimiter makes two frames: look at the last one
    std::vector<uint8_t> last;
    for (uint8_t byte : bytes) {
      if (byte)
        last.push_back(byte);
      else
        last.clear();
    }
    h.begin();
    const size_t strike = static_cast<size_t>(random.below(static_cast<int>(bytes.size()) + 1));
    for (size_t b = 0; b < bytes.size(); b++) {
      h.put(random, bytes[b], error && b == strike);
      if (!bytes[b]) h.begin();
    }
    h.put(random, 0, error && strike == bytes.size());
    std::vector<uint8_t> body;
    const bool good = decode(last, body) && !error;
    bench::equal("done_o", h.ended, !last.empty(), h.dut.cycle);
    if (!h.ended) continue;
    bench::equal("good_o", h.good, good, h.dut.cycle);
    if (good && h.body != body) bench::fail("frame %d: the body differs", i);
    if (random.chance(20)) {  // an idle line's delimiters are no frames
      h.begin();
      h.put(random, 0);
      bench::equal("done_o of nothing", h.ended, 0, h.dut.cycle);
    }
  }
}
