/* Labelled samples: IDX images, .npy arrays, CSV tables.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_DATA_DATA_H
#define ESPL_DATA_DATA_H

#include "base/arena.h"
#include "base/status.h"

#include <stdint.h>

/* Samples of rows x columns x channels. Images are bytes, standing for byte / 255; tables and
 * .npy arrays of floats are floats. Exactly one of `bytes` and `floats` is not NULL. */
typedef struct {
	int count, rows, columns, channels, classes;
	const uint8_t *bytes;
	const float *floats;
	const uint8_t *labels; /* [count], below classes */
} espl_samples;

/* Validation is the last part of the training file, held out by a seeded, class-balanced draw;
 * calibration draws from `train` alone. */
typedef struct {
	espl_samples train, validation, test;
} espl_data;

/* Reads a folder: {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped or not; else
 * {train,test}.npy with {train,test}_labels.npy; else train.csv and test.csv, the label last.
 * Classes are counted from 0, each with samples in either file (docs/data.md).
 *   in    validation  samples held out of the training file, e.g. 5000; 0: none. Each class gives
 *                     its share, drawn by `seed`; both parts keep the file's order
 *   fails ESPL_IO, ESPL_SYNTAX (truncated, wrong magic), ESPL_SHAPE (sizes disagree),
 *         ESPL_RANGE (label out of range, NaN, a class without samples), each naming file and place
 */
espl_status espl_data_read(const char *folder, int validation, uint32_t seed, espl_arena *arena,
                           espl_data *out, espl_error *err);

/* Reads the test samples alone; the folder needs no others. */
espl_status espl_data_read_test(const char *folder, espl_arena *arena, espl_samples *out,
                                espl_error *err);

/* `count` samples from `first` as floats, [sample][rows][columns][channels]; a byte is byte / 255.
 */
void espl_samples_floats(const espl_samples *samples, int first, int count, float *out);

#endif
