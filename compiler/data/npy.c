/* NumPy's .npy files.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A magic, a version, the length of a header, the header as the text of a Python dictionary, then
 * the values. Only what numpy.save writes is read, not all that Python would take.
 */
#include "data/readers.h"

#include <math.h>
#include <string.h>

enum { DIMENSIONS_MAX = 4, HEADER_MAX = 1 << 16 };

/* A type of values: numpy's name, bytes each. */
typedef struct {
	const char *name;
	int bytes;
	bool is_float, is_signed;
} value_type;

static const value_type value_types[] = {
        {"|u1", 1, false, false}, {"|i1", 1, false, true},  {"<u2", 2, false, false},
        {"<i2", 2, false, true},  {"<u4", 4, false, false}, {"<i4", 4, false, true},
        {"<u8", 8, false, false}, {"<i8", 8, false, true},  {"<f4", 4, true, true},
        {"<f8", 8, true, true},   {"|b1", 1, false, false},
};

typedef struct {
	const value_type *type;
	int dimension_count;
	int sizes[DIMENSIONS_MAX];
	const unsigned char *data;
	size_t count; /* values */
} array;

/* What follows `'key':` in the header, or NULL. */
static const char *value_of(const char *header, const char *key)
{
	const size_t length = strlen(key);

	for (const char *at = header; (at = strchr(at, '\'')); at++) {
		if (strncmp(at + 1, key, length) || at[1 + length] != '\'')
			continue;
		at += length + 2;
		at += strspn(at, " ");
		if (*at != ':')
			continue;
		at++;
		return at + strspn(at, " ");
	}
	return NULL;
}

static espl_status read_type(const char *header, array *out, espl_error *err)
{
	const char *text = value_of(header, "descr");
	const char *order = value_of(header, "fortran_order");

	if (!text || !order)
		return espl_fail(err, ESPL_SYNTAX, "the header has no descr or no fortran_order");
	if (strncmp(order, "False", 5))
		return espl_fail(err, ESPL_UNSUPPORTED,
		                 "stored in Fortran's order; save numpy.ascontiguousarray of it");
	for (size_t i = 0; i < sizeof value_types / sizeof value_types[0]; i++) {
		const size_t length = strlen(value_types[i].name);

		if (text[0] == '\'' && !strncmp(text + 1, value_types[i].name, length) &&
		    text[1 + length] == '\'') {
			out->type = &value_types[i];
			return ESPL_OK;
		}
	}
	return espl_fail(err, ESPL_UNSUPPORTED,
	                 "values of type %.8s are not read; save uint8, float32 or int64", text);
}

/* Reads "(60000, 28, 28)" or "(60000,)". */
static espl_status read_shape(const char *header, array *out, espl_error *err)
{
	const char *at = value_of(header, "shape");

	if (!at || *at != '(')
		return espl_fail(err, ESPL_SYNTAX, "the header has no shape");
	at++;
	while (*at != ')') {
		int64_t size = 0;
		const char *digits;

		at += strspn(at, " ,");
		if (*at == ')')
			break;
		for (digits = at; *at >= '0' && *at <= '9'; at++)
			size = size > INT32_MAX ? size : size * 10 + (*at - '0');
		if (at == digits)
			return espl_fail(err, ESPL_SYNTAX, "the header's shape is malformed");
		if (size < 1 || size > INT32_MAX)
			return espl_fail(err, ESPL_SHAPE, "dimension %d is %lld",
			                 out->dimension_count, (long long)size);
		if (out->dimension_count == DIMENSIONS_MAX)
			return espl_fail(err, ESPL_SHAPE, "more than %d dimensions",
			                 DIMENSIONS_MAX);
		out->sizes[out->dimension_count++] = (int)size;
	}
	if (!out->dimension_count)
		return espl_fail(err, ESPL_SHAPE, "the shape has no dimensions");
	return ESPL_OK;
}

/* The header as text in `arena`, and what follows it in `out`. */
static espl_status split(espl_span file, espl_arena *arena, const char **header, espl_span *rest,
                         espl_error *err)
{
	const unsigned char *data = file.data;
	size_t length, start;
	char *text;

	if (file.size < 10 || memcmp(data, "\x93NUMPY", 6))
		return espl_fail(err, ESPL_SYNTAX, "is no .npy file: the magic is missing");
	if (data[6] < 1 || data[6] > 3)
		return espl_fail(err, ESPL_UNSUPPORTED, "version %d of .npy, 1 to 3 are read",
		                 data[6]);
	start = data[6] == 1 ? 10 : 12;
	if (file.size < start)
		return espl_fail(err, ESPL_SYNTAX, "cut off in the header");
	length = data[8] | (size_t)data[9] << 8;
	if (data[6] > 1)
		length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
	if (length > HEADER_MAX || length > file.size - start)
		return espl_fail(err, ESPL_SYNTAX, "cut off: a header of %zu bytes, there are %zu",
		                 length, file.size - start);
	text = espl_arena_calloc(arena, length + 1, 1);
	memcpy(text, data + start, length);
	*header = text;
	*rest = (espl_span){data + start + length, file.size - start - length};
	return ESPL_OK;
}

static espl_status parse(espl_span file, espl_arena *arena, array *out, espl_error *err)
{
	array result = {0};
	const char *header = "";
	uint64_t count = 1;
	espl_span rest = {0};

	ESPL_TRY(split(file, arena, &header, &rest, err));
	ESPL_TRY(read_type(header, &result, err));
	ESPL_TRY(read_shape(header, &result, err));
	/* a file has at most 2^30 bytes, so once past that the exact count is idle */
	for (int i = 0; i < result.dimension_count; i++)
		count = count > INT32_MAX ? count : count * (uint64_t)result.sizes[i];
	if (count * (uint64_t)result.type->bytes != rest.size)
		return espl_fail(err, ESPL_SYNTAX,
		                 "the header asks for %s%llu bytes of values, there are %zu",
		                 count > INT32_MAX ? "at least " : "",
		                 (unsigned long long)count * (unsigned)result.type->bytes,
		                 rest.size);
	result.data = rest.data;
	result.count = (size_t)count;
	*out = result;
	return ESPL_OK;
}

static espl_status read_array(const char *path, espl_arena *arena, array *out, espl_error *err)
{
	espl_status status;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	status = parse(file, arena, out, err);
	return espl_context(err, status, path);
}

static uint64_t bits_at(const unsigned char *at, int bytes)
{
	uint64_t bits = 0;

	for (int i = bytes - 1; i >= 0; i--)
		bits = bits << 8 | at[i];
	return bits;
}

static float float_at(const array *in, size_t index)
{
	const uint64_t bits = bits_at(in->data + index * in->type->bytes, in->type->bytes);
	const uint32_t low = (uint32_t)bits;
	float narrow;
	double wide;

	if (in->type->bytes == 4) {
		memcpy(&narrow, &low, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, &bits, sizeof wide);
	return (float)wide;
}

/* Saturates at the ends of int64. */
static int64_t integer_at(const array *in, size_t index)
{
	const int unused = 64 - 8 * in->type->bytes;
	uint64_t bits = bits_at(in->data + index * in->type->bytes, in->type->bytes);

	if (!in->type->is_signed)
		return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
	if (bits >> (63 - unused) & 1) /* negative: fill the bits above */
		bits |= unused ? ~UINT64_C(0) << (64 - unused) : 0;
	return (int64_t)bits;
}

static espl_status read_values(const array *in, espl_arena *arena, espl_samples *out,
                               espl_error *err)
{
	float *floats;

	if (in->dimension_count < 2)
		return espl_fail(err, ESPL_SHAPE, "samples have 2 to 4 dimensions, these have 1");
	out->count = in->sizes[0];
	out->rows = in->dimension_count > 2 ? in->sizes[1] : 1;
	out->columns = in->dimension_count > 2 ? in->sizes[2] : 1;
	out->channels = in->dimension_count == 2   ? in->sizes[1]
	                : in->dimension_count == 3 ? 1
	                                           : in->sizes[3];
	if (!in->type->is_float) {
		if (strcmp(in->type->name, "|u1"))
			return espl_fail(err, ESPL_UNSUPPORTED,
			                 "values of type %s; save uint8 or float32",
			                 in->type->name);
		out->bytes = in->data;
		return ESPL_OK;
	}
	floats = ESPL_ARRAY(arena, float, in->count);
	for (size_t i = 0; i < in->count; i++) {
		floats[i] = float_at(in, i);
		if (!isfinite(floats[i]))
			return espl_fail(err, ESPL_RANGE,
			                 "sample %zu has %s among its values, at place %zu",
			                 i / (in->count / out->count),
			                 isnan(floats[i]) ? "NaN" : "an infinity",
			                 i % (in->count / out->count));
	}
	out->floats = floats;
	return ESPL_OK;
}

static espl_status read_labels(const array *in, int count, espl_arena *arena, espl_samples *out,
                               espl_error *err)
{
	uint8_t *labels;

	if (in->count != (size_t)in->sizes[0])
		return espl_fail(err, ESPL_SHAPE, "%zu labels for %d samples; one each is read",
		                 in->count, in->sizes[0]);
	if (in->sizes[0] != count)
		return espl_fail(err, ESPL_SHAPE, "%d labels, there are %d samples", in->sizes[0],
		                 count);
	if (in->type->is_float)
		return espl_fail(err, ESPL_UNSUPPORTED, "labels are integers, these are %s",
		                 in->type->name);
	labels = ESPL_ARRAY(arena, uint8_t, count);
	for (int i = 0; i < count; i++)
		ESPL_TRY(espl_read_label(integer_at(in, (size_t)i), i, &labels[i], err));
	out->labels = labels;
	return ESPL_OK;
}

espl_status espl_read_npy(const char *values, const char *labels, espl_arena *arena,
                          espl_samples *out, espl_error *err)
{
	espl_samples result = {0};
	espl_status status;
	array in = {0};

	ESPL_TRY(read_array(values, arena, &in, err));
	status = read_values(&in, arena, &result, err);
	if (status)
		return espl_context(err, status, values);
	ESPL_TRY(read_array(labels, arena, &in, err));
	status = read_labels(&in, result.count, arena, &result, err);
	if (status)
		return espl_context(err, status, labels);
	*out = result;
	return ESPL_OK;
}
