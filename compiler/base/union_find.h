/* Sets that grow together: union-find over the numbers of an array.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_UNION_FIND_H
#define ESPL_BASE_UNION_FIND_H

/* The least member of the set of `i`.
 *   in    parent  parent[i] is i at first; shortened on the way
 *   cost  near constant */
static inline int espl_set_of(int *parent, int i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

/* Makes one set of those of `a` and `b`. */
static inline void espl_set_unite(int *parent, int a, int b)
{
	a = espl_set_of(parent, a);
	b = espl_set_of(parent, b);
	if (a != b)
		parent[a > b ? a : b] = a > b ? b : a;
}

#endif
