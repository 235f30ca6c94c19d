/* One stage of compression, from model to model, with its report.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_STAGES_H
#define ESPL_COMPRESS_STAGES_H

#include "compress/config.h"

/* A float graph or, behind quantize, a net. */
typedef struct {
	espl_graph *graph;
	espl_net *net; /* NULL: not yet */
} espl_model;

/* What is known of a model. */
typedef struct {
	double accuracy;                  /* on the test samples */
	double validation;                /* negative: no validation samples */
	int64_t weights, nonzero_weights; /* of convolutions and dense layers */
	int64_t bytes;  /* stored: floats or as many bits as needed, zeros by skips where that is
	                   less */
	double seconds; /* of the stage */
} espl_model_facts;

/* Measures a model; seconds stay. */
espl_status espl_model_measure(const espl_model *model, const espl_data *data, int threads,
                               espl_model_facts *facts, espl_error *err);

/* Runs a stage as the config says.
 *   in    from        its graph is what the stage begins with
 *         checkpoint  file that training may use, and goes on from when `resume`; NULL: none
 *   out   *to in `arena`
 *   fails as espl_train, espl_prune_train, espl_quantize */
espl_status espl_stage_run(const espl_compress_config *config, espl_stage stage,
                           const espl_model *from, const espl_graph *teacher, const espl_data *data,
                           const espl_train_hooks *hooks, const char *checkpoint, bool resume,
                           espl_arena *arena, espl_model *to, espl_error *err);

#endif
