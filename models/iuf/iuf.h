// SPDX-License-Identifier: LGPL-2.1-or-later
// IUF: one reconstruction model of many products, which learns new ones without forgetting the old.
// See README.md.
#pragma once

#include "core/method.h"

namespace uad::models {

[[nodiscard]] Method iuf_method();

}  // namespace uad::models
