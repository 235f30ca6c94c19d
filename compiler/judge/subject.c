/* Nets and graphs behind one call: samples in, answers out.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/subject.h"

#include "interp/graph_run.h"
#include "interp/net_run.h"
#include "judge/metrics.h"

#include <math.h>
#include <string.h>

enum { BATCH_MOST = 256, MEMORY_BYTES = 128 << 20 };

struct espl_subject {
	espl_arena *arena;
	const espl_judged *model;
	int elements, classes, batch;
	int result, logits; /* tensors or values */

	float values[256]; /* of a byte */

	espl_net_run *net;
	int8_t stored[256];
	int8_t *inputs; /* [batch][elements] */

	espl_graph_run *graph;
	float *floats, *results; /* [batch][elements], [batch][classes] */
};

static int result_elements(const espl_judged *model, int index)
{
	return model->net ? espl_tensor_elements(&model->net->tensors[index])
	                  : espl_value_elements(&model->graph->values[index]);
}

/* The output, and what goes into the softmax that makes it. */
static void find_results(const espl_judged *model, int *result, int *logits)
{
	if (model->net) {
		*result = *logits = model->net->outputs[0];
		for (int i = 0; i < model->net->op_count; i++)
			if (model->net->ops[i].output == *result &&
			    model->net->ops[i].kind == ESPL_OP_SOFTMAX)
				*logits = model->net->ops[i].inputs[0];
		return;
	}
	*result = *logits = model->graph->outputs[0];
	for (int i = 0; i < model->graph->node_count; i++)
		if (model->graph->nodes[i].output == *result &&
		    model->graph->nodes[i].kind == ESPL_NODE_SOFTMAX)
			*logits = model->graph->nodes[i].inputs[0];
}

static espl_status check_shapes(const espl_judged *model, const espl_samples *samples,
                                espl_error *err)
{
	const int elements = samples->rows * samples->columns * samples->channels;
	const int inputs = model->net ? model->net->input_count : model->graph->input_count;
	const int input = model->net ? model->net->inputs[0] : model->graph->inputs[0];
	const int output = model->net ? model->net->outputs[0] : model->graph->outputs[0];

	if (inputs != 1)
		return espl_fail(err, ESPL_SHAPE, "has %d inputs; models of one are judged",
		                 inputs);
	if (result_elements(model, input) != elements)
		return espl_fail(err, ESPL_SHAPE, "takes %d values, samples are %dx%dx%d",
		                 result_elements(model, input), samples->rows, samples->columns,
		                 samples->channels);
	if (result_elements(model, output) != samples->classes)
		return espl_fail(err, ESPL_SHAPE, "gives %d values, the data has %d classes",
		                 result_elements(model, output), samples->classes);
	if (samples->classes < 2)
		return espl_fail(err, ESPL_RANGE, "the data has one class");
	return ESPL_OK;
}

/* The input as a quantizer: what the graph that the net was made of rounds to. */
static espl_quantizer quantizer_of(const espl_tensor *in)
{
	return (espl_quantizer){8, (float)in->scale, in->zero_point, INT8_MIN, INT8_MAX};
}

/* What each byte stands for. */
static void fill_values(espl_subject *s, const espl_judge_options *options)
{
	for (int byte = 0; byte < 256; byte++)
		s->values[byte] =
		        options->input_scale > 0
		                ? (float)(byte * options->input_scale + options->input_offset)
		                : (float)byte / 255.0F;
}

/* What each byte is stored as. */
static espl_status fill_stored(espl_subject *s, const espl_judge_options *options, espl_error *err)
{
	const espl_tensor *in = &s->model->net->tensors[s->model->net->inputs[0]];
	const bool by_convention = options->input_scale <= 0;
	const bool of_bytes = by_convention && fabs(in->scale - 1) <= 1.0 / 255;
	const espl_quantizer q = quantizer_of(in);

	if (by_convention && !of_bytes && fabs(in->scale * 255 - 1) > 1.0 / 255)
		return espl_fail(err, ESPL_RANGE,
		                 "the input's scale is %g, neither that of byte / 255 (%g) nor of "
		                 "bytes (1): say what a byte's step is worth by --input-scale",
		                 in->scale, 1.0 / 255);
	for (int byte = 0; byte < 256; byte++)
		s->stored[byte] = (int8_t)espl_store_value(&q, of_bytes ? (float)byte * q.step
		                                                        : s->values[byte]);
	return ESPL_OK;
}

/* Bytes that a sample takes in all of a model's tensors. */
static int64_t sample_bytes(const espl_judged *model)
{
	const int count = model->net ? model->net->tensor_count : model->graph->value_count;
	int64_t bytes = 1;

	for (int i = 0; i < count; i++)
		bytes += (int64_t)result_elements(model, i) * (model->net ? 1 : 4);
	return bytes;
}

/* As many samples at a time as a bounded memory holds. */
static int choose_batch(const espl_judged *model)
{
	const int64_t fit = MEMORY_BYTES / sample_bytes(model);

	return fit < 1 ? 1 : fit > BATCH_MOST ? BATCH_MOST : (int)fit;
}

static espl_status open_model(espl_subject *s, const espl_samples *samples,
                              const espl_judge_options *options, espl_error *err)
{
	const int batch = choose_batch(s->model), threads = options->threads;

	s->batch = batch;
	fill_values(s, options);
	ESPL_TRY(check_shapes(s->model, samples, err));
	s->elements = samples->rows * samples->columns * samples->channels;
	s->classes = samples->classes;
	find_results(s->model, &s->result, &s->logits);
	if (result_elements(s->model, s->logits) != s->classes)
		s->logits = s->result;
	s->results = ESPL_ARRAY(s->arena, float, (size_t)batch * s->classes);
	if (s->model->graph) {
		s->floats = espl_arena_calloc(s->arena, (size_t)batch,
		                              (size_t)s->elements * sizeof(float));
		return espl_graph_run_create(s->model->graph, batch, threads, false, &s->graph,
		                             err);
	}
	s->inputs = espl_arena_calloc(s->arena, (size_t)batch, (size_t)s->elements);
	if (samples->bytes)
		ESPL_TRY(fill_stored(s, options, err));
	return espl_net_run_create(s->model->net, batch, threads, &s->net, err);
}

espl_status espl_subject_create(const espl_judged *model, const espl_samples *samples,
                                const espl_judge_options *options, espl_subject **out,
                                espl_error *err)
{
	espl_arena *arena = espl_arena_create();
	espl_subject *subject = ESPL_NEW(arena, espl_subject);
	espl_status status;

	subject->arena = arena;
	subject->model = model;
	status = open_model(subject, samples, options, err);
	if (status) {
		espl_subject_destroy(subject);
		return espl_context(err, status, model->name);
	}
	*out = subject;
	return ESPL_OK;
}

void espl_subject_destroy(espl_subject *subject)
{
	if (!subject)
		return;
	espl_net_run_destroy(subject->net);
	espl_graph_run_destroy(subject->graph);
	espl_arena_destroy(subject->arena);
}

static void run_graph(espl_subject *s, const uint8_t *bytes, const float *floats, int count)
{
	const size_t all = (size_t)count * s->elements;
	const float *inputs = floats;

	if (bytes) {
		for (size_t i = 0; i < all; i++)
			s->floats[i] = s->values[bytes[i]];
		inputs = s->floats;
	}
	espl_graph_run_forward(s->graph, &inputs, count);
}

static void run_net(espl_subject *s, const uint8_t *bytes, const float *floats, int count)
{
	const espl_quantizer q = quantizer_of(&s->model->net->tensors[s->model->net->inputs[0]]);
	const size_t all = (size_t)count * s->elements;
	const int8_t *inputs = s->inputs;

	if (bytes)
		for (size_t i = 0; i < all; i++)
			s->inputs[i] = s->stored[bytes[i]];
	else
		for (size_t i = 0; i < all; i++)
			s->inputs[i] = (int8_t)espl_store_value(&q, floats[i]);
	espl_net_run_forward(s->net, &inputs, count);
}

/* The values of one result of all samples. */
static void read_results(espl_subject *s, int which, int count, float *out)
{
	const espl_tensor *tensor;
	const int8_t *stored;

	if (s->graph) {
		espl_graph_run_read(s->graph, which, out);
		return;
	}
	tensor = &s->model->net->tensors[which];
	stored = espl_net_run_tensor(s->net, which);
	for (size_t i = 0; i < (size_t)count * s->classes; i++)
		out[i] = (float)((stored[i] - tensor->zero_point) * tensor->scale);
}

static void run_batch(espl_subject *s, const uint8_t *bytes, const float *floats, int count,
                      uint8_t *answers, float *logits)
{
	if (s->graph)
		run_graph(s, bytes, floats, count);
	else
		run_net(s, bytes, floats, count);
	read_results(s, s->result, count, s->results);
	for (int i = 0; i < count; i++)
		answers[i] = (uint8_t)espl_argmax(s->results + (size_t)i * s->classes, s->classes);
	if (logits)
		read_results(s, s->logits, count, logits);
}

void espl_subject_run(espl_subject *s, const uint8_t *bytes, const float *floats, int count,
                      uint8_t *answers, float *logits)
{
	for (int first = 0; first < count; first += s->batch) {
		const size_t at = (size_t)first * s->elements;

		run_batch(s, bytes ? bytes + at : NULL, floats ? floats + at : NULL,
		          count - first < s->batch ? count - first : s->batch, answers + first,
		          logits ? logits + (size_t)first * s->classes : NULL);
	}
}
