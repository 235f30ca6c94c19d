/* manifest.json: what the driver must know (docs/format.md).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "emit/manifest.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

uint32_t espl_engine_identity(const espl_engine *engine)
{
	char text[512];
	uint32_t hash = 0x811c9dc5u;
	int length = 0;

#define X(name)                                                                     \
	length += snprintf(text + length, sizeof(text) - (size_t)length, "%s%s=%d", \
	                   length ? "," : "", #name, engine->name);
	ESPL_ENGINE_LIST(X)
#undef X
	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x01000193u;
	return hash;
}

static void put_planes(espl_json_writer *w, const espl_place *place, const espl_lowered_tensor *of)
{
	espl_json_put_integer(w, "phase_rows", place->phase_rows);
	espl_json_put_integer(w, "phase_columns", place->phase_columns);
	espl_json_put_integer(w, "pitch", place->pitch);
	espl_json_put_integer(w, "plane_rows", place->plane_rows);
	espl_json_put_integer(w, "plane_words", place->plane_words);
	espl_json_open(w, "planes", '[');
	for (int p = 0; p < place->plane_count; p++) {
		const espl_plane *plane = &place->planes[p];
		const int64_t row[] = {of->net_channels[plane->channel], plane->phase_row,
		                       plane->phase_column, plane->splits, plane->word};

		espl_json_put_integers(w, NULL, row, 5);
	}
	espl_json_close(w);
}

/* `softmax`: the operator of the net that the driver runs on an output, or -1. */
static void put_tensor(espl_json_writer *w, const espl_plan *plan, int place_index, espl_type type,
                       const espl_order *order, int softmax, espl_arena *arena)
{
	static const char *const kinds[] = {"wide", "vector", "output"};
	const espl_place *place = &plan->places[place_index];
	const espl_lowered_tensor *of = &plan->lowered->tensors[place->tensor];
	const espl_net *net = plan->lowered->net;
	const int border = softmax >= 0 ? net->ops[softmax].output : of->net_tensor;
	int64_t *live = ESPL_ARRAY(arena, int64_t, of->channels);
	int next = 0;

	for (int c = 0; c < of->channels; c++)
		live[c] = of->net_channels[c];
	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "name", net->tensors[border].name);
	espl_json_put_integer(w, "net_tensor", of->net_tensor);
	espl_json_put_integer(w, "rows", of->rows);
	espl_json_put_integer(w, "columns", of->columns);
	espl_json_put_integer(w, "channels", of->net_channel_count);
	espl_json_put_string(w, "type",
	                     type == ESPL_TYPE_FLOAT32 ? "float32"
	                     : type == ESPL_TYPE_UINT8 ? "uint8"
	                                               : "int8");
	if (order && order->axes[0] + 3 * order->axes[1] != 3) {
		const int64_t axes[3] = {order->axes[0], order->axes[1], order->axes[2]};

		espl_json_put_integers(w, "order", axes, 3);
	}
	if (type == ESPL_TYPE_FLOAT32 && net->rounding == ESPL_ROUND_ONNX)
		espl_json_put_string(w, "halves", "even");
	espl_json_put_number(w, "scale", net->tensors[border].scale);
	espl_json_put_integer(w, "zero_point", net->tensors[border].zero_point);
	espl_json_put_integer(w, "softmax", softmax);
	if (softmax >= 0) {
		const espl_op *op = &net->ops[softmax];

		espl_json_put_integer(w, "softmax_multiplier", op->softmax_scale.multiplier);
		espl_json_put_integer(w, "softmax_exponent", op->softmax_scale.exponent);
		espl_json_put_integer(w, "softmax_least", op->softmax_least);
	}
	espl_json_put_string(w, "place", kinds[place->kind]);
	if (place->kind == ESPL_PLACE_WIDE) {
		put_planes(w, place, of);
	} else {
		espl_json_put_integer(w, "base", place->base);
		espl_json_put_integer(w, "channel_stride", place->channel_stride);
		espl_json_put_integer(w, "position_stride", place->position_stride);
		espl_json_put_integer(w, "pitch", place->pitch);
	}
	espl_json_put_integers(w, "live", live, of->channels);
	espl_json_open(w, "constants", '[');
	for (int c = 0; c < of->net_channel_count; c++) {
		int64_t pair[2];

		if (next < of->channels && of->net_channels[next] == c) {
			next++;
			continue;
		}
		pair[0] = c;
		pair[1] = of->constants[c];
		espl_json_put_integers(w, NULL, pair, 2);
	}
	espl_json_close(w);
	espl_json_close(w);
}

static void put_layers(espl_json_writer *w, const espl_plan *plan)
{
	espl_json_open(w, "layers", '[');
	for (int l = 0; l < plan->layer_count; l++) {
		const espl_plan_layer *layer = &plan->layers[l];
		const double slots =
		        (double)layer->cycles * plan->engine.Lanes * plan->engine.Splits;

		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "name", layer->name);
		espl_json_put_string(w, "kind", layer->kind);
		espl_json_put_integer(w, "cycles", layer->cycles);
		espl_json_put_integer(w, "multiplications", layer->multiplications);
		espl_json_put_number(w, "utilization",
		                     slots > 0 ? (double)layer->multiplications / slots : 0);
		espl_json_close(w);
	}
	espl_json_close(w);
}

static void put_borders(espl_json_writer *w, const espl_plan *plan, espl_arena *arena)
{
	const espl_lowered *lowered = plan->lowered;

	espl_json_open(w, "inputs", '[');
	for (int i = 0; i < lowered->input_count; i++)
		put_tensor(w, plan, plan->input_places[i], lowered->net->input_types[i],
		           lowered->net->input_orders ? &lowered->net->input_orders[i] : NULL, -1,
		           arena);
	espl_json_close(w);
	espl_json_open(w, "outputs", '[');
	for (int o = 0; o < lowered->output_count; o++)
		put_tensor(w, plan, plan->output_places[o], lowered->net->output_types[o],
		           lowered->net->output_orders ? &lowered->net->output_orders[o] : NULL,
		           lowered->host_softmax[o], arena);
	espl_json_close(w);
	espl_json_open(w, "tensors", '[');
	for (int l = 0; l < plan->layer_count; l++)
		put_tensor(w, plan, plan->layers[l].place, ESPL_TYPE_INT8, NULL, -1, arena);
	espl_json_close(w);
}

const char *espl_manifest_text(const espl_plan *plan, uint64_t program_identity, espl_arena *arena)
{
	espl_json_writer *w = espl_json_writer_create(arena);
	const espl_engine *e = &plan->engine;
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "format", 1);
	espl_json_put_string(w, "name", plan->lowered->net->name);
	espl_json_put_string(w, "array", espl_arena_format(arena, "%dx%d", e->Lanes, e->Splits));
	if (plan->envelope.board)
		espl_json_put_string(w, "board", plan->envelope.board);
	espl_json_open(w, "engine", '{');
#define X(name) espl_json_put_integer(w, #name, e->name);
	ESPL_ENGINE_LIST(X)
#undef X
	espl_json_close(w);
	espl_json_put_string(w, "engine_identity",
	                     espl_arena_format(arena, "%08x", espl_engine_identity(e)));
	espl_json_put_string(
	        w, "program_identity",
	        espl_arena_format(arena, "%016llx", (unsigned long long)program_identity));
	espl_json_put_integer(w, "latency_cycles", plan->latency_cycles);
	espl_json_put_integer(w, "interval_cycles", plan->interval_cycles);
	espl_json_put_integer(w, "load_cycles", plan->load_cycles);
	espl_json_put_integer(w, "output_beats", plan->output_beats);
	espl_json_put_integer(w, "output_delay", plan->output_delay);
	espl_json_put_integer(w, "memory_bytes", plan->memory_bytes);
	espl_json_put_integer(w, "dsps", plan->dsps);
	espl_json_put_integer(w, "block_rams", plan->block_rams);
	espl_json_put_integer(w, "ice40_dsps", plan->ice40_dsps);
	espl_json_put_integer(w, "ice40_block_rams", plan->ice40_block_rams);
	put_layers(w, plan);
	put_borders(w, plan, arena);
	espl_json_close(w);
	return espl_json_text(w, &size);
}
