// SPDX-License-Identifier: LGPL-2.1-or-later
// Marks a loop that is worth one copy per instruction set; the loader picks the copy.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define UAD_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UAD_SIMD
#endif
