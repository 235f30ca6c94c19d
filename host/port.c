/* Between the numbers of the model's own borders and what is stored.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "host/espalier.h"

#include <math.h>

/* Where element `index` of the tensor (rows, columns, channels) is in the model's own order. */
static size_t place(const espl_port *port, size_t index)
{
	const size_t sizes[3] = {(size_t)port->rows, (size_t)port->columns, (size_t)port->channels};
	size_t at[3], out = 0;

	if (port->order[0] + 3 * port->order[1] == 3) /* 0, 1, 2 */
		return index;
	at[2] = index % sizes[2];
	at[1] = index / sizes[2] % sizes[1];
	at[0] = index / sizes[2] / sizes[1];
	for (int k = 0; k < 3; k++)
		out = out * sizes[port->order[k]] + at[port->order[k]];
	return out;
}

int8_t espl_port_store(const espl_port *port, const void *values, size_t index)
{
	const size_t from = place(port, index);
	double scaled;
	float real;

	if (port->is_unsigned)
		return (int8_t)(((const uint8_t *)values)[from] - 128);
	if (!port->is_float)
		return ((const int8_t *)values)[from];
	real = ((const float *)values)[from];
	if (port->halves_to_even)
		scaled = (double)nearbyintf(real / (float)port->scale) + port->zero_point;
	else
		scaled = round((double)real / port->scale) + port->zero_point;
	return (int8_t)(scaled > INT8_MAX ? INT8_MAX : scaled > INT8_MIN ? scaled : INT8_MIN);
}

void espl_port_restore(const espl_port *port, int8_t stored, void *values, size_t index)
{
	const size_t to = place(port, index);

	if (port->is_unsigned)
		((uint8_t *)values)[to] = (uint8_t)(stored + 128);
	else if (!port->is_float)
		((int8_t *)values)[to] = stored;
	else
		((float *)values)[to] = (float)(stored - port->zero_point) * (float)port->scale;
}
