/* JSON by cJSON, with our own checks around it, and a writer of our own.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

static const double exact_integer_max = 9007199254740992.0; /* 2^53 */

/* Fails at offset `at`, saying where that is. */
static espl_status fail_at(espl_error *err, const char *text, size_t at, const char *what)
{
	int line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return espl_fail(err, ESPL_SYNTAX, "line %d column %d: %s", line, column, what);
}

/* Refuses what cJSON would let pass or not survive: bytes of value 0, \u0000, deep nesting. */
static espl_status check_text(const char *text, size_t size, espl_error *err)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < size; i++) {
		const char c = text[i];

		if (c == '\0')
			return fail_at(err, text, i, "a byte of value 0");
		if (in_string && c == '\\') {
			if (size - i >= 6 && !memcmp(text + i, "\\u0000", 6))
				return fail_at(err, text, i, "a character of value 0");
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '[' || c == '{')) {
			if (++depth > DEPTH_MAX)
				return fail_at(err, text, i, "nested deeper than 64");
		} else if (!in_string && (c == ']' || c == '}')) {
			depth--;
		}
	}
	return ESPL_OK;
}

espl_status espl_json_parse(const char *text, size_t size, espl_json **out, espl_error *err)
{
	const char *end = text;
	cJSON *document;

	ESPL_TRY(check_text(text, size, err));
	document = cJSON_ParseWithLengthOpts(text, size, &end, 0);
	if (!document) {
		size_t at = end ? (size_t)(end - text) : 0;

		return fail_at(err, text, at < size ? at : size, "not JSON");
	}
	while (end < text + size && strchr(" \t\r\n", *end))
		end++;
	if (end < text + size) {
		cJSON_Delete(document);
		return fail_at(err, text, (size_t)(end - text), "more text behind the value");
	}
	*out = document;
	return ESPL_OK;
}

void espl_json_destroy(espl_json *value)
{
	cJSON_Delete(value);
}

/* Finds a member of a wanted type. */
static espl_status find(const espl_json *object, const char *key,
                        cJSON_bool (*is_wanted)(const cJSON *), const char *wanted,
                        const cJSON **out, espl_error *err)
{
	const cJSON *member = NULL;

	if (!cJSON_IsObject(object))
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is looked for in what is not an object",
		                 key);
	member = cJSON_GetObjectItemCaseSensitive(object, key);
	if (!member)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is missing", key);
	if (!is_wanted(member))
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is not %s", key, wanted);
	*out = member;
	return ESPL_OK;
}

static espl_status to_integer(const cJSON *value, const char *key, int64_t low, int64_t high,
                              int64_t *out, espl_error *err)
{
	const double number = value->valuedouble;

	if (!cJSON_IsNumber(value) || !(fabs(number) <= exact_integer_max) ||
	    floor(number) < number)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is not an integer", key);
	if (low == high && (int64_t)number != low)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is %lld, it must be %lld", key,
		                 (long long)number, (long long)low);
	if ((int64_t)number < low || (int64_t)number > high)
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is %lld, it must be %lld to %lld", key,
		                 (long long)number, (long long)low, (long long)high);
	*out = (int64_t)number;
	return ESPL_OK;
}

espl_status espl_json_value_integer(const espl_json *value, int64_t low, int64_t high, int64_t *out)
{
	return to_integer(value, "", low, high, out, NULL);
}

espl_status espl_json_value_string(const espl_json *value, const char **out)
{
	if (!cJSON_IsString(value))
		return ESPL_SYNTAX;
	*out = value->valuestring;
	return ESPL_OK;
}

espl_status espl_json_integer(const espl_json *object, const char *key, int64_t low, int64_t high,
                              int64_t *out, espl_error *err)
{
	const cJSON *member = NULL;

	ESPL_TRY(find(object, key, cJSON_IsNumber, "a number", &member, err));
	return to_integer(member, key, low, high, out, err);
}

espl_status espl_json_int(const espl_json *object, const char *key, int low, int high, int *out,
                          espl_error *err)
{
	int64_t value = 0;

	ESPL_TRY(espl_json_integer(object, key, low, high, &value, err));
	*out = (int)value;
	return ESPL_OK;
}

espl_status espl_json_number(const espl_json *object, const char *key, double *out, espl_error *err)
{
	const cJSON *member = NULL;

	ESPL_TRY(find(object, key, cJSON_IsNumber, "a number", &member, err));
	if (!isfinite(member->valuedouble))
		return espl_fail(err, ESPL_SYNTAX, "\"%s\" is too large", key);
	*out = member->valuedouble;
	return ESPL_OK;
}

espl_status espl_json_string(const espl_json *object, const char *key, const char **out,
                             espl_error *err)
{
	const cJSON *member = NULL;

	ESPL_TRY(find(object, key, cJSON_IsString, "a string", &member, err));
	*out = member->valuestring;
	return ESPL_OK;
}

espl_status espl_json_bool(const espl_json *object, const char *key, bool *out, espl_error *err)
{
	const cJSON *member = NULL;

	ESPL_TRY(find(object, key, cJSON_IsBool, "true or false", &member, err));
	*out = cJSON_IsTrue(member);
	return ESPL_OK;
}

espl_status espl_json_array(const espl_json *object, const char *key, const espl_json **out,
                            espl_error *err)
{
	return find(object, key, cJSON_IsArray, "an array", out, err);
}

espl_status espl_json_object(const espl_json *object, const char *key, const espl_json **out,
                             espl_error *err)
{
	return find(object, key, cJSON_IsObject, "an object", out, err);
}

bool espl_json_has(const espl_json *object, const char *key)
{
	return cJSON_IsObject(object) && cJSON_HasObjectItem(object, key);
}

int espl_json_count(const espl_json *array_or_object)
{
	return cJSON_GetArraySize(array_or_object);
}

const espl_json *espl_json_at(const espl_json *array, int index)
{
	return cJSON_GetArrayItem(array, index);
}

const espl_json *espl_json_first(const espl_json *container)
{
	return container ? container->child : NULL;
}

const espl_json *espl_json_next(const espl_json *value)
{
	return value->next;
}

const char *espl_json_key(const espl_json *member)
{
	return member->string ? member->string : "";
}

espl_status espl_json_integers(const espl_json *object, const char *key, int64_t low, int64_t high,
                               espl_arena *arena, int64_t **out, int *count, espl_error *err)
{
	const espl_mark before = espl_arena_mark(arena);
	const cJSON *array = NULL;
	int64_t *values;
	int found = 0;

	ESPL_TRY(find(object, key, cJSON_IsArray, "an array", &array, err));
	values = ESPL_ARRAY(arena, int64_t, cJSON_GetArraySize(array));
	for (const cJSON *item = array->child; item; item = item->next) {
		const espl_status status = to_integer(item, key, low, high, &values[found++], err);

		if (status != ESPL_OK) {
			espl_arena_release(arena, before);
			return status;
		}
	}
	*out = values;
	*count = found;
	return ESPL_OK;
}

espl_status espl_json_exactly(const espl_json *object, const char *key, int64_t low, int64_t high,
                              int64_t wanted, espl_arena *arena, int64_t **out, espl_error *err)
{
	int64_t *values;
	int count;

	ESPL_TRY(espl_json_integers(object, key, low, high, arena, &values, &count, err));
	if (count != wanted)
		return espl_fail(err, ESPL_SHAPE, "\"%s\" has %d values, it must have %lld", key,
		                 count, (long long)wanted);
	*out = values;
	return ESPL_OK;
}

struct espl_json_writer {
	espl_arena *arena;
	char *text;
	size_t length, room;
	int depth;
	char closers[DEPTH_MAX];
	bool has_members[DEPTH_MAX + 1];
};

espl_json_writer *espl_json_writer_create(espl_arena *arena)
{
	espl_json_writer *writer = ESPL_NEW(arena, espl_json_writer);

	writer->arena = arena;
	writer->room = 4096;
	writer->text = espl_arena_calloc(arena, writer->room, 1);
	return writer;
}

static void put_bytes(espl_json_writer *writer, const char *bytes, size_t count)
{
	if (writer->room - writer->length <= count) {
		char *larger;

		writer->room = 2 * writer->room + count;
		larger = espl_arena_calloc(writer->arena, writer->room, 1);
		memcpy(larger, writer->text, writer->length);
		writer->text = larger;
	}
	memcpy(writer->text + writer->length, bytes, count);
	writer->length += count;
}

static void put_text(espl_json_writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

static void put_line(espl_json_writer *writer)
{
	put_text(writer, "\n");
	for (int i = 0; i < writer->depth; i++)
		put_text(writer, "  ");
}

static void put_quoted(espl_json_writer *writer, const char *text)
{
	char escape[8];

	put_text(writer, "\"");
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			snprintf(escape, sizeof escape, "\\%c", c);
		else if (c < ' ')
			snprintf(escape, sizeof escape, "\\u%04x", c);
		else
			snprintf(escape, sizeof escape, "%c", c);
		put_text(writer, escape);
	}
	put_text(writer, "\"");
}

/* Puts what stands in front of every value: comma, line, key. */
static void put_start(espl_json_writer *writer, const char *key)
{
	if (writer->has_members[writer->depth])
		put_text(writer, ",");
	writer->has_members[writer->depth] = true;
	if (writer->depth)
		put_line(writer);
	assert(!writer->depth || !key == (writer->closers[writer->depth - 1] == ']'));
	if (key) {
		put_quoted(writer, key);
		put_text(writer, ": ");
	}
}

void espl_json_open(espl_json_writer *writer, const char *key, char bracket)
{
	const char opener[2] = {bracket, '\0'};

	assert(bracket == '{' || bracket == '[');
	assert(writer->depth < DEPTH_MAX);
	put_start(writer, key);
	put_text(writer, opener);
	writer->closers[writer->depth++] = bracket == '{' ? '}' : ']';
	writer->has_members[writer->depth] = false;
}

void espl_json_close(espl_json_writer *writer)
{
	bool has_members;

	assert(writer->depth > 0);
	has_members = writer->has_members[writer->depth--];
	if (has_members)
		put_line(writer);
	put_bytes(writer, &writer->closers[writer->depth], 1);
}

void espl_json_put_integer(espl_json_writer *writer, const char *key, int64_t value)
{
	char digits[32];

	put_start(writer, key);
	snprintf(digits, sizeof digits, "%lld", (long long)value);
	put_text(writer, digits);
}

void espl_json_put_number(espl_json_writer *writer, const char *key, double value)
{
	char digits[32];

	assert(isfinite(value));
	put_start(writer, key);
	for (int precision = 1; precision <= 17; precision++) {
		double back;

		snprintf(digits, sizeof digits, "%.*g", precision, value);
		back = strtod(digits, NULL);
		if (!(back < value) && !(back > value))
			break;
	}
	put_text(writer, digits);
}

void espl_json_put_null(espl_json_writer *writer, const char *key)
{
	put_start(writer, key);
	put_text(writer, "null");
}

void espl_json_put_string(espl_json_writer *writer, const char *key, const char *value)
{
	put_start(writer, key);
	put_quoted(writer, value);
}

void espl_json_put_bool(espl_json_writer *writer, const char *key, bool value)
{
	put_start(writer, key);
	put_text(writer, value ? "true" : "false");
}

void espl_json_put_integers(espl_json_writer *writer, const char *key, const int64_t *values,
                            int count)
{
	char digits[32];

	put_start(writer, key);
	put_text(writer, "[");
	for (int i = 0; i < count; i++) {
		snprintf(digits, sizeof digits, "%s%lld", i ? ", " : "", (long long)values[i]);
		put_text(writer, digits);
	}
	put_text(writer, "]");
}

const char *espl_json_text(espl_json_writer *writer, size_t *size)
{
	assert(writer->depth == 0);
	put_text(writer, "\n");
	if (size)
		*size = writer->length;
	return writer->text;
}
