// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/coreset.h"

#include <algorithm>
#include <set>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/exec/distance.h"
#include "tests/support/expect_error.h"

namespace {

using uad::models::patchcore::projected_dimension;
using uad::models::patchcore::random_projection;
using uad::models::patchcore::select_centres;
using uad::models::patchcore::uniform_projection;
using Indices = std::vector<std::int64_t>;

const at::Tensor kPoints =
    at::tensor({0, 0, 1, 0, 0, 1, 5, 5, 6, 5, 10, 0, 0, 10, 4, 4}).to(at::kFloat).view({8, 2});

Indices pick(const at::Tensor& points, std::int64_t count, std::int64_t start) {
  return select_centres(points, count, {{start}}, {});
}

// The same selection with every distance computed.
Indices select_plainly(const at::Tensor& points, std::int64_t count, std::int64_t start) {
  const std::int64_t n = points.size(0);
  const auto row = [&](std::int64_t i) {
    return points.const_data_ptr<float>() + i * points.size(1);
  };
  std::vector<float> nearest(n, std::numeric_limits<float>::infinity());
  Indices picked;
  std::int64_t centre = start;
  while (std::ssize(picked) < count) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float distance = uad::squared_distance(row(i), row(centre), points.size(1));
      nearest[i] = std::min(nearest[i], distance);
    }
    centre = std::max_element(nearest.begin(), nearest.end()) - nearest.begin();
    picked.push_back(centre);
    nearest[centre] = -1;
  }
  return picked;
}

TEST(Coreset, FollowsTheWorkedExamples) {
  EXPECT_EQ(pick(kPoints, 4, 0), (Indices{5, 6, 3, 7}));
  EXPECT_EQ(pick(kPoints, 7, 0), (Indices{5, 6, 3, 7, 1, 2, 4}));
  EXPECT_EQ(pick(kPoints, 4, 3), (Indices{0, 5, 6, 7}));
}

TEST(Coreset, SeveralStartsCountByTheirMeanDistance) {
  EXPECT_EQ(select_centres(kPoints, 4, {{0, 3}}, {}), (Indices{5, 6, 4, 1}));
}

TEST(Coreset, PickedStartIsTheFirstPick) {
  EXPECT_EQ(select_centres(kPoints, 4, {{3}, true}, {}), (Indices{3, 0, 5, 6}));
  EXPECT_EQ(select_centres(kPoints, 1, {{3}, true}, {}), (Indices{3}));
}

TEST(Coreset, SkippingDistancesChangesNoPick) {
  at::manual_seed(7);
  for (const std::int64_t dimension : {2, 17, 96}) {
    // Clusters, so that much can be skipped, and more points than one task takes.
    const at::Tensor points =
        at::randn({40, dimension}).repeat({250, 1}) * 5 + at::randn({10000, dimension}) * 0.5;
    EXPECT_EQ(pick(points, 400, 123), select_plainly(points, 400, 123));
  }
}

TEST(Coreset, TiesGoToTheLowestIndexEverywhere) {
  at::manual_seed(8);
  const at::Tensor points = at::randint(0, 3, {9000, 3}).to(at::kFloat);  // 27 places
  EXPECT_EQ(pick(points, 60, 5), select_plainly(points, 60, 5));
}

TEST(Coreset, PicksEachPointOnceEvenAmongDuplicates) {
  const Indices picked = pick(at::ones({50, 4}), 50, 0);
  EXPECT_EQ(std::set<std::int64_t>(picked.begin(), picked.end()).size(), 50U);
}

TEST(Coreset, CoveringRadiusNeverGrows) {
  at::manual_seed(9);
  const at::Tensor points = at::randn({500, 8});
  const Indices picked = pick(points, 60, 0);
  double last = std::numeric_limits<double>::infinity();
  for (std::int64_t count = 1; count <= 60; ++count) {
    const at::Tensor centres =
        points.index_select(0, at::tensor(Indices(picked.begin(), picked.begin() + count)));
    const double radius = std::get<0>(at::cdist(points, centres).min(1)).max().item<double>();
    EXPECT_LE(radius, last + 1e-5);
    last = radius;
  }
}

TEST(Coreset, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  uad::test::expect_error(uad::ErrorCode::kCancelled, {"cancelled"}, [&] {
    return select_centres(kPoints, 4, {{0}}, {.cancel = stop.get_token()});
  });
}

TEST(Projection, DimensionFollowsTheFormula) {
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected{
      {1000, 170}, {47040, 265}, {163856, 296}, {214016, 303}, {306544, 311}, {400384, 318}};
  for (const auto& [points, dimension] : expected) {
    EXPECT_EQ(projected_dimension(points), dimension) << points;
  }
}

TEST(Projection, KeepsSquaredLengthsOnAverage) {
  at::manual_seed(10);
  const at::Tensor x = at::randn({384});
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    sum += random_projection(170, 384, seed).mv(x).square().sum().item<double>();
  }
  EXPECT_NEAR(sum / 200 / x.square().sum().item<double>(), 1.0, 0.05);
}

TEST(Projection, UniformEntriesFillTheirBounds) {
  const at::Tensor matrix = uniform_projection(128, 400, 3);
  EXPECT_NEAR(matrix.max().item<double>(), 0.05, 1e-4);
  EXPECT_NEAR(matrix.min().item<double>(), -0.05, 1e-4);
  EXPECT_NEAR(matrix.mean().item<double>(), 0, 5e-4);
  EXPECT_NEAR(matrix.std().item<double>(), 0.05 / std::sqrt(3.0), 5e-4);
  EXPECT_FALSE(at::equal(matrix, uniform_projection(128, 400, 4)));
}

TEST(Projection, IsSparseWithBothSigns) {
  const at::Tensor matrix = random_projection(272, 384, 3);
  const double share = (matrix != 0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(share, 1 / std::sqrt(384.0), 0.005);
  EXPECT_NEAR((matrix.sum() / matrix.abs().sum()).item<double>(), 0, 0.06);
  EXPECT_TRUE(at::equal(matrix, random_projection(272, 384, 3)));
  EXPECT_FALSE(at::equal(matrix, random_projection(272, 384, 4)));
}

}  // namespace
