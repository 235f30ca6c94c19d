/* Phases and pitches: how each tensor's planes are cut and how wide their rows are.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A layer of stride s over a tensor of s * k phases computes in k phases of
 * its output, each at stride 1: a tap is then one offset for all lanes. A
 * tensor has as few phases as its readers and its writer allow.
 */
#include "schedule/work.h"

enum { MOST_PHASES = 8, MOST_PAD = 7 };

static int gcd(int a, int b)
{
	while (b) {
		const int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int lcm(int a, int b)
{
	return a / gcd(a, b) * b;
}

static int root(espl_work *work, int t)
{
	while (work->tensors[t].group != t)
		t = work->tensors[t].group;
	return t;
}

static void join(espl_work *work, int a, int b)
{
	a = root(work, a);
	b = root(work, b);
	work->tensors[a > b ? a : b].group = a > b ? b : a;
}

/* Operands of an ADD and members of a CONCAT have one layout. */
static void group(espl_work *work)
{
	for (int t = 0; t < work->tensor_count; t++)
		work->tensors[t].group = t;
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;

		if (layer->kind == ESPL_LAYER_ADD)
			join(work, layer->inputs[0], layer->inputs[1]);
		if (layer->kind == ESPL_LAYER_CONCAT)
			for (int i = 0; i < layer->input_count; i++)
				join(work, layer->inputs[i], layer->output);
	}
	for (int t = 0; t < work->tensor_count; t++)
		work->tensors[t].group = root(work, t);
}

/* Phases of the computing space along one axis: 1 where the output has one row only. */
static int computing(int input_phases, int stride, int output_count)
{
	return output_count == 1 ? 1 : input_phases / stride;
}

static bool raise_phases(int *phases, int to)
{
	if (*phases % to == 0)
		return false;
	*phases = lcm(*phases, to);
	return true;
}

static bool grow_phases(espl_work *work, const espl_layer *layer)
{
	const espl_work_tensor *output = &work->tensors[layer->output];
	espl_work_tensor *in = &work->tensors[work->tensors[layer->inputs[0]].group];
	espl_work_tensor *out = &work->tensors[output->group];
	bool grown = false;

	if (layer->kind == ESPL_LAYER_CONCAT || layer->kind == ESPL_LAYER_DENSE)
		return false;
	if (output->tensor.rows > 1)
		grown |= raise_phases(&in->phase_rows, layer->stride_rows);
	if (output->tensor.columns > 1)
		grown |= raise_phases(&in->phase_columns, layer->stride_columns);
	grown |= raise_phases(&out->phase_rows,
	                      computing(in->phase_rows, layer->stride_rows, output->tensor.rows));
	grown |= raise_phases(
	        &out->phase_columns,
	        computing(in->phase_columns, layer->stride_columns, output->tensor.columns));
	return grown;
}

static espl_status choose_phases(espl_work *work, espl_error *err)
{
	bool grown = true;

	for (int t = 0; t < work->tensor_count; t++)
		work->tensors[t].phase_rows = work->tensors[t].phase_columns = 1;
	while (grown) {
		grown = false;
		for (int l = 0; l < work->layer_count; l++)
			grown |= grow_phases(work, &work->layers[l].layer);
		for (int t = 0; t < work->tensor_count; t++)
			if (work->tensors[t].phase_rows > MOST_PHASES ||
			    work->tensors[t].phase_columns > MOST_PHASES)
				return espl_fail(
				        err, ESPL_UNSUPPORTED,
				        "%s: the strides around it ask for more than %d phases",
				        work->tensors[t].tensor.name, MOST_PHASES);
	}
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		tensor->phase_rows = work->tensors[tensor->group].phase_rows;
		tensor->phase_columns = work->tensors[tensor->group].phase_columns;
		if (tensor->kind != ESPL_PLACE_WIDE &&
		    (tensor->phase_rows > 1 || tensor->phase_columns > 1))
			return espl_fail(
			        err, ESPL_UNSUPPORTED,
			        "%s: is wanted in order, but a reader's stride cuts it in phases",
			        tensor->tensor.name);
	}
	return ESPL_OK;
}

bool espl_reach_of(const espl_work *work, const espl_work_layer *layer, int phase_row,
                   int phase_column, int kernel_row, int kernel_column, espl_reach *out)
{
	const espl_layer *l = &layer->layer;
	const espl_work_tensor *in = &work->tensors[l->inputs[0]];
	const espl_lowered_tensor *output = &work->tensors[l->output].tensor;
	const int up = phase_row * l->stride_rows + kernel_row * l->dilation_rows - l->pad_top;
	const int across = phase_column * l->stride_columns + kernel_column * l->dilation_columns -
	                   l->pad_left;
	const int rows = espl_phase_count(output->rows, phase_row, layer->phase_rows);
	const int columns = espl_phase_count(output->columns, phase_column, layer->phase_columns);
	int in_rows, in_columns;

	out->row = espl_floor_div(up, in->phase_rows);
	out->column = espl_floor_div(across, in->phase_columns);
	out->phase_row = up - out->row * in->phase_rows;
	out->phase_column = across - out->column * in->phase_columns;
	in_rows = espl_phase_count(in->tensor.rows, out->phase_row, in->phase_rows);
	in_columns = espl_phase_count(in->tensor.columns, out->phase_column, in->phase_columns);
	out->limit = in_rows != espl_phase_count(in->tensor.rows, 0, in->phase_rows);
	out->left = out->right = 0;
	if (out->column >= in_columns || columns - 1 + out->column < 0)
		return false;
	if (out->column < 0)
		out->left = -out->column;
	if (columns - 1 + out->column >= in_columns)
		out->right = out->column + in->pitch - in_columns;
	/* some output reads a pixel of the image by it */
	return out->row < in_rows && rows - 1 + out->row >= 0;
}

/* The greatest column mask that the readers of a group would need at a pitch. */
static int masks_at(espl_work *work, int group_of, int pitch)
{
	int most = 0;

	for (int l = 0; l < work->layer_count; l++) {
		espl_work_layer *layer = &work->layers[l];
		espl_work_tensor *in = &work->tensors[layer->layer.inputs[0]];
		const int before = in->pitch;

		if (layer->index < 0 || layer->layer.kind == ESPL_LAYER_DENSE ||
		    in->group != group_of)
			continue;
		in->pitch = pitch;
		for (int p = 0; p < layer->phase_columns; p++)
			for (int k = 0; k < layer->layer.kernel_columns; k++) {
				espl_reach reach;

				espl_reach_of(work, layer, 0, p, 0, k, &reach);
				most = espl_greatest(most, espl_greatest(reach.left, reach.right));
			}
		in->pitch = before;
	}
	return most;
}

/* The pitch of a group: its writer's, if that wastes little, so that whole words can be
 * written as they come; else as tight as the readers allow. */
static void choose_pitch(espl_work *work, int group_of)
{
	int tight = 1, written = 0, pitch;

	for (int t = 0; t < work->tensor_count; t++)
		if (work->tensors[t].group == group_of)
			tight = espl_greatest(tight, espl_ceil_div(work->tensors[t].tensor.columns,
			                                           work->tensors[t].phase_columns));
	for (int l = 0; l < work->layer_count; l++) {
		espl_work_layer *layer = &work->layers[l];
		const espl_work_tensor *in = &work->tensors[layer->layer.inputs[0]];
		const espl_work_tensor *out = &work->tensors[layer->layer.output];

		if (layer->index < 0 || layer->layer.kind == ESPL_LAYER_DENSE)
			continue;
		if (in->group == group_of)
			tight = espl_greatest(
			        tight, espl_ceil_div(out->tensor.columns, layer->phase_columns));
		if (out->group == group_of && !written && in->pitch &&
		    layer->phase_rows == out->phase_rows &&
		    layer->phase_columns == out->phase_columns)
			written = in->pitch;
	}
	pitch = tight;
	if (written && work->tensors[group_of].kind == ESPL_PLACE_VECTOR)
		pitch = written; /* elements are written as they come */
	else if (written > tight && written * 4 <= tight * 5 &&
	         masks_at(work, group_of, written) <= 2)
		pitch = written;
	for (int t = 0; t < work->tensor_count; t++)
		if (work->tensors[t].group == group_of)
			work->tensors[t].pitch = pitch;
}

static espl_status choose_pitches(espl_work *work, espl_error *err)
{
	for (int l = 0; l < work->layer_count; l++) {
		espl_work_layer *layer = &work->layers[l];
		const espl_layer *of = &layer->layer;
		const espl_work_tensor *in = &work->tensors[of->inputs[0]];
		const espl_work_tensor *out = &work->tensors[of->output];

		layer->phase_rows = computing(in->phase_rows, of->stride_rows, out->tensor.rows);
		layer->phase_columns =
		        computing(in->phase_columns, of->stride_columns, out->tensor.columns);
	}
	/* in the order of writing, so that a writer's pitch is known */
	for (int t = 0; t < work->tensor_count; t++)
		if (work->tensors[t].is_input && !work->tensors[work->tensors[t].group].pitch)
			choose_pitch(work, work->tensors[t].group);
	for (int l = 0; l < work->layer_count; l++) {
		const int group_of = work->tensors[work->layers[l].layer.output].group;

		if (!work->tensors[group_of].pitch)
			choose_pitch(work, group_of);
	}
	work->pad_max = work->envelope.memory_bytes ? 1 : 2;
	for (int t = 0; t < work->tensor_count; t++) {
		const int most = masks_at(work, t, work->tensors[t].pitch);

		if (most > MOST_PAD)
			return espl_fail(
			        err, ESPL_UNSUPPORTED,
			        "%s: a reader pads %d columns of a phase, at most %d are possible",
			        work->tensors[t].tensor.name, most, MOST_PAD);
		work->pad_max = espl_greatest(work->pad_max, most);
	}
	return ESPL_OK;
}

/* The computing spaces, and how many words a plane of each tensor takes. */
static void measure(espl_work *work)
{
	for (int t = 0; t < work->tensor_count; t++) {
		espl_work_tensor *tensor = &work->tensors[t];

		tensor->plane_rows = espl_ceil_div(tensor->tensor.rows, tensor->phase_rows);
		tensor->plane_words =
		        espl_ceil_div(tensor->plane_rows * tensor->pitch, work->lanes);
	}
	for (int l = 0; l < work->layer_count; l++) {
		espl_work_layer *layer = &work->layers[l];
		const espl_work_tensor *in = &work->tensors[layer->layer.inputs[0]];
		espl_work_tensor *out = &work->tensors[layer->layer.output];

		if (layer->index < 0)
			continue;
		layer->pitch = in->pitch;
		layer->rows = espl_ceil_div(out->tensor.rows, layer->phase_rows);
		layer->columns = espl_ceil_div(out->tensor.columns, layer->phase_columns);
		layer->blocks = espl_ceil_div((layer->rows - 1) * layer->pitch + layer->columns,
		                              work->lanes);
		if (layer->layer.kind == ESPL_LAYER_DENSE)
			layer->blocks = espl_ceil_div(out->tensor.channels, work->lanes);
		out->plane_words = espl_greatest(out->plane_words, 1);
	}
	/* a writer that writes whole words may write a little more than the plane */
	for (int l = 0; l < work->layer_count; l++) {
		const espl_work_layer *layer = &work->layers[l];
		espl_work_tensor *out = &work->tensors[layer->layer.output];
		int extra = 0;

		if (layer->index < 0 || layer->layer.kind == ESPL_LAYER_DENSE)
			continue;
		if (layer->pitch == out->pitch && layer->phase_rows == out->phase_rows &&
		    layer->phase_columns == out->phase_columns)
			out->plane_words = espl_greatest(out->plane_words, layer->blocks);
		else if (layer->blocks > 8)
			extra = espl_ceil_div(work->lanes, layer->pitch) + 1;
		if (extra)
			out->plane_words = espl_greatest(
			        out->plane_words,
			        espl_ceil_div((out->plane_rows + extra) * out->pitch, work->lanes));
	}
	/* one size within a CONCAT */
	for (int l = 0; l < work->layer_count; l++) {
		const espl_layer *layer = &work->layers[l].layer;
		espl_work_tensor *out = &work->tensors[layer->output];

		if (layer->kind != ESPL_LAYER_CONCAT)
			continue;
		for (int i = 0; i < layer->input_count; i++)
			out->plane_words = espl_greatest(
			        out->plane_words, work->tensors[layer->inputs[i]].plane_words);
		for (int i = 0; i < layer->input_count; i++)
			work->tensors[layer->inputs[i]].plane_words = out->plane_words;
	}
}

espl_status espl_lay_out(espl_work *work, espl_error *err)
{
	group(work);
	ESPL_TRY(choose_phases(work, err));
	ESPL_TRY(choose_pitches(work, err));
	measure(work);
	return ESPL_OK;
}
