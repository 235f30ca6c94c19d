/* Float ONNX models to graphs: what the parts of the reader share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/. The reader goes through the nodes once and knows a fact of every value: a
 * constant, whose numbers are computed here (exporters leave arithmetic on shapes behind), or
 * data, a value of the graph seen through ONNX's axes. A graph's value is rows x columns x
 * channels a sample; each axis of ONNX holds some of these and of the batch, in some order. So
 * Transpose, Reshape, Flatten and Squeeze are no operators at all: they change the view.
 */
#ifndef ESPL_IMPORT_ONNX_FLOAT_H
#define ESPL_IMPORT_ONNX_FLOAT_H

#include "import/import.h"
#include "import/onnx_model.h"
#include "ir/graph_build.h"

typedef enum { ESPL_ROLE_BATCH, ESPL_ROLE_CHANNEL, ESPL_ROLE_ROW, ESPL_ROLE_COLUMN } espl_role;

/* A side of the graph's value, longer than 1. */
typedef struct {
	espl_role role;
	int64_t size;
} espl_atom;

typedef enum { ESPL_FACT_UNKNOWN, ESPL_FACT_CONSTANT, ESPL_FACT_DATA } espl_fact_kind;

typedef struct {
	espl_fact_kind kind;
	int rank;
	int64_t dims[ESPL_ONNX_RANK_MAX], count;

	/* CONSTANT: the file's tensor, or numbers that were computed; integers are exact up to
	 * 2^53, and larger ones mean "to the end" wherever they occur. */
	const espl_onnx_tensor *tensor;
	const double *numbers;
	bool is_integer;

	/* DATA: the atoms of all axes one after another, and how many belong to each. */
	int value; /* of the graph */
	int atom_count, axis_atoms[ESPL_ONNX_RANK_MAX];
	espl_atom atoms[4];
} espl_fact;

typedef struct {
	const espl_onnx_model *model;
	espl_arena *arena, *scratch;
	espl_graph_builder builder;
	espl_fact *facts; /* of the model's values */
	int *uses;        /* how often each of them is read */
	int64_t opset, batch;
	const char **names; /* a hash table of the graph's, of a power of two */
	int name_room;
	const espl_onnx_node *node; /* the one that is read now */
	espl_fact nobody;           /* of an output that is left out */
	const char *oversized;      /* the first value of too many elements */
	espl_error *err;
} espl_float_import;

/* Reads a node whose inputs are known; sets the facts of its outputs. */
typedef espl_status espl_float_reader(espl_float_import *import);

/* -- onnx_fact.c: constants and views ---------------------------------------- */

/* Refuses the node with a reason. */
espl_status espl_float_refuse(espl_float_import *import, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* The fact of an input; NULL when the node has not so many, or leaves it out. */
const espl_fact *espl_float_input(const espl_float_import *import, int index);
/* The fact of an output, to be filled. */
espl_fact *espl_float_output(espl_float_import *import, int index);

/* Data at input `index`, or a refusal. */
espl_status espl_float_data(espl_float_import *import, int index, const espl_fact **out);
/* A constant at input `index`, or a refusal that calls it `what`. */
espl_status espl_float_constant(espl_float_import *import, int index, const char *what,
                                const espl_fact **out);

double espl_fact_number(const espl_fact *fact, int64_t index); /* of a CONSTANT */
/* The same as an integer, at most 2^50 in magnitude. */
int64_t espl_fact_integer(const espl_fact *fact, int64_t index);
/* A list of integers: input `index`, or the attribute `name` of older operator sets; absent ones
 * have count -1. */
espl_status espl_float_integers(espl_float_import *import, int index, const char *name,
                                int64_t values[ESPL_ONNX_RANK_MAX * 2], int *count);

/* The fact of a constant of the file. */
void espl_fact_of_tensor(espl_fact *fact, const espl_onnx_tensor *tensor);
/* Makes a fact of computed numbers, whose memory it returns. */
double *espl_fact_compute(espl_float_import *import, espl_fact *fact, int rank, const int64_t *dims,
                          bool is_integer);

/* Makes a fact of a graph's value: axis i holds what roles[i] says. Sides of the value that no
 * axis holds must be 1. */
void espl_fact_view(const espl_float_import *import, espl_fact *fact, int value, int rank,
                    const espl_role *roles);
/* The same view of another value of the same shape. */
void espl_fact_same(espl_fact *fact, const espl_fact *view, int value);

/* The view of joined channels: `view` with axis `axis` as long as the value's channels. */
void espl_fact_channels(const espl_float_import *import, espl_fact *fact, const espl_fact *view,
                        int axis, int value);
/* The same data with one side on this axis, its channels: if the axis holds all of a sample in the
 * graph's order, a reshape is added; else the fact is as it was. */
espl_fact espl_float_flat(espl_float_import *import, const espl_fact *fact, int axis);

/* The atoms of an axis; *count of them. */
const espl_atom *espl_fact_axis(const espl_fact *fact, int axis, int *count);
/* Whether an axis holds nothing but this side, which may be of size 1. */
bool espl_fact_is(const espl_fact *fact, int axis, espl_role role);

/* Gives data another shape of as many elements; false when a side would have to be torn. */
bool espl_fact_regroup(espl_fact *fact, const espl_fact *from, int rank, const int64_t *dims);
void espl_fact_transpose(espl_fact *fact, const espl_fact *from, const int64_t *order);

/* Sees data of rank 3 or 4 as an image, batch x channels x rows x columns; `roles` says which
 * side of the value each axis is.
 *   fails  ESPL_UNSUPPORTED: its axes are in another order */
espl_status espl_float_image(espl_float_import *import, const espl_fact *fact,
                             espl_role roles[ESPL_ONNX_RANK_MAX]);

/* Where an element of ONNX's tensor is: its sample, and its place in the graph's value. */
void espl_fact_place(const espl_float_import *import, const espl_fact *fact, int64_t element,
                     int64_t *sample, int64_t *place);

/* -- the graph ----------------------------------------------------------------- */

/* A name that the graph does not have yet: `wish`, or with a number behind it. */
const char *espl_float_name(espl_float_import *import, const char *wish);
/* A node of a kind with the name of the ONNX node and one input. */
espl_node espl_float_node(espl_float_import *import, espl_node_kind kind, int input);
/* Adds it; returns the value. One that is too large is noted in `oversized`. */
int espl_float_add(espl_float_import *import, espl_node node, int channels, bool bias);
/* The graph's layer that makes the node's input `index`, if it is the last one and nobody else
 * reads it; else NULL. */
espl_node *espl_float_sole_maker(espl_float_import *import, int index);
/* gain * x + offset, per channel; either may be NULL. Takes copies. */
int espl_float_scale(espl_float_import *import, int input, const float *gain, const float *offset);

/* -- windows ------------------------------------------------------------------- */

typedef struct {
	int64_t kernel, stride, dilation, before, after;
	int64_t extra; /* padding that ceil_mode adds at the end */
} espl_float_side;

typedef struct {
	espl_float_side sides[ESPL_ONNX_RANK_MAX];
} espl_float_sides;

/* Strides, dilations and pads of the node for so many spatial axes of these sizes. */
espl_status espl_float_window(espl_float_import *import, int spatial, const int64_t *kernel,
                              const int64_t *sizes, bool ceil_mode, espl_float_sides *out);
/* Puts them into a graph's node; roles as espl_float_image gives them. */
void espl_float_put_window(const espl_float_sides *sides, const espl_role *roles, int spatial,
                           espl_node *node);

/* -- readers -------------------------------------------------------------------- */

espl_float_reader espl_read_batch_norm, espl_read_conv, espl_read_gemm, espl_read_matmul,
        espl_read_pool, espl_read_global_pool, espl_read_reduce, espl_read_pad, espl_read_slice,
        espl_read_gather, espl_read_resize; /* onnx_float_layers.c, onnx_float_window.c */
espl_float_reader espl_read_unary, espl_read_clip, espl_read_prelu, espl_read_arithmetic,
        espl_read_concat, espl_read_softmax, espl_read_sum; /* onnx_float_pointwise.c */
espl_float_reader espl_read_reshape, espl_read_transpose,
        espl_read_identity; /* onnx_float_view.c */
/* The dimensions that Reshape, Flatten, Squeeze and Unsqueeze give. */
espl_status espl_float_new_shape(espl_float_import *import, const espl_fact *in, int *rank,
                                 int64_t dims[ESPL_ONNX_RANK_MAX]);
/* Refuses what is no permutation. */
espl_status espl_float_check_order(espl_float_import *import, const int64_t *order, int count,
                                   int rank);

/* Computes a node all of whose inputs are constants, or Shape and Size of data.
 *   result  false when it is none of those that can be computed */
bool espl_float_fold(espl_float_import *import, espl_status *status);

/* -- the whole ------------------------------------------------------------------ */

/* Reads a model.
 *   out   import->builder.graph, in `arena`; import->facts say how each of the model's values is
 *         seen, for who wants to compare elements; *report (may be NULL) in `arena`
 *   fails as espl_import_graph */
espl_status espl_onnx_to_graph(const espl_onnx_model *model, espl_arena *arena,
                               espl_float_import *import, espl_report *report, espl_error *err);

/* The operators that are read, for who lists them; NULL after the last. */
const char *espl_float_operator(int index);

/* Whether a model is quantized: its meaning is an integer net. */
bool espl_onnx_is_quantized(const espl_onnx_model *model);

#endif
