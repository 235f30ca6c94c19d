/* Does base64 give RFC 4648's examples, read them back, and refuse what is not base64?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/base64.h"

#include <string.h>

static void gives_the_examples_of_the_rfc(void **state)
{
	static const char *const texts[][2] = {{"", ""},
	                                       {"f", "Zg=="},
	                                       {"fo", "Zm8="},
	                                       {"foo", "Zm9v"},
	                                       {"foob", "Zm9vYg=="},
	                                       {"fooba", "Zm9vYmE="},
	                                       {"foobar", "Zm9vYmFy"},
	                                       {"\xfb\xef\xff", "++//"}};
	espl_arena *arena = espl_arena_create();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const size_t size = strlen(texts[i][0]);
		char back[8];

		assert_string_equal(espl_base64_encode(texts[i][0], size, arena), texts[i][1]);
		assert_int_equal(espl_base64_decode(texts[i][1], size, back, NULL), ESPL_OK);
		assert_memory_equal(back, texts[i][0], size);
	}
	espl_arena_destroy(arena);
}

static void refuses_other_text(void **state)
{
	espl_error err = {0};
	char bytes[8];

	(void)state;
	assert_int_equal(espl_base64_decode("Zm9", 3, bytes, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "3 characters of base64, 3 bytes need exactly 4");
	assert_int_equal(espl_base64_decode("Zm9v", 6, bytes, NULL), ESPL_SYNTAX);
	assert_int_equal(espl_base64_decode("Zm 9", 3, bytes, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "character 2 is not base64");
	assert_int_equal(espl_base64_decode("Zg=x", 1, bytes, NULL), ESPL_SYNTAX);
	assert_int_equal(espl_base64_decode("Zm8=", 3, bytes, NULL), ESPL_SYNTAX);
	assert_int_equal(espl_base64_decode("Zm9v", 2, bytes, NULL), ESPL_SYNTAX);
	assert_int_equal(espl_base64_decode("Zh==", 1, bytes, &err), ESPL_SYNTAX);
	assert_string_equal(err.message, "the last characters have unused bits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_the_examples_of_the_rfc),
	        cmocka_unit_test(refuses_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
