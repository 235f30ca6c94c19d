/* Time that passes.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_CLOCK_H
#define ESPL_BASE_CLOCK_H

/* Seconds of a clock that never goes back. */
double espl_seconds(void);

#endif
