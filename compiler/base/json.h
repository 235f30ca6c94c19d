/* JSON read with errors that name the place, and written with stable bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The only user of cJSON. Values and strings are borrowed from the document;
 * integers are exact up to 2^53.
 */
#ifndef ESPL_BASE_JSON_H
#define ESPL_BASE_JSON_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cJSON espl_json; /* opaque outside json.c */

/* Parses text; the document is released by espl_json_destroy.
 * fails ESPL_SYNTAX with line and column; nesting deeper than 64 is refused. */
espl_status espl_json_parse(const char *text, size_t size, espl_json **out, espl_error *err);
void espl_json_destroy(espl_json *value); /* NULL is allowed */

/* Members: the error names the key. A missing or mistyped member is ESPL_SYNTAX. */
espl_status espl_json_integer(const espl_json *object, const char *key, int64_t low, int64_t high,
                              int64_t *out, espl_error *err);
espl_status espl_json_int(const espl_json *object, const char *key, int low, int high, int *out,
                          espl_error *err);
espl_status espl_json_number(const espl_json *object, const char *key, double *out,
                             espl_error *err);
espl_status espl_json_string(const espl_json *object, const char *key, const char **out,
                             espl_error *err); /* borrowed */
espl_status espl_json_bool(const espl_json *object, const char *key, bool *out, espl_error *err);
espl_status espl_json_array(const espl_json *object, const char *key, const espl_json **out,
                            espl_error *err);
espl_status espl_json_object(const espl_json *object, const char *key, const espl_json **out,
                             espl_error *err);
/* The same of a value that stands alone, in an array: no message, as it has no key. */
espl_status espl_json_value_integer(const espl_json *value, int64_t low, int64_t high,
                                    int64_t *out);
espl_status espl_json_value_string(const espl_json *value, const char **out); /* borrowed */
bool espl_json_has(const espl_json *object, const char *key);
int espl_json_count(const espl_json *array_or_object);
const espl_json *espl_json_at(const espl_json *array, int index);
const espl_json *espl_json_first(const espl_json *container); /* walking is O(1) a step */
const espl_json *espl_json_next(const espl_json *value);
const char *espl_json_key(const espl_json *member); /* borrowed; "" in arrays */
/* Reads an array of integers within [low, high] into a new array in `arena`. */
espl_status espl_json_integers(const espl_json *object, const char *key, int64_t low, int64_t high,
                               espl_arena *arena, int64_t **out, int *count, espl_error *err);
/* The same of exactly `wanted` integers; another number of them is ESPL_SHAPE. */
espl_status espl_json_exactly(const espl_json *object, const char *key, int64_t low, int64_t high,
                              int64_t wanted, espl_arena *arena, int64_t **out, espl_error *err);

/* A writer that grows a string in an arena; two spaces of indentation; arrays of
 * plain integers stay on one line. Doubles print as the shortest %.17g that reads back. */
typedef struct espl_json_writer espl_json_writer;
espl_json_writer *espl_json_writer_create(espl_arena *arena);
void espl_json_open(espl_json_writer *writer, const char *key, char bracket); /* '{' or '['; key
                                                                                 NULL in arrays */
void espl_json_close(espl_json_writer *writer);
void espl_json_put_integer(espl_json_writer *writer, const char *key, int64_t value);
void espl_json_put_number(espl_json_writer *writer, const char *key, double value);
void espl_json_put_string(espl_json_writer *writer, const char *key, const char *value);
void espl_json_put_null(espl_json_writer *writer, const char *key);
void espl_json_put_bool(espl_json_writer *writer, const char *key, bool value);
void espl_json_put_integers(espl_json_writer *writer, const char *key, const int64_t *values,
                            int count);
const char *espl_json_text(espl_json_writer *writer, size_t *size); /* ends with a newline */

#endif
