// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/augmentation.h"

#include <random>

#include <ATen/ATen.h>

namespace uad::models::uf_gan {

namespace {

constexpr double kShift = 0.1;
constexpr double kZoom = 0.1;

/// Where each pixel of a row or column comes from: factor * i + offset, in pixels.
struct Line {
  double factor = 1;
  double offset = 0;
};

at::Tensor coordinates(const std::vector<Line>& lines, std::int64_t length) {
  at::Tensor rows = at::empty({static_cast<std::int64_t>(lines.size()), length}, at::kFloat);
  auto at = rows.accessor<float, 2>();
  for (std::int64_t n = 0; n < rows.size(0); ++n) {
    const auto [factor, offset] = lines[static_cast<std::size_t>(n)];
    for (std::int64_t i = 0; i < length; ++i) {
      const double pixel = factor * static_cast<double>(i) + offset;
      at[n][i] = static_cast<float>((2 * pixel + 1) / static_cast<double>(length) - 1);
    }
  }
  return rows;
}

at::Tensor resampled(const at::Tensor& images, const std::vector<Line>& across,
                     const std::vector<Line>& down) {
  const std::int64_t count = images.size(0);
  const std::int64_t height = images.size(2);
  const std::int64_t width = images.size(3);
  const at::Tensor x = coordinates(across, width).view({count, 1, width});
  const at::Tensor y = coordinates(down, height).view({count, height, 1});
  const at::Tensor grid =
      at::stack({x.expand({count, height, width}), y.expand({count, height, width})}, 3);
  constexpr std::int64_t kBilinear = 0;
  constexpr std::int64_t kReflection = 2;
  return at::grid_sampler_2d(images, grid.to(images.device()), kBilinear, kReflection,
                             /*align_corners=*/false);
}

}  // namespace

Change draw_change(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const auto around = [&](double middle, double most) { return middle + most * (2 * unit() - 1); };
  Change change;
  change.flip_x = unit() < 0.5;
  change.flip_y = unit() < 0.5;
  change.shift_x = around(0, kShift);
  change.shift_y = around(0, kShift);
  change.zoom_x = around(1, kZoom);
  change.zoom_y = around(1, kZoom);
  return change;
}

at::Tensor changed(const at::Tensor& images, const std::vector<Change>& changes) {
  const auto height = static_cast<double>(images.size(2));
  const auto width = static_cast<double>(images.size(3));
  std::vector<at::Tensor> flipped;
  std::vector<Line> shift_x;
  std::vector<Line> shift_y;
  std::vector<Line> zoom_x;
  std::vector<Line> zoom_y;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    at::Tensor image = images[static_cast<std::int64_t>(i)];  // [3, H, W]
    if (change.flip_x) image = image.flip(2);
    if (change.flip_y) image = image.flip(1);
    flipped.push_back(image);
    shift_x.push_back({1, -change.shift_x * width});
    shift_y.push_back({1, -change.shift_y * height});
    zoom_x.push_back({change.zoom_x, (width - 1) / 2 * (1 - change.zoom_x)});
    zoom_y.push_back({change.zoom_y, (height - 1) / 2 * (1 - change.zoom_y)});
  }
  return resampled(resampled(at::stack(flipped), shift_x, shift_y), zoom_x, zoom_y);
}

}  // namespace uad::models::uf_gan
