// SPDX-License-Identifier: LGPL-2.1-or-later
// Typed options: what a key may hold, its default, and errors that name the nearest known key.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace uad {

enum class OptionType {
  kBool,
  kInt,
  kFloat,
  kString,
  kSize  ///< JSON and YAML [H, W]; text WxH
};

/// One key of a method or of a command. The default is written here and nowhere else.
struct OptionSpec {
  std::string name;  ///< snake_case, as in YAML; `--name` on the command line ('-' is read as '_')
  OptionType type = OptionType::kString;
  nlohmann::json default_value;      ///< null = unset
  std::string help;                  ///< meaning, unit, special values, effect
  std::vector<std::string> choices;  ///< kString only; empty = anything
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> aliases;  ///< other spellings that are understood
  bool of_fit = false;  ///< concerns the fit alone: a model that goes on learning may change it
};

/// Reads `text` as the option's type (booleans: true/false, yes/no, t/f, y/n, 1/0; sizes: WxH, N or
/// [H, W]).
/// @throws Error(kBadOption) with the option's name, what was expected and what was found.
nlohmann::json parse_option(const OptionSpec& spec, std::string_view text);

/// Checks every value, resolves aliases and fills in the defaults.
/// @param values  JSON object. @return JSON object with every key of `specs`.
/// @throws Error(kBadOption): unknown key (names the nearest known one), wrong type, out of range,
/// not a choice.
nlohmann::json complete_options(const std::vector<OptionSpec>& specs, const nlohmann::json& values);

/// The known name with the smallest edit distance to `name`, or "" if none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace uad
