// SPDX-License-Identifier: LGPL-2.1-or-later
// Curves as charts need them: a few hundred points instead of one a score.
#pragma once

#include <optional>
#include <vector>

namespace uad {

struct CurvePoint {
  double x = 0;
  double y = 0;
  bool operator==(const CurvePoint&) const = default;
};
using Curve = std::vector<CurvePoint>;

/// Keeps those points of a curve in the unit square that lie at least `step` apart in x or y, both
/// ends of every longer jump, and the last one. What is left out lies within `step` of a kept
/// point.
class ThinCurve {
 public:
  explicit ThinCurve(double step = 1.0 / 256) : step_(step) {}
  void add(CurvePoint point);
  [[nodiscard]] Curve points() const;

 private:
  [[nodiscard]] bool near(CurvePoint a, CurvePoint b) const;

  double step_;
  Curve kept_;
  std::optional<CurvePoint> passed_;  // the newest point, if it was left out
};

}  // namespace uad
