// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens libuad.so, and with it LibTorch, when the first element needs it.
#pragma once

#include <memory>

#include "core/base/backend.h"
#include "core/base/engine/batcher.h"

namespace uad::gst {

/// The process's backend. Opened at the first call, which takes up to some seconds: call it on a
/// loader thread. Looked for in $UAD_BACKEND (a file), beside libuad-base, on the plug-in's run
/// path. A failure is not kept, the next call tries again. @note Thread-safe.
/// @throws Error(kNotFound) saying where it was looked for; Error(kFailed) if another LibTorch than
/// its own is in this process already, naming both files, or if the linker refuses.
Backend& backend();

/// The process's batchers: elements that share a model analyse together. @note Thread-safe.
std::shared_ptr<Batchers> batchers();

}  // namespace uad::gst
