/* Is SHA-256 what the standard says?
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unit.h"

#include "base/sha256.h"

#include <string.h>

static void equals_the_standards_examples(void **state)
{
	espl_arena *arena = espl_arena_create();
	char *million = espl_arena_calloc(arena, 1000000, 1);

	(void)state;
	memset(million, 'a', 1000000);
	assert_string_equal(espl_sha256("", 0, arena),
	                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(espl_sha256("abc", 3, arena),
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(
	        espl_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, arena),
	        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_string_equal(espl_sha256(million, 1000000, arena),
	                    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	espl_arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_standards_examples)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
