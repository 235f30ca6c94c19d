/* What has been found out of candidates, kept in a file (SQLite).
 * SPDX-License-Identifier: Apache-2.0
 *
 * `task` is a text of all that a result depends on besides the candidate: another task's rows are
 * not seen. Every row is written to the end before the call returns.
 */
#ifndef ESPL_FIT_STORE_H
#define ESPL_FIT_STORE_H

#include "base/file.h"
#include "fit/price.h"

#include <stdbool.h>

typedef struct espl_store espl_store;

/* Opens or creates; only one process at a time has it.
 *   fails  ESPL_SYNTAX: no such database; ESPL_IO: cannot be written, or is in use */
espl_status espl_store_open(const char *path, espl_store **out, espl_error *err);
void espl_store_close(espl_store *store); /* NULL is allowed */

/* The price before training; `reason` is "" when a frame's engine holds the network. */
typedef struct {
	espl_price price;
	const char *reason;
} espl_stored_price;
espl_status espl_store_get_price(espl_store *store, const char *task, const char *key,
                                 espl_arena *arena, bool *found, espl_stored_price *out,
                                 espl_error *err);
espl_status espl_store_put_price(espl_store *store, const char *task, const char *key,
                                 const espl_stored_price *in, espl_error *err);

/* A network trained on so many images: of `samples` validation images `correct` are right. */
typedef struct {
	int64_t correct, samples;
	espl_price price;
	const char *reason; /* why no engine of the frame holds it; "" */
	espl_span net, graph;
} espl_stored_result;
/* net and graph are read only when `whole`. */
espl_status espl_store_get_result(espl_store *store, const char *task, const char *key,
                                  int64_t images, bool whole, espl_arena *arena, bool *found,
                                  espl_stored_result *out, espl_error *err);
espl_status espl_store_put_result(espl_store *store, const char *task, const char *key,
                                  int64_t images, const espl_stored_result *in, espl_error *err);

/* Float networks that several candidates share. */
espl_status espl_store_get_network(espl_store *store, const char *task, const char *key,
                                   int64_t images, espl_arena *arena, bool *found, espl_span *out,
                                   espl_error *err);
espl_status espl_store_put_network(espl_store *store, const char *task, const char *key,
                                   int64_t images, espl_span in, espl_error *err);

#endif
