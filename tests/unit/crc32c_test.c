/* CRC-32C: the vectors of RFC 3720, and a message in pieces.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/crc32c.h"

#include "unit.h"

#include <string.h>

static void gives_the_values_of_rfc_3720(void **state)
{
	uint8_t bytes[32];

	(void)state;
	assert_int_equal(espl_crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(espl_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(espl_crc32c(0, bytes, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(espl_crc32c(0, bytes, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_int_equal(espl_crc32c(0, bytes, 32), 0x113fdb5c);
}

static void is_the_same_in_pieces(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog";

	(void)state;
	assert_int_equal(espl_crc32c(0, text, 0), 0);
	for (size_t cut = 0; cut < sizeof(text); cut++)
		assert_int_equal(
		        espl_crc32c(espl_crc32c(0, text, cut), text + cut, sizeof(text) - cut),
		        espl_crc32c(0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(gives_the_values_of_rfc_3720),
	        cmocka_unit_test(is_the_same_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
