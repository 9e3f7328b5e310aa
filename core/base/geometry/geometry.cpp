// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/geometry/geometry.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr int kMaxSide = 32768;

/// Fills `numbers` from text such as "1,2,3"; false if the text is anything else.
bool parse_numbers(std::string_view text, char separator, std::span<int> numbers) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) {
      if (at == end || *at != separator) return false;
      ++at;
    }
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc{}) return false;
    at = next;
  }
  return at == end;
}

bool is_side(int value) { return value >= 0 && value <= kMaxSide; }
bool is_position(int value) { return value >= -kMaxSide && value <= kMaxSide; }

}  // namespace

Size parse_size(std::string_view text, std::string_view option) {
  if (text.empty()) return {};
  std::array<int, 2> sides{};
  bool understood = parse_numbers(text, 'x', sides);
  if (!understood && parse_numbers(text, 'x', std::span(sides).first(1))) {
    sides[1] = sides[0];
    understood = true;
  }
  if (!understood || !is_side(sides[0]) || !is_side(sides[1])) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"{}\" must be WIDTHxHEIGHT or one number for both, each 0 to {} "
                    "(for example 256x256), but is \"{}\".",
                    option, kMaxSide, text));
  }
  return {sides[0], sides[1]};
}

Rect parse_rect(std::string_view text, std::string_view option) {
  if (text.empty()) return {};
  std::array<int, 4> n{};
  if (!parse_numbers(text, ',', n) || !is_position(n[0]) || !is_position(n[1]) || !is_side(n[2]) ||
      !is_side(n[3])) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"{}\" must be x,y,width,height in frame pixels, each at most {} "
                    "(for example 100,50,640,480), but is \"{}\".",
                    option, kMaxSide, text));
  }
  return {n[0], n[1], n[2], n[3]};
}

std::string to_string(Size size) { return fmt::format("{}x{}", size.width, size.height); }

std::string to_string(const Rect& rect) {
  return fmt::format("{},{},{},{}", rect.x, rect.y, rect.width, rect.height);
}

}  // namespace uad
