/* What the search found: report.json, and a table for people.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "fit/fit.h"

#include <string.h>

static double share(int64_t part, int64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static double milliseconds(const espl_fit_task *task, int64_t cycles)
{
	return 1e3 * (double)cycles / (double)task->frame.clock_hz;
}

static void put_price(espl_json_writer *w, const espl_fit_task *task, const espl_price *price)
{
#define PUT(name) espl_json_put_integer(w, #name, price->name);
	ESPL_PRICE_LIST(PUT)
	espl_json_put_number(w, "latency_ms", milliseconds(task, price->latency_cycles));
	espl_json_put_number(w, "inferences_per_second",
	                     price->interval_cycles
	                             ? (double)task->frame.clock_hz / (double)price->interval_cycles
	                             : 0);
}

static void put_tried(espl_json_writer *w, const espl_fit_task *task, const espl_tried *t)
{
	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "candidate", t->key);
	if (*t->reason) {
		espl_json_put_string(w, "reason", t->reason);
	} else {
		if (t->samples)
			espl_json_put_number(w, "validation_accuracy",
			                     share(t->correct, t->samples));
		put_price(w, task, &t->price);
	}
	espl_json_close(w);
}

static void put_limits(espl_json_writer *w, const espl_fit_task *task)
{
	const espl_frame *f = &task->frame;

	espl_json_open(w, "envelope", '{');
	if (f->board)
		espl_json_put_string(w, "board", f->board);
	espl_json_put_integer(w, "multipliers", f->multipliers);
	espl_json_put_integer(w, "memory_bytes", f->memory_bytes);
	if (f->block_rams)
		espl_json_put_integer(w, "block_rams", f->block_rams);
	espl_json_put_integer(w, "clock_hz", f->clock_hz);
	if (task->latency_ms > 0)
		espl_json_put_number(w, "max_latency_ms", task->latency_ms);
	if (task->throughput > 0)
		espl_json_put_number(w, "min_throughput", task->throughput);
	if (task->accuracy > 0)
		espl_json_put_number(w, "min_accuracy", task->accuracy);
	espl_json_close(w);
}

static void put_counts(espl_json_writer *w, const espl_search_result *s)
{
	int trained = 0;

	for (int i = 0; i < s->tried_count; i++)
		trained += s->tried[i].images > 0;
	espl_json_open(w, "candidates", '{');
	espl_json_put_integer(w, "priced", s->tried_count);
	espl_json_put_integer(w, "trained", trained);
	espl_json_put_integer(w, "too_large", s->too_large);
	espl_json_put_integer(w, "too_slow", s->too_slow);
	espl_json_put_integer(w, "too_long_to_train", s->too_long);
	espl_json_put_integer(w, "covered", s->covered);
	espl_json_put_integer(w, "left_out", s->left_out);
	espl_json_close(w);
}

const char *espl_fit_json(const espl_fit_task *task, const espl_fit_result *result,
                          espl_arena *arena, size_t *size)
{
	const espl_search_result *s = &result->search;
	espl_json_writer *w = espl_json_writer_create(arena);

	espl_json_open(w, NULL, '{');
	espl_json_put_integer(w, "format", 1);
	espl_json_put_bool(w, "fits", s->chosen >= 0);
	if (s->chosen >= 0) {
		const espl_tried *t = &s->tried[s->chosen];

		espl_json_put_string(w, "candidate", t->key);
		espl_json_put_number(w, "accuracy",
		                     share(result->test_correct, result->test_samples));
		espl_json_put_integer(w, "test_samples", result->test_samples);
		espl_json_put_number(w, "validation_accuracy", share(t->correct, t->samples));
		put_price(w, task, &t->price);
		if (task->frame.engine)
			espl_json_put_bool(w, "board_engine",
			                   result->plan->envelope.engine != NULL);
		espl_json_put_string(w, "array",
		                     espl_arena_format(arena, "%lldx%lld",
		                                       (long long)t->price.lanes,
		                                       (long long)t->price.splits));
	} else if (s->nearest >= 0) {
		espl_json_open(w, "nearest", '[');
		put_tried(w, task, &s->tried[s->nearest]);
		espl_json_close(w);
	}
	put_limits(w, task);
	espl_json_put_integer(w, "images", result->images);
	espl_json_put_integer(w, "seed", task->seed);
	put_counts(w, s);
	espl_json_open(w, "front", '[');
	for (int i = 0; i < s->tried_count; i++)
		if (s->tried[i].front)
			put_tried(w, task, &s->tried[i]);
	espl_json_close(w);
	espl_json_close(w);
	return espl_json_text(w, size);
}

static const char *line(const espl_fit_task *task, const espl_tried *t, bool chosen,
                        espl_arena *arena)
{
	return espl_arena_format(
	        arena, "%c %-58s %6.2f%% %9lld %8.4g %8lld %8lld %10lld %6lldx%-2lld\n",
	        chosen ? '>' : ' ', t->key, 100 * share(t->correct, t->samples),
	        (long long)t->price.latency_cycles, milliseconds(task, t->price.latency_cycles),
	        (long long)t->price.bytes, (long long)t->price.nonzero_weights,
	        (long long)t->price.multiplications, (long long)t->price.lanes,
	        (long long)t->price.splits);
}

const char *espl_fit_text(const espl_fit_task *task, const espl_fit_result *result,
                          espl_arena *arena)
{
	const espl_search_result *s = &result->search;
	const char *text =
	        espl_arena_format(arena, "  %-58s %7s %9s %8s %8s %8s %10s %9s\n", "front",
	                          "valid.", "cycles", "ms", "bytes", "weights", "mults", "array");
	int trained = 0;

	for (int i = 0; i < s->tried_count; i++) {
		trained += s->tried[i].images > 0;
		if (s->tried[i].front)
			text = espl_arena_format(arena, "%s%s", text,
			                         line(task, &s->tried[i], i == s->chosen, arena));
	}
	text = espl_arena_format(
	        arena,
	        "%s\n%d networks priced, %d trained; %d do not fit, %d are too slow, %d too long "
	        "to train,\n%d covered by larger ones, %d left out for the effort\n",
	        text, s->tried_count, trained, s->too_large, s->too_slow, s->too_long, s->covered,
	        s->left_out);
	if (s->chosen >= 0)
		text = espl_arena_format(
		        arena,
		        "%s\nchosen: %s\n%.2f %% of %lld test samples; %lld cycles, %.4g ms at "
		        "%.4g "
		        "MHz\n",
		        text, s->tried[s->chosen].key,
		        100 * share(result->test_correct, result->test_samples),
		        (long long)result->test_samples,
		        (long long)s->tried[s->chosen].price.latency_cycles,
		        milliseconds(task, s->tried[s->chosen].price.latency_cycles),
		        (double)task->frame.clock_hz / 1e6);
	if (s->chosen >= 0 && task->frame.engine && !result->plan->envelope.engine)
		text = espl_arena_format(
		        arena,
		        "%snot on the board's engine: the folder needs a bitstream "
		        "of its own\n",
		        text);
	return text;
}
