// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements the backend boundary (core/base/backend.h) over a table of methods.
#pragma once

#include <memory>

#include "core/base/backend.h"
#include "core/method.h"

namespace uad {

/// @param methods  must outlive the backend.
std::unique_ptr<Backend> make_backend(const MethodTable& methods);

}  // namespace uad
