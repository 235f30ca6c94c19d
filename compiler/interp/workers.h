/* Threads that wait for work: numbered items, each done once.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_INTERP_WORKERS_H
#define ESPL_INTERP_WORKERS_H

#include "base/status.h"

typedef struct espl_workers espl_workers;

/* The caller's own thread is one of `threads`. */
espl_status espl_workers_create(int threads, espl_workers **out, espl_error *err);
void espl_workers_destroy(espl_workers *workers); /* NULL is allowed */

/* Calls work(context, item, thread) once for each item below `items`, in any order, on threads
 * 0..threads - 1, and returns when all are done. */
void espl_workers_run(espl_workers *workers, int items, void (*work)(void *, int, int),
                      void *context);

#endif
