/* Statuses as text and exit codes; errors as they are made.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int exit_code;
	const char *text;
} statuses[] = {
#define X(name, code, text) {code, text},
        ESPL_STATUS_LIST(X)
#undef X
};

enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0] };

/* An error is one line, whatever the names in it hold. */
static void keep_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

espl_status espl_fail(espl_error *err, espl_status status, const char *format, ...)
{
	va_list arguments;

	if (!err)
		return status;
	err->status = status;
	err->where[0] = '\0';
	va_start(arguments, format);
	vsnprintf(err->message, sizeof err->message, format, arguments);
	va_end(arguments);
	keep_one_line(err->message);
	return status;
}

espl_status espl_context(espl_error *err, espl_status status, const char *outer)
{
	char inner[sizeof err->where];

	if (!err || status == ESPL_OK)
		return status;
	memcpy(inner, err->where, sizeof inner);
	if (inner[0])
		snprintf(err->where, sizeof err->where, "%.127s: %.126s", outer, inner);
	else
		snprintf(err->where, sizeof err->where, "%s", outer);
	keep_one_line(err->where);
	return status;
}

const char *espl_status_text(espl_status status)
{
	if ((int)status < 0 || (int)status >= STATUS_COUNT)
		return "unknown status";
	return statuses[status].text;
}

int espl_status_exit_code(espl_status status)
{
	if ((int)status < 0 || (int)status >= STATUS_COUNT)
		return 1;
	return statuses[status].exit_code;
}
