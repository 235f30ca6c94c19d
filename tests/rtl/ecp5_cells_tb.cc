// The models of DP16KD and MULT18X18D (rtl/ecp5/cells) against arrays of bits and 64-bit products.
// SPDX-License-Identifier: Apache-2.0

#include <array>

#include "Vecp5_cells.h"
#include "bench.hh"

namespace {

constexpr int kModes = 3, kWidths = 5, kPairs = kModes * kWidths * kWidths,
              kRams = kPairs + kWidths + 2;
constexpr int kMultipliers = 4;
constexpr int kWidth[] = {1, 2, 4, 9, 18};

enum mode { kNormal, kWriteThrough, kReadBeforeWrite };

// 1024 * 18 bits, as a port of a width sees them.
struct memory {
  std::array<bool, 1024 * 18> bits{};

  // The place of bit b of the word at a 14-bit address; the low bits below a width are no address.
  static int at(int width, int address, int b) {
    if (width >= 9) return (address >> (width == 9 ? 3 : width == 18 ? 4 : 5)) * width + b;
    const int index = address - address % width + b;
    return index / 8 * 9 + index % 8;
  }
  uint64_t read(int width, int address) const {
    uint64_t word = 0;
    for (int b = 0; b < width; b++)
      word |= static_cast<uint64_t>(bits[static_cast<size_t>(at(width, address, b))]) << b;
    return word;
  }
  // From 18 bits on the lowest address bits enable bytes of nine.
  void write(int width, int address, uint64_t data) {
    for (int b = 0; b < width; b++)
      if (width < 18 || address >> (b / 9) & 1)
        bits[static_cast<size_t>(at(width, address, b))] = data >> b & 1;
  }
};

struct port {
  bool enable, write, reset;
  int address;
  uint64_t data;
};

struct ram {
  memory words;
  int width_a, width_b, mode;
  bool registered;
  uint64_t out_a = 0, out_b = 0, late_b = 0;

  static void read(uint64_t &out, const port &p, int width, int mode, const memory &before,
                   const memory &after) {
    if (p.reset)
      out = 0;
    else if (p.enable && (!p.write || mode != kNormal))
      out = (p.write && mode == kWriteThrough ? after : before).read(width, p.address);
  }
  void edge(const port &a, port b) {
    const memory before = words;
    memory mine = before;
    if (width_a == 36) b.write = false;
    if (a.enable && a.write && !a.reset) {
      words.write(width_a, a.address, width_a == 36 ? a.data | b.data << 18 : a.data);
    }
    memory after_a = words;
    if (b.enable && b.write && !b.reset) {
      words.write(width_b, b.address, b.data);
      mine.write(width_b, b.address, b.data);
    }
    late_b = b.reset ? 0 : out_b;
    if (registered) b.reset = false;
    if (width_a != 36) read(out_a, a, width_a, mode, before, after_a);
    read(out_b, b, width_b, mode, before, mine);
  }
};

void rams(bench::generator &random, bench::clocked<Vecp5_cells> &cells) {
  std::vector<ram> all(kRams);
  for (int i = 0; i < kRams; i++) {
    ram &r = all[static_cast<size_t>(i)];
    const bool wide = i >= kPairs;
    r.width_a = wide ? 36 : kWidth[i / kWidths % kWidths];
    r.width_b = wide ? (i - kPairs < kWidths ? kWidth[i - kPairs] : 36) : kWidth[i % kWidths];
    r.mode = wide ? kNormal : i / kWidths / kWidths;
    r.registered = i == kRams - 1;
    if (wide)
      for (int b = 0; b < 36; b++)
        r.words.bits[static_cast<size_t>(b)] = (b < 18 ? 0x12345 >> b : 0x3ffff >> (b - 18)) & 1;
  }
  for (int i = 0; i < (bench::kQuick ? 300 : 3000); i++) {
    // few addresses, so that reads find what was written; both ports write to different halves
    port a{random.chance(80), random.chance(50), random.chance(3), static_cast<int>(random.bits(7)),
           random.bits(18)};
    port b{random.chance(80), random.chance(50), random.chance(3), static_cast<int>(random.bits(7)),
           random.bits(18)};
    if (i < 2) a.write = b.write = a.reset = b.reset = false;
    if (i < 2) a.address = b.address = 0;
    if (a.write && b.write && a.address >> 5 == b.address >> 5) b.write = false;
    cells->enable_a = a.enable;
    cells->enable_b = b.enable;
    cells->write_a = a.write;
    cells->write_b = b.write;
    cells->reset_a = a.reset;
    cells->reset_b = b.reset;
    cells->address_a = static_cast<uint16_t>(a.address);
    cells->address_b = static_cast<uint16_t>(b.address);
    cells->data_a = static_cast<uint32_t>(a.data);
    cells->data_b = static_cast<uint32_t>(b.data);
    cells.tick();
    for (int k = 0; k < kRams; k++) {
      ram &r = all[static_cast<size_t>(k)];
      r.edge(a, b);
      const uint64_t out_a = bench::get(cells->out_a, 18 * k, 18),
                     out_b = bench::get(cells->out_b, 18 * k, 18);
      if (r.width_b == 36) {
        bench::equal("36 bits", static_cast<int64_t>(out_a | out_b << 18),
                     static_cast<int64_t>(r.registered ? r.late_b : r.out_b), cells.cycle);
        continue;
      }
      if (r.width_a != 36)
        bench::equal("port A", static_cast<int64_t>(out_a), static_cast<int64_t>(r.out_a),
                     cells.cycle);
      bench::equal("port B", static_cast<int64_t>(out_b), static_cast<int64_t>(r.out_b),
                   cells.cycle);
    }
  }
}

void multipliers(bench::generator &random, bench::clocked<Vecp5_cells> &cells) {
  struct stage {
    int64_t a = 0, b = 0, pipeline = 0, product = 0;
  } state[kMultipliers];
  const int64_t mask = (INT64_C(1) << 36) - 1;

  for (int i = 0; i < 20000; i++) {
    const bool signed_a = random.chance(50), signed_b = random.chance(50);
    const uint64_t a = random.edge(18), b = random.edge(18);
    const int64_t x = signed_a ? bench::sign(a, 18) : static_cast<int64_t>(a);
    const int64_t y = signed_b ? bench::sign(b, 18) : static_cast<int64_t>(b);
    const bool enable = random.chance(90), reset = i == 0 || random.chance(2);
    cells->factor_a = static_cast<uint32_t>(a);
    cells->factor_b = static_cast<uint32_t>(b);
    cells->signed_a = signed_a;
    cells->signed_b = signed_b;
    cells->enable_m = enable;
    cells->reset_m = reset;
    cells.tick();
    for (int k = 0; k < kMultipliers; k++) {
      stage &s = state[k];
      const stage old = s;
      if (reset) {
        s = stage{};
      } else if (enable) {
        s.a = x;
        s.b = y;
        s.pipeline = old.a * old.b;
        s.product = k == 3 ? old.pipeline : old.a * old.b;
      }
      const int64_t want = k == 0 ? x * y : k == 1 ? s.a * s.b : s.product;
      bench::equal("a product", static_cast<int64_t>(bench::get(cells->product, 36 * k, 36)),
                   want & mask, cells.cycle);
    }
  }
}

}  // namespace

ESPL_BENCH(ecp5_cells) {
  bench::clocked<Vecp5_cells> cells;
  rams(random, cells);
  cells->enable_a = cells->enable_b = 0;
  multipliers(random, cells);
}
