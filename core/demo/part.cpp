// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/demo/part.h"

#include <algorithm>
#include <array>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "core/demo/defects.h"

namespace uad::demo {
namespace {

// Drawn at twice the size of the frame, then reduced: edges come out smooth.
constexpr int kCanvas = 2 * kPartSize;
constexpr int kMargin = 44;
constexpr int kCornerRadius = 30;
const cv::Rect kPlate(kMargin, kMargin, kCanvas - 2 * kMargin, kCanvas - 2 * kMargin);
const cv::Point kCentre(kCanvas / 2, kCanvas / 2);
constexpr int kRingRadius = 62;
constexpr int kHoleRadius = 17;

cv::Mat noise(cv::RNG& rng, double sd) {
  cv::Mat result(kCanvas, kCanvas, CV_32F);
  rng.fill(result, cv::RNG::NORMAL, 0, sd);
  return result;
}

cv::Mat plate_shape() {
  cv::Mat shape(kCanvas, kCanvas, CV_8U, cv::Scalar(0));
  const int r = kCornerRadius;
  cv::rectangle(shape, {kPlate.x + r, kPlate.y}, {kPlate.br().x - r, kPlate.br().y}, 255, -1);
  cv::rectangle(shape, {kPlate.x, kPlate.y + r}, {kPlate.br().x, kPlate.br().y - r}, 255, -1);
  for (const int x : {kPlate.x + r, kPlate.br().x - r}) {
    for (const int y : {kPlate.y + r, kPlate.br().y - r}) {
      cv::circle(shape, {x, y}, r, 255, -1);
    }
  }
  return shape;
}

std::array<cv::Point, 4> hole_centres() {
  constexpr int kInset = 42;
  const cv::Point a(kPlate.x + kInset, kPlate.y + kInset);
  const cv::Point b(kPlate.br().x - kInset, kPlate.br().y - kInset);
  return {a, {b.x, a.y}, {a.x, b.y}, b};
}

/// Grey level of the steel: long horizontal streaks, fine grain, light from the upper left.
cv::Mat brushed_steel(cv::RNG& rng) {
  cv::Mat streaks = noise(rng, 34);
  cv::blur(streaks, streaks, {121, 1});
  cv::GaussianBlur(streaks, streaks, {1, 3}, 0.8);
  cv::Mat steel = streaks + noise(rng, 2.0) + (166 + rng.uniform(-5.0, 5.0));
  for (int y = 0; y < kCanvas; ++y) {
    float* row = steel.ptr<float>(y);
    for (int x = 0; x < kCanvas; ++x) {
      row[x] += 9.0F - 18.0F * static_cast<float>(x + y) / (2.0F * kCanvas);
    }
  }
  return steel;
}

/// A chamfer: bright towards the light, dark away from it.
void bevel(cv::Mat& grey, const cv::Mat& shape, double width, float strength) {
  cv::Mat height;
  cv::distanceTransform(shape, height, cv::DIST_L2, 5);
  height = cv::min(height, width) / width;
  cv::GaussianBlur(height, height, {5, 5}, 1);
  cv::Mat dx;
  cv::Mat dy;
  cv::Sobel(height, dx, CV_32F, 1, 0);
  cv::Sobel(height, dy, CV_32F, 0, 1);
  grey += strength * (dx + dy);
}

/// Ring with turned grooves around a bore.
void turn_ring(cv::Mat& grey) {
  for (int y = kCentre.y - kRingRadius; y <= kCentre.y + kRingRadius; ++y) {
    for (int x = kCentre.x - kRingRadius; x <= kCentre.x + kRingRadius; ++x) {
      const auto dx = static_cast<float>(x - kCentre.x);
      const auto dy = static_cast<float>(y - kCentre.y);
      const float r = std::sqrt(dx * dx + dy * dy);
      if (r > kRingRadius) continue;
      float& value = grey.at<float>(y, x);
      const float groove = 7.0F * std::sin(r * 0.9F);
      const float sheen = 16.0F * std::cos(2.0F * (std::atan2(dy, dx) + 0.7F));
      value = r < 26 ? 38.0F : 150.0F + groove + sheen + 0.25F * (value - 166.0F);
    }
  }
  cv::circle(grey, kCentre, kRingRadius, 112, 2, cv::LINE_AA);
  cv::circle(grey, kCentre, 27, 205, 2, cv::LINE_AA);
}

void drill_holes(cv::Mat& grey) {
  for (const cv::Point& centre : hole_centres()) {
    cv::circle(grey, centre, kHoleRadius + 5, 138, -1, cv::LINE_AA);
    cv::ellipse(grey, centre, {kHoleRadius + 3, kHoleRadius + 3}, 0, 20, 70, 215, 3, cv::LINE_AA);
    cv::circle(grey, centre, kHoleRadius, 34, -1, cv::LINE_AA);
  }
}

const cv::Rect kTypePlate(kCentre.x - 104, kPlate.br().y - 70, 208, 44);
const cv::Rect kScale(kCentre.x - 104, kPlate.y + 22, 208, 40);

/// Laser-marked type plate below the ring, a scale above it.
void print_marks(cv::Mat& grey) {
  cv::Mat ink(kCanvas, kCanvas, CV_32F, cv::Scalar(0));
  cv::putText(ink, "UAD 24-7", {kCentre.x - 74, kPlate.br().y - 36}, cv::FONT_HERSHEY_DUPLEX, 1.0,
              1, 2, cv::LINE_AA);
  for (int i = 0; i <= 16; ++i) {
    const int x = kCentre.x - 80 + 10 * i;
    cv::line(ink, {x, kPlate.y + 26}, {x, kPlate.y + (i % 4 == 0 ? 50 : 40)}, 1, 2, cv::LINE_AA);
  }
  cv::GaussianBlur(ink, ink, {3, 3}, 0.8);
  grey = grey.mul(1 - 0.55 * ink);
}

/// Where a defect may lie: on the bare steel, away from edges, machined features and print.
cv::Mat free_surface() {
  cv::Mat area(kCanvas, kCanvas, CV_8U, cv::Scalar(0));
  constexpr int kRim = 26;
  cv::rectangle(area, kPlate - cv::Size(2 * kRim, 2 * kRim) + cv::Point(kRim, kRim), 255, -1);
  cv::circle(area, kCentre, kRingRadius + 14, 0, -1);
  for (const cv::Point& centre : hole_centres()) cv::circle(area, centre, kHoleRadius + 18, 0, -1);
  for (const cv::Rect& print : {kTypePlate, kScale}) cv::rectangle(area, print, 0, -1);
  return area;
}

/// Steel is not quite neutral; stains bring their own tint.
cv::Mat tinted(const cv::Mat& grey, const DefectLayers& layers) {
  std::vector<cv::Mat> channels;
  const std::array<double, 3> steel{0.985, 1.0, 1.02};
  for (int c = 0; c < 3; ++c) {
    cv::Mat channel = grey.mul(1 - layers.absorption[static_cast<std::size_t>(c)]);
    channel.convertTo(channel, CV_8U, steel[static_cast<std::size_t>(c)]);
    channels.push_back(channel);
  }
  cv::Mat colour;
  cv::merge(channels, colour);
  return colour;
}

cv::Mat posed(const cv::Mat& canvas, const cv::Mat& pose) {
  cv::Mat turned;
  cv::warpAffine(canvas, turned, pose, canvas.size(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  cv::resize(turned, turned, {kPartSize, kPartSize}, 0, 0, cv::INTER_AREA);
  return turned;
}

}  // namespace

const char* to_string(Defect defect) {
  switch (defect) {
    case Defect::kNone:
      return "good";
    case Defect::kScratch:
      return "scratch";
    case Defect::kStain:
      return "stain";
    case Defect::kDent:
      return "dent";
  }
  return "";
}

Part draw_part(std::uint64_t seed, Defect defect) {
  cv::RNG rng(seed * 2 + 1);               // an odd state, because 0 is a fixed point of cv::RNG
  for (int i = 0; i < 8; ++i) rng.next();  // neighbouring seeds drift apart
  cv::Mat grey = brushed_steel(rng);
  const cv::Mat shape = plate_shape();
  bevel(grey, shape, 7, 14);
  turn_ring(grey);
  drill_holes(grey);
  print_marks(grey);
  const DefectLayers layers = make_defect(defect, free_surface(), rng);
  grey += layers.relief;
  cv::Mat pose = cv::getRotationMatrix2D(kCentre, rng.uniform(-1.5, 1.5), 1.0);
  pose.at<double>(0, 2) += rng.uniform(-3.0, 3.0);
  pose.at<double>(1, 2) += rng.uniform(-3.0, 3.0);
  Part part;
  part.colour = posed(tinted(grey, layers), pose);
  part.alpha = posed(shape, pose);
  cv::Mat shadow;
  cv::GaussianBlur(part.alpha, shadow, {0, 0}, 5);
  const cv::Mat offset = (cv::Mat_<double>(2, 3) << 1, 0, 5, 0, 1, 6);
  cv::warpAffine(shadow, part.shadow, offset, shadow.size());
  part.defect = posed(layers.mask, pose) > 100;
  return part;
}

}  // namespace uad::demo
