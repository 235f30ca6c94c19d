// espl_link_keep: packets become frames that stay until they are confirmed, and come again.
// SPDX-License-Identifier: Apache-2.0

#include <deque>
#include <vector>

#include "Vespl_link_keep.h"
#include "bench.hh"

ESPL_BENCH(espl_link_keep) {
  bench::clocked<Vespl_link_keep> keep;
  std::deque<std::vector<uint8_t>> kept;  // from `tail` on: {last, beats}, then the payload
  std::vector<uint8_t> filling;
  uint8_t tail = 0;  // the oldest that the model keeps
  uint64_t data = 0;
  bool offered = false, last = false;
  int frames = 0, resends = 0;

  keep->restart_i = 0;
  keep->tvalid_i = 0;
  keep->confirm_i = 0;
  keep->take_i = 0;
  keep.reset();
  auto tick = [&] {
    if (!offered && random.chance(60)) {
      offered = true;
      data = random.bits(64);
      last = random.chance(25);
    }
    keep->tvalid_i = offered;
    keep->tdata_i = data;
    keep->tlast_i = last;
    keep.settle();
    if (offered && keep->tready_o) {
      for (int b = 0; b < 8; b++) filling.push_back(static_cast<uint8_t>(data >> 8 * b));
      offered = false;
      if (last || filling.size() == 56) {
        filling.insert(filling.begin(), static_cast<uint8_t>(last << 7 | filling.size() / 8));
        kept.push_back(filling);
        filling.clear();
        if (kept.size() > 8) bench::fail("cycle %ld: more than 8 frames are kept", keep.cycle);
      }
    }
    keep.rise();
    keep->confirm_i = 0;
    keep->take_i = 0;
  };
  auto read = [&](uint8_t frame, int at) {
    keep->slot_i = frame & 7;
    keep->index_i = static_cast<uint8_t>(at);
    tick();
    tick();
    return keep->data_o;
  };
  uint8_t next = 0;
  for (int i = 0; i < 30000; i++) {
    tick();
    tick();
    const uint8_t ready = static_cast<uint8_t>(tail + kept.size());
    bench::equal("next_o", keep->next_o, next, keep.cycle);
    if (keep->pending_o && next == ready) bench::fail("cycle %ld: nothing is pending", keep.cycle);
    if (keep->pending_o && random.chance(40)) {
      const std::vector<uint8_t> &frame = kept[static_cast<uint8_t>(next - tail)];
      bench::equal("first byte", read(next, 0), frame[0], keep.cycle);
      for (size_t b = 1; b < frame.size(); b++)
        bench::equal("payload", read(next, static_cast<int>(7 + b)), frame[b], keep.cycle);
      keep->take_i = 1;
      tick();
      next++;
      frames++;
    } else if (random.chance(30)) {
      // the host has some of those that were sent; perhaps it asks for the next ones again
      const int sent = static_cast<uint8_t>(next - tail);
      const int more = random.chance(20) ? -1 - random.below(3) : random.below(sent + 1);
      const bool resend = random.chance(30);
      keep->confirm_i = 1;
      keep->resend_i = resend;
      keep->confirmed_i = static_cast<uint8_t>(tail + more);
      tick();
      if (more >= 0) {
        kept.erase(kept.begin(), kept.begin() + more);
        tail = static_cast<uint8_t>(tail + more);
        if (resend) next = tail, resends++;
      }
    }
    if (random.chance(1) && random.chance(10)) {
      keep->restart_i = 1;
      keep->tvalid_i = 0;
      keep.tick();
      keep->restart_i = 0;
      kept.clear();
      filling.clear();
      offered = false;
      tail = next = 0;
    }
  }
  if (frames < 2000 || resends < 300) bench::fail("only %d frames, %d resends", frames, resends);
}
