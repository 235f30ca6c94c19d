/* Every divider is tried; there are not many.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flow/pll.h"

#include <stdlib.h>

static bool within(const espl_band *band, int64_t numerator, int64_t denominator)
{
	return numerator >= band->low * denominator && numerator <= band->high * denominator;
}

/* Tries one setting; `best` is replaced when it is nearer. */
static void try(const espl_family *family, const espl_board *b, int64_t wanted_hz,
                const espl_pll *setting, espl_pll *best)
{
	const int64_t up = b->oscillator_hz * setting->multiply;
	const int64_t vco = family->post_in_loop ? up * setting->post : up; /* by divide */
	const int64_t by = (int64_t)setting->divide * (family->post_in_loop ? 1 : setting->post);
	const int64_t error = llabs(up / by - wanted_hz);

	if (!within(&b->vco, vco, setting->divide) || !within(&b->output, up, by) ||
	    (best->multiply && error >= llabs(best->clock_hz - wanted_hz)))
		return;
	*best = *setting;
	best->clock_hz = up / by;
}

espl_status espl_pll_choose(const espl_family *family, const espl_board *board, int64_t wanted_hz,
                            espl_pll *out, espl_error *err)
{
	espl_pll best = {0};

	if (wanted_hz == board->oscillator_hz) {
		*out = (espl_pll){.divide = 1, .post = 1, .clock_hz = wanted_hz};
		return ESPL_OK;
	}
	for (int divide = 1; divide <= family->divide_max; divide++) {
		if (!within(&board->compare, board->oscillator_hz, divide))
			continue;
		for (int multiply = 1; multiply <= family->multiply_max; multiply++)
			for (int p = 0; family->posts ? family->posts[p] : p < 128; p++)
				try(family, board, wanted_hz,
				    &(espl_pll){.divide = divide,
				                .multiply = multiply,
				                .post = family->posts ? family->posts[p] : p + 1},
				    &best);
	}
	if (!best.multiply || llabs(best.clock_hz - wanted_hz) * 50 > wanted_hz)
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "%s: the PLL makes no clock of %.6g MHz from %.6g MHz",
		                 board->name, (double)wanted_hz / 1e6,
		                 (double)board->oscillator_hz / 1e6);
	*out = best;
	return ESPL_OK;
}
