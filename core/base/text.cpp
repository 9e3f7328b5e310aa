// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <opencv2/imgproc.hpp>

namespace uad {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_DUPLEX;
constexpr double kCapHeight = 21;          // of kFont at scale 1, pixels
constexpr std::size_t kMostGlyphs = 1000;  // frames that change size all the time start afresh

}  // namespace

TextWriter::Glyph TextWriter::render(char letter, int letters) {
  const std::string text(1, letter);
  const double scale = letters / kCapHeight;
  const int thickness = std::max(1, letters / 14);
  int baseline = 0;
  const int width = cv::getTextSize(text, kFont, scale, thickness, &baseline).width;
  Glyph glyph;
  glyph.advance = std::max(1, width - thickness / 2);
  glyph.mask = cv::Mat1b::zeros(height(letters), width + thickness);
  cv::putText(glyph.mask, text, {thickness / 2, letters + margin(letters)}, kFont, scale, 255,
              thickness, cv::LINE_AA);
  return glyph;
}

TextWriter::Glyph TextWriter::glyph(char letter, int letters) const {
  const char shown = letter >= ' ' && letter <= '~' ? letter : '?';
  const std::lock_guard guard(lock_);
  if (glyphs_.size() > kMostGlyphs) glyphs_.clear();
  const auto [found, is_new] = glyphs_.try_emplace({shown, letters});
  if (is_new) found->second = render(shown, letters);
  return found->second;  // the mask is shared, not copied
}

int TextWriter::width(std::string_view text, int letters) const {
  int total = 0;
  for (const char letter : text) total += glyph(letter, letters).advance;
  return total;
}

void TextWriter::write(Canvas& canvas, Point top_left, std::string_view text, int letters,
                       Colour colour) const {
  const Ink ink = canvas.ink(colour);
  for (const char letter : text) {
    const Glyph drawn = glyph(letter, letters);
    canvas.stamp(top_left, drawn.mask, ink);
    top_left.x += drawn.advance;
  }
}

}  // namespace uad
