// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes and rectangles and their text forms ("WxH", "x,y,width,height").
#pragma once

#include <string>
#include <string_view>

namespace uad {

struct Size {
  int width = 0;
  int height = 0;
  bool operator==(const Size&) const = default;
  [[nodiscard]] bool empty() const noexcept { return width <= 0 && height <= 0; }
};

struct Point {
  int x = 0;
  int y = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Rect&) const = default;
  [[nodiscard]] bool empty() const noexcept { return width <= 0 || height <= 0; }
};

/// A rectangle with fractional edges, in frame pixels.
struct RectF {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  bool operator==(const RectF&) const = default;
};

/// "640x480" or "256" (both sides). "" is {0, 0}. "256x0": the zero side follows from the aspect
/// ratio.
/// @throws Error(kBadOption) naming `option` if the text is anything else or a side exceeds 32768.
Size parse_size(std::string_view text, std::string_view option);

/// "x,y,width,height"; "" is an empty rectangle. @throws Error(kBadOption) naming `option`.
Rect parse_rect(std::string_view text, std::string_view option);

/// "WxH". @note Inverse of parse_size.
std::string to_string(Size size);
/// "x,y,width,height". @note Inverse of parse_rect.
std::string to_string(const Rect& rect);

}  // namespace uad
