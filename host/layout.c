/* Tensors to the input stream, the output packet and the memories to tensors.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/layout.h"

#include "math/softmax.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MEMORY_WIDE = 0, MEMORY_VECTOR = 2, FLAG_INPUT = 1 << 5, FLAG_GO = 1 << 6 };

static size_t elements(const espl_port *port)
{
	return (size_t)port->rows * (size_t)port->columns * (size_t)port->channels;
}

static size_t word_beats(int bytes)
{
	return (size_t)(bytes + 7) / 8;
}

static size_t vector_slots(const espl_manifest *m, const espl_manifest_tensor *t)
{
	return (elements(&t->port) + (size_t)m->splits - 1) / (size_t)m->splits;
}

size_t espl_layout_input_beats(const espl_manifest *m)
{
	size_t beats = 0;

	for (int i = 0; i < m->input_count; i++) {
		const espl_manifest_tensor *t = &m->inputs[i];

		if (t->at == ESPL_AT_WIDE)
			beats += (size_t)t->plane_count *
			         (1 + (size_t)t->plane_words * word_beats(m->lanes));
		else
			beats += 1 + vector_slots(m, t) * word_beats(m->splits);
	}
	return beats;
}

/* Header {splits 16, count 16, address 24, 0, go, input, memory 5}. */
static uint64_t header(int memory, uint32_t splits, size_t address, size_t count, bool go)
{
	return (uint64_t)memory | FLAG_INPUT | (go ? FLAG_GO : 0) | (uint64_t)address << 8 |
	       (uint64_t)count << 32 | (uint64_t)splits << 48;
}

static uint64_t *encode_planes(const espl_manifest *m, const espl_manifest_tensor *t,
                               const void *values, bool last, uint64_t *to)
{
	const size_t beats = (size_t)t->plane_words * word_beats(m->lanes);

	for (int p = 0; p < t->plane_count; p++) {
		const espl_manifest_plane *plane = &t->planes[p];
		unsigned char *bytes;

		*to++ = header(MEMORY_WIDE, plane->splits, (size_t)plane->word,
		               (size_t)t->plane_words, last && p == t->plane_count - 1);
		memset(to, 0, beats * sizeof(*to));
		bytes = (unsigned char *)to;
		for (int y = plane->phase_row; y < t->port.rows; y += t->phase_rows)
			for (int x = plane->phase_column; x < t->port.columns;
			     x += t->phase_columns)
				bytes[y / t->phase_rows * t->pitch + x / t->phase_columns] =
				        (unsigned char)(espl_port_store(
				                                &t->port, values,
				                                ((size_t)y *
				                                         (size_t)t->port.columns +
				                                 (size_t)x) * (size_t)t->port
				                                                        .channels +
				                                        (size_t)plane->channel) +
				                        128);
		to += beats;
	}
	return to;
}

static uint64_t *encode_vector(const espl_manifest *m, const espl_manifest_tensor *t,
                               const void *values, bool last, uint64_t *to)
{
	const size_t count = elements(&t->port), slots = vector_slots(m, t);
	const size_t splits = (size_t)m->splits, bytes_per_slot = 8 * word_beats(m->splits);
	unsigned char *bytes;

	*to++ = header(MEMORY_VECTOR, 0, (size_t)t->base / splits, slots, last);
	bytes = (unsigned char *)to;
	memset(bytes, 0, slots * bytes_per_slot);
	for (size_t e = 0; e < count; e++)
		bytes[e / splits * bytes_per_slot + e % splits] =
		        (unsigned char)espl_port_store(&t->port, values, e);
	return to + slots * word_beats(m->splits);
}

void espl_layout_encode(const espl_manifest *m, const void *const *inputs, uint64_t *beats)
{
	for (int i = 0; i < m->input_count; i++) {
		const espl_manifest_tensor *t = &m->inputs[i];
		const bool last = i == m->input_count - 1;

		if (t->at == ESPL_AT_WIDE)
			beats = encode_planes(m, t, inputs[i], last, beats);
		else
			beats = encode_vector(m, t, inputs[i], last, beats);
	}
}

/* Calls for each live element: its index in the tensor, and in the place. */
static void fill_constants(const espl_manifest_tensor *t, int8_t *values)
{
	const size_t positions = (size_t)t->port.rows * (size_t)t->port.columns;

	for (int c = 0; c < t->constant_count; c++)
		for (size_t p = 0; p < positions; p++)
			values[p * (size_t)t->port.channels + (size_t)t->constants[2 * c]] =
			        (int8_t)t->constants[2 * c + 1];
}

static size_t place_of(const espl_manifest_tensor *t, int row, int column, int live)
{
	return (size_t)t->base + (size_t)live * (size_t)t->channel_stride +
	       ((size_t)row * (size_t)t->pitch + (size_t)column) * (size_t)t->position_stride;
}

void espl_layout_decode(const espl_manifest *m, const uint64_t *packet, espl_arena *scratch,
                        void *const *outputs)
{
	for (int o = 0; o < m->output_count; o++) {
		const espl_manifest_tensor *t = &m->outputs[o];
		const espl_mark mark = espl_arena_mark(scratch);
		const size_t count = elements(&t->port);
		int8_t *values = ESPL_ARRAY(scratch, int8_t, count);

		fill_constants(t, values);
		for (int y = 0; y < t->port.rows; y++)
			for (int x = 0; x < t->port.columns; x++)
				for (int c = 0; c < t->live_count; c++) {
					const size_t at = place_of(t, y, x, c);

					values[((size_t)y * (size_t)t->port.columns + (size_t)x) *
					               (size_t)t->port.channels +
					       (size_t)t->live[c]] =
					        (int8_t)((int)(packet[at / 8] >> at % 8 * 8 & 255) -
					                 128);
				}
		if (t->softmax >= 0)
			espl_softmax(values, (int)count, t->softmax_scale, t->softmax_least,
			             values);
		for (size_t i = 0; i < count; i++)
			espl_port_restore(&t->port, values[i], outputs[o], i);
		espl_arena_release(scratch, mark);
	}
}

static void gather_planes(const espl_manifest *m, const espl_manifest_tensor *t, const void *user,
                          espl_memory wide, int8_t *values)
{
	for (int p = 0; p < t->plane_count; p++) {
		const espl_manifest_plane *plane = &t->planes[p];
		const uint8_t *bytes;
		int split = 0;

		while (!(plane->splits >> split & 1))
			split++;
		bytes = wide(user, split) + (size_t)plane->word * (size_t)m->lanes;
		for (int y = plane->phase_row; y < t->port.rows; y += t->phase_rows)
			for (int x = plane->phase_column; x < t->port.columns;
			     x += t->phase_columns)
				values[((size_t)y * (size_t)t->port.columns + (size_t)x) *
				               (size_t)t->port.channels +
				       (size_t)plane->channel] =
				        (int8_t)(bytes[y / t->phase_rows * t->pitch +
				                       x / t->phase_columns] -
				                 128);
	}
}

void espl_layout_gather(const espl_manifest *m, const espl_manifest_tensor *t, const void *user,
                        espl_memory wide, espl_memory vector, int8_t *values)
{
	fill_constants(t, values);
	if (t->at == ESPL_AT_WIDE) {
		gather_planes(m, t, user, wide, values);
		return;
	}
	for (int y = 0; y < t->port.rows; y++)
		for (int x = 0; x < t->port.columns; x++)
			for (int c = 0; c < t->live_count; c++) {
				const size_t e = place_of(t, y, x, c);

				values[((size_t)y * (size_t)t->port.columns + (size_t)x) *
				               (size_t)t->port.channels +
				       (size_t)t->live[c]] = (int8_t)
				        vector(user,
				               (int)(e % (size_t)m->splits))[e / (size_t)m->splits];
			}
}
