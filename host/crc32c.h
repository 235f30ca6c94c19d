/* CRC-32C (Castagnoli) of a run of bytes.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_HOST_CRC32C_H
#define ESPL_HOST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of what `crc` covers and `data` after it; begin with 0.
 *   from  RFC 3720, B.4; rtl/link/espl_crc32c.sv computes the same */
uint32_t espl_crc32c(uint32_t crc, const void *data, size_t size);

#endif
