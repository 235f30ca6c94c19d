/* Which weights go together: what the files of pruning share.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_COMPRESS_CELLS_H
#define ESPL_COMPRESS_CELLS_H

#include "compress/prune.h"

/* A layer's weights as cells: sets that the pattern treats alike. Each cell's weights are
 * index[first[cell]] .. index[first[cell + 1] - 1]; `across` neighbouring cells lose weights
 * together, one each. */
typedef struct {
	int count, across;
	int *first, *index;
} espl_cells;

/* Unstructured: one cell. N:M: the groups. Balanced: the sets of each output channel, and the
 * channels of a depthwise layer. Blocks: the blocks. */
espl_cells espl_cells_of(const espl_graph *graph, const espl_node *node,
                         const espl_pattern *pattern, espl_arena *arena);

bool espl_is_weighted(const espl_node *node); /* CONV, DEPTHWISE, DENSE */

#endif
