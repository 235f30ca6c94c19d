/* An ONNX file as plain structs: graph, nodes, attributes, initializers, values.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. What is read is resolved: a node names its inputs by the index of a value,
 * a value knows its initializer or the node that makes it, and every node reads only what stands
 * before it. Weights stay in the file: it must live as long as the model. Graphs within attributes
 * (If, Loop) are noted and not read; no operator that is supported has one.
 */
#ifndef ESPL_IMPORT_ONNX_MODEL_H
#define ESPL_IMPORT_ONNX_MODEL_H

#include "base/arena.h"
#include "base/file.h"

#include <stdbool.h>
#include <stdint.h>

enum { ESPL_ONNX_RANK_MAX = 8 };

/* X(name, number in TensorProto.DataType, bits of an element) */
#define ESPL_ONNX_TYPE_LIST(X) \
	X(FLOAT, 1, 32)        \
	X(UINT8, 2, 8)         \
	X(INT8, 3, 8)          \
	X(UINT16, 4, 16)       \
	X(INT16, 5, 16)        \
	X(INT32, 6, 32)        \
	X(INT64, 7, 64)        \
	X(STRING, 8, 0)        \
	X(BOOL, 9, 8)          \
	X(FLOAT16, 10, 16)     \
	X(DOUBLE, 11, 64)      \
	X(UINT32, 12, 32)      \
	X(UINT64, 13, 64)      \
	X(BFLOAT16, 16, 16)    \
	X(UINT4, 21, 4)        \
	X(INT4, 22, 4)

typedef enum {
	ESPL_ONNX_UNDEFINED = 0,
#define X(name, number, bits) ESPL_ONNX_##name = number,
	ESPL_ONNX_TYPE_LIST(X)
#undef X
} espl_onnx_type;

const char *espl_onnx_type_name(int type); /* "INT8"; "type 77" is "unknown"; never NULL */

typedef struct {
	const char *name;
	espl_onnx_type type;
	int rank; /* 0: a scalar */
	int64_t dims[ESPL_ONNX_RANK_MAX];
	int64_t count;  /* of elements: the product of dims */
	espl_span data; /* little endian, 4-bit types two a byte (the lower nibble first); exactly
	                   count elements. In the file when it has raw data, else in the arena. */
} espl_onnx_tensor;

/* Attribute types of ONNX, as far as they are read. */
typedef enum {
	ESPL_ONNX_ATTRIBUTE_OTHER, /* graphs, sparse tensors, types */
	ESPL_ONNX_ATTRIBUTE_FLOAT,
	ESPL_ONNX_ATTRIBUTE_INT,
	ESPL_ONNX_ATTRIBUTE_STRING,
	ESPL_ONNX_ATTRIBUTE_TENSOR,
	ESPL_ONNX_ATTRIBUTE_FLOATS,
	ESPL_ONNX_ATTRIBUTE_INTS,
} espl_onnx_attribute_kind;

typedef struct {
	const char *name;
	espl_onnx_attribute_kind kind;
	float real;
	int64_t integer;
	const char *text;
	const espl_onnx_tensor *tensor;
	int count; /* of FLOATS and INTS */
	const float *reals;
	const int64_t *integers;
} espl_onnx_attribute;

typedef struct {
	const char *name;   /* "" when the file has none */
	const char *kind;   /* op_type: "QLinearConv" */
	const char *domain; /* "" for ONNX's own operators ("ai.onnx" reads as "") */
	int input_count, output_count;
	const int *inputs, *outputs; /* values; -1 where one is left out */
	int attribute_count;
	const espl_onnx_attribute *attributes;
} espl_onnx_node;

/* Everything that has a name: an edge of the graph. */
typedef struct {
	const char *name;
	espl_onnx_type type; /* UNDEFINED where the file does not say (as inside most graphs) */
	bool has_shape;      /* rank and dims are known */
	int rank;
	int64_t dims[ESPL_ONNX_RANK_MAX];    /* -1 for one that the file leaves open or names */
	const espl_onnx_tensor *initializer; /* NULL when it is not a constant of the file */
	int producer;                        /* the node that makes it, -1 */
} espl_onnx_value;

typedef struct {
	const char *domain; /* "" for ONNX's own */
	int64_t version;
} espl_onnx_opset;

typedef struct {
	const char *producer; /* "pytorch 1.13.1"; "" */
	int64_t ir_version;
	const char *graph_name; /* "" when it has none */
	int opset_count, function_count, node_count, value_count, input_count, output_count;
	const espl_onnx_opset *opsets;
	const espl_onnx_node *nodes; /* in order of execution */
	const espl_onnx_value *values;
	const int *inputs, *outputs; /* values; inputs with an initializer are not among them */
} espl_onnx_model;

/* Whether a file looks like ONNX at all: by its first fields, not its name. */
bool espl_onnx_recognise(espl_span file);

/* Reads a model.
 *   out   *model in `arena`, with weights in `file`
 *   range names up to 1000 bytes of printable UTF-8 without quotes, backslash, $, < and >; 65 536
 *         nodes; ranks up to 8; 2^28 elements a tensor
 *   fails ESPL_SYNTAX: not protobuf, truncated, a Git LFS pointer; ESPL_SHAPE: a name that nobody
 *         makes, twice made, read before it is made; ESPL_RANGE; ESPL_UNSUPPORTED: data in other
 *         files, sparse or segmented tensors */
espl_status espl_onnx_read(espl_span file, espl_arena *arena, espl_onnx_model **model,
                           espl_error *err);

/* The version of a domain's operators that the model asks for; 0 when it does not name it. */
int64_t espl_onnx_opset_version(const espl_onnx_model *model, const char *domain);

/* Attributes; `absent` when the node has none of that name and kind. */
const espl_onnx_attribute *espl_onnx_find(const espl_onnx_node *node, const char *name);
int64_t espl_onnx_get_integer(const espl_onnx_node *node, const char *name, int64_t absent);
float espl_onnx_get_real(const espl_onnx_node *node, const char *name, float absent);
const char *espl_onnx_get_text(const espl_onnx_node *node, const char *name, const char *absent);

/* Elements; requires 0 <= index < tensor->count. Integers of UINT64 above 2^63 - 1 wrap; reals
 * read as 0 where the type is not a number. */
bool espl_onnx_is_integer(espl_onnx_type type); /* BOOL too */
bool espl_onnx_is_real(espl_onnx_type type);    /* FLOAT, DOUBLE, FLOAT16, BFLOAT16 */
int64_t espl_onnx_integer_at(const espl_onnx_tensor *tensor, int64_t index);
double espl_onnx_real_at(const espl_onnx_tensor *tensor, int64_t index);

#endif
