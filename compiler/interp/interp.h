/* The reference: runs the integer graph, tensor by tensor, in plain C.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the hardware must equal, bit for bit. Written for clarity first: it
 * shares no code with lower/, schedule/ or emit/.
 */
#ifndef ESPL_INTERP_INTERP_H
#define ESPL_INTERP_INTERP_H

#include "ir/net.h"

/* Runs one sample.
 *   in    inputs[i]   the i-th input of the net, int8, rows x columns x channels
 *   out   tensors[t]  tensor t of the net, each espl_tensor_elements() bytes, owned by the
 *                     caller; every tensor is kept, the inputs' are copied in
 *   cost  one multiplication at a time */
void espl_interpret(const espl_net *net, const int8_t *const *inputs, int8_t *const *tensors);

/* Allocates the tensors' buffers for espl_interpret. */
int8_t **espl_interp_buffers(const espl_net *net, espl_arena *arena);

#endif
