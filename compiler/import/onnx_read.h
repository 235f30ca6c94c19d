/* What the parts of the ONNX reader share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to import/, to onnx_model.c, onnx_name.c and onnx_tensor.c.
 */
#ifndef ESPL_IMPORT_ONNX_READ_H
#define ESPL_IMPORT_ONNX_READ_H

#include "import/onnx_model.h"
#include "import/protobuf.h"

typedef struct {
	espl_wire_file file;
	espl_arena *arena, *scratch;
	espl_error *err;
} espl_onnx_reader;

/* Fails as the broken file that it is, or gives ESPL_OK. */
espl_status espl_onnx_intact(const espl_onnx_reader *reader);

/* Copies a name; `what` says of what.
 *   fails  ESPL_RANGE: too long, or with a character that does not belong in a name */
espl_status espl_onnx_take_name(espl_onnx_reader *reader, espl_wire *wire,
                                const espl_wire_field *field, const char *what, const char **out);

/* The same of a domain; ONNX's own reads as "". */
espl_status espl_onnx_take_domain(espl_onnx_reader *reader, espl_wire *wire,
                                  const espl_wire_field *field, const char **out);

/* Copies a text that nobody relies on: "?" when it is no clean name. */
const char *espl_onnx_take_text(espl_onnx_reader *reader, const espl_wire_field *field);

/* Reads a TensorProto. */
espl_status espl_onnx_read_tensor(espl_onnx_reader *reader, espl_wire wire, espl_onnx_tensor *out);

#endif
