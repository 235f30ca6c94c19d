/* What a run of the float graph holds; private to interp/.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Samples are dealt to a fixed number of lanes, each with gradients of its own, which are
 * summed in the order of the lanes: the count of threads changes no bit. A lane goes through
 * its samples in portions that stay in the caches, each through all nodes up to the next
 * batch norm, where all lanes meet.
 */
#ifndef ESPL_INTERP_RUNNING_H
#define ESPL_INTERP_RUNNING_H

#include "base/arena.h"
#include "interp/graph_run.h"
#include "interp/workers.h"
#include "math/kernels.h"

enum { RUN_LANES = 8 };

/* A batch norm's numbers, each [channels]. */
struct norm {
	float *mean, *variance; /* of this batch, biased; or the node's own */
	float *scale, *shift;   /* y = scale * x + shift */
	float *a, *b, *c;       /* dx = a * dy + b * x + c */
	/* Per lane: [RUN_LANES][channels] */
	double *lane_means, *lane_squares; /* forward */
	float *portion;                    /* [RUN_LANES][2][channels] of a lane's moments */
	double *lane_sums, *lane_products; /* backward */
	int64_t lane_counts[RUN_LANES];    /* positions */
};

/* Where a node's gradients begin in a lane's array; -1: it has none. */
struct places {
	int64_t weights, bias, gain, offset;
};

struct espl_graph_run {
	espl_arena *arena;
	const espl_graph *graph;
	espl_workers *workers;
	int batch, count, portion;
	bool backward, training;

	float **data;      /* [value][batch][elements], as consumers read it; NULL: fused */
	float **raw;       /* the same before the quantizer; = data when there is none */
	float **gradients; /* NULL when no gradient is wanted of the value */
	float **weights;   /* [node], rounded; NULL: the node's own */
	struct norm *norms;
	int *fused;      /* [node]: the clip that a batch norm does along, or -1 */
	bool *done;      /* [node]: a clip that a batch norm does */
	float **scratch; /* [thread] */

	/* Backward. */
	int from;                       /* the value that it started at; -1: none yet */
	bool *wanted;                   /* [value]: a parameter's gradient needs it */
	bool *reached;                  /* [value]: lies on the way from `from` */
	bool (*adds)[ESPL_NODE_INPUTS]; /* [node][input]: another consumer wrote before */
	struct places *places;
	int64_t gradient_count;
	float *lane_gradients[RUN_LANES];
	double *lane_steps[RUN_LANES]; /* [value] */
	float **step_gradients;        /* [node][out], of weights */

	/* The phase that runs: nodes [first, last), and the batch norm whose sums end it, or -1. */
	int first, last, norm;
	const float *const *inputs;
	const float *seed; /* the gradient that backward starts with */
};

/* The samples of a lane. */
static inline void lane_samples(const espl_graph_run *run, int lane, int *first, int *count)
{
	*first = (int)((int64_t)run->count * lane / RUN_LANES);
	*count = (int)((int64_t)run->count * (lane + 1) / RUN_LANES) - *first;
}

static inline size_t value_floats(const espl_graph_run *run, int value)
{
	return (size_t)espl_value_elements(&run->graph->values[value]);
}

static inline const float *node_weights(const espl_graph_run *run, int node)
{
	return run->weights[node] ? run->weights[node] : run->graph->nodes[node].weights;
}

/* Gradients of single nodes, as those of math/kernels.h (graph_gradients.c). */
void back_unary(const espl_node *node, size_t count, const float *x, const float *y,
                const float *dy, float *dx, bool add);
/* MULTIPLY of one sample: by the input of all positions; by that of one value a channel. */
void back_factor(int channels, size_t positions, size_t other_positions, const float *other,
                 const float *dy, float *dx, bool add);
void back_channel_factor(int channels, size_t positions, const float *other, const float *dy,
                         float *dx, bool add);
void back_upsample(const espl_window *window, int count, const float *dy, float *dx, bool add);
void back_softmax(int channels, size_t positions, const float *y, const float *dy, float *dx,
                  bool add);

espl_window node_window(const espl_graph *graph, const espl_node *node);

#endif
