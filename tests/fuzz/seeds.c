/* Writes the fuzzer's first inputs into a folder.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiny_model.h"

#include <stdio.h>

int main(int count, char **arguments)
{
	espl_arena *arena = espl_arena_create();
	espl_error err = {0};
	int failures = 0;

	for (int i = -1; count == 2 && i < TINY_MODEL_OPS; i++) {
		const char *path =
		        espl_arena_format(arena, "%s/tiny_%d.tflite", arguments[1], i + 1);
		const espl_span file = tiny_model_with_code(arena, i, 200);

		failures += espl_file_write(path, file.data, file.size, &err) != ESPL_OK;
	}
	if (count != 2 || failures)
		fprintf(stderr, "usage: seeds FOLDER %s\n", err.message);
	espl_arena_destroy(arena);
	return count != 2 || failures;
}
