// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/tiny_unet/frozen_network.h"

#include <ATen/ATen.h>

#include "models/tiny_unet/network.h"

namespace uad::models::tiny_unet {

FrozenNetwork::FrozenNetwork(const std::string& variant, const TensorMap& parameters,
                             at::TensorOptions place)
    : place_(place) {
  for (const Layer& layer : layers(variant)) {
    const ConvWeights weights{parameters.at(layer.name + ".weight").detach(),
                              parameters.at(layer.name + ".bias").detach()};
    const ConvOptions options{.padding = layer.padding(),
                              .activation = layer.relu() ? Activation::kRelu : Activation::kNone};
    convolutions_.emplace_back(weights, options, place);
  }
}

// One image after the other on the CPU: a whole one keeps all cores busy, and the layers of a batch
// would not fit any cache.
at::Tensor FrozenNetwork::logits(const at::Tensor& images) const {
  const auto convolve = [&](std::size_t i, const at::Tensor& x) { return convolutions_[i](x); };
  const at::Tensor all = grey(images).to(place_);
  std::vector<at::Tensor> found;
  for (const at::Tensor& some : all.split(all.is_cpu() ? 1 : all.size(0))) {
    found.push_back(forward(some, convolve).to(at::kFloat));
  }
  return at::cat(found);
}

}  // namespace uad::models::tiny_unet
