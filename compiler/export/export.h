/* ONNX models of what this compiler made: the integer net, or the float graph.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The models have ONNX's layout, batch x channels x rows x columns, and keep the names of tensors
 * and operators. docs/onnx.md says what each operator becomes.
 */
#ifndef ESPL_EXPORT_EXPORT_H
#define ESPL_EXPORT_EXPORT_H

#include "base/file.h"
#include "ir/graph.h"
#include "ir/net.h"

typedef enum {
	ESPL_EXPORT_QOPERATOR, /* integer operators: the net's very bits in ONNX Runtime */
	ESPL_EXPORT_QDQ,       /* float operators between quantizers, for tools that want those */
} espl_export_form;

/* What became of the operators with weights. */
typedef struct {
	int linear; /* QLinearConv, QGemm: their float32 scales are proved to give the net's bits */
	int integer;     /* ConvInteger, MatMulInteger and the net's own rounding, exact as such */
	int64_t checked; /* accumulators compared in those proofs */
	/* QDQ only: channels whose scales are not exact; they differ by one step at some
	 * accumulators. */
	int inexact_channels, channels;
} espl_export_report;

/* Writes a net as an ONNX model.
 *   in    version  of the program, for the model's producer_version
 *   out   *model in `arena`; *report
 *   range a checked net
 *   fails ESPL_UNSUPPORTED, naming an operator that the form has nothing for
 *   cost  a millisecond a channel with weights, for the proofs */
espl_status espl_export_net(const espl_net *net, espl_export_form form, const char *version,
                            espl_arena *arena, espl_span *model, espl_export_report *report,
                            espl_error *err);

/* Writes a graph as a float ONNX model. Quantizers are left out: what they mean is the net.
 *   out   *model in `arena`
 *   range a checked graph */
espl_status espl_export_graph(const espl_graph *graph, const char *version, espl_arena *arena,
                              espl_span *model, espl_error *err);

#endif
