/* What a network costs: the real scheduler's cycles on the fastest engine that holds it.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/price.h"

#include "ir/bytes.h"
#include "schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

/* What the serial link takes of a board's block RAMs besides the engine. */
enum { LINK_BLOCK_RAMS = 2 };

int espl_estimate_luts(int lanes, int splits, int requantizers)
{
	return (30707 + 1409 * lanes * splits + 426 * splits + 10539 * requantizers + 798 * lanes) /
	       10;
}

int espl_estimate_ffs(int lanes, int splits, int requantizers)
{
	return (28552 + 1184 * lanes * splits + 5569 * splits + 8484 * requantizers + 472 * lanes) /
	       10;
}

static bool is_ice40(const espl_frame *frame)
{
	return frame->family && !strcmp(frame->family, "ice40");
}

/* As the plan counts them: a pair of lanes shares a multiplier, but not on iCE40. */
static int multipliers_of(const espl_frame *frame, int lanes, int splits, int requantizers)
{
	return is_ice40(frame) ? lanes * splits + 3 * requantizers
	                       : lanes * splits / 2 + requantizers;
}

/* Nine of ten LUTs and flip-flops: the link and the placer need the rest. */
static bool holds(const espl_frame *frame, int lanes, int splits, int requantizers)
{
	return multipliers_of(frame, lanes, splits, requantizers) <= frame->multipliers &&
	       (!frame->luts || espl_estimate_luts(lanes, splits, requantizers) * INT64_C(10) <=
	                                frame->luts * INT64_C(9)) &&
	       (!frame->ffs || espl_estimate_ffs(lanes, splits, requantizers) * INT64_C(10) <=
	                               frame->ffs * INT64_C(9));
}

static int by_size(const void *a, const void *b)
{
	const espl_envelope *x = a, *y = b;

	if (x->lanes * x->splits != y->lanes * y->splits)
		return y->lanes * y->splits - x->lanes * x->splits;
	if (x->requantizers != y->requantizers)
		return y->requantizers - x->requantizers;
	return x->lanes - y->lanes;
}

/* Every array with the most requantizers that still fit. */
static void list_arrays(espl_frame *frame)
{
	for (int lanes = 8; lanes <= ESPL_MAX_LANES; lanes *= 2)
		for (int splits = 1; splits <= ESPL_MAX_SPLITS && splits <= lanes; splits *= 2) {
			int requantizers = splits;

			while (requantizers && !holds(frame, lanes, splits, requantizers))
				requantizers /= 2;
			if (!requantizers)
				continue;
			frame->arrays[frame->array_count++] = (espl_envelope){
			        .board = frame->board,
			        .lanes = lanes,
			        .splits = splits,
			        .requantizers = requantizers,
			        .memory_bytes = frame->memory_bytes,
			};
		}
	qsort(frame->arrays, (size_t)frame->array_count, sizeof(frame->arrays[0]), by_size);
}

espl_status espl_frame_of_board(const espl_board *board, int64_t clock_hz, espl_frame *out,
                                espl_error *err)
{
	espl_frame frame = {
	        .board = board->name,
	        .family = board->family,
	        .multipliers = board->multipliers,
	        .block_rams = board->block_rams - LINK_BLOCK_RAMS,
	        .luts = board->luts,
	        .ffs = board->ffs,
	        .memory_bytes = board->preset.memory_bytes,
	        .clock_hz = clock_hz ? clock_hz : board->clock_hz,
	        .engine = board->preset.engine,
	};

	list_arrays(&frame);
	if (!frame.array_count)
		return espl_fail(
		        err, ESPL_BUDGET,
		        "%s: the smallest engine, 8x1 with one requantizer, takes %d multipliers, "
		        "about %d LUTs and %d flip-flops; the board has %d, %d and %d",
		        board->name, multipliers_of(&frame, 8, 1, 1), espl_estimate_luts(8, 1, 1),
		        espl_estimate_ffs(8, 1, 1), board->multipliers, board->luts, board->ffs);
	*out = frame;
	return ESPL_OK;
}

espl_status espl_frame_of_limits(int multipliers, int64_t memory_bytes, int64_t clock_hz,
                                 espl_frame *out, espl_error *err)
{
	espl_frame frame = {
	        .multipliers = multipliers,
	        .memory_bytes = memory_bytes,
	        .clock_hz = clock_hz,
	};

	list_arrays(&frame);
	if (!frame.array_count)
		return espl_fail(err, ESPL_BUDGET,
		                 "the smallest engine, 8x1 with one requantizer, takes %d "
		                 "multipliers, the envelope has %d",
		                 multipliers_of(&frame, 8, 1, 1), multipliers);
	*out = frame;
	return ESPL_OK;
}

const char *espl_frame_text(const espl_frame *f, espl_arena *arena)
{
	const char *text = espl_arena_format(
	        arena,
	        "frame %s multipliers=%d block_rams=%d luts=%d ffs=%d memory=%lld clock=%lld",
	        f->family ? f->family : "any", f->multipliers, f->block_rams, f->luts, f->ffs,
	        (long long)f->memory_bytes, (long long)f->clock_hz);

	if (!f->engine)
		return text;
#define X(name) text = espl_arena_format(arena, "%s " #name "=%d", text, f->engine->name);
	ESPL_ENGINE_LIST(X)
#undef X
	return text;
}

static void count_net(const espl_net *net, espl_price *price)
{
	const espl_work_count work = espl_net_work(net);

	price->weights = work.weights;
	price->nonzero_weights = work.nonzero_weights;
	price->multiplications = work.multiplications;
	price->bytes = espl_model_bytes(net);
}

static void price_plan(const espl_frame *frame, const espl_plan *plan, espl_price *out)
{
	espl_price price = {
	        .latency_cycles = plan->latency_cycles,
	        .interval_cycles = plan->interval_cycles,
	        .lanes = plan->engine.Lanes,
	        .splits = plan->engine.Splits,
	        .requantizers = plan->engine.Requantizers,
	        .multipliers = is_ice40(frame) ? plan->ice40_dsps : plan->dsps,
	        .memory_bytes = plan->memory_bytes,
	        .block_rams = is_ice40(frame) ? plan->ice40_block_rams : plan->block_rams,
	        .luts = espl_estimate_luts(plan->engine.Lanes, plan->engine.Splits,
	                                   plan->engine.Requantizers),
	};

	for (int l = 0; l < plan->lowered->layer_count; l++)
		price.issued += plan->lowered->layers[l].nonzero_multiplications;
	count_net(plan->lowered->net, &price);
	*out = price;
}

/* One array; a plan with more block RAMs than the board is ESPL_BUDGET as well. */
static espl_status plan_on(const espl_frame *frame, const espl_envelope *array,
                           const espl_lowered *lowered, espl_arena *arena, espl_plan **plan,
                           espl_error *err)
{
	espl_plan *made;
	int block_rams;

	ESPL_TRY(espl_schedule(lowered, array, NULL, arena, &made, err));
	block_rams = is_ice40(frame) ? made->ice40_block_rams : made->block_rams;
	if (frame->block_rams && !array->engine && block_rams > frame->block_rams)
		return espl_fail(err, ESPL_BUDGET,
		                 "the network takes %d block RAMs on %dx%d, the board has %d "
		                 "besides the link's",
		                 block_rams, array->lanes, array->splits, frame->block_rams);
	*plan = made;
	return ESPL_OK;
}

espl_status espl_price_lowered(const espl_frame *frame, const espl_lowered *lowered,
                               espl_arena *arena, espl_plan **plan, espl_price *price,
                               espl_error *err)
{
	espl_plan *best = NULL;
	espl_error last = {0};

	if (frame->engine) {
		const espl_envelope own = {.board = frame->board,
		                           .engine = frame->engine,
		                           .memory_bytes = frame->memory_bytes};

		if (plan_on(frame, &own, lowered, arena, &best, &last))
			best = NULL;
	}
	for (int a = 0; a < frame->array_count && !(frame->engine && best); a++) {
		const espl_envelope *array = &frame->arrays[a];
		espl_plan *made = NULL;
		espl_status status;

		/* half the lanes are never faster */
		if (best &&
		    array->lanes * array->splits * 2 <= best->engine.Lanes * best->engine.Splits)
			break;
		status = plan_on(frame, array, lowered, arena, &made, &last);
		if (status && status != ESPL_BUDGET) {
			if (err)
				*err = last;
			return status;
		}
		if (!status && (!best || made->latency_cycles < best->latency_cycles))
			best = made;
	}
	if (!best) {
		if (err)
			*err = last;
		return ESPL_BUDGET;
	}
	*plan = best;
	price_plan(frame, best, price);
	return ESPL_OK;
}
