// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/svg.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/eval/report/html.h"

namespace uad::report {
namespace {

// Room around the axes for ticks and labels, in pixels of the drawing.
constexpr int kLeft = 54;
constexpr int kRight = 12;
constexpr int kTop = 10;
constexpr int kBottom = 40;
constexpr int kTextRow = 15;
constexpr int kTextRoom = 75;  // for "reject 1.234"

std::string tick_text(const Axis& axis, double tick) {
  const double shown = axis.magnitude ? std::abs(tick) : tick;
  return escape(fmt::format("{:.4g}{}", shown == 0 ? 0.0 : shown, axis.unit));
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(count, 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  const double slack = step * 1e-6;
  for (double n = std::ceil((low - slack) / step); n * step <= high + slack; ++n) {
    ticks.push_back(n * step);
  }
  return ticks;
}

Plot::Plot(int width, int height, Axis x, Axis y)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {
  draw_axes();
}

double Plot::px(double x) const {
  const double share = std::clamp((x - x_.low) / (x_.high - x_.low), 0.0, 1.0);
  return kLeft + share * (width_ - kLeft - kRight);
}

double Plot::py(double y) const {
  const double share = std::clamp((y - y_.low) / (y_.high - y_.low), 0.0, 1.0);
  return height_ - kBottom - share * (height_ - kTop - kBottom);
}

void Plot::draw_axes() {
  const double left = px(x_.low), right = px(x_.high), top = py(y_.high), bottom = py(y_.low);
  for (const double tick : x_.ticks) {
    body_ += fmt::format(
        R"(<path class="grid" d="M{0:.1f} {1:.1f}V{2:.1f}"/><text x="{0:.1f}" y="{3:.1f}" text-anchor="middle">{4}</text>)",
        px(tick), top, bottom, bottom + 14, tick_text(x_, tick));
  }
  for (const double tick : y_.ticks) {
    body_ += fmt::format(
        R"(<path class="grid" d="M{0:.1f} {1:.1f}H{2:.1f}"/><text x="{3:.1f}" y="{4:.1f}" text-anchor="end">{5}</text>)",
        left, py(tick), right, left - 5, py(tick) + 4, tick_text(y_, tick));
  }
  body_ += fmt::format(
      R"(<path class="axis" d="M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}"/><text class="label" x="{4:.1f}" y="{5}" text-anchor="middle">{6}</text>)",
      left, top, bottom, right, (left + right) / 2, height_ - 8, escape(x_.label));
  body_ += fmt::format(
      R"svg(<text class="label" transform="translate(11 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>)svg",
      (top + bottom) / 2, escape(y_.label));
}

void Plot::line(const Curve& points, const std::string& style) {
  std::string path;
  for (const CurvePoint& point : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', px(point.x), py(point.y));
  }
  body_ += fmt::format(R"(<path class="{}" d="{}"/>)", style, path);
}

void Plot::bar(CurvePoint a, CurvePoint b, const std::string& style) {
  const auto [left, right] = std::minmax({px(a.x), px(b.x)});
  const auto [top, bottom] = std::minmax({py(a.y), py(b.y)});
  body_ += fmt::format(R"(<path class="{}" d="M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}z"/>)", style,
                       left, bottom, right, top, left);
}

void Plot::vertical(double x, const std::string& text, int row, bool left,
                    const std::string& style) {
  const double at = px(x);
  const double room_left = at - px(x_.low);
  const double room_right = px(x_.high) - at;
  const bool before = left ? room_left > kTextRoom || room_left > room_right
                           : room_right < kTextRoom && room_left > room_right;
  body_ += fmt::format(
      R"(<path class="{}" d="M{:.1f} {:.1f}V{:.1f}"/><text class="halo" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
      style, at, py(y_.high), py(y_.low), before ? at - 4 : at + 4,
      py(y_.high) + 11 + row * kTextRow, before ? "end" : "start", escape(text));
}

void Plot::horizontal(double y, const std::string& style) {
  body_ += fmt::format(R"(<path class="{}" d="M{:.1f} {:.1f}H{:.1f}"/>)", style, px(x_.low), py(y),
                       px(x_.high));
}

void Plot::dot(CurvePoint at, const std::string& style) {
  body_ += fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4.5"/>)", style, px(at.x),
                       py(at.y));
}

void Plot::text(CurvePoint at, const std::string& text, const std::string& anchor) {
  body_ += fmt::format(R"(<text class="halo" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
                       px(at.x), py(at.y), anchor, escape(text));
}

std::string Plot::svg(const std::string& description) const {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>)", width_,
                     height_, escape(description), body_);
}

}  // namespace uad::report
