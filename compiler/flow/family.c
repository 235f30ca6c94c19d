/* The families, a row each.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "flow/family.h"

#include <assert.h>
#include <string.h>

static const int powers[] = {2, 4, 8, 16, 32, 64, 0};
static const int gowin_posts[] = {2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128, 0};

/* A RAM of 16 words takes the two LUTs beside its four, which carry its write port. */
static const espl_cell ecp5_cells[] = {{"LUT4", ESPL_LUT, 1},
                                       {"CCU2C", ESPL_LUT, 2},
                                       {"TRELLIS_DPR16X4", ESPL_LUT, 6},
                                       {"TRELLIS_FF", ESPL_FF, 1},
                                       {"DP16KD", ESPL_BLOCK_RAM, 1},
                                       {"MULT18X18D", ESPL_MULTIPLIER, 1},
                                       {0}};
static const espl_cell ice40_cells[] = {{"SB_LUT4", ESPL_LUT, 1},
                                        {"SB_DFF*", ESPL_FF, 1},
                                        {"SB_RAM40_4K*", ESPL_BLOCK_RAM, 1},
                                        {"SB_MAC16", ESPL_MULTIPLIER, 1},
                                        {0}};
static const espl_cell gowin_cells[] = {
        {"LUT*", ESPL_LUT, 1}, {"ALU", ESPL_LUT, 1}, {"DFF*", ESPL_FF, 1}, {0}};

/* Place and route makes a cell of every carry that leaves a chain, used or not: what nobody reads
 * is left open. Selections know wires, not bits, so wires are split first. */
static const char ecp5_after[] =
        /* rtl/ecp5/espl_ram.sv: the second register of a read is the block RAM's own */
        "setparam -set REGMODE_A \"OUTREG\" -set REGMODE_B \"OUTREG\" *espl_ram_row*/t:DP16KD\n"
        "splitnets\n"
        "select -set carries t:CCU2C %co1:+CCU2C[COUT] w:* %i\n"
        "select -set read c:* %ci1 w:* %i\n"
        "select -set idle @carries @read %d o:* %d\n"
        "select -set ends @idle %ci1:+CCU2C[COUT] t:CCU2C %i\n"
        "chtype -set espl_carry_end @ends\n"
        "techmap -map rtl/espl_carry_end.sv\n";

static const espl_family families[] = {
        {.name = "ecp5",
         .synthesis = "synth_ecp5 -abc9 -nomux",
         .after = ecp5_after,
         .cells = ecp5_cells,
         .yosys = ESPL_TOOL_YOSYS,
         .place = ESPL_TOOL_NEXTPNR_ECP5,
         .pack = ESPL_TOOL_ECPPACK,
         .placed = "config",
         .bitstream = "bitstream.bit",
         .post_in_loop = true,
         .divide_max = 128,
         .multiply_max = 80},
        {.name = "ice40",
         .synthesis = "synth_ice40",
         .cells = ice40_cells,
         .yosys = ESPL_TOOL_YOSYS,
         .place = ESPL_TOOL_NEXTPNR_ICE40,
         .pack = ESPL_TOOL_ICEPACK,
         .placed = "asc",
         .bitstream = "bitstream.bin",
         .divide_max = 16,
         .multiply_max = 128,
         .posts = powers},
        {.name = "gowin",
         .synthesis = "synth_gowin",
         .cells = gowin_cells,
         .yosys = ESPL_TOOL_PYOSYS,
         .place = ESPL_TOOL_NEXTPNR_GOWIN,
         .pack = ESPL_TOOL_GOWIN_PACK,
         .placed = "pnr",
         .bitstream = "bitstream.fs",
         .flatten = true,
         .post_in_loop = true,
         .divide_max = 64,
         .multiply_max = 64,
         .posts = gowin_posts,
         .note = "nextpnr has no timing of Gowin's DSPs: paths through them are not in this "
                 "clock"},
};

enum { FAMILY_COUNT = sizeof(families) / sizeof(families[0]) };

void espl_words_add(espl_words *words, const char *word)
{
	assert(words->count < ESPL_WORDS_MAX);
	words->words[words->count++] = word;
}

static void add_all(espl_words *words, const espl_strings *more)
{
	for (int i = 0; i < more->count; i++)
		espl_words_add(words, more->items[i]);
}

static void add_pair(espl_words *words, const char *option, const char *value)
{
	espl_words_add(words, option);
	espl_words_add(words, value);
}

espl_status espl_family_find(const char *name, const espl_family **out, espl_error *err)
{
	for (int i = 0; i < FAMILY_COUNT; i++)
		if (!strcmp(families[i].name, name)) {
			*out = &families[i];
			return ESPL_OK;
		}
	return espl_fail(err, ESPL_UNSUPPORTED,
	                 "%s: no such family of FPGAs; there are ecp5, ice40, gowin", name);
}

void espl_family_place(const espl_family *family, const espl_board *board, const char *pins,
                       int seed, const char *mhz, espl_arena *arena, espl_words *words)
{
	const char *placed = espl_arena_format(arena, "seed%d.%s", seed, family->placed);

	add_all(words, &board->place);
	add_pair(words, "--json", "net.json");
	if (family->place == ESPL_TOOL_NEXTPNR_ECP5) {
		add_pair(words, "--lpf", pins);
		add_pair(words, "--textcfg", placed);
	} else if (family->place == ESPL_TOOL_NEXTPNR_ICE40) {
		add_pair(words, "--pcf", pins);
		add_pair(words, "--asc", placed);
	} else {
		add_pair(words, "--vopt", espl_arena_format(arena, "cst=%s", pins));
		add_pair(words, "--write", placed);
	}
	add_pair(words, "--freq", mhz);
	add_pair(words, "--seed", espl_arena_format(arena, "%d", seed));
	add_pair(words, "--report", espl_arena_format(arena, "seed%d.json", seed));
	espl_words_add(words, "--timing-allow-fail"); /* the report is judged, not the exit code */
}

void espl_family_pack(const espl_family *family, const espl_board *board, int seed,
                      espl_arena *arena, espl_words *words)
{
	const char *placed = espl_arena_format(arena, "seed%d.%s", seed, family->placed);

	add_all(words, &board->pack);
	if (family->pack == ESPL_TOOL_ECPPACK) {
		espl_words_add(words, "--compress");
		add_pair(words, "--input", placed);
		add_pair(words, "--bit", family->bitstream);
	} else if (family->pack == ESPL_TOOL_ICEPACK) {
		espl_words_add(words, placed);
		espl_words_add(words, family->bitstream);
	} else {
		add_pair(words, "-o", family->bitstream);
		espl_words_add(words, placed);
	}
}
