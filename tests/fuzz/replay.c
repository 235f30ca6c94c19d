/* Runs a fuzzer's entry on every file of the folders given: what once failed, and the seeds.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int main(int count, char **arguments)
{
	espl_arena *arena = espl_arena_create();
	int files = 0;

	for (int a = 1; a < count; a++) {
		DIR *folder = opendir(arguments[a]);
		const struct dirent *entry;

		while (folder && (entry = readdir(folder))) {
			const char *path =
			        espl_arena_format(arena, "%s/%s", arguments[a], entry->d_name);
			espl_span file;

			if (espl_file_read(path, arena, &file, NULL))
				continue;
			/* to be seen when it is the one that fails */
			fprintf(stderr, "%s\n", path);
			LLVMFuzzerTestOneInput(file.data, file.size);
			files++;
		}
		if (folder)
			closedir(folder);
	}
	printf("%d inputs\n", files);
	espl_arena_destroy(arena);
	return !files;
}
