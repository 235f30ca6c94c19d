/* What the parts of a net's export share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to export/.
 */
#ifndef ESPL_EXPORT_NET_EXPORT_H
#define ESPL_EXPORT_NET_EXPORT_H

#include "export/export.h"
#include "export/view.h"

/* Functions of the domain "espalier" (own_functions.c). */
typedef enum {
	ESPL_OWN_REQUANTIZE_ONCE,
	ESPL_OWN_REQUANTIZE_TWICE,
	ESPL_OWN_REQUANTIZE_FLOAT,
	ESPL_OWN_REQUANTIZE_INSIDE,
	ESPL_OWN_LOOKUP,
	ESPL_OWN_LOOKUP_PAIR,
	ESPL_OWN_AVERAGE,
	ESPL_OWN_SOFTMAX,
	ESPL_OWN_COUNT
} espl_own;

const char *espl_own_name(espl_own function);
void espl_own_define(espl_onnx_writer *writer, espl_own function);

typedef struct {
	espl_view view;
	const char *scale, *zero_point;
	const char *real, *real_flat; /* QDQ: the dequantized views */
} espl_exported;

typedef struct {
	const espl_net *net;
	espl_arena *arena;
	espl_onnx_writer writer;
	espl_exported *tensors;
	bool own[ESPL_OWN_COUNT]; /* used */
	espl_export_report *report;
	espl_error *err;
} espl_net_export;

/* The name of a tensor in a view. */
const char *espl_export_view(espl_net_export *export, int tensor, bool flat);
/* Says in which view an operator makes a tensor; returns its name. */
const char *espl_export_make(espl_net_export *export, int tensor, bool flat);
/* A name for something of an operator: "conv_1/sum", made unique. */
const char *espl_export_part(espl_net_export *export, const espl_op *op, const char *part);

const char *espl_export_scale(espl_net_export *export, int tensor);      /* a float scalar */
const char *espl_export_zero_point(espl_net_export *export, int tensor); /* an int8 scalar */

/* A node of a function of our own. */
const char *espl_export_own(espl_net_export *export, espl_own function, const char *name,
                            const char *output, const char *const *inputs);

/* The last steps from 32-bit sums to an operator's stored output.
 *   in   sums      its name; scales  [count], count 1 or the channels
 *        flat      whether sums have no rows and columns */
void espl_export_requantize(espl_net_export *export, const espl_op *op, const char *sums,
                            const espl_scale *scales, int count, bool flat);

/* Puts the bounds of the fused activation behind a stored tensor, if they are narrower than int8;
 * `name` must be what espl_export_bounded gave before. */
const char *espl_export_bounded(espl_net_export *export, const espl_op *op, const char *output);
void espl_export_bound(espl_net_export *export, const espl_op *op, const char *from,
                       const char *output);

/* Kernel, strides, pads, dilations of the node added last. */
void espl_export_window(espl_net_export *export, const espl_op *op);

/* net_onnx.c: an operator in the QOperator form. */
espl_status espl_export_exact_op(espl_net_export *export, const espl_op *op);

/* net_weighted.c */
void espl_export_weighted(espl_net_export *export, const espl_op *op);
/* Scales of the weights for QLinear operators; false if a channel has no exact one, whose place
 * then holds the nearest.
 *   out  scales [out], *inexact += such channels */
bool espl_export_weight_scales(espl_net_export *export, const espl_op *op, float *scales,
                               int *inexact);
/* Weights in ONNX's order, [out][in][rows][columns]; DENSE [out][in], or [in][out] transposed. */
const char *espl_export_put_weights(espl_net_export *export, const espl_op *op, bool transposed);
/* Scale and zero points of the weights: one of each if all channels share them. */
void espl_export_put_weight_scales(espl_net_export *export, const espl_op *op, const float *scales,
                                   const char **scale, const char **zero_point);
void espl_export_put_group(espl_net_export *export, const espl_op *op);

/* net_qdq.c */
espl_status espl_export_qdq_op(espl_net_export *export, const espl_op *op);

#endif
