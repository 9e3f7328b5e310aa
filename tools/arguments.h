// SPDX-License-Identifier: LGPL-2.1-or-later
// From argv and a YAML file to one checked configuration. The command line wins.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/option_spec.h"

namespace uad::tools {

/// What a sub-command is called with.
struct Arguments {
  nlohmann::json options;          ///< every key of the command's specs, checked and completed
  std::vector<std::string> given;  ///< those that somebody set, under the specs' names
  std::vector<std::string> typed;  ///< of these, those on the command line
  std::vector<std::string> paths;  ///< positional
  std::vector<std::string> notes;  ///< what was understood differently from how it was written

  /// Keys that this command does not know are unset.
  [[nodiscard]] bool has(const std::string& key) const {
    const auto value = options.find(key);
    return value != options.end() && !value->is_null();
  }
  /// Whether somebody set it, be it to its default.
  [[nodiscard]] bool was_given(const std::string& key) const {
    return std::ranges::find(given, key) != given.end();
  }
  template <class Value>
  [[nodiscard]] Value get(const std::string& key) const {
    return options.at(key).get<Value>();
  }
  /// "" if unset.
  [[nodiscard]] std::string text(const std::string& key) const {
    return has(key) ? get<std::string>(key) : std::string();
  }
};

/// A wrong command line or configuration file: exit code 2, unlike any other Error.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(ErrorCode::kBadOption, message) {}
};

/// `--help` was asked for: not an error, but it ends the parsing.
struct HelpRequest {
  std::string text;
};

/// How a sub-command is called.
struct Syntax {
  std::string name;
  std::string summary;
  std::string positional;  ///< what the paths are, e.g. "PATH"; "" = none are taken
  bool needs_positional = false;
  std::string examples;  ///< shown below the options
  std::vector<OptionSpec> options;
  std::vector<std::string> elsewhere;  ///< keys of other sub-commands: allowed in YAML, unused here
  std::vector<std::string> in_vain;    ///< the same, with a note: keys of other methods
  /// "-aw" is read as the long option that "aw" stands for.
  std::map<std::string, std::string> short_names;
};

/// Options from `args` (what follows the sub-command) over those of `--config FILE`.
/// @throws UsageError naming the nearest known key, or the value that cannot be read; HelpRequest.
Arguments parse_arguments(const Syntax& syntax, const std::vector<std::string>& args);

/// The YAML file as JSON: scalars as texts, lists as "[a, b]". Keys may be written with '-' or '_'.
/// @throws UsageError naming file and line.
nlohmann::json read_yaml(const std::filesystem::path& file);

/// The value of `--name VALUE` or `--name=VALUE` before anything else is parsed; "" if absent.
std::string peek_option(const std::vector<std::string>& args, const std::string& name);

/// Values of QualityInspector's `method` key, which is called `reduction` here.
bool is_reduction(const std::string& value);

/// The options that are set, as YAML lines.
std::string to_yaml(const nlohmann::json& options);

}  // namespace uad::tools
