/* Training: a graph's parameters fitted to labelled samples, with or without a teacher.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same graph, data, options and machine give the same bytes, whatever the count of threads, and
 * whether or not the run was interrupted and resumed. Weights that are exactly 0 are pruned and
 * stay 0; steps of quantized values and weights are trained along (LSQ).
 */
#ifndef ESPL_COMPRESS_TRAIN_H
#define ESPL_COMPRESS_TRAIN_H

#include "data/data.h"
#include "interp/graph_run.h"
#include "ir/graph.h"

typedef enum { ESPL_OPTIMIZER_SGD, ESPL_OPTIMIZER_ADAM } espl_optimizer;

typedef struct {
	int epoch, epochs;   /* from 0 */
	int64_t step, steps; /* done, in all */
	double rate, loss;   /* now; mean of this epoch so far */
	double accuracy;     /* on validation, of the last epoch that has one; negative: none yet */
	double seconds, seconds_left;
} espl_train_state;

/* What others do along. Each may be NULL. */
typedef struct {
	void *user;
	/* In every `every`-th step, from step 0 on (every 0: never): `run` holds the step's
	 * gradients, the parameters have not moved by them yet. May change parameters, not the
	 * structure; weights that it makes 0 stay 0. A resumed run calls it as if there had been
	 * no break. */
	espl_status (*act)(void *user, espl_graph *graph, const espl_graph_run *run, int64_t step,
	                   int64_t steps, espl_error *err);
	int64_t every;
	void (*progress)(void *user, const espl_train_state *state); /* after every step */
	void (*epoch)(void *user, const espl_train_state *state);    /* after every epoch */
	bool (*interrupted)(void *user);                             /* asked at every step */
} espl_train_hooks;

typedef struct {
	int epochs, batch, threads;
	uint32_t seed;
	int64_t samples; /* the training takes so many of the training samples; 0: all */

	espl_optimizer optimizer;
	double rate;         /* at most; cosine to 0 */
	double warmup;       /* epochs in which the rate grows linearly to it */
	double momentum;     /* SGD: Nesterov's; Adam: its first beta */
	double weight_decay; /* of weights, not of biases and batch norms; Adam: decoupled */
	double step_rate;    /* of quantizers' steps, as a multiple of the rate; 0: they stay */
	double smoothing;    /* of labels: this share is spread over all classes */
	double average;      /* decay of the parameters' moving average, which is what is evaluated
	                      * and returned, batch norms estimated anew; 0: none */
	bool freeze_norms;   /* batch norms keep their mean and variance */

	bool flip;    /* left and right */
	int shift;    /* by up to so many rows and columns, zeros come in */
	double erase; /* probability of a rectangle of random values */

	/* loss = (1 - mix) * cross entropy + mix * temperature^2 * KL(teacher || graph), both
	 * softened by the temperature. from  Hinton et al., arXiv 1503.02531 */
	const espl_graph *teacher; /* NULL: none */
	double temperature, mix;

	int choose_from; /* validation chooses among the parameters after this epoch and later ones;
	                  * without validation samples the last are taken */

	const char *checkpoint;    /* file; NULL: none */
	double checkpoint_seconds; /* at least so often; also when interrupted */
	bool resume;               /* go on from the checkpoint where there is one */
	espl_train_hooks hooks;
} espl_train_options;

/* 20 epochs of batches of 128, SGD of rate 0.1 and momentum 0.9, one epoch of warm-up, weight decay
 * 5e-4, steps at the rate, smoothing 0, average 0, seed 1, one thread, no augmentation, temperature
 * 4, mix 0.9 (without effect when there is no teacher), a checkpoint a minute when there is a file.
 */
espl_train_options espl_train_default(void);

typedef struct {
	double accuracy;  /* on validation, of what was chosen; negative: no validation samples */
	int chosen_epoch; /* from 0 */
	double loss;      /* mean of the last epoch */
	int64_t steps;
	double seconds; /* of this process */
} espl_train_result;

/* Trains in place.
 *   out    *result; the graph's parameters and steps
 *   fails  ESPL_SHAPE: samples, classes or teacher do not fit the graph; ESPL_RANGE: an option is
 * out of range, or it diverged (the graph is then as before); ESPL_INTERRUPTED: the checkpoint, if
 * any, is written; ESPL_SYNTAX: the checkpoint is of another run or damaged; ESPL_IO; what a hook
 * fails with */
espl_status espl_train(espl_graph *graph, const espl_data *data, const espl_train_options *options,
                       espl_train_result *result, espl_error *err);

/* The value that holds one number a class before any softmax: the first output, or the input of the
 * softmax that makes it. */
int espl_graph_logits(const espl_graph *graph);

/* Fails with ESPL_SHAPE unless the graph has one input of the samples' shape and `classes` logits.
 */
espl_status espl_graph_fits(const espl_graph *graph, const espl_samples *samples, espl_error *err);

/* The logits of all samples by inference.
 *   out   logits  [count][classes] */
espl_status espl_graph_predict(const espl_graph *graph, const espl_samples *samples, int threads,
                               float *logits, espl_error *err);

/* The share of samples whose greatest logit is their label's. */
espl_status espl_graph_accuracy(const espl_graph *graph, const espl_samples *samples, int threads,
                                double *accuracy, espl_error *err);

/* Estimates mean and variance of all batch norms anew, over batches of up to `count` samples drawn
 * by the seed, without augmentation. */
espl_status espl_graph_estimate_norms(espl_graph *graph, const espl_samples *samples, int count,
                                      int threads, uint32_t seed, espl_error *err);

#endif
