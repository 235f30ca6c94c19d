/* The engine's parameters: its array and how deep each memory is.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_ENGINE_H
#define ESPL_IR_ENGINE_H

#include "base/json.h"

/* X(parameter): of rtl/shell/espl_engine.sv, in the order of its identity. */
#define ESPL_ENGINE_LIST(X) \
	X(Lanes)            \
	X(Splits)           \
	X(Requantizers)     \
	ESPL_MEMORY_LIST(X)
#define ESPL_MEMORY_LIST(X) \
	X(Doubles)          \
	X(WideDepth)        \
	X(WideExtra)        \
	X(NarrowDepth)      \
	X(TapDepth)         \
	X(PadMax)           \
	X(MaxPool)          \
	X(Tables)           \
	X(ParamDepth)       \
	X(GroupDepth)       \
	X(BlockDepth)       \
	X(EntryDepth)       \
	X(PatternDepth)     \
	X(LayerDepth)       \
	X(OutputDepth)

typedef struct {
#define X(name) int name;
	ESPL_ENGINE_LIST(X)
#undef X
} espl_engine;

/* Reads all parameters from an object such as a manifest's "engine".
 *   fails  ESPL_SYNTAX, ESPL_RANGE naming the parameter */
espl_status espl_engine_read(const espl_json *object, espl_engine *out, espl_error *err);
/* The same without Lanes, Splits and Requantizers, which stay as they are. */
espl_status espl_engine_read_memories(const espl_json *object, espl_engine *out, espl_error *err);

#endif
