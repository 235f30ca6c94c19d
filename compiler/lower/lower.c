/* The integer graph in hardware's terms: the passes in order.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lower/lower.h"

#include "lower/pass.h"

static espl_status run_passes(espl_pass *pass, espl_error *err)
{
	const espl_net *net = pass->net;

	pass->views = ESPL_ARRAY(pass->arena, espl_view, net->tensor_count);
	pass->gone = ESPL_ARRAY(pass->arena, bool, net->op_count);
	pass->table_of = ESPL_ARRAY(pass->arena, int, net->op_count);
	pass->lowered = ESPL_NEW(pass->arena, espl_lowered);
	pass->lowered->net = net;
	ESPL_TRY(espl_find_views(pass, err));
	ESPL_TRY(espl_find_reach(pass, err));
	espl_find_removed(pass);
	return espl_make_layers(pass, err);
}

espl_status espl_lower(const espl_net *net, espl_arena *arena, espl_lowered **lowered,
                       espl_error *err)
{
	espl_pass pass = {.net = net, .arena = arena};

	ESPL_TRY(run_passes(&pass, err));
	*lowered = pass.lowered;
	return ESPL_OK;
}

espl_status espl_settle(espl_net *net, espl_arena *arena, int *moved, espl_error *err)
{
	espl_pass pass = {.net = net, .arena = arena, .settled = net};
	bool any = false;

	*moved = 0;
	for (int o = 0; o < net->op_count; o++)
		any |= net->ops[o].free_scales;
	if (any)
		ESPL_TRY(run_passes(&pass, err));
	*moved = pass.moved;
	return ESPL_OK;
}

const char *espl_lowered_certificate(const espl_lowered *lowered, espl_arena *arena)
{
	static const char *const kinds[] = {"conv",  "depthwise", "max",   "add",
	                                    "table", "dense",     "concat"};
	const char *text = espl_arena_format(
	        arena, "%-32s %-9s %8s %10s %10s %5s %5s %9s %8s  %s\n", "layer", "kind",
	        "channels", "least", "most", "acc", "mult", "removed", "compared", "proof");

	for (int l = 0; l < lowered->layer_count; l++) {
		const espl_layer *layer = &lowered->layers[l];
		const bool any = layer->least <= layer->most;
		const char *proof = layer->kind == ESPL_LAYER_ADD      ? "exact: all pairs"
		                    : layer->kind == ESPL_LAYER_CONCAT ? "moves bytes"
		                    : layer->checked                   ? "exact: all thresholds"
		                                                       : "exact: identity";

		text = espl_arena_format(
		        arena, "%s%-32.32s %-9s %8d %10lld %10lld %5d %5d %9d %8lld  %s\n", text,
		        layer->name, kinds[layer->kind], lowered->tensors[layer->output].channels,
		        any ? (long long)layer->least : 0, any ? (long long)layer->most : 0,
		        layer->accumulator_bits, layer->multiplier_bits, layer->constant_channels,
		        (long long)layer->checked, proof);
	}
	return text;
}
