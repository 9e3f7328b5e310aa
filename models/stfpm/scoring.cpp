// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/stfpm/scoring.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace uad::models::stfpm {

namespace {

at::Tensor enlarge(const at::Tensor& map, std::int64_t height, std::int64_t width) {
  return at::upsample_bilinear2d(map, {height, width}, /*align_corners=*/false);
}

}  // namespace

at::Tensor product_map(const std::vector<at::Tensor>& distances, std::int64_t height,
                       std::int64_t width) {
  at::Tensor product;
  for (const at::Tensor& layer : distances) {
    const at::Tensor map = enlarge(layer.unsqueeze(1), height, width);
    product = product.defined() ? product * map : map;
  }
  return product;
}

at::Tensor anomaly_map(const std::vector<at::Tensor>& distances, std::int64_t height,
                       std::int64_t width) {
  const std::int64_t rows = std::max<std::int64_t>(1, height / 4);
  const std::int64_t columns = std::max<std::int64_t>(1, width / 4);
  return enlarge(product_map(distances, rows, columns), height, width);
}

}  // namespace uad::models::stfpm
