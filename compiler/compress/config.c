/* The file that says what `espalier compress` does: keys, limits, defaults.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every key is a line of a table, so that what is read, refused, written into reports
 * and compared by --resume is the same list.
 */
#include "compress/config.h"

#include "base/file.h"

#include "base/json.h"

#include <stddef.h>
#include <string.h>

typedef enum { PATH, TEXT, PATTERN, INTEGER, WIDE, UNSIGNED, NUMBER, SWITCH, CHOICE } kind;

typedef struct {
	const char *key;
	kind kind;
	size_t offset;
	double low, high;           /* INTEGER, WIDE, UNSIGNED, NUMBER */
	const char *wanted;         /* for people */
	const char *const *choices; /* CHOICE, in the enum's order; ends with NULL */
} field;

static const char *const ranks[] = {"global", "layer", "cycles", NULL};
static const char *const optimizers[] = {"sgd", "adam", NULL};
static const char *const methods[] = {"minmax", "percentile", "mse", NULL};

#define AT(member) offsetof(espl_compress_config, member)
#define TRAINING(s)                                                                                  \
	{"epochs", INTEGER, AT(training[s].epochs), 0, 100000, "0 to 100000", NULL},                 \
	        {"samples", WIDE, AT(training[s].samples), 1, 1e9, "1 or more", NULL},               \
	        {"optimizer", CHOICE, AT(training[s].optimizer), 0, 0, "sgd or adam", optimizers},   \
	        {"rate", NUMBER, AT(training[s].rate), 1e-9, 100, "1e-9 to 100", NULL},              \
	        {"momentum", NUMBER, AT(training[s].momentum), 0, 0.9999, "0 to 0.9999", NULL},      \
	        {"weight_decay", NUMBER, AT(training[s].weight_decay), 0, 1, "0 to 1", NULL},        \
	        {"warmup", NUMBER, AT(training[s].warmup), 0, 1000, "0 to 1000", NULL},              \
	        {"label_smoothing", NUMBER, AT(training[s].smoothing), 0, 0.99, "0 to 0.99", NULL},  \
	        {"ema", NUMBER, AT(training[s].average), 0, 0.999999, "0 to 0.999999", NULL},        \
	        {"step_rate", NUMBER, AT(training[s].step_rate), 0, 100, "0 to 100", NULL},          \
	        {"freeze_norms", SWITCH, AT(training[s].freeze_norms), 0, 0, "true or false", NULL}, \
	        {"flip", SWITCH, AT(training[s].flip), 0, 0, "true or false", NULL},                 \
	        {"shift", INTEGER, AT(training[s].shift), 0, 1024, "0 to 1024", NULL},               \
	        {"erase", NUMBER, AT(training[s].erase), 0, 1, "0 to 1", NULL},                      \
	        {"temperature",  NUMBER, AT(training[s].temperature), 0.01, 1000,                    \
	         "0.01 to 1000", NULL},                                                              \
	{                                                                                            \
		"mix", NUMBER, AT(training[s].mix), 0, 1, "0 to 1", NULL                             \
	}

static const field top[] = {
        {"model", PATH, AT(model), 0, 0, "a path", NULL},
        {"family", TEXT, AT(family), 0, 0, "a text such as width=16,depth=2", NULL},
        {"data", PATH, AT(data), 0, 0, "a path", NULL},
        {"teacher", PATH, AT(teacher), 0, 0, "a path", NULL},
        {"validation", INTEGER, AT(validation), 0, 1e7, "0 to 10000000", NULL},
        {"threads", INTEGER, AT(threads), 1, 64, "1 to 64", NULL},
        {"batch", INTEGER, AT(batch), 1, 4096, "1 to 4096", NULL},
        {"seed", UNSIGNED, AT(seed), 0, UINT32_MAX, "0 to 4294967295", NULL},
        {NULL},
};

static const field distil[] = {TRAINING(ESPL_STAGE_DISTIL), {NULL}};

static const field prune[] = {
        TRAINING(ESPL_STAGE_PRUNE),
        {"sparsity", NUMBER, AT(prune.sparsity), 0, 0.999, "0 to 0.999", NULL},
        {"pattern", PATTERN, AT(prune.rule.pattern), 0, 0, "a text such as balanced:8", NULL},
        {"rank", CHOICE, AT(prune.rule.rank), 0, 0, "global, layer or cycles", ranks},
        {"edges", NUMBER, AT(prune.rule.edges), 0, 1, "0 to 1", NULL},
        {"ramp", NUMBER, AT(prune.ramp), 0.01, 1, "0.01 to 1", NULL},
        {"every", WIDE, AT(prune.every), 1, 1e9, "1 or more", NULL},
        {"regrow", NUMBER, AT(prune.regrow), 0, 1, "0 to 1", NULL},
        {"rounds", INTEGER, AT(prune.rounds), 1, 1000, "1 to 1000", NULL},
        {NULL},
};

static const field quantize[] = {
        TRAINING(ESPL_STAGE_QUANTIZE),
        {"weight_bits", INTEGER, AT(quantize.weight_bits), 2, 8, "2 to 8", NULL},
        {"activation_bits", INTEGER, AT(quantize.activation_bits), 2, 8, "2 to 8", NULL},
        {"weight_bytes", WIDE, AT(weight_bytes), 1, 1e12, "1 or more", NULL},
        {"range", CHOICE, AT(quantize.method), 0, 0, "minmax, percentile or mse", methods},
        {"percentile", NUMBER, AT(quantize.percentile), 50, 100, "50 to 100", NULL},
        {"equalize", SWITCH, AT(quantize.equalize), 0, 0, "true or false", NULL},
        {"gptq", SWITCH, AT(quantize.gptq), 0, 0, "true or false", NULL},
        {"bias_correction", SWITCH, AT(quantize.bias_correction), 0, 0, "true or false", NULL},
        {"calibration", INTEGER, AT(quantize.samples), 1, 100000, "1 to 100000", NULL},
        {NULL},
};

static const field *const stage_fields[ESPL_STAGE_COUNT] = {distil, prune, quantize};

const char *espl_stage_name(espl_stage stage)
{
	static const char *const names[] = {
#define X(name, text) text,
	        ESPL_STAGE_LIST(X)
#undef X
	};

	return names[stage];
}

static espl_compress_config defaults(void)
{
	espl_compress_config out = {.validation = 5000,
	                            .threads = 1,
	                            .batch = 128,
	                            .seed = 1,
	                            .prune = espl_prune_default(),
	                            .quantize = espl_quantize_default()};

	for (int s = 0; s < ESPL_STAGE_COUNT; s++)
		out.training[s] = espl_train_default();
	out.prune.sparsity = -1;
	out.training[ESPL_STAGE_PRUNE].epochs = 10;
	out.training[ESPL_STAGE_PRUNE].rate = 0.05;
	out.training[ESPL_STAGE_QUANTIZE] = espl_quantize_train_default();
	return out;
}

typedef struct {
	const char *folder; /* of the config, with its slash */
	espl_arena *arena;
	espl_error *err;
} reader;

static espl_status wrong_kind(const reader *r, const field *f)
{
	return espl_fail(r->err, ESPL_SYNTAX, "\"%s\": %s is wanted", f->key, f->wanted);
}

static espl_status take_number(const reader *r, const espl_json *object, const field *f, void *to)
{
	double value;
	int64_t whole;

	if (espl_json_number(object, f->key, &value, NULL))
		return wrong_kind(r, f);
	if (value < f->low || value > f->high)
		return espl_fail(r->err, ESPL_RANGE, "\"%s\" is %g: %s is possible", f->key, value,
		                 f->wanted);
	if (f->kind == NUMBER) {
		*(double *)to = value;
		return ESPL_OK;
	}
	if (espl_json_integer(object, f->key, (int64_t)f->low, (int64_t)f->high, &whole, NULL))
		return espl_fail(r->err, ESPL_SYNTAX, "\"%s\" is %g: a whole number is wanted",
		                 f->key, value);
	if (f->kind == WIDE)
		*(int64_t *)to = whole;
	else if (f->kind == UNSIGNED)
		*(uint32_t *)to = (uint32_t)whole;
	else
		*(int *)to = (int)whole;
	return ESPL_OK;
}

static espl_status take_choice(const reader *r, const field *f, const char *text, void *to)
{
	for (int i = 0; f->choices[i]; i++)
		if (!strcmp(f->choices[i], text)) {
			memcpy(to, &(int){i}, sizeof(int)); /* an enum */
			return ESPL_OK;
		}
	return espl_fail(r->err, ESPL_RANGE, "\"%s\" is \"%s\": %s is possible", f->key, text,
	                 f->wanted);
}

static espl_status take(const reader *r, const espl_json *object, const field *f,
                        espl_compress_config *out)
{
	void *to = (char *)out + f->offset;
	const char *text;

	if (f->kind == INTEGER || f->kind == WIDE || f->kind == UNSIGNED || f->kind == NUMBER)
		return take_number(r, object, f, to);
	if (f->kind == SWITCH)
		return espl_json_bool(object, f->key, to, NULL) ? wrong_kind(r, f) : ESPL_OK;
	if (espl_json_string(object, f->key, &text, NULL) || !*text)
		return wrong_kind(r, f);
	if (f->kind == CHOICE)
		return take_choice(r, f, text, to);
	if (f->kind == TEXT) {
		*(const char **)to = espl_arena_string(r->arena, text);
		return ESPL_OK;
	}
	if (f->kind == PATTERN)
		return espl_context(r->err, espl_pattern_parse(text, to, r->err), f->key);
	*(const char **)to = *text == '/' ? espl_arena_string(r->arena, text)
	                                  : espl_arena_format(r->arena, "%s%s", r->folder, text);
	return ESPL_OK;
}

static const field *find_field(const field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (!strcmp(fields->key, key))
			return fields;
	return NULL;
}

static const char *list_keys(const field *fields, bool stages, espl_arena *arena)
{
	const char *out = "";

	for (; fields->key; fields++)
		out = espl_arena_format(arena, "%s%s%s", out, *out ? ", " : "", fields->key);
	for (int s = 0; stages && s < ESPL_STAGE_COUNT; s++)
		out = espl_arena_format(arena, "%s, %s", out, espl_stage_name((espl_stage)s));
	return out;
}

static espl_status check_once(const reader *r, const espl_json *object, const espl_json *member)
{
	const char *key = espl_json_key(member);

	for (const espl_json *m = espl_json_first(object); m != member; m = espl_json_next(m))
		if (!strcmp(espl_json_key(m), key))
			return espl_fail(r->err, ESPL_SYNTAX, "\"%s\" is there twice", key);
	return ESPL_OK;
}

static espl_status read_stage(const reader *r, const espl_json *root, espl_stage stage,
                              espl_compress_config *out)
{
	const espl_json *object;

	if (espl_json_object(root, espl_stage_name(stage), &object, NULL))
		return espl_fail(r->err, ESPL_SYNTAX, "\"%s\": an object is wanted",
		                 espl_stage_name(stage));
	out->wanted[stage] = true;
	for (const espl_json *m = espl_json_first(object); m; m = espl_json_next(m)) {
		const field *f = find_field(stage_fields[stage], espl_json_key(m));

		if (!f)
			return espl_fail(r->err, ESPL_SYNTAX,
			                 "\"%s\" in \"%s\": no such key; there are %s",
			                 espl_json_key(m), espl_stage_name(stage),
			                 list_keys(stage_fields[stage], false, r->arena));
		ESPL_TRY(check_once(r, object, m));
		ESPL_TRY(espl_context(r->err, take(r, object, f, out), espl_stage_name(stage)));
	}
	return ESPL_OK;
}

static espl_status read_root(const reader *r, const espl_json *root, espl_compress_config *out)
{
	for (const espl_json *m = espl_json_first(root); m; m = espl_json_next(m)) {
		const char *key = espl_json_key(m);
		const field *f = find_field(top, key);
		int stage = 0;

		ESPL_TRY(check_once(r, root, m));
		if (f) {
			ESPL_TRY(take(r, root, f, out));
			continue;
		}
		while (stage < ESPL_STAGE_COUNT && strcmp(espl_stage_name((espl_stage)stage), key))
			stage++;
		if (stage == ESPL_STAGE_COUNT)
			return espl_fail(r->err, ESPL_SYNTAX, "\"%s\": no such key; there are %s",
			                 key, list_keys(top, true, r->arena));
		ESPL_TRY(read_stage(r, root, (espl_stage)stage, out));
	}
	return ESPL_OK;
}

/* What the keys mean together. */
static espl_status check(const reader *r, espl_compress_config *c)
{
	const espl_pattern_kind pattern = c->prune.rule.pattern.kind;

	if (!c->model == !c->family)
		return espl_fail(r->err, ESPL_SYNTAX, "one of \"model\" and \"family\" is wanted");
	if (!c->data)
		return espl_fail(r->err, ESPL_SYNTAX, "\"data\" is missing");
	if (!c->wanted[ESPL_STAGE_DISTIL] && !c->wanted[ESPL_STAGE_PRUNE] &&
	    !c->wanted[ESPL_STAGE_QUANTIZE])
		return espl_fail(r->err, ESPL_SYNTAX,
		                 "no stage: one of distil, prune, quantize is wanted");
	if (c->wanted[ESPL_STAGE_DISTIL] && !c->teacher)
		return espl_fail(r->err, ESPL_SYNTAX,
		                 "\"teacher\" is missing, and \"distil\" is wanted");
	if (c->wanted[ESPL_STAGE_PRUNE] && c->prune.sparsity < 0 && pattern != ESPL_PATTERN_N_OF_M)
		return espl_fail(r->err, ESPL_SYNTAX,
		                 "prune: \"sparsity\" is missing; only N:M goes without");
	if (c->prune.regrow > 0 &&
	    (pattern == ESPL_PATTERN_CHANNELS || pattern == ESPL_PATTERN_BLOCKS))
		return espl_fail(r->err, ESPL_RANGE,
		                 "prune: \"regrow\" is %g: channels and blocks do not grow back",
		                 c->prune.regrow);
	return ESPL_OK;
}

static void put(espl_json_writer *w, const field *f, const espl_compress_config *c,
                espl_arena *arena)
{
	const void *from = (const char *)c + f->offset;
	int choice;

	switch (f->kind) {
	case PATH: /* the content counts, not the name */
		return;
	case TEXT:
		if (*(const char *const *)from)
			espl_json_put_string(w, f->key, *(const char *const *)from);
		return;
	case PATTERN:
		espl_json_put_string(w, f->key, espl_pattern_text(from, arena));
		return;
	case INTEGER:
		espl_json_put_integer(w, f->key, *(const int *)from);
		return;
	case WIDE:
		espl_json_put_integer(w, f->key, *(const int64_t *)from);
		return;
	case UNSIGNED:
		espl_json_put_integer(w, f->key, *(const uint32_t *)from);
		return;
	case NUMBER:
		espl_json_put_number(w, f->key, *(const double *)from);
		return;
	case SWITCH:
		espl_json_put_bool(w, f->key, *(const bool *)from);
		return;
	case CHOICE:
		memcpy(&choice, from, sizeof(choice));
		espl_json_put_string(w, f->key, f->choices[choice]);
		return;
	}
}

void espl_stage_put(const espl_compress_config *config, espl_stage stage, espl_json_writer *w,
                    const char *key, espl_arena *arena)
{
	espl_json_open(w, key, '{');
	for (const field *f = top; f->key; f++)
		if (strcmp(f->key, "threads") != 0) /* which change no result */
			put(w, f, config, arena);
	for (const field *f = stage_fields[stage]; f->key; f++)
		put(w, f, config, arena);
	espl_json_close(w);
}

espl_status espl_compress_config_read(const char *path, espl_arena *arena,
                                      espl_compress_config *out, espl_error *err)
{
	const char *slash = strrchr(path, '/');
	const reader r = {
	        .folder = slash ? espl_arena_format(arena, "%.*s", (int)(slash + 1 - path), path)
	                        : "",
	        .arena = arena,
	        .err = err,
	};
	espl_compress_config config = defaults();
	espl_json *root;
	espl_span text;
	espl_status status;

	ESPL_TRY(espl_file_read(path, arena, &text, err));
	status = espl_json_parse((const char *)text.data, text.size, &root, err);
	if (status)
		return espl_context(err, status, path);
	status = read_root(&r, root, &config);
	if (!status)
		status = check(&r, &config);
	espl_json_destroy(root);
	if (status)
		return espl_context(err, status, path);
	for (int s = 0; s < ESPL_STAGE_COUNT; s++) {
		config.training[s].batch = config.batch;
		config.training[s].seed = config.seed;
		config.training[s].threads = config.threads;
	}
	config.quantize.seed = config.seed;
	config.quantize.threads = config.threads;
	*out = config;
	return ESPL_OK;
}
