/* The formats of data files, private to data/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each reader gives the samples of one file, or of a pair of files, with `classes` still 0: which
 * classes there are is decided over the whole folder. Errors name the file by espl_context.
 */
#ifndef ESPL_DATA_READERS_H
#define ESPL_DATA_READERS_H

#include "base/file.h"
#include "data/data.h"

enum { ESPL_SAMPLE_ELEMENTS_MAX = 1 << 26, ESPL_CLASSES_MAX = 256 };

/* IDX: unsigned bytes, 3 dimensions of images and 1 of labels, gzipped or not. */
espl_status espl_read_idx(const char *images, const char *labels, espl_arena *arena,
                          espl_samples *out, espl_error *err);

/* NumPy: bytes or floats of 2 (count, channels), 3 (count, rows, columns) or 4 dimensions, and
 * integer labels of 1. */
espl_status espl_read_npy(const char *values, const char *labels, espl_arena *arena,
                          espl_samples *out, espl_error *err);

/* Text: numbers between commas, the label last; a first line that starts with no number is a
 * heading. */
espl_status espl_read_csv(const char *path, espl_arena *arena, espl_samples *out, espl_error *err);

/* A label as a class.
 *   fails  ESPL_RANGE: not in 0..255 */
espl_status espl_read_label(int64_t value, int sample, uint8_t *label, espl_error *err);

#endif
