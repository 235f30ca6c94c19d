/* Samples in files: raw little-endian tensors, one after another, or .npy.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static bool is_npy(const char *path)
{
	const size_t length = strlen(path);

	return length > 4 && !strcmp(path + length - 4, ".npy");
}

/* Finds the data of a .npy file of version 1 or 2; the type must be that of the port. */
static espl_status open_npy(const char *path, bool is_float, espl_arena *arena, espl_span *file,
                            espl_error *err)
{
	size_t header, start;
	const char *text;

	if (file->size < 12 || memcmp(file->data, "\x93NUMPY", 6))
		return espl_fail(err, ESPL_SYNTAX, "%s: not a .npy file", path);
	start = file->data[6] == 1 ? 10 : 12;
	header = (size_t)file->data[8] | (size_t)file->data[9] << 8;
	if (start == 12)
		header |= (size_t)file->data[10] << 16 | (size_t)file->data[11] << 24;
	if (header > file->size - start)
		return espl_fail(err, ESPL_SYNTAX, "%s: the header reaches beyond the file", path);
	text = espl_arena_format(arena, "%.*s", (int)header, (const char *)file->data + start);
	if (strstr(text, "'fortran_order': True"))
		return espl_fail(err, ESPL_SYNTAX, "%s: Fortran order; save it in C order", path);
	if (!strstr(text, is_float ? "'<f4'" : "'|i1'"))
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: the type is not %s, which the network's input is", path,
		                 is_float ? "float32 (<f4)" : "int8 (|i1)");
	file->data += start + header;
	file->size -= start + header;
	return ESPL_OK;
}

espl_status cli_read_samples(const char *path, size_t bytes, bool is_float, espl_arena *arena,
                             const unsigned char **data, size_t *count, espl_error *err)
{
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	if (is_npy(path))
		ESPL_TRY(open_npy(path, is_float, arena, &file, err));
	if (!file.size || file.size % bytes)
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: %zu bytes are not whole samples of %zu bytes", path,
		                 file.size, bytes);
	*data = file.data;
	*count = file.size / bytes;
	return ESPL_OK;
}

espl_status cli_write_samples(const char *path, const espl_port *port, const void *data,
                              size_t count, espl_arena *arena, espl_error *err)
{
	const size_t size = port->bytes * count;
	unsigned char *bytes;
	char header[128];
	int length;

	if (!is_npy(path))
		return espl_file_write(path, data, size, err);
	length = snprintf(header, sizeof(header),
	                  "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %d, %d, %d), }",
	                  port->is_float ? "<f4" : "|i1", count, port->rows, port->columns,
	                  port->channels);
	memset(header + length, ' ', sizeof(header) - (size_t)length);
	header[117] = '\n';
	bytes = espl_arena_calloc(arena, 128 + size, 1);
	memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
	memcpy(bytes + 10, header, 118);
	memcpy(bytes + 128, data, size);
	return espl_file_write(path, bytes, 128 + size, err);
}

espl_status cli_read_inputs(const cli_options *options, int input_count, const espl_port *ports,
                            espl_arena *arena, const void **data, size_t *samples, espl_error *err)
{
	if (options->input_count != input_count)
		return espl_fail(err, ESPL_USAGE,
		                 "the network has %d inputs, --input was given %d times",
		                 input_count, options->input_count);
	for (int i = 0; i < input_count; i++) {
		const unsigned char *bytes = NULL;
		size_t count = 0;

		ESPL_TRY(cli_read_samples(options->inputs[i], ports[i].bytes, ports[i].is_float,
		                          arena, &bytes, &count, err));
		if (i && count != *samples)
			return espl_fail(err, ESPL_SHAPE, "%s has %zu samples, %s has %zu",
			                 options->inputs[i], count, options->inputs[0], *samples);
		data[i] = bytes;
		*samples = count;
	}
	if (options->samples && (size_t)options->samples < *samples)
		*samples = (size_t)options->samples;
	return ESPL_OK;
}
