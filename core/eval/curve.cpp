// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/curve.h"

#include <cmath>

namespace uad {

bool ThinCurve::near(CurvePoint a, CurvePoint b) const {
  return std::abs(a.x - b.x) < step_ && std::abs(a.y - b.y) < step_;
}

void ThinCurve::add(CurvePoint point) {
  if (!kept_.empty() && near(kept_.back(), point)) {
    passed_ = point;
    return;
  }
  if (passed_ && !near(*passed_, point)) kept_.push_back(*passed_);
  passed_.reset();
  kept_.push_back(point);
}

Curve ThinCurve::points() const {
  Curve result = kept_;
  if (passed_) result.push_back(*passed_);
  return result;
}

}  // namespace uad
