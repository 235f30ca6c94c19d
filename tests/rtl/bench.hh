// What the benches share: ports of any width, random numbers, pipelines, mismatches.
// SPDX-License-Identifier: Apache-2.0
//
// A bench is a function that drives one Verilated module and compares every
// output with plain C++; rtl_test runs one by its name, with a seed.
#ifndef ESPL_TESTS_RTL_BENCH_HH
#define ESPL_TESTS_RTL_BENCH_HH

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <type_traits>
#include <vector>

#include "verilated.h"

namespace bench {

// Runs that are exhaustive take samples under the sanitizers.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kQuick = true;
#else
constexpr bool kQuick = false;
#endif

class generator {
 public:
  explicit generator(uint32_t seed) : state_(seed * UINT64_C(0x9e3779b97f4a7c15) | 1) {}
  uint64_t bits(int count) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ * UINT64_C(0x2545f4914f6cdd1d)) >> (64 - count);
  }
  int below(int limit) { return static_cast<int>(bits(31) % static_cast<uint64_t>(limit)); }
  bool chance(int percent) { return below(100) < percent; }
  // A number of so many bits; one in four is at or next to an end, zero or the sign's change.
  uint64_t edge(int count) {
    const uint64_t all = count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
    const uint64_t ends[] = {0, 1, all, all - 1, all / 2, all / 2 + 1};
    return bits(2) ? bits(count) : ends[below(6)] & all;
  }

 private:
  uint64_t state_;
};

inline int64_t sign(uint64_t value, int bits) {
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

// Bits of a port, whatever type Verilator gave it.
template <typename Port>
uint64_t get(const Port &port, int at, int width) {
  uint64_t value = 0;
  if constexpr (std::is_integral_v<Port>) {
    value = static_cast<uint64_t>(port) >> at;
  } else {
    for (int i = 0; i < width; i++)
      value |= static_cast<uint64_t>(port[(at + i) / 32] >> ((at + i) % 32) & 1) << i;
  }
  return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

template <typename Port>
void put(Port &port, int at, int width, uint64_t value) {
  if constexpr (std::is_integral_v<Port>) {
    const uint64_t mask = (width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1) << at;
    port = static_cast<Port>((port & ~mask) | (value << at & mask));
  } else {
    for (int i = 0; i < width; i++) {
      const uint32_t bit = UINT32_C(1) << ((at + i) % 32);
      if (value >> i & 1)
        port[(at + i) / 32] |= bit;
      else
        port[(at + i) / 32] &= ~bit;
    }
  }
}

[[noreturn]] inline void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
inline void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::vfprintf(stderr, format, list);
  va_end(list);
  std::fputc('\n', stderr);
  std::exit(1);
}

inline void equal(const char *what, int64_t got, int64_t want, long cycle) {
  if (got != want)
    fail("cycle %ld: %s is %lld, must be %lld", cycle, what, static_cast<long long>(got),
         static_cast<long long>(want));
}

// A module and its clock. Inputs set before `tick` are taken at its rising edge.
template <class Dut>
struct clocked {
  VerilatedContext context;
  Dut dut{&context};
  long cycle = 0;

  Dut *operator->() { return &dut; }
  void settle() {
    dut.clk_i = 0;
    dut.eval();
  }
  void rise() {
    dut.clk_i = 1;
    dut.eval();
    cycle++;
  }
  void tick() {
    settle();
    rise();
  }
  void reset() {
    dut.rst_ni = 0;
    tick();
    dut.rst_ni = 1;
  }
  ~clocked() { dut.final(); }
};

// What went in, seen again `latency` edges later: push before an edge, `now` after it.
template <typename T>
class delay {
 public:
  explicit delay(int latency) : latency_(static_cast<size_t>(latency)) {}
  void push(const T &value) {
    line_.push_back(value);
    if (line_.size() > latency_) line_.pop_front();
  }
  bool ready() const { return line_.size() == latency_; }
  const T &now() const { return line_.front(); }
  const T &ago(size_t cycles) const { return line_[line_.size() - 1 - cycles]; }
  bool has(size_t cycles) const { return line_.size() > cycles; }

 private:
  size_t latency_;
  std::deque<T> line_;
};

using function = void (*)(generator &random);

struct entry {
  entry(const char *name, function run);
  const char *name;
  function run;
  entry *next;
};

}  // namespace bench

#define ESPL_BENCH(name)                                     \
  static void name##_run(bench::generator &random);          \
  static const bench::entry name##_entry(#name, name##_run); \
  static void name##_run(bench::generator &random)

#endif
