// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/self_test.h"

#include <algorithm>
#include <cmath>

#include "core/loaded_model.h"

namespace uad {
namespace {

constexpr std::size_t kRealFrames = 3;
constexpr std::size_t kLargestBytes = 3 * (std::size_t{4} << 20);
constexpr int kLargestSide = 1024;       // of the procedural frame
constexpr double kSmallestScore = 0.01;  // share of the reject threshold

}  // namespace

void SelfTestFrames::consider(const std::function<Image()>& network_image) {
  // Reservoir sampling: the number of frames is not known in advance.
  const std::size_t place = seen_ < kRealFrames ? seen_ : random_() % (seen_ + 1);
  ++seen_;
  if (place >= kRealFrames) return;
  Image image = network_image();
  if (size_.empty()) size_ = {image.width, image.height};
  if (image.pixels.size() > kLargestBytes) return;
  if (place < chosen_.size()) {
    chosen_[place] = std::move(image);
  } else {
    chosen_.push_back(std::move(image));
  }
}

void SelfTestFrames::write(const AnomalyModel& model, const TilePreprocessor& preprocessor,
                           bool real_frames, ModelFile& file) const {
  const auto add = [&](const Image& frame, double smallest) {
    const double score = analyse_tiles(model, *preprocessor.cut_network_image(frame)).score;
    if (std::abs(score) < smallest) return;
    file.self_test_frames.push_back(frame);
    file.manifest.self_test.scores.push_back(score);
  };
  add(procedural_frame({std::min(size_.width, kLargestSide), std::min(size_.height, kLargestSide)}),
      0);
  if (!real_frames) return;
  const double smallest = kSmallestScore * std::abs(file.manifest.thresholds.image.thr);
  for (const Image& frame : chosen_) add(frame, smallest);
}

Image procedural_frame(Size size) {
  Image image{size.width, size.height, 3, {}};
  image.pixels.reserve(static_cast<std::size_t>(size.width) *
                       static_cast<std::size_t>(size.height) * 3);
  std::uint32_t noise = 12345;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      noise = noise * 1664525U + 1013904223U;
      const bool square = ((x / 24) + (y / 24)) % 2 == 0;
      const int dx = x - size.width / 2;
      const int dy = y - size.height / 2;
      const bool ring = (dx * dx + dy * dy) / 900 % 2 == 0;
      const int grain = static_cast<int>(noise >> 27);
      const int red = (square ? 170 : 60) + grain;
      const int green = (ring ? 150 : 90) + grain;
      const int blue = 200 * x / size.width + grain;
      for (const int value : {red, green, blue}) {
        image.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

}  // namespace uad
