// SPDX-License-Identifier: LGPL-2.1-or-later
// Loops on the pool of compute threads.
//
// at::parallel_for() looks like that too, but is a template: outside of LibTorch it is a plain loop
// on one thread unless the source that uses it is compiled for OpenMP.
#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace uad {

/// Calls `work` for parts of [begin, end), none smaller than `grain` save the last, on the pool's
/// threads at once; within another such loop on the calling thread alone. Workers are not in the
/// caller's InferenceMode: `work` computes on memory, not on tensors.
/// @throws what `work` throws. @note Thread-safe.
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  c10::function_ref<void(std::int64_t, std::int64_t)> work);

}  // namespace uad
