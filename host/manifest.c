/* manifest.json, read (docs/format.md).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/manifest.h"

#include "base/file.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 28 };

/* A row of exactly `count` integers. */
static espl_status row_of(const espl_json *list, int64_t *out, int count, const char *what,
                          espl_error *err)
{
	int i = 0;

	for (const espl_json *v = espl_json_first(list); v; v = espl_json_next(v), i++) {
		int64_t value;

		if (i == count || espl_json_value_integer(v, -MOST, MOST, &value))
			break;
		out[i] = value;
	}
	if (i != count || espl_json_count(list) != count)
		return espl_fail(err, ESPL_SYNTAX, "%s: a row is not %d integers", what, count);
	return ESPL_OK;
}

static espl_status read_planes(const espl_json *json, const espl_manifest *m, espl_arena *arena,
                               espl_manifest_tensor *out, espl_error *err)
{
	const espl_json *list;
	int i = 0;

	ESPL_TRY(espl_json_int(json, "phase_rows", 1, 64, &out->phase_rows, err));
	ESPL_TRY(espl_json_int(json, "phase_columns", 1, 64, &out->phase_columns, err));
	ESPL_TRY(espl_json_int(json, "pitch", 1, MOST, &out->pitch, err));
	ESPL_TRY(espl_json_int(json, "plane_rows", 1, MOST, &out->plane_rows, err));
	ESPL_TRY(espl_json_int(json, "plane_words", 1, 1 << 17, &out->plane_words, err));
	ESPL_TRY(espl_json_array(json, "planes", &list, err));
	out->plane_count = espl_json_count(list);
	out->planes = ESPL_ARRAY(arena, espl_manifest_plane, out->plane_count);
	for (const espl_json *p = espl_json_first(list); p; p = espl_json_next(p)) {
		int64_t row[5];

		ESPL_TRY(row_of(p, row, 5, "planes", err));
		if (row[0] < 0 || row[0] >= out->port.channels || row[1] < 0 ||
		    row[1] >= out->phase_rows || row[2] < 0 || row[2] >= out->phase_columns ||
		    row[3] < 1 || row[3] >= 1 << m->splits || row[4] < 0 ||
		    row[4] + out->plane_words > m->wide_depth ||
		    (int64_t)out->plane_rows * out->pitch > (int64_t)out->plane_words * m->lanes ||
		    (int64_t)out->plane_rows * out->phase_rows < out->port.rows ||
		    (int64_t)out->pitch * out->phase_columns < out->port.columns)
			return espl_fail(err, ESPL_RANGE, "%s: plane %d lies outside the memory",
			                 out->port.name, i);
		out->planes[i++] = (espl_manifest_plane){(int)row[0], (int)row[1], (int)row[2],
		                                         (uint32_t)row[3], (int)row[4]};
	}
	return ESPL_OK;
}

static espl_status read_place(const espl_json *json, const espl_manifest *m, espl_arena *arena,
                              espl_manifest_tensor *out, espl_error *err)
{
	const char *place;
	int64_t last, room;

	ESPL_TRY(espl_json_string(json, "place", &place, err));
	if (!strcmp(place, "wide")) {
		out->at = ESPL_AT_WIDE;
		return read_planes(json, m, arena, out, err);
	}
	out->at = strcmp(place, "vector") ? ESPL_AT_OUTPUT : ESPL_AT_VECTOR;
	ESPL_TRY(espl_json_int(json, "base", 0, MOST, &out->base, err));
	ESPL_TRY(espl_json_int(json, "channel_stride", 1, MOST, &out->channel_stride, err));
	ESPL_TRY(espl_json_int(json, "position_stride", 1, MOST, &out->position_stride, err));
	ESPL_TRY(espl_json_int(json, "pitch", 1, MOST, &out->pitch, err));
	last = out->base + (int64_t)(out->live_count - 1) * out->channel_stride +
	       ((int64_t)(out->port.rows - 1) * out->pitch + out->port.columns - 1) *
	               out->position_stride;
	room = out->at == ESPL_AT_VECTOR ? (int64_t)m->narrow_depth * m->splits
	                                 : (int64_t)m->output_beats * 8;
	if (last >= room || (out->at == ESPL_AT_VECTOR && out->base % m->splits))
		return espl_fail(err, ESPL_RANGE, "%s: element %lld lies outside the memory",
		                 out->port.name, (long long)last);
	return ESPL_OK;
}

static espl_status read_constants(const espl_json *json, espl_arena *arena,
                                  espl_manifest_tensor *out, espl_error *err)
{
	const espl_json *list;
	int i = 0;

	ESPL_TRY(espl_json_integers(json, "live", 0, out->port.channels - 1, arena, &out->live,
	                            &out->live_count, err));
	ESPL_TRY(espl_json_array(json, "constants", &list, err));
	out->constant_count = espl_json_count(list);
	out->constants = ESPL_ARRAY(arena, int64_t, 2 * out->constant_count);
	for (const espl_json *c = espl_json_first(list); c; c = espl_json_next(c), i++) {
		ESPL_TRY(row_of(c, out->constants + 2 * i, 2, "constants", err));
		if (out->constants[2 * i] < 0 || out->constants[2 * i] >= out->port.channels)
			return espl_fail(err, ESPL_RANGE, "%s: constant channel %lld",
			                 out->port.name, (long long)out->constants[2 * i]);
	}
	if (!out->live_count)
		return espl_fail(err, ESPL_SHAPE, "%s: no live channel", out->port.name);
	return ESPL_OK;
}

/* The order of the values, and how halves are rounded, where the manifest says. */
static espl_status read_order(const espl_json *json, espl_manifest_tensor *out, espl_error *err)
{
	const espl_json *list;
	const char *halves;
	int64_t order[3];

	for (int i = 0; i < 3; i++)
		out->port.order[i] = i;
	if (espl_json_has(json, "halves")) {
		ESPL_TRY(espl_json_string(json, "halves", &halves, err));
		out->port.halves_to_even = !strcmp(halves, "even");
	}
	if (!espl_json_has(json, "order"))
		return ESPL_OK;
	ESPL_TRY(espl_json_array(json, "order", &list, err));
	ESPL_TRY(row_of(list, order, 3, "order", err));
	for (int i = 0; i < 3; i++)
		out->port.order[i] = (int)order[i];
	if ((1 << (order[0] & 7) | 1 << (order[1] & 7) | 1 << (order[2] & 7)) != 7 ||
	    (order[0] | order[1] | order[2]) >> 2)
		return espl_fail(err, ESPL_RANGE,
		                 "%s: the order is none of rows, columns, channels",
		                 out->port.name);
	return ESPL_OK;
}

static espl_status read_tensor(const espl_json *json, const espl_manifest *m, espl_arena *arena,
                               espl_manifest_tensor *out, espl_error *err)
{
	const char *name, *type;
	int zero;

	ESPL_TRY(espl_json_string(json, "name", &name, err));
	ESPL_TRY(espl_json_string(json, "type", &type, err));
	out->port.name = espl_arena_string(arena, name);
	out->port.is_float = !strcmp(type, "float32");
	out->port.is_unsigned = !strcmp(type, "uint8");
	ESPL_TRY(read_order(json, out, err));
	ESPL_TRY(espl_json_int(json, "rows", 1, MOST, &out->port.rows, err));
	ESPL_TRY(espl_json_int(json, "columns", 1, MOST, &out->port.columns, err));
	ESPL_TRY(espl_json_int(json, "channels", 1, MOST, &out->port.channels, err));
	ESPL_TRY(espl_json_int(json, "net_tensor", 0, MOST, &out->net_tensor, err));
	ESPL_TRY(espl_json_int(json, "zero_point", -128, 127, &zero, err));
	ESPL_TRY(espl_json_number(json, "scale", &out->port.scale, err));
	ESPL_TRY(espl_json_int(json, "softmax", -1, MOST, &out->softmax, err));
	if ((int64_t)out->port.rows * out->port.columns > MOST ||
	    (int64_t)out->port.rows * out->port.columns * out->port.channels > MOST)
		return espl_fail(err, ESPL_RANGE, "%s: too many elements", out->port.name);
	if (out->softmax >= 0) {
		ESPL_TRY(espl_json_int(json, "softmax_multiplier", 0, INT32_MAX,
		                       &out->softmax_scale.multiplier, err));
		ESPL_TRY(espl_json_int(json, "softmax_exponent", -31, 31,
		                       &out->softmax_scale.exponent, err));
		ESPL_TRY(espl_json_int(json, "softmax_least", INT32_MIN + 1, 0, &out->softmax_least,
		                       err));
	}
	out->port.zero_point = zero;
	out->port.bytes = (size_t)out->port.rows * (size_t)out->port.columns *
	                  (size_t)out->port.channels * (out->port.is_float ? sizeof(float) : 1);
	ESPL_TRY(read_constants(json, arena, out, err));
	return read_place(json, m, arena, out, err);
}

static espl_status read_tensors(const espl_json *json, const char *key, espl_manifest *m,
                                espl_arena *arena, espl_manifest_tensor **out, int *count,
                                espl_error *err)
{
	const espl_json *list;
	int i = 0;

	ESPL_TRY(espl_json_array(json, key, &list, err));
	*count = espl_json_count(list);
	*out = ESPL_ARRAY(arena, espl_manifest_tensor, *count);
	for (const espl_json *t = espl_json_first(list); t; t = espl_json_next(t))
		ESPL_TRY(espl_context(err, read_tensor(t, m, arena, &(*out)[i++], err), key));
	return ESPL_OK;
}

static espl_status read_engine(const espl_json *json, espl_manifest *m, espl_arena *arena,
                               espl_error *err)
{
	const espl_json *engine;
	const char *hex, *text = "";

	ESPL_TRY(espl_json_object(json, "engine", &engine, err));
	ESPL_TRY(espl_json_int(engine, "Lanes", 8, 32, &m->lanes, err));
	ESPL_TRY(espl_json_int(engine, "Splits", 1, 16, &m->splits, err));
	ESPL_TRY(espl_json_int(engine, "WideDepth", 2, 1 << 17, &m->wide_depth, err));
	ESPL_TRY(espl_json_int(engine, "NarrowDepth", 2, 1 << 17, &m->narrow_depth, err));
	for (const espl_json *p = espl_json_first(engine); p; p = espl_json_next(p)) {
		int64_t value;

		if (espl_json_value_integer(p, 0, 1 << 20, &value))
			return espl_fail(err, ESPL_SYNTAX, "engine: %s is not a parameter",
			                 espl_json_key(p));
		text = espl_arena_format(arena, "%s%s%s=%lld", text, *text ? "," : "",
		                         espl_json_key(p), (long long)value);
	}
	m->parameters = text;
	ESPL_TRY(espl_json_string(json, "engine_identity", &hex, err));
	m->engine_identity = (uint32_t)strtoul(hex, NULL, 16);
	ESPL_TRY(espl_json_string(json, "program_identity", &hex, err));
	m->program_identity = strtoull(hex, NULL, 16);
	return ESPL_OK;
}

static espl_status read_layers(const espl_json *json, espl_manifest *m, espl_arena *arena,
                               espl_error *err)
{
	const espl_json *list;
	int i = 0;

	ESPL_TRY(espl_json_array(json, "layers", &list, err));
	m->layer_count = espl_json_count(list);
	m->layers = ESPL_ARRAY(arena, espl_manifest_layer, m->layer_count);
	for (const espl_json *l = espl_json_first(list); l; l = espl_json_next(l), i++) {
		const char *name;

		ESPL_TRY(espl_json_string(l, "name", &name, err));
		ESPL_TRY(espl_json_integer(l, "cycles", 0, INT64_C(1) << 50, &m->layers[i].cycles,
		                           err));
		m->layers[i].name = espl_arena_string(arena, name);
	}
	return ESPL_OK;
}

static espl_status read_all(const espl_json *json, espl_manifest *m, espl_arena *arena,
                            espl_error *err)
{
	int count;

	ESPL_TRY(espl_json_int(json, "format", 1, 1, &count, err));
	ESPL_TRY(read_engine(json, m, arena, err));
	ESPL_TRY(espl_json_integer(json, "latency_cycles", 0, INT64_C(1) << 50, &m->latency_cycles,
	                           err));
	ESPL_TRY(espl_json_integer(json, "interval_cycles", 0, INT64_C(1) << 50,
	                           &m->interval_cycles, err));
	ESPL_TRY(espl_json_integer(json, "load_cycles", 0, INT64_C(1) << 50, &m->load_cycles, err));
	ESPL_TRY(espl_json_int(json, "output_beats", 1, 65535, &m->output_beats, err));
	ESPL_TRY(espl_json_int(json, "output_delay", 0, INT32_MAX, &m->output_delay, err));
	ESPL_TRY(read_layers(json, m, arena, err));
	ESPL_TRY(read_tensors(json, "inputs", m, arena, &m->inputs, &m->input_count, err));
	ESPL_TRY(read_tensors(json, "outputs", m, arena, &m->outputs, &m->output_count, err));
	ESPL_TRY(read_tensors(json, "tensors", m, arena, &m->tensors, &count, err));
	if (count != m->layer_count || !m->input_count || !m->output_count)
		return espl_fail(err, ESPL_SHAPE, "%d layers, but %d tensors", m->layer_count,
		                 count);
	return ESPL_OK;
}

espl_status espl_manifest_read(const char *folder, espl_arena *arena, espl_manifest **out,
                               espl_error *err)
{
	const char *path = espl_arena_format(arena, "%s/manifest.json", folder);
	espl_manifest *m = ESPL_NEW(arena, espl_manifest);
	espl_status status;
	espl_json *json;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	m->folder = espl_arena_string(arena, folder);
	ESPL_TRY(espl_context(err, espl_json_parse((const char *)file.data, file.size, &json, err),
	                      path));
	status = read_all(json, m, arena, err);
	espl_json_destroy(json);
	ESPL_TRY(espl_context(err, status, path));
	*out = m;
	return ESPL_OK;
}
