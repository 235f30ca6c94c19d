/* The options of training, which several commands share.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

espl_status cli_number(const char *name, const char *text, double low, double high, double *out,
                       espl_error *err)
{
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end || !(value >= low && value <= high))
		return espl_fail(err, ESPL_USAGE, "%s %s: a number from %g to %g is wanted", name,
		                 text, low, high);
	*out = value;
	return ESPL_OK;
}

static espl_status whole(const char *name, const char *text, int low, int high, int *out,
                         espl_error *err)
{
	double value = 0;

	ESPL_TRY(cli_number(name, text, low, high, &value, err));
	if ((double)(int)value < value)
		return espl_fail(err, ESPL_USAGE, "%s %s: a whole number is wanted", name, text);
	*out = (int)value;
	return ESPL_OK;
}

static espl_status take_optimizer(const char *text, espl_train_options *train, espl_error *err)
{
	if (!strcmp(text, "sgd"))
		train->optimizer = ESPL_OPTIMIZER_SGD;
	else if (!strcmp(text, "adam"))
		train->optimizer = ESPL_OPTIMIZER_ADAM;
	else
		return espl_fail(err, ESPL_USAGE, "--optimizer %s: sgd or adam is wanted", text);
	return ESPL_OK;
}

static espl_status take_text(const char *name, const char *value, cli_options *o, bool *taken)
{
	const struct {
		const char *name, **to;
	} texts[] = {{"--data", &o->data},       {"--family", &o->family},
	             {"--teacher", &o->teacher}, {"--model", &o->model},
	             {"--log", &o->log},         {"--checkpoint", &o->train.checkpoint}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		*texts[i].to = value;
		*taken = true;
	}
	return ESPL_OK;
}

espl_status cli_take_training(const char *name, const char *value, cli_options *o, bool *taken,
                              espl_error *err)
{
	espl_train_options *t = &o->train;
	const struct {
		const char *name;
		double low, high, *to;
	} numbers[] = {{"--rate", 1e-9, 100, &t->rate},
	               {"--momentum", 0, 0.9999, &t->momentum},
	               {"--weight-decay", 0, 1, &t->weight_decay},
	               {"--warmup", 0, 1000, &t->warmup},
	               {"--step-rate", 0, 100, &t->step_rate},
	               {"--label-smoothing", 0, 0.99, &t->smoothing},
	               {"--ema", 0, 0.999999, &t->average},
	               {"--erase", 0, 1, &t->erase},
	               {"--temperature", 0.01, 1000, &t->temperature},
	               {"--mix", 0, 1, &t->mix}};
	const struct {
		const char *name;
		int low, high, *to;
	} wholes[] = {{"--epochs", 0, 100000, &t->epochs},
	              {"--batch", 1, 4096, &t->batch},
	              {"--threads", 1, 64, &t->threads},
	              {"--shift", 0, 1024, &t->shift},
	              {"--validation", 0, 1000000000, &o->validation}};
	const struct {
		const char *name;
		bool *to;
	} switches[] = {{"--flip", &t->flip},
	                {"--freeze-norms", &t->freeze_norms},
	                {"--resume", &t->resume},
	                {"--initialize", &o->initialize}};

	*taken = false;
	ESPL_TRY(take_text(name, value, o, taken));
	if (*taken)
		return ESPL_OK;
	*taken = true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(name, numbers[i].name))
			return cli_number(name, value, numbers[i].low, numbers[i].high,
			                  numbers[i].to, err);
	o->validation_given |= !strcmp(name, "--validation");
	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++)
		if (!strcmp(name, wholes[i].name))
			return whole(name, value, wholes[i].low, wholes[i].high, wholes[i].to, err);
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(name, switches[i].name) != 0)
			continue;
		*switches[i].to = true;
		return ESPL_OK;
	}
	if (!strcmp(name, "--optimizer"))
		return take_optimizer(value, t, err);
	*taken = false;
	return ESPL_OK;
}
