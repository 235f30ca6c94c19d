/* The boards known, and the engine that suits each.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/board.h"

#include <stdio.h>
#include <string.h>

/* Multipliers of 18x18 (iCE40: 16x16), block RAMs as they are on the chip. */
static const espl_board boards[] = {
        {.name = "ulx3s-85f",
         .family = "ecp5",
         .text = "ULX3S, Lattice LFE5U-85F",
         .multipliers = 156,
         .block_rams = 208,
         .block_ram_bits = 18432,
         .luts = 83640,
         .preset = {"ulx3s-85f", 16, 16, 16, 208 * 18432 / 8}},
        {.name = "colorlight-i9",
         .family = "ecp5",
         .text = "Colorlight i9 v7.2, Lattice LFE5U-45F",
         .multipliers = 72,
         .block_rams = 108,
         .block_ram_bits = 18432,
         .luts = 43848,
         .preset = {"colorlight-i9", 16, 4, 4, 108 * 18432 / 8}},
        {.name = "colorlight-i5",
         .family = "ecp5",
         .text = "Colorlight i5 v7.0, Lattice LFE5U-25F",
         .multipliers = 28,
         .block_rams = 56,
         .block_ram_bits = 18432,
         .luts = 24288,
         .preset = {"colorlight-i5", 8, 4, 4, 56 * 18432 / 8}},
        {.name = "icebreaker",
         .family = "ice40",
         .text = "iCEBreaker, Lattice iCE40UP5K",
         .multipliers = 8,
         .block_rams = 30,
         .block_ram_bits = 4096,
         .luts = 5280,
         .preset = {"icebreaker", 8, 1, 1, 30 * 4096 / 8 + 4 * 32768}},
};

const espl_board *espl_boards(int *count)
{
	*count = (int)(sizeof(boards) / sizeof(boards[0]));
	return boards;
}

espl_status espl_board_find(const char *name, const espl_board **out, espl_error *err)
{
	char names[256] = "";
	int count;
	const espl_board *all = espl_boards(&count);

	for (int i = 0; i < count; i++) {
		const size_t used = strlen(names);

		if (!strcmp(all[i].name, name)) {
			*out = &all[i];
			return ESPL_OK;
		}
		snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "", all[i].name);
	}
	return espl_fail(err, ESPL_USAGE, "%s: no such board; there are %s", name, names);
}
