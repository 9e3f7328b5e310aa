// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/crop.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace uad::models::uf_gan {

namespace {

/// Sums of values and of squares over any rectangle, exact.
class Sums {
 public:
  explicit Sums(const Image& image)
      : width_(static_cast<std::size_t>(image.width) + 1),
        sums_(width_ * (static_cast<std::size_t>(image.height) + 1)) {
    const std::uint8_t* pixel = image.pixels.data();
    for (std::size_t at = width_ + 1; at < sums_.size(); ++at) {
      if (at % width_ == 0) continue;  // left of the image
      Sum own;
      for (int c = 0; c < image.channels; ++c, ++pixel) {
        own.values += *pixel;
        own.squares += static_cast<std::int64_t>(*pixel) * *pixel;
      }
      sums_[at] = own + sums_[at - 1] + sums_[at - width_] - sums_[at - width_ - 1];
    }
  }

  /// Mean and deviation of a part. @param channels  of the image.
  [[nodiscard]] Levels levels(const Rect& part, int channels) const {
    const Sum sum = at(part.x + part.width, part.y + part.height) + at(part.x, part.y) -
                    at(part.x + part.width, part.y) - at(part.x, part.y + part.height);
    const double count = static_cast<double>(part.width) * part.height * channels;
    const double mean = static_cast<double>(sum.values) / count;
    const double variance = static_cast<double>(sum.squares) / count - mean * mean;
    return {mean, std::sqrt(std::max(0.0, variance))};
  }

 private:
  struct Sum {
    std::int64_t values = 0;
    std::int64_t squares = 0;
    Sum operator+(const Sum& other) const {
      return {values + other.values, squares + other.squares};
    }
    Sum operator-(const Sum& other) const {
      return {values - other.values, squares - other.squares};
    }
  };
  [[nodiscard]] const Sum& at(int x, int y) const {
    return sums_[static_cast<std::size_t>(y) * width_ + static_cast<std::size_t>(x)];
  }
  std::size_t width_;
  std::vector<Sum> sums_;  // of what lies above and left of each corner
};

}  // namespace

std::vector<int> window_positions(int length, int window, int step) {
  std::vector<int> positions;
  int at = 0;
  for (; at + window <= length; at += step) positions.push_back(at);
  positions.push_back(length - window);
  return positions;
}

FlatPart find_flat_part(const Image& image, int window, int step) {
  const Sums sums(image);
  FlatPart found{{}, sums.levels({0, 0, image.width, image.height}, image.channels)};
  double smallest = std::numeric_limits<double>::infinity();
  for (const int y : window_positions(image.height, window, step)) {
    for (const int x : window_positions(image.width, window, step)) {
      const double deviation = sums.levels({x, y, window, window}, image.channels).deviation;
      if (deviation >= smallest) continue;
      smallest = deviation;
      found.origin = {x, y};
    }
  }
  return found;
}

}  // namespace uad::models::uf_gan
