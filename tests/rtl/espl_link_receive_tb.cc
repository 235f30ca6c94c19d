// espl_link_receive against the rules of docs/protocol.md, frame by frame.
// SPDX-License-Identifier: Apache-2.0

#include "Vespl_link_receive.h"
#include "bench.hh"
extern "C" {
#include "host/frame.h"
}

ESPL_BENCH(espl_link_receive) {
  bench::clocked<Vespl_link_receive> dut;
  uint8_t expected = 0, session = 0;
  bool open = false, gap = false, full = false, stored = false;
  int bad = 0, accepted = 0, sessions = 0;

  dut->byte_valid_i = 0;
  dut->done_i = 0;
  dut->room_i = 1;
  dut.reset();
  for (int i = 0; i < 20000; i++) {
    const int kind = random.below(100);
    const bool damaged = random.chance(10);
    uint8_t type = static_cast<uint8_t>(kind < 3 ? 0 : kind < 6 ? 1 : kind < 15 ? 2 : kind < 20 ? 3 : 4 + random.below(4));
    uint8_t header[4];
    const int beats = random.below(31);
    int size = 8 * beats + 8;  // of the body

    header[0] = static_cast<uint8_t>(type | random.bits(5) << 3);
    header[1] = type < 2 ? static_cast<uint8_t>(random.below(4)) : static_cast<uint8_t>(expected + (random.chance(60) ? 0 : random.below(20) - 10));
    header[2] = static_cast<uint8_t>(random.bits(8));
    header[3] = static_cast<uint8_t>(8 * beats);
    if (random.chance(5)) size += 1 + random.below(6);       // a length that lies
    if (random.chance(3)) header[3] = static_cast<uint8_t>(header[3] + 4), size += 4;  // no whole beats
    const bool fits = size == header[3] + 8 && header[3] % 8 == 0;

    dut->room_i = random.chance(70);
    for (int b = 0; b < 4; b++) {
      dut->byte_valid_i = 1;
      dut->index_i = static_cast<uint8_t>(b);
      dut->byte_i = header[b];
      dut.settle();
      if (b == 0) stored = dut->room_i;
      // an answer tells that there is room again
      bench::equal("answer_o", dut->answer_o, full && dut->room_i, dut.cycle);
      if (full && dut->room_i) full = false;
      dut.rise();
      dut->byte_valid_i = 0;
    }
    dut->index_i = static_cast<uint8_t>(size);
    dut->done_i = 1;
    dut->good_i = !damaged;
    dut.settle();

    const bool good = fits && !damaged;
    const bool data = good && type >= 4, ours = data && open && header[1] == expected;
    const bool commit = ours && stored, restart = good && type == 0 && !(open && header[1] == session);
    bench::equal("commit_o", dut->commit_o, commit, dut.cycle);
    bench::equal("restart_o", dut->restart_o, restart, dut.cycle);
    bench::equal("info_o", dut->info_o, good && type < 2, dut.cycle);
    bench::equal("answer_o", dut->answer_o, !(good && (type < 2 || type == 3)), dut.cycle);
    bench::equal("confirm_o", dut->confirm_o, good && open && type >= 2, dut.cycle);
    if (dut->confirm_o) {
      bench::equal("confirmed_o", dut->confirmed_o, header[2], dut.cycle);
      bench::equal("resend_o", dut->resend_o, header[0] >> 5 & 1, dut.cycle);
    }
    dut.rise();
    dut->done_i = 0;
    if (restart) {
      open = true;
      session = header[1];
      expected = 0;
      gap = full = false;
      sessions++;
    } else if (commit) {
      expected++;
      gap = full = false;
      accepted++;
    } else {
      const bool early = data && static_cast<uint8_t>(header[1] - expected) < 128;
      if (!good || early) gap = true;
      if (ours)
        full = true;
      else if (dut->room_i)
        full = false;
      bad += !good;
    }
    bench::equal("open_o", dut->open_o, open, dut.cycle);
    bench::equal("expected_o", dut->expected_o, expected, dut.cycle);
    bench::equal("gap_o", dut->gap_o, gap, dut.cycle);
    bench::equal("full_o", dut->full_o, full, dut.cycle);
    bench::equal("bad_frames_o", dut->bad_frames_o, bad & 0xffff, dut.cycle);
    if (good) bench::equal("attempt_o", dut->attempt_o, header[0] >> 3 & 3, dut.cycle);
    if (good && type < 2) bench::equal("tag_o", dut->tag_o, header[1], dut.cycle);
    if (open) bench::equal("session_o", dut->session_o, session, dut.cycle);
  }
  if (accepted < 1000 || sessions < 50) bench::fail("only %d accepted, %d sessions", accepted, sessions);
}
