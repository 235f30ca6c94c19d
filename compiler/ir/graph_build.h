/* A graph made node by node; the shapes follow from the nodes.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_GRAPH_BUILD_H
#define ESPL_IR_GRAPH_BUILD_H

#include "ir/graph.h"

typedef struct {
	espl_arena *arena;
	espl_graph *graph;
	int value_room, node_room;
} espl_graph_builder;

espl_graph_builder espl_graph_build(espl_arena *arena, const char *name);

/* Adds an input; returns its value. */
int espl_graph_add_input(espl_graph_builder *builder, const char *name, int rows, int columns,
                         int channels);

/* Adds a node and the value that it makes, and returns that value. What the shape demands and
 * the node leaves NULL is allocated: weights and offset and mean 0, gain and variance 1. A NULL
 * name becomes the kind and a number. A shape that cannot be is left to espl_graph_check.
 *   in   node      kind, inputs and parameters; espl_node_default makes the rest
 *        channels  of the output of CONV and DENSE; anything elsewhere
 *        bias      CONV, DEPTHWISE, DENSE: with a bias of zeros */
int espl_graph_add(espl_graph_builder *builder, espl_node node, int channels, bool bias);

/* As espl_graph_add, of a node with no parameters and one input. */
int espl_graph_add_plain(espl_graph_builder *builder, espl_node_kind kind, int input);

void espl_graph_add_output(espl_graph_builder *builder, int value);

#endif
