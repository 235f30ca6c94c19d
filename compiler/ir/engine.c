/* The engine's parameters: its array and how deep each memory is.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ir/engine.h"

espl_status espl_engine_read(const espl_json *object, espl_engine *out, espl_error *err)
{
	espl_engine engine;
	int64_t value;

#define X(name)                                                              \
	ESPL_TRY(espl_json_integer(object, #name, 0, 1 << 20, &value, err)); \
	engine.name = (int)value;
	ESPL_ENGINE_LIST(X)
#undef X
	*out = engine;
	return ESPL_OK;
}
