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

static const char *npy_type(const espl_port *port)
{
	return port->is_float ? "'<f4'" : port->is_unsigned ? "'|u1'" : "'|i1'";
}

/* Finds the data of a .npy file of version 1 or 2; the type must be that of the port. */
static espl_status open_npy(const char *path, const espl_port *port, espl_arena *arena,
                            espl_span *file, espl_error *err)
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
	if (!strstr(text, npy_type(port)))
		return espl_fail(err, ESPL_SHAPE,
		                 "%s: the type is not %s, which the network's input is", path,
		                 npy_type(port));
	file->data += start + header;
	file->size -= start + header;
	return ESPL_OK;
}

espl_status cli_read_samples(const char *path, const espl_port *port, espl_arena *arena,
                             const unsigned char **data, size_t *count, espl_error *err)
{
	const size_t bytes = port->bytes;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	if (is_npy(path))
		ESPL_TRY(open_npy(path, port, arena, &file, err));
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
	int length, sizes[3];

	if (!is_npy(path))
		return espl_file_write(path, data, size, err);
	for (int i = 0; i < 3; i++)
		sizes[i] = port->order[i] == 0   ? port->rows
		           : port->order[i] == 1 ? port->columns
		                                 : port->channels;
	length = snprintf(header, sizeof(header),
	                  "{'descr': %s, 'fortran_order': False, 'shape': (%zu, %d, %d, %d), }",
	                  npy_type(port), count, sizes[0], sizes[1], sizes[2]);
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

		ESPL_TRY(cli_read_samples(options->inputs[i], &ports[i], arena, &bytes, &count,
		                          err));
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
