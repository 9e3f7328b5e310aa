// SPDX-License-Identifier: LGPL-2.1-or-later
// The process's one pool of compute threads, and the scope that work on it runs in.
#pragma once

#include <c10/core/InferenceMode.h>

namespace uad {

/// Asks for a pool of `wish` threads (0 = one per core). All models of the process share it, so the
/// largest wish wins; a change is logged. Nothing else may set LibTorch's thread count.
/// @return threads in use. @throws Error(kBadOption) if `wish` is negative or above 1024.
/// @note Thread-safe; other threads follow at their next ComputeScope.
int use_threads(int wish);

/// Puts the calling thread on the pool as wished for so far. @note Thread-safe.
void join_pool();

/// Around every prediction: the thread computes on the pool and records nothing for gradients.
class ComputeScope {
 public:
  ComputeScope() { join_pool(); }

 private:
  c10::InferenceMode inference_;
};

}  // namespace uad
