// SPDX-License-Identifier: LGPL-2.1-or-later
// The deterministic weights and images of the specification, UF-GAN, section 11.
#pragma once

#include <cmath>
#include <cstdint>

#include <ATen/ATen.h>

#include "models/uf_gan/layout.h"
#include "tests/models/fill.h"

namespace uad::test {

/// Kernels filled by their flat index, everything else as at first.
inline TensorMap uf_gan_fill(const models::uf_gan::Layout& layout) {
  TensorMap weights = models::uf_gan::initial_weights(layout, 0);
  for (const models::uf_gan::Slot& slot : layout.slots()) {
    if (slot.kind != models::uf_gan::Slot::Kind::kKernel) continue;
    at::Tensor& tensor = weights.at(slot.name);
    // [out, in / groups, k, k], and for "up" [in, out, k, k]: the specification counts dimension 0
    const bool transposed = slot.name.ends_with("up.weight");
    const double fan_in =
        static_cast<double>(slot.shape[transposed ? 0 : 1] * slot.shape[2] * slot.shape[3]);
    const double scale = std::sqrt(3 / fan_in);
    float* const values = tensor.data_ptr<float>();
    for (std::int64_t j = 0; j < tensor.numel(); ++j) {
      values[j] = static_cast<float>(scale * fill_value(static_cast<std::uint32_t>(j)));
    }
  }
  return weights;
}

/// [2, 3, size, size].
inline at::Tensor uf_gan_images(std::int64_t size, std::int64_t count = 2) {
  at::Tensor images = at::empty({count, 3, size, size}, at::kFloat);
  auto at = images.accessor<float, 4>();
  for (std::int64_t n = 0; n < count; ++n) {
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t y = 0; y < size; ++y) {
        for (std::int64_t x = 0; x < size; ++x) {
          const auto [dn, dc, dy, dx] =
              std::array<double, 4>{static_cast<double>(n), static_cast<double>(c),
                                    static_cast<double>(y), static_cast<double>(x)};
          at[n][c][y][x] = static_cast<float>(0.5 * std::sin(0.05 * dy + dc + dn) +
                                              0.4 * std::cos(0.07 * dx - 0.03 * dy + 2 * dn));
        }
      }
    }
  }
  return images;
}

}  // namespace uad::test
