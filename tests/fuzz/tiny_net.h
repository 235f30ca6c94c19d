/* Small nets made by a seed: branches, strides, pools, vectors, two results.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_TINY_NET_H
#define ESPL_TESTS_TINY_NET_H

#include "ir/net.h"

/* Builds a checked net in `arena`; the same seed gives the same net. */
const espl_net *tiny_net(espl_arena *arena, uint32_t seed);

/* A net of one convolution with weights from `seed`: rows x columns x channels in, a square kernel
 * with SAME padding, `outputs` channels; every `zeros`-th weight is kept, 1: all. */
const espl_net *tiny_conv(espl_arena *arena, uint32_t seed, const int shape[3], int kernel,
                          int stride, int outputs, int zeros);

#endif
