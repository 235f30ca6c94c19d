/* The two shapes that data has in ONNX: an image, or flat.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "export/view.h"

bool espl_view_one_cell(const espl_view *view)
{
	return view->rows == 1 && view->columns == 1;
}

int espl_view_dims(const espl_view *view, bool flat, int64_t dims[3])
{
	dims[0] = view->channels;
	dims[1] = view->rows;
	dims[2] = view->columns;
	if (flat)
		dims[0] = (int64_t)view->rows * view->columns * view->channels;
	return flat ? 1 : 3;
}

static const char *reshape(espl_onnx_writer *writer, const char *name, const char *from,
                           const espl_view *to, bool flat, const char *output)
{
	int64_t shape[4] = {-1};
	const int64_t rank = espl_view_dims(to, flat, shape + 1) + 1;
	const char *target = espl_write_int64s(
	        writer, espl_arena_format(writer->arena, "%s/shape", output), 1, &rank, shape);

	return espl_write_node(writer, "", "Reshape", name, output, ESPL_INPUTS(from, target));
}

const char *espl_view_name(espl_onnx_writer *writer, espl_view *view, bool flat)
{
	const char **wanted = flat ? &view->flat : &view->spatial;

	if (!*wanted) {
		const char *name = espl_write_unique(
		        writer, espl_arena_format(writer->arena, "%s/%s", view->name,
		                                  flat ? "flat" : "spatial"));

		*wanted =
		        reshape(writer, NULL, flat ? view->spatial : view->flat, view, flat, name);
	}
	return *wanted;
}

const char *espl_view_make(espl_onnx_writer *writer, espl_view *view, bool flat)
{
	int64_t dims[3];

	view->is_flat = flat;
	*(flat ? &view->flat : &view->spatial) = view->name;
	espl_write_value(writer, view->name, view->type, espl_view_dims(view, flat, dims), dims);
	return view->name;
}

static const char *part(espl_onnx_writer *writer, const char *name, const char *what)
{
	return espl_write_unique(writer, espl_arena_format(writer->arena, "%s/%s", name, what));
}

void espl_view_reshape(espl_onnx_writer *writer, espl_view *from, espl_view *to, const char *name)
{
	const bool turn_in = !espl_view_one_cell(from) && from->channels > 1;
	const bool turn_out = !espl_view_one_cell(to) && to->channels > 1;
	const char *at = espl_view_name(writer, from, turn_in ? false : from->is_flat), *shape;
	const char *output = espl_view_make(writer, to, espl_view_one_cell(to));
	const int64_t rank = 4;

	if (turn_in) {
		at = espl_write_node(writer, "", "Transpose", part(writer, name, "turn"),
		                     part(writer, name, "turned"), ESPL_INPUTS(at));
		espl_write_integers(writer, "perm", (const int64_t[]){0, 2, 3, 1}, 4);
	}
	if (!turn_out) {
		reshape(writer, name, at, to, espl_view_one_cell(to), output);
		return;
	}
	shape = espl_write_int64s(writer, espl_arena_format(writer->arena, "%s/shape", name), 1,
	                          &rank,
	                          (const int64_t[]){-1, to->rows, to->columns, to->channels});
	at = espl_write_node(writer, "", "Reshape", name, part(writer, name, "reshaped"),
	                     ESPL_INPUTS(at, shape));
	espl_write_node(writer, "", "Transpose", part(writer, name, "turn_back"), output,
	                ESPL_INPUTS(at));
	espl_write_integers(writer, "perm", (const int64_t[]){0, 3, 1, 2}, 4);
}
