// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/html.h"

#include <cmath>
#include <filesystem>

#include <fmt/format.h>

namespace uad::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 sequence at the start of `text`; 0 = broken.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80   ? 1
                             : byte(0) < 0xC2 ? 0
                             : byte(0) < 0xE0 ? 2
                             : byte(0) < 0xF0 ? 3
                             : byte(0) < 0xF5 ? 4
                                              : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if (length == 3 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F))) {
    return 0;
  }
  if (length == 4 && ((byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F))) {
    return 0;
  }
  return length;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (const std::string_view special = entity(text.front()); !special.empty()) {
      result += special;
    } else if (length == 0 || (first < 0x20 && first != '\n') || first == 0x7F) {
      result += kReplacement;
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string metric_text(std::optional<double> value) {
  return value && std::isfinite(*value) ? fmt::format("{:.3f}", *value) : "–";
}

std::string score_text(double value) { return fmt::format("{:.4g}", value); }

std::string percent_text(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "–";
  return fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string share_text(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "none";
  return fmt::format("{} of {} ({})", part, whole, percent_text(part, whole));
}

Interval likely_share(std::int64_t part, std::int64_t whole) {
  constexpr double z = 1.959963984540054;  // two-sided 95 % of the normal distribution
  const auto n = static_cast<double>(whole);
  const double share = static_cast<double>(part) / n;
  const double centre = share + z * z / (2 * n);
  const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (centre - spread) / scale), std::min(1.0, (centre + spread) / scale)};
}

std::string table(const std::string& caption, const std::string& head, const std::string& body) {
  return fmt::format(
      "<div class=\"wide\" "
      "tabindex=\"0\"><table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody>"
      "</table></div>",
      caption, head, body);
}

std::string short_name(const std::string& path) {
  const std::filesystem::path file(path);
  return (file.parent_path().filename() / file.filename()).string();
}

}  // namespace uad::report
