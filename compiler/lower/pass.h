/* What the passes of lowering share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to lower/. In order: shape.c (which tensors are only views of others),
 * reach.c (what values each channel can take), constant.c (which channels need
 * not be computed), layer.c (operators to layers).
 */
#ifndef ESPL_LOWER_PASS_H
#define ESPL_LOWER_PASS_H

#include "ir/lowered.h"

#include <stdbool.h>

/* What is known of a tensor of the net. */
typedef struct {
	int source;            /* the tensor whose bytes it is a view of; itself if it is none */
	int pad_top, pad_left; /* when it is a view through a PAD */
	bool padded;           /* is one */
	int32_t *least, *most; /* [channels] of stored values; of sources only */
	bool *removed;         /* [channels] constant, and nobody needs it; of sources only */
	int lowered;           /* the lowered tensor, -1 before it is made */
} espl_view;

typedef struct {
	const espl_net *net;
	espl_arena *arena;
	espl_view *views; /* [tensors] */
	bool *gone;       /* [ops] the operator makes no layer: a view, or fused */
	int *table_of;    /* [ops] the LOGISTIC that this operator's layer ends with, or -1 */
	espl_lowered *lowered;
	espl_net *settled; /* the net, while its scales may be moved; else NULL */
	int moved;         /* channels */
} espl_pass;

espl_status espl_find_views(espl_pass *pass, espl_error *err);
espl_status espl_find_reach(espl_pass *pass, espl_error *err);
void espl_find_removed(espl_pass *pass);
espl_status espl_make_layers(espl_pass *pass, espl_error *err);

/* The range of the net's accumulator (bias included) of an output channel of CONV, DEPTHWISE,
 * DENSE, AVERAGE_POOL or MEAN. */
void espl_accumulator_range(const espl_pass *pass, const espl_op *op, int channel, int64_t *least,
                            int64_t *most);

/* Whether a pixel of the padding can lie under the kernel. */
bool espl_reads_padding(const espl_pass *pass, const espl_op *op);

static inline const espl_tensor *espl_source(const espl_pass *pass, int tensor)
{
	return &pass->net->tensors[pass->views[tensor].source];
}

#endif
