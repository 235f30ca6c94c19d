/* The file that says what `espalier compress` does, stage by stage.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_CONFIG_H
#define ESPL_COMPRESS_CONFIG_H

#include "base/file.h"
#include "compress/prune.h"

/* The stages in their order. X(name, text) */
#define ESPL_STAGE_LIST(X)  \
	X(DISTIL, "distil") \
	X(PRUNE, "prune")   \
	X(QUANTIZE, "quantize")

typedef enum {
#define X(name, text) ESPL_STAGE_##name,
	ESPL_STAGE_LIST(X)
#undef X
	        ESPL_STAGE_COUNT
} espl_stage;

const char *espl_stage_name(espl_stage stage);

/* Training in or after a stage. */
typedef struct {
	int epochs; /* 0: none */
	double rate, weight_decay;
	double temperature, mix; /* of the teacher's part in the loss; without a teacher nothing */
} espl_tuning;

typedef struct {
	const char *model, *data,
	        *teacher; /* paths, from the config's folder; teacher NULL: none */
	int validation, threads, batch;
	uint32_t seed;
	bool wanted[ESPL_STAGE_COUNT];
	espl_tuning tuning[ESPL_STAGE_COUNT];
	/* PRUNE */
	espl_prune_rule rule;
	double sparsity; /* negative: as the pattern N:M says */
	double regrow;   /* share of weights that move at each update; 0: none */
	/* QUANTIZE */
	int weight_bits, activation_bits;
	int64_t weight_bytes; /* mixed precision within so many; 0: `weight_bits` everywhere */
	int calibration;      /* samples */
	/* The file's text of each stage, without spaces: what a finished stage was made by. */
	const char *texts[ESPL_STAGE_COUNT];
} espl_compress_config;

/* Reads a config; docs/compression.md has the keys and what they are where the file has none.
 *   in     path  of the file, which other paths in it start from
 *   fails  ESPL_SYNTAX, ESPL_RANGE, ESPL_USAGE naming the key, the value and what is possible */
espl_status espl_compress_config_read(const char *path, espl_arena *arena,
                                      espl_compress_config *out, espl_error *err);

#endif
