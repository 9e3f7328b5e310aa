// SPDX-License-Identifier: LGPL-2.1-or-later
// What uad replay adds to a report: stored, new and cheapest threshold side by side.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/eval/cost.h"

namespace uad::report {

struct Replayed {
  /// One threshold and its decisions.
  struct Column {
    double reject = 0;           ///< raw
    std::optional<double> warn;  ///< raw; the cheapest has none
    Confusion images;
    std::optional<double> cost;  ///< of 1000 parts
  };
  Column stored;
  Column now;
  std::optional<Column> cheapest;  ///< these two: nothing = the set has one class only
  std::optional<Costs> costs;
  bool rate_of_the_set = false;  ///< nobody said how many defects the line has
  std::size_t changed = 0;       ///< images whose verdict is another one

  /// Whether the run is shown at other thresholds than its own.
  [[nodiscard]] bool moved() const {
    return stored.reject != now.reject || stored.warn != now.warn;
  }
};

/// @param replay  the object `replay` of a record. @throws nlohmann::json::exception.
Replayed parse_replayed(const nlohmann::json& replay);

/// HTML.
std::string replayed_table(const Replayed& replayed);

}  // namespace uad::report
