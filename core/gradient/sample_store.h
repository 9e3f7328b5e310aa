// SPDX-License-Identifier: LGPL-2.1-or-later
// Training images at the size of the network's input, in memory as 8 bits: a quarter of their
// tensors, a twelfth where they are grey, and no file is read twice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/anomaly_model.h"
#include "core/base/geometry/input_spec.h"
#include "core/gradient/augmentation.h"
#include "core/gradient/learner.h"

namespace uad {

/// Reading is thread-safe while nothing is added.
/// The 8 bits that a tile [3, H, W] was normalised from; one channel where all three are equal.
[[nodiscard]] Image to_levels(const at::Tensor& tile, const InputSpec& input);

class SampleStore {
 public:
  /// @param input  that the tiles are normalised by.
  explicit SampleStore(const InputSpec& input) : input_(input) {}

  /// Every tile becomes a sample. @throws Error(kBadOption) if it has another size than the first.
  void add(const Tiles& tiles);
  /// Moves the samples of these indices (ascending) to another store.
  void move_to(SampleStore& other, const std::vector<std::size_t>& indices);

  [[nodiscard]] std::size_t size() const noexcept { return samples_.size(); }
  [[nodiscard]] std::int64_t bytes() const noexcept;
  [[nodiscard]] const Sample& sample(std::size_t i) const { return samples_.at(i); }
  [[nodiscard]] std::int64_t label(std::size_t i) const { return labels_.at(i); }
  /// Of the frame it comes from, or its number.
  [[nodiscard]] const std::string& name(std::size_t i) const { return names_.at(i); }

  /// Samples of one size as tensors, normalised as they came.
  /// @param labels  one a sample.
  [[nodiscard]] Batch to_batch(const std::vector<Sample>& samples,
                               const std::vector<std::int64_t>& labels) const;
  /// Samples `first` … `last - 1` as they came, with their labels and draws.
  /// @param last  cut down to size(); above `first`.
  [[nodiscard]] Batch range(std::size_t first, std::size_t last) const;

  /// A fingerprint of all samples, for checkpoints: 64 hexadecimal digits.
  [[nodiscard]] std::string sha256() const;

 private:
  InputSpec input_;
  std::vector<Sample> samples_;
  std::vector<std::int64_t> labels_;  // 1 = defective
  std::vector<std::string> names_;
};

}  // namespace uad
