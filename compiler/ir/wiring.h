/* What nets and graphs have in common: named things, each made once, before it is read.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_IR_WIRING_H
#define ESPL_IR_WIRING_H

#include "base/arena.h"
#include "base/status.h"

/* An operator or a node. Its inputs are read only where their count is in range. */
typedef struct {
	const char *name;
	int input_count;
	const int *inputs;
	int output;
} espl_maker;

typedef struct {
	const char *thing, *maker; /* in messages: "tensor" and "operator", "value" and "node" */
	int thing_count, maker_count, most_inputs;
	const char **names;       /* [thing_count] */
	const espl_maker *makers; /* [maker_count], in order of execution */
	int input_count, output_count;
	const int *inputs, *outputs; /* things */
} espl_wiring;

/* Checks that every name is there and unique among its kind.
 *   fails  ESPL_SHAPE, naming it */
espl_status espl_check_names(const espl_wiring *wiring, espl_error *err);

/* Checks that indices are in range and that each thing is made once, before it is read.
 *   fails  ESPL_SHAPE, naming the maker */
espl_status espl_check_flow(const espl_wiring *wiring, espl_error *err);

#endif
