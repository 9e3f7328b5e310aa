// SPDX-License-Identifier: LGPL-2.1-or-later
// Loops that the compiler turns into vector code profit from wider vectors than every x86-64
// machine has.
#pragma once

/// Before a function: compiled once per instruction set, chosen when the library is loaded. Without
/// effect where the compiler or a sanitizer cannot do it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define UAD_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UAD_SIMD
#endif
