// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/parallel.h"

#include <ATen/Parallel.h>

#ifndef INTRA_OP_PARALLEL
#error "core/exec/parallel.cpp must be compiled for OpenMP, or all loops run on one thread."
#endif

namespace uad {

void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  c10::function_ref<void(std::int64_t, std::int64_t)> work) {
  at::parallel_for(begin, end, grain, work);
}

}  // namespace uad
