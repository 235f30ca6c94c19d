/* Loops that the compiler vectorizes for what the processor has.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESPL_MATH_SIMD_H
#define ESPL_MATH_SIMD_H

/* In front of a function: it is compiled for several levels of x86-64, and the best that the
 * processor has is taken when the program starts. Results may differ between levels in the last
 * bits, never between runs on one machine. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && \
        !defined(__SANITIZE_ADDRESS__) && defined(__OPTIMIZE__)
#define ESPL_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ESPL_SIMD
#endif

#endif
