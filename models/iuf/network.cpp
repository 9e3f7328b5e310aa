// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/network.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/stored_weights.h"
#include "models/iuf/position.h"

namespace uad::models::iuf {

namespace {

std::vector<Slot> slots(const NetworkShape& shape) {
  Layout layout;
  add_oasa(layout, shape);
  add_position_code(layout, shape);
  add_transformer(layout, shape);
  return layout.slots();
}

// Of a convolution [out, in, k, k] or a matrix [out, in].
double glorot_limit(const std::vector<std::int64_t>& shape) {
  std::int64_t area = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) area *= shape[i];
  return std::sqrt(6.0 / static_cast<double>((shape[0] + shape[1]) * area));
}

at::Tensor first_values(const Slot& slot, const at::Generator& random) {
  switch (slot.kind) {
    case Slot::Kind::kGlorot:
      return ((at::rand(slot.shape, random, at::kDouble) * 2 - 1) * glorot_limit(slot.shape))
          .to(at::kFloat);
    case Slot::Kind::kUnit:
      return at::rand(slot.shape, random, at::kFloat);
    case Slot::Kind::kNormal:
      return at::randn(slot.shape, random, at::kFloat);
    case Slot::Kind::kOne:
      return at::ones(slot.shape, at::kFloat);
    case Slot::Kind::kZero:
      break;
  }
  return at::zeros(slot.shape, at::kFloat);
}

}  // namespace

TensorMap initial_weights(const NetworkShape& shape, std::uint64_t seed) {
  const at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  TensorMap weights;
  for (const Slot& slot : slots(shape)) {
    weights[slot.name] = first_values(slot, random);
  }
  return weights;
}

bool is_trained(const std::string& name) {
  return !name.ends_with(".running_mean") && !name.ends_with(".running_var");
}

TensorMap read_weights(const CheckpointReader& in, const NetworkShape& shape,
                       const std::string& prefix) {
  WeightShapes shapes;
  for (const Slot& slot : slots(shape)) shapes[slot.name] = slot.shape;
  return uad::read_weights(in, shapes, prefix);
}

}  // namespace uad::models::iuf
