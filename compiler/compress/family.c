/* Networks of the family, built from their numbers.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/family.h"

#include "base/random.h"
#include "ir/graph_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHTS_STREAM = 0x77656967 };

/* X(field, low, high, is a switch) */
#define FIELDS(X)                    \
	X(shrink, 1, 64, false)      \
	X(stages, 1, 5, false)       \
	X(depth, 1, 16, false)       \
	X(width, 1, 1024, false)     \
	X(most, 0, 4096, false)      \
	X(convolutions, 1, 4, false) \
	X(depthwise, 0, 1, true)     \
	X(residual, 0, 1, true)      \
	X(pool, 0, 1, true)          \
	X(stem, 0, 1, true)

enum field {
#define X(name, low, high, is_switch) FIELD_##name,
	FIELDS(X)
#undef X
	        FIELD_COUNT
};

static const struct {
	const char *name;
	int low, high;
	bool is_switch;
} fields[] = {
#define X(name, low, high, is_switch) {#name, low, high, is_switch},
        FIELDS(X)
#undef X
};

static int get(const espl_family *family, int field)
{
	switch ((enum field)field) {
#define X(name, low, high, is_switch) \
	case FIELD_##name:            \
		return (int)family->name;
		FIELDS(X)
#undef X
	case FIELD_COUNT:
		break;
	}
	return 0;
}

static void set(espl_family *family, int field, int value)
{
	switch ((enum field)field) {
	case FIELD_shrink:
		family->shrink = value;
		break;
	case FIELD_stages:
		family->stages = value;
		break;
	case FIELD_depth:
		family->depth = value;
		break;
	case FIELD_width:
		family->width = value;
		break;
	case FIELD_most:
		family->most = value;
		break;
	case FIELD_convolutions:
		family->convolutions = value;
		break;
	case FIELD_depthwise:
		family->depthwise = value;
		break;
	case FIELD_residual:
		family->residual = value;
		break;
	case FIELD_pool:
		family->pool = value;
		break;
	case FIELD_stem:
		family->stem = value;
		break;
	case FIELD_COUNT:
		break;
	}
}

espl_family espl_family_default(int rows, int columns, int channels, int classes)
{
	return (espl_family){.rows = rows,
	                     .columns = columns,
	                     .channels = channels,
	                     .classes = classes,
	                     .shrink = 1,
	                     .stages = 3,
	                     .depth = 1,
	                     .width = 16,
	                     .convolutions = 1};
}

static espl_status check_field(const espl_family *family, int f, espl_status status,
                               espl_error *err)
{
	const int value = get(family, f);

	if (value < fields[f].low || value > fields[f].high)
		return espl_fail(err, status, "family: %s is %d, it must be %d to %d",
		                 fields[f].name, value, fields[f].low, fields[f].high);
	return ESPL_OK;
}

/* One "key=value" or "key". */
static espl_status parse_one(const char *text, size_t length, espl_family *family, espl_error *err)
{
	const char *equals = memchr(text, '=', length);
	const size_t name = equals ? (size_t)(equals - text) : length;
	char *end;

	for (int f = 0; f < FIELD_COUNT; f++) {
		long value = 1;

		if (strlen(fields[f].name) != name || memcmp(fields[f].name, text, name) != 0)
			continue;
		if (equals) {
			value = strtol(equals + 1, &end, 10);
			if (end == equals + 1 || end != text + length || value < 0 ||
			    value > 1 << 20)
				return espl_fail(err, ESPL_USAGE, "family: %.*s is no number",
				                 (int)length, text);
		} else if (!fields[f].is_switch) {
			return espl_fail(err, ESPL_USAGE, "family: %s wants a number, as in %s=2",
			                 fields[f].name, fields[f].name);
		}
		set(family, f, (int)value);
		return check_field(family, f, ESPL_USAGE, err);
	}
	return espl_fail(err, ESPL_USAGE,
	                 "family: %.*s is unknown; there are shrink, stages, depth, width, most, "
	                 "convolutions, depthwise, residual, pool, stem",
	                 (int)(name < 40 ? name : 40), text);
}

espl_status espl_family_parse(const char *text, espl_family *family, espl_error *err)
{
	espl_family read = *family;

	while (*text) {
		const size_t length = strcspn(text, ",");

		ESPL_TRY(parse_one(text, length, &read, err));
		text += length;
		text += *text == ',';
	}
	*family = read;
	return ESPL_OK;
}

const char *espl_family_text(const espl_family *family, espl_arena *arena)
{
	const espl_family plain = espl_family_default(1, 1, 1, 1);
	const char *text = espl_arena_format(arena, "width=%d", family->width);

	for (int f = 0; f < FIELD_COUNT; f++) {
		const int value = get(family, f);

		if (f == FIELD_width || value == get(&plain, f))
			continue;
		text = fields[f].is_switch
		               ? espl_arena_format(arena, "%s,%s", text, fields[f].name)
		               : espl_arena_format(arena, "%s,%s=%d", text, fields[f].name, value);
	}
	return text;
}

static int relu(espl_graph_builder *b, int value)
{
	espl_node node = espl_node_default(ESPL_NODE_CLIP, NULL);

	node.input_count = 1;
	node.inputs[0] = value;
	node.low = 0;
	return espl_graph_add(b, node, 0, false);
}

static int window(espl_graph_builder *b, espl_node_kind kind, int value, int kernel, int stride,
                  int channels)
{
	espl_node node = espl_node_default(kind, NULL);

	node.input_count = 1;
	node.inputs[0] = value;
	node.kernel_rows = node.kernel_columns = kernel;
	node.stride_rows = node.stride_columns = stride;
	if (kind == ESPL_NODE_CONV || kind == ESPL_NODE_DEPTHWISE)
		node.pad_top = node.pad_bottom = node.pad_left = node.pad_right = kernel / 2;
	return espl_graph_add(b, node, channels, false);
}

static int norm(espl_graph_builder *b, int value)
{
	return espl_graph_add_plain(b, ESPL_NODE_BATCH_NORM, value);
}

/* 3 x 3, up to and with the batch norm. */
static int convolve(espl_graph_builder *b, bool depthwise, int value, int stride, int channels)
{
	if (!depthwise)
		return norm(b, window(b, ESPL_NODE_CONV, value, 3, stride, channels));
	value = relu(b, norm(b, window(b, ESPL_NODE_DEPTHWISE, value, 3, stride, 0)));
	return norm(b, window(b, ESPL_NODE_CONV, value, 1, 1, channels));
}

/* A block; the addition comes in front of the last ReLU. */
static int add_block(espl_graph_builder *b, const espl_family *family, bool first, int value,
                     int stride, int channels)
{
	const espl_value input = b->graph->values[value];
	int inner = value;

	for (int i = 0; i < family->convolutions; i++) {
		const bool plain = !family->depthwise || (first && !i);

		if (i)
			inner = relu(b, inner);
		inner = convolve(b, !plain, inner, i ? 1 : stride, channels);
	}
	if (family->residual && stride == 1 && input.channels == channels) {
		espl_node add = espl_node_default(ESPL_NODE_ADD, NULL);

		add.input_count = 2;
		add.inputs[0] = inner;
		add.inputs[1] = value;
		inner = espl_graph_add(b, add, 0, false);
	}
	return relu(b, inner);
}

static int channels_of(const espl_family *family, int stage)
{
	const int channels = family->width << stage;

	return family->most && channels > family->most ? family->most : channels;
}

static int add_stage(espl_graph_builder *b, const espl_family *family, int stage, int value)
{
	const int channels = channels_of(family, stage);
	int stride = 1;

	if (stage && family->pool)
		value = window(b, ESPL_NODE_MAX_POOL, value, 2, 2, 0);
	else if (stage)
		stride = 2;
	if (!stage && family->stem)
		return relu(b, convolve(b, false, value, 1, channels));
	/* a residual stage widens first, so that all its blocks can add */
	if (family->residual) {
		value = relu(b, convolve(b, family->depthwise && stage, value, stride, channels));
		for (int i = 0; i < family->depth; i++)
			value = add_block(b, family, false, value, 1, channels);
		return value;
	}
	for (int i = 0; i < family->depth; i++)
		value = add_block(b, family, !stage && !i, value, i ? 1 : stride, channels);
	return value;
}

espl_status espl_family_build(const espl_family *family, uint32_t seed, espl_arena *arena,
                              espl_graph **graph, espl_error *err)
{
	const int smallest = family->rows < family->columns ? family->rows : family->columns;
	espl_node dense = espl_node_default(ESPL_NODE_DENSE, NULL);
	espl_graph_builder b;
	int value;

	for (int f = 0; f < FIELD_COUNT; f++)
		ESPL_TRY(check_field(family, f, ESPL_RANGE, err));
	if (smallest / family->shrink >> (family->stages - 1) < 1)
		return espl_fail(err, ESPL_RANGE,
		                 "family: an image of %d x %d is too small for shrink %d and %d "
		                 "stages",
		                 family->rows, family->columns, family->shrink, family->stages);
	b = espl_graph_build(arena, espl_family_text(family, arena));
	value = espl_graph_add_input(&b, "input", family->rows, family->columns, family->channels);
	if (family->shrink > 1)
		value = window(&b, ESPL_NODE_AVERAGE_POOL, value, family->shrink, family->shrink,
		               0);
	for (int stage = 0; stage < family->stages; stage++)
		value = add_stage(&b, family, stage, value);
	dense.input_count = 1;
	dense.inputs[0] = espl_graph_add_plain(&b, ESPL_NODE_MEAN, value);
	espl_graph_add_output(&b, espl_graph_add(&b, dense, family->classes, true));
	espl_graph_initialize(b.graph, seed);
	ESPL_TRY(espl_graph_check(b.graph, err));
	*graph = b.graph;
	return ESPL_OK;
}

/* Nearly normal, of mean 0 and variance 1, with the same bits everywhere: twelve uniform numbers.
 */
static float normal(espl_random *random)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += ((double)espl_random_next(random) + 0.5) / 4294967296.0;
	return (float)sum;
}

/* A ReLU behind it halves what comes out, but for dense layers. */
static void initialize_node(const espl_graph *graph, int index, uint32_t seed)
{
	espl_node *node = &graph->nodes[index];
	espl_random random = espl_random_stream(seed, WEIGHTS_STREAM, (uint32_t)index);
	const int64_t count = espl_node_weights(graph, node);
	const int channels = espl_node_outputs(graph, node);
	const double gain = node->kind == ESPL_NODE_DENSE ? 1 : 2;
	const float spread = (float)sqrt(gain * channels / (double)count);

	for (int64_t i = 0; i < count; i++)
		node->weights[i] = spread * normal(&random);
	if (node->bias)
		memset(node->bias, 0, (size_t)channels * sizeof(*node->bias));
}

void espl_graph_initialize(espl_graph *graph, uint32_t seed)
{
	for (int i = 0; i < graph->node_count; i++) {
		espl_node *node = &graph->nodes[i];

		if (node->weights)
			initialize_node(graph, i, seed);
		for (int c = 0; node->gain && c < espl_node_outputs(graph, node); c++) {
			node->gain[c] = node->variance[c] = 1;
			node->offset[c] = node->mean[c] = 0;
		}
	}
}
