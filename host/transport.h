/* What a way to an accelerator must do: simulated here, or a board on a serial line.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_TRANSPORT_H
#define ESPL_HOST_TRANSPORT_H

#include "host/layout.h"

typedef struct espl_transport espl_transport;

struct espl_transport {
	/* Sends the program's beats, and waits until the engine has them; may skip what is there.
	 */
	espl_status (*load)(espl_transport *t, const uint64_t *beats, size_t count,
	                    espl_error *err);
	/* Queues one inference's packet. */
	espl_status (*send)(espl_transport *t, const uint64_t *beats, size_t count,
	                    espl_error *err);
	/* Waits for one result's packet. */
	espl_status (*receive)(espl_transport *t, uint64_t *beats, size_t count, espl_error *err);
	espl_status (*status)(espl_transport *t, int address, uint32_t *value, espl_error *err);
	void (*counters)(espl_transport *t, size_t collected, espl_counters *out);
	void (*close)(espl_transport *t);

	/* Only a simulation has these; NULL elsewhere. */
	void (*watch)(espl_transport *t, int layers, espl_watcher watcher, void *user);
	int64_t (*layer_cycles)(espl_transport *t, size_t collected, int layer);
	espl_memory wide, vector; /* with the transport as user */
};

/* The simulator of the manifest's engine (sim_build.h), stalls and trace by the options. */
espl_status espl_transport_sim_open(const espl_manifest *m, const espl_options *options,
                                    espl_arena *arena, espl_transport **out, espl_error *err);

/* The board at options->port (docs/protocol.md), in a new session: its engine has been reset. */
espl_status espl_transport_serial_open(const espl_manifest *m, const espl_options *options,
                                       espl_arena *arena, espl_transport **out, espl_error *err);

#endif
