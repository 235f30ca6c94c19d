/* The Verilated accelerator as a transport: the shared library, opened and driven.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "host/sim_build.h"
#include "host/transport.h"
#include "sim/espl_sim.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 50000000 }; /* cycles without a beat: more than any inference */

/* X(result, name, parameters): what the library exports. */
#define SIM_LIST(X)                                                                       \
	X(espl_sim *, create, (void))                                                     \
	X(void, destroy, (espl_sim *))                                                    \
	X(void, push, (espl_sim *, const uint64_t *, size_t, int))                        \
	X(int, pull, (espl_sim *, uint64_t *, size_t, uint64_t))                          \
	X(void, set_stalls, (espl_sim *, const espl_sim_stall *, const espl_sim_stall *)) \
	X(uint32_t, status, (espl_sim *, int))                                            \
	X(uint64_t, cycles, (const espl_sim *))                                           \
	X(uint64_t, packet_in, (const espl_sim *, size_t))                                \
	X(uint64_t, packet_out, (const espl_sim *, size_t))                               \
	X(uint64_t, first_in, (const espl_sim *, size_t))                                 \
	X(uint64_t, boundary, (const espl_sim *, size_t))                                 \
	X(void, watch, (espl_sim *, int, espl_sim_watcher, void *))                       \
	X(const uint8_t *, wide, (const espl_sim *, int))                                 \
	X(const uint8_t *, vector, (const espl_sim *, int))                               \
	X(int, trace, (espl_sim *, const char *))

typedef struct {
	espl_transport transport; /* first: a transport is one of these */
	void *library;
	espl_sim *sim;
	int layers;
	size_t watched_from; /* samples collected before watching began */
	size_t loads;        /* packets before the first sample's: the program's, if it is loaded */
#define X(result, name, parameters) result(*name) parameters;
	SIM_LIST(X)
#undef X
} sim_transport;

static espl_status load(espl_transport *t, const uint64_t *beats, size_t count, espl_error *err)
{
	sim_transport *s = (sim_transport *)t;

	s->push(s->sim, beats, count, 1);
	if (s->pull(s->sim, NULL, 0, PATIENCE))
		return espl_fail(err, ESPL_LINK, "the accelerator does not take the program");
	s->loads++;
	return ESPL_OK;
}

static espl_status send_packet(espl_transport *t, const uint64_t *beats, size_t count,
                               espl_error *err)
{
	sim_transport *s = (sim_transport *)t;

	(void)err;
	s->push(s->sim, beats, count, 1);
	return ESPL_OK;
}

static espl_status receive(espl_transport *t, uint64_t *beats, size_t count, espl_error *err)
{
	sim_transport *s = (sim_transport *)t;

	if (s->pull(s->sim, beats, count, PATIENCE))
		return espl_fail(err, ESPL_LINK, "the accelerator gives no result within %d cycles",
		                 (int)PATIENCE);
	return ESPL_OK;
}

static espl_status status(espl_transport *t, int address, uint32_t *value, espl_error *err)
{
	sim_transport *s = (sim_transport *)t;

	(void)err;
	*value = s->status(s->sim, address);
	return ESPL_OK;
}

static void counters(espl_transport *t, size_t collected, espl_counters *out)
{
	sim_transport *s = (sim_transport *)t;
	size_t packet;

	out->cycles = s->cycles(s->sim);
	if (!collected)
		return;
	packet = s->loads + collected - 1;
	out->latency_cycles = s->packet_out(s->sim, collected - 1) - s->packet_in(s->sim, packet);
	out->load_cycles = s->packet_in(s->sim, packet) - s->first_in(s->sim, packet) + 1;
	if (collected > 1)
		out->interval_cycles =
		        s->packet_out(s->sim, collected - 1) - s->packet_out(s->sim, collected - 2);
}

static void close_sim(espl_transport *t)
{
	sim_transport *s = (sim_transport *)t;

	if (s->sim)
		s->destroy(s->sim);
	if (s->library)
		dlclose(s->library);
}

static void watch(espl_transport *t, int layers, espl_watcher watcher, void *user)
{
	sim_transport *s = (sim_transport *)t;

	s->layers = layers;
	s->watch(s->sim, layers, watcher, user);
}

static int64_t layer_cycles(espl_transport *t, size_t collected, int layer)
{
	sim_transport *s = (sim_transport *)t;
	const size_t first =
	        (collected - 1 - s->watched_from) * ((size_t)s->layers + 1) + (size_t)layer;

	return (int64_t)(s->boundary(s->sim, first + 1) - s->boundary(s->sim, first));
}

static const uint8_t *wide(const void *t, int split)
{
	const sim_transport *s = t;

	return s->wide(s->sim, split);
}

static const uint8_t *vector(const void *t, int split)
{
	const sim_transport *s = t;

	return s->vector(s->sim, split);
}

static espl_status bind(sim_transport *s, const char *path, bool built, espl_error *err)
{
	s->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!s->library)
		return espl_fail(err, ESPL_TOOL, "%s%s", dlerror(),
		                 built ? "; remove it to build it anew" : "");
		/* dlsym gives an object pointer; C has no conversion to a function pointer but by
		 * its bytes */
#define X(result, name, parameters)                                                       \
	{                                                                                 \
		void *symbol = dlsym(s->library, "espl_sim_" #name);                      \
		if (!symbol)                                                              \
			return espl_fail(err, ESPL_TOOL, "%s: no espl_sim_" #name, path); \
		memcpy(&s->name, &symbol, sizeof(symbol));                                \
	}
	SIM_LIST(X)
#undef X
	return ESPL_OK;
}

espl_status espl_transport_sim_open(const espl_manifest *m, const espl_options *options,
                                    espl_arena *arena, espl_transport **out, espl_error *err)
{
	sim_transport *s = ESPL_NEW(arena, sim_transport);
	const espl_sim_stall in = {options->stall_in.percent, options->stall_in.burst,
	                           options->stall_in.seed};
	const espl_sim_stall to = {options->stall_out.percent, options->stall_out.burst,
	                           options->stall_out.seed};
	const char *path;

	s->transport = (espl_transport){
	        .load = load,
	        .send = send_packet,
	        .receive = receive,
	        .status = status,
	        .counters = counters,
	        .close = close_sim,
	        .watch = watch,
	        .layer_cycles = layer_cycles,
	        .wide = wide,
	        .vector = vector,
	};
	*out = &s->transport;
	if (options->simulator) /* a name without a slash would be looked for in the system */
		path = espl_arena_format(arena, "%s%s", strchr(options->simulator, '/') ? "" : "./",
		                         options->simulator);
	else
		ESPL_TRY(espl_sim_build(m, options, options->trace, arena, &path, err));
	ESPL_TRY(bind(s, path, !options->simulator, err));
	s->sim = s->create();
	s->set_stalls(s->sim, &in, &to);
	if (options->trace && s->trace(s->sim, options->trace))
		return espl_fail(err, ESPL_IO, "%s: cannot write a waveform there", options->trace);
	return ESPL_OK;
}
