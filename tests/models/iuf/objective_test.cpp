// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/objective.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace uad::models::iuf {
namespace {

at::Generator generator(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

// Specification, section 5: a token of ones has the norm 16.492423, and noise of 1.212678.
TEST(IufJitter, IsInProportionToTheLengthOfTheToken) {
  at::Generator random = generator(1);
  at::Tensor tokens = at::ones({1, 4000, 272});
  tokens.select(1, 0).zero_();
  const at::Tensor noise = jittered(tokens, 20, random) - tokens;
  EXPECT_EQ(noise.select(1, 0).abs().max().item<float>(), 0);
  EXPECT_NEAR(noise.slice(1, 1).std().item<double>(), 1.212678, 0.005);
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.01);
}

/// Rows with these singular values, along random directions of 256 channels.
at::Tensor rows_with(const std::vector<double>& values) {
  at::manual_seed(3);
  const auto count = static_cast<std::int64_t>(values.size());
  const auto basis = [](std::int64_t size, std::int64_t wanted) {
    return std::get<0>(at::linalg_qr(at::randn({size, wanted}, at::kDouble)));
  };
  const at::Tensor left = basis(count, count);
  return at::mm(left * at::tensor(values, at::kDouble), basis(256, count).t()).to(at::kFloat);
}

// Specification, section 6, and check 9.
TEST(IufCompression, CountsTheShareOfWeakSingularValues) {
  EXPECT_NEAR(weak_share(rows_with({10, 5, 0.003})).item<double>(), 1.9996e-4, 1e-7);
  EXPECT_EQ(weak_share(rows_with({10, 5, 1})).item<double>(), 0);
}

TEST(IufCompression, TeachesOnlyWhileAValueIsWeak) {
  at::Tensor weak = rows_with({10, 5, 0.003}).requires_grad_(true);
  weak_share(weak).backward();
  EXPECT_GT(weak.grad().norm().item<double>(), 1e-3);
  at::Tensor strong = rows_with({10, 5, 1}).requires_grad_(true);
  weak_share(strong).backward();
  EXPECT_EQ(strong.grad().abs().max().item<double>(), 0);
}

TEST(IufCompression, GradientPointsWhereTheShareGrows) {
  const at::Tensor rows = rows_with({10, 5, 0.003}).to(at::kDouble);
  at::Tensor variable = rows.clone().requires_grad_(true);
  weak_share(variable).backward();
  const at::Tensor step = variable.grad() / variable.grad().norm() * 1e-4;
  const double ahead = weak_share(rows + step).item<double>();
  const double behind = weak_share(rows - step).item<double>();
  EXPECT_NEAR((ahead - behind) / 2e-4, variable.grad().norm().item<double>(),
              0.02 * variable.grad().norm().item<double>());
}

std::vector<at::Tensor> decoded(const at::Tensor& rows) {
  return {rows.unsqueeze(0), rows.unsqueeze(0), rows.unsqueeze(0)};
}

TEST(IufCompression, RemembersTheRowsOfAnEpochAndTeachesByTheNewestAlone) {
  const at::Tensor rows = rows_with({10, 5, 0.003});
  Compression compression(3, 256, true, at::kCPU);
  static_cast<void>(compression.add(decoded(rows.slice(0, 0, 2))));
  at::Tensor last = rows.slice(0, 2, 3).clone().requires_grad_(true);
  const at::Tensor share = compression.add(decoded(last));
  EXPECT_NEAR(share.item<double>(), 1.9996e-4, 1e-7);
  share.backward();
  EXPECT_GT(last.grad().norm().item<double>(), 0);
  compression.clear();
  EXPECT_EQ(compression.add(decoded(rows.slice(0, 0, 1))).item<double>(), 0);
}

TEST(IufCompression, AsPublishedItTeachesNothing) {
  Compression compression(3, 256, false, at::kCPU);
  const at::Tensor rows = rows_with({10, 5, 0.003}).requires_grad_(true);
  const at::Tensor share = compression.add(decoded(rows));
  EXPECT_NEAR(share.item<double>(), 1.9996e-4, 1e-7);
  EXPECT_FALSE(share.requires_grad());
}

TEST(IufCompression, DropsTheOldestRows) {
  Compression compression(1, 4, true, at::kCPU);
  for (int i = 0; i < 33; ++i) {
    static_cast<void>(compression.add({at::full({1, 24, 4}, static_cast<float>(i))}));
  }
  const TensorMap state = compression.state();
  EXPECT_EQ(state.at("optimiser.compression.count").item<std::int64_t>(), 33 * 24 - 48);
  EXPECT_EQ(state.at("optimiser.compression.0")[0][0].item<float>(), 2);
}

}  // namespace
}  // namespace uad::models::iuf
