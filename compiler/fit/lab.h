/* The lab that remembers: asks the store first, makes and measures what is not there.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_FIT_LAB_H
#define ESPL_FIT_LAB_H

#include "fit/fit.h"

typedef struct {
	const espl_fit_task *task;
	espl_store *store;
	const char *price_task, *result_task; /* all that prices, and results, depend on */
	int trained, remembered;
	double begun;         /* seconds of a clock */
	double work, seconds; /* of trainings in this run: multiplications, time */
} espl_fit_lab;

espl_status espl_lab_open(const espl_fit_task *task, espl_arena *arena, espl_fit_lab *lab,
                          espl_error *err);
void espl_lab_close(espl_fit_lab *lab);

/* What the search asks of it. */
espl_lab espl_lab_of(espl_fit_lab *lab);

/* A trained candidate as a whole. */
espl_status espl_lab_recall(espl_fit_lab *lab, const char *key, int64_t images, espl_arena *arena,
                            espl_graph **graph, espl_net **net, espl_error *err);

#endif
