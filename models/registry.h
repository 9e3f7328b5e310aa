// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of methods.
#pragma once

#include "core/method.h"

namespace uad::models {

/// Every method of this build. @note Thread-safe.
const MethodTable& method_table();

/// @throws Error(kBadOption) listing the known names, the nearest first.
const Method& find_method(const std::string& name);

}  // namespace uad::models
