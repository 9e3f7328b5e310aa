// SPDX-License-Identifier: LGPL-2.1-or-later
// Training from a running camera: what uadtrain asks of libuad.
#pragma once

#include <memory>

#include "core/base/backend.h"
#include "core/method.h"

namespace uad {

/// @throws Error(kBadOption) for an unknown method, option or value; Error(kNotFound) if weights
/// are missing.
std::unique_ptr<Trainer> make_trainer(const MethodTable& methods, const TrainerOptions& options);

}  // namespace uad
