/* The operators' names.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/ops.h"

static const char *const names[] = {
#define X(name, text) text,
        ESPL_OP_LIST(X)
#undef X
};

const char *espl_op_name(espl_op_kind kind)
{
	if ((int)kind < 0 || kind >= ESPL_OP_COUNT)
		return "unknown";
	return names[kind];
}
