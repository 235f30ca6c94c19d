/* The benchmark of a compressed model: what it answers, on averages and on tails.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Up to three models answer the same test set: the one that is judged, the full one that it is
 * compared with, and a control that was trained as long without being compressed. docs/benchmark.md
 * defines every figure.
 */
#ifndef ESPL_JUDGE_JUDGE_H
#define ESPL_JUDGE_JUDGE_H

#include "data/data.h"
#include "ir/board.h"
#include "ir/bytes.h"
#include "judge/corrupt.h"

/* A model by its file's name: a net or a graph, the other NULL. */
typedef struct {
	const char *name;
	const espl_net *net;
	const espl_graph *graph;
} espl_judged;

enum { ESPL_BRIGHTNESS_PARTS = 4 };

typedef enum { ESPL_ROLE_MODEL, ESPL_ROLE_AGAINST, ESPL_ROLE_CONTROL, ESPL_ROLES } espl_role;

/* What an inference is priced on. */
typedef struct {
	espl_envelope envelope; /* of the engine */
	int64_t clock_hz;
	double idle_mw;      /* what the board draws when nothing is computed; 0: left out */
	double kwh_price;    /* of electricity, in any currency */
	double device_price; /* of the board, written off over five years of work; 0: left out */
} espl_pricing;

typedef struct {
	int64_t samples; /* the first so many; 0: all */
	bool corruptions;
	uint32_t seed; /* of the corruptions */
	int threads;
	/* A byte stands for byte * input_scale + input_offset; scale 0: by the convention
	 * (docs/benchmark.md). */
	double input_scale, input_offset;
	const espl_pricing *pricing; /* NULL: nothing is priced */
	/* Called now and then; NULL: not wanted. True ends the run with ESPL_INTERRUPTED. */
	bool (*progress)(void *user, const char *what, double share);
	void *user;
} espl_judge_options;

/* A part of the test set, and how much of it is answered right. */
typedef struct {
	const char *name; /* "class 6 under fog"; NULL: there is none large enough */
	int samples;
	double accuracy;
} espl_slice;

/* On an engine; cycles are the scheduler's, exact. The energy is an estimate (docs/benchmark.md).
 */
typedef struct {
	bool known;
	const char *why_not; /* in one line, when an engine was given but does not hold it */
	int lanes, splits, requantizers, multipliers; /* multipliers: DSPs */
	int64_t latency_cycles, interval_cycles, memory_bytes, block_rams;
	double latency_us;   /* at the clock */
	double energy_uj;    /* of one inference */
	double cost_million; /* of a million inferences */
} espl_cost;

/* What one model does. Shares are of 1; NAN where there is nothing to take a share of. */
typedef struct {
	const espl_judged *model;
	uint8_t *answers; /* [samples] */
	double accuracy;
	double *recall; /* [classes] */
	int worst_class;
	double worst_class_recall;
	double corruptions[ESPL_CORRUPTIONS][ESPL_STRENGTHS]; /* accuracies */
	double corruption_accuracy;                           /* their mean */
	espl_corruption worst_corruption;                     /* by the mean of its strengths */
	double brightness[ESPL_BRIGHTNESS_PARTS]; /* accuracy by quartiles, the darkest first */
	espl_slice worst_slice;
	double low_margin_accuracy; /* where the full model's margin is in the lowest tenth */
	double calibration_error, negative_log_likelihood;
	int64_t bytes;
	espl_work_count work;
	espl_cost cost;
} espl_judgement;

/* A model beside another: first the other one's, then this one's. */
typedef struct {
	double agreement; /* the share of samples with the same answer */
	int right_to_wrong, wrong_to_right, wrong_to_wrong;
	int *flips; /* samples of any of the three, ascending */
	int flip_count;
	double mcnemar_p;
	double drop, worst_class_drop, class_drop, slice_drop, corruption_drop; /* of 1 */
	int dropped_class;        /* that of class_drop, the greatest drop of a class */
	espl_slice dropped_slice; /* that of slice_drop, of this model */
} espl_comparison;

typedef struct {
	int samples, classes, low_margin_samples;
	int *class_samples; /* [classes] */
	bool corrupted;
	bool present[ESPL_ROLES];
	espl_judgement judgements[ESPL_ROLES];
	espl_comparison against, control; /* of the model with each */
} espl_benchmark;

/* Judges models on samples.
 *   in    models[role]  NULL: not there; the model itself must be
 *   out   *out, its arrays in `arena`
 *   fails ESPL_SHAPE, ESPL_RANGE: a model does not suit the data, naming it; ESPL_INTERRUPTED
 *   cost  76 passes over the samples for each model, one without corruptions */
espl_status espl_judge(const espl_judged *const models[ESPL_ROLES], const espl_samples *samples,
                       const espl_judge_options *options, espl_arena *arena, espl_benchmark *out,
                       espl_error *err);

/* Limits for a test in a row of tests: X(name, option, text, sign, needs another model). Values are
 * points (hundredths) unless the option says its unit; those of sign -1 are least values, of 1
 * most. */
#define ESPL_GATE_LIST(X)                                                                         \
	X(max_drop, "--max-drop", "the drop of accuracy", 1, true)                                \
	X(max_worst_class_drop, "--max-worst-class-drop", "the drop of the worst class's recall", \
	  1, true)                                                                                \
	X(max_class_drop, "--max-class-drop", "the greatest drop of a class's recall", 1, true)   \
	X(max_slice_drop, "--max-slice-drop", "the greatest drop of a slice", 1, true)            \
	X(max_corruption_drop, "--max-corruption-drop", "the drop under corruption", 1, true)     \
	X(max_flips, "--max-flips", "the share of answers flipped from right to wrong", 1, true)  \
	X(min_agreement, "--min-agreement", "the agreement", -1, true)                            \
	X(min_accuracy, "--min-accuracy", "the accuracy", -1, false)                              \
	X(min_worst_class, "--min-worst-class", "the worst class's recall", -1, false)            \
	X(min_low_margin, "--min-low-margin", "the accuracy in the lowest tenth of margins", -1,  \
	  false)                                                                                  \
	X(max_ece, "--max-ece", "the calibration error", 1, false)                                \
	X(max_bytes, "--max-bytes", "the size in bytes", 1, false)                                \
	X(max_latency_us, "--max-latency-us", "the latency in microseconds", 1, false)

typedef enum {
#define X(name, option, text, sign, other) ESPL_GATE_##name,
	ESPL_GATE_LIST(X)
#undef X
	        ESPL_GATES
} espl_gate;

const char *espl_gate_option(espl_gate gate); /* "--max-drop"; never NULL */
bool espl_gate_needs_other(espl_gate gate);

typedef struct {
	bool given;
	double limit;
	/* after espl_judge_gates */
	bool passed;
	double value;
} espl_gate_state;

/* Holds the figures against the limits that are given.
 *   fails ESPL_USAGE: a gate needs a model to compare with, or an engine; ESPL_GATE: the first gate
 *         that is not passed, with both numbers, and how many others are not */
espl_status espl_judge_gates(const espl_benchmark *benchmark, espl_gate_state gates[ESPL_GATES],
                             espl_error *err);

#endif
