/* The options of fit that no other command has.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static espl_status take_effort(const char *text, cli_fit_options *o, espl_error *err)
{
	static const char *const names[] = {
	        [ESPL_EFFORT_QUICK] = "quick",
	        [ESPL_EFFORT_NORMAL] = "normal",
	        [ESPL_EFFORT_THOROUGH] = "thorough",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			o->effort = (espl_effort)i;
			return ESPL_OK;
		}
	return espl_fail(err, ESPL_USAGE, "--effort %s: quick, normal or thorough is wanted", text);
}

espl_status cli_take_fit(const char *name, const char *value, cli_options *options, bool *taken,
                         espl_error *err)
{
	cli_fit_options *o = &options->fit;
	const struct {
		const char *name;
		double *to, most;
	} numbers[] = {{"--max-latency-ms", &o->latency_ms, 1e9},
	               {"--min-throughput", &o->throughput, 1e9},
	               {"--min-accuracy", &o->accuracy, 100},
	               {"--max-multiplications", &o->multiplications, 1e15},
	               {"--clock", &o->clock_mhz, 1000},
	               {"--epochs", &o->epochs, 1e6}};

	*taken = !strcmp(name, "--effort");
	if (*taken)
		return take_effort(value, o, err);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char *end;
		double number;

		if (strcmp(name, numbers[i].name) != 0)
			continue;
		*taken = true;
		number = strtod(value, &end);
		if (end == value || *end || !(number > 0) || number > numbers[i].most)
			return espl_fail(err, ESPL_USAGE,
			                 "%s %s: a number above 0, up to %g, is wanted", name,
			                 value, numbers[i].most);
		*numbers[i].to = number;
		return ESPL_OK;
	}
	return ESPL_OK;
}
