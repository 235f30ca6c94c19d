/* How many bytes a model takes, and how many of its weights count.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_BYTES_H
#define ESPL_IR_BYTES_H

#include "ir/graph.h"
#include "ir/net.h"

/* Bytes of a graph as it would be stored: 4 a parameter, or of a layer's weights the non-zeros with
 * 4-bit skips where that is less, whatever its quantizers say. A net's are espl_model_bytes. */
int64_t espl_graph_bytes(const espl_graph *graph);

/* Weights, and multiplications of a sample: all, and those by weights that are not 0. */
typedef struct {
	int64_t weights, nonzero_weights, multiplications, nonzero_multiplications;
} espl_work_count;

espl_work_count espl_net_work(const espl_net *net);
espl_work_count espl_graph_work(const espl_graph *graph);

#endif
