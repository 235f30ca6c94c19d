/* espalier compress: the stages that a file names, one after the other, each kept.
 * SPDX-License-Identifier: Apache-2.0
 *
 * DIR/<stage>.json is a stage's model and DIR/<stage>.report.json, written after it, says
 * what it was made of and how good it is. --resume believes a report whose key is the same
 * and whose model has the digest that it names.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include "base/sha256.h"
#include "compress/family.h"
#include "compress/stages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_ROWS = ESPL_STAGE_COUNT + 2 };

typedef struct {
	const char *name;
	espl_model_facts facts;
	bool kept; /* of an earlier run */
} entry;

typedef struct {
	const cli_options *options;
	espl_compress_config config;
	espl_data data;
	espl_graph *teacher;
	const char *data_digest, *teacher_digest;
	espl_arena *arena;
	entry rows[MOST_ROWS];
	int row_count;
	cli_watch watch;   /* of the training that runs */
	const char *stage; /* that runs */
} run;

static const char *in_folder(const run *r, const char *name, const char *ending)
{
	return espl_arena_format(r->arena, "%s/%s%s", r->options->output, name, ending);
}

/* -- digests -------------------------------------------------------------------------------------
 */

static const char *samples_digest(const espl_samples *s, espl_arena *arena)
{
	const size_t count =
	        (size_t)s->count * (size_t)s->rows * (size_t)s->columns * (size_t)s->channels;
	const void *data = s->bytes ? (const void *)s->bytes : s->floats;

	if (!s->count)
		return "none";
	return espl_arena_format(arena, "%dx%dx%dx%d %s %s", s->count, s->rows, s->columns,
	                         s->channels,
	                         espl_sha256(data, s->bytes ? count : count * sizeof(float), arena),
	                         espl_sha256(s->labels, (size_t)s->count, arena));
}

static espl_status graph_text(const espl_graph *graph, espl_arena *arena, espl_span *out,
                              espl_error *err)
{
	const char *text;
	size_t size;

	ESPL_TRY(espl_graph_print(graph, arena, &text, &size, err));
	*out = (espl_span){(const unsigned char *)text, size};
	return ESPL_OK;
}

/* What a stage's result follows from. */
static espl_status stage_key(const run *r, espl_stage stage, const espl_graph *from,
                             const char **out, espl_error *err)
{
	espl_json_writer *w = espl_json_writer_create(r->arena);
	const char *text;
	espl_span input;
	size_t size;

	ESPL_TRY(graph_text(from, r->arena, &input, err));
	espl_stage_put(&r->config, stage, w, NULL, r->arena);
	text = espl_arena_format(r->arena, "%s %s\n%s\n%s\n%s\n%s", ESPALIER_VERSION,
	                         espl_stage_name(stage), espl_json_text(w, &size),
	                         espl_sha256(input.data, input.size, r->arena), r->data_digest,
	                         r->teacher_digest);
	*out = espl_sha256(text, strlen(text), r->arena);
	return ESPL_OK;
}

/* -- reports -------------------------------------------------------------------------------------
 */

static void put_facts(espl_json_writer *w, const espl_model_facts *f)
{
	espl_json_put_number(w, "accuracy", f->accuracy);
	if (f->validation >= 0)
		espl_json_put_number(w, "validation_accuracy", f->validation);
	espl_json_put_integer(w, "weights", f->weights);
	espl_json_put_integer(w, "nonzero_weights", f->nonzero_weights);
	espl_json_put_integer(w, "bytes", f->bytes);
	espl_json_put_number(w, "seconds", f->seconds);
}

static espl_status take_facts(const espl_json *object, espl_model_facts *f, espl_error *err)
{
	f->validation = -1;
	ESPL_TRY(espl_json_number(object, "accuracy", &f->accuracy, err));
	if (espl_json_has(object, "validation_accuracy"))
		ESPL_TRY(espl_json_number(object, "validation_accuracy", &f->validation, err));
	ESPL_TRY(espl_json_integer(object, "weights", 0, INT64_MAX / 2, &f->weights, err));
	ESPL_TRY(espl_json_integer(object, "nonzero_weights", 0, INT64_MAX / 2, &f->nonzero_weights,
	                           err));
	ESPL_TRY(espl_json_integer(object, "bytes", 0, INT64_MAX / 2, &f->bytes, err));
	return espl_json_number(object, "seconds", &f->seconds, err);
}

static espl_status write_report(const run *r, espl_stage stage, const char *key,
                                const espl_span *model, const espl_model_facts *facts,
                                espl_error *err)
{
	espl_json_writer *w = espl_json_writer_create(r->arena);
	const char *text;
	size_t size;

	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "stage", espl_stage_name(stage));
	espl_json_put_string(w, "key", key);
	espl_json_put_string(w, "model_sha256", espl_sha256(model->data, model->size, r->arena));
	put_facts(w, facts);
	espl_stage_put(&r->config, stage, w, "settings", r->arena);
	espl_json_close(w);
	text = espl_json_text(w, &size);
	return espl_file_write(in_folder(r, espl_stage_name(stage), ".report.json"), text, size,
	                       err);
}

/* Whether the report and the model in DIR are of this key; then *facts and *model. */
static bool read_report(const run *r, espl_stage stage, const char *key, espl_span *model,
                        espl_model_facts *facts)
{
	const char *was, *digest;
	bool same = false;
	espl_json *root;
	espl_span text;

	if (espl_file_read(in_folder(r, espl_stage_name(stage), ".report.json"), r->arena, &text,
	                   NULL) ||
	    espl_file_read(in_folder(r, espl_stage_name(stage), ".json"), r->arena, model, NULL) ||
	    espl_json_parse((const char *)text.data, text.size, &root, NULL))
		return false;
	if (!espl_json_string(root, "key", &was, NULL) &&
	    !espl_json_string(root, "model_sha256", &digest, NULL))
		same = !strcmp(was, key) &&
		       !strcmp(digest, espl_sha256(model->data, model->size, r->arena)) &&
		       !take_facts(root, facts, NULL);
	espl_json_destroy(root);
	return same;
}

/* -- stages --------------------------------------------------------------------------------------
 */

static void say(const run *r, const char *what)
{
	if (!r->options->quiet && isatty(2))
		fprintf(stderr, "%s %s\n", r->stage, what);
}

static espl_status parse_model(const run *r, espl_stage stage, const espl_span *text,
                               espl_model *out, espl_error *err)
{
	const char *path = in_folder(r, espl_stage_name(stage), ".json");
	espl_status status;

	*out = (espl_model){0};
	if (stage == ESPL_STAGE_QUANTIZE)
		status = espl_net_parse((const char *)text->data, text->size, r->arena, &out->net,
		                        err);
	else
		status = espl_graph_parse((const char *)text->data, text->size, r->arena,
		                          &out->graph, err);
	return espl_context(err, status, path);
}

static espl_status model_text(const run *r, const espl_model *model, espl_span *out,
                              espl_error *err)
{
	const char *text;
	size_t size;

	if (!model->net)
		return graph_text(model->graph, r->arena, out, err);
	ESPL_TRY(espl_net_print(model->net, r->arena, &text, &size, err));
	*out = (espl_span){(const unsigned char *)text, size};
	return ESPL_OK;
}

static espl_status make(run *r, espl_stage stage, const char *key, espl_model *model, entry *row,
                        espl_error *err)
{
	/* the key is in its name: another run's checkpoint is not this one's */
	const char *checkpoint = in_folder(r, espl_stage_name(stage),
	                                   espl_arena_format(r->arena, ".%.12s.checkpoint", key));
	const espl_train_hooks hooks = cli_watch_training(&r->watch);
	const double begin = espl_seconds();
	espl_model made;
	espl_span text;

	say(r, "...");
	ESPL_TRY(espl_stage_run(&r->config, stage, model, r->teacher, &r->data, &hooks, checkpoint,
	                        r->options->train.resume, r->arena, &made, err));
	row->facts.seconds = espl_seconds() - begin;
	ESPL_TRY(espl_model_measure(&made, &r->data, r->config.threads, &row->facts, err));
	ESPL_TRY(model_text(r, &made, &text, err));
	ESPL_TRY(espl_file_write(in_folder(r, espl_stage_name(stage), ".json"), text.data,
	                         text.size, err));
	ESPL_TRY(write_report(r, stage, key, &text, &row->facts, err));
	remove(checkpoint);
	*model = made;
	return ESPL_OK;
}

static espl_status do_stage(run *r, espl_stage stage, espl_model *model, espl_error *err)
{
	entry *row = &r->rows[r->row_count++];
	const char *key;
	espl_span text;

	row->name = r->stage = espl_stage_name(stage);
	ESPL_TRY(stage_key(r, stage, model->graph, &key, err));
	if (r->options->train.resume && read_report(r, stage, key, &text, &row->facts)) {
		row->kept = true;
		say(r, "is done");
		return parse_model(r, stage, &text, model, err);
	}
	return espl_context(err, make(r, stage, key, model, row, err), row->name);
}

static espl_status add_given(run *r, const char *name, espl_graph *graph, espl_error *err)
{
	const espl_model model = {.graph = graph};
	entry *row = &r->rows[r->row_count++];

	row->name = name;
	return espl_model_measure(&model, &r->data, r->config.threads, &row->facts, err);
}

/* -- what is shown -------------------------------------------------------------------------------
 */

static void print_table(const run *r, int64_t full)
{
	printf("%-10s %9s %9s %9s %9s %8s\n", "stage", "accuracy", "weights", "non-zero", "bytes",
	       "smaller");
	for (int i = 0; i < r->row_count; i++) {
		const espl_model_facts *f = &r->rows[i].facts;

		printf("%-10s %7.2f %% %9lld %9lld %9lld %7.1fx%s\n", r->rows[i].name,
		       100 * f->accuracy, (long long)f->weights, (long long)f->nonzero_weights,
		       (long long)f->bytes, (double)full / (double)f->bytes,
		       r->rows[i].kept ? "  kept" : "");
	}
}

static const char *report_text(const run *r, int64_t full, size_t *size)
{
	espl_json_writer *w = espl_json_writer_create(r->arena);

	espl_json_open(w, NULL, '{');
	espl_json_put_string(w, "model", in_folder(r, "model", ".json"));
	espl_json_put_integer(w, "full_bytes", full);
	espl_json_open(w, "stages", '[');
	for (int i = 0; i < r->row_count; i++) {
		espl_json_open(w, NULL, '{');
		espl_json_put_string(w, "stage", r->rows[i].name);
		put_facts(w, &r->rows[i].facts);
		espl_json_put_bool(w, "kept", r->rows[i].kept);
		espl_json_close(w);
	}
	espl_json_close(w);
	espl_json_close(w);
	return espl_json_text(w, size);
}

/* Stored bytes of the model that the stages began with, in float32 without any zeros' gain. */
static int64_t full_bytes(const espl_graph *graph)
{
	return 4 * espl_graph_parameters(graph);
}

/* -- the command ---------------------------------------------------------------------------------
 */

static espl_status read_config(run *r, espl_error *err)
{
	const cli_options *o = r->options;
	espl_compress_config *c = &r->config;

	ESPL_TRY(espl_compress_config_read(o->model, r->arena, c, err));
	if (o->seed_given)
		c->seed = o->seed;
	if (o->train.threads > 1)
		c->threads = o->train.threads;
	for (int s = 0; s < ESPL_STAGE_COUNT; s++) {
		c->training[s].seed = c->seed;
		c->training[s].threads = c->threads;
	}
	c->quantize.seed = c->seed;
	c->quantize.threads = c->threads;
	return ESPL_OK;
}

static espl_status read_inputs(run *r, espl_graph **student, espl_error *err)
{
	const espl_compress_config *c = &r->config;
	espl_span text;

	ESPL_TRY(espl_data_read(c->data, c->validation, c->seed, r->arena, &r->data, err));
	r->data_digest =
	        espl_arena_format(r->arena, "%s %s %s", samples_digest(&r->data.train, r->arena),
	                          samples_digest(&r->data.validation, r->arena),
	                          samples_digest(&r->data.test, r->arena));
	r->teacher_digest = "none";
	if (c->teacher) {
		ESPL_TRY(cli_read_graph(c->teacher, r->arena, &r->teacher, err));
		ESPL_TRY(espl_context(err, espl_graph_fits(r->teacher, &r->data.train, err),
		                      c->teacher));
		ESPL_TRY(graph_text(r->teacher, r->arena, &text, err));
		r->teacher_digest = espl_sha256(text.data, text.size, r->arena);
	}
	if (c->family) {
		const espl_samples *s = &r->data.train;
		espl_family family =
		        espl_family_default(s->rows, s->columns, s->channels, s->classes);

		ESPL_TRY(espl_family_parse(c->family, &family, err));
		return espl_family_build(&family, c->seed, r->arena, student, err);
	}
	ESPL_TRY(cli_read_graph(c->model, r->arena, student, err));
	*student = espl_float_graph(*student, r->arena);
	return espl_context(err, espl_graph_fits(*student, &r->data.train, err), c->model);
}

static espl_status finish(run *r, const espl_model *model, int64_t full, espl_error *err)
{
	espl_span text;
	const char *report;
	size_t size;

	ESPL_TRY(model_text(r, model, &text, err));
	ESPL_TRY(espl_file_write(in_folder(r, "model", ".json"), text.data, text.size, err));
	report = report_text(r, full, &size);
	ESPL_TRY(espl_file_write(in_folder(r, "report", ".json"), report, size, err));
	if (r->options->json)
		fputs(report, stdout);
	else if (!r->options->quiet)
		print_table(r, full);
	return ESPL_OK;
}

espl_status cli_compress(const cli_options *options, espl_arena *arena, espl_error *err)
{
	run r = {.options = options, .arena = arena, .watch = {.options = options}};
	espl_model model = {0};
	int64_t full;

	if (!options->output)
		return espl_fail(err, ESPL_USAGE, "compress: -o DIR is missing");
	ESPL_TRY(read_config(&r, err));
	ESPL_TRY(read_inputs(&r, &model.graph, err));
	full = full_bytes(model.graph);
	if (mkdir(options->output, 0777) && errno != EEXIST)
		return espl_fail(err, ESPL_IO, "%s: %s", options->output, strerror(errno));
	if (r.teacher)
		ESPL_TRY(add_given(&r, "teacher", r.teacher, err));
	if (r.config.model)
		ESPL_TRY(add_given(&r, "float", model.graph, err));
	for (int s = 0; s < ESPL_STAGE_COUNT; s++)
		if (r.config.wanted[s])
			ESPL_TRY(do_stage(&r, (espl_stage)s, &model, err));
	return finish(&r, &model, full, err);
}
