// espl_crc32c against host/crc32c.c: values, the residue, the way out byte by byte.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_crc32c.h"
#include "bench.hh"
extern "C" {
#include "host/crc32c.h"
}

namespace {

void put(bench::clocked<Vespl_crc32c> &crc, uint8_t byte, bool unload) {
  while (!crc->ready_o) crc.tick();
  crc->valid_i = 1;
  crc->data_i = byte;
  crc->unload_i = unload;
  crc.tick();
  crc->valid_i = 0;
  while (!crc->ready_o) crc.tick();
}

}  // namespace

ESPL_BENCH(espl_crc32c) {
  bench::clocked<Vespl_crc32c> crc;
  crc->clear_i = 0;
  crc->valid_i = 0;
  crc.reset();
  crc.settle();
  for (int i = 0; i < 500; i++) {
    uint8_t message[64];
    const int size = random.below(65);
    for (int b = 0; b < size; b++) put(crc, message[b] = static_cast<uint8_t>(random.bits(8)), false);
    const uint32_t value = espl_crc32c(0, message, static_cast<size_t>(size));
    bench::equal("crc_o", static_cast<uint32_t>(~crc->crc_o), value, crc.cycle);
    const bool out = random.bits(1), damaged = random.chance(30);
    for (int b = 0; b < 4; b++) {
      if (out) bench::equal("byte of crc_o", ~crc->crc_o & 0xff, value >> 8 * b & 0xff, crc.cycle);
      put(crc, static_cast<uint8_t>((value >> 8 * b) ^ (damaged && b == 2 ? 0x10 : 0)), out);
    }
    if (!out) bench::equal("good_o", crc->good_o, !damaged, crc.cycle);
    crc->clear_i = 1;
    crc.tick();
    crc->clear_i = 0;
  }
}
