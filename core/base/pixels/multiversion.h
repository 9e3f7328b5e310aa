// SPDX-License-Identifier: LGPL-2.1-or-later
// Loops that the compiler turns into vector code profit from wider vectors than every x86-64
// machine has.
#pragma once

/// Before a function: compiled twice, chosen when the library is loaded. Without effect where the
/// compiler or a sanitizer cannot do it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define UAD_MULTIVERSION __attribute__((target_clones("avx2", "default")))
#else
#define UAD_MULTIVERSION
#endif
