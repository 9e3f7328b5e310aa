// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the thresholds of a model come from, in sentences for people.
#pragma once

#include <string>
#include <vector>

#include "core/base/files/manifest.h"

namespace uad {

/// What stands behind `origin.rule`, one line each: the promise and how it came about, what is an
/// estimate only, then the other facts. Facts of any shape are taken; nothing is escaped.
std::vector<std::string> origin_lines(const ThresholdOrigin& origin);

}  // namespace uad
