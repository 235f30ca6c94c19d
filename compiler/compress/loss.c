/* Cross entropy with smoothed labels, and the teacher's part.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/training.h"

#include <math.h>

/* The logarithm of the sum of exp(scale * logits), and the greatest term taken out of it. */
static double log_sum(int classes, const float *logits, double scale)
{
	double greatest = (double)logits[0], sum = 0;

	for (int c = 1; c < classes; c++)
		greatest = fmax(greatest, (double)logits[c]);
	for (int c = 0; c < classes; c++)
		sum += exp(scale * ((double)logits[c] - greatest));
	return scale * greatest + log(sum);
}

static double cross_entropy(int classes, const float *logits, int label, double smoothing,
                            double share, float *gradient)
{
	const double total = log_sum(classes, logits, 1);
	double loss = 0;

	for (int c = 0; c < classes; c++) {
		const double log_share = (double)logits[c] - total;
		const double wanted = smoothing / classes + (c == label ? 1 - smoothing : 0);

		loss -= wanted * log_share;
		gradient[c] = (float)(share * (exp(log_share) - wanted));
	}
	return share * loss;
}

/* temperature^2 * KL, whose gradient is temperature * (softened own - softened teacher's). */
static double divergence(int classes, const float *logits, const float *teacher, double temperature,
                         double share, float *gradient)
{
	const double scale = 1 / temperature;
	const double own = log_sum(classes, logits, scale);
	const double theirs = log_sum(classes, teacher, scale);
	double loss = 0;

	for (int c = 0; c < classes; c++) {
		const double log_own = scale * (double)logits[c] - own;
		const double log_theirs = scale * (double)teacher[c] - theirs;

		loss += exp(log_theirs) * (log_theirs - log_own);
		gradient[c] += (float)(share * temperature * (exp(log_own) - exp(log_theirs)));
	}
	return share * temperature * temperature * loss;
}

double espl_loss(const espl_train_options *options, int classes, const float *logits,
                 const float *teacher, int label, float *gradient)
{
	const double mix = teacher ? options->mix : 0;
	double loss = cross_entropy(classes, logits, label, options->smoothing, 1 - mix, gradient);

	if (teacher)
		loss += divergence(classes, logits, teacher, options->temperature, mix, gradient);
	return loss;
}
