// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/redrawing.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "core/eval/panels.h"
#include "core/gradient/sample_store.h"

namespace uad {
namespace {

constexpr double kHottest = 0.25;  // difference that is painted red

/// Mean of the window around each pixel whose window lies inside.
cv::Mat1d windowed(const cv::Mat1d& values) {
  constexpr int kSide = 11;
  constexpr int kMargin = kSide / 2;
  cv::Mat1d means;
  cv::GaussianBlur(values, means, {kSide, kSide}, 1.5);
  return means({kMargin, means.rows - kMargin}, {kMargin, means.cols - kMargin});
}

double structural_similarity(const cv::Mat1d& x, const cv::Mat1d& y) {
  constexpr double kC1 = 0.01 * 0.01;
  constexpr double kC2 = 0.03 * 0.03;
  const cv::Mat1d mean_x = windowed(x);
  const cv::Mat1d mean_y = windowed(y);
  const cv::Mat1d xx = mean_x.mul(mean_x);
  const cv::Mat1d yy = mean_y.mul(mean_y);
  const cv::Mat1d xy = mean_x.mul(mean_y);
  const cv::Mat1d variances = windowed(x.mul(x)) - xx + windowed(y.mul(y)) - yy;
  const cv::Mat1d covariance = windowed(x.mul(y)) - xy;
  const cv::Mat1d above = (2 * xy + kC1).mul(2 * covariance + kC2);
  const cv::Mat1d below = (xx + yy + kC1).mul(variances + kC2);
  return cv::mean(above / below)[0];
}

/// Of 0 … 1.
std::vector<cv::Mat1d> channels_of(const Image& image) {
  cv::Mat values;
  as_mat(image).convertTo(values, CV_64F, 1.0 / 255);
  std::vector<cv::Mat1d> channels;
  cv::split(values, channels);
  return channels;
}

Image in_colour(Image image) {
  if (image.channels == 3) return image;
  Image rgb{image.width, image.height, 3, {}};
  for (const std::uint8_t level : image.pixels) rgb.pixels.insert(rgb.pixels.end(), 3, level);
  return rgb;
}

cv::Mat3b difference(const RedrawnTile& tile) {
  cv::Mat change;
  cv::absdiff(as_mat(tile.image), as_mat(tile.copy), change);
  change.convertTo(change, CV_64F);
  cv::Mat1d mean;
  cv::transform(change, mean, cv::Matx13d(1, 1, 1) / (3 * kHottest));
  return jet(cv::Mat1b(mean));
}

Image row_of(const RedrawnTile& tile) {
  const int side = std::max(tile.image.width, tile.image.height);
  const double factor = std::max(1.0, std::round(256.0 / side));
  const auto enlarged = [&](const cv::Mat& pixels) {
    cv::Mat3b larger;
    cv::resize(pixels, larger, {}, factor, factor, cv::INTER_NEAREST);
    return larger;
  };
  return side_by_side({{"image", enlarged(as_mat(tile.image))},
                       {"reconstruction", enlarged(as_mat(tile.copy))},
                       {"difference", enlarged(difference(tile)), {"0.25", "0"}}});
}

}  // namespace

Likeness likeness(const Image& image, const Image& copy) {
  const std::vector<cv::Mat1d> x = channels_of(image);
  const std::vector<cv::Mat1d> y = channels_of(copy);
  Likeness mean;
  for (std::size_t c = 0; c < x.size(); ++c) {
    const cv::Mat1d change = x[c] - y[c];
    const auto share = 1.0 / static_cast<double>(x.size());
    mean.mse += share * cv::mean(change.mul(change))[0];
    mean.mae += share * cv::mean(cv::abs(change))[0];
    mean.ssim += share * structural_similarity(x[c], y[c]);
  }
  return mean;
}

std::vector<RedrawnTile> redrawn_tiles(const Redrawing& redrawing, const InputSpec& input) {
  std::vector<RedrawnTile> tiles;
  for (std::int64_t i = 0; i < redrawing.images.size(0); ++i) {
    tiles.push_back({in_colour(to_levels(redrawing.images[i], input)),
                     in_colour(to_levels(redrawing.copies[i], input))});
  }
  return tiles;
}

Image draw_redrawn(const std::vector<RedrawnTile>& tiles) {
  Image picture = row_of(tiles.front());
  for (auto tile = tiles.begin() + 1; tile != tiles.end(); ++tile) {
    const Image row = row_of(*tile);
    picture.height += row.height;
    picture.pixels.insert(picture.pixels.end(), row.pixels.begin(), row.pixels.end());
  }
  return picture;
}

}  // namespace uad
