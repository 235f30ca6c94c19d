/* A family of networks that the compiler can lower, by a few numbers.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_FAMILY_H
#define ESPL_COMPRESS_FAMILY_H

#include "ir/graph.h"

/* An image goes through stages of blocks, then a mean over rows and columns and a dense layer of
 * one output a class. Every convolution has a batch norm and a ReLU behind it. A stage after the
 * first halves rows and columns and has twice the channels; with `residual` it begins with a
 * convolution of its own, so that all its blocks can add. */
typedef struct {
	int rows, columns, channels, classes; /* of the task */
	int shrink;       /* the input is averaged over shrink x shrink cells first; 1: as it is */
	int stages;       /* 1..5 */
	int depth;        /* blocks a stage, 1..16 */
	int width;        /* channels of the first stage, 1..1024 */
	int most;         /* channels of no stage are more; 0: no such limit */
	int convolutions; /* of a block, 1..4 */
	bool depthwise;   /* 3 x 3 depthwise then 1 x 1, but for the first convolution */
	bool residual;    /* a block's input is added to its output where their shapes agree */
	bool pool;        /* stages begin with a 2 x 2 max pool, else with a stride of 2 */
	bool stem;        /* the first stage is one plain convolution, without blocks */
} espl_family;

/* shrink 1, stages 3, depth 1, width 16, one convolution a block, stride, classes as given. */
espl_family espl_family_default(int rows, int columns, int channels, int classes);

/* Reads "width=32,depth=2,residual,pool" over what *family has. Keys: shrink, stages, depth, width,
 * most, convolutions; depthwise, residual, pool, stem alone or with =0 or =1.
 *   fails  ESPL_USAGE naming the key, and which there are */
espl_status espl_family_parse(const char *text, espl_family *family, espl_error *err);
const char *espl_family_text(const espl_family *family, espl_arena *arena);

/* Builds the network, with weights by He's rule (arXiv 1502.01852) drawn from the seed; one input,
 * one output of 1 x 1 x classes, without a softmax.
 *   out    *graph in `arena`, checked
 *   fails  ESPL_RANGE: a number is out of its range, or the image too small for the stages */
espl_status espl_family_build(const espl_family *family, uint32_t seed, espl_arena *arena,
                              espl_graph **graph, espl_error *err);

/* Draws all weights anew, and resets biases and batch norms. */
void espl_graph_initialize(espl_graph *graph, uint32_t seed);

#endif
