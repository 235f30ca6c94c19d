/* A benchmark as text for people, JSON for programs, a page with plots.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_JUDGE_REPORT_H
#define ESPL_JUDGE_REPORT_H

#include "judge/judge.h"

/* At most 100 columns; in `arena`. */
const char *espl_benchmark_text(const espl_benchmark *benchmark,
                                const espl_gate_state gates[ESPL_GATES], espl_arena *arena);

/* The JSON of docs/benchmark.md. */
const char *espl_benchmark_json(const espl_benchmark *benchmark,
                                const espl_gate_state gates[ESPL_GATES], espl_arena *arena,
                                size_t *size);

/* One HTML file that needs no other: tables and plots as SVG. */
const char *espl_benchmark_html(const espl_benchmark *benchmark,
                                const espl_gate_state gates[ESPL_GATES], espl_arena *arena,
                                size_t *size);

#endif
