// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/boxes.h"

#include <algorithm>
#include <limits>

#include "core/base/results/regions.h"

namespace uad {
namespace {

std::vector<Rect> boxes_of(const std::vector<Region>& regions) {
  std::vector<Rect> boxes;
  for (const Region& region : regions) boxes.push_back(region.box);
  return boxes;
}

double area(const Rect& rect) {
  return rect.empty() ? 0 : static_cast<double>(rect.width) * rect.height;
}

Rect intersection(const Rect& a, const Rect& b) {
  const int left = std::max(a.x, b.x);
  const int top = std::max(a.y, b.y);
  return {left, top, std::min(a.x + a.width, b.x + b.width) - left,
          std::min(a.y + a.height, b.y + b.height) - top};
}

/// Whether the middle of one of the truth's pixels lies in one of the boxes.
bool hits(const std::vector<Rect>& boxes, const Image& truth, const RectF& placement) {
  const auto inside = [&](int x, int y) {
    const double middle_x = placement.x + (x + 0.5) * placement.width / truth.width;
    const double middle_y = placement.y + (y + 0.5) * placement.height / truth.height;
    return std::ranges::any_of(boxes, [&](const Rect& box) {
      return middle_x >= box.x && middle_x < box.x + box.width && middle_y >= box.y &&
             middle_y < box.y + box.height;
    });
  };
  for (int y = 0; y < truth.height; ++y) {
    for (int x = 0; x < truth.width; ++x) {
      const auto at = static_cast<std::size_t>(y) * truth.width + x;
      if (truth.pixels[at] != 0 && inside(x, y)) return true;
    }
  }
  return false;
}

}  // namespace

BoxRule box_rule(const Manifest& manifest) {
  const nlohmann::json& options = manifest.options;
  return {.threshold = manifest.thresholds.map.thr,
          .probability = options.contains("heatmap_thres"),
          .single = options.value("boxes", "") == "single"};
}

std::vector<Rect> defect_boxes(const ModelOutput& output, const Thresholds& thresholds,
                               const BoxRule& rule) {
  if (judge(output.score, thresholds) != Verdict::kReject) return {};
  const std::vector<Rect> boxes =
      boxes_of(find_regions(output.map, output.placement, rule.threshold, thresholds.min_area));
  if (!rule.single || boxes.empty()) return boxes;
  return {enclosing(boxes)};
}

Rect enclosing(const std::vector<Rect>& boxes) {
  if (boxes.empty()) return {};
  int left = boxes.front().x;
  int top = boxes.front().y;
  int right = left;
  int bottom = top;
  for (const Rect& box : boxes) {
    left = std::min(left, box.x);
    top = std::min(top, box.y);
    right = std::max(right, box.x + box.width);
    bottom = std::max(bottom, box.y + box.height);
  }
  return {left, top, right - left, bottom - top};
}

double overlap(const Rect& a, const Rect& b) {
  const double both = area(intersection(a, b));
  return both == 0 ? 0 : both / (area(a) + area(b) - both);
}

void BoxMetrics::add(const std::vector<Rect>& boxes, const Image& truth, const RectF& placement) {
  ScoreMap shown{truth.width, truth.height, {truth.pixels.begin(), truth.pixels.end()}};
  const std::vector<Region> labelled = find_regions(shown, placement, 1, 0);
  if (labelled.empty()) return;
  ++counts_.defects;
  if (boxes.empty()) return;
  ++counts_.detected;
  counts_.hits += hits(boxes, truth, placement) ? 1 : 0;
  iou_sum_ += overlap(enclosing(boxes), enclosing(boxes_of(labelled)));
}

BoxMetrics::Result BoxMetrics::result() const {
  Result result = counts_;
  const auto detected = static_cast<double>(result.detected);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  result.hit_share = result.detected == 0 ? kNaN : static_cast<double>(result.hits) / detected;
  result.mean_iou = result.detected == 0 ? kNaN : iou_sum_ / detected;
  return result;
}

}  // namespace uad
