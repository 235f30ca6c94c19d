/* Limits that a model must keep.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "judge/judge.h"

#include <math.h>

static const struct {
	const char *option, *text;
	int sign; /* 1: at most, -1: at least */
	bool needs_other;
} gates[] = {
#define X(name, option, text, sign, other) {option, text, sign, other},
        ESPL_GATE_LIST(X)
#undef X
};

const char *espl_gate_option(espl_gate gate)
{
	return gate < ESPL_GATES ? gates[gate].option : "?";
}

bool espl_gate_needs_other(espl_gate gate)
{
	return gates[gate].needs_other;
}

/* The figure of a gate, in its unit. */
static double value_of(const espl_benchmark *b, espl_gate gate)
{
	const espl_judgement *of = &b->judgements[ESPL_ROLE_MODEL];
	const espl_comparison *with = &b->against;

	switch (gate) {
	case ESPL_GATE_max_drop:
		return 100 * with->drop;
	case ESPL_GATE_max_worst_class_drop:
		return 100 * with->worst_class_drop;
	case ESPL_GATE_max_class_drop:
		return 100 * with->class_drop;
	case ESPL_GATE_max_slice_drop:
		return 100 * with->slice_drop;
	case ESPL_GATE_max_corruption_drop:
		return 100 * with->corruption_drop;
	case ESPL_GATE_max_flips:
		return 100.0 * with->right_to_wrong / b->samples;
	case ESPL_GATE_min_agreement:
		return 100 * with->agreement;
	case ESPL_GATE_min_accuracy:
		return 100 * of->accuracy;
	case ESPL_GATE_min_worst_class:
		return 100 * of->worst_class_recall;
	case ESPL_GATE_min_low_margin:
		return 100 * of->low_margin_accuracy;
	case ESPL_GATE_max_ece:
		return 100 * of->calibration_error;
	case ESPL_GATE_max_bytes:
		return (double)of->bytes;
	case ESPL_GATE_max_latency_us:
		return of->cost.known ? of->cost.latency_us : NAN;
	case ESPL_GATES:
		break;
	}
	return NAN;
}

espl_status espl_judge_gates(const espl_benchmark *b, espl_gate_state states[ESPL_GATES],
                             espl_error *err)
{
	int failed = 0, first = 0;

	for (int g = 0; g < ESPL_GATES; g++) {
		espl_gate_state *state = &states[g];

		if (!state->given)
			continue;
		if (gates[g].needs_other && !b->present[ESPL_ROLE_AGAINST])
			return espl_fail(err, ESPL_USAGE,
			                 "%s compares with another model: --against MODEL is "
			                 "missing",
			                 gates[g].option);
		state->value = value_of(b, (espl_gate)g);
		/* what could not be measured passes no gate; binary fractions of points do not
		 * decide */
		state->passed = gates[g].sign * (state->value - state->limit) <= 1e-9;
		if (!state->passed && !failed++)
			first = g;
	}
	if (!failed)
		return ESPL_OK;
	if (isnan(states[first].value))
		return espl_fail(err, ESPL_GATE, "%s: there is no figure of %s",
		                 gates[first].option, gates[first].text);
	if (failed > 1)
		return espl_fail(
		        err, ESPL_GATE, "%s: %s is %.6g, %s %.6g is allowed (%.3g %s); and %d more",
		        gates[first].option, gates[first].text, states[first].value,
		        gates[first].sign > 0 ? "at most" : "at least", states[first].limit,
		        fabs(states[first].value - states[first].limit),
		        gates[first].sign > 0 ? "too much" : "too little", failed - 1);
	return espl_fail(err, ESPL_GATE, "%s: %s is %.6g, %s %.6g is allowed (%.3g %s)",
	                 gates[first].option, gates[first].text, states[first].value,
	                 gates[first].sign > 0 ? "at most" : "at least", states[first].limit,
	                 fabs(states[first].value - states[first].limit),
	                 gates[first].sign > 0 ? "too much" : "too little");
}
