// SPDX-License-Identifier: LGPL-2.1-or-later
// The way into libuad for a program that links it. Needs no header of LibTorch.
#pragma once

#include "core/base/backend.h"

/// The process's one backend over every method of this build. Never null. @note Thread-safe.
extern "C" uad::Backend* uad_backend_4() noexcept;
