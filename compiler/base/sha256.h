/* SHA-256 of bytes, as lock files name contents.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_BASE_SHA256_H
#define ESPL_BASE_SHA256_H

#include "base/arena.h"

/* The digest of `size` bytes, 64 lower-case hexadecimal digits in `arena`.
 *   from  FIPS 180-4 */
const char *espl_sha256(const void *data, size_t size, espl_arena *arena);

#endif
