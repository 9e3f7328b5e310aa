// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/reduction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace {

using uad::CheckpointReader;
using uad::ErrorCode;
using uad::models::padim::Reduction;
using uad::test::expect_error;

const std::vector<uad::models::LayerInfo> kLayers{
    {"layer1", 64, 4}, {"layer2", 128, 8}, {"layer3", 256, 16}};

at::Tensor saved(const Reduction& reduction, const std::string& name) {
  uad::CheckpointWriter out;
  reduction.save(out);
  return out.tensors().at(name);
}

// How many of the drawn channels lie in each layer.
std::vector<std::int64_t> counts(const at::Tensor& channels) {
  const auto below = [&](std::int64_t limit) {
    return (channels < limit).sum().item<std::int64_t>();
  };
  return {below(64), below(192) - below(64), below(448) - below(192)};
}

TEST(Reduction, AllChannelsLieInTheOrderOfTheLayers) {
  const Reduction all("sample", kLayers, 448, 1);
  const at::Tensor x = all({at::full({1, 64, 8, 8}, 1.0F), at::full({1, 128, 4, 4}, 2.0F),
                            at::full({1, 256, 2, 2}, 3.0F)});
  ASSERT_EQ(x.sizes(), at::IntArrayRef({1, 448, 8, 8}));
  EXPECT_TRUE((x.slice(1, 0, 64) == 1).all().item<bool>());
  EXPECT_TRUE((x.slice(1, 64, 192) == 2).all().item<bool>());
  EXPECT_TRUE((x.slice(1, 192) == 3).all().item<bool>());
}

TEST(Reduction, CoarseCellsAreRepeated) {
  const Reduction all("sample", {{"layer1", 1, 4}, {"layer3", 1, 16}}, 2, 1);
  const at::Tensor coarse = at::arange(4).to(at::kFloat).view({1, 1, 2, 2});
  const at::Tensor x = all({at::zeros({1, 1, 8, 8}), coarse});
  EXPECT_TRUE(at::equal(x[0][1], coarse[0][0].repeat_interleave(4, 0).repeat_interleave(4, 1)));
}

TEST(Reduction, DrawsDistinctChannelsByItsSeed) {
  const at::Tensor channels = saved(Reduction("sample", kLayers, 100, 3), "channels");
  EXPECT_TRUE((channels.diff() > 0).all().item<bool>());
  EXPECT_GE(channels[0].item<int>(), 0);
  EXPECT_LT(channels[99].item<int>(), 448);
  EXPECT_TRUE(at::equal(channels, saved(Reduction("sample", kLayers, 100, 3), "channels")));
  EXPECT_FALSE(at::equal(channels, saved(Reduction("sample", kLayers, 100, 4), "channels")));
}

TEST(Reduction, EveryChannelIsDrawnEquallyOften) {
  at::Tensor drawn = at::zeros({448});
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const at::Tensor channels = saved(Reduction("sample", kLayers, 112, seed), "channels");
    drawn.index_add_(0, channels, at::ones({112}));
  }
  EXPECT_NEAR(drawn.slice(0, 0, 64).mean().item<double>(), 150, 5);
  EXPECT_GT(drawn.min().item<double>(), 105);  // mean 150, standard deviation 10.6
  EXPECT_LT(drawn.max().item<double>(), 195);
}

TEST(Reduction, HierarchicalSampleTakesAThirdOfEachLayer) {
  using Counts = std::vector<std::int64_t>;
  EXPECT_EQ(counts(saved(Reduction("h_sample", kLayers, 100, 3), "channels")),
            (Counts{33, 33, 34}));
  // More than a layer has: the rest comes from the last.
  EXPECT_EQ(counts(saved(Reduction("h_sample", kLayers, 300, 3), "channels")),
            (Counts{64, 100, 136}));
}

TEST(Reduction, OrthogonalMixturesAreOrthonormal) {
  for (const char* name : {"ortho", "svd_ortho"}) {
    const at::Tensor mixture = saved(Reduction(name, kLayers, 40, 5), "mixture");
    ASSERT_EQ(mixture.sizes(), at::IntArrayRef({448, 40}));
    EXPECT_TRUE(at::allclose(mixture.t().mm(mixture), at::eye(40), 0, 1e-5)) << name;
    EXPECT_TRUE(at::equal(mixture, saved(Reduction(name, kLayers, 40, 5), "mixture")));
  }
}

TEST(Reduction, GaussianMixtureIsStandardNormal) {
  const at::Tensor mixture = saved(Reduction("gaussian", kLayers, 200, 5), "mixture");
  EXPECT_NEAR(mixture.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(mixture.std().item<double>(), 1, 0.02);
}

TEST(Reduction, MixingCoarseLayersFirstChangesNothing) {
  at::manual_seed(3);
  const std::vector<at::Tensor> maps{at::randn({2, 64, 9, 13}), at::randn({2, 128, 5, 7}),
                                     at::randn({2, 256, 3, 4})};
  const Reduction reduction("gaussian", kLayers, 20, 5);
  std::vector<at::Tensor> enlarged;
  for (const at::Tensor& map : maps) enlarged.push_back(at::upsample_nearest2d(map, {9, 13}));
  const at::Tensor expected =
      at::einsum("nchw,cf->nfhw", {at::cat(enlarged, 1), saved(reduction, "mixture")});
  EXPECT_TRUE(at::allclose(reduction(maps), expected, 1e-4, 1e-3));
}

TEST(Reduction, ImpossibleNumbersAreAnsweredWithThePossible) {
  for (const std::int64_t features : {0, 449}) {
    expect_error(ErrorCode::kBadOption, {"n_features", "1 … 448"},
                 [&] { static_cast<void>(Reduction("sample", kLayers, features, 3)); });
  }
}

TEST(Reduction, DamagedNumbersAreRefused) {
  const auto load = [](const at::Tensor& channels) {
    return [channels] {
      const CheckpointReader in({{"channels", channels}}, {}, "line3.uad");
      static_cast<void>(Reduction(in, kLayers));
    };
  };
  const auto numbers = [](std::vector<std::int64_t> values) {
    return at::tensor(values, at::kLong);
  };
  load(numbers({0, 5, 447}))();
  expect_error(ErrorCode::kBadFile, {"ascending", "line3.uad"}, load(numbers({5, 5, 9})));
  expect_error(ErrorCode::kBadFile, {"ascending"}, load(numbers({-1, 5, 9})));
  expect_error(ErrorCode::kBadFile, {"ascending"}, load(numbers({1, 5, 448})));
  expect_error(ErrorCode::kBadFile, {"ascending"}, load(numbers({})));
  expect_error(ErrorCode::kBadFile, {"channels"}, load(at::zeros({3})));
}

}  // namespace
