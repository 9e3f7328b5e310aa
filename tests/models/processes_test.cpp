// SPDX-License-Identifier: LGPL-2.1-or-later
// Every method learns the same whether one process does the work or several share it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/checkpoint.h"
#include "core/distributed/shared_batch.h"
#include "core/distributed/sharing_fitter.h"
#include "core/files/safetensors.h"
#include "core/tile_batcher.h"
#include "models/registry.h"
#include "tests/models/backbones/fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/support/thread_processes.h"

namespace uad {
namespace {

using nlohmann::json;

constexpr std::int64_t kSide = 64;
constexpr std::int64_t kParts = 7;

/// Stripes with noise; every second part has a dark square and the mask of it.
Tiles parts() {
  at::manual_seed(11);
  const at::Tensor stripes = at::sin(at::arange(kSide) / 3.0).to(at::kFloat);
  Tiles tiles;
  tiles.images =
      stripes.expand({kParts, 3, kSide, kSide}) * 0.4 + at::randn({kParts, 3, kSide, kSide}) * 0.2;
  tiles.masks = at::zeros({kParts, 1, kSide, kSide}, at::kByte);
  tiles.masks.slice(0, 1, kParts, 2).slice(2, 20, 36).slice(3, 8, 24).fill_(1);
  tiles.images = at::where(tiles.masks.to(at::kBool), -1.0F, tiles.images);
  tiles.keep = at::ones({kParts, 1, kSide, kSide}, at::kByte);
  for (std::int64_t i = 0; i < kParts; ++i) {  // another part of each image counts
    tiles.keep[i].slice(1, 0, 8 * i).slice(2, 40).fill_(0);
    tiles.names.push_back("part " + std::to_string(i));
    tiles.products.push_back(i % 2 == 0 ? "even" : "odd");
  }
  tiles.labels = at::arange(kParts, at::kLong).remainder(2);
  tiles.frame_means = at::full({kParts}, 0.5);
  return tiles;
}

Tiles one_of(const Tiles& all, std::int64_t i) {
  Tiles one{part_of(all.images, i, i + 1), part_of(all.keep, i, i + 1)};
  one.labels = part_of(all.labels, i, i + 1);
  one.masks = part_of(all.masks, i, i + 1);
  one.frame_means = part_of(all.frame_means, i, i + 1);
  one.names = {all.names.at(static_cast<std::size_t>(i))};
  one.products = {all.products.at(static_cast<std::size_t>(i))};
  return one;
}

struct Case {
  const char* method;
  json options;
  bool masked = true;  // whether parts of the images are ignored
  std::vector<int> processes = {2, 3, 4};
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
  return out << one.method << ' ' << one.options.dump();
}

using Curve = std::vector<std::pair<std::string, double>>;

struct Learnt {
  Curve curve;
  TensorMap tensors;
};

Learnt learn(const Case& what, int count, const std::filesystem::path& weights) {
  const Method& method = models::find_method(what.method);
  FitContext context;
  context.method = method.name;
  context.options = complete_options(method.options, what.options);
  context.weights_dir = weights;
  context.input = input_of(method, context.options);
  Tiles tiles = parts();
  if (!what.masked) tiles.keep.reset();
  if (method.needs != Needs::kMasks) tiles.masks.reset();
  if (method.needs == Needs::kGood) tiles.labels.reset();
  std::vector<Learnt> all(static_cast<std::size_t>(count));
  test::run_together(count, [&](int rank) {
    Learnt& own = all.at(static_cast<std::size_t>(rank));
    const auto fitter = method.make_fitter(context);
    auto* const sharing = dynamic_cast<SharingFitter*>(fitter.get());
    const Share share = share_of(kParts, sharing != nullptr ? processes() : nullptr);
    for (std::int64_t i = share.first; i < share.first + share.count; ++i) {
      fitter->observe(one_of(tiles, i));
    }
    if (share.count < share.total) sharing->gather(*processes());
    FitControl control;
    control.figure = [&](const std::string& name, double value) {
      own.curve.emplace_back(name, value);
    };
    CheckpointWriter writer;
    fitter->finish(control)->save(writer);
    own.tensors = writer.tensors();
  });
  for (const Learnt& other : all) EXPECT_EQ(other.curve, all.front().curve);
  return all.front();
}

class Processes : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    weights_ = new test::TempDir;
    write_safetensors(*weights_ / "resnet18.safetensors", test::resnet18_fixture(), {});
  }
  static void TearDownTestSuite() { delete weights_; }
  inline static test::TempDir* weights_ = nullptr;
};

// Sums are made in another order, so figures differ in their last digits, and what some steps make
// of them in more: learning rates are small, that these few steps agree to 1e-3. Weights are not
// compared: Adam gives one whose gradient is 0 but for rounding a whole step, to any side.
TEST_P(Processes, ManyLearnWhatOneLearns) {
  const Learnt alone = learn(GetParam(), 1, weights_->path());
  EXPECT_EQ(alone.curve.empty(), !models::find_method(GetParam().method).by_gradient);
  for (const int count : GetParam().processes) {
    const Learnt together = learn(GetParam(), count, weights_->path());
    ASSERT_EQ(together.curve.size(), alone.curve.size());
    for (std::size_t i = 0; i < alone.curve.size(); ++i) {
      const auto& [name, value] = alone.curve[i];
      EXPECT_EQ(together.curve[i].first, name);
      EXPECT_NEAR(together.curve[i].second, value, 1e-3 * std::abs(value) + 1e-6)
          << name << " of " << count << " processes";
    }
    if (!alone.curve.empty()) continue;
    for (const auto& [name, tensor] : alone.tensors) {
      const at::Tensor& other = together.tensors.at(name);
      ASSERT_EQ(other.sizes(), tensor.sizes()) << name;
      if (tensor.numel() == 0) continue;
      const double scale = tensor.abs().max().item<double>();
      const double apart =
          (other.to(at::kDouble) - tensor.to(at::kDouble)).abs().max().item<double>();
      EXPECT_LE(apart, 1e-3 * scale) << name << " of " << count << " processes";
    }
  }
}

const json kFewSteps{{"epochs", 3}, {"batch_size", 4}};

json with(json options, const json& more) {
  options.update(more);
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Methods, Processes,
    ::testing::Values(
        Case{"stfpm", with(kFewSteps, {{"backbone", "resnet18"}, {"lr", 1e-3}})},
        Case{"stfpm", with(kFewSteps, {{"backbone", "resnet18"}, {"lr", 1e-3}}), false},
        Case{"vgg-cam", with(kFewSteps, {{"backbone", "resnet18"}, {"class_weight", "1,3"}})},
        Case{"tiny-unet", {{"steps", 6}, {"batch_size", 4}, {"lr", 1e-3}}},
        Case{"tiny-unet",
             {{"steps", 4}, {"batch_size", 4}, {"lr", 1e-3}, {"loss_fn_name", "dice_jaccard"}}},
        Case{"uf-gan",
             {{"size", 32},
              {"win_size", 32},
              {"meta_iters", 2},
              {"inner_iters", 2},
              {"eval_interval", 1},
              {"task_size", 7},
              {"batch_size", 5},
              {"lr", 1e-5},
              {"shots", 5}},
             true,
             {3}},
        Case{"uf-gan",
             {{"size", 32},
              {"win_size", 32},
              {"meta_iters", 2},
              {"inner_iters", 2},
              {"eval_interval", 1},
              {"task_size", 7},
              {"shots", 5},
              {"lr", 2e-4},
              {"first_level_feature", true},
              {"recompute", true}},
             true,
             {3}},
        Case{"iuf", with(kFewSteps, {{"backbone", "gabor"},
                                     {"layers", "layer1,layer2,layer3"},
                                     {"oasa_patch_size", 16}})},
        Case{"patchcore", {{"backbone", "gabor"}, {"k", 10}}},
        Case{"padim", {{"backbone", "gabor"}, {"n_features", 10}}}));

}  // namespace
}  // namespace uad
