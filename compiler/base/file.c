/* Files by POSIX calls: temporaries beside their target, then a rename.
 * SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 30, NAMES_TRIED = 1000 };

static espl_status read_bytes(FILE *file, const char *path, espl_arena *arena, espl_span *out,
                              espl_error *err)
{
	unsigned char *bytes;
	struct stat status;
	espl_mark before;
	size_t size;

	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode))
		return espl_fail(err, ESPL_IO, "%s: not a regular file", path);
	if (status.st_size > FILE_BYTES_MAX)
		return espl_fail(err, ESPL_IO, "%s: %lld bytes, at most %d are read", path,
		                 (long long)status.st_size, (int)FILE_BYTES_MAX);
	size = (size_t)status.st_size;
	before = espl_arena_mark(arena);
	bytes = espl_arena_calloc(arena, size + 1, 1);
	if (fread(bytes, 1, size, file) != size) {
		espl_arena_release(arena, before);
		return espl_fail(err, ESPL_IO, "%s: short read", path);
	}
	*out = (espl_span){bytes, size};
	return ESPL_OK;
}

espl_status espl_file_read(const char *path, espl_arena *arena, espl_span *out, espl_error *err)
{
	espl_status status;
	FILE *file;
	int handle;

	handle = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a fifo must not hold us */
	if (handle < 0)
		return espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
	file = fdopen(handle, "rb");
	if (!file) {
		status = espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
		close(handle);
		return status;
	}
	status = read_bytes(file, path, arena, out, err);
	fclose(file);
	return status;
}

/* Makes the n-th candidate for a name beside `path`: "path.kind3". */
static const char *name_beside(espl_arena *arena, const char *path, const char *kind, int n)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return espl_arena_format(arena, "%.*s.%s%d", (int)length, path, kind, n);
}

static espl_status write_and_rename(FILE *file, const char *temporary, const char *path,
                                    const void *data, size_t size, espl_error *err)
{
	int bad = size && fwrite(data, 1, size, file) != size;

	bad |= fclose(file) != 0;
	if (bad || rename(temporary, path)) {
		espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
		unlink(temporary);
		return ESPL_IO;
	}
	return ESPL_OK;
}

espl_status espl_file_write(const char *path, const void *data, size_t size, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	const char *temporary = path;
	FILE *file = NULL;
	espl_status status;

	errno = EEXIST;
	for (int n = 0; !file && errno == EEXIST && n < NAMES_TRIED; n++) {
		temporary = name_beside(scratch, path, "part", n);
		file = fopen(temporary, "wbx");
	}
	if (file)
		status = write_and_rename(file, temporary, path, data, size, err);
	else
		status = espl_fail(err, ESPL_IO, "%s: %s", temporary, strerror(errno));
	espl_arena_destroy(scratch);
	return status;
}

bool espl_file_exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

espl_status espl_folder_begin(const char *path, espl_arena *arena, const char **temporary,
                              espl_error *err)
{
	const char *name = path;

	for (int n = 0; n < NAMES_TRIED; n++) {
		name = name_beside(arena, path, "part", n);
		if (!mkdir(name, 0777)) {
			*temporary = name;
			return ESPL_OK;
		}
		if (errno != EEXIST)
			break;
	}
	return espl_fail(err, ESPL_IO, "%s: %s", name, strerror(errno));
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Removes a folder and what is in it, as far as that is possible; links are not followed. */
static void remove_tree(espl_arena *scratch, const char *path)
{
	const espl_mark before = espl_arena_mark(scratch);
	const struct dirent *entry;
	struct stat status;
	DIR *folder;

	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		const char *inner;

		if (is_dot(entry->d_name))
			continue;
		inner = espl_arena_format(scratch, "%s/%s", path, entry->d_name);
		if (!lstat(inner, &status) && S_ISDIR(status.st_mode))
			remove_tree(scratch, inner);
		else
			unlink(inner);
	}
	closedir(folder);
	rmdir(path);
	espl_arena_release(scratch, before);
}

/* Whether an older result may be thrown away: a folder that is empty or has a manifest.json. */
static bool may_be_replaced(const char *path)
{
	bool empty = true, has_manifest = false;
	const struct dirent *entry;
	struct stat status;
	DIR *folder;

	if (lstat(path, &status) || !S_ISDIR(status.st_mode))
		return false;
	folder = opendir(path);
	if (!folder)
		return false;
	while ((entry = readdir(folder))) {
		if (is_dot(entry->d_name))
			continue;
		empty = false;
		has_manifest |= !strcmp(entry->d_name, "manifest.json");
	}
	closedir(folder);
	return empty || has_manifest;
}

static espl_status replace(espl_arena *scratch, const char *temporary, const char *path,
                           espl_error *err)
{
	const char *older = NULL;

	for (int n = 0; n < NAMES_TRIED && !older; n++) {
		older = name_beside(scratch, path, "old", n);
		if (espl_file_exists(older))
			older = NULL;
	}
	if (!older || rename(path, older))
		return espl_fail(err, ESPL_IO, "%s: the older folder cannot be moved", path);
	if (rename(temporary, path)) {
		espl_fail(err, ESPL_IO, "%s: %s", path, strerror(errno));
		rename(older, path);
		return ESPL_IO;
	}
	remove_tree(scratch, older);
	return ESPL_OK;
}

espl_status espl_folder_check(const char *path, espl_error *err)
{
	if (!espl_file_exists(path) || may_be_replaced(path))
		return ESPL_OK;
	return espl_fail(err, ESPL_IO, "%s: exists and is not an older result", path);
}

espl_status espl_folder_commit(const char *temporary, const char *path, espl_error *err)
{
	espl_arena *scratch = espl_arena_create();
	espl_status status = ESPL_OK;
	size_t length = strlen(path);
	char *target;

	while (length > 1 && path[length - 1] == '/')
		length--;
	target = espl_arena_format(scratch, "%.*s", (int)length, path);
	status = espl_folder_check(target, err);
	if (!status && espl_file_exists(target)) {
		status = replace(scratch, temporary, target, err);
	} else if (!status && rename(temporary, target)) {
		status = espl_fail(err, ESPL_IO, "%s: %s", target, strerror(errno));
	}
	espl_arena_destroy(scratch);
	return status;
}

void espl_folder_abandon(const char *temporary)
{
	espl_arena *scratch = espl_arena_create();

	remove_tree(scratch, temporary);
	espl_arena_destroy(scratch);
}
