/* What becomes of each value in the net: stored, or passed on inside an operator.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A convolution, its batch norm and its clip are one operator of the net, so only
 * the last of their values is ever stored. Values that an operator moves without
 * arithmetic (reshape, pad, max pool, concat) are stored alike: a group.
 */
#ifndef ESPL_COMPRESS_ROLES_H
#define ESPL_COMPRESS_ROLES_H

#include "ir/graph.h"

typedef struct {
	bool *stored;      /* [value] */
	int *maker;        /* [value] the node whose output it is; -1: an input of the graph */
	int *reader_count; /* [value] a node that reads it twice counts twice; an output counts once
	                    */
	int *taken_by;     /* [node] the batch norm or clip that takes its output; -1: none */
	bool *takes;       /* [node] a batch norm or clip that is part of the operator before it */
	int *group;        /* [value] the first of the values that are stored alike */
} espl_roles;

espl_roles espl_find_roles(const espl_graph *graph, espl_arena *arena);

/* The value that the operator which begins with `node` stores. */
int espl_stored_output(const espl_graph *graph, const espl_roles *roles, int node);

bool espl_has_weights(espl_node_kind kind);

/* A function of one value, that the net has as a table. */
bool espl_is_table(const espl_roles *roles, const espl_graph *graph, int node);

#endif
