/* The co-design search: the most accurate network that a board can hold in the time given.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A network grows against its frame: candidates of a family (or one network, pruned and quantized
 * in several ways) are priced by the scheduler, which knows their exact cycles before they are
 * trained; those within the frame are trained, many shortly and few long.
 */
#ifndef ESPL_FIT_FIT_H
#define ESPL_FIT_FIT_H

#include "data/data.h"
#include "fit/search.h"
#include "ir/graph.h"

typedef enum { ESPL_EFFORT_QUICK, ESPL_EFFORT_NORMAL, ESPL_EFFORT_THOROUGH } espl_effort;

typedef struct {
	const espl_data *data; /* with validation, by which the search chooses */
	espl_frame frame;
	double latency_ms, throughput; /* most, least of a second; 0: any */
	double accuracy;               /* least of validation, of 1; 0: any */
	const espl_graph *teacher;     /* whose answers are learned as well; NULL: none */
	const espl_graph *model;       /* where all candidates start from; NULL: the family */
	espl_effort effort;
	double epochs;           /* of the longest training; 0: as the effort says */
	int64_t multiplications; /* most of a network; 0: as the effort says */
	uint32_t seed;
	int threads;
	const char *store; /* file of candidates; it may be there already */
	/* NULL: nobody asks, nobody listens. `seconds`: that the search still takes, an estimate,
	 * negative: not known yet. */
	bool (*stop)(void *user);
	void (*say)(void *user, const espl_search_state *state, double seconds);
	void *user;
} espl_fit_task;

typedef struct {
	espl_search_result search;
	int64_t images; /* of the longest training */
	/* of the chosen one; NULL and 0 when there is none */
	const espl_graph *graph;
	const espl_net *net;
	const espl_lowered *lowered;
	const espl_plan *plan;
	int64_t test_correct, test_samples;
	int trained, remembered; /* trainings of this run, and those that were in the store */
} espl_fit_result;

/* Searches, or goes on with a search that was stopped: the answer is the same.
 *   out    *result in `arena`
 *   fails  ESPL_BUDGET: nothing fits; the message says what comes closest, and *result, which is
 *          filled all the same, has every candidate. ESPL_INTERRUPTED: what is found is kept */
espl_status espl_fit(const espl_fit_task *task, espl_arena *arena, espl_fit_result *result,
                     espl_error *err);

/* The result as report.json (docs/fit.md), and as a table for people. The same result gives the
 * same bytes. */
const char *espl_fit_json(const espl_fit_task *task, const espl_fit_result *result,
                          espl_arena *arena, size_t *size);
const char *espl_fit_text(const espl_fit_task *task, const espl_fit_result *result,
                          espl_arena *arena);

#endif
