// espl_uart_tx: every edge within a clock of where it belongs, no pause between bytes.
// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include "Vespl_uart_tx_12.h"
#include "Vespl_uart_tx_25.h"
#include "bench.hh"

template <class Dut>
static void run(bench::generator &random, double clocks) {
  bench::clocked<Dut> uart;
  uart->valid_i = 0;
  uart.reset();
  for (int burst = 0; burst < 300; burst++) {
    const int count = 1 + random.below(20);
    long start = 0;

    for (int i = 0; i < count; i++) {
      const uint8_t sent = static_cast<uint8_t>(random.bits(8));
      uart->valid_i = 1;
      uart->data_i = sent;
      uart.settle();
      while (!uart->ready_o) {
        uart.rise();
        uart.settle();
      }
      uart.rise();
      if (i == 0) start = uart.cycle;
      uart->valid_i = 0;
      // sample each bit in its middle, counted from the burst's first edge
      for (int b = 0; b < 10; b++) {
        const long middle = start + std::lround((10 * i + b + 0.5) * clocks);
        const bool want = b == 0 ? false : b == 9 ? true : (sent >> (b - 1) & 1);
        while (uart.cycle < middle) {
          if (b == 9 && i + 1 < count) break;  // the next byte must be offered by then
          uart.tick();
        }
        if (b < 9) bench::equal("tx_o", uart->tx_o, want, uart.cycle);
      }
    }
    for (int i = random.below(40) + 20; i; i--) uart.tick();
    bench::equal("idle", uart->tx_o, 1, uart.cycle);
  }
}

ESPL_BENCH(espl_uart_tx) {
  run<Vespl_uart_tx_12>(random, 4.0);
  run<Vespl_uart_tx_25>(random, 25.0 / 3);
}
