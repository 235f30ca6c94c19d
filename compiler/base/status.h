/* How a call says that it failed, and where.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A function that can fail returns an espl_status and takes an espl_error as
 * its last parameter. The status is what the caller branches on; the error is
 * what a person reads. An error is written once, where the cause is known, and
 * is passed up unchanged: callers above add context, they never replace it.
 */
#ifndef ESPL_BASE_STATUS_H
#define ESPL_BASE_STATUS_H

/* X(name, exit code, text). The exit code is what the command line returns. */
#define ESPL_STATUS_LIST(X)                                         \
	X(OK, 0, "success")                                         \
	X(MISMATCH, 1, "two results that must be equal differ")     \
	X(USAGE, 2, "the command line is wrong")                    \
	X(IO, 3, "a file could not be read or written")             \
	X(SYNTAX, 3, "the input is malformed")                      \
	X(UNSUPPORTED, 3, "the input is valid but not implemented") \
	X(SHAPE, 3, "shapes or types do not agree")                 \
	X(RANGE, 3, "a value does not fit its fixed-point format")  \
	X(BUDGET, 4, "the design does not fit the envelope")        \
	X(MISSING, 5, "an external tool is missing")                \
	X(TOOL, 6, "an external tool failed")                       \
	X(LINK, 7, "the board or its link does not answer")         \
	X(GATE, 8, "a result is outside its limits")                \
	X(NOMEM, 70, "out of memory")                               \
	X(INTERRUPTED, 130, "interrupted")

typedef enum {
#define X(name, code, text) ESPL_##name,
	ESPL_STATUS_LIST(X)
#undef X
} espl_status;

/* What went wrong, for a person. Plain data: copy it, print it, drop it. */
typedef struct {
	espl_status status;
	char where[256];   /* "model.tflite: op 3 CONV_2D", innermost cause last */
	char message[512]; /* one line, no full stop, no newline */
} espl_error;

/* Records a failure and returns `status`, so that a failing function ends in
 * `return espl_fail(err, ESPL_SHAPE, "...", ...)`. `err` may be NULL. */
espl_status espl_fail(espl_error *err, espl_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Puts "`outer`: " in front of err->where, and returns `status`. */
espl_status espl_context(espl_error *err, espl_status status, const char *outer);

const char *espl_status_text(espl_status status); /* static; never NULL */
int espl_status_exit_code(espl_status status);

#define ESPL_TRY(call)                            \
	do {                                      \
		espl_status try_status_ = (call); \
		if (try_status_ != ESPL_OK)       \
			return try_status_;       \
	} while (0)

#endif
