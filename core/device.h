// SPDX-License-Identifier: LGPL-2.1-or-later
// What the machine can do with the device and precision asked for.
#pragma once

#include <string>

#include "core/base/backend.h"
#include "core/method.h"

namespace uad {

/// "auto" takes a CUDA device where one works, the CPU otherwise.
/// @param calibrated  the model's own precision, meant by "model".
/// @throws Error(kNoDevice) naming what the machine lacks; Error(kBadOption) for an unknown name.
Execution resolve_execution(const ExecutionOptions& options, const std::string& calibrated);

/// Whether bfloat16 is faster than float32 on this CPU (AVX512-BF16 or AMX).
bool cpu_has_fast_bf16();

}  // namespace uad
