// SPDX-License-Identifier: LGPL-2.1-or-later
// What the network reconstructs: the features of a frozen backbone, brought to one grid. Source:
// specification, IUF, section 3.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint.h"
#include "core/gradient/sample_store.h"
#include "core/method.h"
#include "models/backbones/backbones.h"

namespace uad::models::iuf {

/// Immutable. @note Thread-safe.
class Features {
 public:
  /// With the weights that `context` leads to. @throws as find_backbone().
  explicit Features(const FitContext& context);
  /// With those of a model file. @throws as load_backbone().
  Features(const CheckpointReader& in, const Execution& execution);

  /// @param images  float32 [N, 3, H, W]. @return float32 [N, C, H / 16, W / 16] on their device.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& images) const;
  /// The same of a whole store, in one tensor on the CPU.
  [[nodiscard]] at::Tensor of_all(const SampleStore& samples, const FitControl& control) const;
  [[nodiscard]] std::int64_t channels() const;
  [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }
  void save(CheckpointWriter& out) const;

 private:
  std::shared_ptr<const Backbone> backbone_;  // shared by copies
  std::string sha256_;                        // of its weight file; "" from a model file
};

}  // namespace uad::models::iuf
