/* CSV tables of numbers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "data/readers.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const char *at; /* the next line; the text ends with a zero byte */
	const char *end;
	int number; /* of the line before it, from 1 */
} lines;

/* Finds the next line that is not blank.
 *   out  *first, *last  its text is [first, last), without the end of line */
static bool next_line(lines *in, const char **first, const char **last)
{
	while (in->at < in->end) {
		const char *newline = memchr(in->at, '\n', (size_t)(in->end - in->at));

		*first = in->at;
		*last = newline ? newline : in->end;
		in->at = newline ? newline + 1 : in->end;
		in->number++;
		while (*last > *first && strchr(" \t\r", (*last)[-1]))
			--*last;
		if (*last > *first)
			return true;
	}
	return false;
}

/* Reads one number and the comma behind it. Returns NULL when there is none. */
static const char *next_number(const char *at, const char *last, double *value)
{
	char *behind;

	at += strspn(at, " \t");
	if (at >= last)
		return NULL;
	*value = strtod(at, &behind);
	if (behind == at || behind > last)
		return NULL;
	behind += strspn(behind, " \t");
	if (behind >= last)
		return last;
	return *behind == ',' ? behind + 1 : NULL;
}

static int count_fields(const char *first, const char *last)
{
	int count = 1;

	for (; first < last; first++)
		count += *first == ',';
	return count;
}

static espl_status read_fields(const char *at, const char *last, int count, int line, double *out,
                               espl_error *err)
{
	for (int i = 0; i < count; i++) {
		at = next_number(at, last, &out[i]);
		if (!at)
			return espl_fail(err, ESPL_SYNTAX, "line %d: field %d is no number", line,
			                 i + 1);
		if (!isfinite(out[i]) || fabs(out[i]) > FLT_MAX)
			return espl_fail(err, ESPL_RANGE, "line %d: field %d is %s", line, i + 1,
			                 isnan(out[i]) ? "NaN" : "larger than a float");
	}
	return ESPL_OK;
}

/* Whether a line starts with a name; "nan" and "inf" are numbers, though bad ones. */
static bool is_heading(const char *at)
{
	char *behind;

	at += strspn(at, " \t");
	if (!isalpha((unsigned char)*at) && !strchr("\"'_#", *at))
		return false;
	strtod(at, &behind);
	return behind == at || isalpha((unsigned char)*behind);
}

/* Counts the table: `fields` of the first line of numbers, and lines of it. */
static espl_status measure(lines *in, int *rows, int *fields, espl_error *err)
{
	const char *first, *last;
	lines start = *in, ahead;

	if (!next_line(in, &first, &last))
		return espl_fail(err, ESPL_SYNTAX, "is empty");
	if (!is_heading(first))
		*in = start;
	ahead = *in;
	*rows = 0;
	while (next_line(&ahead, &first, &last)) {
		const int count = count_fields(first, last);

		if (!*rows)
			*fields = count;
		if (count != *fields)
			return espl_fail(err, ESPL_SHAPE, "line %d has %d fields, those above %d",
			                 ahead.number, count, *fields);
		++*rows;
	}
	if (!*rows)
		return espl_fail(err, ESPL_SYNTAX, "has a heading and no numbers");
	if (*fields < 2)
		return espl_fail(err, ESPL_SHAPE, "has 1 field a line; values and a label are 2");
	return ESPL_OK;
}

static espl_status parse(espl_span file, espl_arena *arena, espl_samples *out, espl_error *err)
{
	lines in = {(const char *)file.data, (const char *)file.data + file.size, 0};
	const char *first, *last;
	int rows = 0, fields = 0;
	uint8_t *labels;
	double *values;
	float *floats;

	if (file.size >= 3 && !memcmp(in.at, "\xef\xbb\xbf", 3)) /* a byte order mark */
		in.at += 3;
	ESPL_TRY(measure(&in, &rows, &fields, err));
	floats = ESPL_ARRAY(arena, float, (size_t)rows *(fields - 1));
	labels = ESPL_ARRAY(arena, uint8_t, rows);
	values = ESPL_ARRAY(arena, double, fields);
	for (int row = 0; row < rows && next_line(&in, &first, &last); row++) {
		double label;

		ESPL_TRY(read_fields(first, last, fields, in.number, values, err));
		label = values[fields - 1];
		if (label != floor(label) || fabs(label) > 1e9)
			return espl_fail(err, ESPL_RANGE,
			                 "line %d: the label, %g, is no whole number", in.number,
			                 label);
		ESPL_TRY(espl_read_label((int64_t)label, row, &labels[row], err));
		for (int i = 0; i < fields - 1; i++)
			floats[(size_t)row * (fields - 1) + i] = (float)values[i];
	}
	*out = (espl_samples){.count = rows,
	                      .rows = 1,
	                      .columns = 1,
	                      .channels = fields - 1,
	                      .floats = floats,
	                      .labels = labels};
	return ESPL_OK;
}

espl_status espl_read_csv(const char *path, espl_arena *arena, espl_samples *out, espl_error *err)
{
	espl_status status;
	espl_span file;

	ESPL_TRY(espl_file_read(path, arena, &file, err));
	status = parse(file, arena, out, err);
	return espl_context(err, status, path);
}
