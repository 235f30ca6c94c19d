/* What every cmocka program includes, in the order that cmocka wants.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_TESTS_UNIT_H
#define ESPL_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
