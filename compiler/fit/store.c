/* What has been found out of candidates: the only user of SQLite.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/store.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

enum { APPLICATION = 0x45535046, VERSION = 1 }; /* "ESPF" */

struct espl_store {
	sqlite3 *db;
	char path[512];
};

#define COLUMN(name) " " #name " INTEGER NOT NULL,"
#define NAME(name) ", " #name
#define MARK(name) ", ?"

static const char schema[] =
        "PRAGMA application_id = 1163087942; PRAGMA user_version = 1;"
        "CREATE TABLE prices(task TEXT NOT NULL, candidate TEXT NOT NULL, reason TEXT NOT "
        "NULL," ESPL_PRICE_LIST(
                COLUMN) " PRIMARY KEY(task, candidate));"
                        "CREATE TABLE results(task TEXT NOT NULL, candidate TEXT NOT NULL, images "
                        "INTEGER NOT "
                        "NULL, reason TEXT NOT NULL, correct INTEGER NOT NULL, samples INTEGER NOT "
                        "NULL," ESPL_PRICE_LIST(
                                COLUMN) " net BLOB NOT NULL, graph BLOB NOT NULL, PRIMARY "
                                        "KEY(task, candidate, images));"
                                        "CREATE TABLE networks(task TEXT NOT NULL, candidate TEXT "
                                        "NOT NULL, images INTEGER NOT "
                                        "NULL, graph BLOB NOT NULL, PRIMARY KEY(task, candidate, "
                                        "images));";

static espl_status fail(const espl_store *store, espl_error *err)
{
	const int code = sqlite3_errcode(store->db);

	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return espl_fail(err, ESPL_SYNTAX, "%s: no database of candidates: %s", store->path,
		                 sqlite3_errmsg(store->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return espl_fail(err, ESPL_IO, "%s: another search has it", store->path);
	default:
		return espl_fail(err, ESPL_IO, "%s: %s", store->path, sqlite3_errmsg(store->db));
	}
}

static espl_status run(espl_store *store, const char *sql, espl_error *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ESPL_OK
	                                                                   : fail(store, err);
}

static espl_status prepare(espl_store *store, const char *sql, sqlite3_stmt **out, espl_error *err)
{
	return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? ESPL_OK
	                                                                      : fail(store, err);
}

/* One integer of the first row. */
static espl_status ask(espl_store *store, const char *sql, int64_t *out, espl_error *err)
{
	sqlite3_stmt *statement;
	espl_status status = ESPL_OK;

	ESPL_TRY(prepare(store, sql, &statement, err));
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	else
		status = fail(store, err);
	sqlite3_finalize(statement);
	return status;
}

/* A new file gets the tables; another must be ours. */
static espl_status take_schema(espl_store *store, espl_error *err)
{
	int64_t application = 0, version = 0, tables = 0;

	ESPL_TRY(run(store, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT;", err));
	ESPL_TRY(ask(store, "PRAGMA application_id", &application, err));
	ESPL_TRY(ask(store, "PRAGMA user_version", &version, err));
	ESPL_TRY(ask(store, "SELECT count(*) FROM sqlite_master", &tables, err));
	if (!application && !tables) {
		ESPL_TRY(run(store, "BEGIN IMMEDIATE", err));
		ESPL_TRY(run(store, schema, err));
		return run(store, "COMMIT", err);
	}
	if (application != APPLICATION)
		return espl_fail(err, ESPL_SYNTAX, "%s: a database, but not of candidates",
		                 store->path);
	if (version != VERSION)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%s: of version %lld, this program reads version %d; begin a new "
		                 "folder",
		                 store->path, (long long)version, (int)VERSION);
	return ESPL_OK;
}

espl_status espl_store_open(const char *path, espl_store **out, espl_error *err)
{
	espl_store *store = calloc(1, sizeof(*store));
	espl_status status;

	if (!store)
		return espl_fail(err, ESPL_NOMEM, "out of memory");
	strncpy(store->path, path, sizeof(store->path) - 1);
	if (sqlite3_open(path, &store->db) != SQLITE_OK)
		status = fail(store, err);
	else
		status = take_schema(store, err);
	if (status) {
		espl_store_close(store);
		return status;
	}
	*out = store;
	return ESPL_OK;
}

void espl_store_close(espl_store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	free(store);
}

static void bind_text(sqlite3_stmt *s, int *at, const char *text)
{
	sqlite3_bind_text(s, (*at)++, text, -1, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *s, int *at, espl_span bytes)
{
	sqlite3_bind_blob64(s, (*at)++, bytes.size ? (const void *)bytes.data : "", bytes.size,
	                    SQLITE_STATIC);
}

static void bind_price(sqlite3_stmt *s, int *at, const espl_price *price)
{
#define BIND(name) sqlite3_bind_int64(s, (*at)++, price->name);
	ESPL_PRICE_LIST(BIND)
}

static const char *read_text(sqlite3_stmt *s, int column, espl_arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return espl_arena_string(arena, text ? text : "");
}

static espl_span read_blob(sqlite3_stmt *s, int column, espl_arena *arena)
{
	const void *bytes = sqlite3_column_blob(s, column);
	const size_t size = (size_t)sqlite3_column_bytes(s, column);

	return (espl_span){bytes ? espl_arena_copy(arena, bytes, size) : NULL, bytes ? size : 0};
}

static void read_price(sqlite3_stmt *s, int column, espl_price *out)
{
#define READ(name) out->name = sqlite3_column_int64(s, column++);
	ESPL_PRICE_LIST(READ)
}

/* Ends a statement that writes one row. */
static espl_status finish(espl_store *store, sqlite3_stmt *statement, espl_error *err)
{
	espl_status status = ESPL_OK;

	if (sqlite3_step(statement) != SQLITE_DONE)
		status = fail(store, err);
	sqlite3_finalize(statement);
	return status;
}

/* A statement that reads one row by task, candidate and, unless negative, images. */
static espl_status look(espl_store *store, const char *sql, const char *task, const char *key,
                        int64_t images, sqlite3_stmt **out, bool *found, espl_error *err)
{
	int at = 1, code;

	ESPL_TRY(prepare(store, sql, out, err));
	bind_text(*out, &at, task);
	bind_text(*out, &at, key);
	if (images >= 0)
		sqlite3_bind_int64(*out, at, images);
	code = sqlite3_step(*out);
	*found = code == SQLITE_ROW;
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return ESPL_OK;
	fail(store, err);
	sqlite3_finalize(*out);
	return err ? err->status : ESPL_IO;
}

espl_status espl_store_get_price(espl_store *store, const char *task, const char *key,
                                 espl_arena *arena, bool *found, espl_stored_price *out,
                                 espl_error *err)
{
	sqlite3_stmt *s;

	ESPL_TRY(look(store,
	              "SELECT reason" ESPL_PRICE_LIST(
	                      NAME) " FROM prices WHERE task = ? AND candidate = ?",
	              task, key, -1, &s, found, err));
	if (*found) {
		out->reason = read_text(s, 0, arena);
		read_price(s, 1, &out->price);
	}
	sqlite3_finalize(s);
	return ESPL_OK;
}

espl_status espl_store_put_price(espl_store *store, const char *task, const char *key,
                                 const espl_stored_price *in, espl_error *err)
{
	sqlite3_stmt *s;
	int at = 1;

	ESPL_TRY(prepare(store,
	                 "INSERT OR REPLACE INTO prices(task, candidate, reason" ESPL_PRICE_LIST(
	                         NAME) ") VALUES(?, ?, ?" ESPL_PRICE_LIST(MARK) ")",
	                 &s, err));
	bind_text(s, &at, task);
	bind_text(s, &at, key);
	bind_text(s, &at, in->reason);
	bind_price(s, &at, &in->price);
	return finish(store, s, err);
}

espl_status espl_store_get_result(espl_store *store, const char *task, const char *key,
                                  int64_t images, bool whole, espl_arena *arena, bool *found,
                                  espl_stored_result *out, espl_error *err)
{
	sqlite3_stmt *s;

	ESPL_TRY(look(store,
	              "SELECT net, graph, reason, correct, samples" ESPL_PRICE_LIST(
	                      NAME) " FROM results WHERE task = ? AND candidate = ? AND images = ?",
	              task, key, images, &s, found, err));
	if (*found) {
		*out = (espl_stored_result){
		        .reason = read_text(s, 2, arena),
		        .correct = sqlite3_column_int64(s, 3),
		        .samples = sqlite3_column_int64(s, 4),
		};
		read_price(s, 5, &out->price);
		if (whole) {
			out->net = read_blob(s, 0, arena);
			out->graph = read_blob(s, 1, arena);
		}
	}
	sqlite3_finalize(s);
	return ESPL_OK;
}

espl_status espl_store_put_result(espl_store *store, const char *task, const char *key,
                                  int64_t images, const espl_stored_result *in, espl_error *err)
{
	sqlite3_stmt *s;
	int at = 1;

	ESPL_TRY(prepare(store,
	                 "INSERT OR REPLACE INTO results(task, candidate, images, net, graph, "
	                 "reason, correct, samples" ESPL_PRICE_LIST(
	                         NAME) ") VALUES(?, ?, ?, ?, ?, ?, ?, ?" ESPL_PRICE_LIST(MARK) ")",
	                 &s, err));
	bind_text(s, &at, task);
	bind_text(s, &at, key);
	sqlite3_bind_int64(s, at++, images);
	bind_blob(s, &at, in->net);
	bind_blob(s, &at, in->graph);
	bind_text(s, &at, in->reason);
	sqlite3_bind_int64(s, at++, in->correct);
	sqlite3_bind_int64(s, at++, in->samples);
	bind_price(s, &at, &in->price);
	return finish(store, s, err);
}

espl_status espl_store_get_network(espl_store *store, const char *task, const char *key,
                                   int64_t images, espl_arena *arena, bool *found, espl_span *out,
                                   espl_error *err)
{
	sqlite3_stmt *s;

	ESPL_TRY(look(store,
	              "SELECT graph FROM networks WHERE task = ? AND candidate = ? AND images = ?",
	              task, key, images, &s, found, err));
	if (*found)
		*out = read_blob(s, 0, arena);
	sqlite3_finalize(s);
	return ESPL_OK;
}

espl_status espl_store_put_network(espl_store *store, const char *task, const char *key,
                                   int64_t images, espl_span in, espl_error *err)
{
	sqlite3_stmt *s;
	int at = 1;

	ESPL_TRY(prepare(store,
	                 "INSERT OR REPLACE INTO networks(task, candidate, images, graph) "
	                 "VALUES(?, ?, ?, ?)",
	                 &s, err));
	bind_text(s, &at, task);
	bind_text(s, &at, key);
	sqlite3_bind_int64(s, at++, images);
	bind_blob(s, &at, in);
	return finish(store, s, err);
}
