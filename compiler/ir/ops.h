/* The operators of the integer graph, once: name in text, then what it means.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_OPS_H
#define ESPL_IR_OPS_H

/* X(name, text) */
#define ESPL_OP_LIST(X)                                                                      \
	X(CONV, "conv")                 /* weights [out][kernel_rows][kernel_columns][in] */ \
	X(DEPTHWISE, "depthwise")       /* weights [kernel_rows][kernel_columns][out] */     \
	X(DENSE, "dense")               /* weights [out][in]; input flattened */             \
	X(ADD, "add")                   /* two inputs of one shape */                        \
	X(MAX_POOL, "max_pool")         /* padding never wins */                             \
	X(AVERAGE_POOL, "average_pool") /* divides by the cells inside the image */          \
	X(MEAN, "mean")                 /* over rows and columns */                          \
	X(PAD, "pad")                   /* with the output's zero point */                   \
	X(RESHAPE, "reshape")           /* same bytes */                                     \
	X(CONCAT, "concat")             /* along channels; equal scales */                   \
	X(SOFTMAX, "softmax")           /* over channels; runs on the host */                \
	X(LOGISTIC, "logistic")         /* a table of 256 values */

typedef enum {
#define X(name, text) ESPL_OP_##name,
	ESPL_OP_LIST(X)
#undef X
	        ESPL_OP_COUNT
} espl_op_kind;

const char *espl_op_name(espl_op_kind kind); /* the text; never NULL */

#endif
