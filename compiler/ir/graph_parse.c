/* A graph out of JSON text that nobody has checked.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/base64.h"
#include "base/json.h"
#include "ir/graph.h"
#include "ir/net.h"

#include <math.h>
#include <string.h>

enum { FORMAT = 1, COUNT_MAX = 1 << 16 };

struct reader {
	espl_arena *arena;   /* of the graph */
	espl_arena *scratch; /* until the parse is over */
	espl_graph *graph;
	espl_error *err;
};

static espl_status read_float(struct reader *in, const espl_json *object, const char *key,
                              float *out)
{
	double value;

	ESPL_TRY(espl_json_number(object, key, &value, in->err));
	if (!(fabs(value) <= 3e38))
		return espl_fail(in->err, ESPL_RANGE, "\"%s\" is %g, no float32", key, value);
	*out = (float)value;
	return ESPL_OK;
}

static espl_status read_name(struct reader *in, const espl_json *object, const char **name)
{
	ESPL_TRY(espl_json_string(object, "name", name, in->err));
	*name = espl_arena_string(in->arena, *name);
	return ESPL_OK;
}

/* Reads `count` floats; the text's length is right before memory is taken. */
static espl_status read_floats(struct reader *in, const espl_json *object, const char *key,
                               int64_t count, float **out)
{
	const char *text;
	unsigned char *bytes;
	float *values;

	ESPL_TRY(espl_json_string(object, key, &text, in->err));
	if (count > ESPL_MAX_ELEMENTS)
		return espl_fail(in->err, ESPL_RANGE, "\"%s\" has %lld values, at most %d", key,
		                 (long long)count, (int)ESPL_MAX_ELEMENTS);
	if (strlen(text) != (size_t)((4 * count + 2) / 3 * 4))
		return espl_fail(in->err, ESPL_SHAPE,
		                 "\"%s\" has %zu characters, %lld values are %lld characters", key,
		                 strlen(text), (long long)count,
		                 (long long)((4 * count + 2) / 3 * 4));
	bytes = espl_arena_calloc(in->scratch, (size_t)count, 4);
	ESPL_TRY(espl_context(in->err, espl_base64_decode(text, (size_t)count * 4, bytes, in->err),
	                      key));
	values = ESPL_ARRAY(in->arena, float, count);
	for (int64_t i = 0; i < count; i++) {
		const unsigned char *b = bytes + 4 * i;
		const uint32_t word = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
		                      (uint32_t)b[3] << 24;

		memcpy(&values[i], &word, sizeof(word));
	}
	*out = values;
	return ESPL_OK;
}

static espl_status read_pair(struct reader *in, const espl_json *object, const char *key, int *rows,
                             int *columns)
{
	int64_t *pair;

	ESPL_TRY(espl_json_exactly(object, key, 1, INT16_MAX, 2, in->scratch, &pair, in->err));
	*rows = (int)pair[0];
	*columns = (int)pair[1];
	return ESPL_OK;
}

static espl_status read_pads(struct reader *in, const espl_json *object, espl_node *node)
{
	int64_t *pads;

	ESPL_TRY(espl_json_exactly(object, "pads", 0, ESPL_MAX_ELEMENTS, 4, in->scratch, &pads,
	                           in->err));
	node->pad_top = (int)pads[0];
	node->pad_bottom = (int)pads[1];
	node->pad_left = (int)pads[2];
	node->pad_right = (int)pads[3];
	return ESPL_OK;
}

static espl_status read_window(struct reader *in, const espl_json *object, espl_node *node)
{
	ESPL_TRY(read_pair(in, object, "kernel", &node->kernel_rows, &node->kernel_columns));
	ESPL_TRY(read_pair(in, object, "strides", &node->stride_rows, &node->stride_columns));
	ESPL_TRY(read_pair(in, object, "dilations", &node->dilation_rows, &node->dilation_columns));
	return read_pads(in, object, node);
}

static espl_status read_kind(struct reader *in, const espl_json *object, espl_node_kind *kind)
{
	const char *text;

	ESPL_TRY(espl_json_string(object, "kind", &text, in->err));
	for (int i = 0; i < ESPL_NODE_COUNT; i++) {
		if (!strcmp(text, espl_node_name((espl_node_kind)i))) {
			*kind = (espl_node_kind)i;
			return ESPL_OK;
		}
	}
	return espl_fail(in->err, ESPL_SYNTAX, "nodes of kind \"%.60s\" are unknown", text);
}

/* Reads what only nodes of this kind have, besides their arrays. */
static espl_status read_rest(struct reader *in, const espl_json *object, espl_node *node)
{
	switch (node->kind) {
	case ESPL_NODE_CONV:
		ESPL_TRY(espl_json_int(object, "groups", 1, ESPL_MAX_ELEMENTS, &node->groups,
		                       in->err));
		return read_window(in, object, node);
	case ESPL_NODE_DEPTHWISE:
		ESPL_TRY(espl_json_int(object, "depth_multiplier", 1, ESPL_MAX_ELEMENTS,
		                       &node->depth_multiplier, in->err));
		return read_window(in, object, node);
	case ESPL_NODE_AVERAGE_POOL:
		ESPL_TRY(espl_json_bool(object, "count_pads", &node->count_pads, in->err));
		return read_window(in, object, node);
	case ESPL_NODE_MAX_POOL:
		return read_window(in, object, node);
	case ESPL_NODE_BATCH_NORM:
		return read_float(in, object, "epsilon", &node->epsilon);
	case ESPL_NODE_CLIP:
		if (espl_json_has(object, "low"))
			ESPL_TRY(read_float(in, object, "low", &node->low));
		if (espl_json_has(object, "high"))
			ESPL_TRY(read_float(in, object, "high", &node->high));
		return ESPL_OK;
	case ESPL_NODE_LEAKY:
		return read_float(in, object, "slope", &node->slope);
	case ESPL_NODE_HARD_SIGMOID:
		ESPL_TRY(read_float(in, object, "slope", &node->slope));
		return read_float(in, object, "shift", &node->shift);
	case ESPL_NODE_PAD:
		return read_pads(in, object, node);
	case ESPL_NODE_UPSAMPLE:
		return read_pair(in, object, "factors", &node->stride_rows, &node->stride_columns);
	default:
		return ESPL_OK;
	}
}

static espl_status read_node(struct reader *in, const espl_json *object, espl_node *node)
{
	const int last = in->graph->value_count - 1;
	espl_parameter parameters[ESPL_NODE_PARAMETERS];
	int64_t *inputs;
	int count;

	*node = espl_node_default(ESPL_NODE_CONV, NULL);
	ESPL_TRY(read_kind(in, object, &node->kind));
	ESPL_TRY(read_name(in, object, &node->name));
	ESPL_TRY(espl_json_int(object, "output", 0, last, &node->output, in->err));
	ESPL_TRY(espl_json_integers(object, "inputs", 0, last, in->scratch, &inputs,
	                            &node->input_count, in->err));
	if (node->input_count < 1 || node->input_count > ESPL_NODE_INPUTS)
		return espl_fail(in->err, ESPL_SHAPE, "%d inputs, 1 to %d are allowed",
		                 node->input_count, (int)ESPL_NODE_INPUTS);
	for (int i = 0; i < node->input_count; i++)
		node->inputs[i] = (int)inputs[i];
	ESPL_TRY(read_rest(in, object, node));
	if (espl_json_has(object, "weight_bits"))
		ESPL_TRY(espl_json_int(object, "weight_bits", 2, 8, &node->weight_bits, in->err));
	count = espl_node_parameters(in->graph, node, parameters);
	for (int i = 0; i < count; i++) {
		const bool may_miss = parameters[i].values == &node->bias ||
		                      parameters[i].values == &node->weight_steps;

		if (!may_miss || espl_json_has(object, parameters[i].name))
			ESPL_TRY(read_floats(in, object, parameters[i].name, parameters[i].count,
			                     parameters[i].values));
	}
	return ESPL_OK;
}

static espl_status read_value(struct reader *in, const espl_json *object, espl_value *value)
{
	espl_quantizer *quantizer = &value->quantizer;
	int64_t *shape;

	ESPL_TRY(read_name(in, object, &value->name));
	ESPL_TRY(espl_json_exactly(object, "shape", 1, ESPL_MAX_ELEMENTS, 3, in->scratch, &shape,
	                           in->err));
	value->rows = (int)shape[0];
	value->columns = (int)shape[1];
	value->channels = (int)shape[2];
	if (!espl_json_has(object, "bits"))
		return ESPL_OK;
	ESPL_TRY(espl_json_int(object, "bits", 2, 8, &quantizer->bits, in->err));
	ESPL_TRY(read_float(in, object, "step", &quantizer->step));
	ESPL_TRY(espl_json_int(object, "zero_point", INT8_MIN, UINT8_MAX, &quantizer->zero_point,
	                       in->err));
	ESPL_TRY(espl_json_int(object, "low", INT8_MIN, UINT8_MAX, &quantizer->low, in->err));
	return espl_json_int(object, "high", INT8_MIN, UINT8_MAX, &quantizer->high, in->err);
}

/* Finds an array of the document and counts it. */
static espl_status open_array(struct reader *in, const espl_json *document, const char *key,
                              int least, const espl_json **array, int *count)
{
	ESPL_TRY(espl_json_array(document, key, array, in->err));
	*count = espl_json_count(*array);
	if (*count < least || *count > COUNT_MAX)
		return espl_fail(in->err, ESPL_RANGE,
		                 "\"%s\" has %d entries, it must have %d to %d", key, *count, least,
		                 (int)COUNT_MAX);
	return ESPL_OK;
}

static espl_status read_borders(struct reader *in, const espl_json *document, const char *key,
                                int **values, int *count)
{
	const espl_json *array;
	int64_t *wide;

	ESPL_TRY(open_array(in, document, key, 1, &array, count));
	ESPL_TRY(espl_json_integers(document, key, 0, in->graph->value_count - 1, in->scratch,
	                            &wide, count, in->err));
	*values = ESPL_ARRAY(in->arena, int, *count);
	for (int i = 0; i < *count; i++)
		(*values)[i] = (int)wide[i];
	return ESPL_OK;
}

/* Names the entry of an array in which a failure happened. */
static espl_status in_entry(struct reader *in, espl_status status, const char *what, int index)
{
	return espl_context(in->err, status, espl_arena_format(in->scratch, "%s %d", what, index));
}

static espl_status read_graph(struct reader *in, const espl_json *document)
{
	espl_graph *graph = in->graph;
	const espl_json *array;
	int format, i = 0;

	ESPL_TRY(espl_json_int(document, "graph_format", FORMAT, FORMAT, &format, in->err));
	ESPL_TRY(read_name(in, document, &graph->name));
	ESPL_TRY(open_array(in, document, "values", 1, &array, &graph->value_count));
	graph->values = ESPL_ARRAY(in->arena, espl_value, graph->value_count);
	for (const espl_json *at = espl_json_first(array); at; at = espl_json_next(at), i++)
		ESPL_TRY(in_entry(in, read_value(in, at, &graph->values[i]), "value", i));
	ESPL_TRY(read_borders(in, document, "inputs", &graph->inputs, &graph->input_count));
	ESPL_TRY(read_borders(in, document, "outputs", &graph->outputs, &graph->output_count));
	ESPL_TRY(open_array(in, document, "nodes", 0, &array, &graph->node_count));
	graph->nodes = ESPL_ARRAY(in->arena, espl_node, graph->node_count);
	i = 0;
	for (const espl_json *at = espl_json_first(array); at; at = espl_json_next(at), i++)
		ESPL_TRY(in_entry(in, read_node(in, at, &graph->nodes[i]), "node", i));
	return espl_graph_check(graph, in->err);
}

espl_status espl_graph_parse(const char *text, size_t size, espl_arena *arena, espl_graph **graph,
                             espl_error *err)
{
	const espl_mark before = espl_arena_mark(arena);
	struct reader in = {arena, NULL, NULL, err};
	espl_json *document;
	espl_status status;

	ESPL_TRY(espl_json_parse(text, size, &document, err));
	in.scratch = espl_arena_create();
	in.graph = ESPL_NEW(arena, espl_graph);
	status = read_graph(&in, document);
	if (status == ESPL_OK)
		*graph = in.graph;
	else
		espl_arena_release(arena, before);
	espl_arena_destroy(in.scratch);
	espl_json_destroy(document);
	return status;
}
