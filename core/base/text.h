// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of text on a canvas.
#pragma once

#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/base/geometry/geometry.h"
#include "core/base/overlay/canvas.h"
#include "core/base/pixels/colour.h"

namespace uad {

/// Draws printable ASCII; other bytes become '?'. Each letter is rendered once a size and kept,
/// because rendering costs more than everything else in an overlay. @note Thread-safe.
class TextWriter {
 public:
  /// @param letters  height of a capital in pixels, here and below.
  [[nodiscard]] int width(std::string_view text, int letters) const;
  /// Height of a line: the letters with room above and below.
  [[nodiscard]] static int height(int letters) { return letters + 2 * margin(letters); }
  void write(Canvas& canvas, Point top_left, std::string_view text, int letters,
             Colour colour) const;

 private:
  struct Glyph {
    cv::Mat1b mask;   // of line height
    int advance = 0;  // pixels to the next letter
  };
  [[nodiscard]] static int margin(int letters) { return (letters * 2 + 4) / 5; }
  [[nodiscard]] Glyph glyph(char letter, int letters) const;
  [[nodiscard]] static Glyph render(char letter, int letters);

  mutable std::mutex lock_;                               // guards `glyphs_`
  mutable std::map<std::pair<char, int>, Glyph> glyphs_;  // by letter and size
};

}  // namespace uad
