/* Pruning: weights that become zero, channels that go.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_PRUNE_H
#define ESPL_COMPRESS_PRUNE_H

#include "compress/train.h"

/* -- pruning: prune.c, pattern.c, regrow.c, channel_removal.c
 *
 * A weight of exactly 0 is pruned, and training leaves it 0: the graph itself is the mask. */

typedef enum {
	ESPL_PATTERN_UNSTRUCTURED, /* any weight */
	ESPL_PATTERN_N_OF_M,       /* at most `keep` of each `group` neighbouring input channels */
	ESPL_PATTERN_BALANCED,     /* an output channel has equally many in each of `splits` sets of
	                              input channels, channel c in set c mod splits */
	ESPL_PATTERN_BLOCKS,       /* `rows` output by `columns` input channels at once */
	ESPL_PATTERN_CHANNELS,     /* whole channels, removed; multiples of `multiple` stay */
} espl_pattern_kind;

typedef struct {
	espl_pattern_kind kind;
	int keep, group, splits, rows, columns, multiple;
} espl_pattern;

/* "unstructured", "2:4", "balanced:8", "blocks:4x4", "channels", "channels:8".
 *   fails  ESPL_USAGE */
espl_status espl_pattern_parse(const char *text, espl_pattern *out, espl_error *err);
const char *espl_pattern_text(const espl_pattern *pattern, espl_arena *arena);

/* Which of two layers' weights goes first. */
typedef enum {
	ESPL_RANK_GLOBAL, /* the one with the lesser share of what its layer has left */
	ESPL_RANK_LAYER,  /* neither: every layer loses the same share */
	ESPL_RANK_CYCLES, /* as GLOBAL, by the cycles that a weight costs */
} espl_rank;

typedef struct {
	espl_pattern pattern;
	espl_rank rank;
	double edges; /* most zeros of the first convolution and of the last dense layer: 0..1 */
} espl_prune_rule;

/* Zeroes the least weights until `sparsity` of all the graph's weights are zero: exactly for
 * single weights, to the nearest unit for what goes together. What is zero already stays.
 *   range  sparsity 0..espl_prune_limit
 *   fails  ESPL_RANGE with what is possible; ESPL_UNSUPPORTED for whole channels
 *   cost   O(n log n)
 *   from   magnitude over the layers as in Lee et al. 2021 (arXiv 2010.07611) */
espl_status espl_prune(espl_graph *graph, const espl_prune_rule *rule, double sparsity,
                       espl_error *err);
/* The most zeros that the rule allows, as a share; of N:M the one that it means. */
espl_status espl_prune_limit(const espl_graph *graph, const espl_prune_rule *rule, double *share,
                             espl_error *err);

/* The share of zeros at `step`: `from` until `begin`, cubic to `to` at `end`, steep at first.
 *   from   Zhu and Gupta 2017 (arXiv 1710.01878) */
double espl_cubic(double from, double to, int64_t begin, int64_t end, int64_t step);

typedef struct {
	int64_t weights, zeros;
} espl_zeros;
espl_zeros espl_count_zeros(const espl_graph *graph);
int64_t espl_node_zeros(const espl_graph *graph, const espl_node *node);

/* Moves `share` of every layer's non-zeros: the least become zero, and as many zeros whose
 * gradients are greatest become -rate * gradient. The pattern's cells keep their counts.
 *   in     gradients[node]  of the loss, as the node's weights; NULL for nodes without
 *   from   RigL, Evci et al. 2020 (arXiv 1911.11134) */
espl_status espl_regrow(espl_graph *graph, const espl_pattern *pattern,
                        const float *const *gradients, double share, float rate, espl_error *err);

/* Channels that can only go together: tied by additions, and all that works channel by channel.
 * Pinned ones reach an input, an output or a softmax. */
typedef struct {
	int class_count;
	int *first;   /* [value] of its channels in `of` */
	int *of;      /* [channel] its class */
	bool *pinned; /* [class] */
} espl_channel_classes;
espl_channel_classes espl_classify_channels(const espl_graph *graph, espl_arena *arena);

/* Importance of each class without data: its batch norms' gains, else its filters' sizes,
 * relative to the layer's.
 *   out  scores[class] */
void espl_channel_magnitudes(const espl_graph *graph, const espl_channel_classes *classes,
                             double *scores);
/* Adds the same by what the loss would change, to first order: for every layer of a class the
 * square of the sum of parameter * gradient over the channel's gain and offset, or filter and
 * bias where no batch norm follows.
 *   in   gradients[node]  of the loss of some samples
 *   from Molchanov et al. 2019 (arXiv 1906.10771) */
void espl_channel_taylor(const espl_graph *graph, const espl_channel_classes *classes,
                         const espl_gradients *gradients, double *scores);

/* espl_channel_taylor, over `batches` batches of samples drawn by the seed. The loss is the cross
 * entropy of the graph's one output, which may be a softmax. out   scores[class] fails as
 * espl_graph_run_create; ESPL_SHAPE: samples, labels and the graph do not agree */
espl_status espl_channel_saliency(const espl_graph *graph, const espl_channel_classes *classes,
                                  const espl_samples *samples, int batch, int batches,
                                  uint32_t seed, int threads, double *scores, espl_error *err);

/* Takes away the readers' weights of the least important classes, so that the graph without
 * them has `sparsity` fewer weights; a fifth of any tensor's channels stays, and a multiple of
 * `multiple`. espl_remove_channels then makes it smaller.
 *   fails  ESPL_RANGE when that many cannot go */
espl_status espl_prune_channels(espl_graph *graph, const espl_channel_classes *classes,
                                const double *scores, double sparsity, int multiple,
                                espl_error *err);

/* The graph without the channels that nothing reads: those for which every reader's weights are
 * zero. Its outputs are the same.
 *   out  *smaller in `arena`, checked */
espl_status espl_remove_channels(const espl_graph *graph, espl_arena *arena, espl_graph **smaller,
                                 espl_error *err);

/* -- pruning while training: prune_train.c */

typedef struct {
	espl_prune_rule rule;
	double sparsity; /* share of the graph's weights; negative: what N:M means */
	double ramp;     /* the zeros grow during this share of the training */
	int64_t every;   /* steps between two updates */
	double regrow;   /* share of the non-zeros that change place at an update; 0: none */
	int rounds;      /* of whole channels, an epoch between two */
} espl_prune_options;

/* Unstructured, ranked over the graph, edges of 0.5; ramp 0.7, every 100 steps, 5 rounds. */
espl_prune_options espl_prune_default(void);

/* Prunes little by little while the graph trains, or at once when the training has no epochs; batch
 * norms are estimated anew then. Whole channels are removed between epochs.
 *   in    data  may be NULL when there are no epochs: batch norms stay then, and channels go by
 *               their parameters alone
 *   out   *pruned in `arena`; `graph` stays; *result as espl_train, zeros without epochs
 *   fails as espl_prune, espl_prune_channels, espl_train. Its checkpoint serves here as well: whole
 *         channels add the round to its name */
espl_status espl_prune_train(const espl_graph *graph, const espl_data *data,
                             const espl_prune_options *options, const espl_train_options *training,
                             espl_arena *arena, espl_graph **pruned, espl_train_result *result,
                             espl_error *err);

#endif
