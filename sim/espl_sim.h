/* A Verilated espl_engine as a C library: clock, streams, stalls, a look inside.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The shared library that host/sim_build.c makes, one per engine shape, exports
 * these functions. Nothing here knows of networks.
 */
#ifndef ESPL_SIM_H
#define ESPL_SIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_sim espl_sim;

/* When a side of a stream pauses. */
typedef struct {
	int percent; /* of cycles, at random: 0..99 */
	int burst;   /* > 0: so many cycles on, as many off, instead */
	uint32_t seed;
} espl_sim_stall;

/* Called when layer `layer` of an inference (0 first) is complete in the memories. */
typedef void (*espl_sim_watcher)(void *user, int layer);

espl_sim *espl_sim_create(void); /* reset already */
void espl_sim_destroy(espl_sim *sim);

/* Queues beats for the input stream; `last` marks the last one with tlast. */
void espl_sim_push(espl_sim *sim, const uint64_t *beats, size_t count, int last);

/* Runs until `count` beats have come out, or everything queued has gone in when count is 0.
 * result 0, or -1 when nothing moved for `patience` cycles */
int espl_sim_pull(espl_sim *sim, uint64_t *beats, size_t count, uint64_t patience);

void espl_sim_set_stalls(espl_sim *sim, const espl_sim_stall *in, const espl_sim_stall *out);
uint32_t espl_sim_status(espl_sim *sim, int address);

/* Cycles since creation: now; when the n-th packet's last beat went in, or came out. */
uint64_t espl_sim_cycles(const espl_sim *sim);
uint64_t espl_sim_packet_in(const espl_sim *sim, size_t n);
uint64_t espl_sim_packet_out(const espl_sim *sim, size_t n);
uint64_t espl_sim_first_in(const espl_sim *sim, size_t n); /* its first beat */

/* Keeps copies of what the drain writes, and calls `watcher` layer after layer. */
void espl_sim_watch(espl_sim *sim, int layers, espl_sim_watcher watcher, void *user);
/* The n-th layer boundary since watching began: its cycle. */
uint64_t espl_sim_boundary(const espl_sim *sim, size_t n);
const uint8_t *espl_sim_wide(const espl_sim *sim, int split);   /* WideDepth * Lanes bytes */
const uint8_t *espl_sim_vector(const espl_sim *sim, int split); /* NarrowDepth bytes */

/* Writes a waveform from now on; only in a library built for it. 0, or -1. */
int espl_sim_trace(espl_sim *sim, const char *path);

#ifdef __cplusplus
}
#endif

#endif
