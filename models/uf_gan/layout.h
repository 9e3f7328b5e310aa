// SPDX-License-Identifier: LGPL-2.1-or-later
// The tensors of a network: names, shapes, first values. Both networks of UF-GAN list theirs here
// once, and initial weights, files and tests follow the list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint.h"

namespace uad::models::uf_gan {

struct Slot {
  enum class Kind {
    kKernel,   ///< Glorot's uniform distribution over the fans
    kZero,     ///< biases, shifts
    kOne,      ///< scales
    kMean,     ///< a running statistic, 0 at first
    kVariance  ///< a running statistic, 1 at first
  };
  std::string name;
  std::vector<std::int64_t> shape;
  Kind kind = Kind::kZero;
  double fan_in = 0;
  double fan_out = 0;

  [[nodiscard]] bool trained() const { return kind != Kind::kMean && kind != Kind::kVariance; }
};

/// Collects the tensors of layers in the order of the forward pass.
class Layout {
 public:
  /// "NAME.weight" [out, in / groups, k, k], and "NAME.bias" [out] if `bias`. A depthwise kernel
  /// (groups = in = out) and a grouped one have the fans of one group, as TensorFlow draws them.
  void conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
            bool bias, std::int64_t groups = 1);
  /// "NAME.weight" [in, out, 4, 4] and "NAME.bias" [out].
  void transposed(const std::string& name, std::int64_t in, std::int64_t out);
  /// "NAME.weight" (not without `scale`), "NAME.bias", "NAME.running_mean", "NAME.running_var".
  void norm(const std::string& name, std::int64_t channels, bool scale = true);

  [[nodiscard]] const std::vector<Slot>& slots() const noexcept { return slots_; }
  /// Without running statistics.
  [[nodiscard]] std::int64_t trained_count() const;

 private:
  std::vector<Slot> slots_;
};

/// float32, on the CPU. Equal seeds give equal weights.
[[nodiscard]] TensorMap initial_weights(const Layout& layout, std::uint64_t seed);

/// What a file holds of a network. @throws Error(kBadFile) naming the tensor that is missing, has
/// another shape or holds values that are not numbers.
[[nodiscard]] TensorMap read_weights(const CheckpointReader& in, const Layout& layout,
                                     const std::string& prefix);

}  // namespace uad::models::uf_gan
