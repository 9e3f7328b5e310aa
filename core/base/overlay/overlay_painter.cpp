// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay/overlay_painter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "core/base/error.h"
#include "core/base/overlay/canvas.h"
#include "core/base/overlay/heat_layer.h"
#include "core/base/text.h"

namespace uad {
namespace {

constexpr int kSmallestLetter = 7;      // pixels; smaller capitals cannot be read
constexpr std::size_t kMostBoxes = 64;  // the worst regions come first
constexpr Colour kPanel{24, 24, 24};
constexpr int kPanelOpacity = kOpaque * 3 / 4;
constexpr Colour kPlain{112, 112, 112};
constexpr Colour kBox{255, 48, 48};

std::array<Colour, 256> table_of(Colormap colormap) {
  const int code = colormap == Colormap::kJet       ? cv::COLORMAP_JET
                   : colormap == Colormap::kInferno ? cv::COLORMAP_INFERNO
                   : colormap == Colormap::kHot     ? cv::COLORMAP_HOT
                                                    : cv::COLORMAP_TURBO;
  cv::Mat1b ramp(1, 256);
  for (int i = 0; i < 256; ++i) ramp(0, i) = static_cast<std::uint8_t>(i);
  cv::Mat3b bgr;
  cv::applyColorMap(ramp, bgr, code);
  std::array<Colour, 256> table;
  for (int i = 0; i < 256; ++i) {
    table[static_cast<std::size_t>(i)] = {bgr(0, i)[2], bgr(0, i)[1], bgr(0, i)[0]};
  }
  return table;
}

/// Capital letters in pixels, so that text reads alike from 320x240 to 4K.
int letter_height(const Canvas& canvas) {
  return std::max(9, static_cast<int>(std::lround(canvas.height() * 0.026)));
}

/// Black or white, whichever is legible on `background`.
Colour text_colour(Colour background) { return brightness(background) > 140 ? kBlack : kWhite; }

/// In a grey frame the four verdicts differ by shade, REJECT being the brightest.
Colour banner_colour(const Canvas& canvas, Verdict verdict) {
  if (!canvas.grey()) return verdict_colour(verdict);
  switch (verdict) {
    case Verdict::kPass:
      return {48, 48, 48};
    case Verdict::kWarn:
      return {184, 184, 184};
    case Verdict::kReject:
      return kWhite;
    case Verdict::kUnscored:
      break;
  }
  return {104, 104, 104};
}

/// Draws text on a box of its own, with room of half a letter to both sides.
int label_width(const TextWriter& text, std::string_view line, int letters) {
  return (text.width(line, letters) + letters + 2) & ~1;
}

void draw_label(Canvas& canvas, const TextWriter& text, int x, std::string_view line, int letters,
                Colour background, int opacity) {
  canvas.fill({x, 0, label_width(text, line, letters), TextWriter::height(letters)},
              canvas.ink(background), opacity);
  text.write(canvas, {x + letters / 2, 0}, line, letters, text_colour(background));
}

std::string figures(const OverlayInput& input) {
  if (!input.notice.empty()) return input.notice;
  if (input.verdict == Verdict::kUnscored) return "no result";
  std::string text =
      fmt::format("score {:#.4g}  limit {:#.4g}", input.score, input.thresholds.image.thr);
  if (input.age_ms >= 100) text += fmt::format("  {:.1f} s old", input.age_ms / 1000);
  return text;
}

void draw_banner(Canvas& canvas, const TextWriter& text, const OverlayInput& input) {
  const std::string_view word = to_string(input.verdict);
  const std::string rest = figures(input);
  int letters = letter_height(canvas);
  const auto fits = [&] {
    return label_width(text, word, letters) + label_width(text, rest, letters) <= canvas.width() &&
           2 * TextWriter::height(letters) <= canvas.height();
  };
  while (letters > kSmallestLetter && !fits()) --letters;
  const Colour colour = banner_colour(canvas, input.verdict);
  if (!fits()) {  // too small for words: a coloured bar still tells the verdict
    canvas.fill({0, 0, canvas.width(), std::max(1, canvas.height() / 8)}, canvas.ink(colour));
    return;
  }
  draw_label(canvas, text, 0, word, letters, colour, kOpaque);
  draw_label(canvas, text, label_width(text, word, letters), rest, letters, kPanel, kPanelOpacity);
}

void draw_boxes(Canvas& canvas, std::span<const Region> regions) {
  const int thickness = std::max(1, canvas.height() / 720);
  const std::size_t count = std::min(regions.size(), kMostBoxes);
  for (const Region& region : regions.first(count)) {
    const Rect& box = region.box;
    const int gap = 2 * thickness + (canvas.grey() ? 2 : 0);  // the region itself stays clear
    const Rect outer{box.x - gap, box.y - gap, box.width + 2 * gap, box.height + 2 * gap};
    if (canvas.grey()) {
      canvas.outline({outer.x - 2, outer.y - 2, outer.width + 4, outer.height + 4}, thickness + 2,
                     canvas.ink(kBlack));
    }
    canvas.outline(outer, thickness, canvas.ink(canvas.grey() ? kWhite : kBox));
  }
}

/// Bottom left: a bar from the low to the high end of the map's scale, plain below the warn level.
void draw_legend(Canvas& canvas, const TextWriter& text, const ScoreScale& scale, double warn,
                 const HeatPalette& palette) {
  const int letters = std::max(kSmallestLetter, letter_height(canvas) * 3 / 4);
  const int bar = (letters + 1) & ~1;
  const int width = (std::max(canvas.width() / 5, 18 * letters) + 1) & ~1;
  const int margin = 2 * bar;
  const Size size{width + 2 * margin, (2 * bar + TextWriter::height(letters) + 1) & ~1};
  if (size.width > canvas.width() || 3 * size.height > canvas.height()) return;
  const int top = (canvas.height() - size.height) & ~1;
  canvas.fill({0, top, size.width, size.height + 1}, canvas.ink(kPanel), kPanelOpacity);
  canvas.fill({margin, top + bar, width, bar}, canvas.ink(kPlain));
  std::vector<float> heat;
  for (int x = 0; x < width; x += 2) {
    const double level = ((x + 1.0) / width - warn) / std::max(1 - warn, 1e-6);
    heat.push_back(static_cast<float>(255 * level));
  }
  std::vector<Dab> dabs;
  for (int y = 0; y < bar; y += 2) {
    const int block_y = (top + bar + y) / 2;
    palette.choose(margin / 2, block_y, heat, kOpaque, dabs);
    canvas.blend_blocks(margin / 2, block_y, dabs);
  }
  const auto mark = [&](double level, double value) {
    const int x = margin + static_cast<int>(std::lround(level * width));
    canvas.fill({x - 1, top + bar / 2, 2, bar + bar / 2}, canvas.ink(kWhite));
    const std::string number = fmt::format("{:.3g}", value);
    const int number_width = text.width(number, letters);
    const int from =
        std::clamp(x - number_width / 2, 1, std::max(1, size.width - 1 - number_width));
    text.write(canvas, {from, top + 2 * bar}, number, letters, kWhite);
  };
  mark(0, scale.lo);
  mark(0.5, scale.thr);
  mark(1, scale.hi);
}

void require_whole(const ScoreMap& map) {
  if (map.width <= 0 || map.height <= 0 ||
      map.values.size() !=
          static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("A score map of {}x{} to paint holds {} values.", map.width, map.height,
                            map.values.size()));
  }
}

}  // namespace

Colour verdict_colour(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return {22, 140, 60};
    case Verdict::kWarn:
      return {255, 176, 0};
    case Verdict::kReject:
      return {208, 24, 24};
    case Verdict::kUnscored:
      break;
  }
  return {112, 112, 112};
}

OverlayPainter::OverlayPainter(const OverlayOptions& options)
    : options_(options),
      colours_(table_of(options.colormap)),
      text_(std::make_unique<TextWriter>()) {
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"alpha\" must be within 0 and 1, but is {}.", options.alpha));
  }
}

OverlayPainter::~OverlayPainter() = default;
OverlayPainter::OverlayPainter(OverlayPainter&&) noexcept = default;
OverlayPainter& OverlayPainter::operator=(OverlayPainter&&) noexcept = default;

void OverlayPainter::paint(const MutableFrameView& frame, const OverlayInput& input) const {
  Canvas canvas(frame);
  const Thresholds& thresholds = input.thresholds;
  const double warn = thresholds.image.normalise(thresholds.warn);
  const HeatPalette palette(canvas, colours_);
  const bool scored = input.verdict != Verdict::kUnscored;
  if (scored && input.map != nullptr && input.placement.width > 0 && input.placement.height > 0) {
    require_whole(*input.map);
    const HeatLayer layer{*input.map, input.placement, thresholds.map, warn};
    const auto opacity = static_cast<int>(std::lround(options_.alpha * kOpaque));
    if (options_.heatmap) tint(canvas, layer, palette, opacity);
    if (options_.contour) draw_contour(canvas, layer, options_.heatmap ? kWhite : kBox);
  }
  if (scored && options_.boxes) draw_boxes(canvas, input.regions);
  if (scored && options_.legend) draw_legend(canvas, *text_, thresholds.map, warn, palette);
  if (options_.banner) draw_banner(canvas, *text_, input);
}

}  // namespace uad
