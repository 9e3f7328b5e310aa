// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts of the JSON of uad eval, which uad replay writes as well.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "core/eval/evaluation.h"

namespace uad {

/// JSON has no NaN and no infinity.
nlohmann::json number_or_null(double value);
nlohmann::json to_json(const Confusion& confusion);
nlohmann::json to_json(const Curve& curve);
/// The list `kinds`.
nlohmann::json to_json(const std::vector<KindResult>& kinds);

}  // namespace uad
