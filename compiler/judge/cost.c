/* An inference priced: cycles by the scheduler, energy by constants.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/cost.h"

#include "lower/lower.h"
#include "schedule/schedule.h"

/* Picojoules at 45 nm and 0.9 V.
 *   from  Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9 */
static const double multiply_8_bits = 0.2, add_32_bits = 0.1;
static const double memory_byte = 10.0 / 8; /* of 8 KiB, read 64 bits wide */
/* A weight of the stream with its skip, 12 bits, is shared by all lanes of a split. */
static const double stream_bytes = 1.5;
/* Dynamic power of an FPGA against a standard-cell chip.
 *   from  Kuon and Rose, Measuring the gap between FPGAs and ASICs, TCAD 2007 */
static const double fpga_factor = 14;

static const double write_off_seconds = 5 * 365.25 * 86400;

double espl_dynamic_picojoules(int64_t multiplications, int lanes)
{
	const double memory = memory_byte * (1 + stream_bytes / lanes);

	return fpga_factor * (double)multiplications * (multiply_8_bits + add_32_bits + memory);
}

static int64_t issued(const espl_plan *plan)
{
	int64_t sum = 0;

	for (int l = 0; l < plan->layer_count; l++)
		sum += plan->layers[l].issued;
	return sum;
}

static void fill(const espl_plan *plan, const espl_pricing *pricing, espl_cost *out)
{
	const double seconds = (double)plan->latency_cycles / (double)pricing->clock_hz;
	const double joules = espl_dynamic_picojoules(issued(plan), plan->engine.Lanes) * 1e-12 +
	                      pricing->idle_mw * 1e-3 * seconds;

	*out = (espl_cost){
	        .known = true,
	        .lanes = plan->engine.Lanes,
	        .splits = plan->engine.Splits,
	        .requantizers = plan->engine.Requantizers,
	        .multipliers = plan->dsps,
	        .latency_cycles = plan->latency_cycles,
	        .interval_cycles = plan->interval_cycles,
	        .memory_bytes = plan->memory_bytes,
	        .block_rams = plan->block_rams,
	        .latency_us = seconds * 1e6,
	        .energy_uj = joules * 1e6,
	        .cost_million = 1e6 * (joules / 3.6e6 * pricing->kwh_price +
	                               pricing->device_price * seconds / write_off_seconds),
	};
}

void espl_judge_cost(const espl_net *net, const espl_pricing *pricing, espl_arena *arena,
                     espl_cost *out)
{
	espl_arena *scratch = espl_arena_create();
	espl_envelope envelope = pricing->envelope;
	espl_lowered *lowered;
	espl_error err = {0};
	espl_status status;
	espl_plan *plan;

	status = espl_lower(net, scratch, &lowered, &err);
	if (!status)
		status = espl_schedule(lowered, &envelope, NULL, scratch, &plan, &err);
	if (status == ESPL_BUDGET && envelope.engine && envelope.board) {
		envelope.engine = NULL; /* not on the board's engine: on one of its own */
		status = espl_schedule(lowered, &envelope, NULL, scratch, &plan, &err);
	}
	if (status)
		*out = (espl_cost){.why_not = espl_arena_format(arena, "%s%s%s", err.where,
		                                                err.where[0] ? ": " : "",
		                                                err.message)};
	else
		fill(plan, pricing, out);
	espl_arena_destroy(scratch);
}
