/* The search for exact steps: the narrowest multiplier, shift and roundings.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A curve is known by its thresholds T(q), the least x that gives q or more. The
 * step x * m + r >> s equals it if for every q, with k = q - zero point,
 *     k * 2^s - m * T(q) <= r <= k * 2^s - m * (T(q) - 1) - 1,
 * where r is `positive` for an x >= 0 and `negative` below: thus each threshold
 * bounds one of them, or both if it is 0. Multipliers near slope * 2^s are tried,
 * shift after shift, until both intervals hold a number that the hardware can
 * write down.
 *
 * ONNX's rounding takes what float32 makes a half to the even neighbour. With a
 * window of w above each multiple of 2^s in which odd results are lowered, the
 * threshold of an odd k lies at k * 2^s + w instead, and all else stays. How close
 * to a half float32 rounds to one depends on the result's size; that is why the
 * point where the two roundings meet may be moved away from 0 (the pivot).
 */
#include "lower/step.h"

#include "math/fixed.h"

#include <string.h>

enum { LEVELS = 256, NEAR = 3, FAR = 4000, NEAR_EVEN = 60 };

typedef struct {
	int count;
	int64_t threshold[LEVELS];
	int64_t level[LEVELS]; /* q - zero point */
	int64_t least, most;
	bool open_below, open_above; /* the curve is not clamped at that end */
	int64_t bottom, top;         /* q - zero point there */
} thresholds;

typedef struct {
	int64_t low, high;
} interval;

/* 1 / cells, as a multiplier in [2^30, 2^31) */
static espl_scale inverse(int cells)
{
	espl_scale scale = {0, 0};

	while (((int64_t)1 << (31 - scale.exponent)) / cells < (int64_t)1 << 30)
		scale.exponent--;
	scale.multiplier = (int32_t)((((int64_t)1 << (31 - scale.exponent)) - 1) / cells);
	return scale;
}

espl_curve espl_curve_of(const espl_net *net, const espl_op *op, int channel, int cells)
{
	espl_curve curve = {.rounding = net->rounding,
	                    .zero_point = net->tensors[op->output].zero_point,
	                    .low = op->low,
	                    .high = op->high};

	if (op->kind == ESPL_OP_AVERAGE_POOL && net->rounding == ESPL_ROUND_ONNX) {
		curve.scale = espl_pool_scale(net, op, cells);
		curve.inside = true;
	} else if (op->kind == ESPL_OP_AVERAGE_POOL) {
		curve.scale = inverse(cells);
		curve.cells = cells;
	} else {
		curve.scale = op->kind == ESPL_OP_MEAN ? op->out_scale : op->scales[channel];
	}
	return curve;
}

int32_t espl_curve_value(const espl_curve *curve, int64_t x)
{
	int64_t y;

	if (curve->inside)
		return espl_requantize_inside((int32_t)x, curve->scale, curve->zero_point,
		                              curve->low, curve->high);
	if (!curve->cells)
		return espl_requantize((int32_t)x, curve->scale, curve->rounding, curve->zero_point,
		                       curve->low, curve->high);
	y = x > 0 ? (x + curve->cells / 2) / curve->cells
	          : -((-x + curve->cells / 2) / curve->cells);
	return (int32_t)(y < curve->low ? curve->low : y > curve->high ? curve->high : y);
}

static int64_t lifted(int64_t round, int shift)
{
	const int up = shift > ESPL_ROUND_BITS - 1 ? shift - (ESPL_ROUND_BITS - 1) : 0;

	return round * ((int64_t)1 << up);
}

/* The width of the window in which odd results are lowered. */
static int64_t window_of(int shift, int even, bool half)
{
	const int bits = shift - ESPL_EVEN_FINE - even - half;

	return even && bits >= 0 ? (int64_t)1 << bits : 0;
}

static int32_t finish(const espl_step *step, int64_t v, int32_t zero_point, int32_t low,
                      int32_t high)
{
	const int64_t window = window_of(step->shift, step->even, step->even_half && v < 0);
	int64_t level, rest;

	v += lifted(v >= 0 ? step->positive : step->negative, step->shift);
	level = espl_shift_right(v, step->shift);
	rest = v - level * ((int64_t)1 << step->shift);
	if (rest < window && level % 2)
		level--;
	level += zero_point;
	return (int32_t)(level < low ? low : level > high ? high : level);
}

espl_pivot espl_pivot_at(const espl_curve *curve, int32_t level)
{
	const int32_t zero = curve->cells ? 0 : curve->zero_point;
	const int down = 31 - curve->scale.exponent; /* 1..62 */
	const int64_t furthest = (int64_t)1 << (ESPL_ACCUMULATOR_BITS - 1);
	/* with halves to the odd side, levels are counted from the next one on */
	const int32_t flip = curve->inside && zero % 2;
	int64_t offset;

	if (!level || !curve->scale.multiplier)
		return (espl_pivot){0, zero + flip};
	if (down > 54)
		offset = furthest;
	else
		offset = level * ((int64_t)1 << down) / curve->scale.multiplier;
	offset = offset > furthest ? furthest : offset < -furthest ? -furthest : offset;
	return (espl_pivot){offset, zero + level + flip};
}

int32_t espl_step_value(const espl_step *step, int64_t x, int32_t zero_point, int32_t low,
                        int32_t high)
{
	return finish(step, x * step->multiplier, zero_point, low, high);
}

/* The least x in (from, most] with value >= q; it exists. */
static int64_t next_threshold(const espl_curve *curve, int64_t from, int64_t most, int64_t hint,
                              int32_t q)
{
	int64_t below = from, above, width = hint > 0 ? hint : 1;

	for (above = from + width; above < most && espl_curve_value(curve, above) < q;
	     above += width) {
		below = above;
		width *= 2;
	}
	if (above > most)
		above = most;
	while (above - below > 1) {
		const int64_t middle = below + (above - below) / 2;

		if (espl_curve_value(curve, middle) >= q)
			above = middle;
		else
			below = middle;
	}
	return above;
}

/* Thresholds of x - pivot's offset, levels from the pivot's zero point. */
static void find_thresholds(const espl_curve *curve, espl_pivot pivot, int64_t least, int64_t most,
                            thresholds *out)
{
	const int32_t bottom = espl_curve_value(curve, least), top = espl_curve_value(curve, most);
	const int32_t zero = pivot.zero_point;
	int64_t at = least, gap = 1;

	memset(out, 0, sizeof(*out));
	out->least = least - pivot.offset;
	out->most = most - pivot.offset;
	out->bottom = bottom - zero;
	out->top = top - zero;
	out->open_below = bottom > curve->low;
	out->open_above = top < curve->high;
	for (int32_t q = bottom + 1; q <= top; q++) {
		int64_t next = at;

		if (espl_curve_value(curve, at) < q)
			next = next_threshold(curve, at, most, gap, q);
		if (next > at && out->count)
			gap = next - at;
		out->threshold[out->count] = next - pivot.offset;
		out->level[out->count++] = q - zero;
		at = next;
	}
}

static void at_least(interval *of, int64_t value)
{
	if (value > of->low)
		of->low = value;
}

static void at_most(interval *of, int64_t value)
{
	if (value < of->high)
		of->high = value;
}

/* What the thresholds leave for the two rounding terms. */
static bool bound(const thresholds *t, int64_t m, int shift, const espl_step *even,
                  interval *positive, interval *negative)
{
	const int64_t one = (int64_t)1 << shift;
	const int64_t window = window_of(shift, even->even, false);
	const int64_t below = window_of(shift, even->even, even->even_half);

	*positive = *negative = (interval){-(one * 600), one * 600};
	for (int i = 0; i < t->count; i++) {
		const int64_t x = t->threshold[i], k = t->level[i] * one;
		const bool odd = t->level[i] % 2;

		at_least(x >= 0 ? positive : negative,
		         k + (odd ? x >= 0 ? window : below : 0) - m * x);
		at_most(x > 0 ? positive : negative,
		        k + (odd ? x > 0 ? window : below : 0) - m * (x - 1) - 1);
		if (positive->low > positive->high || negative->low > negative->high)
			return false;
	}
	if (t->open_above)
		at_most(t->most >= 0 ? positive : negative, (t->top + 1) * one - m * t->most - 1);
	if (t->open_below)
		at_least(t->least >= 0 ? positive : negative, t->bottom * one - m * t->least);
	return positive->low <= positive->high && negative->low <= negative->high;
}

/* A number of ESPL_ROUND_BITS bits that, lifted, lies in the interval: the one nearest to half
 * of 2^shift, so that numbers stay small where nothing bounds them. */
static bool representable(interval of, int shift, int32_t *out)
{
	const int64_t unit = lifted(1, shift), most = ((int64_t)1 << (ESPL_ROUND_BITS - 1)) - 1;
	int64_t wish = shift ? (int64_t)1 << (shift - 1) : 0, r;

	if (wish < of.low)
		wish = of.low;
	if (wish > of.high)
		wish = of.high;
	r = wish >= 0 ? wish / unit : -((-wish + unit - 1) / unit); /* floor */
	if (r * unit < of.low)
		r++;
	if (r * unit < of.low || r * unit > of.high || r > most || r < -most - 1)
		return false;
	*out = (int32_t)r;
	return true;
}

static bool try_multiplier(const thresholds *t, int64_t m, int shift, espl_step *step)
{
	interval positive, negative;

	if (m < 1 || m >= (int64_t)1 << ESPL_MULTIPLIER_BITS ||
	    !bound(t, m, shift, step, &positive, &negative) ||
	    !representable(positive, shift, &step->positive) ||
	    !representable(negative, shift, &step->negative))
		return false;
	step->multiplier = (int32_t)m;
	step->shift = shift;
	return true;
}

/* round(slope * 2^shift) */
static int64_t near_multiplier(espl_scale slope, int shift)
{
	const int down = 31 - slope.exponent - shift;

	if (down > 62)
		return 0;
	if (down <= 0)
		return down < -24 ? INT64_MAX / 2
		                  : (int64_t)slope.multiplier * ((int64_t)1 << -down);
	return ((int64_t)slope.multiplier + ((int64_t)1 << (down - 1))) >> down;
}

/* At x, less the pivot's offset. */
static bool equal_at(const espl_curve *curve, espl_pivot pivot, const espl_step *step, int64_t x)
{
	return espl_curve_value(curve, x + pivot.offset) ==
	       espl_step_value(step, x, pivot.zero_point, curve->low, curve->high);
}

static bool proved(const espl_curve *curve, espl_pivot pivot, const thresholds *t,
                   const espl_step *step, int64_t *checked)
{
	for (int i = 0; i < t->count; i++)
		if (!equal_at(curve, pivot, step, t->threshold[i]) ||
		    !equal_at(curve, pivot, step, t->threshold[i] - 1))
			return false;
	*checked += 2 * t->count + 2;
	return equal_at(curve, pivot, step, t->least) && equal_at(curve, pivot, step, t->most);
}

/* Tries multipliers up to `reach` from slope * 2^shift, for a step whose `even` is set. */
static bool search(const espl_curve *curve, const thresholds *t, int reach, espl_step *step)
{
	for (int shift = 0; shift <= ESPL_SHIFT_MAX; shift++) {
		const int64_t middle = near_multiplier(curve->scale, shift);

		if (middle > (int64_t)1 << ESPL_MULTIPLIER_BITS)
			break;
		if (middle < 1 || (reach == FAR && middle < 1 << 20) ||
		    (step->even && !window_of(shift, step->even, step->even_half)))
			continue;
		for (int d = 0; d <= 2 * reach; d++) {
			const int64_t m = middle + (d & 1 ? (d + 1) / 2 : -(d / 2));

			if (try_multiplier(t, m, shift, step))
				return true;
		}
	}
	return false;
}

bool espl_step_find(const espl_curve *curve, espl_pivot pivot, int64_t least, int64_t most,
                    espl_step *step, int64_t *checked)
{
	const bool onnx = curve->rounding == ESPL_ROUND_ONNX;
	bool found;
	thresholds t;

	find_thresholds(curve, pivot, least, most, &t);
	step->even = 0;
	step->even_half = false;
	if (!t.count) { /* constant */
		step->multiplier = 0;
		step->shift = 0;
		step->positive = step->negative = espl_curve_value(curve, least) - pivot.zero_point;
		*checked += 2;
		return true;
	}
	found = search(curve, &t, NEAR, step);
	for (int e = 0; e < 2 * ESPL_EVEN_MOST && !found && onnx; e++) {
		step->even = 1 + e / 2;
		step->even_half = e % 2;
		found = search(curve, &t, NEAR_EVEN, step);
	}
	if (!found && !onnx)
		found = search(curve, &t, FAR, step);
	return found && proved(curve, pivot, &t, step, checked);
}

/* -- sums of two
 * ------------------------------------------------------------------------------------ */

typedef struct {
	int32_t zero[2];
	const int32_t *range[2];
	int32_t out_zero, low, high;
	int8_t *result; /* [a + 128][b + 128] */
} sum_curve;

static void tabulate(const espl_net *net, const espl_op *op, sum_curve *curve, int8_t table[65536])
{
	int32_t part[2][256];

	curve->result = table;
	for (int i = 0; i < 65536 && net->rounding == ESPL_ROUND_ONNX; i++)
		table[i] = (int8_t)espl_onnx_add(net, op, i / 256 - 128, i % 256 - 128);
	if (net->rounding == ESPL_ROUND_ONNX)
		return;
	for (int i = 0; i < 2; i++)
		for (int v = -128; v < 128; v++)
			part[i][v + 128] = espl_multiply_by_scale(
			        (v - net->tensors[op->inputs[i]].zero_point) * (1 << 20),
			        op->in_scales[i], net->rounding);
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++)
			table[a * 256 + b] = (int8_t)espl_requantize(
			        part[0][a] + part[1][b], op->out_scale, net->rounding,
			        curve->out_zero, curve->low, curve->high);
}

static bool try_sum(const sum_curve *c, int64_t m, int64_t n, int shift, espl_step *step)
{
	const int64_t one = (int64_t)1 << shift;
	interval positive = {-(one * 600), one * 600}, negative = positive;

	for (int a = c->range[0][0]; a <= c->range[0][1]; a++)
		for (int b = c->range[1][0]; b <= c->range[1][1]; b++) {
			const int64_t v = (a - c->zero[0]) * m + (b - c->zero[1]) * n;
			const int32_t y = c->result[(a + 128) * 256 + b + 128];
			interval *of = v >= 0 ? &positive : &negative;

			if (y > c->low)
				at_least(of, (int64_t)(y - c->out_zero) * one - v);
			if (y < c->high)
				at_most(of, (int64_t)(y - c->out_zero + 1) * one - v - 1);
			if (of->low > of->high)
				return false;
		}
	if (!representable(positive, shift, &step->positive) ||
	    !representable(negative, shift, &step->negative))
		return false;
	step->multiplier = (int32_t)m;
	step->shift = shift;
	return true;
}

bool espl_step_find_add(const espl_net *net, const espl_op *op, const int32_t range_a[2],
                        const int32_t range_b[2], espl_step *step, int32_t *multiplier_b,
                        int32_t *bias_b, int64_t *checked)
{
	enum { REACH = 3 };
	sum_curve c = {.range = {range_a, range_b}, .low = op->low, .high = op->high};
	int8_t table[65536];
	/* a real slope is in_scale * 2^20 * out_scale: the product of two multipliers */
	espl_scale slope[2];

	for (int i = 0; i < 2; i++) {
		int64_t product = (int64_t)op->in_scales[i].multiplier * op->out_scale.multiplier;

		slope[i].exponent = op->in_scales[i].exponent + op->out_scale.exponent +
		                    (net->rounding == ESPL_ROUND_ONNX ? 0 : 20);
		product = (product + (1 << 30)) >> 31;
		slope[i].multiplier = (int32_t)product;
		c.zero[i] = net->tensors[op->inputs[i]].zero_point;
	}
	c.out_zero = net->tensors[op->output].zero_point;
	tabulate(net, op, &c, table);
	for (int shift = 8; shift <= ESPL_SHIFT_MAX; shift++) {
		const int64_t m = near_multiplier(slope[0], shift),
		              n = near_multiplier(slope[1], shift);

		if (m + REACH >= 1 << ESPL_MULTIPLIER_BITS ||
		    n + REACH >= 1 << ESPL_MULTIPLIER_BITS)
			return false;
		for (int i = -REACH; i <= REACH; i++)
			for (int j = -REACH; j <= REACH; j++) {
				if (m + i < 1 || n + j < 1 ||
				    !try_sum(&c, m + i, n + j, shift, step))
					continue;
				step->bias = -(c.zero[0] + 128);
				*bias_b = -(c.zero[1] + 128);
				*multiplier_b = (int32_t)(n + j);
				*checked += (int64_t)(range_a[1] - range_a[0] + 1) *
				            (range_b[1] - range_b[0] + 1);
				return true;
			}
	}
	return false;
}
