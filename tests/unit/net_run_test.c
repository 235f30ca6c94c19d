/* Does the fast way give the reference's bytes, in every tensor of every net?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/file.h"
#include "base/random.h"
#include "data/data.h"
#include "import/import.h"
#include "interp/fast.h"
#include "interp/interp.h"
#include "interp/net_run.h"
#include "tiny_net.h"

#include <string.h>

enum { NETS = 300, SAMPLES = 7 };

static void fill(espl_random *random, int8_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (int8_t)(espl_random_next(random) >> 24);
}

/* Of a scale; those of ONNX are float32s, of 24 bits. */
static int32_t random_multiplier(espl_random *random, bool float32)
{
	const int32_t multiplier = (1 << 30) + (int32_t)espl_random_below(random, 1 << 30);

	return float32 ? multiplier & ~127 : multiplier;
}

/* Runs both on `count` samples of a net with one input; every tensor must be the same. */
static void compare(const espl_net *net, const int8_t *inputs, int count, int batch, int threads)
{
	espl_arena *arena = espl_arena_create();
	const size_t elements = (size_t)espl_tensor_elements(&net->tensors[net->inputs[0]]);
	int8_t **tensors = espl_interp_buffers(net, arena);
	espl_net_run *run = NULL;

	assert_int_equal(espl_net_run_create(net, batch, threads, &run, NULL), ESPL_OK);
	for (int first = 0; first < count; first += batch) {
		const int8_t *from = inputs + first * elements;
		const int now = count - first < batch ? count - first : batch;

		espl_net_run_forward(run, &from, now);
		for (int s = 0; s < now; s++) {
			const int8_t *one = from + s * elements;

			espl_interpret(net, &one, tensors);
			for (int t = 0; t < net->tensor_count; t++) {
				const size_t size = (size_t)espl_tensor_elements(&net->tensors[t]);

				assert_memory_equal(espl_net_run_tensor(run, t) + s * size,
				                    tensors[t], size);
			}
		}
	}
	espl_net_run_destroy(run);
	espl_arena_destroy(arena);
}

static void equals_the_reference_on_random_nets(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= NETS; seed++) {
		espl_arena *arena = espl_arena_create();
		const espl_net *net = tiny_net(arena, seed);
		const size_t elements = (size_t)espl_tensor_elements(&net->tensors[net->inputs[0]]);
		espl_random random = espl_random_stream(seed, 1, 0);
		int8_t *inputs = espl_arena_calloc(arena, SAMPLES, elements);

		fill(&random, inputs, SAMPLES * elements);
		memset(inputs, INT8_MIN, elements);
		memset(inputs + elements, INT8_MAX, elements);
		compare(net, inputs, SAMPLES, 1 + (int)(seed % 9), 1 + (int)(seed % 3));
		espl_arena_destroy(arena);
	}
}

/* The windows that the generator does not make: dilation, uneven pads, depth multipliers. */
static void check(const espl_net *net)
{
	espl_error err = {0};

	if (espl_net_check(net, &err))
		fail_msg("%s", err.message);
}

static void equals_the_reference_on_odd_windows(void **state)
{
	enum { IN = 5 };
	(void)state;
	for (uint32_t seed = 1; seed <= NETS; seed++) {
		espl_arena *arena = espl_arena_create();
		espl_random random = espl_random_stream(seed, 2, 0);
		const bool depthwise = seed % 2;
		const int multiplier = 1 + (int)espl_random_below(&random, 3);
		const int outputs = depthwise ? IN * multiplier : 7;
		espl_tensor tensors[2] = {
		        {"in", 9, 8, IN, 1.0, -3},
		        {"out", 1, 1, outputs, 1.0, 4},
		};
		espl_op op = {
		        .kind = depthwise ? ESPL_OP_DEPTHWISE : ESPL_OP_CONV,
		        .name = "odd",
		        .input_count = 1,
		        .inputs = {0},
		        .output = 1,
		        .kernel_rows = 1 + (int)espl_random_below(&random, 3),
		        .kernel_columns = 1 + (int)espl_random_below(&random, 3),
		        .stride_rows = 1 + (int)espl_random_below(&random, 3),
		        .stride_columns = 1 + (int)espl_random_below(&random, 3),
		        .dilation_rows = 1 + (int)espl_random_below(&random, 3),
		        .dilation_columns = 1 + (int)espl_random_below(&random, 3),
		        .depth_multiplier = multiplier,
		        .low = -100,
		        .high = 120,
		};
		const int reach_rows = (op.kernel_rows - 1) * op.dilation_rows + 1;
		const int reach_columns = (op.kernel_columns - 1) * op.dilation_columns + 1;
		const size_t weights = (size_t)op.kernel_rows * op.kernel_columns *
		                       (depthwise ? outputs : outputs * IN);
		espl_scale *scales = ESPL_ARRAY(arena, espl_scale, outputs);
		int32_t *bias = ESPL_ARRAY(arena, int32_t, outputs);
		int8_t *bytes = espl_arena_calloc(arena, weights, 1), inputs[4 * 9 * 8 * IN];
		espl_type type = ESPL_TYPE_INT8;
		espl_net net = {
		        .name = "odd",
		        .rounding = (espl_rounding)(seed / 2 % 3),
		        .tensor_count = 2,
		        .op_count = 1,
		        .tensors = tensors,
		        .ops = &op,
		        .input_count = 1,
		        .output_count = 1,
		        .inputs = &op.inputs[0],
		        .outputs = &op.output,
		        .input_types = &type,
		        .output_types = &type,
		};

		op.pad_top = (int)espl_random_below(&random, (uint32_t)reach_rows);
		op.pad_bottom = (int)espl_random_below(&random, (uint32_t)reach_rows);
		op.pad_left = (int)espl_random_below(&random, (uint32_t)reach_columns);
		op.pad_right = (int)espl_random_below(&random, (uint32_t)reach_columns);
		tensors[1].rows =
		        (9 + op.pad_top + op.pad_bottom - reach_rows) / op.stride_rows + 1;
		tensors[1].columns =
		        (8 + op.pad_left + op.pad_right - reach_columns) / op.stride_columns + 1;
		fill(&random, bytes, weights);
		for (size_t i = 0; i < weights; i++)
			bytes[i] = bytes[i] == INT8_MIN ? 0 : bytes[i];
		fill(&random, inputs, sizeof inputs);
		for (int c = 0; c < outputs; c++) {
			/* bias: small, or so large that the sum wraps; scales of every exponent */
			bias[c] = (int32_t)espl_random_next(&random) >> (c % 3 ? 16 : 0);
			scales[c] = (espl_scale){
			        random_multiplier(&random, seed / 2 % 3 == ESPL_ROUND_ONNX),
			        (int)espl_random_below(&random, seed % 5 ? 14 : 32) -
			                (seed % 5 ? 16 : 31)};
		}
		op.weights = bytes;
		op.bias = bias;
		op.scales = scales;
		check(&net);
		compare(&net, inputs, 4, 4, 1);
		espl_arena_destroy(arena);
	}
}

/* Every multiplier meets sums right at the halves, where floats must leave the word to fixed. */
static void rounds_as_fixed_at_every_threshold(void **state)
{
	espl_random random = espl_random_stream(5, 3, 0);
	espl_arena *arena = espl_arena_create();
	int64_t compared = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		espl_scale scale = {random_multiplier(&random, round % 3 == ESPL_ROUND_ONNX),
		                    -1 - (int)espl_random_below(&random, 14)};
		const int32_t zero = (int32_t)espl_random_below(&random, 256) - 128;
		espl_tensor tensors[2] = {{"in", 1, 1, 1, 1.0, 0}, {"out", 1, 1, 1, 1.0, zero}};
		espl_op op = {.kind = ESPL_OP_DENSE,
		              .name = "dense",
		              .input_count = 1,
		              .output = 1,
		              .kernel_rows = 1,
		              .kernel_columns = 1,
		              .stride_rows = 1,
		              .stride_columns = 1,
		              .dilation_rows = 1,
		              .dilation_columns = 1,
		              .weights = (const int8_t[]){1},
		              .bias = (const int32_t[]){0},
		              .scales = &scale,
		              .low = -128,
		              .high = 127};
		espl_net net = {.tensor_count = 2,
		                .op_count = 1,
		                .tensors = tensors,
		                .ops = &op,
		                .rounding = (espl_rounding)(round % 3)};
		const espl_mark before = espl_arena_mark(arena);
		espl_fast_op fast;

		espl_fast_prepare(&net, &op, arena, &fast);
		for (int half = -300; half <= 300; half++) {
			const double at = (half + 0.5) / ((double)scale.multiplier / 2147483648.0);
			const int64_t middle = (int64_t)(at * (double)(1 << -scale.exponent));

			for (int64_t x = middle - 3; x <= middle + 3; x++) {
				const int32_t sum = (int32_t)x;
				espl_fast_scratch scratch = {
				        .sums = (int32_t[ESPL_FAST_CHANNELS]){(int32_t)x},
				        .results = (int8_t[ESPL_FAST_CHANNELS]){0},
				        .doubts = (uint8_t[ESPL_FAST_CHANNELS]){0},
				};
				int8_t got;

				if (x != sum)
					continue;
				espl_fast_finish(&net, &op, &fast, 1, &scratch, &got);
				assert_int_equal(got, espl_requantize(sum, scale, net.rounding,
				                                      zero, -128, 127));
				compared++;
			}
		}
		espl_arena_release(arena, before);
	}
	assert_true(compared > 1000000);
	espl_arena_destroy(arena);
}

static void equals_the_reference_on_the_embedded_net(void **state)
{
	static const char folder[] = "/usr/share/datasets/fashion-mnist";
	enum { IMAGES = 200, PIXELS = 784 };
	espl_arena *arena = espl_arena_create();
	espl_samples test;
	espl_net *net;
	int8_t *inputs;

	(void)state;
	if (!espl_file_exists(folder))
		skip();
	assert_int_equal(espl_data_read_test(folder, arena, &test, NULL), ESPL_OK);
	assert_int_equal(espl_import("models/fashion/fashion.tflite", ESPL_ROUND_TFLM, arena, &net,
	                             NULL, NULL),
	                 ESPL_OK);
	inputs = espl_arena_calloc(arena, IMAGES, PIXELS);
	for (int i = 0; i < IMAGES * PIXELS; i++)
		inputs[i] = (int8_t)(test.bytes[i] - 128);
	compare(net, inputs, IMAGES, 64, 2);
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equals_the_reference_on_random_nets),
	        cmocka_unit_test(equals_the_reference_on_odd_windows),
	        cmocka_unit_test(rounds_as_fixed_at_every_threshold),
	        cmocka_unit_test(equals_the_reference_on_the_embedded_net),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
