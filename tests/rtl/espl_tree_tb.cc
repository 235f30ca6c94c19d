// espl_tree against a loop: sums, and one of the vectors let through.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_tree_1.h"
#include "Vespl_tree_16.h"
#include "Vespl_tree_2.h"
#include "Vespl_tree_8.h"
#ifdef ESPL_HAVE_ECP5_CELLS
#include "Vespl_tree_4_ecp5.h"
#endif
#include "bench.hh"

namespace {

constexpr int kAccBits = 24;
constexpr int kCount = 3;

struct totals {
  uint64_t number[kCount];
};

// requires: inputs is a power of two; a stage of the tree halves the terms, and one is the least
template <class Dut>
void run(bench::generator &random, int inputs) {
  int stages = 0;
  while (1 << stages < inputs) stages++;
  if (!stages) stages = 1;
  bench::clocked<Dut> tree;
  bench::delay<totals> inside(stages);

  for (int i = 0; i < 5000; i++) {
    totals sum{};
    const bool pass = random.chance(30);
    const int index = random.below(inputs);
    tree->pass_i = pass;
    tree->index_i = static_cast<uint8_t>(index);
    for (int n = 0; n < inputs; n++)
      for (int c = 0; c < kCount; c++) {
        const uint64_t term = random.edge(kAccBits);
        bench::put(tree->terms_i, (n * kCount + c) * kAccBits, kAccBits, term);
        if (pass && n != index) continue;
        sum.number[c] = (sum.number[c] + term) & ((1 << kAccBits) - 1);
      }
    inside.push(sum);
    tree.tick();
    if (!inside.ready()) continue;
    for (int c = 0; c < kCount; c++)
      bench::equal("a sum", static_cast<int64_t>(bench::get(tree->sum_o, c * kAccBits, kAccBits)),
                   static_cast<int64_t>(inside.now().number[c]), tree.cycle);
  }
}

}  // namespace

ESPL_BENCH(espl_tree) {
  run<Vespl_tree_1>(random, 1);
  run<Vespl_tree_2>(random, 2);
  run<Vespl_tree_8>(random, 8);
  run<Vespl_tree_16>(random, 16);
#ifdef ESPL_HAVE_ECP5_CELLS
  run<Vespl_tree_4_ecp5>(random, 4);
#endif
}
