/* The two shapes that data has in ONNX: an image, or flat.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Private to export/. What the product stores as rows x columns x channels is batch x channels x
 * rows x columns in ONNX, or batch x elements where a dense layer makes it or reads it. One of the
 * two carries the tensor's own name; the other is made when asked.
 */
#ifndef ESPL_EXPORT_VIEW_H
#define ESPL_EXPORT_VIEW_H

#include "export/onnx_writer.h"

typedef struct {
	const char *name;
	int rows, columns, channels;
	espl_element type;
	const char *spatial, *flat; /* names of the two shapes; NULL while there is none */
	bool is_flat;               /* the one that carries `name` */
} espl_view;

bool espl_view_one_cell(const espl_view *view);

/* Dimensions after the batch; returns how many. */
int espl_view_dims(const espl_view *view, bool flat, int64_t dims[3]);

/* The name of a shape. */
const char *espl_view_name(espl_onnx_writer *writer, espl_view *view, bool flat);
/* Says in which shape the data is made; returns its name. */
const char *espl_view_make(espl_onnx_writer *writer, espl_view *view, bool flat);

/* The nodes of a reshape called `name`: the order is rows, columns, channels, so ONNX's is turned
 * into that and back where the two differ. */
void espl_view_reshape(espl_onnx_writer *writer, espl_view *from, espl_view *to, const char *name);

#endif
