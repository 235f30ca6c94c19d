/* Measures on answers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

int espl_argmax(const float *values, int count)
{
	int best = 0;

	for (int i = 1; i < count; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

float espl_margin(const float *values, int count)
{
	const int best = espl_argmax(values, count);
	float second = -INFINITY;

	assert(count >= 2);
	for (int i = 0; i < count; i++)
		if (i != best && values[i] > second)
			second = values[i];
	return values[best] - second;
}

/* The sum of exp(value - greatest). */
static double exponentials(const float *values, int count)
{
	const double greatest = values[espl_argmax(values, count)];
	double sum = 0;

	for (int i = 0; i < count; i++)
		sum += exp(values[i] - greatest);
	return sum;
}

double espl_log_probability(const float *values, int count, int index)
{
	const double greatest = values[espl_argmax(values, count)];

	return values[index] - greatest - log(exponentials(values, count));
}

double espl_confidence(const float *values, int count)
{
	return 1 / exponentials(values, count);
}

double espl_calibration_error(const float *confidence, const bool *right, int count)
{
	double sums[ESPL_CALIBRATION_BINS] = {0}, error = 0;
	int rights[ESPL_CALIBRATION_BINS] = {0};

	for (int i = 0; i < count; i++) {
		int bin = (int)(confidence[i] * ESPL_CALIBRATION_BINS);

		bin = bin < 0 ? 0 : bin >= ESPL_CALIBRATION_BINS ? ESPL_CALIBRATION_BINS - 1 : bin;
		sums[bin] += confidence[i];
		rights[bin] += right[i];
	}
	for (int bin = 0; bin < ESPL_CALIBRATION_BINS; bin++)
		error += fabs(sums[bin] - rights[bin]);
	return count ? error / count : 0;
}

double espl_mcnemar(int first, int second)
{
	const int fewer = first < second ? first : second, all = first + second;
	double term = lgamma(all + 1.0) - all * log(2.0), tail = 0;

	if (!all)
		return 1;
	for (int i = 0; i <= fewer; i++)
		tail += exp(term - lgamma(i + 1.0) - lgamma(all - i + 1.0));
	return 2 * tail < 1 ? 2 * tail : 1;
}

typedef struct {
	float value;
	int index;
} ranked;

static int by_value(const void *a, const void *b)
{
	const ranked *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

int *espl_least(const float *values, int count, int wanted, espl_arena *arena)
{
	ranked *list = ESPL_ARRAY(arena, ranked, count);
	int *result = ESPL_ARRAY(arena, int, wanted);

	assert(wanted <= count);
	for (int i = 0; i < count; i++)
		list[i] = (ranked){values[i], i};
	qsort(list, (size_t)count, sizeof *list, by_value);
	for (int i = 0; i < wanted; i++)
		result[i] = list[i].index;
	return result;
}
