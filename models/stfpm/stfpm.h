// SPDX-License-Identifier: LGPL-2.1-or-later
// Student-teacher feature pyramid matching: a student that has learnt a teacher's features of good
// parts fails on defects. See README.md.
#pragma once

#include "core/method.h"

namespace uad::models {

[[nodiscard]] Method stfpm_method();

}  // namespace uad::models
