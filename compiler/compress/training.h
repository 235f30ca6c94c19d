/* What a training holds; private to compress/train*.c and its neighbours.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_TRAINING_H
#define ESPL_COMPRESS_TRAINING_H

#include "base/file.h"
#include "compress/train.h"

/* What kind of parameter: how it decays, how it moves. */
enum trained { TRAINED_WEIGHTS, TRAINED_PLAIN, TRAINED_STEPS };

/* A run of parameters that are trained alike. */
typedef struct {
	enum trained kind;
	int node, value;       /* whose; value: of a quantizer's step, else -1 */
	float *at;             /* in the graph */
	const float *gradient; /* of the last backward; steps of values: NULL */
	int64_t count;
	float scale; /* of the gradient: LSQ's 1 / sqrt(count * largest) for steps */
} espl_trained;

typedef struct {
	int run_count;
	espl_trained *runs;
	int64_t count; /* of all */
	/* [count], in the order of the runs */
	float *first, *second; /* moments; SGD has no second */
	float *average;        /* NULL: none is kept */
	float *best;           /* of the best epoch */
	/* mean and variance of all batch norms, which no gradient moves */
	int64_t norm_count;
	float *best_norms;
} espl_parameters;

/* Lists what is trained of a graph, for the gradients of `run`. */
void espl_parameters_find(espl_graph *graph, const espl_graph_run *run,
                          const espl_train_options *options, espl_arena *arena,
                          espl_parameters *out);
/* Moves all parameters by their gradients. `step` counts from 0. */
void espl_parameters_move(espl_parameters *parameters, const espl_graph_run *run,
                          const espl_train_options *options, double rate, int64_t step);
/* Follows with the moving average. */
void espl_parameters_follow(espl_parameters *parameters, double decay, int64_t step);
/* Between the graph and a flat array. */
void espl_parameters_get(const espl_parameters *parameters, float *to);
void espl_parameters_set(const espl_parameters *parameters, const float *from);
/* Mean and variance of all batch norms, between the graph and a flat array. */
int64_t espl_norms_count(const espl_graph *graph);
void espl_norms_get(const espl_graph *graph, float *to);
void espl_norms_set(espl_graph *graph, const float *from);

/* A sample of an epoch, flipped, shifted and erased by a stream of its own.
 *   out  to  [rows][columns][channels] */
void espl_augment(const espl_samples *samples, const espl_train_options *options, int index,
                  int epoch, float *to);

/* The loss of one sample and its gradient by the logits.
 *   in   teacher  the teacher's logits; NULL: none
 *   out  gradient [classes] */
double espl_loss(const espl_train_options *options, int classes, const float *logits,
                 const float *teacher, int label, float *gradient);

/* Where a run stands, besides its parameters. */
typedef struct {
	int64_t step;
	double epoch_loss; /* sum over the steps of this epoch */
	double first_loss; /* of the first step */
	double last_loss;  /* mean of the last whole epoch */
	double accuracy, best_accuracy;
	int64_t best_epoch;
} espl_standing;

/* A digest of all that decides a run: options, graph, data. */
const char *espl_run_identity(const espl_graph *graph, const espl_data *data,
                              const espl_train_options *options, espl_arena *arena);
espl_status espl_checkpoint_write(const char *path, const char *identity,
                                  const espl_standing *standing, const espl_graph *graph,
                                  const espl_parameters *parameters, espl_error *err);
/*   out  *found  whether there is a file */
espl_status espl_checkpoint_read(const char *path, const char *identity, espl_standing *standing,
                                 espl_graph *graph, espl_parameters *parameters, bool *found,
                                 espl_error *err);

#endif
