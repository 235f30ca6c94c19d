/* What the tools of an FPGA family are called, and how.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FLOW_FAMILY_H
#define ESPL_FLOW_FAMILY_H

#include "flow/cells.h"
#include "flow/tools.h"
#include "ir/board.h"

/* How many of anything a command line here may hold. */
enum { ESPL_WORDS_MAX = 192 };

typedef struct {
	const char *words[ESPL_WORDS_MAX + 1];
	int count;
} espl_words;

void espl_words_add(espl_words *words, const char *word);

typedef struct {
	const char *name;
	const char *synthesis;  /* the pass of Yosys, with options that every board wants */
	const char *after;      /* lines of its script that follow, each with a newline, or NULL */
	const espl_cell *cells; /* what its cells take, a name of NULL behind the last */
	espl_tool_kind yosys, place, pack;
	const char *placed;    /* ending of what nextpnr writes */
	const char *bitstream; /* the file that is loaded */
	bool flatten;          /* pads are put on every module that is left: none may be */
	bool post_in_loop;     /* the PLL's output divider is inside its feedback loop */
	int divide_max, multiply_max;
	const int *posts; /* output dividers, ascending, 0 behind the last; NULL: 1..128 */
	const char *note; /* for the report; NULL: none */
} espl_family;

/* fails ESPL_UNSUPPORTED, naming the families that there are */
espl_status espl_family_find(const char *name, const espl_family **out, espl_error *err);

/* Appends nextpnr's arguments for a seed, and the packer's for what that seed's run wrote. */
void espl_family_place(const espl_family *family, const espl_board *board, const char *pins,
                       int seed, const char *mhz, espl_arena *arena, espl_words *words);
void espl_family_pack(const espl_family *family, const espl_board *board, int seed,
                      espl_arena *arena, espl_words *words);

#endif
