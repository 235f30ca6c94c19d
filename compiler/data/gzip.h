/* Gzipped files, in memory.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_DATA_GZIP_H
#define ESPL_DATA_GZIP_H

#include "base/file.h"

/* Whether the bytes start as a gzip file does. */
bool espl_is_gzip(espl_span packed);

/* Inflates a gzip file of one member, up to 1 GiB. The size that the file claims is believed only
 * as far as its packed bytes could hold it.
 *   out    *out in `arena`, one zero byte behind it
 *   fails  ESPL_SYNTAX: cut off, damaged, a wrong checksum or length, bytes behind the end;
 *          ESPL_RANGE: too large
 *   from   RFC 1952 */
espl_status espl_gunzip(espl_span packed, espl_arena *arena, espl_span *out, espl_error *err);

#endif
