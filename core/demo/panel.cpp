// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/panel.h"

#include <algorithm>
#include <cmath>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace uad::demo {
namespace {

/// Noise without detail finer than `scale` pixels, -1 … 1.
cv::Mat clouds(cv::RNG& rng, cv::Size size, double scale) {
  cv::Mat coarse(std::max(2, static_cast<int>(size.height / scale) + 2),
                 std::max(2, static_cast<int>(size.width / scale) + 2), CV_32F);
  rng.fill(coarse, cv::RNG::UNIFORM, -1, 1);
  cv::Mat fine;
  cv::resize(coarse, fine, size, 0, 0, cv::INTER_CUBIC);
  return cv::max(cv::min(fine, 1), -1);
}

/// What every panel of a kind looks like: grey, slightly brighter in the middle, with the raster of
/// its cells and the grain of the camera.
cv::Mat good_panel(cv::RNG& rng, cv::Size size) {
  cv::Mat panel = clouds(rng, size, size.height / 2.0) * 1.2 + (122 + rng.uniform(-5.0, 5.0));
  for (int y = 0; y < size.height; ++y) {
    float* const row = panel.ptr<float>(y);
    for (int x = 0; x < size.width; ++x) {
      const double dx = 2.0 * x / size.width - 1;
      const double dy = 2.0 * y / size.height - 1;
      const double raster = (x % 3 == 0 ? -1.2 : 0.6) + (y % 3 == 0 ? -0.8 : 0.4);
      row[x] += static_cast<float>(raster - 5 * (dx * dx + dy * dy));
    }
  }
  cv::Mat grain(size, CV_32F);
  rng.fill(grain, cv::RNG::NORMAL, 0, 1.3);
  return panel + grain;
}

/// How a spot at `centre` fades: 1 in the middle, about 0.6 at `radius`.
cv::Mat bump(cv::Size size, cv::Point2d centre, double radius) {
  cv::Mat shape(size, CV_32F);
  for (int y = 0; y < size.height; ++y) {
    float* const row = shape.ptr<float>(y);
    for (int x = 0; x < size.width; ++x) {
      const double distance = std::hypot(x - centre.x, y - centre.y) / radius;
      row[x] = static_cast<float>(std::exp(-distance * distance / 2));
    }
  }
  return shape;
}

cv::Mat line(cv::RNG& rng, cv::Size size) {
  cv::Mat shape(size, CV_32F, cv::Scalar(0));
  const bool across = rng.uniform(0, 2) == 0;
  const int length = across ? size.height : size.width;
  const int at = rng.uniform(length / 8, length - length / 8);
  const int width = rng.uniform(2, 5);
  (across ? shape.rowRange(at, std::min(length, at + width))
          : shape.colRange(at, std::min(length, at + width)))
      .setTo(1);
  cv::GaussianBlur(shape, shape, {0, 0}, 0.8);
  return shape;
}

cv::Point2d somewhere(cv::RNG& rng, cv::Size size) {
  return {rng.uniform(0.12, 0.88) * size.width, rng.uniform(0.15, 0.85) * size.height};
}

/// A bump with an outline that clouds have eaten into.
cv::Mat cloud(cv::RNG& rng, cv::Size size, double radius) {
  const cv::Mat shape = bump(size, somewhere(rng, size), radius);
  return cv::max(shape.mul(0.75 + 0.35 * clouds(rng, size, radius / 2)), 0);
}

/// 0 … about 1, where the mura is.
cv::Mat shape_of(Mura mura, cv::RNG& rng, cv::Size size) {
  const double side = std::min(size.width, size.height);
  switch (mura) {
    case Mura::kNone:
      break;
    case Mura::kLine:
      return line(rng, size);
    case Mura::kSpot:
      return bump(size, somewhere(rng, size), side * rng.uniform(0.012, 0.022));
    case Mura::kBlob:
      return cloud(rng, size, side * rng.uniform(0.07, 0.13));
    case Mura::kCorner:
      return bump(size,
                  {rng.uniform(0, 2) * (size.width - 1.0), rng.uniform(0, 2) * (size.height - 1.0)},
                  side * rng.uniform(0.15, 0.3));
    case Mura::kUneven: {
      const double angle = rng.uniform(0.0, 2 * CV_PI);
      const cv::Point2d far(size.width / 2.0 + size.width * std::cos(angle),
                            size.height / 2.0 + size.height * std::sin(angle));
      return bump(size, far, side);
    }
    case Mura::kFaint:
      return cloud(rng, size, side * rng.uniform(0.18, 0.28));
  }
  return cv::Mat(size, CV_32F, cv::Scalar(0));
}

/// Grey levels at the strongest place, brighter or darker.
double strength_of(Mura mura, Severity severity, cv::RNG& rng) {
  const double sign = mura == Mura::kCorner || rng.uniform(0, 2) == 0 ? 1 : -1;
  if (severity == Severity::kLight) return sign * rng.uniform(0.3, 1.2);
  switch (mura) {
    case Mura::kFaint:
      return sign * rng.uniform(2.5, 4.0);
    case Mura::kSpot:
      return sign * rng.uniform(12.0, 24.0);
    case Mura::kCorner:
    case Mura::kUneven:
      return sign * rng.uniform(14.0, 26.0);
    default:
      return sign * rng.uniform(6.0, 12.0);
  }
}

}  // namespace

const char* to_string(Mura mura) {
  switch (mura) {
    case Mura::kLine:
      return "line";
    case Mura::kSpot:
      return "spot";
    case Mura::kBlob:
      return "blob";
    case Mura::kCorner:
      return "corner";
    case Mura::kUneven:
      return "uneven";
    case Mura::kFaint:
      return "faint";
    case Mura::kNone:
      break;
  }
  return "normal";
}

Panel draw_panel(Size size, std::uint64_t seed, Mura mura, Severity severity) {
  // OpenCV's generator gives similar numbers for similar seeds at first.
  cv::RNG rng(seed * 0x9E3779B97F4A7C15U + 1);
  for (int i = 0; i < 8; ++i) rng.next();
  const cv::Size pixels(size.width, size.height);
  cv::Mat grey = good_panel(rng, pixels);
  const cv::Mat shape = shape_of(mura, rng, pixels);
  grey += strength_of(mura, severity, rng) * shape;
  cv::Mat levels;
  grey.convertTo(levels, CV_8U);
  cv::Mat colour;
  cv::cvtColor(levels, colour, cv::COLOR_GRAY2RGB);
  Panel panel{{size.width, size.height, 3, {}}, {size.width, size.height, 1, {}}};
  panel.image.pixels.assign(colour.data, colour.data + colour.total() * 3);
  panel.mask.pixels.resize(shape.total());
  const bool defective = severity == Severity::kSerious;
  std::transform(
      shape.begin<float>(), shape.end<float>(), panel.mask.pixels.begin(),
      [&](float share) { return static_cast<std::uint8_t>(defective && share >= 0.5F ? 255 : 0); });
  return panel;
}

}  // namespace uad::demo
