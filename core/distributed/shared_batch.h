// SPDX-License-Identifier: LGPL-2.1-or-later
// A training step of which every process computes its own samples, so that the step is the one that
// a single process would take.
//
// Each process differentiates its loss times its share of the batch, and the gradients are summed.
// So a loss that is a mean over samples needs nothing else. What mixes samples (a batch norm, a
// ratio of sums) takes its sums by the functions below; then every process has the loss of the
// whole batch, and the shares, which add up to 1, make the gradients right again. Alone, these
// functions are what their names say without "over_batch".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/distributed/communicator.h"

namespace uad {

/// Samples `first` … `first + count - 1` of `total`.
struct Share {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t total = 0;
};
/// Of this process: nearly equal parts in the order of the processes. All of it in each where there
/// are fewer samples than processes; then all of them do the same.
[[nodiscard]] Share share_of(std::int64_t total, const Communicator* processes);

/// What a thread works on.
struct BatchPart {
  Share share;
  Communicator* processes = nullptr;  ///< that have the other samples, borrowed; null = none do
};
[[nodiscard]] BatchPart current_batch() noexcept;

/// The calling thread works on it while this lives.
class BatchScope {
 public:
  explicit BatchScope(const BatchPart& part) noexcept;
  ~BatchScope();
  BatchScope(const BatchScope&) = delete;
  BatchScope& operator=(const BatchScope&) = delete;

 private:
  BatchPart before_;
};

/// Whether other processes have other samples of the current batch.
[[nodiscard]] bool batch_is_shared() noexcept;

/// Σ over the processes; differentiable. @param x  float32 or float64, of the same shape in each.
[[nodiscard]] at::Tensor sum_over_batch(const at::Tensor& x);
/// Mean of all elements, of which each process may have another number; 0 of none. Differentiable.
[[nodiscard]] at::Tensor mean_over_batch(const at::Tensor& x);
/// The samples of all processes; differentiable. @param x  [samples of this process, …].
[[nodiscard]] at::Tensor gather_batch(const at::Tensor& x);
/// A random tensor whose values belong to the samples, whoever works on them.
/// @param sizes  with the samples of this process in dimension `dim`.
/// @param draw  a tensor of the size that it is given: that of the whole batch.
[[nodiscard]] at::Tensor draw_over_batch(
    at::IntArrayRef sizes, std::int64_t dim,
    const std::function<at::Tensor(at::IntArrayRef sizes)>& draw);

/// What this process differentiates of its loss.
[[nodiscard]] at::Tensor weighted_by_share(const at::Tensor& loss);
/// The gradients that the processes have found become those of the batch: many tensors at the
/// price of one. @param parameters  those without a gradient have none in any process.
void sum_gradients_over_batch(const std::vector<at::Tensor>& parameters);
/// Means over the samples of this process become those of the batch.
void average_over_batch(std::map<std::string, double>& means);

}  // namespace uad
