/* Classifies int8 samples with an emitted accelerator: the driver's API in one page.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: classify FOLDER SAMPLES.bin
 */
#include "host/espalier.h"

#include <stdio.h>
#include <stdlib.h>

static int best_of(const signed char *scores, int count)
{
	int best = 0;

	for (int i = 1; i < count; i++)
		if (scores[i] > scores[best])
			best = i;
	return best;
}

int main(int argc, char **argv)
{
	espl_device *device = NULL;
	espl_error error = {0};
	espl_counters counters;
	const espl_port *in, *out;
	signed char *scores;
	void *sample;
	FILE *file;

	if (argc != 3 || !(file = fopen(argv[2], "rb"))) {
		fprintf(stderr, "usage: classify FOLDER SAMPLES.bin\n");
		return 2;
	}
	if (espl_device_open(argv[1], NULL, &device, &error)) {
		fprintf(stderr, "%s: %s\n", error.where, error.message);
		return espl_status_exit_code(error.status);
	}
	in = espl_device_input(device, 0);
	out = espl_device_output(device, 0);
	sample = malloc(in->bytes);
	scores = malloc(out->bytes);
	while (fread(sample, in->bytes, 1, file) == 1) {
		const void *inputs[] = {sample};
		void *outputs[] = {scores};

		if (espl_device_run(device, inputs, 1, outputs, &error)) {
			fprintf(stderr, "%s\n", error.message);
			break;
		}
		espl_device_counters(device, &counters);
		printf("class %d, %llu cycles\n", best_of(scores, out->channels),
		       (unsigned long long)counters.latency_cycles);
	}
	fclose(file);
	free(sample);
	free(scores);
	espl_device_close(device);
	return error.status ? espl_status_exit_code(error.status) : 0;
}
