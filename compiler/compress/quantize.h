/* Float graphs made integer: folding, calibration, the net.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_QUANTIZE_H
#define ESPL_COMPRESS_QUANTIZE_H

#include "compress/train.h"
#include "data/data.h"
#include "ir/graph.h"
#include "ir/net.h"

/* Folds batch norms into the convolution or dense layer before them; one that has none, or not
 * alone, becomes a depthwise convolution of 1 x 1. Weights that have steps are rounded to their
 * integers first, which folding keeps: weights and steps are scaled alike.
 *   in   only_alone  leave those that can be folded, for training
 *   out  a new graph in `arena`, whose function is the same */
espl_graph *espl_fold(const espl_graph *graph, bool only_alone, espl_arena *arena);

/* Turns a graph without batch norms, all of whose weights and stored values have steps, into the
 * net: what it stores for every value is what the graph's forward rounds to, but for the last bit
 * of float sums (docs/compression.md).
 *   out   *net in `arena`, checked; rounding is ESPL_ROUND_SINGLE
 *   fails ESPL_SHAPE: a step is missing; ESPL_UNSUPPORTED: the net has no such operator;
 *         ESPL_RANGE: a bias or sum does not fit; each naming the node */
espl_status espl_graph_to_net(const espl_graph *graph, espl_arena *arena, espl_net **net,
                              espl_error *err);

/* How the range that a step covers is chosen. */
typedef enum {
	ESPL_RANGE_MINMAX,     /* all that is seen */
	ESPL_RANGE_PERCENTILE, /* all but the largest few */
	ESPL_RANGE_MSE,        /* the least mean squared error of rounding and cutting */
} espl_range_method;

/* The bits of one layer; 0: as all others. */
typedef struct {
	const char *name;    /* of the node with the weights */
	int weight_bits;     /* 2..8 */
	int activation_bits; /* 2..8, of what the layer stores */
} espl_layer_bits;

typedef struct {
	int weight_bits, activation_bits; /* 2..8; the graph's inputs and outputs always have 8 */
	espl_range_method method;
	double percentile;    /* 50..100 */
	bool equalize;        /* scale channels between layers alike before */
	bool gptq;            /* round weights by second order, column by column */
	bool bias_correction; /* take the mean error of each layer out of its bias */
	int samples;          /* to calibrate with */
	uint32_t seed;
	int threads;
	const espl_layer_bits *layers;
	int layer_count;
} espl_quantize_options;

/* 8 bits, MSE, percentile 99.9, 512 samples, one thread, nothing else. */
espl_quantize_options espl_quantize_default(void);

/* A copy without any steps. */
espl_graph *espl_float_graph(const espl_graph *graph, espl_arena *arena);

/* Post-training quantization: folds batch norms and gives every weight and every stored value
 * bits and steps, from samples of the training set.
 *   in    graph     float; steps that it has are forgotten
 *         training  keep the batch norms, so that training can go on; no equalization then
 *   out   *out in `arena`, ready for espl_graph_to_net when not `training`
 *   fails ESPL_SHAPE: samples do not match the input; ESPL_USAGE: no layer of that name;
 *         ESPL_UNSUPPORTED: several inputs
 *   cost  a forward a sample for calibration, two more a layer with weights for bias
 *         correction, one for GPTQ */
espl_status espl_quantize(const espl_graph *graph, const espl_samples *samples,
                          const espl_quantize_options *options, bool training, espl_arena *arena,
                          espl_graph **out, espl_error *err);

/* What training with steps has made becomes ready for espl_graph_to_net: batch norms are folded,
 * steps widened where a sum would not fit the accelerator's accumulator, biases rounded to the
 * steps of their sums, up or down as the samples show to be better.
 *   in    options  samples, seed and threads
 *   out   *out in `arena`
 *   cost  two forwards a layer and sample */
espl_status espl_freeze(const espl_graph *graph, const espl_samples *samples,
                        const espl_quantize_options *options, espl_arena *arena, espl_graph **out,
                        espl_error *err);

/* One way among several: what it costs, and what it loses. */
typedef struct {
	int64_t cost;
	double loss;
} espl_choice;

/* Chooses for every item so that the losses' sum is least within the budget: exactly, by dynamic
 * programming over the sums that no other beats.
 *   in    choices  [items][count]
 *   out   chosen   [items]
 *   fails ESPL_BUDGET with the least that is possible
 *   cost  grows with the count of different sums of costs */
espl_status espl_choose(int items, int count, const espl_choice *choices, int64_t budget,
                        int *chosen, espl_error *err);

/* The mean over samples of KL(softmax(logits) || softmax(others)), each [count][classes]. */
double espl_divergence(const float *logits, const float *others, int count, int classes);

/* Mixed precision: 2 to 8 bits for the weights of each layer, within a budget of stored bytes (as
 * espl_model_bytes; operators without weights cost nothing). What a layer loses is measured: the
 * divergence of the outputs when only its weights are rounded. Layers that options->layers gives
 * bits keep them.
 *   out   *layers in `arena`, for options->layers
 *   fails as espl_quantize; ESPL_BUDGET */
espl_status espl_choose_bits(const espl_graph *graph, const espl_samples *samples,
                             const espl_quantize_options *options, int64_t budget,
                             espl_arena *arena, espl_layer_bits **layers, int *count,
                             espl_error *err);

/* What suits training with rounding from a trained graph: SGD of rate 0.004, half an epoch of
 * warm-up, weight decay 1e-4, else as espl_train_default; no epochs. */
espl_train_options espl_quantize_train_default(void);

/* Quantization-aware training: starts from espl_quantize's result, batch norms kept, trains with
 * rounding in the forward pass, steps learned (LSQ), and freezes what comes out.
 *   in    train    without a teacher, the graph itself in float is one
 *   out   *out in `arena`, ready for espl_graph_to_net; *result
 *   fails as espl_quantize and espl_train
 *   from  Esser et al. 2020, Learned step size quantization (arXiv 1902.08153) */
espl_status espl_quantize_trained(const espl_graph *graph, const espl_data *data,
                                  const espl_quantize_options *options,
                                  const espl_train_options *train, espl_arena *arena,
                                  espl_graph **out, espl_train_result *result, espl_error *err);

/* Samples as a net's input stores them.
 *   out  [count][rows][columns][channels] */
void espl_samples_stored(const espl_samples *samples, int first, int count,
                         const espl_tensor *input, int8_t *out);

/* The share of samples whose greatest output is their label's; of equal ones the first counts. This
 * is what the accelerator computes.
 *   fails ESPL_SHAPE, ESPL_UNSUPPORTED: the samples do not fit the net */
espl_status espl_net_accuracy(const espl_net *net, const espl_samples *samples, int threads,
                              double *accuracy, espl_error *err);

/* How many stored values of a net differ from what the graph's forward rounds to. */
typedef struct {
	int64_t values, differing;
	int most; /* the greatest difference */
} espl_agreement;

/* Runs both on the first `count` samples.
 *   in  net  made of the graph */
espl_status espl_compare_forward(const espl_graph *graph, const espl_net *net,
                                 const espl_samples *samples, int count, int threads,
                                 espl_agreement *out, espl_error *err);

#endif
