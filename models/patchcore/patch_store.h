// SPDX-License-Identifier: LGPL-2.1-or-later
// The patches of the good images, until the memory bank is selected from them: all of them, or as
// many as a bound allows.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/backend.h"
#include "core/distributed/communicator.h"
#include "models/patchcore/settings.h"

namespace uad::models::patchcore {

/// Chunks are kept as they come and never joined, which would double the memory.
class PatchStore {
 public:
  /// @param bound  patches that are kept of any number: whenever `bound` and kSlack more have come
  /// together, `bound` of them are selected and the others forgotten. What is kept is a selection
  /// from selections, so it covers all patches that passed, a little less evenly than one selection
  /// from all. 0 = all are kept.
  PatchStore(Flavour flavour, std::uint64_t seed, std::int64_t bound = 0)
      : flavour_(flavour), seed_(seed), bound_(bound) {}
  /// @param patches  float32 [n, D] on any device; copied to the CPU.
  void add(const at::Tensor& patches);
  /// What all processes have, in their order, as if it had been added here. @param dimension  D.
  void gather(std::int64_t dimension, Communicator& processes);
  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t bound() const noexcept { return bound_; }
  /// The vectors that the flavour's rule selects, in the order of selection: float32 [M, D]; fewer
  /// where `control.enough` ends the selection. @throws Error(kCancelled).
  [[nodiscard]] at::Tensor select(std::int64_t number, const FitControl& control) const;
  /// Memory at the peak if `count` such patches pass and `share` of those kept are selected, bytes.
  [[nodiscard]] std::int64_t peak_bytes(std::int64_t count, double share) const;

  static constexpr std::int64_t kSlack = 16384;

 private:
  [[nodiscard]] std::int64_t dimension() const { return chunks_.front().size(1); }
  [[nodiscard]] at::Tensor projection(std::uint64_t seed) const;
  [[nodiscard]] at::Tensor project(const at::Tensor& projection) const;
  [[nodiscard]] at::Tensor scatter() const;
  [[nodiscard]] at::Tensor gather(const std::vector<std::int64_t>& rows) const;

  Flavour flavour_;
  std::uint64_t seed_;
  std::int64_t bound_;
  std::vector<at::Tensor> chunks_;
  std::int64_t count_ = 0;
};

}  // namespace uad::models::patchcore
