/* Which nodes become one operator, and which values are stored alike.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compress/roles.h"

bool espl_has_weights(espl_node_kind kind)
{
	return kind == ESPL_NODE_CONV || kind == ESPL_NODE_DEPTHWISE || kind == ESPL_NODE_DENSE;
}

/* Operators of the net that end with bounds. */
static bool may_clamp(espl_node_kind kind)
{
	return espl_has_weights(kind) || kind == ESPL_NODE_ADD || kind == ESPL_NODE_MAX_POOL ||
	       kind == ESPL_NODE_AVERAGE_POOL || kind == ESPL_NODE_BATCH_NORM;
}

static bool moves(espl_node_kind kind)
{
	return kind == ESPL_NODE_RESHAPE || kind == ESPL_NODE_PAD || kind == ESPL_NODE_MAX_POOL ||
	       kind == ESPL_NODE_CONCAT || kind == ESPL_NODE_UPSAMPLE;
}

/* An average over as many cells everywhere is a depthwise convolution; else the net's own average
 * pool, which does not change the step. */
static bool keeps_step(const espl_node *node)
{
	const bool pads = node->pad_top || node->pad_bottom || node->pad_left || node->pad_right;

	return node->kind == ESPL_NODE_AVERAGE_POOL && pads && !node->count_pads;
}

/* Whether a node can be part of the one before it, which makes its input. */
static bool can_take(const espl_graph *graph, const espl_roles *roles, int node)
{
	const int input = graph->nodes[node].inputs[0], maker = roles->maker[input];

	if (maker < 0 || roles->reader_count[input] != 1 || graph->values[input].quantizer.bits)
		return false;
	if (graph->nodes[node].kind == ESPL_NODE_BATCH_NORM)
		return espl_has_weights(graph->nodes[maker].kind) ||
		       (roles->takes[maker] && graph->nodes[maker].kind == ESPL_NODE_BATCH_NORM);
	return graph->nodes[node].kind == ESPL_NODE_CLIP && may_clamp(graph->nodes[maker].kind);
}

static int find_group(const int *group, int value)
{
	while (group[value] != value)
		value = group[value];
	return value;
}

static void join(int *group, int a, int b)
{
	a = find_group(group, a);
	b = find_group(group, b);
	if (a < b)
		group[b] = a;
	else
		group[a] = b;
}

int espl_stored_output(const espl_graph *graph, const espl_roles *roles, int node)
{
	while (roles->taken_by[node] >= 0)
		node = roles->taken_by[node];
	return graph->nodes[node].output;
}

static bool has_input(const espl_graph *graph, const int *group, int value)
{
	value = find_group(group, value);
	for (int i = 0; i < graph->input_count; i++)
		if (find_group(group, graph->inputs[i]) == value)
			return true;
	return false;
}

/* An input's steps are its own: other values do not join it in a concat. */
static void find_groups(const espl_graph *graph, espl_roles *roles)
{
	for (int v = 0; v < graph->value_count; v++)
		roles->group[v] = v;
	for (int n = 0; n < graph->node_count; n++) {
		const espl_node *node = &graph->nodes[n];

		if (!moves(node->kind) && !keeps_step(node))
			continue;
		for (int i = 0; i < node->input_count; i++)
			if (node->kind != ESPL_NODE_CONCAT ||
			    !has_input(graph, roles->group, node->inputs[i]))
				join(roles->group, node->inputs[i],
				     espl_stored_output(graph, roles, n));
	}
	for (int v = 0; v < graph->value_count; v++)
		roles->group[v] = find_group(roles->group, v);
}

espl_roles espl_find_roles(const espl_graph *graph, espl_arena *arena)
{
	espl_roles roles = {
	        .stored = ESPL_ARRAY(arena, bool, graph->value_count),
	        .maker = ESPL_ARRAY(arena, int, graph->value_count),
	        .reader_count = ESPL_ARRAY(arena, int, graph->value_count),
	        .taken_by = ESPL_ARRAY(arena, int, graph->node_count),
	        .takes = ESPL_ARRAY(arena, bool, graph->node_count),
	        .group = ESPL_ARRAY(arena, int, graph->value_count),
	};

	for (int v = 0; v < graph->value_count; v++) {
		roles.maker[v] = -1;
		roles.stored[v] = true;
	}
	for (int n = 0; n < graph->node_count; n++) {
		roles.maker[graph->nodes[n].output] = n;
		roles.taken_by[n] = -1;
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			roles.reader_count[graph->nodes[n].inputs[i]]++;
	}
	for (int i = 0; i < graph->output_count; i++)
		roles.reader_count[graph->outputs[i]]++;
	for (int n = 0; n < graph->node_count; n++) {
		const int input = graph->nodes[n].inputs[0];

		if (!can_take(graph, &roles, n))
			continue;
		roles.takes[n] = true;
		roles.taken_by[roles.maker[input]] = n;
		roles.stored[input] = false;
	}
	find_groups(graph, &roles);
	return roles;
}

bool espl_is_table(const espl_roles *roles, const espl_graph *graph, int node)
{
	switch (graph->nodes[node].kind) {
	case ESPL_NODE_CLIP:
		return !roles->takes[node];
	case ESPL_NODE_LEAKY:
	case ESPL_NODE_SIGMOID:
	case ESPL_NODE_TANH:
	case ESPL_NODE_HARD_SIGMOID:
	case ESPL_NODE_HARD_SWISH:
		return true;
	default:
		return false;
	}
}
