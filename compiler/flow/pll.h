/* The dividers that bring a board's oscillator to the engine's clock.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_PLL_H
#define ESPL_FLOW_PLL_H

#include "flow/family.h"

typedef struct {
	int divide, multiply, post; /* multiply 0: no PLL, the oscillator itself */
	int64_t clock_hz;           /* what comes out, rounded down */
} espl_pll;

/* Chooses the settings whose clock is nearest to `wanted_hz`; of equals, the one with the fastest
 * comparator, then with the slowest oscillator.
 *   fails  ESPL_UNSUPPORTED: no setting within the board's bands comes within 2 %
 *   from   boards/<family>/espl_clock.sv, which has the same divisors */
espl_status espl_pll_choose(const espl_family *family, const espl_board *board, int64_t wanted_hz,
                            espl_pll *out, espl_error *err);

#endif
