// espl_link_send against host/frame.c: what is due goes out, and the driver can read it.
// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include "Vespl_link_send.h"
#include "bench.hh"
extern "C" {
#include "host/frame.h"
}

ESPL_BENCH(espl_link_send) {
  bench::clocked<Vespl_link_send> send;
  std::vector<uint8_t> wire;
  uint8_t read = 0;
  uint8_t slots[8][64];
  uint32_t status[8];
  int infos = 0, outputs = 0, answers = 0;

  send->info_i = 0;
  send->answer_i = 0;
  send->pending_i = 0;
  send->ready_i = 0;
  send.reset();
  for (int i = 0; i < 3000; i++) {
    const bool info = random.chance(30), pending = random.chance(50), answer = !info && !pending;
    const uint8_t next = static_cast<uint8_t>(random.bits(8));
    const int zeros = random.below(101);

    for (uint8_t &byte : slots[next & 7]) byte = static_cast<uint8_t>(random.chance(zeros) ? 0 : random.bits(8));
    slots[next & 7][0] = static_cast<uint8_t>((random.bits(1) << 7) | (1 + random.below(7)));
    for (uint32_t &word : status) word = static_cast<uint32_t>(random.chance(zeros) ? 0 : random.bits(32));
    send->flags_i = static_cast<uint8_t>(random.bits(5));
    send->expected_i = static_cast<uint8_t>(random.bits(8));
    send->tag_i = static_cast<uint8_t>(random.bits(8));
    send->session_i = static_cast<uint8_t>(random.bits(8));
    send->busy_i = static_cast<uint8_t>(random.bits(1));
    send->bad_frames_i = static_cast<uint16_t>(random.bits(16));
    send->program_crc_i = static_cast<uint32_t>(random.bits(32));
    send->info_i = info;
    send->answer_i = answer;
    send->next_i = next;
    if (info) {
      send.tick();
      send->info_i = 0;
    }
    send->pending_i = pending;
    bool pends = pending;
    const int frames = 1 + (info && pending);
    for (int f = 0; f < frames; f++) {
      espl_frame frame;
      wire.clear();
      for (long limit = send.cycle + 100000;; ) {
        if (send.cycle > limit) bench::fail("frame %d does not end", i);
        send->ready_i = random.chance(10);
        // as the memory does, two cycles after the address, and the engine, one
        const uint8_t address = send->status_address_o, slot = send->slot_o, index = send->index_o;
        send.settle();
        const bool took = send->take_o;
        const bool sent = send->valid_o && send->ready_i;
        if (sent) wire.push_back(send->data_o);
        send.rise();
        send->data_i = read;
        read = slots[slot][index];
        send->status_data_i = status[address];
        send->info_i = 0;
        send->answer_i = 0;
        if (took) {
          if (!pends) bench::fail("cycle %ld: took what was not pending", send.cycle);
          pends = false;
          send->pending_i = 0;
        }
        if (sent && !wire.back()) break;
      }
      wire.pop_back();
      if (!espl_frame_decode(wire.data(), wire.size(), &frame)) bench::fail("frame %d cannot be read", i);
      bench::equal("flags", frame.flags >> 3, send->flags_i, send.cycle);
      bench::equal("acknowledge", frame.acknowledge, send->expected_i, send.cycle);
      const int type = frame.flags & 7;
      if (info && f == 0) {
        bench::equal("type", type, ESPL_FRAME_INFO, send.cycle);
        bench::equal("size", frame.size, 48, send.cycle);
        bench::equal("tag", frame.sequence, send->tag_i, send.cycle);
        uint32_t words[12];
        for (int w = 0; w < 12; w++) {
          words[w] = 0;
          for (int b = 0; b < 4; b++) words[w] |= static_cast<uint32_t>(frame.payload[4 * w + b]) << 8 * b;
        }
        bench::equal("protocol", words[0], 0x4c450001, send.cycle);
        bench::equal("clock", words[1], 25000000, send.cycle);
        bench::equal("crc", words[2], send->program_crc_i, send.cycle);
        bench::equal("session", words[3], send->session_i | send->busy_i << 8 | static_cast<uint32_t>(send->bad_frames_i) << 16, send.cycle);
        for (int w = 0; w < 8; w++) bench::equal("status", words[4 + w], status[w], send.cycle);
        infos++;
      } else if (pending) {
        const uint8_t *slot = slots[next & 7];
        bench::equal("type", type, ESPL_FRAME_OUTPUT | slot[0] >> 7, send.cycle);
        bench::equal("sequence", frame.sequence, next, send.cycle);
        bench::equal("size", frame.size, 8 * (slot[0] & 7), send.cycle);
        for (int b = 0; b < frame.size; b++) bench::equal("payload", frame.payload[b], slot[8 + b], send.cycle);
        outputs++;
      } else {
        bench::equal("type", type, ESPL_FRAME_ANSWER, send.cycle);
        bench::equal("size", frame.size, 0, send.cycle);
        answers++;
      }
    }
    for (int idle = 0; idle < 30; idle++) {
      send->ready_i = 1;
      send.tick();
      if (send->valid_o) bench::fail("cycle %ld: a frame that was not due", send.cycle);
    }
  }
  if (infos < 100 || outputs < 100 || answers < 100) bench::fail("%d, %d, %d frames", infos, outputs, answers);
}
