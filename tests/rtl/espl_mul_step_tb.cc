// espl_mul_step against multiplication in 64 bits, in all its forms.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_mul_step_1.h"
#include "Vespl_mul_step_2.h"
#ifdef ESPL_HAVE_ECP5_CELLS
#include "Vespl_mul_step_1_ecp5.h"
#include "Vespl_mul_step_2_ecp5.h"
#endif
#include "bench.hh"

namespace {

constexpr int kLatency = 4;

template <class Dut>
void run(bench::generator &random, int products_tried) {
  bench::clocked<Dut> step;
  bench::delay<int64_t> products(kLatency);

  for (int i = 0; i < products_tried; i++) {
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

}  // namespace

ESPL_BENCH(espl_mul_step) {
  run<Vespl_mul_step_1>(random, 1000000);
  run<Vespl_mul_step_2>(random, 1000000);
#ifdef ESPL_HAVE_ECP5_CELLS
  run<Vespl_mul_step_1_ecp5>(random, 100000);
  run<Vespl_mul_step_2_ecp5>(random, 100000);
#endif
}
