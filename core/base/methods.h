// SPDX-License-Identifier: LGPL-2.1-or-later
// The methods by name: what must be known of them without LibTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace uad {

struct MethodInfo {
  std::string_view name;  ///< as in `--method` and in the manifest
  std::string_view title;
  bool needs_labels = false;
  bool needs_masks = false;
};

/// Every method of this build, in alphabetical order.
const std::vector<MethodInfo>& known_methods();

/// @throws Error(kBadOption) listing the known names, the nearest first.
const MethodInfo& find_method(std::string_view name);

}  // namespace uad
