/* The options of the benchmark.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static espl_status number(const char *name, const char *text, double low, double *out,
                          espl_error *err)
{
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value < low)
		return espl_fail(err, ESPL_USAGE, "%s %s: a number of at least %g is wanted", name,
		                 text, low);
	*out = value;
	return ESPL_OK;
}

/* A number, or a fraction such as 1/255. */
static espl_status take_scale(const char *text, double *out, espl_error *err)
{
	double above = 0, below = 1;
	char *end;

	above = strtod(text, &end);
	if (end != text && *end == '/') {
		text = end + 1;
		below = strtod(text, &end);
	}
	if (end == text || *end || !isfinite(above / below) || above / below <= 0)
		return espl_fail(err, ESPL_USAGE,
		                 "--input-scale: a number above 0 is wanted, such as 1/255");
	*out = above / below;
	return ESPL_OK;
}

espl_status cli_take_benchmark(const char *name, const char *value, cli_options *o, bool *taken,
                               espl_error *err)
{
	const struct {
		const char *name;
		double *to;
	} numbers[] = {{"--idle-mw", &o->idle_mw},
	               {"--kwh-price", &o->kwh_price},
	               {"--device-price", &o->device_price}};

	*taken = true;
	for (espl_gate g = 0; g < ESPL_GATES; g++) {
		if (strcmp(name, espl_gate_option(g)) != 0)
			continue;
		o->gates[g].given = true;
		/* a model may be asked to be better than the full one */
		return number(name, value, espl_gate_needs_other(g) ? -100 : 0, &o->gates[g].limit,
		              err);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(name, numbers[i].name))
			return number(name, value, 0, numbers[i].to, err);
	if (!strcmp(name, "--input-offset"))
		return number(name, value, -1e9, &o->input_offset, err);
	if (!strcmp(name, "--input-scale"))
		return take_scale(value, &o->input_scale, err);
	if (!strcmp(name, "--no-corruptions"))
		o->no_corruptions = true;
	else if (!strcmp(name, "--against"))
		o->against = value;
	else if (!strcmp(name, "--control"))
		o->control = value;
	else
		*taken = false;
	return ESPL_OK;
}
