/* The lab that remembers: nothing is priced or trained twice.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit/lab.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "fit/make.h"
#include "lower/lower.h"

#include <string.h>

static const char *digest_samples(const espl_samples *s, espl_arena *arena)
{
	const size_t values =
	        (size_t)s->count * (size_t)s->rows * (size_t)s->columns * (size_t)s->channels;

	return espl_arena_format(arena, "%d of %dx%dx%d in %d classes, %s, %s", s->count, s->rows,
	                         s->columns, s->channels, s->classes,
	                         s->bytes ? espl_sha256(s->bytes, values, arena)
	                                  : espl_sha256(s->floats, values * sizeof(float), arena),
	                         espl_sha256(s->labels, (size_t)s->count, arena));
}

static espl_status digest_graph(const espl_graph *graph, espl_arena *arena, const char **out,
                                espl_error *err)
{
	const char *text;
	size_t size;

	*out = "none";
	if (!graph)
		return ESPL_OK;
	ESPL_TRY(espl_graph_print(graph, arena, &text, &size, err));
	*out = espl_sha256(text, size, arena);
	return ESPL_OK;
}

espl_status espl_lab_open(const espl_fit_task *task, espl_arena *arena, espl_fit_lab *lab,
                          espl_error *err)
{
	const espl_samples *train = &task->data->train;
	const char *model, *teacher;

	ESPL_TRY(digest_graph(task->model, arena, &model, err));
	ESPL_TRY(digest_graph(task->teacher, arena, &teacher, err));
	*lab = (espl_fit_lab){.task = task};
	lab->price_task = espl_arena_format(
	        arena, "%s; %s; input %dx%dx%d, %d classes; model %s; seed %u", espl_make_recipe,
	        espl_frame_text(&task->frame, arena), train->rows, train->columns, train->channels,
	        train->classes, model, task->seed);
	lab->result_task =
	        espl_arena_format(arena, "%s; training %s; validation %s; teacher %s",
	                          lab->price_task, digest_samples(train, arena),
	                          digest_samples(&task->data->validation, arena), teacher);
	return espl_store_open(task->store, &lab->store, err);
}

void espl_lab_close(espl_fit_lab *lab)
{
	espl_store_close(lab->store);
	lab->store = NULL;
}

static bool stopped(const espl_fit_lab *lab)
{
	return lab->task->stop && lab->task->stop(lab->task->user);
}

/* Lowers and plans; what no engine holds is a reason, not a failure. */
static espl_status price_net(const espl_fit_lab *lab, const espl_net *net, espl_arena *arena,
                             espl_price *price, const char **reason, espl_error *err)
{
	espl_error why = {0};
	espl_lowered *lowered;
	espl_plan *plan;
	espl_status status;

	*price = (espl_price){0};
	status = espl_lower(net, arena, &lowered, &why);
	if (!status)
		status = espl_price_lowered(&lab->task->frame, lowered, arena, &plan, price, &why);
	if (status == ESPL_NOMEM || status == ESPL_INTERRUPTED) {
		if (err)
			*err = why;
		return status;
	}
	*reason = status ? espl_arena_format(arena, "%s%s%s", why.where, why.where[0] ? ": " : "",
	                                     why.message)
	                 : "";
	return ESPL_OK;
}

static espl_status price(void *user, const espl_candidate *candidate, const char *key,
                         espl_arena *arena, espl_stored_price *out, espl_error *err)
{
	espl_fit_lab *lab = user;
	espl_stored_price made = {.reason = ""};
	espl_error why = {0};
	espl_arena *scratch;
	espl_status status;
	espl_net *net;
	bool found;

	ESPL_TRY(espl_store_get_price(lab->store, lab->price_task, key, arena, &found, out, err));
	if (found)
		return ESPL_OK;
	if (stopped(lab))
		return espl_fail(err, ESPL_INTERRUPTED, "interrupted");
	scratch = espl_arena_create();
	status = espl_make_draft(lab->task, candidate, scratch, &net, &why);
	if (!status) {
		status = price_net(lab, net, scratch, &made.price, &made.reason, err);
	} else if (status == ESPL_RANGE) { /* the image is too small for it, say */
		made.reason = why.message;
		status = ESPL_OK;
	} else if (err) {
		*err = why;
	}
	if (!status)
		status = espl_store_put_price(lab->store, lab->price_task, key, &made, err);
	made.reason = espl_arena_string(arena, made.reason);
	espl_arena_destroy(scratch);
	ESPL_TRY(espl_context(err, status, key));
	*out = made;
	return ESPL_OK;
}

/* A float network under the name of all candidates that share it. */
static espl_status recall_network(espl_fit_lab *lab, const char *name, int64_t images,
                                  espl_arena *arena, bool *found, espl_graph **graph,
                                  espl_error *err)
{
	espl_span text;

	ESPL_TRY(espl_store_get_network(lab->store, lab->result_task, name, images, arena, found,
	                                &text, err));
	return *found ? espl_graph_parse((const char *)text.data, text.size, arena, graph, err)
	              : ESPL_OK;
}

static espl_status keep_network(espl_fit_lab *lab, const char *name, int64_t images,
                                const espl_graph *graph, espl_arena *arena, espl_error *err)
{
	espl_span text;
	const char *print;

	ESPL_TRY(espl_graph_print(graph, arena, &print, &text.size, err));
	text.data = (const unsigned char *)print;
	return espl_store_put_network(lab->store, lab->result_task, name, images, text, err);
}

/* The trained and pruned float network; each stage is kept for the candidates that share it. */
static espl_status float_network(espl_fit_lab *lab, const espl_candidate *candidate, int64_t images,
                                 espl_arena *arena, espl_graph **out, espl_error *err)
{
	espl_candidate whole = *candidate, kept = *candidate;
	const char *whole_name, *kept_name;
	espl_graph *graph;
	bool found;

	kept.weight_bits = kept.activation_bits = whole.weight_bits = whole.activation_bits = 32;
	whole.keep = 100;
	whole_name = espl_candidate_key(&whole, arena);
	kept_name = espl_candidate_key(&kept, arena);
	ESPL_TRY(recall_network(lab, kept_name, images, arena, &found, out, err));
	if (found)
		return ESPL_OK;
	ESPL_TRY(recall_network(lab, whole_name, images, arena, &found, &graph, err));
	if (!found) {
		ESPL_TRY(espl_make_float(lab->task, &whole, images, arena, &graph, err));
		ESPL_TRY(keep_network(lab, whole_name, images, graph, arena, err));
	}
	if (candidate->keep < 100) {
		ESPL_TRY(espl_make_pruned(lab->task, candidate, images, graph, arena, &graph, err));
		ESPL_TRY(keep_network(lab, kept_name, images, graph, arena, err));
	}
	*out = graph;
	return ESPL_OK;
}

/* Trains, quantizes, prices and judges one candidate. */
static espl_status make_whole(espl_fit_lab *lab, const espl_candidate *candidate, int64_t images,
                              espl_arena *arena, espl_stored_result *out, espl_error *err)
{
	espl_stored_result made = {.reason = ""};
	const char *net_text, *graph_text;
	espl_graph *graph;
	espl_net *net;

	ESPL_TRY(float_network(lab, candidate, images, arena, &graph, err));
	ESPL_TRY(espl_make_integer(lab->task, candidate, images, graph, arena, &graph, &net, err));
	ESPL_TRY(price_net(lab, net, arena, &made.price, &made.reason, err));
	ESPL_TRY(espl_make_count(lab->task, net, &lab->task->data->validation, &made.correct, err));
	made.samples = lab->task->data->validation.count;
	ESPL_TRY(espl_net_print(net, arena, &net_text, &made.net.size, err));
	ESPL_TRY(espl_graph_print(graph, arena, &graph_text, &made.graph.size, err));
	made.net.data = (const unsigned char *)net_text;
	made.graph.data = (const unsigned char *)graph_text;
	*out = made;
	return ESPL_OK;
}

/* A training that diverges, or a sum that no integer holds, is the candidate's fault alone. */
static espl_status make(espl_fit_lab *lab, const espl_candidate *candidate, int64_t images,
                        espl_arena *arena, espl_stored_result *out, espl_error *err)
{
	const espl_status status = make_whole(lab, candidate, images, arena, out, err);
	const espl_stored_result nothing = {
	        .reason = err ? espl_arena_string(arena, err->message) : "out of range",
	        .samples = lab->task->data->validation.count,
	};

	if (status != ESPL_RANGE)
		return status;
	*out = nothing;
	return ESPL_OK;
}

static espl_status measure(void *user, const espl_candidate *candidate, const char *key,
                           int64_t images, espl_arena *arena, espl_stored_result *out,
                           espl_error *err)
{
	espl_fit_lab *lab = user;
	const double start = espl_seconds();
	espl_stored_result made;
	espl_arena *scratch;
	espl_status status;
	bool found;

	ESPL_TRY(espl_store_get_result(lab->store, lab->result_task, key, images, false, arena,
	                               &found, out, err));
	lab->remembered += found;
	if (found)
		return ESPL_OK;
	if (stopped(lab))
		return espl_fail(err, ESPL_INTERRUPTED, "interrupted");
	scratch = espl_arena_create();
	status = make(lab, candidate, images, scratch, &made, err);
	if (!status)
		status = espl_store_put_result(lab->store, lab->result_task, key, images, &made,
		                               err);
	if (!status) {
		lab->trained++;
		lab->seconds += espl_seconds() - start;
		lab->work += (double)made.price.multiplications * (double)images;
		made.reason = espl_arena_string(arena, made.reason);
		made.net = made.graph = (espl_span){0};
		*out = made;
	}
	espl_arena_destroy(scratch);
	return espl_context(err, status, key);
}

static void say(void *user, const espl_search_state *state)
{
	const espl_fit_lab *lab = user;
	const bool known = state->count && lab->work > 0;

	if (lab->task->say)
		lab->task->say(lab->task->user, state,
		               known ? state->work_left * lab->seconds / lab->work : -1);
}

espl_lab espl_lab_of(espl_fit_lab *lab)
{
	return (espl_lab){.user = lab, .price = price, .measure = measure, .say = say};
}

espl_status espl_lab_recall(espl_fit_lab *lab, const char *key, int64_t images, espl_arena *arena,
                            espl_graph **graph, espl_net **net, espl_error *err)
{
	espl_stored_result whole;
	bool found;

	ESPL_TRY(espl_store_get_result(lab->store, lab->result_task, key, images, true, arena,
	                               &found, &whole, err));
	if (!found)
		return espl_fail(err, ESPL_IO, "%s: the store has lost it", key);
	ESPL_TRY(espl_graph_parse((const char *)whole.graph.data, whole.graph.size, arena, graph,
	                          err));
	return espl_net_parse((const char *)whole.net.data, whole.net.size, arena, net, err);
}
