// espl_link_feed: frames that are kept leave as beats, once, in order; the program's checksum.
// SPDX-License-Identifier: Apache-2.0

#include <deque>
#include <vector>

#include "Vespl_link_feed.h"
#include "bench.hh"
extern "C" {
#include "host/crc32c.h"
}

ESPL_BENCH(espl_link_feed) {
  struct beat {
    uint64_t data;
    bool last;
  };
  bench::clocked<Vespl_link_feed> feed;
  std::deque<beat> expected;
  uint32_t crc = 0;
  int kept = 0, refused = 0;
  bool stuck = false;

  feed->restart_i = 0;
  feed->write_i = 0;
  feed->commit_i = 0;
  feed->tready_i = 0;
  feed.reset();
  auto tick = [&] {
    feed->tready_i = !stuck && random.chance(50);
    feed.settle();
    if (feed->tvalid_o && feed->tready_i) {
      if (expected.empty()) bench::fail("cycle %ld: a beat too many", feed.cycle);
      bench::equal("tdata_o", static_cast<int64_t>(feed->tdata_o), static_cast<int64_t>(expected.front().data), feed.cycle);
      bench::equal("tlast_o", feed->tlast_o, expected.front().last, feed.cycle);
      expected.pop_front();
    }
    feed.rise();
  };
  for (int i = 0; i < 2000; i++) {
    const int beats = random.below(31);
    const bool last = random.bits(1), program = random.bits(1), begin = random.chance(20);
    std::vector<uint8_t> body = {static_cast<uint8_t>(4 | last | program << 1 | begin << 6),
                                 static_cast<uint8_t>(random.bits(8)), static_cast<uint8_t>(random.bits(8)),
                                 static_cast<uint8_t>(8 * beats)};
    for (int b = 0; b < 8 * beats + 4; b++) body.push_back(static_cast<uint8_t>(random.bits(8)));
    const bool room = feed->room_o, good = random.chance(80);
    stuck = random.chance(30);
    for (size_t b = 0; b < body.size(); b++) {
      feed->write_i = 1;
      feed->index_i = static_cast<uint8_t>(b);
      feed->data_i = body[b];
      tick();
      feed->write_i = 0;
      for (int gap = random.below(12); gap; gap--) tick();
    }
    if (!room) refused++;
    if (!room || !good) continue;
    kept++;
    if (program && begin) crc = 0;
    if (program) crc = espl_crc32c(crc, body.data() + 4, static_cast<size_t>(8 * beats));
    for (int b = 0; b < beats; b++) {
      uint64_t data = 0;
      for (int k = 0; k < 8; k++) data |= static_cast<uint64_t>(body[static_cast<size_t>(4 + 8 * b + k)]) << 8 * k;
      expected.push_back({data, last && b == beats - 1});
    }
    feed->commit_i = 1;
    tick();
    feed->commit_i = 0;
    if (random.chance(40)) {
      stuck = false;
      for (int k = 0; k < 8000 && feed->busy_o; k++) tick();
      for (int k = 0; k < 10; k++) tick();
      bench::equal("busy_o", feed->busy_o, 0, feed.cycle);
      bench::equal("beats left", static_cast<int64_t>(expected.size()), 0, feed.cycle);
      bench::equal("crc_o", feed->crc_o, crc, feed.cycle);
    }
    if (random.chance(2)) {
      feed->restart_i = 1;
      tick();
      feed->restart_i = 0;
      expected.clear();
      // what was left of a program never left: begin anew
      for (int k = 0; k < 20; k++) tick();
      crc = feed->crc_o;
      bench::equal("room_o", feed->room_o, 1, feed.cycle);
    }
  }
  if (kept < 500 || refused < 50) bench::fail("only %d kept, %d refused", kept, refused);
}
