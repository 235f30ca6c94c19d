/* libFuzzer's entry: a net as text, a byte of value 0, a plan as text; both to the end.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is not refused must be right: the lowered net gives the interpreter's values, and a plan
 * given back gives itself. Built with ESPL_FUZZ_MUTATOR, numbers are changed as numbers.
 */
#include "interp/interp.h"
#include "lower/lower.h"
#include "schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MOST = 1 << 14 }; /* elements, weights, and cells under kernels: so that runs stay short */

/* Whether a net is small enough to be run many times a second. */
static bool small(const espl_net *net)
{
	int64_t work = 0;

	for (int t = 0; t < net->tensor_count; t++)
		work += espl_tensor_elements(&net->tensors[t]);
	for (int o = 0; o < net->op_count && work <= MOST; o++) {
		const espl_op *op = &net->ops[o];

		work += espl_op_weights(net, op) + (int64_t)op->kernel_rows * op->kernel_columns;
	}
	return work <= MOST;
}

static void fill(int8_t *values, int count, uint32_t *random)
{
	for (int i = 0; i < count; i++) {
		*random ^= *random << 13;
		*random ^= *random >> 17;
		*random ^= *random << 5;
		values[i] = (int8_t)(*random >> 24);
	}
}

/* Every lowered tensor must hold what the interpreter's has in its live channels. */
static void compare(const espl_lowered *lowered, espl_arena *arena)
{
	const espl_net *net = lowered->net;
	int8_t **expected = espl_interp_buffers(net, arena);
	int8_t **got = ESPL_ARRAY(arena, int8_t *, lowered->tensor_count);
	const int8_t **inputs = ESPL_ARRAY(arena, const int8_t *, net->input_count);
	uint32_t random = 1;

	for (int i = 0; i < net->input_count; i++) {
		const int count = espl_tensor_elements(&net->tensors[net->inputs[i]]);
		int8_t *values = ESPL_ARRAY(arena, int8_t, count);

		fill(values, count, &random);
		inputs[i] = values;
	}
	for (int t = 0; t < lowered->tensor_count; t++) {
		const espl_lowered_tensor *of = &lowered->tensors[t];

		got[t] = ESPL_ARRAY(arena, int8_t, of->rows * of->columns * of->channels);
	}
	espl_interpret(net, inputs, expected);
	espl_lowered_run(lowered, inputs, got);
	for (int l = 0; l < lowered->layer_count; l++) {
		const espl_lowered_tensor *of = &lowered->tensors[lowered->layers[l].output];
		const int8_t *values = got[lowered->layers[l].output];

		for (int p = 0; p < of->rows * of->columns; p++)
			for (int c = 0; c < of->channels; c++)
				if (*values++ !=
				    expected[of->net_tensor]
				            [p * of->net_channel_count + of->net_channels[c]])
					abort();
	}
}

static void plan(const espl_lowered *lowered, const espl_envelope *envelope, espl_span decisions,
                 espl_arena *arena)
{
	espl_plan *first, *again;
	espl_span text;

	if (espl_schedule(lowered, envelope, decisions.size ? &decisions : NULL, arena, &first,
	                  NULL))
		return;
	text = (espl_span){(const unsigned char *)first->decisions, strlen(first->decisions)};
	if (espl_schedule(lowered, envelope, &text, arena, &again, NULL) ||
	    strcmp(first->decisions, again->decisions) ||
	    first->latency_cycles != again->latency_cycles)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	/* the seeds' plans are for the first */
	static const espl_envelope arrays[] = {
	        {.lanes = 8, .splits = 2}, {.lanes = 16, .splits = 4}, {.lanes = 8, .splits = 1}};
	const unsigned char *end = size ? memchr(data, 0, size) : NULL;
	const size_t length = end ? (size_t)(end - data) : size;
	const espl_span decisions = {end ? end + 1 : NULL, end ? size - length - 1 : 0};
	espl_arena *arena = espl_arena_create();
	espl_lowered *lowered;
	espl_net *net;

	if (!espl_net_parse((const char *)data, length, arena, &net, NULL) && small(net) &&
	    !espl_lower(net, arena, &lowered, NULL)) {
		compare(lowered, arena);
		plan(lowered, &arrays[size % 3], (espl_span){0}, arena);
		if (decisions.size)
			plan(lowered, &arrays[0], decisions, arena);
	}
	espl_arena_destroy(arena);
	return 0;
}

#ifdef ESPL_FUZZ_MUTATOR
#include <ctype.h>
#include <stdio.h>

size_t LLVMFuzzerMutate(unsigned char *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(unsigned char *data, size_t size, size_t room, unsigned seed);

static unsigned draw(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Another number in the place of the one at `at`; mostly near it, or at an edge. */
static size_t change_number(unsigned char *data, size_t size, size_t room, size_t at,
                            unsigned *state)
{
	static const long long edges[] = {
	        0,  1,  -1,  2,   3,    7,   8,     15,    16,         17,
	        31, 64, 127, 128, -128, 255, 65535, 65536, 2147483647, -2147483648LL};
	char text[32];
	size_t end = at + (data[at] == '-');
	long long value;
	int length;

	while (end < size && isdigit(data[end]))
		end++;
	if (end - at > 18)
		return size;
	memcpy(text, data + at, end - at);
	text[end - at] = '\0';
	value = atoll(text);
	if (draw(state) % 2)
		value = edges[draw(state) % (sizeof(edges) / sizeof(edges[0]))];
	else
		value += (int)(draw(state) % 7) - 3;
	length = snprintf(text, sizeof(text), "%lld", value);
	if (size - (end - at) + (size_t)length > room)
		return size;
	memmove(data + at + length, data + end, size - end);
	memcpy(data + at, text, (size_t)length);
	return size - (end - at) + (size_t)length;
}

size_t LLVMFuzzerCustomMutator(unsigned char *data, size_t size, size_t room, unsigned seed)
{
	unsigned state = seed;

	if (!size || draw(&state) % 8 == 0)
		return LLVMFuzzerMutate(data, size, room);
	for (unsigned n = 1 + draw(&state) % 3; n; n--) {
		size_t at = draw(&state) % size;

		while (at < size && !isdigit(data[at]))
			at++;
		while (at && at < size && (isdigit(data[at - 1]) || data[at - 1] == '-'))
			at--;
		if (at < size)
			size = change_number(data, size, room, at, &state);
	}
	return size;
}
#endif
