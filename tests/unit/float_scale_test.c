/* Float32 scales for QLinear operators: equal at every accumulator, not at thresholds only.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "math/float_scale.h"

#include "unit.h"

#include <math.h>

static const float in_scale = 0.0078431f, out_scale = 0.0231f;

/* What ONNX computes with the scale of the weights that was found. */
static int32_t by_onnx(const espl_channel_step *step, float weight_scale, int64_t x)
{
	const float product = in_scale * weight_scale;
	const float factor = product / out_scale;

	return espl_requantize((int32_t)x, espl_scale_from_float32(factor), ESPL_ROUND_ONNX,
	                       step->zero_point, step->low, step->high);
}

static int32_t by_net(const espl_channel_step *step, int64_t x)
{
	return espl_requantize((int32_t)x, step->scale, step->rounding, step->zero_point, step->low,
	                       step->high);
}

static espl_channel_step step_of(double real, espl_rounding rounding)
{
	return (espl_channel_step){.scale = espl_scale_from_real(real),
	                           .rounding = rounding,
	                           .zero_point = -11,
	                           .low = -128,
	                           .high = 127,
	                           .least = -70000,
	                           .most = 80000};
}

static void what_is_found_is_equal_everywhere(void **state)
{
	int found = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		const espl_channel_step step =
		        step_of(0.0011 + i * 0.000037, i & 1 ? ESPL_ROUND_SINGLE : ESPL_ROUND_TFLM);
		float weight_scale;
		int64_t checked = 0;

		if (!espl_float_scale_find(&step, in_scale, out_scale, &weight_scale, &checked))
			continue;
		found++;
		assert_true(checked > 0);
		for (int64_t x = step.least; x <= step.most; x++)
			assert_int_equal(by_onnx(&step, weight_scale, x), by_net(&step, x));
	}
	assert_true(found >= 10);
}

static void what_is_not_found_is_not_there(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		const espl_channel_step step = step_of(0.0013 + i * 0.000119, ESPL_ROUND_TFLM);
		const float real = (float)(0.0013 + i * 0.000119);
		float weight_scale, factor = real;
		int64_t checked = 0;
		bool any = false;

		if (espl_float_scale_find(&step, in_scale, out_scale, &weight_scale, &checked))
			continue;
		for (int k = 0; k < 200; k++)
			factor = nextafterf(factor, 0);
		for (int k = 0; k < 400 && !any; k++) {
			const espl_scale scale = espl_scale_from_float32(factor);

			any = true;
			for (int64_t x = step.least; x <= step.most && any; x++)
				any = espl_requantize((int32_t)x, scale, ESPL_ROUND_ONNX,
				                      step.zero_point, step.low,
				                      step.high) == by_net(&step, x);
			factor = nextafterf(factor, 1);
		}
		assert_false(any);
	}
}

/* A scale of 1/4 has halves, which go up in the net and to the even side in ONNX. */
static void halves_have_no_scale(void **state)
{
	const espl_channel_step step = step_of(0.25, ESPL_ROUND_SINGLE);
	espl_scale scale = step.scale;
	float weight_scale = 7;
	int64_t checked = 0;

	(void)state;
	assert_false(espl_float_scale_find(&step, in_scale, out_scale, &weight_scale, &checked));
	assert_false(espl_float_scale_snap(&step, in_scale, out_scale, &scale));
	assert_int_equal(scale.multiplier, step.scale.multiplier);
}

static void a_constant_has_a_scale(void **state)
{
	espl_channel_step step = step_of(0, ESPL_ROUND_SINGLE);
	float weight_scale = 0;
	int64_t checked = 0;

	(void)state;
	assert_true(espl_float_scale_find(&step, in_scale, out_scale, &weight_scale, &checked));
	assert_true(weight_scale > 0);
	assert_int_equal(by_onnx(&step, weight_scale, step.most), step.zero_point);
	assert_int_equal(by_onnx(&step, weight_scale, step.least), step.zero_point);
}

static void a_snapped_scale_is_near_and_found(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		const double real = 0.00071 + i * 0.0000531;
		espl_channel_step step = step_of(real, ESPL_ROUND_SINGLE);
		float weight_scale;
		int64_t checked = 0;

		assert_true(espl_float_scale_snap(&step, in_scale, out_scale, &step.scale));
		assert_true(fabs(ldexp(step.scale.multiplier, step.scale.exponent - 31) - real) <
		            real * 64 / (1 << 23));
		assert_true(
		        espl_float_scale_find(&step, in_scale, out_scale, &weight_scale, &checked));
		for (int64_t x = step.least; x <= step.most; x++)
			assert_int_equal(by_onnx(&step, weight_scale, x), by_net(&step, x));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_found_is_equal_everywhere),
	        cmocka_unit_test(what_is_not_found_is_not_there),
	        cmocka_unit_test(halves_have_no_scale),
	        cmocka_unit_test(a_constant_has_a_scale),
	        cmocka_unit_test(a_snapped_scale_is_near_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
