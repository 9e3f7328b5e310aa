// SPDX-License-Identifier: LGPL-2.1-or-later
// From the words of an Execution to LibTorch's type and device.
#pragma once

#include <c10/core/TensorOptions.h>

#include "core/method.h"

namespace uad {

/// Whether oneDNN computes in bfloat16 on this CPU at all: it needs AVX-512 or AVX-NE-CONVERT.
[[nodiscard]] bool cpu_computes_bf16();

/// @throws Error(kBadOption) for any precision but fp32, bf16 and fp16.
[[nodiscard]] at::TensorOptions compute_options(const Execution& execution);

}  // namespace uad
