// espl_mul_step against multiplication in 64 bits.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_mul_step.h"
#include "bench.hh"

namespace {

constexpr int kLatency = 4;

}  // namespace

ESPL_BENCH(espl_mul_step) {
  bench::clocked<Vespl_mul_step> step;
  bench::delay<int64_t> products(kLatency);

  for (int i = 0; i < 1000000; i++) {
    const int64_t x = bench::sign(random.edge(24), 24);
    const int64_t m = static_cast<int64_t>(random.edge(28));
    step->x_i = static_cast<uint32_t>(x) & 0xffffff;
    step->m_i = static_cast<uint32_t>(m);
    products.push(x * m);
    step.tick();
    if (products.ready())
      bench::equal("product_o", bench::sign(step->product_o, 52), products.now(), step.cycle);
  }
}
