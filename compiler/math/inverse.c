/* Cholesky's factorization from the last row up, and the factor's inverse.
 * SPDX-License-Identifier: Apache-2.0
 *
 * With H = r * r^T for an upper triangular r, the inverse of H is (1/r)^T * (1/r): one
 * factorization and one inversion of a triangle, in place. Inner loops run along rows, so that
 * they vectorize without changing the order of sums.
 */
#include "math/inverse.h"

#include <math.h>
#include <stddef.h>

/* a[i] -= factor * b[i] */
static void subtract(int count, double factor, const double *b, double *a)
{
	for (int i = 0; i < count; i++)
		a[i] -= factor * b[i];
}

/* The lower triangle of `m` becomes r^T: m = r * r^T. Row j of r^T is what column j of r is. */
static bool factor(int n, double *m)
{
	for (int j = n - 1; j >= 0; j--) {
		double *row = m + (size_t)j * (size_t)n;
		const double pivot = row[j];
		double root;

		if (!(pivot > 0) || !isfinite(pivot))
			return false;
		root = sqrt(pivot);
		for (int i = 0; i < j; i++)
			row[i] /= root;
		row[j] = root;
		for (int i = 0; i < j; i++)
			subtract(i + 1, row[i], row, m + (size_t)i * (size_t)n);
	}
	return true;
}

/* The upper triangle becomes 1 / r, from the lower one, which is r^T. With u = 1 / r, row i of u is
 * (e_i - sum over k > i of r[i][k] * row k of u) / r[i][i]. */
static void invert(int n, double *m)
{
	for (int i = n - 1; i >= 0; i--) {
		double *row = m + (size_t)i * (size_t)n;
		const double diagonal = row[i];

		for (int k = i + 1; k < n; k++)
			row[k] = 0;
		for (int k = n - 1; k > i; k--) {
			const double *other = m + (size_t)k * (size_t)n;

			/* r[i][k] is still in the lower triangle; u[k][k] is on the diagonal */
			subtract(n - k, other[i], other + k, row + k);
		}
		for (int k = i + 1; k < n; k++)
			row[k] /= diagonal;
		row[i] = 1 / diagonal;
	}
}

bool espl_inverse_factor(int n, double *matrix)
{
	if (!factor(n, matrix))
		return false;
	invert(n, matrix);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			matrix[(size_t)i * (size_t)n + (size_t)j] = 0;
	return true;
}
