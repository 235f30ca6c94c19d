/* The engine's parameters: its array and how deep each memory is.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/engine.h"

#define READ(name) ESPL_TRY(espl_json_int(object, #name, 0, 1 << 20, &engine.name, err));

/* Requantizers that take two multipliers are some of them, and dense weights beyond the wide memory
 * are found by one address bit. */
static espl_status check(const espl_engine *engine, espl_error *err)
{
	if (engine->Doubles > engine->Requantizers)
		return espl_fail(err, ESPL_RANGE,
		                 "Doubles is %d: at most all of the %d requantizers can have two "
		                 "multipliers",
		                 engine->Doubles, engine->Requantizers);
	if (!engine->WideExtra || (!(engine->WideDepth & (engine->WideDepth - 1)) &&
	                           engine->WideExtra <= engine->WideDepth))
		return ESPL_OK;
	return espl_fail(
	        err, ESPL_RANGE,
	        "WideExtra is %d: it must be at most WideDepth, and WideDepth, %d, a power "
	        "of two",
	        engine->WideExtra, engine->WideDepth);
}

espl_status espl_engine_read_memories(const espl_json *object, espl_engine *out, espl_error *err)
{
	espl_engine engine = *out;

	ESPL_MEMORY_LIST(READ)
	ESPL_TRY(check(&engine, err));
	*out = engine;
	return ESPL_OK;
}

espl_status espl_engine_read(const espl_json *object, espl_engine *out, espl_error *err)
{
	espl_engine engine = {0};

	READ(Lanes)
	READ(Splits)
	READ(Requantizers)
	ESPL_TRY(espl_engine_read_memories(object, &engine, err));
	*out = engine;
	return ESPL_OK;
}
