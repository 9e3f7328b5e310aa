// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "core/base/error.h"

namespace uad {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? kNaN : static_cast<double>(part) / static_cast<double>(whole);
}

/// All samples of one score.
struct Group {
  double score = 0;
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  double component_share = 0;  ///< sum of 1 / component size over the positive pixels
};

/// Walks down the scores, one group of equal scores at a time, and integrates every curve at once.
class CurveWalk {
 public:
  CurveWalk(std::int64_t positives, std::int64_t negatives, std::int64_t components,
            double pro_limit)
      : positives_(positives),
        negatives_(negatives),
        components_(components),
        pro_limit_(pro_limit) {
    roc_.add({0, 0});
    pro_curve_.add({0, 0});
  }

  void step(const Group& group) {
    const Confusion before = now_;
    now_.tp += group.positives;
    now_.fp += group.negatives;
    // In units of one positive times one negative; the division comes last.
    roc_area_ +=
        static_cast<double>(group.negatives) * 0.5 * static_cast<double>(before.tp + now_.tp);
    precision_area_ += static_cast<double>(group.positives) * ratio(now_.tp, now_.tp + now_.fp);
    step_pro(group, before.fp);
    now_.fn = positives_ - now_.tp;
    now_.tn = negatives_ - now_.fp;
    if (now_.f1() >= best_f1_.f1) {  // on ties the lower threshold, which comes later
      best_f1_ = {now_.f1(), group.score};
      at_best_f1_ = now_;
    }
    if (!defined()) return;
    const double false_positive_rate = ratio(now_.fp, negatives_);
    roc_.add({false_positive_rate, now_.recall()});
    precision_recall_.add({now_.recall(), now_.precision()});
    pro_curve_.add({false_positive_rate, pro_});
  }

  [[nodiscard]] bool defined() const { return positives_ > 0 && negatives_ > 0; }
  [[nodiscard]] double auroc() const {
    if (!defined()) return kNaN;
    return roc_area_ / static_cast<double>(positives_) / static_cast<double>(negatives_);
  }
  [[nodiscard]] double average_precision() const {
    return defined() ? precision_area_ / static_cast<double>(positives_) : kNaN;
  }
  [[nodiscard]] double aupro() const { return defined() ? pro_area_ / pro_limit_ : kNaN; }
  [[nodiscard]] OptimalF1 best_f1() const { return defined() ? best_f1_ : OptimalF1{kNaN, kNaN}; }
  [[nodiscard]] Confusion at_best_f1() const { return defined() ? at_best_f1_ : Confusion{}; }
  [[nodiscard]] Curves curves() const {
    if (!defined()) return {};
    return {roc_.points(), precision_recall_.points(),
            components_ > 0 ? pro_curve_.points() : Curve()};
  }

 private:
  /// Trapezoid of PRO over false-positive rate, cut at the limit.
  void step_pro(const Group& group, std::int64_t negatives_before) {
    const double old_pro = pro_;
    share_ += group.component_share;
    pro_ = components_ == 0 ? 0 : share_ / static_cast<double>(components_);
    const double from = ratio(negatives_before, negatives_);
    const double to = ratio(now_.fp, negatives_);
    if (!(from < pro_limit_) || !(to > from)) return;
    const double end = std::min(to, pro_limit_);
    const double pro_at_end = old_pro + (pro_ - old_pro) * (end - from) / (to - from);
    pro_area_ += (end - from) * 0.5 * (old_pro + pro_at_end);
  }

  std::int64_t positives_;
  std::int64_t negatives_;
  std::int64_t components_;
  double pro_limit_;
  Confusion now_;
  double roc_area_ = 0;
  double precision_area_ = 0;
  double share_ = 0;
  double pro_ = 0;
  double pro_area_ = 0;
  OptimalF1 best_f1_;
  Confusion at_best_f1_;
  ThinCurve roc_;
  ThinCurve precision_recall_;
  ThinCurve pro_curve_;
};

void demand_finite(float score) {
  if (!std::isfinite(score)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Metrics need finite scores, found {}; the model's output is broken, "
                            "retrain it.",
                            score));
  }
}

/// Ordered as the score, bit pattern by bit pattern; -0 equals 0.
std::uint32_t key_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

float score_of(std::uint32_t key) {
  return std::bit_cast<float>((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
}

std::uint64_t pack(float score, std::uint32_t component_size) {
  return static_cast<std::uint64_t>(key_of(score)) << 32 | component_size;
}

/// Sorts `samples` (see PixelMetrics::kept_) and walks down them.
CurveWalk walk_exactly(std::vector<std::uint64_t>& samples, std::int64_t components,
                       double pro_limit) {
  std::sort(samples.begin(), samples.end(), std::greater<>());
  const auto positives = std::count_if(samples.begin(), samples.end(), [](std::uint64_t sample) {
    return static_cast<std::uint32_t>(sample) != 0;
  });
  const auto total = static_cast<std::int64_t>(samples.size());
  CurveWalk walk(positives, total - positives, components, pro_limit);
  for (std::size_t i = 0; i < samples.size();) {
    const auto key = static_cast<std::uint32_t>(samples[i] >> 32);
    Group group{score_of(key), 0, 0, 0};
    for (; i < samples.size() && samples[i] >> 32 == key; ++i) {
      const auto component_size = static_cast<std::uint32_t>(samples[i]);
      if (component_size == 0) {
        ++group.negatives;
      } else {
        ++group.positives;
        group.component_share += 1.0 / component_size;
      }
    }
    walk.step(group);
  }
  return walk;
}

/// Image level: a positive sample is a component of one pixel.
CurveWalk walk_images(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  if (scores.size() != labels.size()) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Metrics need one label for each score, found {} scores and {} labels.",
                            scores.size(), labels.size()));
  }
  std::vector<std::uint64_t> samples;
  samples.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    demand_finite(scores[i]);
    samples.push_back(pack(scores[i], labels[i] != 0 ? 1 : 0));
  }
  return walk_exactly(samples, 0, 1);
}

}  // namespace

double Confusion::accuracy() const { return ratio(tp + tn, tp + fp + fn + tn); }
double Confusion::balanced_accuracy() const {
  return (ratio(tp, tp + fn) + ratio(tn, tn + fp)) / 2;
}
double Confusion::precision() const { return ratio(tp, tp + fp); }
double Confusion::recall() const { return ratio(tp, tp + fn); }
double Confusion::f1() const { return ratio(2 * tp, 2 * tp + fp + fn); }
double Confusion::iou() const { return ratio(tp, tp + fp + fn); }

double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return walk_images(scores, labels).auroc();
}

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return walk_images(scores, labels).average_precision();
}

OptimalF1 optimal_f1(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return walk_images(scores, labels).best_f1();
}

Curves curves(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return walk_images(scores, labels).curves();
}

Confusion confusion_at(std::span<const float> scores, std::span<const std::uint8_t> labels,
                       double threshold) {
  if (scores.size() != labels.size()) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Metrics need one label for each score, found {} scores and {} labels.",
                            scores.size(), labels.size()));
  }
  Confusion counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    demand_finite(scores[i]);
    const bool called = scores[i] >= threshold;
    const bool defect = labels[i] != 0;
    ++(called ? (defect ? counts.tp : counts.fp) : (defect ? counts.fn : counts.tn));
  }
  return counts;
}

PixelMetrics::PixelMetrics(const Options& options) : options_(options), bins_(options.bins) {
  if (!(options.pro_limit > 0 && options.pro_limit <= 1)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("The limit of PRO must lie in (0, 1], found {}.", options.pro_limit));
  }
  if (options.bins > 0 &&
      !(options.low < options.high && std::isfinite(options.low) && std::isfinite(options.high))) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("A histogram of scores needs low < high, found {} and {}.", options.low,
                            options.high));
  }
}

void PixelMetrics::add(std::span<const float> scores, std::span<const std::uint8_t> mask, int width,
                       int height) {
  const std::size_t pixels =
      width > 0 && height > 0 ? static_cast<std::size_t>(width) * static_cast<std::size_t>(height)
                              : 0;
  if (scores.size() != pixels || mask.size() != pixels) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("Pixel metrics need {}x{} = {} scores and mask values, found {} and "
                            "{}.",
                            width, height, pixels, scores.size(), mask.size()));
  }
  if (pixels == 0) return;
  std::for_each(scores.begin(), scores.end(), demand_finite);  // all or nothing of an image
  const cv::Mat defects = cv::Mat(height, width, CV_8U, const_cast<std::uint8_t*>(mask.data())) > 0;
  cv::Mat labels;
  cv::Mat stats;
  cv::Mat centroids;
  const int found = cv::connectedComponentsWithStats(defects, labels, stats, centroids, 8, CV_32S);
  components_ += found - 1;  // label 0 is the background
  const int* label = labels.ptr<int>();
  for (std::size_t i = 0; i < pixels; ++i) {
    const int size = label[i] == 0 ? 0 : stats.at<int>(label[i], cv::CC_STAT_AREA);
    count(scores[i], static_cast<std::uint32_t>(size));
  }
}

void PixelMetrics::count(float score, std::uint32_t component_size) {
  if (bins_.empty()) {
    kept_.push_back(pack(score, component_size));
    return;
  }
  const double last = static_cast<double>(bins_.size()) - 1;
  const double place = (static_cast<double>(score) - options_.low) /
                       (options_.high - options_.low) * static_cast<double>(bins_.size());
  Bin& bin = bins_[static_cast<std::size_t>(std::clamp(place, 0.0, last))];
  bin.lowest = std::min(bin.lowest, score);
  if (component_size == 0) {
    ++bin.negatives;
  } else {
    ++bin.positives;
    bin.component_share += 1.0 / component_size;
  }
}

PixelMetrics::Result PixelMetrics::result() {
  std::int64_t pixels = static_cast<std::int64_t>(kept_.size());
  std::int64_t defects = 0;
  for (const std::uint64_t sample : kept_) defects += static_cast<std::uint32_t>(sample) != 0;
  for (const Bin& bin : bins_) {
    pixels += bin.positives + bin.negatives;
    defects += bin.positives;
  }
  CurveWalk walk(defects, pixels - defects, components_, options_.pro_limit);
  if (bins_.empty()) {
    walk = walk_exactly(kept_, components_, options_.pro_limit);
  } else {
    for (auto bin = bins_.rbegin(); bin != bins_.rend(); ++bin) {
      if (bin->positives + bin->negatives == 0) continue;
      walk.step({bin->lowest, bin->positives, bin->negatives, bin->component_share});
    }
  }
  return {walk.auroc(),      walk.average_precision(),
          walk.aupro(),      walk.best_f1(),
          walk.at_best_f1(), pixels,
          defects,           components_,
          bins_.empty(),     walk.curves()};
}

}  // namespace uad
