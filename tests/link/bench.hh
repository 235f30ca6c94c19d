// What the benches of rtl/link share: a clock, random numbers, mismatches.
// SPDX-License-Identifier: Apache-2.0
//
// A bench is a function that drives one Verilated module and compares it with plain C++ or
// with the driver's C; link_rtl_test runs one by its name, with a seed.
#ifndef ESPL_TESTS_LINK_BENCH_H
#define ESPL_TESTS_LINK_BENCH_H

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "verilated.h"

namespace bench {

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

 private:
  uint64_t state_;
};

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

using function = void (*)(generator &random);

struct entry {
  entry(const char *name, function run);
  const char *name;
  function run;
  entry *next;
};

}  // namespace bench

#define ESPL_BENCH(name)                                    \
  static void name##_run(bench::generator &random);         \
  static const bench::entry name##_entry(#name, name##_run); \
  static void name##_run(bench::generator &random)

#endif
