// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/option_spec.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/geometry/geometry.h"

namespace uad {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// The whole text as a number, or nothing. std::from_chars, because it ignores the locale.
template <class Number>
std::optional<Number> to_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string expected(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kBool:
      return "true or false";
    case OptionType::kInt:
      return "a whole number";
    case OptionType::kFloat:
      return "a number";
    case OptionType::kString:
      return "a text";
    case OptionType::kSize:
      return "a size (WIDTHxHEIGHT, one number, or [height, width])";
  }
  return "a value";
}

[[noreturn]] void refuse(const OptionSpec& spec, const std::string& found) {
  throw Error(ErrorCode::kBadOption, fmt::format("Option \"{}\" must be {}, but is {}.", spec.name,
                                                 expected(spec), found));
}

std::optional<bool> to_bool(std::string_view text) {
  const std::string word = lower(trimmed(text));
  for (const char* yes : {"true", "yes", "t", "y", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "no", "f", "n", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

/// "[480, 640]" as [480, 640]; nothing if it is not a list of two numbers.
std::optional<nlohmann::json> to_size_list(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto height = to_number<int>(text.substr(0, comma));
  const auto width = to_number<int>(text.substr(comma + 1));
  if (!height || !width) return std::nullopt;
  return nlohmann::json{*height, *width};
}

nlohmann::json parse_size_option(const OptionSpec& spec, std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto list = to_size_list(text);
    if (!list) refuse(spec, fmt::format("\"{}\"", text));
    return *list;
  }
  try {
    const Size size = parse_size(text, spec.name);
    return {size.height, size.width};
  } catch (const Error&) {  // said again with every form that is understood
    refuse(spec, fmt::format("\"{}\"", text));
  }
}

void check_range(const OptionSpec& spec, double value) {
  if (value >= spec.minimum && value <= spec.maximum) return;
  const bool from = std::isfinite(spec.minimum);
  const bool to = std::isfinite(spec.maximum);
  const std::string range = from && to ? fmt::format("from {} to {}", spec.minimum, spec.maximum)
                            : from     ? fmt::format("at least {}", spec.minimum)
                            : to       ? fmt::format("at most {}", spec.maximum)
                                       : "finite";
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" must be {}, but is {}.", spec.name, range, value));
}

void check_choice(const OptionSpec& spec, const std::string& value) {
  if (spec.choices.empty() || std::ranges::find(spec.choices, value) != spec.choices.end()) return;
  const std::string near = nearest_name(value, spec.choices);
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" must be one of {}, but is \"{}\".{}", spec.name,
                          fmt::join(spec.choices, ", "), value,
                          near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)));
}

nlohmann::json checked_size(const OptionSpec& spec, const nlohmann::json& value) {
  nlohmann::json size = value;
  if (value.is_number_integer()) size = {value, value};
  const auto side_ok = [](const nlohmann::json& side) {
    return side.is_number_integer() && side >= 0 && side <= 32768;
  };
  if (!size.is_array() || size.size() != 2 || !side_ok(size[0]) || !side_ok(size[1])) {
    refuse(spec, value.dump());
  }
  return size;
}

/// The value in the option's own type and range. Texts are read as on the command line.
nlohmann::json checked(const OptionSpec& spec, const nlohmann::json& value) {
  if (value.is_string() && spec.type != OptionType::kString) {
    return parse_option(spec, value.get<std::string>());
  }
  switch (spec.type) {
    case OptionType::kBool:
      if (!value.is_boolean()) refuse(spec, value.dump());
      return value;
    case OptionType::kInt:
      if (!value.is_number_integer()) refuse(spec, value.dump());
      check_range(spec, value.get<double>());
      return value;
    case OptionType::kFloat:
      if (!value.is_number()) refuse(spec, value.dump());
      check_range(spec, value.get<double>());
      return value.get<double>();
    case OptionType::kString:
      if (!value.is_string()) refuse(spec, value.dump());
      check_choice(spec, value.get<std::string>());
      return value;
    case OptionType::kSize:
      return checked_size(spec, value);
  }
  return value;
}

const OptionSpec* find_spec(const std::vector<OptionSpec>& specs, const std::string& key) {
  for (const OptionSpec& spec : specs) {
    if (spec.name == key || std::ranges::find(spec.aliases, key) != spec.aliases.end()) {
      return &spec;
    }
  }
  return nullptr;
}

[[noreturn]] void refuse_unknown(const std::vector<OptionSpec>& specs, const std::string& key) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) {
    names.push_back(spec.name);
    names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
  }
  const std::string near = nearest_name(key, names);
  const std::string advice = near.empty() ? fmt::format("Known: {}.", fmt::join(names, ", "))
                                          : fmt::format("Did you mean \"{}\"?", near);
  throw Error(ErrorCode::kBadOption, fmt::format("Unknown option \"{}\". {}", key, advice));
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitute, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

nlohmann::json parse_option(const OptionSpec& spec, std::string_view text) {
  const std::string quoted = fmt::format("\"{}\"", text);
  switch (spec.type) {
    case OptionType::kBool:
      if (const auto value = to_bool(text)) return *value;
      break;
    case OptionType::kInt:
      if (const auto value = to_number<std::int64_t>(text)) return checked(spec, *value);
      break;
    case OptionType::kFloat:
      if (const auto value = to_number<double>(text)) return checked(spec, *value);
      break;
    case OptionType::kString:
      return checked(spec, std::string(text));
    case OptionType::kSize:
      return checked(spec, parse_size_option(spec, text));
  }
  refuse(spec, quoted);
}

nlohmann::json complete_options(const std::vector<OptionSpec>& specs,
                                const nlohmann::json& values) {
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [key, value] : values.items()) {
    const OptionSpec* spec = find_spec(specs, key);
    if (spec == nullptr) refuse_unknown(specs, key);
    if (value.is_null()) continue;
    if (result.contains(spec->name)) {
      throw Error(ErrorCode::kBadOption,
                  fmt::format("Option \"{}\" is given twice, once as \"{}\"; keep one of them.",
                              spec->name, key));
    }
    result[spec->name] = checked(*spec, value);
  }
  for (const OptionSpec& spec : specs) {
    if (!result.contains(spec.name)) result[spec.name] = spec.default_value;
  }
  return result;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  const std::string wanted = lower(name);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 2) + 1;  // farther is no help
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace uad
