// SPDX-License-Identifier: LGPL-2.1-or-later
// The network with hashed weights. Source: specification, IUF, section 13.
#pragma once

#include <string>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "models/iuf/network.h"
#include "tests/models/backbones/fixture.h"

namespace uad::test {

inline TensorMap iuf_fixture(const models::iuf::NetworkShape& shape) {
  TensorMap weights = models::iuf::initial_weights(shape, 0);
  for (auto& [name, tensor] : weights) {
    if (tensor.dim() > 1) {
      tensor = hashed_weight("reconstruction." + name, tensor.sizes());
    } else if (!models::iuf::is_trained(name)) {
      continue;  // running statistics 0 and 1, as at first
    } else {
      tensor = name.ends_with("weight") ? at::ones(tensor.sizes()) : at::zeros(tensor.sizes());
    }
  }
  return weights;
}

inline const TensorMap& published_weights() {
  static const TensorMap weights = iuf_fixture({});
  return weights;
}

/// [1, 3, 224, 224].
inline at::Tensor published_image() { return hashed_tensor("input", {1, 3, 224, 224}); }

/// Costs 89 GMAC, so all tests of a program share it.
inline const models::iuf::Recognition& published_recognition() {
  static const models::iuf::Recognition result = [] {
    const c10::InferenceMode no_gradients;
    return models::iuf::recognise(published_weights(), {}, published_image(),
                                  models::iuf::Pass::kInference);
  }();
  return result;
}

/// A network that takes milliseconds: images of 32x48, classifier in patches.
inline models::iuf::NetworkShape small_iuf_shape() {
  return {.classes = 3, .channels = 24, .height = 2, .width = 3, .patch = 16};
}

}  // namespace uad::test
