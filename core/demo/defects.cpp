// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/defects.h"

#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace uad::demo {
namespace {

DefectLayers blank(cv::Size size) {
  DefectLayers layers;
  layers.relief = cv::Mat::zeros(size, CV_32F);
  for (cv::Mat& channel : layers.absorption) channel = cv::Mat::zeros(size, CV_32F);
  layers.mask = cv::Mat::zeros(size, CV_8U);
  return layers;
}

cv::Point2d random_point(const cv::Mat& surface, cv::RNG& rng) {
  while (true) {
    const cv::Point point(rng.uniform(0, surface.cols), rng.uniform(0, surface.rows));
    if (surface.at<std::uint8_t>(point) != 0) return point;
  }
}

/// A slightly bent line through `middle`, as short pieces.
std::vector<cv::Point2d> bent_line(cv::Point2d middle, double angle, double length, double bend) {
  const cv::Point2d along(std::cos(angle), std::sin(angle));
  const cv::Point2d across(-along.y, along.x);
  std::vector<cv::Point2d> points;
  constexpr int kPieces = 48;
  for (int i = 0; i <= kPieces; ++i) {
    const double t = 2.0 * i / kPieces - 1;
    points.push_back(middle + along * (t * length / 2) + across * (bend * (1 - t * t)));
  }
  return points;
}

void draw_piece(cv::Mat& picture, cv::Point2d from, cv::Point2d to, double value, int thickness) {
  constexpr int kShift = 4;  // sub-pixel positions
  const auto fixed = [](cv::Point2d p) {
    return cv::Point(static_cast<int>(std::lround(p.x * (1 << kShift))),
                     static_cast<int>(std::lround(p.y * (1 << kShift))));
  };
  cv::line(picture, fixed(from), fixed(to), value, thickness, cv::LINE_AA, kShift);
}

/// A groove: bright where its far wall catches the light, dark beside it, fading at both ends.
DefectLayers scratch(const cv::Mat& surface, cv::RNG& rng) {
  DefectLayers layers = blank(surface.size());
  const double angle = rng.uniform(0.25, CV_PI - 0.25);  // along the brushing it would not be seen
  const auto line = bent_line(random_point(surface, rng), angle, rng.uniform(60.0, 150.0),
                              rng.uniform(-14.0, 14.0));
  const double depth = rng.uniform(45.0, 80.0);
  const int width = rng.uniform(2, 4);
  const cv::Point2d wall(1.6, 1.6);
  const auto last = static_cast<double>(line.size() - 1);
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const double fade = std::min(
        1.0, 6 * std::min(static_cast<double>(i) + 1, last - static_cast<double>(i)) / last);
    draw_piece(layers.relief, line[i] + wall, line[i + 1] + wall, -0.8 * depth * fade, width);
    draw_piece(layers.relief, line[i], line[i + 1], depth * fade, width);
    draw_piece(layers.mask, line[i] + wall / 2, line[i + 1] + wall / 2, 255, width + 3);
  }
  cv::GaussianBlur(layers.relief, layers.relief, {3, 3}, 0.7);
  return layers;
}

/// Dried oil: an uneven blob with a darker rim, brownish.
DefectLayers stain(const cv::Mat& surface, cv::RNG& rng) {
  DefectLayers layers = blank(surface.size());
  const cv::Point2d middle = random_point(surface, rng);
  cv::Mat clouds(surface.size(), CV_32F);
  rng.fill(clouds, cv::RNG::NORMAL, 0, 1);
  cv::GaussianBlur(clouds, clouds, {0, 0}, 9);
  clouds *= 0.5 / 0.0313;  // unit variance before the blur: 1 / (2 sqrt(pi) 9) after it
  const double a = rng.uniform(16.0, 34.0);
  const double b = a * rng.uniform(0.55, 1.0);
  const double turn = rng.uniform(0.0, CV_PI);
  cv::Mat height(surface.size(), CV_32F);
  for (int y = 0; y < surface.rows; ++y) {
    for (int x = 0; x < surface.cols; ++x) {
      const double dx = x - middle.x;
      const double dy = y - middle.y;
      const double u = (dx * std::cos(turn) + dy * std::sin(turn)) / a;
      const double v = (dy * std::cos(turn) - dx * std::sin(turn)) / b;
      height.at<float>(y, x) =
          static_cast<float>(1.3 - std::sqrt(u * u + v * v)) + 0.35F * clouds.at<float>(y, x);
    }
  }
  cv::Mat film = cv::max(cv::min(height * 4, 1), 0);
  cv::Mat rim = film.mul(1 - cv::max(cv::min(height * 2.2, 1), 0));
  cv::GaussianBlur(film, film, {0, 0}, 1.5);
  cv::GaussianBlur(rim, rim, {0, 0}, 1.2);
  const double strength = rng.uniform(0.16, 0.30);
  const std::array<double, 3> tint{0.75, 1.0, 1.45};  // takes more blue than red
  for (std::size_t c = 0; c < 3; ++c) {
    layers.absorption[c] = cv::min(strength * tint[c] * (film + 0.8 * rim), 0.9);
  }
  layers.mask = film > 0.4;
  return layers;
}

/// A shallow hollow: shaded on the side of the light, bright on the other.
DefectLayers dent(const cv::Mat& surface, cv::RNG& rng) {
  DefectLayers layers = blank(surface.size());
  const cv::Point2d middle = random_point(surface, rng);
  const double radius = rng.uniform(13.0, 22.0);
  const double squeeze = rng.uniform(0.7, 1.0);
  const double turn = rng.uniform(0.0, CV_PI);
  const double depth = rng.uniform(62.0, 90.0);
  for (int y = 0; y < surface.rows; ++y) {
    for (int x = 0; x < surface.cols; ++x) {
      const double dx = x - middle.x;
      const double dy = y - middle.y;
      const double u = (dx * std::cos(turn) + dy * std::sin(turn)) / radius;
      const double v = (dy * std::cos(turn) - dx * std::sin(turn)) / (radius * squeeze);
      const double r2 = u * u + v * v;
      if (r2 > 6) continue;
      const double slope = (dx + dy) / (radius * 1.414) * std::exp(-r2);
      layers.relief.at<float>(y, x) = static_cast<float>(depth * 1.6 * slope);
    }
  }
  layers.mask = cv::abs(layers.relief) > 7;
  cv::morphologyEx(layers.mask, layers.mask, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_ELLIPSE, {15, 15}));
  return layers;
}

}  // namespace

DefectLayers make_defect(Defect defect, const cv::Mat& surface, cv::RNG& rng) {
  switch (defect) {
    case Defect::kScratch:
      return scratch(surface, rng);
    case Defect::kStain:
      return stain(surface, rng);
    case Defect::kDent:
      return dent(surface, rng);
    case Defect::kNone:
      break;
  }
  return blank(surface.size());
}

}  // namespace uad::demo
