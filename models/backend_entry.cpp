// SPDX-License-Identifier: LGPL-2.1-or-later
// The one function the elements look up in libuad.so.
#include "models/backend_entry.h"

#include "core/backend.h"
#include "models/registry.h"

extern "C" uad::Backend* uad_backend_4() noexcept {
  static const auto backend = uad::make_backend(uad::models::method_table());
  return backend.get();
}
