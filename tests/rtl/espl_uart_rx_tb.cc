// espl_uart_rx against a sender whose clock is as far off as the header allows; pauses, glitches,
// lost stop bits.
// SPDX-License-Identifier: Apache-2.0

#include <deque>

#include "Vespl_uart_rx_12.h"
#include "Vespl_uart_rx_25.h"
#include "bench.hh"

template <class Dut>
static void run(bench::generator &random, double clocks, double off) {
  bench::clocked<Dut> uart;
  uart->rx_i = 1;
  uart.reset();
  struct byte {
    uint8_t data;
    bool error;
  };
  std::deque<byte> sent;
  double now = static_cast<double>(uart.cycle);  // of the sender, in our clocks

  auto hold = [&](bool level, double time) {
    for (now += time; static_cast<double>(uart.cycle) < now;) {
      uart->rx_i = level;
      uart.tick();
      if (!uart->valid_o) continue;
      if (sent.empty()) bench::fail("cycle %ld: a byte that was not sent", uart.cycle);
      bench::equal("data_o", uart->data_o, sent.front().data, uart.cycle);
      bench::equal("error_o", uart->error_o, sent.front().error, uart.cycle);
      sent.pop_front();
    }
  };
  for (int i = 0; i < 4000; i++) {
    const uint8_t data = static_cast<uint8_t>(random.chance(20) ? (random.bits(1) ? 0xff : 0) : random.bits(8));
    const double bit = clocks * (1 + off * (random.below(2001) - 1000) / 1000);
    const bool broken = random.chance(3);

    sent.push_back({data, broken});
    hold(false, bit);
    for (int b = 0; b < 8; b++) hold(data >> b & 1, bit);
    hold(!broken, bit);
    if (!broken && random.chance(70)) continue;
    hold(true, clocks * (2 + random.below(20)));
    bench::equal("bytes missing", static_cast<int64_t>(sent.size()), 0, uart.cycle);
    if (random.chance(30)) {
      hold(false, clocks / 5);  // shorter than half a bit: nothing
      hold(true, 12 * clocks);
    }
  }
}

ESPL_BENCH(espl_uart_rx) {
  run<Vespl_uart_rx_12>(random, 4.0, 0.02);
  run<Vespl_uart_rx_25>(random, 25.0 / 3, 0.035);
}
