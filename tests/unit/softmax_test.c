/* Do softmax and the logistic table equal TFLite Micro's, and the real functions nearly?
 * SPDX-License-Identifier: Apache-2.0
 *
 * The expected bytes are TFLite Micro's reference kernels' own, on the last layers of two
 * published keyword and image models, and of another with a LOGISTIC.
 */
#include "math/softmax.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_row(double scale, const int8_t *input, const int8_t *expected, int count)
{
	int8_t output[16];
	espl_scale prepared;
	int32_t least;

	espl_softmax_prepare(scale, 1.0, &prepared, &least);
	espl_softmax(input, count, prepared, least, output);
	for (int i = 0; i < count; i++)
		assert_int_equal(output[i], expected[i]);
}

static void equals_tflite_micro(void **state)
{
	static const int8_t keywords[][12] = {
	        {-27, -42, -34, -22, -19, -32, -29, -33, -38, -26, -14, -16},
	        {104, 91, 85, 87, 89, 86, 83, 98, 90, 106, 95, 88},
	        {6, -5, 3, -13, 0, 4, -1, 1, -2, 2, 15, 14},
	};
	static const int8_t keyword_results[][12] = {
	        {-116, -127, -124, -103, -90, -122, -119, -123, -126, -114, -49, -69},
	        {-61, -118, -124, -122, -120, -123, -125, -100, -119, -38, -110, -121},
	        {-106, -124, -114, -127, -119, -112, -120, -117, -121, -116, -47, -58},
	};
	static const int8_t images[][10] = {
	        {41, 51, 56, 64, 38, 53, 50, 33, 65, 58},
	        {-98, -90, -112, -87, -96, -84, -97, -101, -100, -105},
	};
	static const int8_t image_results[][10] = {
	        {-126, -119, -108, -48, -127, -116, -121, -128, -32, -99},
	        {-119, -90, -127, -65, -115, -23, -117, -122, -121, -125},
	};

	(void)state;
	for (int i = 0; i < 3; i++)
		check_row(0x1.28548cp-3, keywords[i], keyword_results[i], 12);
	for (int i = 0; i < 2; i++)
		check_row(0x1.5ff4bcp-3, images[i], image_results[i], 10);
}

static void prepares_as_tflite(void **state)
{
	espl_scale scale;
	int32_t least;

	(void)state;
	/* 2^-3 * 2^26 = 2^23 = 2^30 * 2^(24 - 31); floor(31 * 2^26 / 2^24) = 124 */
	espl_softmax_prepare(0.125, 1.0, &scale, &least);
	assert_int_equal(scale.multiplier, 1 << 30);
	assert_int_equal(scale.exponent, 24);
	assert_int_equal(least, -124);
	espl_softmax_prepare(0.25, 0.5, &scale, &least);
	assert_int_equal(scale.exponent, 24);
}

static void stays_near_the_real_softmax(void **state)
{
	int8_t values[4], output[4];
	espl_scale scale;
	int32_t least;

	(void)state;
	espl_softmax_prepare(0.03, 1.0, &scale, &least);
	for (int i = 0; i < 1000; i++) {
		double sum = 0;

		for (int k = 0; k < 4; k++) {
			values[k] = (int8_t)((i * (37 + 14 * k) + 91 * k) % 256 - 128);
			sum += exp(0.03 * values[k]);
		}
		espl_softmax(values, 4, scale, least, output);
		for (int k = 0; k < 4; k++)
			assert_true(fabs(256 * exp(0.03 * values[k]) / sum - (output[k] + 128)) <
			            1.01);
	}
}

static void splits_evenly_and_saturates(void **state)
{
	static const int8_t equal[2] = {-5, -5}, one[1] = {-128}, far[3] = {127, -128, -128};
	int8_t output[3], wide[600];
	espl_scale scale;
	int32_t least;

	(void)state;
	espl_softmax_prepare(1.0, 1.0, &scale, &least);
	espl_softmax(equal, 2, scale, least, output);
	assert_int_equal(output[0], 0); /* 128 of 256 */
	assert_int_equal(output[1], 0);
	espl_softmax(one, 1, scale, least, output);
	assert_int_equal(output[0], 127); /* 256 of 256 does not fit */
	espl_softmax(far, 3, scale, least, output);
	assert_int_equal(output[0], 127);
	assert_int_equal(output[1], -128);
	assert_int_equal(output[2], -128);
	memset(wide, 3, sizeof wide);
	espl_softmax(wide, 600, scale, least, wide); /* in place; 256 / 600 of a step each */
	assert_int_equal(wide[0], -128);
	assert_int_equal(wide[599], -128);
}

static void survives_extreme_scales(void **state)
{
	static const int8_t values[3] = {127, 126, -128};
	int8_t output[3];
	espl_scale scale;
	int32_t least;

	(void)state;
	espl_softmax_prepare(1e6, 1.0, &scale, &least);
	espl_softmax(values, 3, scale, least, output);
	assert_int_equal(output[0], 127);
	assert_int_equal(output[1], -128);
	/* 2^-20: all differences vanish, a third each: 85.3 of 256 */
	espl_softmax_prepare(0x1p-20, 1.0, &scale, &least);
	espl_softmax(values, 3, scale, least, output);
	for (int i = 0; i < 3; i++)
		assert_int_equal(output[i], 85 - 128);
}

static void logistic_equals_tflite_micro(void **state)
{
	/* for stored values from -96 on; -128 before and 127 after */
	static const int8_t expected[] = {
	        -127, -127, -127, -127, -127, -127, -126, -126, -125, -125, -124, -123,
	        -123, -121, -120, -118, -117, -114, -112, -108, -105, -100, -95,  -89,
	        -83,  -75,  -66,  -57,  -47,  -36,  -24,  -12,  0,    12,   24,   36,
	        47,   57,   66,   75,   83,   89,   95,   100,  105,  108,  112,  114,
	        117,  118,  120,  121,  123,  123,  124,  125,  125,  126,  126,  127,
	};
	const int count = (int)(sizeof expected / sizeof *expected);
	int8_t table[256];

	(void)state;
	espl_logistic_table(0x1.883f52p-3, -64, table);
	for (int i = 0; i < 32; i++)
		assert_int_equal(table[i], -128);
	for (int i = 0; i < count; i++)
		assert_int_equal(table[32 + i], expected[i]);
	for (int i = 32 + count; i < 256; i++)
		assert_int_equal(table[i], 127);
}

static void logistic_stays_near_the_real_one(void **state)
{
	static const double scales[] = {0.001, 0.02, 0.1, 1.0, 3.0};
	int8_t table[256];

	(void)state;
	for (int i = 0; i < 5; i++) {
		espl_logistic_table(scales[i], 5, table);
		for (int v = -128; v < 128; v++) {
			double real = 256 / (1 + exp(-scales[i] * (v - 5)));

			assert_true(fabs(fmin(real, 255) - (table[v + 128] + 128)) < 0.51);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equals_tflite_micro),
	        cmocka_unit_test(prepares_as_tflite),
	        cmocka_unit_test(stays_near_the_real_softmax),
	        cmocka_unit_test(splits_evenly_and_saturates),
	        cmocka_unit_test(survives_extreme_scales),
	        cmocka_unit_test(logistic_equals_tflite_micro),
	        cmocka_unit_test(logistic_stays_near_the_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
