// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/overlay_painter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "core/base/canvas.h"
#include "core/base/error.h"
#include "core/base/heat_layer.h"

namespace uad {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_DUPLEX;
constexpr double kCapHeight = 21;       // of kFont at scale 1, pixels
constexpr int kSmallestLetter = 7;      // pixels; smaller capitals cannot be read
constexpr std::size_t kMostBoxes = 64;  // the worst regions come first
constexpr Colour kPanel{24, 24, 24};
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

/// A line of text as a mask whose height is that of the letters with room below.
struct Text {
  cv::Mat1b mask;
  int baseline = 0;  // rows below the capitals
};

int text_width(const std::string& text, int letters) {
  int baseline = 0;
  return cv::getTextSize(text, kFont, letters / kCapHeight, std::max(1, letters / 14), &baseline)
      .width;
}

Text render(const std::string& text, int letters) {
  const int thickness = std::max(1, letters / 14);
  Text rendered;
  const cv::Size size =
      cv::getTextSize(text, kFont, letters / kCapHeight, thickness, &rendered.baseline);
  rendered.baseline = (letters * 2 + 4) / 5;
  rendered.mask = cv::Mat1b::zeros(letters + 2 * rendered.baseline, size.width + 2);
  cv::putText(rendered.mask, text, {1, letters + rendered.baseline}, kFont, letters / kCapHeight,
              255, thickness, cv::LINE_AA);
  return rendered;
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

/// Draws text on a box of its own at (x, y). @return the box's width.
int label(Canvas& canvas, Point at, const std::string& text, int letters, Colour background,
          int opacity) {
  const Text rendered = render(text, letters);
  const int margin = (letters + 1) / 2;
  const int width = (rendered.mask.cols + 2 * margin + 1) & ~1;
  canvas.fill({at.x, at.y, width, rendered.mask.rows}, canvas.ink(background), opacity);
  canvas.stamp({at.x + margin, at.y}, rendered.mask, canvas.ink(text_colour(background)));
  return width;
}

std::string figures(const OverlayInput& input) {
  if (!input.notice.empty()) return input.notice;
  if (input.verdict == Verdict::kUnscored) return "no result";
  std::string text =
      fmt::format("score {:#.4g}  limit {:#.4g}", input.score, input.thresholds.image.thr);
  if (input.age_ms >= 100) text += fmt::format("  {:.1f} s old", input.age_ms / 1000);
  return text;
}

void draw_banner(Canvas& canvas, const OverlayInput& input) {
  const std::string word{to_string(input.verdict)};
  const std::string rest = figures(input);
  int letters = letter_height(canvas);
  const auto needed = [&] {
    return text_width(word, letters) + text_width(rest, letters) + 2 * letters + 8;
  };
  while (letters > kSmallestLetter && needed() > canvas.width()) --letters;
  const Colour colour = banner_colour(canvas, input.verdict);
  if (needed() > canvas.width() || 2 * letters > canvas.height()) {
    // Too small for words: a coloured bar still tells the verdict.
    canvas.fill({0, 0, canvas.width(), std::max(1, canvas.height() / 8)}, canvas.ink(colour));
    return;
  }
  const int width = label(canvas, {0, 0}, word, letters, colour, kOpaque);
  label(canvas, {width, 0}, rest, letters, kPanel, kOpaque * 3 / 4);
}

void draw_boxes(Canvas& canvas, std::span<const Region> regions) {
  const int thickness = std::max(1, canvas.height() / 720);
  const std::size_t count = std::min(regions.size(), kMostBoxes);
  for (const Region& region : regions.first(count)) {
    const Rect& box = region.box;
    const int gap = 2 * thickness;
    const Rect outer{box.x - gap, box.y - gap, box.width + 2 * gap, box.height + 2 * gap};
    if (canvas.grey()) {
      canvas.outline({outer.x - 2, outer.y - 2, outer.width + 4, outer.height + 4}, thickness + 2,
                     canvas.ink(kBlack));
    }
    canvas.outline(outer, thickness, canvas.ink(canvas.grey() ? kWhite : kBox));
  }
}

/// Bottom left: a bar from the low to the high end of the map's scale, plain below the warn level.
void draw_legend(Canvas& canvas, const ScoreScale& scale, double warn,
                 const std::array<Colour, 256>& colours) {
  const int letters = std::max(kSmallestLetter, letter_height(canvas) * 3 / 4);
  const int width = (std::max(canvas.width() / 4, 16 * letters) + 1) & ~1;
  const int bar = (letters + 1) & ~1;
  const int margin = bar;
  const Rect panel{0, (canvas.height() - 4 * bar) & ~1, width + 2 * margin, 5 * bar};
  if (panel.width > canvas.width() || 2 * panel.height > canvas.height()) return;
  canvas.fill(panel, canvas.ink(kPanel), kOpaque * 3 / 4);
  const int top = panel.y + bar / 2;
  for (int x = 0; x < width; x += 2) {
    const double level = (x + 1.0) / width;
    const double heat = (level - warn) / std::max(1 - warn, 1e-6);
    const auto grey = static_cast<std::uint8_t>(255 * level);
    const Colour plain = canvas.grey() ? Colour{grey, grey, grey} : Colour{96, 96, 96};
    const Colour colour = heat < 0 || canvas.grey()
                              ? plain
                              : colours[static_cast<std::size_t>(std::min(255 * heat, 255.0))];
    canvas.fill({panel.x + margin + x, top, 2, bar}, canvas.ink(colour));
  }
  const auto mark = [&](double level, double value) {
    const int x = margin + static_cast<int>(std::lround(level * width));
    canvas.fill({x - 1, top, 2, bar + bar / 2}, canvas.ink(kWhite));
    const Text text = render(fmt::format("{:#.3g}", value), letters);
    const int left = std::clamp(x - text.mask.cols / 2, 0, panel.width - text.mask.cols);
    canvas.stamp({left, top + bar + bar / 4}, text.mask, canvas.ink(kWhite));
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
    : options_(options), colours_(table_of(options.colormap)) {
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Option \"alpha\" must be within 0 and 1, but is {}.", options.alpha));
  }
}

void OverlayPainter::paint(const MutableFrameView& frame, const OverlayInput& input) const {
  Canvas canvas(frame);
  const Thresholds& thresholds = input.thresholds;
  const double warn = thresholds.image.normalise(thresholds.warn);
  const bool scored = input.verdict != Verdict::kUnscored;
  if (scored && input.map != nullptr && input.placement.width > 0 && input.placement.height > 0) {
    require_whole(*input.map);
    const HeatLayer layer{*input.map, input.placement, thresholds.map, warn};
    const auto opacity = static_cast<int>(std::lround(options_.alpha * kOpaque));
    if (options_.heatmap) tint(canvas, layer, colours_, opacity);
    if (options_.contour) draw_contour(canvas, layer);
  }
  if (scored && options_.boxes) draw_boxes(canvas, input.regions);
  if (scored && options_.legend) draw_legend(canvas, thresholds.map, warn, colours_);
  if (options_.banner) draw_banner(canvas, input);
}

}  // namespace uad
