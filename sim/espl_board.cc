// A Verilated board as a C library: bytes on its UART pins, and what may happen to them.
// SPDX-License-Identifier: Apache-2.0
//
// Compiled with the top's class in ESPL_TOP: sim/espl_board_sim.sv, or a bench with the same
// four pins.

#include "espl_board.h"

#define ESPL_STRING_(x) #x
#define ESPL_STRING(x) ESPL_STRING_(x)
#include ESPL_STRING(ESPL_TOP.h)
#include "verilated.h"

#include <algorithm>
#include <deque>
#include <memory>

namespace {

constexpr int kClocks = ESPL_BOARD_CLOCKS;
constexpr int kFrame = 10 * kClocks;  // cycles of a byte

struct random {
  uint32_t state = 1;

  uint32_t next() {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  }
  bool happens(uint32_t in_a_million) { return in_a_million && next() % 1000000 < in_a_million; }
  uint32_t up_to(uint32_t most) { return 1 + next() % most; }
};

// One direction of the line: bytes pass, or what the faults make of them.
struct direction {
  random dice;
  espl_board_faults how{};
  std::deque<uint8_t> queue, history;
  uint32_t losing = 0;    // bytes to lose
  uint64_t resting = 0;   // cycles in which nothing moves
  bool reset = false;     // the board is to be reset

  void pass(uint8_t byte) {
    if (losing) {
      losing--;
      return;
    }
    if (dice.happens(how.drop)) return;
    if (dice.happens(how.truncate)) losing = dice.up_to(300);
    if (dice.happens(how.stall)) resting = dice.up_to(2000) * kFrame;
    if (dice.happens(how.reset)) reset = true;
    if (dice.happens(how.garbage))
      for (uint32_t n = dice.up_to(100); n; n--) queue.push_back(static_cast<uint8_t>(dice.next() >> 11));
    queue.push_back(byte);
    if (!how.duplicate) return;
    history.push_back(byte);
    if (history.size() > 600) history.pop_front();
    if (dice.happens(how.duplicate)) {
      const size_t n = std::min<size_t>(history.size(), dice.up_to(600));
      queue.insert(queue.end(), history.end() - n, history.end());
    }
  }
};

}  // namespace

struct espl_board {
  VerilatedContext context;
  std::unique_ptr<ESPL_TOP> top;
  uint64_t cycle = 0, active = 0;
  direction to, from;
  std::deque<uint8_t> waiting;             // to the board, before the faults
  int to_left = 0, from_left = 0;          // cycles of the byte on the line
  uint16_t to_bits = 0, from_bits = 0;
  bool to_flip = false, from_flip = false; // in this bit's time
  bool from_line = true;                   // a cycle ago

  void tick() {
    top->clk_i = 0;
    top->eval();
    top->clk_i = 1;
    top->eval();
    cycle++;
  }

  void reset() {
    top->rst_ni = 0;
    for (int i = 0; i < 4; i++) tick();
    top->rst_ni = 1;
    to.reset = from.reset = false;
  }

  // The level of the line to the board.
  bool drive() {
    if (!to_left) {
      if (to.resting) {
        to.resting--;
        return true;
      }
      if (to.queue.empty() && !waiting.empty()) {
        to.pass(waiting.front());
        waiting.pop_front();
      }
      if (to.queue.empty()) return true;
      to_bits = static_cast<uint16_t>(to.queue.front() << 1 | 1 << 9);
      to.queue.pop_front();
      to_left = kFrame;
      active = cycle;
    }
    const bool level = to_bits >> (kFrame - to_left) / kClocks & 1;
    to_left--;
    return level;
  }

  // Samples the line from the board in the middle of its bits.
  void listen(bool level) {
    if (!from_left) {
      if (from_line && !level) from_left = kFrame - kClocks / 2;
    } else {
      const int from_start = kFrame - kClocks / 2 - from_left;  // cycles since the edge, less 1
      if (from_start % kClocks == kClocks / 2 - 1) from_bits = static_cast<uint16_t>(from_bits >> 1 | level << 9);
      if (from_start == kClocks / 2 - 1 && level) {
        from_left = 0;  // no start bit
      } else if (--from_left == 0) {
        from.pass(static_cast<uint8_t>(from_bits >> 1));
        active = cycle;
      }
    }
    from_line = level;
  }

  void step() {
    if (cycle % kClocks == 0) {
      to_flip = to.dice.happens(to.how.flip);
      from_flip = from.dice.happens(from.how.flip);
    }
    top->uart_rx_i = drive() ^ to_flip;
    tick();
    listen(top->uart_tx_o ^ from_flip);
    if (to.reset || from.reset) reset();
  }
};

espl_board *espl_board_create(void) {
  espl_board *board = new espl_board;
  board->top = std::make_unique<ESPL_TOP>(&board->context);
  board->top->uart_rx_i = 1;
  board->reset();
  return board;
}

void espl_board_destroy(espl_board *board) {
  if (!board) return;
  board->top->final();
  delete board;
}

void espl_board_set_faults(espl_board *board, const espl_board_faults *faults) {
  board->to.how = board->from.how = *faults;
  board->to.losing = board->from.losing = 0;
  board->to.resting = board->from.resting = 0;
  board->to.dice.state = 2 * faults->seed + 1;
  board->from.dice.state = 2654435761u * (faults->seed + 1) | 1;
}

void espl_board_reset(espl_board *board) { board->reset(); }

void espl_board_send(espl_board *board, const uint8_t *bytes, size_t count) {
  board->waiting.insert(board->waiting.end(), bytes, bytes + count);
}

size_t espl_board_queued(const espl_board *board) { return board->waiting.size() + board->to.queue.size(); }

void espl_board_drop(espl_board *board) {
  board->waiting.clear();
  board->to.queue.clear();
}

size_t espl_board_run(espl_board *board, uint64_t cycles, uint8_t *bytes, size_t room) {
  direction &from = board->from;
  size_t count = 0;
  for (uint64_t i = 0; i < cycles; i++) board->step();
  if (from.resting) {
    from.resting -= std::min(from.resting, cycles);
    return 0;
  }
  for (; count < room && !from.queue.empty(); count++) {
    bytes[count] = from.queue.front();
    from.queue.pop_front();
  }
  return count;
}

uint64_t espl_board_cycles(const espl_board *board) { return board->cycle; }
uint64_t espl_board_quiet(const espl_board *board) { return board->cycle - board->active; }
