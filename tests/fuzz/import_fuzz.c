/* libFuzzer's entry: any bytes as a .tflite file, and what it gives as text and back.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	espl_arena *arena = espl_arena_create();
	espl_net *net, *again;
	espl_report report;
	const char *text;
	size_t length;

	if (size && data[0] == '{') {
		(void)espl_net_parse((const char *)data, size, arena, &net, NULL);
	} else if (espl_import_tflite((espl_span){data, size}, "fuzz", ESPL_ROUND_TFLM, arena, &net,
	                              &report, NULL) == ESPL_OK) {
		if (espl_net_print(net, arena, &text, &length, NULL) != ESPL_OK ||
		    espl_net_parse(text, length, arena, &again, NULL) != ESPL_OK)
			abort();
	}
	espl_arena_destroy(arena);
	return 0;
}
