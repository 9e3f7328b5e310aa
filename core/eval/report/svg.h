// SPDX-License-Identifier: LGPL-2.1-or-later
// A chart as inline SVG. Colours and line styles are classes of the page's style sheet.
#pragma once

#include <string>
#include <vector>

#include "core/eval/curve.h"

namespace uad::report {

/// One axis of a plot, in data units; low < high.
struct Axis {
  double low = 0;
  double high = 1;
  std::string label;
  std::vector<double> ticks;
  bool magnitude = false;  ///< ticks are written without their sign
  std::string unit;        ///< behind every tick, e.g. " %"
};

/// About `count` round numbers within [low, high].
std::vector<double> round_ticks(double low, double high, int count);

/// What is drawn outside of the axes is cut off. Texts are escaped; classes are the caller's.
class Plot {
 public:
  /// @param width, height  of the drawing, about the pixels it takes on a small screen.
  Plot(int width, int height, Axis x, Axis y);

  void line(const Curve& points, const std::string& style);
  /// A rectangle between two corners.
  void bar(CurvePoint a, CurvePoint b, const std::string& style);
  /// Across the whole height, with a text beside its upper end. @param row  of the text, from 0.
  /// @param left  the side of the text where there is room on both.
  void vertical(double x, const std::string& text, int row, bool left, const std::string& style);
  void horizontal(double y, const std::string& style);
  void dot(CurvePoint at, const std::string& style);
  void text(CurvePoint at, const std::string& text, const std::string& anchor);

  /// @param description  read out where the picture is not seen.
  [[nodiscard]] std::string svg(const std::string& description) const;

 private:
  [[nodiscard]] double px(double x) const;
  [[nodiscard]] double py(double y) const;
  void draw_axes();

  int width_;
  int height_;
  Axis x_;
  Axis y_;
  std::string body_;
};

}  // namespace uad::report
