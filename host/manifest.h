/* manifest.json, read (docs/format.md).
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_MANIFEST_H
#define ESPL_HOST_MANIFEST_H

#include "base/arena.h"
#include "host/espalier.h"
#include "math/fixed.h"

typedef enum { ESPL_AT_WIDE, ESPL_AT_VECTOR, ESPL_AT_OUTPUT } espl_at;

typedef struct {
	int channel, phase_row, phase_column;
	uint32_t splits;
	int word;
} espl_manifest_plane;

typedef struct {
	espl_port port;
	int net_tensor;
	espl_at at;
	int phase_rows, phase_columns, pitch, plane_rows, plane_words;
	int plane_count;
	espl_manifest_plane *planes;
	int base, channel_stride, position_stride;
	int live_count, constant_count;
	int64_t *live;
	int64_t *constants; /* pairs channel, value */
	int softmax;        /* operator, -1 for none */
	espl_scale softmax_scale;
	int32_t softmax_least;
} espl_manifest_tensor;

typedef struct {
	const char *name;
	int64_t cycles;
} espl_manifest_layer;

typedef struct {
	const char *folder;
	int lanes, splits, wide_depth, narrow_depth, output_bytes;
	const char *parameters; /* "Lanes=16,Splits=8,..." */
	uint32_t engine_identity;
	uint64_t program_identity;
	int64_t latency_cycles, interval_cycles, load_cycles;
	int output_beats, output_delay;
	int layer_count, input_count, output_count;
	espl_manifest_layer *layers;
	espl_manifest_tensor *inputs, *outputs, *tensors; /* tensors: one a layer */
} espl_manifest;

espl_status espl_manifest_read(const char *folder, espl_arena *arena, espl_manifest **out,
                               espl_error *err);

#endif
