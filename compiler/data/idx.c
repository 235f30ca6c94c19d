/* IDX files: the format of MNIST and Fashion-MNIST.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two zero bytes, the type (8: unsigned bytes), the number of dimensions, each dimension as 32
 * bits with the highest byte first, then the values.
 */
#include "data/gzip.h"
#include "data/readers.h"

enum { UNSIGNED_BYTES = 8, IMAGE_DIMENSIONS = 3 };

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The values behind a header of `dimensions` sizes; the sizes must account for every byte.
 *   out  *values in `arena` */
static espl_status parse(espl_span file, int dimensions, uint32_t *sizes, espl_span *values,
                         espl_error *err)
{
	const size_t header = 4 + 4 * (size_t)dimensions;
	uint64_t count = 1;

	if (file.size < 4)
		return espl_fail(err, ESPL_SYNTAX, "%zu bytes are no IDX file", file.size);
	if (file.data[0] || file.data[1] || file.data[2] != UNSIGNED_BYTES ||
	    file.data[3] != dimensions)
		return espl_fail(err, ESPL_SYNTAX,
		                 "starts with %08x, IDX of %d dimensions of bytes with %08x",
		                 (unsigned)big_endian(file.data), dimensions,
		                 UNSIGNED_BYTES << 8 | (unsigned)dimensions);
	if (file.size < header)
		return espl_fail(err, ESPL_SYNTAX, "cut off in the header: %zu of %zu bytes",
		                 file.size, header);
	for (int i = 0; i < dimensions; i++) {
		sizes[i] = big_endian(file.data + 4 + 4 * i);
		if (!sizes[i])
			return espl_fail(err, ESPL_SHAPE, "dimension %d is 0", i);
		/* a file has at most 2^30 bytes, so once past that the exact count is idle */
		count = count > INT32_MAX ? count : count * sizes[i];
	}
	if (count != file.size - header)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%s: the header asks for %s%llu values, there are %zu",
		                 count > file.size - header ? "cut off" : "too long",
		                 count > INT32_MAX ? "at least " : "", (unsigned long long)count,
		                 file.size - header);
	*values = (espl_span){file.data + header, (size_t)count};
	return ESPL_OK;
}

static espl_status read_one(const char *path, int dimensions, espl_arena *arena, uint32_t *sizes,
                            espl_span *values, espl_error *err)
{
	espl_status status;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	if (espl_is_gzip(file)) {
		status = espl_gunzip(file, arena, &file, err);
		if (status)
			return espl_context(err, status, path);
	}
	status = parse(file, dimensions, sizes, values, err);
	return espl_context(err, status, path);
}

espl_status espl_read_idx(const char *images, const char *labels, espl_arena *arena,
                          espl_samples *out, espl_error *err)
{
	uint32_t sizes[IMAGE_DIMENSIONS] = {0}, count = 0;
	espl_span pixels = {0}, classes = {0};

	ESPL_TRY(read_one(images, IMAGE_DIMENSIONS, arena, sizes, &pixels, err));
	ESPL_TRY(read_one(labels, 1, arena, &count, &classes, err));
	if (count != sizes[0]) {
		espl_fail(err, ESPL_SHAPE, "%u labels, there are %u images", (unsigned)count,
		          (unsigned)sizes[0]);
		return espl_context(err, ESPL_SHAPE, labels);
	}
	*out = (espl_samples){.count = (int)sizes[0],
	                      .rows = (int)sizes[1],
	                      .columns = (int)sizes[2],
	                      .channels = 1,
	                      .bytes = pixels.data,
	                      .labels = classes.data};
	return ESPL_OK;
}
