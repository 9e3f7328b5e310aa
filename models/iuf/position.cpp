// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/position.h"

#include <limits>
#include <numbers>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad::models::iuf {

namespace {

constexpr std::int64_t kHalf = kHidden / 2;  // of the code: one for columns, one for rows
constexpr const char* kRows = "pos_embed.row_embed.weight";
constexpr const char* kColumns = "pos_embed.col_embed.weight";

// Sine and cosine in turn, of ever lower frequencies: [count, kHalf].
at::Tensor sines(std::int64_t count) {
  constexpr double kTemperature = 10000;
  constexpr double kAlmostZero = 1e-6;  // as published
  const auto last = static_cast<double>(count);
  const at::Tensor angles =
      at::arange(1, count + 1, at::kDouble) / (last + kAlmostZero) * (2 * std::numbers::pi);
  const at::Tensor exponents = at::arange(0, kHalf, 2, at::kDouble) / static_cast<double>(kHalf);
  const at::Tensor phases = angles.unsqueeze(1) / at::pow(kTemperature, exponents);
  return at::stack({phases.sin(), phases.cos()}, 2).flatten(1).to(at::kFloat);
}

// What is said of rows [h, kHalf] and of columns [w, kHalf], for each token: two [T, kHalf].
std::pair<at::Tensor, at::Tensor> over_tokens(const at::Tensor& rows, const at::Tensor& columns) {
  const std::int64_t height = rows.size(0);
  const std::int64_t width = columns.size(0);
  return {rows.unsqueeze(1).expand({height, width, kHalf}).reshape({-1, kHalf}),
          columns.unsqueeze(0).expand({height, width, kHalf}).reshape({-1, kHalf})};
}

}  // namespace

void add_position_code(Layout& layout, const NetworkShape& shape) {
  if (shape.sine) return;
  layout.tensor(kRows, {shape.height, kHalf}, Slot::Kind::kUnit);
  layout.tensor(kColumns, {shape.width, kHalf}, Slot::Kind::kUnit);
}

at::Tensor position_code(const TensorMap& weights, const NetworkShape& shape) {
  if (shape.sine) {
    const auto [rows, columns] = over_tokens(sines(shape.height), sines(shape.width));
    return at::cat({rows, columns}, 1);
  }
  const auto [rows, columns] = over_tokens(weights.at(kRows), weights.at(kColumns));
  return at::cat({columns, rows}, 1);
}

at::Tensor neighbour_mask(const NetworkShape& shape) {
  const std::int64_t reach = shape.mask_size / 2;
  // The token in the middle is the one that others are never farther from than half the grid.
  if (shape.height / 2 <= reach && shape.width / 2 <= reach) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("A neighbour mask of {0}x{0} tokens hides the whole grid of {1}x{2} "
                            "tokens. Take a smaller one, or larger images.",
                            shape.mask_size, shape.height, shape.width));
  }
  const auto near = [&](std::int64_t count) {
    const at::Tensor at = at::arange(count);
    return (at.unsqueeze(1) - at.unsqueeze(0)).abs() <= reach;
  };
  const at::Tensor both = near(shape.height).view({shape.height, 1, shape.height, 1}) &
                          near(shape.width).view({1, shape.width, 1, shape.width});
  const std::int64_t tokens = shape.tokens();
  return at::zeros({tokens, tokens}, at::kFloat)
      .masked_fill_(both.reshape({tokens, tokens}), -std::numeric_limits<double>::infinity());
}

}  // namespace uad::models::iuf
