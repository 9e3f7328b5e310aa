// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/backbones/weight_taker.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"

namespace uad::models {

WeightTaker::WeightTaker(const TensorMap& from, std::string origin, std::string network,
                         TensorMap& taken, at::TensorOptions place, double bn_eps)
    : from_(from),
      origin_(std::move(origin)),
      network_(std::move(network)),
      taken_(taken),
      place_(place),
      bn_eps_(bn_eps) {}

void WeightTaker::fail(const std::string& what) const {
  throw Error(ErrorCode::kBadFile,
              fmt::format("{} does not hold the weights of {}: {}. Choose the backbone that they "
                          "belong to, or fetch them again with scripts/fetch-weights.",
                          origin_, network_, what));
}

at::Tensor WeightTaker::take(const std::string& name, at::IntArrayRef shape) {
  const auto found = from_.find(name);
  if (found == from_.end()) {
    fail(fmt::format("tensor \"{}\" [{}] is missing", name, fmt::join(shape, ", ")));
  }
  if (found->second.sizes() != shape || !found->second.is_floating_point()) {
    fail(fmt::format("tensor \"{}\" is {} [{}], expected floating point [{}]", name,
                     c10::toString(found->second.scalar_type()),
                     fmt::join(found->second.sizes(), ", "), fmt::join(shape, ", ")));
  }
  at::Tensor tensor = found->second.to(at::kCPU, at::kFloat).contiguous();
  taken_.emplace(name, tensor);
  return tensor;
}

FusedConv WeightTaker::conv_and_norm(const std::string& name, const std::string& norm,
                                     at::IntArrayRef shape, const ConvOptions& options) {
  const at::Tensor weight = take(name + ".weight", shape);
  const at::IntArrayRef channels = shape.slice(0, 1);
  const BatchNorm values{take(norm + ".weight", channels), take(norm + ".bias", channels),
                         take(norm + ".running_mean", channels),
                         take(norm + ".running_var", channels), bn_eps_};
  return {fold_batch_norm(weight, values), options, place_};
}

FusedConv WeightTaker::conv(const std::string& name, at::IntArrayRef shape,
                            const ConvOptions& options) {
  return {
      {take(name + ".weight", shape), take(name + ".bias", shape.slice(0, 1))}, options, place_};
}

void WeightTaker::refuse(const std::string& prefix) const {
  const auto found = from_.lower_bound(prefix);
  if (found != from_.end() && found->first.starts_with(prefix)) {
    fail(fmt::format("tensor \"{}\" belongs to a deeper network", found->first));
  }
}

}  // namespace uad::models
