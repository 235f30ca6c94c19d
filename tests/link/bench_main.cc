// link_rtl_test: runs a bench by its name.
// SPDX-License-Identifier: Apache-2.0
//
// usage: link_rtl_test MODULE [SEED]

#include <cstring>

#include "bench.hh"

namespace {
bench::entry *entries = nullptr;
}

bench::entry::entry(const char *name_, function run_) : name(name_), run(run_), next(entries) {
  entries = this;
}

double sc_time_stamp() { return 0; }

int main(int argc, char **argv) {
  const uint32_t seed = argc > 2 ? static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 0)) : 1;
  for (const bench::entry *e = argc > 1 ? entries : nullptr; e; e = e->next) {
    if (std::strcmp(e->name, argv[1]) != 0) continue;
    std::printf("%s, seed %u\n", e->name, seed);
    std::fflush(stdout);
    bench::generator random(seed);
    e->run(random);
    std::printf("equal\n");
    return 0;
  }
  std::fprintf(stderr, "usage: link_rtl_test MODULE [SEED], MODULE one of");
  for (const bench::entry *e = entries; e; e = e->next) std::fprintf(stderr, " %s", e->name);
  std::fprintf(stderr, "\n");
  return 2;
}
