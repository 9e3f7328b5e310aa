// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/gaussians.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/padim/lanes.h"
#include "tests/support/expect_error.h"

namespace {

using uad::models::padim::dense_distances;
using uad::models::padim::GaussianFit;
using uad::models::padim::Gaussians;
using uad::models::padim::kFactorScale;

// Correlated features with another mean and spread at every position. 35 positions: two full groups
// of sixteen and a rest.
at::Tensor images(std::int64_t count, std::int64_t features) {
  at::manual_seed(11);
  const at::Tensor mixture = at::randn({35, features, features});
  const at::Tensor mean = at::randn({35, features}) * 5;
  const at::Tensor x = at::einsum("nps,pfs->npf", {at::randn({count, 35, features}), mixture});
  return (x + mean).permute({0, 2, 1}).reshape({count, features, 5, 7});
}

Gaussians fit(const at::Tensor& x, std::int64_t batch) {
  GaussianFit fit;
  for (const at::Tensor& some : x.split(batch)) fit.add(some);
  return fit.finish(at::kCPU, {});
}

// The same by the textbook, in float64: distances [N, 35].
at::Tensor textbook_distances(const at::Tensor& training, const at::Tensor& x) {
  const at::Tensor good = training.flatten(2).permute({2, 0, 1}).to(at::kDouble);  // [35, N, d]
  const at::Tensor mean = good.mean(1, true);
  const at::Tensor off = good - mean;
  const at::Tensor covariance = off.mT().bmm(off) / static_cast<double>(training.size(0) - 1) +
                                0.01 * at::eye(training.size(1), at::kDouble);
  const at::Tensor delta = x.flatten(2).permute({2, 0, 1}).to(at::kDouble) - mean;
  return (delta.matmul(at::inverse(covariance)) * delta).sum(2).sqrt().t();
}

double worst_error(const at::Tensor& found, const at::Tensor& expected) {
  return ((found.flatten(1) - expected) / expected).abs().max().item<double>();
}

TEST(Gaussians, FollowTheWorkedExample) {
  const at::Tensor samples = at::tensor({1, 2, 3, 5, 2, 4, 6, 9}).to(at::kFloat).view({4, 2, 1, 1});
  const Gaussians gaussians = fit(samples, 4);
  EXPECT_TRUE(at::allclose(gaussians.mean().flatten(), at::tensor({3.0F, 5.0F})));
  const at::Tensor w = gaussians.factor().flatten().to(at::kDouble) / kFactorScale;
  const double a = w[0].item<double>();
  const double b = w[1].item<double>();
  const double c = w[2].item<double>();
  EXPECT_NEAR(a * a + b * b, 18.588874, 2e-2);  // the inverse covariance is Wᵀ W
  EXPECT_NEAR(b * c, -13.568521, 2e-2);
  EXPECT_NEAR(c * c, 10.019282, 2e-2);
  const at::Tensor queries = at::tensor({3, 5, 3, 4, 6, 2}).to(at::kFloat).view({3, 2, 1, 1});
  const at::Tensor distances = gaussians.distances(queries).flatten();
  EXPECT_EQ(distances[0].item<float>(), 0);
  EXPECT_NEAR(distances[1].item<float>(), 3.165325, 2e-3);
  EXPECT_NEAR(distances[2].item<float>(), 22.398812, 2e-2);
}

TEST(Gaussians, DistancesAreThoseOfTheTextbook) {
  for (const std::int64_t features : {1, 3, 4, 18, 100}) {
    for (const std::int64_t count : {2, 16, 17, 150}) {
      const at::Tensor training = images(count, features);
      const at::Tensor x = images(6, features) + 1;
      const at::Tensor found = fit(training, 5).distances(x);
      EXPECT_LT(worst_error(found, textbook_distances(training, x)), 3e-3)
          << features << " features, " << count << " images";
    }
  }
}

TEST(Gaussians, BatchesOfAnySizeGiveTheSameStatistics) {
  const at::Tensor training = images(40, 12);
  const Gaussians whole = fit(training, 40);
  for (const std::int64_t batch : {1, 3}) {
    const Gaussians parts = fit(training, batch);
    EXPECT_TRUE(at::allclose(parts.mean(), whole.mean(), 1e-5, 1e-6));
    EXPECT_TRUE(at::equal(parts.factor(), whole.factor()));
  }
}

TEST(Gaussians, OneFarImageFirstCostsNoPrecision) {
  at::Tensor training = images(33, 8);
  training[0] += 300;
  const at::Tensor x = images(4, 8) - 2;
  EXPECT_LT(worst_error(fit(training, 1).distances(x), textbook_distances(training, x)), 1e-2);
}

TEST(Gaussians, FittedImagesStayWithinTheirBound) {
  const at::Tensor training = images(12, 20);  // fewer images than features
  const at::Tensor squared = fit(training, 4).distances(training).square();
  EXPECT_LE(squared.max().item<float>(), 11.0 * 11 / 12 * 1.005);  // float16
}

TEST(Gaussians, GoOnAsIfAllImagesHadComeAtOnce) {
  const at::Tensor x = images(60, 12);
  GaussianFit more(fit(x.slice(0, 0, 40), 7));
  EXPECT_EQ(more.count(), 40);
  more.add(x.slice(0, 40));
  const Gaussians found = more.finish(at::kCPU, {});
  EXPECT_EQ(found.images(), 60);
  EXPECT_LT(worst_error(found.distances(x), textbook_distances(x, x)), 5e-3);
}

TEST(Gaussians, GoingOnWithoutAnImageChangesHardlyAnything) {
  const at::Tensor x = images(40, 12);
  const Gaussians before = fit(x, 40);
  Gaussians now = fit(x, 40);
  for (int i = 0; i < 20; ++i) now = GaussianFit(now).finish(at::kCPU, {});
  EXPECT_LT(worst_error(now.distances(x), before.distances(x).flatten(1).to(at::kDouble)), 1e-2);
}

TEST(Gaussians, OneImageIsTooFew) {
  GaussianFit fit;
  fit.add(images(1, 3));
  uad::test::expect_error(uad::ErrorCode::kBadOption, {"at least 2 good images", "1 were seen"},
                          [&] { static_cast<void>(fit.finish(at::kCPU, {})); });
}

TEST(Gaussians, FitStopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  GaussianFit fit;
  fit.add(images(3, 3));
  uad::test::expect_error(uad::ErrorCode::kCancelled, {"cancelled"},
                          [&] { static_cast<void>(fit.finish(at::kCPU, stop.get_token())); });
}

// What a GPU does; the operators are the same on every device.
TEST(Gaussians, FullMatricesGiveTheSameDistances) {
  const Gaussians gaussians = fit(images(30, 9), 30);
  const at::Tensor x = images(5, 9) * 1.5;
  at::Tensor factor = at::zeros({35, 9, 9});
  const at::Tensor places = at::tril_indices(9, 9);
  factor.index_put_({at::indexing::Slice(), places[0], places[1]},
                    gaussians.factor().flatten(0, 1).to(at::kFloat) / kFactorScale);
  EXPECT_TRUE(at::allclose(dense_distances(x, gaussians.mean(), factor), gaussians.distances(x),
                           1e-4, 1e-4));
}

TEST(Gaussians, StoredFormComesBackUnchanged) {
  const Gaussians first = fit(images(20, 7), 20);
  const Gaussians second(first.mean(), first.factor(), first.images(), at::kCPU);
  EXPECT_EQ(second.factor().sizes(), at::IntArrayRef({5, 7, 28}));
  EXPECT_TRUE(at::equal(first.factor(), second.factor()));
  EXPECT_TRUE(at::equal(first.distances(images(3, 7)), second.distances(images(3, 7))));
}

}  // namespace
