// SPDX-License-Identifier: LGPL-2.1-or-later
// What the machine can do with the device and precision asked for.
#pragma once

#include <string>

#include "core/base/backend.h"
#include "core/method.h"

namespace uad {

/// "auto" takes a CUDA device where one works, the CPU otherwise.
/// @param calibrated  the model's own precision, meant by "model". Where the CPU does not compute
/// it, float32 takes its place and one warning says so.
/// @throws Error(kNoDevice) naming what the machine lacks although it was asked for by name;
/// Error(kBadOption) for an unknown name.
Execution resolve_execution(const ExecutionOptions& options, const std::string& calibrated);

/// The part of resolve_execution() that concerns the precision.
/// @param device  resolved. @param cpu_bf16  see cpu_computes_bf16().
std::string resolve_precision(const std::string& wish, const std::string& calibrated,
                              const std::string& device, bool cpu_bf16);

/// Whether bfloat16 is faster than float32 on this CPU (AVX512-BF16 or AMX).
bool cpu_has_fast_bf16();

}  // namespace uad
