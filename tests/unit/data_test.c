/* Are samples read as they were written, split fairly, and bad files refused with their place?
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "folder_fixture.h"
#include "unit.h"

#include "base/file.h"
#include "data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 2, COLUMNS = 3, PIXELS = ROWS * COLUMNS };

static void put(const char *name, const void *data, size_t size)
{
	const char *path = espl_arena_format(arena, "%s/%s", folder, name);

	assert_int_equal(espl_file_write(path, data, size, NULL), ESPL_OK);
}

static void drop(const char *name)
{
	unlink(espl_arena_format(arena, "%s/%s", folder, name));
}

/* Reads the folder, which must be refused, and gives "where: message" behind the folder. */
static const char *refusal(espl_status expected)
{
	espl_error err = {0};
	espl_data data;
	char *text, *at;

	assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, &err), expected);
	assert_int_equal(err.status, expected);
	text = espl_arena_format(arena, "%s%s%s", err.where, err.where[0] ? ": " : "", err.message);
	assert_null(strchr(text, '\n'));
	at = strstr(text, folder);
	assert_non_null(at);
	return at + strlen(folder) + 1 + (at[strlen(folder)] == ':');
}

/* An IDX file of bytes in the arena. */
static espl_span idx(int dimensions, const uint32_t *sizes, const uint8_t *values, size_t count)
{
	const size_t header = 4 + 4 * (size_t)dimensions;
	unsigned char *bytes = espl_arena_calloc(arena, header + count, 1);

	bytes[2] = 8;
	bytes[3] = (unsigned char)dimensions;
	for (int i = 0; i < dimensions; i++)
		for (int k = 0; k < 4; k++)
			bytes[4 + 4 * i + k] = (unsigned char)(sizes[i] >> (24 - 8 * k));
	memcpy(bytes + header, values, count);
	return (espl_span){bytes, header + count};
}

/* A gzip file that stores its content as it is: RFC 1951, section 3.2.4. */
static espl_span gzip(espl_span content)
{
	unsigned char *out = espl_arena_calloc(arena, content.size + 23, 1);
	const uint16_t length = (uint16_t)content.size, inverse = (uint16_t)~length;
	unsigned char *end = out + 15 + content.size;
	uint32_t crc = 0xffffffff;

	assert_true(content.size < 65536);
	memcpy(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
	memcpy(out + 11, &length, 2);
	memcpy(out + 13, &inverse, 2);
	memcpy(out + 15, content.data, content.size);
	for (size_t i = 0; i < content.size; i++) {
		crc ^= content.data[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	for (int k = 0; k < 4; k++) {
		end[k] = (unsigned char)(~crc >> 8 * k);
		end[4 + k] = (unsigned char)(content.size >> 8 * k);
	}
	return (espl_span){out, content.size + 23};
}

/* Sample i has the pixels 10 * i, 10 * i + 1, .. and the label i % classes. */
static void put_idx(const char *part, int count, int classes, bool packed)
{
	uint8_t *pixels = espl_arena_calloc(arena, (size_t)count * PIXELS, 1);
	uint8_t *labels = espl_arena_calloc(arena, (size_t)count, 1);
	const uint32_t sizes[] = {(uint32_t)count, ROWS, COLUMNS};
	const char *end = packed ? ".gz" : "";
	espl_span images, classes_file;

	for (int i = 0; i < count; i++) {
		labels[i] = (uint8_t)(i % classes);
		for (int k = 0; k < PIXELS; k++)
			pixels[i * PIXELS + k] = (uint8_t)(10 * i + k);
	}
	images = idx(3, sizes, pixels, (size_t)count * PIXELS);
	classes_file = idx(1, sizes, labels, (size_t)count);
	if (packed) {
		images = gzip(images);
		classes_file = gzip(classes_file);
	}
	put(espl_arena_format(arena, "%s-images-idx3-ubyte%s", part, end), images.data,
	    images.size);
	put(espl_arena_format(arena, "%s-labels-idx1-ubyte%s", part, end), classes_file.data,
	    classes_file.size);
}

static void put_good_idx(void)
{
	put_idx("train", 12, 3, false);
	put_idx("t10k", 6, 3, false);
}

static void reads_idx_gzipped_or_not(void **state)
{
	float floats[PIXELS];
	espl_data data;

	(void)state;
	put_idx("train", 12, 3, true);
	put_idx("t10k", 6, 3, false);
	assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, NULL), ESPL_OK);
	assert_int_equal(data.train.count, 12);
	assert_int_equal(data.train.rows, ROWS);
	assert_int_equal(data.train.columns, COLUMNS);
	assert_int_equal(data.train.channels, 1);
	assert_int_equal(data.train.classes, 3);
	assert_int_equal(data.validation.count, 0);
	assert_int_equal(data.test.count, 6);
	assert_null(data.test.floats);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(data.train.labels[i], i % 3);
		for (int k = 0; k < PIXELS; k++)
			assert_int_equal(data.train.bytes[i * PIXELS + k], 10 * i + k);
	}
	espl_samples_floats(&data.train, 5, 1, floats);
	assert_true(floats[1] == 51.0F / 255.0F);
}

static void the_test_files_are_enough_for_a_test(void **state)
{
	espl_samples test;

	(void)state;
	put_idx("t10k", 6, 3, true);
	assert_int_equal(espl_data_read_test(folder, arena, &test, NULL), ESPL_OK);
	assert_int_equal(test.count, 6);
	assert_int_equal(test.classes, 3);
	assert_int_equal(test.bytes[PIXELS], 10);
}

/* Every class gives its share, nothing is in both parts, the seed decides. */
static void validation_is_a_seeded_share_of_each_class(void **state)
{
	espl_data first, again, other;
	int counts[3] = {0}, pixel[256] = {0};

	(void)state;
	put_idx("train", 24, 3, false);
	put_idx("t10k", 6, 3, false);
	assert_int_equal(espl_data_read(folder, 7, 1, arena, &first, NULL), ESPL_OK);
	assert_int_equal(espl_data_read(folder, 7, 1, arena, &again, NULL), ESPL_OK);
	assert_int_equal(espl_data_read(folder, 7, 2, arena, &other, NULL), ESPL_OK);
	assert_int_equal(first.validation.count, 7);
	assert_int_equal(first.train.count, 17);
	assert_memory_equal(first.validation.bytes, again.validation.bytes, 7 * PIXELS);
	assert_memory_not_equal(first.validation.bytes, other.validation.bytes, 7 * PIXELS);
	for (int i = 0; i < 7; i++)
		counts[first.validation.labels[i]]++;
	assert_int_equal(counts[0], 3); /* 7 * 8 / 24 = 2 and a third: the first is rounded up */
	assert_int_equal(counts[1], 2);
	assert_int_equal(counts[2], 2);
	for (int i = 0; i < 7; i++)
		pixel[first.validation.bytes[i * PIXELS]]++;
	for (int i = 0; i < 17; i++) {
		const int at = first.train.bytes[i * PIXELS];

		pixel[at]++;
		assert_int_equal(first.train.labels[i], at / 10 % 3); /* labels moved along */
	}
	for (int i = 0; i < 24; i++)
		assert_int_equal(pixel[10 * i], 1);
}

static void validation_leaves_samples_of_each_class(void **state)
{
	espl_error err = {0};
	espl_data data;

	(void)state;
	put_good_idx();
	assert_int_equal(espl_data_read(folder, 12, 1, arena, &data, &err), ESPL_RANGE);
	assert_string_equal(err.message, "12 samples for validation, there are 12 in all");
	assert_int_equal(espl_data_read(folder, 10, 1, arena, &data, &err), ESPL_RANGE);
	assert_string_equal(err.message, "validation would take all 4 samples of class 0");
	assert_string_equal(err.where, folder);
	assert_int_equal(espl_data_read(folder, 9, 1, arena, &data, NULL), ESPL_OK);
}

static void refuses_missing_files(void **state)
{
	(void)state;
	assert_string_equal(refusal(ESPL_IO), "no train data: there is no train-images-idx3-ubyte, "
	                                      "no train.npy and no train.csv");
	put_good_idx();
	drop("t10k-labels-idx1-ubyte");
	assert_string_equal(refusal(ESPL_IO), "t10k-labels-idx1-ubyte is not there, nor gzipped");
}

static void refuses_malformed_idx(void **state)
{
	const uint32_t sizes[] = {12, ROWS, COLUMNS}, wrong[] = {13}, zero[] = {12, 0, 3};
	const uint32_t huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
	uint8_t values[12 * PIXELS] = {0};
	espl_span file;

	(void)state;
	put_good_idx();
	file = idx(3, sizes, values, sizeof values);
	put("train-images-idx3-ubyte", file.data, file.size - 1);
	assert_string_equal(refusal(ESPL_SYNTAX), "train-images-idx3-ubyte: cut off: the header "
	                                          "asks for 72 values, there are 71");
	put("train-images-idx3-ubyte", file.data, 9);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train-images-idx3-ubyte: cut off in the header: 9 of 16 bytes");
	put("train-images-idx3-ubyte", file.data, 0);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train-images-idx3-ubyte: 0 bytes are no IDX file");
	put("train-images-idx3-ubyte", "\0\0\x0d\x03----------------", 20);
	assert_string_equal(refusal(ESPL_SYNTAX), "train-images-idx3-ubyte: starts with 00000d03, "
	                                          "IDX of 3 dimensions of bytes with 00000803");
	file = idx(3, zero, values, 0);
	put("train-images-idx3-ubyte", file.data, file.size);
	assert_string_equal(refusal(ESPL_SHAPE), "train-images-idx3-ubyte: dimension 1 is 0");
	file = idx(3, huge, values, sizeof values);
	put("train-images-idx3-ubyte", file.data, file.size);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train-images-idx3-ubyte: cut off: the header asks for at least "
	                    "4294967295 values, there are 72");
	put_good_idx();
	file = idx(1, wrong, values, 13);
	put("train-labels-idx1-ubyte", file.data, file.size);
	assert_string_equal(refusal(ESPL_SHAPE),
	                    "train-labels-idx1-ubyte: 13 labels, there are 12 images");
}

static void refuses_broken_gzip(void **state)
{
	const uint32_t sizes[] = {12, ROWS, COLUMNS};
	uint8_t values[12 * PIXELS] = {0};
	unsigned char *bytes;
	espl_span file;

	(void)state;
	put_good_idx();
	drop("train-images-idx3-ubyte");
	file = gzip(idx(3, sizes, values, sizeof values));
	put("train-images-idx3-ubyte.gz", file.data, file.size);
	{
		espl_data data;

		assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, NULL), ESPL_OK);
	}
	put("train-images-idx3-ubyte.gz", file.data, 12);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train-images-idx3-ubyte.gz: gzip: 12 bytes are cut off");
	put("train-images-idx3-ubyte.gz", file.data, file.size - 8);
	assert_non_null(strstr(refusal(ESPL_SYNTAX), "gz: gzip: the file is cut off"));
	bytes = espl_arena_calloc(arena, file.size + 5, 1);
	memcpy(bytes, file.data, file.size);
	put("train-images-idx3-ubyte.gz", bytes, file.size + 5);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train-images-idx3-ubyte.gz: gzip: the file is cut off, or its content "
	                    "is not 0 bytes as its end says");
	bytes[40] ^= 1; /* a pixel: the checksum sees it */
	put("train-images-idx3-ubyte.gz", bytes, file.size);
	assert_non_null(strstr(refusal(ESPL_SYNTAX), "damaged (incorrect data check)"));
	bytes[40] ^= 1;
	memset(bytes + file.size - 4, 0xff, 4);
	put("train-images-idx3-ubyte.gz", bytes, file.size);
	assert_string_equal(refusal(ESPL_RANGE), "train-images-idx3-ubyte.gz: gzip: 4294967295 "
	                                         "bytes, at most 1073741824 are read");
	memset(bytes + file.size - 1, 0x20, 1); /* half a gigabyte from a hundred bytes */
	put("train-images-idx3-ubyte.gz", bytes, file.size);
	assert_non_null(strstr(refusal(ESPL_SYNTAX), "111 bytes cannot hold the 553648127"));
}

static void refuses_parts_that_disagree(void **state)
{
	const uint32_t sizes[] = {6, COLUMNS, ROWS};
	uint8_t labels[] = {0, 1, 2, 0, 1, 200};
	uint8_t values[6 * PIXELS] = {0};
	espl_span file;

	(void)state;
	put_good_idx();
	file = idx(3, sizes, values, sizeof values);
	put("t10k-images-idx3-ubyte", file.data, file.size);
	assert_string_equal(refusal(ESPL_SHAPE), "train samples are 2x3x1, test samples are 3x2x1");
	put_idx("t10k", 6, 2, false);
	assert_string_equal(refusal(ESPL_RANGE), "train has classes 0 to 2, test has 0 to 1");
	file = idx(1, sizes, labels, 6);
	put("t10k-labels-idx1-ubyte", file.data, file.size);
	assert_string_equal(refusal(ESPL_RANGE),
	                    "test: sample 5 has label 200, but class 3 has no sample");
}

static void put_npy(const char *name, const char *dictionary, const void *data, size_t size)
{
	const size_t length = strlen(dictionary);
	unsigned char *bytes = espl_arena_calloc(arena, 10 + length + size, 1);

	memcpy(bytes, "\x93NUMPY\x01\x00", 8);
	bytes[8] = (unsigned char)length;
	bytes[9] = (unsigned char)(length >> 8);
	memcpy(bytes + 10, dictionary, length);
	memcpy(bytes + 10 + length, data, size);
	put(name, bytes, 10 + length + size);
}

#define FLOATS "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }   \n"
#define BYTES "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 1, 2, 3), }\n"
#define LONGS "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }\n"
#define DOUBLES "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2, 1), }\n"

static const float four[8] = {0, 1.5F, -2, 3, 4, 5, 6, 7};
static const int64_t labels_of_four[4] = {0, 1, 0, 1};

static void put_good_npy(void)
{
	put_npy("train.npy", FLOATS, four, sizeof four);
	put_npy("train_labels.npy", LONGS, labels_of_four, sizeof labels_of_four);
	put_npy("test.npy", FLOATS, four, sizeof four);
	put_npy("test_labels.npy", LONGS, labels_of_four, sizeof labels_of_four);
}

static void reads_npy_of_floats_bytes_and_doubles(void **state)
{
	static const double doubles[8] = {0, 1.5, -2, 3, 4, 5, 6, 7};
	const uint8_t bytes[24] = {0, 1, 2, 3, 4, 5, 6};
	espl_data data;
	float out[2];

	(void)state;
	put_good_npy();
	assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, NULL), ESPL_OK);
	assert_int_equal(data.train.rows, 1);
	assert_int_equal(data.train.columns, 1);
	assert_int_equal(data.train.channels, 2);
	assert_int_equal(data.train.classes, 2);
	assert_memory_equal(data.train.floats, four, sizeof four);
	espl_samples_floats(&data.train, 1, 1, out);
	assert_memory_equal(out, four + 2, sizeof out);
	put_npy("train.npy", BYTES, bytes, sizeof bytes);
	put_npy("test.npy", BYTES, bytes, sizeof bytes);
	assert_int_equal(espl_data_read(folder, 2, 1, arena, &data, NULL), ESPL_OK);
	assert_int_equal(data.train.rows, 1);
	assert_int_equal(data.train.columns, 2);
	assert_int_equal(data.train.channels, 3);
	assert_memory_equal(data.test.bytes, bytes, sizeof bytes);
	put_npy("train.npy", DOUBLES, doubles, sizeof doubles);
	put_npy("test.npy", DOUBLES, doubles, sizeof doubles);
	assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, NULL), ESPL_OK);
	assert_int_equal(data.test.rows, 2);
	assert_memory_equal(data.test.floats, four, sizeof four);
}

static void refuses_malformed_npy(void **state)
{
	const int64_t negative[4] = {0, 1, -1, 1}, large[4] = {0, 256, 0, 1};
	float bad[8] = {0, 1, 2, 3, 4, 5, 6, 7};

	(void)state;
	put_good_npy();
	put_npy("train.npy", FLOATS, four, sizeof four - 1);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train.npy: the header asks for 32 bytes of values, there are 31");
	put_npy("train.npy",
	        "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 99999999999), }\n",
	        four, sizeof four);
	assert_string_equal(refusal(ESPL_SHAPE), "train.npy: dimension 1 is 9999999999");
	put_npy("train.npy",
	        "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 2000000000), }\n",
	        four, sizeof four);
	assert_non_null(
	        strstr(refusal(ESPL_SYNTAX), "asks for at least 16000000000000000000 bytes"));
	put_npy("train.npy", "{'descr': '>f4', 'fortran_order': False, 'shape': (4, 2), }\n", four,
	        sizeof four);
	assert_non_null(strstr(refusal(ESPL_UNSUPPORTED), "train.npy: values of type '>f4'"));
	put_npy("train.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (4, 2), }\n", four,
	        sizeof four);
	assert_non_null(strstr(refusal(ESPL_UNSUPPORTED), "train.npy: stored in Fortran's order"));
	put_npy("train.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2", four, 0);
	assert_non_null(strstr(refusal(ESPL_SYNTAX), "train.npy: the header's shape is malformed"));
	put("train.npy", "\x93NUMPY\x01\x00\xff\x7f{}", 12);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train.npy: cut off: a header of 32767 bytes, there are 2");
	put("train.npy", "PK\x03\x04 a zip file", 15);
	assert_string_equal(refusal(ESPL_SYNTAX),
	                    "train.npy: is no .npy file: the magic is missing");
	bad[5] = (float)strtod("nan", NULL);
	put_npy("train.npy", FLOATS, bad, sizeof bad);
	assert_string_equal(refusal(ESPL_RANGE),
	                    "train.npy: sample 2 has NaN among its values, at place 1");
	put_good_npy();
	put_npy("test_labels.npy", LONGS, negative, sizeof negative);
	assert_string_equal(refusal(ESPL_RANGE),
	                    "test_labels.npy: sample 2 has label -1, labels are 0 to 255");
	put_npy("test_labels.npy", LONGS, large, sizeof large);
	assert_string_equal(refusal(ESPL_RANGE),
	                    "test_labels.npy: sample 1 has label 256, labels are 0 to 255");
	put_npy("test_labels.npy", FLOATS, four, sizeof four);
	assert_string_equal(refusal(ESPL_SHAPE),
	                    "test_labels.npy: 8 labels for 4 samples; one each is read");
	put_npy("test_labels.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }\n",
	        negative, 24);
	assert_string_equal(refusal(ESPL_SHAPE), "test_labels.npy: 3 labels, there are 4 samples");
	drop("test_labels.npy");
	assert_string_equal(refusal(ESPL_IO), "test_labels.npy: No such file or directory");
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void reads_csv_with_a_heading_or_without(void **state)
{
	const float expected[] = {1, 2.5F, -3e2F, 0, 7, 8};
	espl_data data;

	(void)state;
	put_text("train.csv", "\xef\xbb\xbf\"a\",b,label\r\n1, 2.5,1\r\n-3e2 ,0,0\r\n\r\n7,8,1");
	put_text("test.csv", "5,6,0\n7,8,1\n");
	assert_int_equal(espl_data_read(folder, 0, 1, arena, &data, NULL), ESPL_OK);
	assert_int_equal(data.train.count, 3);
	assert_int_equal(data.train.channels, 2);
	assert_memory_equal(data.train.floats, expected, sizeof expected);
	assert_memory_equal(data.train.labels, "\1\0\1", 3);
	assert_int_equal(data.test.count, 2);
	assert_true(data.test.floats[3] == 8);
}

static void refuses_malformed_csv(void **state)
{
	static const struct {
		const char *text, *message;
		espl_status status;
	} cases[] = {
	        {"", "train.csv: is empty", ESPL_SYNTAX},
	        {"a,b\n", "train.csv: has a heading and no numbers", ESPL_SYNTAX},
	        {"0\n1\n", "train.csv: has 1 field a line; values and a label are 2", ESPL_SHAPE},
	        {"1,0\n1,2,1\n", "train.csv: line 2 has 3 fields, those above 2", ESPL_SHAPE},
	        {"1,0\n1,\n", "train.csv: line 2: field 2 is no number", ESPL_SYNTAX},
	        {",0\n1,1\n", "train.csv: line 1: field 1 is no number", ESPL_SYNTAX},
	        {"1,0\n\n1x,1\n", "train.csv: line 3: field 1 is no number", ESPL_SYNTAX},
	        {"1,0\nnan,1\n", "train.csv: line 2: field 1 is NaN", ESPL_RANGE},
	        {"nan,0\n1,1\n", "train.csv: line 1: field 1 is NaN", ESPL_RANGE},
	        {"1,0\n1e39,1\n", "train.csv: line 2: field 1 is larger than a float", ESPL_RANGE},
	        {"1,0\n1,0.5\n", "train.csv: line 2: the label, 0.5, is no whole number",
	         ESPL_RANGE},
	        {"1,0\n1,-1\n", "train.csv: sample 1 has label -1, labels are 0 to 255",
	         ESPL_RANGE},
	        {"1,0\n1,2\n", "train: sample 1 has label 2, but class 1 has no sample",
	         ESPL_RANGE},
	};

	(void)state;
	put_text("test.csv", "5,0\n7,1\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		put_text("train.csv", cases[i].text);
		assert_string_equal(refusal(cases[i].status), cases[i].message);
	}
}

/* Files cut at every length and with any byte changed: read or refused, never more (the sanitizers
 * look). */
static void survives_any_damage(void **state)
{
	static const char *const names[] = {"train-images-idx3-ubyte.gz",
	                                    "train-labels-idx1-ubyte.gz", "train.npy",
	                                    "train_labels.npy", "train.csv"};
	int read = 0, refused = 0;

	(void)state;
	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		espl_span file;
		unsigned char *bytes;

		if (n == 2) {
			drop("train-images-idx3-ubyte.gz");
			drop("train-labels-idx1-ubyte.gz");
			drop("t10k-images-idx3-ubyte.gz");
			drop("t10k-labels-idx1-ubyte.gz");
			put_good_npy();
		} else if (n == 4) {
			drop("train.npy");
			drop("test.npy");
			put("train.csv", "a,b\n1,0\n2.5,1\n-3e2,0\n", 22);
			put("test.csv", "1,0\n2,1\n", 8);
		} else if (n == 0) {
			put_idx("train", 12, 3, true);
			put_idx("t10k", 6, 3, true);
		}
		assert_int_equal(espl_file_read(espl_arena_format(arena, "%s/%s", folder, names[n]),
		                                arena, &file, NULL),
		                 ESPL_OK);
		bytes = espl_arena_copy(arena, file.data, file.size);
		for (size_t i = 0; i < 3 * file.size; i++) {
			const size_t at = i % file.size;
			const unsigned char kept = bytes[at];
			const espl_mark before = espl_arena_mark(arena);
			espl_data data;

			if (i >= file.size)
				bytes[at] =
				        (unsigned char)(i < 2 * file.size ? kept ^ 0xff : kept + 1);
			put(names[n], bytes, i < file.size ? at : file.size);
			if (espl_data_read(folder, 0, 1, arena, &data, NULL))
				refused++;
			else
				read++;
			bytes[at] = kept;
			espl_arena_release(arena, before);
		}
		put(names[n], bytes, file.size);
	}
	assert_true(read > 50 && refused > 500);
}

/* The package's files, where they are installed. */
static void reads_fashion_mnist(void **state)
{
	static const char path[] = "/usr/share/datasets/fashion-mnist";
	int counts[3][10] = {{0}};
	const espl_samples *parts[3];
	espl_data data;

	(void)state;
	if (!espl_file_exists(path))
		skip();
	assert_int_equal(espl_data_read(path, 5000, 1, arena, &data, NULL), ESPL_OK);
	parts[0] = &data.train;
	parts[1] = &data.validation;
	parts[2] = &data.test;
	assert_int_equal(data.train.count, 55000);
	assert_int_equal(data.test.rows, 28);
	for (int part = 0; part < 3; part++)
		for (int i = 0; i < parts[part]->count; i++)
			counts[part][parts[part]->labels[i]]++;
	for (int c = 0; c < 10; c++) {
		assert_int_equal(counts[0][c], 5500);
		assert_int_equal(counts[1][c], 500);
		assert_int_equal(counts[2][c], 1000);
	}
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)
	const struct CMUnitTest tests[] = {
	        IN_FOLDER(reads_idx_gzipped_or_not),
	        IN_FOLDER(the_test_files_are_enough_for_a_test),
	        IN_FOLDER(validation_is_a_seeded_share_of_each_class),
	        IN_FOLDER(validation_leaves_samples_of_each_class),
	        IN_FOLDER(refuses_missing_files),
	        IN_FOLDER(refuses_malformed_idx),
	        IN_FOLDER(refuses_broken_gzip),
	        IN_FOLDER(refuses_parts_that_disagree),
	        IN_FOLDER(reads_npy_of_floats_bytes_and_doubles),
	        IN_FOLDER(refuses_malformed_npy),
	        IN_FOLDER(reads_csv_with_a_heading_or_without),
	        IN_FOLDER(refuses_malformed_csv),
	        IN_FOLDER(survives_any_damage),
	        IN_FOLDER(reads_fashion_mnist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
