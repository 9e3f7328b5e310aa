// SPDX-License-Identifier: LGPL-2.1-or-later
// One multivariate Gaussian for every position of a grid: fitted while features stream past, stored
// packed, asked for Mahalanobis distances. Source: specification, PaDiM, sections 4 and 5.
//
// Conventions: x is float32 [N, d, h, w]: d features of each of the h w positions.
#pragma once

#include <stop_token>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/distributed/communicator.h"

namespace uad::models::padim {

inline constexpr double kRegularisation = 0.01;  ///< added to the diagonal of every covariance

/// The Gaussians, ready to score. Immutable. @note Thread-safe.
class Gaussians {
 public:
  /// @param mean  float32 [h, w, d].
  /// @param factor  float16 [h, w, d (d + 1) / 2]: lower triangle, row by row, of W times
  /// kFactorScale, where Wᵀ W is the inverse covariance. @param images  that they describe, ≥ 2.
  /// @param device  to score on.
  Gaussians(at::Tensor mean, const at::Tensor& factor, std::int64_t images, c10::Device device);

  /// float32 [N, h, w] on the CPU: distance of each position's vector from its Gaussian.
  [[nodiscard]] at::Tensor distances(const at::Tensor& x) const;

  [[nodiscard]] const at::Tensor& mean() const noexcept { return mean_; }
  [[nodiscard]] at::Tensor factor() const;  ///< as given to the constructor
  [[nodiscard]] std::int64_t images() const noexcept { return images_; }
  [[nodiscard]] std::int64_t height() const noexcept { return mean_.size(0); }
  [[nodiscard]] std::int64_t width() const noexcept { return mean_.size(1); }
  [[nodiscard]] std::int64_t features() const noexcept { return mean_.size(2); }

 private:
  at::Tensor mean_;
  std::int64_t images_;
  at::Tensor mean_lanes_;    // on the CPU: [groups of 16 positions, d, 16]
  at::Tensor factor_lanes_;  // on the CPU: [groups, d (d + 1) / 2, 16]
  at::Tensor factor_;        // elsewhere: float32 [h w, d, d], W itself
};

/// Collects means and covariances. Memory does not grow with the number of images: per position
/// d (d + 1) / 2 float32 sums, and the features of a few images that have not been added yet.
class GaussianFit {
 public:
  GaussianFit() = default;
  /// Goes on from the images that `start` describes, as exactly as float16 has kept them.
  explicit GaussianFit(const Gaussians& start);
  /// Adds N images, all of one size. @throws Error(kBadOption) if that of `start` is another.
  void add(const at::Tensor& x);
  /// What all processes have, as if it had been added here. Each has at least one image, all of one
  /// size, and none started from another model.
  void gather(Communicator& processes);
  [[nodiscard]] std::int64_t count() const noexcept { return merged_ + std::ssize(waiting_); }
  /// Memory at the peak of finish(), bytes; something must have been added.
  [[nodiscard]] std::int64_t peak_bytes() const;
  /// The Gaussians of what was added; the sums are given up.
  /// @throws Error(kBadOption) if that were fewer than 2 images; Error(kCancelled).
  [[nodiscard]] Gaussians finish(c10::Device device, std::stop_token stop);

 private:
  void merge();

  std::vector<at::Tensor> waiting_;  // float32 [d, h, w] each
  std::int64_t merged_ = 0;          // images in the sums
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  at::Tensor mean_;     // float32 [groups, d, 16]
  at::Tensor scatter_;  // float32 [groups, triangle(d), 16]: Σ (x - mean)(x - mean)ᵀ
};

/// The same distances from full matrices, by LibTorch's own operators on any device.
/// @param mean  [h, w, d]. @param factor  float32 [h w, d, d], W itself. @return [N, h, w].
[[nodiscard]] at::Tensor dense_distances(const at::Tensor& x, const at::Tensor& mean,
                                         const at::Tensor& factor);

}  // namespace uad::models::padim
