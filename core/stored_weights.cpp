// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/stored_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

TensorMap read_weights(const CheckpointReader& in, const WeightShapes& shapes,
                       const std::string& prefix) {
  TensorMap weights = in.with_prefix(prefix);
  std::erase_if(weights, [&](const auto& one) { return !shapes.contains(one.first); });
  for (const auto& [name, shape] : shapes) {
    const auto found = weights.find(name);
    const bool fits = found != weights.end() && found->second.scalar_type() == at::kFloat &&
                      found->second.sizes() == at::IntArrayRef(shape);
    if (!fits) {
      throw Error(
          ErrorCode::kBadFile,
          fmt::format("Tensor '{}{}' is missing in {} or has another shape. Train the model "
                      "again.",
                      prefix, name, in.file_name()));
    }
  }
  require_numbers(weights, in, prefix);
  return weights;
}

void require_numbers(const TensorMap& weights, const CheckpointReader& in,
                     const std::string& prefix) {
  for (const auto& [name, tensor] : weights) {
    if (at::isfinite(tensor).all().item<bool>()) continue;
    throw Error(ErrorCode::kBadFile,
                fmt::format("Tensor '{}{}' in {} holds values that are not numbers. Train the "
                            "model again.",
                            prefix, name, in.file_name()));
  }
}

}  // namespace uad
