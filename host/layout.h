/* Tensors to the input stream, the output packet and the memories to tensors.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_LAYOUT_H
#define ESPL_HOST_LAYOUT_H

#include "host/manifest.h"

/* Beats of the frames of one inference, headers included. */
size_t espl_layout_input_beats(const espl_manifest *m);

/* Writes the frames of one inference.
 *   in   inputs[i]  as the port has it: float32 is quantized (half away from zero), int8 taken as
 * it is out  beats      espl_layout_input_beats() of them */
void espl_layout_encode(const espl_manifest *m, const void *const *inputs, uint64_t *beats);

/* Writes the results of an output packet: constants, softmax and dequantization included. */
void espl_layout_decode(const espl_manifest *m, const uint64_t *packet, espl_arena *scratch,
                        void *const *outputs);

/* Gathers a tensor from the memories; wide(user, split) and vector(user, split) give their bytes.
 */
typedef const uint8_t *(*espl_memory)(const void *user, int split);
void espl_layout_gather(const espl_manifest *m, const espl_manifest_tensor *tensor,
                        const void *user, espl_memory wide, espl_memory vector, int8_t *values);

#endif
