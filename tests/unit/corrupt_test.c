/* Are corruptions the same for ever, harsher at each strength, and what their names say?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/sha256.h"
#include "judge/corrupt.h"

#include <string.h>

#define DIGEST "2e094415c69938a31feb9c6c10950d5b0f0e33925d494d152219a3d081274d75"

enum { SIDE = 28, PIXELS = SIDE * SIDE };

/* A grey disc on black with a white ring. */
static void draw(uint8_t *image)
{
	for (int row = 0; row < SIDE; row++)
		for (int column = 0; column < SIDE; column++) {
			const int y = 2 * row - 27, x = 2 * column - 27, square = y * y + x * x;

			image[row * SIDE + column] = square < 300 ? 120 : square < 420 ? 255 : 0;
		}
}

static const espl_corruptor *plain(espl_arena *arena, uint32_t seed)
{
	return espl_corruptor_create(SIDE, SIDE, 1, seed, arena);
}

/* Every kind at every strength, on four images: one digest. Another digest is another benchmark,
 * whose figures cannot be compared with earlier ones. */
static void gives_the_same_bytes_for_ever(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_corruptor *corruptor = plain(arena, 1);
	uint8_t *all = ESPL_ARRAY(arena, uint8_t, ESPL_CORRUPTIONS * ESPL_STRENGTHS * 4 * PIXELS);
	uint8_t image[PIXELS], scratch[PIXELS], *to = all;

	(void)state;
	draw(image);
	for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++)
		for (int s = 0; s < ESPL_STRENGTHS; s++)
			for (int i = 0; i < 4; i++) {
				espl_corrupt(corruptor, kind, s, i, image, to, scratch);
				to += PIXELS;
			}
	assert_string_equal(espl_sha256(all, (size_t)(to - all), arena), DIGEST);
	espl_arena_destroy(arena);
}

static void seed_kind_and_index_decide(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_corruptor *corruptor = plain(arena, 1), *other = plain(arena, 2);
	uint8_t image[PIXELS], scratch[PIXELS], first[PIXELS], second[PIXELS];

	(void)state;
	draw(image);
	espl_corrupt(corruptor, ESPL_CORRUPTION_SHOT_NOISE, 2, 5, image, first, scratch);
	memset(scratch, 77, sizeof scratch); /* what is in the scratch memory does not */
	espl_corrupt(corruptor, ESPL_CORRUPTION_SHOT_NOISE, 2, 5, image, second, scratch);
	assert_memory_equal(first, second, PIXELS);
	espl_corrupt(corruptor, ESPL_CORRUPTION_SHOT_NOISE, 2, 6, image, second, scratch);
	assert_memory_not_equal(first, second, PIXELS);
	espl_corrupt(other, ESPL_CORRUPTION_SHOT_NOISE, 2, 5, image, second, scratch);
	assert_memory_not_equal(first, second, PIXELS);
	espl_arena_destroy(arena);
}

static int64_t distance(const uint8_t *a, const uint8_t *b)
{
	int64_t sum = 0;

	for (int i = 0; i < PIXELS; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

/* Over forty images the strongest changes more than the weakest, and every one changes something.
 */
static void strengths_are_in_order(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_corruptor *corruptor = plain(arena, 3);
	uint8_t image[PIXELS], out[PIXELS], scratch[PIXELS];

	(void)state;
	draw(image);
	for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++) {
		int64_t changed[ESPL_STRENGTHS] = {0};

		for (int s = 0; s < ESPL_STRENGTHS; s++)
			for (int i = 0; i < 40; i++) {
				espl_corrupt(corruptor, kind, s, i, image, out, scratch);
				changed[s] += distance(image, out);
			}
		assert_true(changed[0] > 0);
		for (int s = 1; s < ESPL_STRENGTHS; s++)
			if (kind != ESPL_CORRUPTION_ROTATE &&    /* a disc turned is a disc */
			    kind != ESPL_CORRUPTION_TRANSLATE && /* one moved far is just elsewhere
			                                          */
			    changed[s] <= changed[s - 1])
				fail_msg("%s at strength %d changes no more than at %d",
				         espl_corruption_name(kind), s + 1, s);
	}
	espl_arena_destroy(arena);
}

/* Odd shapes and colours: nothing is written or read outside (the sanitizers look). */
static void any_shape_is_corrupted_within_its_bounds(void **state)
{
	static const int shapes[][3] = {{1, 1, 1}, {1, 9, 1},   {9, 1, 3},
	                                {2, 3, 3}, {32, 32, 3}, {40, 17, 2}};

	(void)state;
	for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++) {
		espl_arena *arena = espl_arena_create();
		const espl_corruptor *corruptor =
		        espl_corruptor_create(shapes[n][0], shapes[n][1], shapes[n][2], 9, arena);
		const size_t bytes = espl_corrupt_scratch(corruptor);
		uint8_t *in = espl_arena_calloc(arena, bytes, 1);
		uint8_t *out = espl_arena_calloc(arena, bytes, 1);
		void *scratch = espl_arena_calloc(arena, bytes, 1);

		memset(in, 100, bytes);
		for (espl_corruption kind = 0; kind < ESPL_CORRUPTIONS; kind++)
			for (int s = 0; s < ESPL_STRENGTHS; s++)
				for (int i = 0; i < 20; i++)
					espl_corrupt(corruptor, kind, s, i, in, out, scratch);
		espl_arena_destroy(arena);
	}
}

static void kinds_do_what_their_names_say(void **state)
{
	espl_arena *arena = espl_arena_create();
	const espl_corruptor *corruptor = plain(arena, 1);
	uint8_t image[PIXELS], out[PIXELS], scratch[PIXELS];
	int64_t sum = 0;
	int count = 0;

	(void)state;
	draw(image);
	espl_corrupt(corruptor, ESPL_CORRUPTION_BRIGHTNESS, 4, 0, image, out, scratch);
	for (int i = 0; i < PIXELS; i++)
		assert_int_equal(out[i], image[i] + 96 > 255 ? 255 : image[i] + 96);
	espl_corrupt(corruptor, ESPL_CORRUPTION_SCALE, 4, 0, image, out, scratch);
	assert_int_equal(out[13 * SIDE + 13], 120); /* half as large, in the middle */
	assert_int_equal(out[13 * SIDE + 5], 0);
	espl_corrupt(corruptor, ESPL_CORRUPTION_STRIPE, 0, 0, image, out, scratch);
	for (int i = 0; i < SIDE; i++)
		count += out[i] == 255 - image[i];
	assert_int_equal(count, 2);
	/* photons: the mean of a grey plane stays, its variance is 120 * 255 / 60 */
	memset(image, 120, sizeof image);
	for (int i = 0; i < 40; i++) {
		espl_corrupt(corruptor, ESPL_CORRUPTION_SHOT_NOISE, 0, i, image, out, scratch);
		for (int k = 0; k < PIXELS; k++)
			sum += out[k];
	}
	assert_in_range(sum / (40 * PIXELS), 119, 120);
	assert_in_range(distance(image, out) / PIXELS, 440, 590); /* 510, four deviations */
	/* 3 of 100 values are black or white */
	count = 0;
	for (int i = 0; i < 40; i++) {
		espl_corrupt(corruptor, ESPL_CORRUPTION_IMPULSE_NOISE, 0, i, image, out, scratch);
		for (int k = 0; k < PIXELS; k++)
			count += out[k] != 120;
	}
	assert_in_range(count, 820, 1062); /* 941, four deviations */
	espl_arena_destroy(arena);
}

static void names_are_those_of_the_list(void **state)
{
	(void)state;
	assert_int_equal(ESPL_CORRUPTIONS, 15);
	assert_string_equal(espl_corruption_name(ESPL_CORRUPTION_SHOT_NOISE), "shot_noise");
	assert_string_equal(espl_corruption_name(ESPL_CORRUPTION_ZIGZAG), "zigzag");
	assert_string_equal(espl_corruption_name(ESPL_CORRUPTIONS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_the_same_bytes_for_ever),
	        cmocka_unit_test(seed_kind_and_index_decide),
	        cmocka_unit_test(strengths_are_in_order),
	        cmocka_unit_test(any_shape_is_corrupted_within_its_bounds),
	        cmocka_unit_test(kinds_do_what_their_names_say),
	        cmocka_unit_test(names_are_those_of_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
