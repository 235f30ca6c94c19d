// A Verilated espl_engine as a C library: clock, streams, stalls, a look inside.
// SPDX-License-Identifier: Apache-2.0
//
// The only C++ of the product. Compiled with the engine's shape in ESPL_LANES,
// ESPL_SPLITS, ESPL_WIDE_DEPTH and ESPL_NARROW_DEPTH.

#include "espl_sim.h"

#include "Vespl_engine.h"
#include "verilated.h"
#ifdef ESPL_TRACE
#include "verilated_fst_c.h"
#endif

#include <deque>
#include <memory>
#include <vector>

namespace {

struct beat {
  uint64_t data;
  bool last, first;
};

struct staller {
  espl_sim_stall how{};
  uint32_t state = 1;
  uint64_t cycle = 0;

  bool pauses() {
    cycle++;
    if (how.burst > 0) return cycle / how.burst % 2 == 1;
    if (how.percent <= 0) return false;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return static_cast<int>(state % 100) < how.percent;
  }
};

// Byte i of a port, whatever type Verilator gave it.
template <typename Port>
uint8_t byte_of(const Port &port, int i) {
  if constexpr (sizeof(Port) <= sizeof(uint64_t))
    return static_cast<uint8_t>(static_cast<uint64_t>(port) >> (8 * i));
  else
    return static_cast<uint8_t>(port[i / 4] >> (8 * (i % 4)));
}

}  // namespace

struct espl_sim {
  VerilatedContext context;
  std::unique_ptr<Vespl_engine> engine;
#ifdef ESPL_TRACE
  std::unique_ptr<VerilatedFstC> trace;
#endif
  uint64_t cycle = 0;
  std::deque<beat> queue;
  bool starts = true;      // the next beat pushed begins a packet
  bool offered = false;    // the beat at the head is valid on the port
  staller in, out;
  std::vector<uint64_t> first_in, packet_in, packet_out, boundaries;
  int layers = 0, layer = 0;
  espl_sim_watcher watcher = nullptr;
  void *user = nullptr;
  std::vector<std::vector<uint8_t>> wide, vector;

  void eval(int clock) {
    engine->clk_i = clock;
    engine->eval();
#ifdef ESPL_TRACE
    if (trace) trace->dump(2 * cycle + clock);
#endif
  }

  void keep_writes() {
    Vespl_engine &e = *engine;
    if (e.watch_wide_o) {
      const uint32_t even = 2u * e.watch_even_address_o, odd = 2u * e.watch_odd_address_o + 1;
      for (int s = 0; s < ESPL_SPLITS; s++) {
        if (!(e.watch_splits_o >> s & 1)) continue;
        for (int l = 0; l < ESPL_LANES; l++) {
          if (e.watch_enable_even_o >> l & 1) wide[s][even * ESPL_LANES + l] = byte_of(e.watch_data_o, l);
          if (e.watch_enable_odd_o >> l & 1) wide[s][odd * ESPL_LANES + l] = byte_of(e.watch_data_o, l);
        }
      }
    }
    if (e.watch_vector_o) {
      for (int s = 0; s < ESPL_SPLITS; s++)
        if (e.watch_splits_o >> s & 1)
          vector[s][e.watch_vector_address_o] = byte_of(e.watch_vector_data_o, s) ^ 0x80;
    }
  }

  // The first pulse of an inference begins layer 0; each other one completes a layer.
  void boundary() {
    boundaries.push_back(cycle);
    if (layer > 0) watcher(user, layer - 1);
    layer = layer == layers ? 0 : layer + 1;
  }

  // One cycle; returns true when a beat went in or `*beat` came out.
  bool step(uint64_t *to, bool *came) {
    Vespl_engine &e = *engine;
    bool moved = false;
    if (!offered && !queue.empty() && !in.pauses()) {
      offered = true;
      e.in_tdata_i = queue.front().data;
      e.in_tlast_i = queue.front().last;
    }
    e.in_tvalid_i = offered;
    e.out_tready_i = to != nullptr && !out.pauses();
    eval(0);
    *came = e.out_tvalid_o && e.out_tready_i;
    if (*came) {
      *to = e.out_tdata_o;
      if (e.out_tlast_o) packet_out.push_back(cycle);
      moved = true;
    }
    if (offered && e.in_tready_o) {
      if (queue.front().first) first_in.push_back(cycle);
      if (queue.front().last) packet_in.push_back(cycle);
      queue.pop_front();
      offered = false;
      moved = true;
    }
    if (watcher) {
      keep_writes();
      if (e.watch_layer_o) boundary();
    }
    eval(1);
    cycle++;
    return moved;
  }
};

espl_sim *espl_sim_create(void) {
  espl_sim *sim = new espl_sim;
#ifdef ESPL_TRACE
  sim->context.traceEverOn(true);
#endif
  sim->engine = std::make_unique<Vespl_engine>(&sim->context);
  sim->engine->rst_ni = 0;
  sim->engine->in_tvalid_i = 0;
  sim->engine->out_tready_i = 0;
  sim->engine->status_address_i = 0;
  bool came;
  for (int i = 0; i < 4; i++) sim->step(nullptr, &came);
  sim->engine->rst_ni = 1;
  return sim;
}

void espl_sim_destroy(espl_sim *sim) {
  if (!sim) return;
#ifdef ESPL_TRACE
  if (sim->trace) sim->trace->close();
#endif
  sim->engine->final();
  delete sim;
}

void espl_sim_push(espl_sim *sim, const uint64_t *beats, size_t count, int last) {
  for (size_t i = 0; i < count; i++) {
    const bool ends = last && i + 1 == count;
    sim->queue.push_back({beats[i], ends, sim->starts});
    sim->starts = ends;
  }
}

int espl_sim_pull(espl_sim *sim, uint64_t *beats, size_t count, uint64_t patience) {
  uint64_t idle = 0;
  size_t got = 0;
  while (count ? got < count : !sim->queue.empty()) {
    bool came;
    const bool moved = sim->step(count ? beats + got : nullptr, &came);
    got += came;
    idle = moved ? 0 : idle + 1;
    if (idle > patience) return -1;
  }
  return 0;
}

void espl_sim_set_stalls(espl_sim *sim, const espl_sim_stall *in, const espl_sim_stall *out) {
  sim->in = {*in, in->seed ? in->seed : 1, 0};
  sim->out = {*out, out->seed ? out->seed : 1, 0};
}

uint32_t espl_sim_status(espl_sim *sim, int address) {
  bool came;
  sim->engine->status_address_i = address;
  for (int i = 0; i < 2; i++) sim->step(nullptr, &came);
  return sim->engine->status_data_o;
}

uint64_t espl_sim_cycles(const espl_sim *sim) { return sim->cycle; }
uint64_t espl_sim_packet_in(const espl_sim *sim, size_t n) { return sim->packet_in.at(n); }
uint64_t espl_sim_packet_out(const espl_sim *sim, size_t n) { return sim->packet_out.at(n); }
uint64_t espl_sim_first_in(const espl_sim *sim, size_t n) { return sim->first_in.at(n); }
uint64_t espl_sim_boundary(const espl_sim *sim, size_t n) { return sim->boundaries.at(n); }

void espl_sim_watch(espl_sim *sim, int layers, espl_sim_watcher watcher, void *user) {
  sim->layers = layers;
  sim->layer = 0;
  sim->watcher = watcher;
  sim->user = user;
  sim->boundaries.clear();
  sim->wide.assign(ESPL_SPLITS, std::vector<uint8_t>(size_t(ESPL_WIDE_DEPTH) * ESPL_LANES));
  sim->vector.assign(ESPL_SPLITS, std::vector<uint8_t>(ESPL_NARROW_DEPTH));
}

const uint8_t *espl_sim_wide(const espl_sim *sim, int split) { return sim->wide.at(split).data(); }
const uint8_t *espl_sim_vector(const espl_sim *sim, int split) { return sim->vector.at(split).data(); }

int espl_sim_trace(espl_sim *sim, const char *path) {
#ifdef ESPL_TRACE
  sim->trace = std::make_unique<VerilatedFstC>();
  sim->engine->trace(sim->trace.get(), 99);
  sim->trace->open(path);
  return sim->trace->isOpen() ? 0 : -1;
#else
  (void)sim;
  (void)path;
  return -1;
#endif
}
