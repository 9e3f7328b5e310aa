// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/sensitivity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {

OptionSpec sensitivity_option() {
  return {.name = "sensitivity",
          .default_value = "uniform",
          .help =
              "uniform: one threshold for every position; learned: a map of thresholds from the "
              "first half of the held-out images (10 at least), for parts whose good examples "
              "differ more in some places than in others",
          .choices = {"uniform", "learned"}};
}

void SensitivityFit::add(const ScoreMap& map) {
  const Size size{map.width, map.height};
  if (frames_ == 0) {
    size_ = size;
    sum_.assign(map.values.size(), 0);
    squares_.assign(map.values.size(), 0);
  }
  if (size != size_) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("A learned sensitivity needs images of one shape, but found maps of "
                            "{}x{} and {}x{}. Give both sides in --resize, or set "
                            "sensitivity=uniform.",
                            size_.width, size_.height, size.width, size.height));
  }
  ++frames_;
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const double value = map.values[i];
    sum_[i] += value;
    squares_[i] += value * value;
  }
}

ScoreMap SensitivityFit::finish() const {
  const auto count = static_cast<double>(frames_);
  ScoreMap level{size_.width, size_.height, std::vector<float>(sum_.size())};
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const double mean = sum_[i] / count;
    const double variance = std::max(0.0, squares_[i] / count - mean * mean);
    level.values[i] = static_cast<float>(mean + 3 * std::sqrt(variance));
  }
  ScoreMap seen = level;  // 1, and 0 where nothing ever scores: ignored, and no part of the blur
  for (float& value : seen.values) value = value > 0 ? 1.0F : 0.0F;
  const double sigma = std::max(1.0, std::min(size_.width, size_.height) / 32.0);
  const ScoreMap weight = gaussian_blur(seen, sigma);
  level = gaussian_blur(level, sigma);
  std::vector<float> sorted;
  for (std::size_t i = 0; i < level.values.size(); ++i) {
    level.values[i] = seen.values[i] > 0 ? level.values[i] / weight.values[i] : 0.0F;
    if (level.values[i] > 0) sorted.push_back(level.values[i]);
  }
  if (sorted.empty()) return {size_.width, size_.height, std::vector<float>(sum_.size(), 1.0F)};
  const auto middle = sorted.begin() + std::ssize(sorted) / 2;
  std::ranges::nth_element(sorted, middle);
  const float median = *middle;
  for (float& value : level.values) {
    // what is ignored, or scores nothing, keeps its threshold
    value = value > 0 ? std::clamp(median / value, kLeastGain, kMostGain) : 1.0F;
  }
  return level;
}

void apply_sensitivity(const ScoreMap& gains, ModelOutput& output) {
  if (gains.empty()) return;
  ScoreMap& map = output.map;
  const bool fits = gains.width == map.width && gains.height == map.height;
  const ScoreMap stretched = fits ? ScoreMap() : upsample_bilinear(gains, {map.width, map.height});
  const std::vector<float>& factors = fits ? gains.values : stretched.values;
  const float before = std::ranges::max(map.values);
  for (std::size_t i = 0; i < map.values.size(); ++i) map.values[i] *= factors[i];
  if (before > 0) output.score *= std::ranges::max(map.values) / before;
}

}  // namespace uad
