// SPDX-License-Identifier: LGPL-2.1-or-later
// All patches of the good images, until the memory bank is selected from them.
#pragma once

#include <stop_token>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/backend.h"
#include "models/patchcore/settings.h"

namespace uad::models::patchcore {

/// Chunks are kept as they come and never joined, which would double the memory.
class PatchStore {
 public:
  /// @param patches  float32 [n, D] on any device; copied to the CPU.
  void add(const at::Tensor& patches);
  [[nodiscard]] std::int64_t count() const noexcept { return count_; }
  /// The vectors that the flavour's rule selects, in the order of selection: float32 [M, D].
  /// @throws Error(kCancelled) soon after `stop` is requested.
  [[nodiscard]] at::Tensor select(Flavour flavour, std::int64_t number, std::uint64_t seed,
                                  const ProgressFn& progress, std::stop_token stop) const;
  /// Memory of `count` such patches and of the selection of a share of them, bytes.
  [[nodiscard]] std::int64_t peak_bytes(Flavour flavour, std::int64_t count, double share) const;

 private:
  [[nodiscard]] std::int64_t dimension() const { return chunks_.front().size(1); }
  [[nodiscard]] at::Tensor projection(Flavour flavour, std::uint64_t seed) const;
  [[nodiscard]] at::Tensor project(const at::Tensor& projection) const;
  [[nodiscard]] at::Tensor scatter() const;
  [[nodiscard]] at::Tensor gather(const std::vector<std::int64_t>& rows) const;

  std::vector<at::Tensor> chunks_;
  std::int64_t count_ = 0;
};

}  // namespace uad::models::patchcore
