/* Labelled samples: a folder read, checked as a whole, and its training part split.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "data/data.h"

#include "base/random.h"
#include "data/readers.h"

#include <string.h>

enum { DRAW = 0x76616c69 }; /* what the random stream is for */

espl_status espl_read_label(int64_t value, int sample, uint8_t *label, espl_error *err)
{
	if (value < 0 || value >= ESPL_CLASSES_MAX)
		return espl_fail(err, ESPL_RANGE, "sample %d has label %lld, labels are 0 to %d",
		                 sample, (long long)value, ESPL_CLASSES_MAX - 1);
	*label = (uint8_t)value;
	return ESPL_OK;
}

/* An IDX file of this name, gzipped or not; NULL: neither is there. */
static const char *find_idx(const char *folder, const char *part, const char *kind,
                            espl_arena *arena)
{
	const char *plain = espl_arena_format(arena, "%s/%s-%s-ubyte", folder, part, kind);
	const char *packed = espl_arena_format(arena, "%s.gz", plain);

	return espl_file_exists(plain) ? plain : espl_file_exists(packed) ? packed : NULL;
}

/* Reads the files of one part, in whatever format they are there. `scratch` holds what is no
 * longer needed when `out` has been used.
 *   in  part  0: train, 1: test */
static espl_status read_part(const char *folder, int part, espl_arena *scratch, espl_samples *out,
                             espl_error *err)
{
	static const char *const idx_names[] = {"train", "t10k"};
	static const char *const names[] = {"train", "test"};
	const char *images = find_idx(folder, idx_names[part], "images-idx3", scratch);
	const char *labels = find_idx(folder, idx_names[part], "labels-idx1", scratch);
	const char *values = espl_arena_format(scratch, "%s/%s.npy", folder, names[part]);
	const char *table = espl_arena_format(scratch, "%s/%s.csv", folder, names[part]);

	if (images && labels)
		return espl_read_idx(images, labels, scratch, out, err);
	if (images || labels)
		return espl_fail(err, ESPL_IO, "%s: %s-%s-ubyte is not there, nor gzipped", folder,
		                 idx_names[part], images ? "labels-idx1" : "images-idx3");
	if (espl_file_exists(values))
		return espl_read_npy(
		        values, espl_arena_format(scratch, "%s/%s_labels.npy", folder, names[part]),
		        scratch, out, err);
	if (espl_file_exists(table))
		return espl_read_csv(table, scratch, out, err);
	return espl_fail(
	        err, ESPL_IO,
	        "%s: no %s data: there is no %s-images-idx3-ubyte, no %s.npy and no %s.csv", folder,
	        names[part], idx_names[part], names[part], names[part]);
}

static size_t sample_elements(const espl_samples *samples)
{
	return (size_t)samples->rows * samples->columns * samples->channels;
}

/* Counts the samples of each class and sets `classes`.
 *   fails  ESPL_RANGE: a class below the greatest label has no sample */
static espl_status check_classes(espl_samples *samples, const char *part, int *counts,
                                 espl_error *err)
{
	int greatest = 0;

	memset(counts, 0, ESPL_CLASSES_MAX * sizeof *counts);
	for (int i = 0; i < samples->count; i++) {
		counts[samples->labels[i]]++;
		if (samples->labels[i] > samples->labels[greatest])
			greatest = i;
	}
	samples->classes = samples->labels[greatest] + 1;
	for (int c = 0; c < samples->classes; c++)
		if (!counts[c])
			return espl_fail(err, ESPL_RANGE,
			                 "%s: sample %d has label %d, but class %d has no sample",
			                 part, greatest, samples->classes - 1, c);
	return ESPL_OK;
}

static espl_status check_samples(const espl_samples *samples, const char *part, espl_error *err)
{
	if (sample_elements(samples) > ESPL_SAMPLE_ELEMENTS_MAX)
		return espl_fail(err, ESPL_RANGE,
		                 "%s: a sample has %zu values, at most %d are read", part,
		                 sample_elements(samples), (int)ESPL_SAMPLE_ELEMENTS_MAX);
	return ESPL_OK;
}

/* Both parts must be of one kind, and name the same classes. */
static espl_status compare(const espl_samples *train, const espl_samples *test, espl_error *err)
{
	if (train->rows != test->rows || train->columns != test->columns ||
	    train->channels != test->channels)
		return espl_fail(err, ESPL_SHAPE,
		                 "train samples are %dx%dx%d, test samples are %dx%dx%d",
		                 train->rows, train->columns, train->channels, test->rows,
		                 test->columns, test->channels);
	if (!train->bytes != !test->bytes)
		return espl_fail(err, ESPL_SHAPE, "train samples are %s, test samples are %s",
		                 train->bytes ? "bytes" : "floats",
		                 test->bytes ? "bytes" : "floats");
	if (train->classes != test->classes)
		return espl_fail(err, ESPL_RANGE, "train has classes 0 to %d, test has 0 to %d",
		                 train->classes - 1, test->classes - 1);
	return ESPL_OK;
}

/* The samples marked `keep`, copied into `arena` in their order. */
static espl_samples pick(const espl_samples *from, const uint8_t *marks, uint8_t keep,
                         espl_arena *arena)
{
	const size_t elements = sample_elements(from);
	espl_samples result = *from;
	uint8_t *labels, *bytes = NULL;
	float *floats = NULL;
	int count = 0;

	for (int i = 0; i < from->count; i++)
		count += marks[i] == keep;
	labels = ESPL_ARRAY(arena, uint8_t, count);
	if (from->bytes)
		bytes = espl_arena_calloc(arena, (size_t)count, elements);
	else
		floats = espl_arena_calloc(arena, (size_t)count, elements * sizeof *floats);
	result.count = 0;
	for (int i = 0; i < from->count; i++) {
		if (marks[i] != keep)
			continue;
		labels[result.count] = from->labels[i];
		if (from->bytes)
			memcpy(bytes + result.count * elements, from->bytes + i * elements,
			       elements);
		else
			memcpy(floats + result.count * elements, from->floats + i * elements,
			       elements * sizeof *floats);
		result.count++;
	}
	result.labels = labels;
	result.bytes = bytes;
	result.floats = floats;
	return result;
}

/* How many of each class are held out: its share, rounded so that the sum is `validation`; those
 * with the largest remainder are rounded up, the first of equals.
 *   out  quotas[classes] */
static void share_out(const int *counts, int classes, int count, int validation, int *quotas)
{
	int64_t remainders[ESPL_CLASSES_MAX];
	int left = validation;

	for (int c = 0; c < classes; c++) {
		const int64_t share = (int64_t)validation * counts[c];

		quotas[c] = (int)(share / count);
		remainders[c] = share % count;
		left -= quotas[c];
	}
	for (; left > 0; left--) {
		int best = 0;

		for (int c = 1; c < classes; c++)
			if (remainders[c] > remainders[best])
				best = c;
		quotas[best]++;
		remainders[best] = -1;
	}
}

/* Marks with 1 what is held out: of the samples of each class, in their order, a draw. */
static void draw(const espl_samples *train, const int *counts, const int *quotas, uint32_t seed,
                 uint8_t *marks)
{
	for (int c = 0; c < train->classes; c++) {
		espl_random random = espl_random_stream(seed, DRAW, (uint32_t)c);
		int wanted = quotas[c], left = counts[c];

		for (int i = 0; i < train->count; i++) {
			if (train->labels[i] != c)
				continue;
			if (espl_random_below(&random, (uint32_t)left) < (uint32_t)wanted) {
				marks[i] = 1;
				wanted--;
			}
			left--;
		}
	}
}

static espl_status split(const espl_samples *train, const int *counts, int validation,
                         uint32_t seed, espl_arena *arena, espl_arena *scratch, espl_data *out,
                         espl_error *err)
{
	uint8_t *marks = ESPL_ARRAY(scratch, uint8_t, train->count);
	int quotas[ESPL_CLASSES_MAX];

	if (validation < 0 || validation >= train->count)
		return espl_fail(err, ESPL_RANGE, "%d samples for validation, there are %d in all",
		                 validation, train->count);
	share_out(counts, train->classes, train->count, validation, quotas);
	for (int c = 0; c < train->classes; c++)
		if (quotas[c] >= counts[c])
			return espl_fail(err, ESPL_RANGE,
			                 "validation would take all %d samples of class %d",
			                 counts[c], c);
	draw(train, counts, quotas, seed, marks);
	out->train = pick(train, marks, 0, arena);
	out->validation = pick(train, marks, 1, arena);
	return ESPL_OK;
}

static espl_status read_test(const char *folder, espl_arena *arena, espl_arena *scratch,
                             espl_samples *out, espl_error *err)
{
	int counts[ESPL_CLASSES_MAX];
	espl_samples test;
	uint8_t *marks;

	ESPL_TRY(read_part(folder, 1, scratch, &test, err));
	ESPL_TRY(check_samples(&test, "test", err));
	ESPL_TRY(check_classes(&test, "test", counts, err));
	marks = ESPL_ARRAY(scratch, uint8_t, test.count);
	*out = pick(&test, marks, 0, arena);
	return ESPL_OK;
}

static espl_status read_all(const char *folder, int validation, uint32_t seed, espl_arena *arena,
                            espl_arena *scratch, espl_data *out, espl_error *err)
{
	int counts[ESPL_CLASSES_MAX];
	espl_data result = {0};
	espl_samples train;

	ESPL_TRY(read_part(folder, 0, scratch, &train, err));
	ESPL_TRY(check_samples(&train, "train", err));
	ESPL_TRY(check_classes(&train, "train", counts, err));
	ESPL_TRY(read_test(folder, arena, scratch, &result.test, err));
	ESPL_TRY(compare(&train, &result.test, err));
	ESPL_TRY(split(&train, counts, validation, seed, arena, scratch, &result, err));
	*out = result;
	return ESPL_OK;
}

/* Puts the folder in front of an error that does not name a file of it. */
static espl_status in_folder(espl_error *err, espl_status status, const char *folder)
{
	if (status && err && !strstr(err->where, folder) && !strstr(err->message, folder))
		return espl_context(err, status, folder);
	return status;
}

espl_status espl_data_read(const char *folder, int validation, uint32_t seed, espl_arena *arena,
                           espl_data *out, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_status status = read_all(folder, validation, seed, arena, scratch, out, err);

	espl_arena_destroy(scratch);
	return in_folder(err, status, folder);
}

espl_status espl_data_read_test(const char *folder, espl_arena *arena, espl_samples *out,
                                espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_status status = read_test(folder, arena, scratch, out, err);

	espl_arena_destroy(scratch);
	return in_folder(err, status, folder);
}

void espl_samples_floats(const espl_samples *samples, int first, int count, float *out)
{
	const size_t elements = sample_elements(samples);
	const size_t start = (size_t)first * elements, all = (size_t)count * elements;

	if (samples->floats) {
		memcpy(out, samples->floats + start, all * sizeof *out);
		return;
	}
	for (size_t i = 0; i < all; i++)
		out[i] = (float)samples->bytes[start + i] / 255.0F;
}
