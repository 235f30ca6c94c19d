/* A simulated board behind a pseudo-terminal, which the driver opens like any port.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_BOARD_SIM_H
#define ESPL_HOST_BOARD_SIM_H

#include "host/espalier.h"
#include "sim/espl_board.h"

#include <stdbool.h>

typedef struct {
	const char *cache; /* as in espl_options */
	void (*progress)(void *user, const char *what);
	const char *link; /* a symbolic link to the port is kept there; NULL for none */
	espl_sim_board_faults faults;
	void (*ready)(void *user, const char *port); /* the port can be opened */
	bool (*stop)(void *user);                    /* asked several times a second */
	void *user;
} espl_board_sim_options;

/* Runs a board with the engine of an emitted folder until `stop` says so. The engine's program
 * memories are empty at first, as a board's are.
 *   fails  as espl_device_open does for a simulation; ESPL_IO without a pseudo-terminal */
espl_status espl_board_sim_run(const char *folder, const espl_board_sim_options *options,
                               espl_error *err);

#endif
