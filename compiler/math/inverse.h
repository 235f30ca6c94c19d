/* The triangular factor of an inverse, for second-order rounding.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_MATH_INVERSE_H
#define ESPL_MATH_INVERSE_H

#include <stdbool.h>

/* Replaces a symmetric positive definite matrix by the upper triangular `u` with u^T * u = its
 * inverse; what lies below the diagonal becomes 0.
 *   in    matrix  [n][n]
 *   out   false, and a spoilt matrix: it is not positive definite
 *   cost  2/3 n^3 multiplications */
bool espl_inverse_factor(int n, double *matrix);

#endif
