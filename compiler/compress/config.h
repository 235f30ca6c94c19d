/* The file that says what `espalier compress` does, stage by stage.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_CONFIG_H
#define ESPL_COMPRESS_CONFIG_H

#include "base/json.h"
#include "compress/prune.h"
#include "compress/quantize.h"
#include "compress/train.h"

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

typedef struct {
	const char *model, *data; /* paths, from the config's folder */
	const char *teacher;      /* NULL: none */
	const char *family;       /* of a network that begins untrained; NULL: there is a model */
	int validation, threads, batch;
	uint32_t seed;
	bool wanted[ESPL_STAGE_COUNT];
	/* In or after each stage; without teacher, checkpoint and hooks. */
	espl_train_options training[ESPL_STAGE_COUNT];
	espl_prune_options prune;
	espl_quantize_options quantize;
	int64_t weight_bytes; /* mixed precision within so many; 0: the same bits everywhere */
} espl_compress_config;

/* Reads a config; docs/compression.md has the keys and what they are where the file has none.
 *   in     path  of the file, which other paths in it start from
 *   fails  ESPL_SYNTAX, ESPL_RANGE, ESPL_USAGE naming the key, the value and what is possible */
espl_status espl_compress_config_read(const char *path, espl_arena *arena,
                                      espl_compress_config *out, espl_error *err);

/* Writes all that a stage goes by, but for its models and data, as an object: two runs of the same
 * text have the same result.
 *   in   key  NULL where the object stands alone */
void espl_stage_put(const espl_compress_config *config, espl_stage stage, espl_json_writer *writer,
                    const char *key, espl_arena *arena);

#endif
