/* The lowered net as a program for an engine: where, when, and how many cycles.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "schedule/schedule.h"

#include "schedule/decisions.h"
#include "schedule/work.h"

#include <string.h>

static bool power_of_two(int n)
{
	return n > 0 && !(n & (n - 1));
}

static espl_status take_envelope(espl_work *work, const espl_envelope *envelope, espl_error *err)
{
	const espl_engine *given = envelope->engine;
	int most;

	work->envelope = *envelope;
	if (given) {
		work->envelope.lanes = given->Lanes;
		work->envelope.splits = given->Splits;
		work->envelope.requantizers = given->Requantizers;
	}
	work->lanes = work->envelope.lanes;
	work->splits = work->envelope.splits;
	most = work->lanes < work->splits ? work->lanes : work->splits;
	work->requantizers = work->envelope.requantizers ? work->envelope.requantizers : most;
	if (!power_of_two(work->lanes) || work->lanes < 8 || work->lanes > ESPL_MAX_LANES)
		return espl_fail(err, ESPL_USAGE, "%d lanes: 8, 16 or 32 are possible",
		                 work->lanes);
	if (!power_of_two(work->splits) || work->splits > ESPL_MAX_SPLITS)
		return espl_fail(err, ESPL_USAGE, "%d splits: 1, 2, 4, 8 or 16 are possible",
		                 work->splits);
	if (!power_of_two(work->requantizers) || work->requantizers > most)
		return espl_fail(
		        err, ESPL_USAGE,
		        "%d requantizers: a power of two, at most the lesser of lanes and splits "
		        "(%d), is possible",
		        work->requantizers, most);
	return ESPL_OK;
}

/* Copies layers and tensors, with room for copies that normalization puts in. */
static void take_lowered(espl_work *work, const espl_lowered *lowered)
{
	const int more = lowered->tensor_count + lowered->layer_count + 8;

	work->lowered = lowered;
	work->layer_count = lowered->layer_count;
	work->tensor_count = lowered->tensor_count;
	work->layers = ESPL_ARRAY(work->arena, espl_work_layer, lowered->layer_count + 2 * more);
	work->tensors = ESPL_ARRAY(work->arena, espl_work_tensor, lowered->tensor_count + 2 * more);
	for (int l = 0; l < lowered->layer_count; l++) {
		espl_layer *layer = &work->layers[l].layer;

		*layer = lowered->layers[l];
		work->layers[l].lowered = l;
		layer->kernel_rows = espl_greatest(layer->kernel_rows, 1);
		layer->kernel_columns = espl_greatest(layer->kernel_columns, 1);
		layer->stride_rows = espl_greatest(layer->stride_rows, 1);
		layer->stride_columns = espl_greatest(layer->stride_columns, 1);
		layer->dilation_rows = espl_greatest(layer->dilation_rows, 1);
		layer->dilation_columns = espl_greatest(layer->dilation_columns, 1);
	}
	for (int t = 0; t < lowered->tensor_count; t++) {
		work->tensors[t].tensor = lowered->tensors[t];
		work->tensors[t].lowered = t;
		work->tensors[t].alias = -1;
		work->tensors[t].copies = 1;
	}
	for (int i = 0; i < lowered->input_count; i++) {
		work->tensors[lowered->inputs[i]].is_input = true;
		work->plan->input_places[i] = lowered->inputs[i];
	}
	for (int o = 0; o < lowered->output_count; o++) {
		work->tensors[lowered->outputs[o]].is_output = true;
		work->plan->output_places[o] = lowered->outputs[o];
	}
}

/* Planes by channel and phase; copies in other splits at the same word share an entry. */
static void list_planes(const espl_work *work, const espl_work_tensor *tensor, espl_place *out)
{
	const int phases = tensor->phase_rows * tensor->phase_columns;

	out->planes =
	        ESPL_ARRAY(work->arena, espl_plane,
	                   tensor->tensor.channels * phases * (tensor->shared ? work->splits : 1));
	for (int c = 0; c < tensor->tensor.channels; c++)
		for (int p = 0; p < phases; p++) {
			const int first = out->plane_count;

			for (int s = 0; s < work->splits; s++) {
				const int row = p / tensor->phase_columns,
				          column = p % tensor->phase_columns;
				const int word = espl_work_plane(work, tensor, c, row, column, s);
				int i = first;

				if (word < 0)
					continue;
				while (i < out->plane_count && out->planes[i].word != word)
					i++;
				if (i == out->plane_count)
					out->planes[out->plane_count++] = (espl_plane){
					        .channel = c,
					        .phase_row = row,
					        .phase_column = column,
					        .word = word,
					};
				out->planes[i].splits |= 1u << s;
			}
		}
}

static void list_places(espl_work *work)
{
	espl_plan *plan = work->plan;

	plan->place_count = work->tensor_count;
	plan->places = ESPL_ARRAY(work->arena, espl_place, work->tensor_count);
	for (int t = 0; t < work->tensor_count; t++) {
		const espl_work_tensor *tensor = &work->tensors[t];
		espl_place *place = &plan->places[t];

		*place = (espl_place){
		        .tensor = tensor->lowered,
		        .kind = tensor->kind,
		        .phase_rows = tensor->phase_rows,
		        .phase_columns = tensor->phase_columns,
		        .pitch = tensor->pitch,
		        .plane_rows = tensor->plane_rows,
		        .plane_words = tensor->plane_words,
		        .base = tensor->base,
		        .channel_stride = tensor->channel_stride,
		        .position_stride = tensor->position_stride,
		        .first_layer = tensor->first,
		        .last_layer = tensor->last,
		        .words = tensor->words,
		};
		if (tensor->kind == ESPL_PLACE_WIDE)
			list_planes(work, tensor, place);
	}
}

static const char *kind_name(espl_layer_kind kind)
{
	static const char *const names[] = {"conv",  "depthwise", "max_pool", "add",
	                                    "table", "dense",     "concat"};

	return names[kind];
}

static void list_layers(espl_work *work)
{
	espl_plan *plan = work->plan;

	for (int l = 0; l < work->layer_count; l++) {
		const espl_work_layer *layer = &work->layers[l];
		espl_plan_layer *out;

		if (layer->index < 0)
			continue;
		out = &plan->layers[plan->layer_count++];
		out->name = layer->layer.name;
		out->kind = layer->lowered < 0 ? "copy" : kind_name(layer->layer.kind);
		out->lowered = layer->lowered;
		out->place = layer->layer.output;
		if (layer->lowered >= 0 && layer->layer.net_op >= 0)
			out->multiplications = espl_op_multiplications(
			        work->lowered->net, &work->lowered->net->ops[layer->layer.net_op]);
	}
}

static int bits_of(int width, int depth)
{
	return width * depth;
}

static int index_bits(int n)
{
	int bits = 1;

	while (1 << bits < n)
		bits++;
	return bits;
}

/* Bytes of all memories of the engine. */
static int64_t engine_bytes(const espl_engine *e)
{
	const int64_t split = (int64_t)bits_of(8 * e->Lanes, e->WideDepth + e->WideExtra) +
	                      bits_of(8 + index_bits(e->TapDepth), e->NarrowDepth) +
	                      bits_of(35, e->TapDepth);

	return (split * e->Splits + bits_of(144, e->ParamDepth) + bits_of(36, e->GroupDepth) +
	        bits_of(19 + 2 * e->PadMax * e->Lanes, e->BlockDepth) + bits_of(30, e->EntryDepth) +
	        bits_of(e->Requantizers * (index_bits(e->Requantizers) + 1), e->PatternDepth) +
	        bits_of(64, e->LayerDepth * 4) + bits_of(8 * e->Lanes, e->OutputDepth) +
	        (int64_t)bits_of(2048, e->Tables) * e->Requantizers) /
	       8;
}

/* How a family makes memories: block RAMs of `shallow` words at their widest, halving from there.
 */
typedef struct {
	int widest, shallow;
	int shapes;      /* each of half the bits and twice the words */
	int byte_bits;   /* that a byte with a write enable of its own takes */
	int byte_shapes; /* the first shapes, which have such enables */
	bool lut_ram;    /* small memories are LUT RAM (rtl/ecp5/espl_ram.sv) */
} memory_rule;

static const memory_rule ecp5 = {36, 512, 6, 9, 3, true};
static const memory_rule ice40 = {16, 256, 4, 8, 2, false};

/* Block RAMs of `width` bits by `depth`, by the best of the shapes; enables: bytes with enables. */
static int blocks_of(const memory_rule *rule, int width, int depth, bool enables)
{
	const int shapes = enables ? rule->byte_shapes : rule->shapes;
	int best = 0;

	if (rule->lut_ram && depth <= 128 && width * depth <= 8192)
		return 0;
	if (enables)
		width = width / 8 * rule->byte_bits;
	for (int i = 0; i < shapes; i++) {
		/* 36, 18, 9 bits have a parity bit a byte; below there is none */
		const int bits = rule->widest == 36 && i > 2 ? 8 >> (i - 2) : rule->widest >> i;
		const int count =
		        espl_ceil_div(width, bits) * espl_ceil_div(depth, rule->shallow << i);

		best = !best || count < best ? count : best;
	}
	return best;
}

static int engine_block_rams(const espl_engine *e, const memory_rule *rule)
{
	const int split = 2 * blocks_of(rule, 8 * e->Lanes, e->WideDepth / 2, true) +
	                  blocks_of(rule, 8 + index_bits(e->TapDepth), e->NarrowDepth, false) +
	                  blocks_of(rule, 35, e->TapDepth, false) +
	                  (e->WideExtra ? blocks_of(rule, 8 * e->Lanes, e->WideExtra, false) : 0);
	const int masks = 2 * e->PadMax * e->Lanes;
	/* the queues of blocks and of their drains */
	const int queues = rule->lut_ram ? 0
	                                 : blocks_of(rule, 149 + masks, 8, false) +
	                                           blocks_of(rule, 57, 32, false);

	return split * e->Splits + queues + blocks_of(rule, 144, e->ParamDepth, false) +
	       blocks_of(rule, 36, e->GroupDepth, false) +
	       blocks_of(rule, 19 + masks, e->BlockDepth, false) +
	       blocks_of(rule, 30, e->EntryDepth, false) +
	       blocks_of(rule, e->Requantizers * (index_bits(e->Requantizers) + 1), e->PatternDepth,
	                 false) +
	       blocks_of(rule, 64, e->LayerDepth * 4, false) +
	       2 * blocks_of(rule, 8 * e->Lanes, e->OutputDepth / 2, true) +
	       (e->Tables ? e->Requantizers * blocks_of(rule, 8, 256 * e->Tables, false) : 0);
}

static espl_status check_memory(espl_work *work, espl_error *err)
{
	espl_plan *plan = work->plan;

	plan->memory_bytes = engine_bytes(&plan->engine);
	plan->dsps = plan->engine.Lanes * plan->engine.Splits / 2 + plan->engine.Requantizers +
	             plan->engine.Doubles;
	plan->block_rams = engine_block_rams(&plan->engine, &ecp5);
	/* there a pair takes two 16x16 multipliers, a requantizer's 18x18 bits three */
	plan->ice40_dsps = plan->engine.Lanes * plan->engine.Splits +
	                   3 * (plan->engine.Requantizers + plan->engine.Doubles);
	plan->ice40_block_rams = engine_block_rams(&plan->engine, &ice40);
	if (work->envelope.engine || !work->envelope.memory_bytes ||
	    plan->memory_bytes <= work->envelope.memory_bytes)
		return ESPL_OK;
	return espl_fail(
	        err, ESPL_BUDGET,
	        "the network needs %lld bytes of memory on %dx%d (%d words of %d bytes and %d "
	        "weights in each of %d splits), the envelope has %lld; a smaller network, or an "
	        "envelope of --memory %lld, would fit",
	        (long long)plan->memory_bytes, work->lanes, work->splits, plan->engine.WideDepth,
	        work->lanes, plan->engine.NarrowDepth, work->splits,
	        (long long)work->envelope.memory_bytes, (long long)plan->memory_bytes);
}

/* What a given engine must be able to do, its depths aside. */
static espl_status check_given(espl_work *work, espl_error *err)
{
	const espl_engine *given = work->envelope.engine;

	if (!given)
		return ESPL_OK;
	if (work->pad_max > given->PadMax)
		return espl_fail(err, ESPL_BUDGET,
		                 "the network pads %d columns of a phase, the engine at most %d",
		                 work->pad_max, given->PadMax);
	work->pad_max = given->PadMax;
	for (int l = 0; l < work->layer_count && !given->MaxPool; l++)
		if (work->layers[l].layer.kind == ESPL_LAYER_MAX)
			return espl_fail(err, ESPL_BUDGET, "%s: the engine has no max pool",
			                 work->layers[l].layer.name);
	return ESPL_OK;
}

static espl_status decide(espl_work *work, const espl_span *decisions, espl_error *err)
{
	espl_status status;

	ESPL_TRY(espl_normalize(work, err));
	ESPL_TRY(espl_lay_out(work, err));
	ESPL_TRY(check_given(work, err));
	if (decisions)
		ESPL_TRY(espl_decide_splits(work, decisions, err));
	ESPL_TRY(espl_deal(work, err));
	espl_place_vectors(work);
	status = espl_place_tensors(work, err);
	return decisions ? espl_decide_bases(work, decisions, err) : status;
}

/* Begins a plan with at most `most_copies` copies of a channel, 0: as many as there are splits, but
 * none where memory is limited; and plain layers that take at most most_filling / 1024 longer. */
static espl_status start(espl_work *work, const espl_lowered *lowered,
                         const espl_envelope *envelope, espl_arena *arena, int most_copies,
                         int most_filling, espl_error *err)
{
	*work = (espl_work){
	        .arena = arena, .most_copies = most_copies, .most_filling = most_filling};
	work->plan = ESPL_NEW(arena, espl_plan);
	work->plan->lowered = lowered;
	work->plan->input_places = ESPL_ARRAY(arena, int, lowered->input_count);
	work->plan->output_places = ESPL_ARRAY(arena, int, lowered->output_count);
	ESPL_TRY(take_envelope(work, envelope, err));
	work->plan->envelope = work->envelope;
	if (!most_copies)
		work->most_copies = envelope->memory_bytes || envelope->engine ? 1 : work->splits;
	take_lowered(work, lowered);
	return ESPL_OK;
}

static espl_status plan_once(espl_work *work, const espl_lowered *lowered,
                             const espl_envelope *envelope, const espl_span *decisions,
                             espl_arena *arena, int most_filling, espl_error *err)
{
	espl_status status;
	int copies = 0;

	for (;;) {
		ESPL_TRY(start(work, lowered, envelope, arena, copies, most_filling, err));
		status = decide(work, decisions, err);
		/* copies may take three quarters of the usual memory */
		if (work->most_copies == 1 || decisions ||
		    (status != ESPL_BUDGET &&
		     (status || work->activation_words * 4 <= espl_usual_words(work) * 3)))
			break;
		copies = work->most_copies / 2;
	}
	ESPL_TRY(status);
	work->plan->layers = ESPL_ARRAY(arena, espl_plan_layer, work->layer_count);
	list_layers(work);
	ESPL_TRY(espl_write_program(work, err));
	list_places(work);
	espl_count_latency(work);
	return check_memory(work, err);
}

espl_status espl_schedule(const espl_lowered *lowered, const espl_envelope *envelope,
                          const espl_span *decisions, espl_arena *arena, espl_plan **plan,
                          espl_error *err)
{
	/* what does not fit may do so with more layers plain, which costs cycles */
	static const int fillings[] = {0, 8, 32, 128, 1 << 20};
	espl_status status = ESPL_BUDGET;
	espl_work work;

	for (size_t i = 0; i < sizeof(fillings) / sizeof(fillings[0]) && status == ESPL_BUDGET; i++)
		status = plan_once(&work, lowered, envelope, decisions, arena, fillings[i], err);
	ESPL_TRY(status);
	work.plan->decisions = espl_decisions_text(&work);
	*plan = work.plan;
	return ESPL_OK;
}
