/* How many images a second training takes, for a network of the family.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: train_bench FAMILY THREADS STEPS
 * Prints images per second of processor time and per second, the first steps left out.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/random.h"
#include "compress/family.h"
#include "compress/train.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIDE = 28, CLASSES = 10, BATCH = 128, WARM_STEPS = 3 };

struct times {
	double processor, wall;
};

static struct times now(void)
{
	struct timespec processor, wall;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &processor);
	clock_gettime(CLOCK_MONOTONIC, &wall);
	return (struct times){(double)processor.tv_sec + (double)processor.tv_nsec * 1e-9,
	                      (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9};
}

static void note(void *user, const espl_train_state *state)
{
	if (state->step == WARM_STEPS)
		*(struct times *)user = now();
}

static espl_samples make_samples(espl_arena *arena, int count)
{
	espl_random random = espl_random_stream(1, 2, 3);
	uint8_t *bytes = ESPL_ARRAY(arena, uint8_t, count * SIDE * SIDE);
	uint8_t *labels = ESPL_ARRAY(arena, uint8_t, count);

	for (int i = 0; i < count * SIDE * SIDE; i++)
		bytes[i] = (uint8_t)espl_random_below(&random, 256);
	for (int i = 0; i < count; i++)
		labels[i] = (uint8_t)(i % CLASSES);
	return (espl_samples){.count = count,
	                      .rows = SIDE,
	                      .columns = SIDE,
	                      .channels = 1,
	                      .classes = CLASSES,
	                      .bytes = bytes,
	                      .labels = labels};
}

int main(int argc, char **argv)
{
	const int steps = argc == 4 ? atoi(argv[3]) : 0;
	espl_family family = espl_family_default(SIDE, SIDE, 1, CLASSES);
	espl_train_options options = espl_train_default();
	espl_arena *arena = espl_arena_create();
	espl_train_result result;
	espl_data data = {0};
	struct times first, last;
	espl_error err = {0};
	espl_graph *graph;
	double images;

	if (steps <= WARM_STEPS) {
		fprintf(stderr, "usage: train_bench FAMILY THREADS STEPS, more than %d steps\n",
		        WARM_STEPS);
		return 2;
	}
	options.epochs = 1;
	options.rate = 1e-4; /* labels that nothing can be learned of: it must not diverge */
	options.threads = atoi(argv[2]);
	options.hooks.user = &first;
	options.hooks.progress = note;
	data.train = make_samples(arena, BATCH * steps);
	options.teacher = NULL;
	if (espl_family_parse(argv[1], &family, &err) ||
	    espl_family_build(&family, 1, arena, &graph, &err) ||
	    (espl_train(graph, &data, &options, &result, &err) && err.status != ESPL_RANGE)) {
		fprintf(stderr, "train_bench: %s\n", err.message);
		return 1;
	}
	last = now();
	images = (double)BATCH * (steps - WARM_STEPS);
	printf("%.1f %.1f\n", images / (last.processor - first.processor),
	       images / (last.wall - first.wall));
	espl_arena_destroy(arena);
	return 0;
}
