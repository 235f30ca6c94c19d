/* What the parts of the .tflite importer share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. A problem with one operator is a reason, a line of text
 * (NULL: none), so that all of them can be shown at once; a damaged file is
 * the flatbuffer's `broken`.
 */
#ifndef ESPL_IMPORT_TFLITE_H
#define ESPL_IMPORT_TFLITE_H

#include "import/flatbuffer.h"
#include "import/import.h"

enum { ESPL_TFLITE_MAX_RANK = 4 };

/* The types of tensors that we tell apart. */
typedef enum {
	ESPL_TFLITE_FLOAT32 = 0,
	ESPL_TFLITE_INT32 = 2,
	ESPL_TFLITE_INT64 = 4,
	ESPL_TFLITE_INT8 = 9,
} espl_tflite_type;

typedef struct {
	const char *name; /* cut to a sane length; may be "" */
	int type;         /* espl_tflite_type, or another of the format's */
	int rank;
	int32_t dims[ESPL_TFLITE_MAX_RANK]; /* filled up to rank, where that fits */
	espl_span data;                     /* of a constant; size 0 if it is none */
	espl_flat_vector scales;            /* float32 */
	espl_flat_vector zero_points;       /* int64 */
	bool is_variable, is_sparse;
	int net_tensor; /* -1: not in the net (yet) */
} espl_tflite_tensor;

typedef struct {
	espl_flatbuffer buffer;
	espl_arena *arena;
	espl_net *net;
	espl_flat_vector buffers, opcodes, operators;
	int tensor_count;
	espl_tflite_tensor *tensors;
	espl_flat_vector inputs, outputs; /* int32, tensors of the file */
	int64_t weight_bytes;             /* copied so far */
} espl_tflite;

/* An operator of the file. */
typedef struct {
	int index;
	int32_t code;     /* builtin operator */
	const char *kind; /* its name */
	espl_flat_vector inputs, outputs;
	espl_flat_table options;
} espl_tflite_op;

/* Reads all tensors' descriptions. */
void espl_tflite_read_tensors(espl_tflite *in, espl_flat_vector tensors);

/* Brings tensor `index` of the file into the net, once.
 *   out  *net_tensor  its index there */
const char *espl_tflite_activation(espl_tflite *in, int32_t index, int *net_tensor);

/* Copies int8 weights into op->weights, and makes bias and scales.
 *   in   source->inputs[1], [2]; op->inputs[0] and output
 *        channels   of the output, as the weights' shape says */
const char *espl_tflite_parameters(espl_tflite *in, const espl_tflite_op *source, espl_op *op,
                                   int32_t channels);

/* The n-th input of an operator as a tensor; NULL when it is absent. */
const espl_tflite_tensor *espl_tflite_input(const espl_tflite *in, const espl_tflite_op *source,
                                            uint32_t n);
/* The tensor with this index in the file; NULL when there is none. */
espl_tflite_tensor *espl_tflite_tensor_at(const espl_tflite *in, int32_t index);

/* Reads a constant of int32 or int64 as integers.
 *   out  *values in the arena */
const char *espl_tflite_constant(espl_tflite *in, const espl_tflite_tensor *tensor, int max_count,
                                 int64_t **values, int *count);

/* Converts an operator; sets every field of *op but name. */
const char *espl_tflite_convert(espl_tflite *in, const espl_tflite_op *source, espl_op *op);

/* The parts of espl_tflite_convert. op->inputs and op->output are set, everything else is as for an
 * operator without window and activation. */
const char *espl_tflite_convert_conv(espl_tflite *in, const espl_tflite_op *source, espl_op *op);
const char *espl_tflite_convert_depthwise(espl_tflite *in, const espl_tflite_op *source,
                                          espl_op *op);
const char *espl_tflite_convert_pool(espl_tflite *in, const espl_tflite_op *source, espl_op *op);
const char *espl_tflite_convert_dense(espl_tflite *in, const espl_tflite_op *source, espl_op *op);

/* Sets op->low and high from a fused activation. */
const char *espl_tflite_fuse(espl_tflite *in, int activation, espl_op *op);
/* Refuses an operator that only moves or picks bytes when its scales differ. */
const char *espl_tflite_same_scale(espl_tflite *in, const espl_op *op);

/* Codes that the graph's conversion handles itself. */
enum { ESPL_TFLITE_DEQUANTIZE = 6, ESPL_TFLITE_CUSTOM = 32, ESPL_TFLITE_QUANTIZE = 114 };

const char *espl_tflite_op_name(int32_t code); /* "CONV_2D"; "UNKNOWN" */

#endif
