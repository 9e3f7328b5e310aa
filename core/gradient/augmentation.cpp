// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "core/base/error.h"

namespace uad {
namespace {

/// A random number in [0, 1), the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  double share() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double around_zero(double limit) { return limit * (2 * share() - 1); }
  bool coin() { return share() < 0.5; }
  int below(int count) { return static_cast<int>(share() * count); }

 private:
  std::mt19937_64 random_;
};

cv::Mat as_mat(Image& image) {
  return {image.height, image.width, CV_8UC(image.channels), image.pixels.data()};
}

/// What `change` makes of an image, as an image of its own.
template <class Change>
void transform(Image& image, Change&& change) {
  if (image.pixels.empty()) return;
  cv::Mat result;
  change(as_mat(image), result);
  if (!result.isContinuous()) result = result.clone();
  Image changed{result.cols, result.rows, image.channels, {}};
  changed.pixels.assign(result.datastart, result.dataend);
  image = std::move(changed);
}

/// @param smooth  false for masks, whose levels must stay.
void rotate(Image& image, double degrees, bool smooth) {
  transform(image, [&](const cv::Mat& from, cv::Mat& to) {
    const cv::Point2f centre(static_cast<float>(from.cols - 1) / 2,
                             static_cast<float>(from.rows - 1) / 2);
    cv::warpAffine(from, to, cv::getRotationMatrix2D(centre, degrees, 1), from.size(),
                   smooth ? cv::INTER_LINEAR : cv::INTER_NEAREST, cv::BORDER_REFLECT_101);
  });
}

void change_levels(Image& image, double contrast, double brightness) {
  std::array<std::uint8_t, 256> levels{};
  for (std::size_t v = 0; v < levels.size(); ++v) {
    const double level = 127.5 + (static_cast<double>(v) - 127.5) * (1 + contrast);
    levels[v] =
        static_cast<std::uint8_t>(std::clamp(std::lround(level + 255 * brightness), 0L, 255L));
  }
  for (std::uint8_t& pixel : image.pixels) pixel = levels[pixel];
}

void cut(Sample& sample, Size size, Dice& dice) {
  const Image& image = sample.image;
  if (size.width > image.width || size.height > image.height) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Training crops are {}x{}, but the images have {}x{} pixels at the "
                            "network's input. Make training_crop smaller or resize larger.",
                            size.width, size.height, image.width, image.height));
  }
  const Rect part{dice.below(image.width - size.width + 1),
                  dice.below(image.height - size.height + 1), size.width, size.height};
  for (Image* one : {&sample.image, &sample.mask, &sample.keep}) {
    if (!one->pixels.empty()) *one = crop(*one, part);
  }
}

void turn(Sample& sample, int quarters) {
  if (sample.image.width != sample.image.height) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Turning by 90 degrees needs square images, but these have {}x{} "
                    "pixels. Set a square resize or training_crop, or augment_data to false.",
                    sample.image.width, sample.image.height));
  }
  if (quarters == 0) return;
  constexpr std::array kCodes{cv::ROTATE_90_COUNTERCLOCKWISE, cv::ROTATE_180,
                              cv::ROTATE_90_CLOCKWISE};
  const auto code = kCodes.at(static_cast<std::size_t>(quarters - 1));
  for (Image* one : {&sample.image, &sample.mask, &sample.keep}) {
    transform(*one, [&](const cv::Mat& from, cv::Mat& to) { cv::rotate(from, to, code); });
  }
}

void flip(Sample& sample, int code) {
  for (Image* one : {&sample.image, &sample.mask, &sample.keep}) {
    transform(*one, [&](const cv::Mat& from, cv::Mat& to) { cv::flip(from, to, code); });
  }
}

}  // namespace

Sample augment(const Sample& sample, const Augmentation& how, std::uint64_t seed) {
  Sample changed = sample;
  if (how == Augmentation{}) return changed;
  Dice dice(seed);
  if (how.crop != Size{}) cut(changed, how.crop, dice);
  if (how.flip_horizontal && dice.coin()) flip(changed, 1);
  if (how.flip_vertical && dice.coin()) flip(changed, 0);
  if (how.quarter_turns > 0) turn(changed, dice.below(how.quarter_turns + 1));
  if (how.rotation > 0) {
    const double degrees = dice.around_zero(how.rotation);
    rotate(changed.image, degrees, true);
    rotate(changed.mask, degrees, false);
    rotate(changed.keep, degrees, false);
  }
  if (how.contrast > 0 || how.brightness > 0) {
    const double contrast = dice.around_zero(how.contrast);
    change_levels(changed.image, contrast, dice.around_zero(how.brightness));
  }
  return changed;
}

}  // namespace uad
