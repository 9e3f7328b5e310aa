// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/compute_type.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

bool cpu_computes_bf16() {
  static const bool supported = [] {
    // Registered by LibTorch, but declared in no header.
    const auto asks =
        c10::Dispatcher::singleton().findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
    return asks && asks->typed<bool()>().call();
  }();
  return supported;
}

at::TensorOptions compute_options(const Execution& execution) {
  const auto options = at::TensorOptions().device(c10::Device(execution.device));
  if (execution.precision == "fp32") return options.dtype(at::kFloat);
  if (execution.precision == "bf16") return options.dtype(at::kBFloat16);
  if (execution.precision == "fp16") return options.dtype(at::kHalf);
  throw Error(ErrorCode::kBadOption,
              fmt::format("Precision \"{}\" is unknown, expected fp32, bf16 or fp16.",
                          execution.precision));
}

}  // namespace uad
