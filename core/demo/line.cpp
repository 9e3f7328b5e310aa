// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/line.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace uad::demo {
namespace {

constexpr int kBeltHeight = 720;

int wrapped(int value, int period) { return ((value % period) + period) % period; }

/// Dark rubber with a woven structure.
cv::Mat draw_belt(cv::RNG& rng) {
  cv::Mat belt(kBeltHeight, ProductionLine::kPitch, CV_32F);
  rng.fill(belt, cv::RNG::NORMAL, 0, 6);
  cv::GaussianBlur(belt, belt, {5, 5}, 1.2, 1.2, cv::BORDER_REFLECT);
  for (int y = 0; y < belt.rows; ++y) {
    float* row = belt.ptr<float>(y);
    for (int x = 0; x < belt.cols; ++x) {
      row[x] += 52.0F + 3.0F * std::sin(static_cast<float>(2 * CV_PI * x / 10)) *
                            std::sin(static_cast<float>(2 * CV_PI * y / 10));
    }
  }
  return belt;
}

/// Pixels of `part` where it lies at `x`, `y` in a picture of `size`.
struct Overlap {
  cv::Rect picture;
  cv::Rect part;
};

Overlap overlap(cv::Size size, int x, int y) {
  const cv::Rect whole(x, y, kPartSize, kPartSize);
  const cv::Rect picture = whole & cv::Rect({0, 0}, size);
  return {picture, picture - whole.tl()};
}

void lay_down(cv::Mat& picture, const Part& part, const Overlap& where) {
  cv::Mat colour;
  part.colour(where.part).convertTo(colour, CV_32FC3);
  for (int y = 0; y < where.picture.height; ++y) {
    auto* to = picture.ptr<cv::Vec3f>(where.picture.y + y) + where.picture.x;
    const auto* from = colour.ptr<cv::Vec3f>(y);
    const std::uint8_t* alpha = part.alpha.ptr(where.part.y + y) + where.part.x;
    const std::uint8_t* shadow = part.shadow.ptr(where.part.y + y) + where.part.x;
    for (int x = 0; x < where.picture.width; ++x) {
      const auto opaque = static_cast<float>(alpha[x]) / 255.0F;
      const float lit = 1.0F - 0.5F * static_cast<float>(shadow[x]) / 255.0F;
      to[x] = to[x] * (lit * (1 - opaque)) + from[x] * opaque;
    }
  }
}

/// Guide rails hold the parts at one height. In multiples of 16, so that a network with a grid of 16
/// pixels sees their edges alike in pictures of every height.
int top_of_parts(Size view) { return (view.height - kPartSize) / 2 / 16 * 16; }

/// The sensor's noise, drawn anew for every shot.
void expose(cv::Mat& picture, double exposure, cv::RNG& rng) {
  cv::Mat noise(picture.size(), CV_32FC3);
  rng.fill(noise, cv::RNG::NORMAL, 0, 1.8);
  picture = picture * exposure + noise;
}

Image to_image(const cv::Mat& packed) {
  Image image{packed.cols, packed.rows, packed.channels(), {}};
  image.pixels.assign(packed.data, packed.data + packed.total() * packed.elemSize());
  return image;
}

}  // namespace

ProductionLine::ProductionLine(std::uint64_t seed, DefectPlan plan)
    : seed_(seed), plan_(std::move(plan)) {
  cv::RNG rng(seed * 2 + 1);
  belt_ = draw_belt(rng);
}

const Part& ProductionLine::part(int index) {
  auto found = parts_.find(index);
  if (found == parts_.end()) {
    while (parts_.size() > 8) parts_.erase(parts_.begin());  // the belt moves one way
    const std::uint64_t seed = seed_ * 100003 + static_cast<std::uint64_t>(index + 1000);
    found = parts_.emplace(index, draw_part(seed, plan_(index))).first;
  }
  return found->second;
}

Shot ProductionLine::shoot(Size view, int position, double exposure) {
  const int left = position - view.width / 2;  // of the view, on the belt
  cv::Mat grey(view.height, view.width, CV_32F);
  for (int y = 0; y < view.height; ++y) {
    const float* from = belt_.ptr<float>(wrapped(y - view.height / 2, kBeltHeight));
    float* to = grey.ptr<float>(y);
    for (int x = 0; x < view.width; ++x) to[x] = from[wrapped(left + x, kPitch)];
  }
  cv::Mat picture;
  cv::merge(std::vector<cv::Mat>{grey * 0.98, grey, grey * 1.04}, picture);
  cv::Mat mask(view.height, view.width, CV_8U, cv::Scalar(0));
  const int first = static_cast<int>(std::floor((left - kPartSize / 2.0) / kPitch));
  for (int n = first; n * kPitch - kPartSize / 2 < left + view.width; ++n) {
    const int x = n * kPitch - kPartSize / 2 - left;
    const Overlap where = overlap(picture.size(), x, top_of_parts(view));
    if (where.picture.empty()) continue;
    lay_down(picture, part(n), where);
    part(n).defect(where.part).copyTo(mask(where.picture));
  }
  cv::RNG rng((seed_ * 7919 + static_cast<std::uint64_t>(position + 100000)) * 2 + 1);
  expose(picture, exposure, rng);
  picture.convertTo(picture, CV_8U);
  return {to_image(picture), to_image(mask)};
}

}  // namespace uad::demo
