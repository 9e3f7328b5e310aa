// SPDX-License-Identifier: LGPL-2.1-or-later
// Forward passes in bfloat16 where that is safe; weights, losses and updates stay float32.
#pragma once

#include <ATen/autocast_mode.h>

namespace uad {

/// While it lives, convolutions and matrix products of this thread on the CPU are computed in
/// bfloat16. Leave it before the loss. bfloat16 has float32's range, so no loss scaling is needed.
class MixedPrecision {
 public:
  /// @param on  false = nothing changes.
  explicit MixedPrecision(bool on)
      : on_(on),
        enabled_(at::autocast::is_autocast_enabled(at::kCPU)),
        type_(at::autocast::get_autocast_dtype(at::kCPU)) {
    if (!on_) return;
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~MixedPrecision() {
    if (!on_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, enabled_);
    at::autocast::set_autocast_dtype(at::kCPU, type_);
  }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  bool on_;
  bool enabled_;
  at::ScalarType type_;
};

}  // namespace uad
