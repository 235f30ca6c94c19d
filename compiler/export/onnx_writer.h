/* An ONNX model under construction: nodes, attributes, initializers, borders.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to export/. Names of the caller are kept; names made here are made unique. Attributes
 * belong to the node added last. The first dimension of every border is the batch, "N".
 */
#ifndef ESPL_EXPORT_ONNX_WRITER_H
#define ESPL_EXPORT_ONNX_WRITER_H

#include "export/wire_writer.h"

#include <stdbool.h>

/* Numbers of TensorProto.DataType. */
typedef enum {
	ESPL_ELEMENT_FLOAT = 1,
	ESPL_ELEMENT_UINT8 = 2,
	ESPL_ELEMENT_INT8 = 3,
	ESPL_ELEMENT_INT32 = 6,
	ESPL_ELEMENT_INT64 = 7,
	ESPL_ELEMENT_DOUBLE = 11,
} espl_element;

typedef struct {
	espl_arena *arena;
	const char *graph_name;
	espl_message nodes, initializers, values, inputs, outputs, functions;
	espl_message body; /* the nodes of the function under construction */
	espl_message node; /* the last one, until the next */
	bool open, in_function, microsoft, own;
	const char **names; /* a hash table of all that are taken */
	int name_count, name_room;
} espl_onnx_writer;

#define ESPL_DOMAIN_OWN "espalier"
#define ESPL_DOMAIN_MICROSOFT "com.microsoft"

espl_onnx_writer espl_writer_in(espl_arena *arena, const char *graph_name);

/* A name that nobody has: `wish`, or with a number behind it. */
const char *espl_write_unique(espl_onnx_writer *writer, const char *wish);

/* Adds a node of one output, whose name it returns. Inputs end with NULL; "" is one left out.
 *   domain  "" for ONNX's own
 *   name    NULL: none */
const char *espl_write_node(espl_onnx_writer *writer, const char *domain, const char *kind,
                            const char *name, const char *output, const char *const *inputs);
#define ESPL_INPUTS(...)                     \
	(const char *const[])                \
	{                                    \
		__VA_ARGS__, (const char *)0 \
	}

void espl_write_integer(espl_onnx_writer *writer, const char *name, int64_t value);
void espl_write_real(espl_onnx_writer *writer, const char *name, float value);
void espl_write_text(espl_onnx_writer *writer, const char *name, const char *value);
void espl_write_integers(espl_onnx_writer *writer, const char *name, const int64_t *values,
                         int count);
/* Within a function: the attribute `name` of the node is the function's own `own`. */
void espl_write_reference(espl_onnx_writer *writer, const char *name, const char *own);

/* Constants, by a unique name near `wish`, which they return. Rank 0 is a scalar. */
const char *espl_write_int8s(espl_onnx_writer *writer, const char *wish, int rank,
                             const int64_t *dims, const int8_t *values);
const char *espl_write_int32s(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const int32_t *values);
const char *espl_write_int64s(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const int64_t *values);
const char *espl_write_floats(espl_onnx_writer *writer, const char *wish, int rank,
                              const int64_t *dims, const float *values);

/* The borders; `rank` dimensions after the batch. */
void espl_write_input(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                      const int64_t *dims);
void espl_write_output(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                       const int64_t *dims);
/* What is known of an inner tensor. */
void espl_write_value(espl_onnx_writer *writer, const char *name, espl_element type, int rank,
                      const int64_t *dims);

/* Nodes added between these belong to a function of the domain "espalier". Its names are its own.
 *   in   inputs, attributes  end with NULL */
void espl_write_function_begin(espl_onnx_writer *writer);
void espl_write_function_end(espl_onnx_writer *writer, const char *name, const char *const *inputs,
                             const char *const *attributes, const char *output, const char *doc);

/* The model's bytes. */
espl_span espl_write_finish(espl_onnx_writer *writer, const char *version);

#endif
