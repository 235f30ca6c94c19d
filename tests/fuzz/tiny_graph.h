/* A small float graph with a node of every kind, by a seed.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_TINY_GRAPH_H
#define ESPL_TESTS_TINY_GRAPH_H

#include "ir/graph.h"

/* Two inputs (6 x 5 x 3 and 1 x 1 x 4), one output; parameters by the seed; checked.
 *   in  trainable  only kinds that a network under training commonly has
 *       quantized  values and weights with 8 bits, some with fewer */
espl_graph *tiny_graph(espl_arena *arena, uint32_t seed, bool trainable, bool quantized);

/* A number in -1..1 of the sequence in *random, which is not 0. */
float tiny_random(uint32_t *random);

#endif
