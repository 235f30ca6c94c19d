/* A Verilated board as a C library: bytes on its UART pins, and what may happen to them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The line has ESPL_BOARD_CLOCKS cycles a bit. Faults strike both directions, each with a
 * generator of its own: the same seed and the same calls give the same faults.
 */
#ifndef ESPL_BOARD_H
#define ESPL_BOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ESPL_BOARD_CLOCKS = 4 };

typedef struct espl_board espl_board;

/* How often, in a million bits (flip) or bytes (the others). */
typedef struct {
	uint32_t flip;      /* the line has the wrong level for a bit's time */
	uint32_t drop;      /* a byte is lost */
	uint32_t duplicate; /* the last 1 to 600 bytes come again */
	uint32_t truncate;  /* the next 1 to 300 bytes are lost */
	uint32_t garbage;   /* 1 to 100 random bytes come in between */
	uint32_t stall;     /* the line rests for up to 2000 bytes' time */
	uint32_t reset;     /* the board is reset */
	uint32_t seed;
} espl_board_faults;

espl_board *espl_board_create(void); /* reset already */
void espl_board_destroy(espl_board *board);
void espl_board_set_faults(espl_board *board, const espl_board_faults *faults);
void espl_board_reset(espl_board *board);

/* Puts bytes into the queue to the board; how many are still in it. */
void espl_board_send(espl_board *board, const uint8_t *bytes, size_t count);
size_t espl_board_queued(const espl_board *board);
void espl_board_drop(espl_board *board); /* empties the queue, but for the byte on the line */

/* Runs cycles, and gives the bytes that came from the board, at most `room`. */
size_t espl_board_run(espl_board *board, uint64_t cycles, uint8_t *bytes, size_t room);

uint64_t espl_board_cycles(const espl_board *board);
uint64_t espl_board_quiet(const espl_board *board); /* cycles since a byte was on the line */

#ifdef __cplusplus
}
#endif

#endif
