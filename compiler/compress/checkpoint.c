/* Checkpoints: all that a run is, in one file that is either old or new.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A line of text, the digest of what the run is, the digest of the rest; then numbers as the
 * machine has them, as results of another machine would differ in any case.
 */
#include "base/sha256.h"
#include "compress/training.h"

#include <stdio.h>
#include <string.h>

enum { DIGEST = 64 };

static const char title[] = "espalier checkpoint 1\n";

struct block {
	void *data;
	size_t size;
};

enum { BLOCKS = 8 };

static const char *graph_digest(const espl_graph *graph, espl_arena *arena)
{
	const char *text = "";
	size_t size = 0;

	if (!graph || espl_graph_print(graph, arena, &text, &size, NULL))
		return "none";
	return espl_sha256(text, size, arena);
}

static const char *samples_digest(const espl_samples *samples, espl_arena *arena)
{
	const size_t elements = (size_t)samples->count * (size_t)samples->rows *
	                        (size_t)samples->columns * (size_t)samples->channels;
	const void *data = samples->bytes ? (const void *)samples->bytes : samples->floats;

	return espl_arena_format(
	        arena, "%d %s %s", samples->count,
	        espl_sha256(data, samples->bytes ? elements : elements * sizeof(float), arena),
	        espl_sha256(samples->labels, (size_t)samples->count, arena));
}

const char *espl_run_identity(const espl_graph *graph, const espl_data *data,
                              const espl_train_options *o, espl_arena *arena)
{
	const char *text = espl_arena_format(
	        arena,
	        "%d %d %u %lld %d %a %a %a %a %a %a %a %d %d %d %a %a %a %d %lld %s %s %s %s",
	        o->epochs, o->batch, o->seed, (long long)o->samples, (int)o->optimizer, o->rate,
	        o->warmup, o->momentum, o->weight_decay, o->step_rate, o->smoothing, o->average,
	        o->freeze_norms, o->flip, o->shift, o->erase, o->temperature, o->mix,
	        o->choose_from, (long long)o->hooks.every, graph_digest(graph, arena),
	        graph_digest(o->teacher, arena), samples_digest(&data->train, arena),
	        samples_digest(&data->validation, arena));

	return espl_sha256(text, strlen(text), arena);
}

/* The parts of a checkpoint, in order; of `flat`, the parameters, and `norms`. */
static size_t list_blocks(espl_standing *standing, const espl_parameters *p, float *flat,
                          float *norms, struct block *blocks)
{
	const size_t count = (size_t)p->count * sizeof(float);
	const size_t norm_count = (size_t)p->norm_count * sizeof(float);
	size_t total = 0;

	blocks[0] = (struct block){standing, sizeof(*standing)};
	blocks[1] = (struct block){flat, count};
	blocks[2] = (struct block){p->first, count};
	blocks[3] = (struct block){p->second, p->second ? count : 0};
	blocks[4] = (struct block){p->average, p->average ? count : 0};
	blocks[5] = (struct block){p->best, count};
	blocks[6] = (struct block){norms, norm_count};
	blocks[7] = (struct block){p->best_norms, norm_count};
	for (int i = 0; i < BLOCKS; i++)
		total += blocks[i].size;
	return total;
}

espl_status espl_checkpoint_write(const char *path, const char *identity,
                                  const espl_standing *standing, const espl_graph *graph,
                                  const espl_parameters *p, espl_error *err)
{
	const size_t header = sizeof(title) - 1 + 2 * (size_t)DIGEST;
	espl_arena *scratch = espl_arena_create();
	float *flat = ESPL_ARRAY(scratch, float, p->count);
	float *norms = ESPL_ARRAY(scratch, float, p->norm_count);
	espl_standing copy = *standing;
	struct block blocks[BLOCKS];
	const size_t total = list_blocks(&copy, p, flat, norms, blocks);
	unsigned char *bytes = espl_arena_calloc(scratch, header + total, 1), *to = bytes + header;
	espl_status status;

	espl_parameters_get(p, flat);
	espl_norms_get(graph, norms);
	for (int i = 0; i < BLOCKS; i++) {
		if (blocks[i].size)
			memcpy(to, blocks[i].data, blocks[i].size);
		to += blocks[i].size;
	}
	memcpy(bytes, title, sizeof(title) - 1);
	memcpy(bytes + sizeof(title) - 1, identity, DIGEST);
	memcpy(bytes + header - DIGEST, espl_sha256(bytes + header, total, scratch), DIGEST);
	status = espl_file_write(path, bytes, header + total, err);
	espl_arena_destroy(scratch);
	return status;
}

static espl_status check_file(const char *path, const espl_span *file, const char *identity,
                              size_t total, espl_arena *scratch, espl_error *err)
{
	const size_t header = sizeof(title) - 1 + 2 * (size_t)DIGEST;

	if (file->size < header || memcmp(file->data, title, sizeof(title) - 1) != 0)
		return espl_fail(err, ESPL_SYNTAX, "%s: not a checkpoint of this version", path);
	if (memcmp(file->data + sizeof(title) - 1, identity, DIGEST) != 0)
		return espl_fail(err, ESPL_SYNTAX,
		                 "%s: of a run with other options, data or model; remove it to "
		                 "start anew",
		                 path);
	if (file->size != header + total ||
	    memcmp(file->data + header - DIGEST, espl_sha256(file->data + header, total, scratch),
	           DIGEST) != 0)
		return espl_fail(err, ESPL_SYNTAX, "%s: damaged; remove it to start anew", path);
	return ESPL_OK;
}

espl_status espl_checkpoint_read(const char *path, const char *identity, espl_standing *standing,
                                 espl_graph *graph, espl_parameters *p, bool *found,
                                 espl_error *err)
{
	const size_t header = sizeof(title) - 1 + 2 * (size_t)DIGEST;
	espl_arena *scratch;
	struct block blocks[BLOCKS];
	espl_status status;
	espl_span file;
	float *flat, *norms;
	size_t total;

	*found = espl_file_exists(path);
	if (!*found)
		return ESPL_OK;
	scratch = espl_arena_create();
	flat = ESPL_ARRAY(scratch, float, p->count);
	norms = ESPL_ARRAY(scratch, float, p->norm_count);
	total = list_blocks(standing, p, flat, norms, blocks);
	status = espl_file_read(path, scratch, &file, err);
	if (!status)
		status = check_file(path, &file, identity, total, scratch, err);
	if (!status) {
		const unsigned char *from = file.data + header;

		for (int i = 0; i < BLOCKS; i++) {
			if (blocks[i].size)
				memcpy(blocks[i].data, from, blocks[i].size);
			from += blocks[i].size;
		}
		espl_parameters_set(p, flat);
		espl_norms_set(graph, norms);
	}
	espl_arena_destroy(scratch);
	return status;
}
