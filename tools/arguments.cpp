// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/arguments.h"

#include <algorithm>
#include <map>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace uad::tools {
namespace {

std::string dashed(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

/// How keys are spelled inside: lower case with '_'.
std::string underscored(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return name;
}

/// "--weights_dir=X" → {"weights_dir", "X", true}; no name for anything but a long option.
struct LongOption {
  std::string name;
  std::string value;
  bool has_value = false;
};

LongOption split_option(const std::string& arg) {
  if (!arg.starts_with("--") || arg.size() < 3) return {};
  const std::size_t equals = arg.find('=');
  if (equals == std::string::npos) return {underscored(arg.substr(2)), "", false};
  return {underscored(arg.substr(2, equals - 2)), arg.substr(equals + 1), true};
}

const OptionSpec* find_spec(const std::vector<OptionSpec>& specs, const std::string& name) {
  for (const OptionSpec& spec : specs) {
    if (spec.name == name || std::ranges::find(spec.aliases, name) != spec.aliases.end()) {
      return &spec;
    }
  }
  return nullptr;
}

bool is_boolean_word(const std::string& text) {
  try {
    (void)parse_option({.name = "", .type = OptionType::kBool}, text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// "-aw", "-aw=0.5" with the long name, where there is one.
std::string with_long_name(const Syntax& syntax, const std::string& arg) {
  if (arg.size() < 2 || arg[0] != '-' || arg[1] == '-') return arg;
  const std::size_t end = std::min(arg.find('='), arg.size());
  const auto name = syntax.short_names.find(arg.substr(1, end - 1));
  return name == syntax.short_names.end() ? arg : "--" + name->second + arg.substr(end);
}

/// One spelling for everything: short names as long ones, '-' in names, and `--flag false` as
/// `--flag=false`, which CLI11 would otherwise take for a path.
std::vector<std::string> canonical(const Syntax& syntax, const std::vector<std::string>& args) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const LongOption option = split_option(with_long_name(syntax, args[i]));
    if (option.name.empty()) {
      result.push_back(args[i]);
      continue;
    }
    std::string text = "--" + dashed(option.name);
    const OptionSpec* spec = find_spec(syntax.options, option.name);
    const bool flag = spec != nullptr && spec->type == OptionType::kBool;
    if (option.has_value) {
      text += "=" + option.value;
    } else if (flag && i + 1 < args.size() && is_boolean_word(args[i + 1])) {
      text += "=" + args[++i];
    }
    result.push_back(text);
  }
  return result;
}

std::string type_name(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kInt:
      return "N";
    case OptionType::kFloat:
      return "NUMBER";
    case OptionType::kSize:
      return "WxH";
    default:
      return spec.choices.empty() ? "TEXT" : fmt::format("{}", fmt::join(spec.choices, "|"));
  }
}

std::string help_text(const OptionSpec& spec) {
  if (spec.default_value.is_null() || spec.default_value == "" || spec.default_value == false) {
    return spec.help;
  }
  const nlohmann::json& value = spec.default_value;
  const std::string shown = spec.type == OptionType::kSize
                                ? fmt::format("{}x{}", value[1].dump(), value[0].dump())
                            : value.is_string() ? value.get<std::string>()
                                                : value.dump();
  return fmt::format("{} [{}]", spec.help, shown);
}

std::string all_spellings(const OptionSpec& spec) {
  std::string names = "--" + dashed(spec.name);
  for (const std::string& alias : spec.aliases) names += ",--" + dashed(alias);
  return names;
}

[[noreturn]] void refuse_extra(const Syntax& syntax, const std::string& arg) {
  const LongOption option = split_option(arg);
  if (option.name.empty()) {
    throw UsageError(
        fmt::format("\"{}\" is not expected here. See: uad {} --help", arg, syntax.name));
  }
  std::vector<std::string> known{"config"};
  for (const OptionSpec& spec : syntax.options) {
    known.push_back(spec.name);
    known.insert(known.end(), spec.aliases.begin(), spec.aliases.end());
  }
  const std::string near = nearest_name(option.name, known);
  throw UsageError(fmt::format("Unknown option \"--{}\". {}", dashed(option.name),
                               near.empty() ? fmt::format("See: uad {} --help", syntax.name)
                                            : fmt::format("Did you mean \"--{}\"?", dashed(near))));
}

/// Options given on the command line as texts, and the paths.
struct CommandLine {
  nlohmann::json options = nlohmann::json::object();
  std::vector<std::string> paths;
  std::string config;
};

CommandLine parse_command_line(const Syntax& syntax, const std::vector<std::string>& args) {
  CLI::App app(syntax.summary, "uad " + syntax.name);
  app.allow_extras();
  app.footer(syntax.examples);
  app.get_formatter()->column_width(34);
  CommandLine line;
  std::map<std::string, std::string> values;
  app.add_option("--config", line.config, "YAML file with the same keys; the command line wins")
      ->type_name("FILE");
  if (!syntax.positional.empty()) app.add_option(syntax.positional, line.paths);
  for (const OptionSpec& spec : syntax.options) {
    std::string& value = values[spec.name];
    CLI::Option* option = spec.type == OptionType::kBool
                              ? app.add_flag(all_spellings(spec) + "{true}", value, help_text(spec))
                              : app.add_option(all_spellings(spec), value, help_text(spec))
                                    ->type_name(type_name(spec));
    if (spec.help.empty()) option->group("");  // understood, but not shown
  }
  std::vector<std::string> reversed = canonical(syntax, args);
  std::ranges::reverse(reversed);  // the order that CLI11 takes
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    throw HelpRequest{app.help()};
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{}. See: uad {} --help", error.what(), syntax.name));
  }
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) refuse_extra(syntax, extras.front());
  for (const OptionSpec& spec : syntax.options) {
    if (app.count("--" + dashed(spec.name)) > 0) line.options[spec.name] = values[spec.name];
  }
  return line;
}

std::string scalar_text(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  std::vector<std::string> parts;
  for (const YAML::Node& part : node) {
    if (!part.IsScalar()) throw YAML::RepresentationException(part.Mark(), "nested list");
    parts.push_back(part.Scalar());
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

/// `method: coreset` becomes `reduction: coreset`.
void rename_reduction(nlohmann::json& options, std::vector<std::string>& notes) {
  const std::string value = options.value("method", "");
  if (!is_reduction(value)) return;
  options.erase("method");
  options["reduction"] = value;
  notes.push_back(fmt::format("\"method: {}\" is read as \"reduction: {}\".", value, value));
}

/// Drops the keys that other sub-commands use; refuses those that nobody knows.
nlohmann::json own_keys(const Syntax& syntax, const nlohmann::json& yaml, const std::string& file,
                        std::vector<std::string>& notes) {
  nlohmann::json result = nlohmann::json::object();
  std::vector<std::string> known = syntax.elsewhere;
  for (const OptionSpec& spec : syntax.options) {
    known.push_back(spec.name);
    known.insert(known.end(), spec.aliases.begin(), spec.aliases.end());
  }
  for (const auto& [key, value] : yaml.items()) {
    if (const OptionSpec* spec = find_spec(syntax.options, key)) {
      if (result.contains(spec->name)) {
        throw UsageError(fmt::format("\"{}\" gives \"{}\" twice, once as \"{}\"; keep one of them.",
                                     file, spec->name, key));
      }
      result[spec->name] = value;
      continue;
    }
    if (std::ranges::find(syntax.in_vain, key) != syntax.in_vain.end()) {
      notes.push_back(fmt::format("\"{}\" in \"{}\" belongs to another method.", key, file));
      continue;
    }
    if (std::ranges::find(syntax.elsewhere, key) != syntax.elsewhere.end()) continue;
    const std::string near = nearest_name(key, known);
    throw UsageError(fmt::format("Unknown key \"{}\" in \"{}\".{}", key, file,
                                 near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)));
  }
  return result;
}

}  // namespace

nlohmann::json read_yaml(const std::filesystem::path& file) {
  nlohmann::json result = nlohmann::json::object();
  try {
    const YAML::Node root = YAML::LoadFile(file.string());
    if (root.IsNull()) return result;
    if (!root.IsMap()) throw YAML::RepresentationException(root.Mark(), "not \"key: value\" lines");
    for (const auto& entry : root) {
      const YAML::Node& value = entry.second;
      if (value.IsNull()) continue;
      if (!value.IsScalar() && !value.IsSequence()) {
        throw YAML::RepresentationException(value.Mark(), "nested keys");
      }
      result[underscored(entry.first.Scalar())] = scalar_text(value);
    }
  } catch (const YAML::BadFile&) {
    throw UsageError(
        fmt::format("Configuration \"{}\" cannot be opened. Check --config.", file.string()));
  } catch (const YAML::Exception& error) {
    throw UsageError(fmt::format(
        "Configuration \"{}\" cannot be read at line {}: {}. It takes lines of \"key: value\".",
        file.string(), error.mark.line + 1, error.msg));
  }
  return result;
}

Arguments parse_arguments(const Syntax& syntax, const std::vector<std::string>& args) {
  CommandLine line = parse_command_line(syntax, args);
  Arguments result;
  result.paths = std::move(line.paths);
  nlohmann::json merged = nlohmann::json::object();
  if (!line.config.empty()) {
    nlohmann::json yaml = read_yaml(line.config);
    rename_reduction(yaml, result.notes);
    merged = own_keys(syntax, yaml, line.config, result.notes);
  }
  rename_reduction(line.options, result.notes);
  merged.update(line.options);
  try {
    result.options = complete_options(syntax.options, merged);
    for (const OptionSpec& spec : syntax.options) {
      const auto sets = [&](const nlohmann::json& from) {
        const auto holds = [&](const std::string& name) { return from.contains(name); };
        return holds(spec.name) || std::ranges::any_of(spec.aliases, holds);
      };
      if (sets(merged)) result.given.push_back(spec.name);
      if (sets(line.options)) result.typed.push_back(spec.name);
    }
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  if (syntax.needs_positional && result.paths.empty()) {
    throw UsageError(
        fmt::format("{} is missing. See: uad {} --help", syntax.positional, syntax.name));
  }
  return result;
}

bool is_reduction(const std::string& value) {
  static const std::set<std::string> kReductions{"coreset", "sample",    "h_sample",
                                                 "ortho",   "svd_ortho", "gaussian"};
  return kReductions.contains(value);
}

std::string peek_option(const std::vector<std::string>& args, const std::string& name) {
  std::string value;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const LongOption option = split_option(args[i]);
    if (option.name != name) continue;
    if (option.has_value) {
      value = option.value;
    } else if (i + 1 < args.size()) {
      value = args[i + 1];
    }
  }
  return value;
}

std::string to_yaml(const nlohmann::json& options) {
  std::string text;
  for (const auto& [key, value] : options.items()) {
    if (value.is_null() || value == "") continue;
    text +=
        fmt::format("  {}: {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

}  // namespace uad::tools
