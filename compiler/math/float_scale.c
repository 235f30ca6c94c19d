/* Float32 scales that give a QLinear operator the very step function of a net's channel.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A channel is known by its thresholds T(q), the least accumulator that gives q or more. For
 * k = q - zero point, a factor M has that threshold if M * T(q) >= k - 1/2 > M * (T(q) - 1), up to
 * the rounding of the product: that bounds M from both sides. The float32s within the bounds are
 * few; each is tried at all thresholds with the arithmetic itself.
 */
#include "math/float_scale.h"

#include <math.h>

enum { LEVELS = 256, CANDIDATES_MAX = 1024, INVERSE_REACH = 64, SNAP_REACH = 64 };

typedef struct {
	int count;
	int64_t at[LEVELS];
	int32_t value[LEVELS]; /* q */
} thresholds;

static int32_t value_at(const espl_channel_step *step, int64_t accumulator)
{
	return espl_requantize((int32_t)accumulator, step->scale, step->rounding, step->zero_point,
	                       step->low, step->high);
}

/* The least accumulator in (from, most] with a value >= q; it exists. */
static int64_t next_threshold(const espl_channel_step *step, int64_t from, int64_t hint, int32_t q)
{
	int64_t below = from, width = hint > 0 ? hint : 1, above = from + width;

	while (above < step->most && value_at(step, above) < q) {
		below = above;
		width *= 2;
		above += width;
	}
	if (above > step->most)
		above = step->most;
	while (above - below > 1) {
		const int64_t middle = below + (above - below) / 2;

		if (value_at(step, middle) >= q)
			above = middle;
		else
			below = middle;
	}
	return above;
}

static void find_thresholds(const espl_channel_step *step, thresholds *out)
{
	const int32_t bottom = value_at(step, step->least), top = value_at(step, step->most);
	int64_t at = step->least, gap = 1;

	out->count = 0;
	for (int32_t q = bottom + 1; q <= top; q++) {
		const int64_t next =
		        value_at(step, at) >= q ? at : next_threshold(step, at, gap, q);

		if (next > at && out->count)
			gap = next - at;
		out->at[out->count] = next;
		out->value[out->count++] = q;
		at = next;
	}
}

/* The reals between which M must lie, but for the rounding of products. */
static void bound(const espl_channel_step *step, const thresholds *t, double *low, double *high)
{
	*low = 0;
	*high = HUGE_VAL;
	for (int i = 0; i < t->count; i++) {
		const double edge = t->value[i] - step->zero_point - 0.5;
		const int64_t x = t->at[i];

		if (x > 0)
			*low = fmax(*low, edge / (double)x);
		if (x < 0)
			*high = fmin(*high, edge / (double)x);
		if (x - 1 > 0)
			*high = fmin(*high, edge / (double)(x - 1));
		if (x - 1 < 0)
			*low = fmax(*low, edge / (double)(x - 1));
	}
}

static bool equal_at(const espl_channel_step *step, espl_scale factor, int64_t accumulator)
{
	return espl_requantize((int32_t)accumulator, factor, ESPL_ROUND_ONNX, step->zero_point,
	                       step->low, step->high) == value_at(step, accumulator);
}

static bool proved(const espl_channel_step *step, const thresholds *t, float factor,
                   int64_t *checked)
{
	const espl_scale scale = espl_scale_from_float32(factor);

	if (!equal_at(step, scale, step->least) || !equal_at(step, scale, step->most))
		return false;
	for (int i = 0; i < t->count; i++) {
		if (!equal_at(step, scale, t->at[i]))
			return false;
		if (t->at[i] > step->least && !equal_at(step, scale, t->at[i] - 1))
			return false;
	}
	*checked += 2 * t->count + 2;
	return true;
}

static float combine(float in_scale, float weight_scale, float out_scale)
{
	const float product = in_scale * weight_scale;

	return product / out_scale;
}

/* A weight's scale that the runtime combines to exactly `factor`. */
static bool invert(float factor, float in_scale, float out_scale, float *weight_scale)
{
	float up = (float)((double)factor * (double)out_scale / (double)in_scale), down = up;

	for (int i = 0; i < INVERSE_REACH; i++) {
		if (isnormal(up) && combine(in_scale, up, out_scale) == factor) {
			*weight_scale = up;
			return true;
		}
		if (isnormal(down) && combine(in_scale, down, out_scale) == factor) {
			*weight_scale = down;
			return true;
		}
		up = nextafterf(up, HUGE_VALF);
		down = nextafterf(down, 0);
	}
	return false;
}

static bool is_factor(float factor)
{
	return isnormal(factor) && factor < 0x1p30f;
}

/* The scale itself, or what takes every accumulator to 0. */
static float real_factor(const espl_channel_step *step)
{
	const double real = ldexp(step->scale.multiplier, step->scale.exponent - 31);

	return real > 0 ? (float)real : 0x1p-40f;
}

float espl_float_scale_nearest(const espl_channel_step *step, float in_scale, float out_scale)
{
	const double factor = (double)real_factor(step);

	return (float)(factor * (double)out_scale / (double)in_scale);
}

bool espl_float_scale_find(const espl_channel_step *step, float in_scale, float out_scale,
                           float *weight_scale, int64_t *checked)
{
	float up = real_factor(step), down = up;
	double low, high;
	thresholds t;

	find_thresholds(step, &t);
	bound(step, &t, &low, &high);
	low -= low * 0x1p-22;
	high += high * 0x1p-22;
	/* from the real scale outwards, so that the nearest one is taken */
	for (int i = 0; i < CANDIDATES_MAX; i++) {
		if (is_factor(up) && (double)up >= low && (double)up <= high &&
		    proved(step, &t, up, checked) && invert(up, in_scale, out_scale, weight_scale))
			return true;
		if (i && is_factor(down) && (double)down >= low && (double)down <= high &&
		    proved(step, &t, down, checked) &&
		    invert(down, in_scale, out_scale, weight_scale))
			return true;
		up = nextafterf(up, HUGE_VALF);
		down = nextafterf(down, 0);
		if ((double)up > high && (double)down < low)
			break;
	}
	return false;
}

static bool snaps(const espl_channel_step *step, float factor, float in_scale, float out_scale,
                  espl_scale *scale)
{
	espl_channel_step moved = *step;
	int64_t checked = 0;
	float weight_scale;
	thresholds t;

	if (!is_factor(factor))
		return false;
	moved.scale = espl_scale_from_float32(factor);
	find_thresholds(&moved, &t);
	if (!proved(&moved, &t, factor, &checked) ||
	    !invert(factor, in_scale, out_scale, &weight_scale))
		return false;
	*scale = moved.scale;
	return true;
}

/* Whether some accumulator is exactly halfway between two results: then halves go up on purpose. */
static bool has_halves(const espl_channel_step *step)
{
	const int shift = 31 - step->scale.exponent;
	const int64_t half = INT64_C(1) << (shift - 1);
	thresholds t;

	find_thresholds(step, &t);
	for (int i = 0; i < t.count; i++)
		if ((t.at[i] * step->scale.multiplier + half) % (2 * half) == 0)
			return true;
	return false;
}

bool espl_float_scale_snap(const espl_channel_step *step, float in_scale, float out_scale,
                           espl_scale *scale)
{
	float up = real_factor(step), down = up;

	if (has_halves(step))
		return false;
	for (int i = 0; i < SNAP_REACH; i++) {
		if (snaps(step, up, in_scale, out_scale, scale) ||
		    snaps(step, down, in_scale, out_scale, scale))
			return true;
		up = nextafterf(up, HUGE_VALF);
		down = nextafterf(down, 0);
	}
	return false;
}
