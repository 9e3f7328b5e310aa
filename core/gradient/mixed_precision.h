// SPDX-License-Identifier: LGPL-2.1-or-later
// Forward passes in bfloat16 where that is safe; weights, losses and updates stay float32.
#pragma once

#include <ATen/autocast_mode.h>

namespace uad {

/// While it lives, convolutions and matrix products of this thread on a kind of device are computed
/// in bfloat16. Leave it before the loss. bfloat16 has float32's range, so no loss scaling is
/// needed.
class MixedPrecision {
 public:
  /// @param on  false = nothing changes.
  MixedPrecision(bool on, c10::DeviceType device)
      : on_(on),
        device_(device),
        enabled_(at::autocast::is_autocast_enabled(device)),
        type_(at::autocast::get_autocast_dtype(device)) {
    if (!on_) return;
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~MixedPrecision() {
    if (!on_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, enabled_);
    at::autocast::set_autocast_dtype(device_, type_);
  }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  bool on_;
  c10::DeviceType device_;
  bool enabled_;
  at::ScalarType type_;
};

}  // namespace uad
