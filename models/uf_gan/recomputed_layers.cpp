// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/recomputed_layers.h"

#include <cstddef>

#include "core/gradient/mixed_precision.h"
#include "core/gradient/recompute.h"

namespace uad::models::uf_gan {

std::vector<at::Tensor> RecomputedLayers::part(const std::string& prefix,
                                               const std::vector<at::Tensor>& inputs,
                                               const Part& run) const {
  TensorMap weights;
  std::vector<std::string> trained;
  std::vector<at::Tensor> all = inputs;
  for (const auto& [name, tensor] : this->weights()) {
    if (!name.starts_with(prefix)) continue;
    weights.emplace(name, tensor);
    if (!tensor.requires_grad()) continue;
    trained.push_back(name);
    all.push_back(tensor);
  }
  const auto count = static_cast<std::ptrdiff_t>(inputs.size());
  // It outlives this call and what is borrowed here.
  return recomputed(all, [weights, trained, run, count, pass = pass(), mixed = mixed_](
                             const std::vector<at::Tensor>& given, bool again) {
    TensorMap own = weights;
    for (std::size_t i = 0; i < trained.size(); ++i) {
      own.at(trained[i]) = given[static_cast<std::size_t>(count) + i];
    }
    const MixedPrecision precision(mixed, given.front().device().type());
    const bool batch = pass == Pass::kTraining;
    return run(PlainLayers(own, again && batch ? Pass::kRepeated : pass),
               {given.begin(), given.begin() + count});
  });
}

}  // namespace uad::models::uf_gan
