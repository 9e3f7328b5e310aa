// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON from files that nobody vouches for.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace uad {

/// Parses one JSON text; a key that occurs twice in an object and nesting deeper than 32 are
/// refused, because two readers could understand such a file differently, or one could run out of
/// memory.
/// @throws Error(kBadFile) naming the file and the place.
nlohmann::json parse_strict_json(const std::string& text, const std::string& file_name);

}  // namespace uad
