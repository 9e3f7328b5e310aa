// SPDX-License-Identifier: LGPL-2.1-or-later
// From frames of products to a model that knows them, with the backbone that needs no weights.
#include "models/iuf/iuf.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checkpoint.h"
#include "core/eval/metrics.h"
#include "core/exec/thread_pool.h"
#include "core/files/safetensors.h"
#include "models/iuf/fitter.h"
#include "models/iuf/model.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad::models::iuf {
namespace {

using nlohmann::json;
using test::expect_error;

constexpr std::int64_t kSide = 64;

FitContext context(const json& options = json::object()) {
  FitContext made;
  made.method = "iuf";
  json given{{"backbone", "gabor"},
             {"layers", "layer1,layer2,layer3"},
             {"oasa_patch_size", 16},
             {"batch_size", 8},
             {"lr", 1e-3},
             {"epochs", 12}};
  given.update(options);
  made.options = complete_options(iuf_method().options, given);
  return made;
}

/// What 8 bits keep of a normalised image, as a frame would bring it.
at::Tensor in_levels(const at::Tensor& image) {
  const InputSpec input;
  const at::Tensor mean = at::tensor(at::ArrayRef<float>(input.mean)).view({1, 3, 1, 1});
  const at::Tensor std = at::tensor(at::ArrayRef<float>(input.std)).view({1, 3, 1, 1});
  return ((((image * std + mean) * 255).round().clamp(0, 255) / 255 - mean) / std).contiguous();
}

/// Stripes of a product's own width and direction, with noise. float32 [1, 3, 64, 64].
at::Tensor part(const std::string& product, int seed, bool defect = false) {
  at::manual_seed(static_cast<std::uint64_t>(seed) * 7919 +
                  std::hash<std::string>()(product) % 1000);
  const double width = product == "coarse" ? 4 : product == "fine" ? 1.5 : 2.5;
  at::Tensor image = at::sin(at::arange(kSide) / width).to(at::kFloat).expand({kSide, kSide});
  if (product == "fine") image = image.t();
  image = (image * 0.5).expand({1, 3, kSide, kSide}) + at::randn({1, 3, kSide, kSide}) * 0.02;
  if (defect) image.slice(2, 20, 34).slice(3, 30, 44).add_(1.5);
  return in_levels(image);
}

Tiles tiles(const std::string& product, int seed, bool defect = false) {
  Tiles made{.images = part(product, seed, defect)};
  made.products = {product};
  return made;
}

void observe(Fitter& fitter, const std::vector<std::string>& products, int images = 24) {
  for (const std::string& product : products) {
    for (int i = 0; i < images; ++i) fitter.observe(tiles(product, i));
    for (int i = 0; i < 6; ++i) fitter.validate(tiles(product, 100 + i));
  }
}

std::shared_ptr<const IufModel> fitted(const FitContext& how,
                                       const std::vector<std::string>& products) {
  IufFitter fitter(how);
  observe(fitter, products);
  std::shared_ptr<const AnomalyModel> model = fitter.finish({});
  return std::dynamic_pointer_cast<const IufModel>(model);
}

/// Good and defective parts of a product, told.
double image_auroc(const AnomalyModel& model, const std::string& product) {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 12; ++i) {
    for (const bool defect : {false, true}) {
      scores.push_back(model.predict(tiles(product, 200 + i, defect)).score.item<float>());
      labels.push_back(defect ? 1 : 0);
    }
  }
  return auroc(scores, labels);
}

class TwoProducts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    model_ = new std::shared_ptr<const IufModel>(fitted(context(), {"coarse", "fine"}));
  }
  static void TearDownTestSuite() { delete model_; }
  [[nodiscard]] static const IufModel& model() { return **model_; }
  static std::shared_ptr<const IufModel>* model_;
};
std::shared_ptr<const IufModel>* TwoProducts::model_ = nullptr;

TEST_F(TwoProducts, DefectsAreFoundOnBothAndWhereTheyAre) {
  for (const char* product : {"coarse", "fine"}) {
    EXPECT_GT(image_auroc(model(), product), 0.95) << product;
    const Prediction bad = model().predict(tiles(product, 300, true));
    const auto peak = bad.map.argmax().item<std::int64_t>();
    EXPECT_NEAR(static_cast<double>(peak / kSide), 27, 10) << product;
    EXPECT_NEAR(static_cast<double>(peak % kSide), 37, 10) << product;
  }
}

TEST_F(TwoProducts, AreRecognised) {
  Tiles both{.images = at::cat({part("coarse", 400), part("fine", 401)})};
  EXPECT_THAT(model().predict(both).products, ::testing::ElementsAre("coarse", "fine"));
  EXPECT_THAT(model().traits().products, ::testing::ElementsAre("coarse", "fine"));
}

TEST_F(TwoProducts, ScoresAreDeviationsFromWhatIsUsualForTheProduct) {
  for (const char* product : {"coarse", "fine"}) {
    double sum = 0;
    for (int i = 0; i < 6; ++i) sum += model().predict(tiles(product, 100 + i)).score.item<float>();
    EXPECT_NEAR(sum / 6, kUsualScore, 1e-3) << product;
  }
  Tiles told = tiles("coarse", 400);
  const float own = model().predict(told).score.item<float>();
  told.products = {"fine"};
  EXPECT_NE(model().predict(told).score.item<float>(), own);
  EXPECT_THAT(model().predict(told).products, ::testing::ElementsAre("fine"));
}

TEST_F(TwoProducts, UnknownOneIsRefusedWithThoseThatAreKnown) {
  Tiles told = tiles("coarse", 400);
  told.products = {"round"};
  expect_error(ErrorCode::kBadOption,
               {"Product \"round\" is not one that the model knows: coarse, fine"},
               [&] { static_cast<void>(model().predict(told)); });
}

TEST_F(TwoProducts, BatchScoresLikeSingleTiles) {
  Tiles both{.images = at::cat({part("coarse", 400, true), part("fine", 401)})};
  const Prediction together = model().predict(both);
  for (int i = 0; i < 2; ++i) {
    Tiles one{.images = both.images.slice(0, i, i + 1)};
    const Prediction alone = model().predict(one);
    EXPECT_TRUE(together.map[i].allclose(alone.map[0], 1e-3, 1e-3));
    EXPECT_NEAR(together.score[i].item<double>(), alone.score.item<double>(), 1e-2);
  }
}

TEST_F(TwoProducts, IgnoredPixelsAreInNeitherScoreNorMap) {
  Tiles bad = tiles("coarse", 300, true);
  bad.keep = at::ones({1, 1, kSide, kSide}, at::kByte);
  bad.keep.slice(2, 0, 56).slice(3, 8, 64).zero_();
  const Prediction masked = model().predict(bad);
  EXPECT_EQ((masked.map * (1 - bad.keep)).abs().max().item<float>(), 0);
  EXPECT_LT(masked.score.item<float>(),
            model().predict(tiles("coarse", 300, true)).score.item<float>());
}

TEST_F(TwoProducts, TilesOfAnotherSizeAreRefused) {
  expect_error(ErrorCode::kShapeMismatch, {"trained on inputs of 64x64 pixels, but got 96x64"},
               [&] {
                 static_cast<void>(model().predict({.images = at::zeros({1, 3, 64, 96})}));
               });
}

TensorMap saved(const AnomalyModel& model) {
  CheckpointWriter out;
  model.save(out);
  return out.tensors();
}

TEST_F(TwoProducts, ScoreTheSameAfterLoading) {
  const CheckpointReader reader(saved(model()), context().options, "model.uad");
  const auto loaded = iuf_method().load(reader, {});
  const Prediction before = model().predict(tiles("fine", 300, true));
  const Prediction after = loaded->predict(tiles("fine", 300, true));
  EXPECT_TRUE(before.map.equal(after.map));
  EXPECT_EQ(before.score.item<float>(), after.score.item<float>());
  EXPECT_THAT(loaded->traits().products, ::testing::ElementsAre("coarse", "fine"));
}

TEST_F(TwoProducts, DamagedFilesAreRefused) {
  const auto load_with = [](const std::string& name, const at::Tensor& tensor) {
    TensorMap tensors = saved(model());
    tensors[name] = tensor;
    const CheckpointReader reader(tensors, context().options, "model.uad");
    static_cast<void>(iuf_method().load(reader, {}));
  };
  expect_error(ErrorCode::kBadFile, {"No product is named"},
               [&] { load_with("products.names", at::zeros({0}, at::kByte)); });
  expect_error(ErrorCode::kBadFile, {"scores of product \"coarse\" are unusable"}, [&] {
    load_with("products.levels", at::zeros({2, 4}, at::kDouble));
  });
  expect_error(ErrorCode::kBadFile, {"memory.3.vectors"}, [&] {
    load_with("memory.3.vectors", at::full({256, 256}, NAN));
  });
  expect_error(ErrorCode::kBadFile, {"class head has room for"}, [&] {
    std::string names = "a\nb\nc\n";
    TensorMap tensors = saved(model());
    tensors["products.names"] = at::tensor(std::vector<std::uint8_t>(names.begin(), names.end()));
    tensors["products.levels"] = at::ones({3, 4}, at::kDouble);
    const CheckpointReader reader(tensors, context().options, "model.uad");
    static_cast<void>(iuf_method().load(reader, {}));
  });
}

/// Two products, then a third one.
class Increment : public TwoProducts {
 protected:
  static FitContext going_on(const json& options = json::object()) {
    FitContext how = context(options);
    how.start = *model_;
    return how;
  }
};

// Specification, section 13, check 11.
TEST_F(Increment, ForgetsLessWithTheConstraintsThanWithout) {
  const json longer{{"epochs", 40}};
  json free = longer;
  free["increment"] = "finetune";
  const auto kept = fitted(going_on(longer), {"slanted"});
  const auto forgot = fitted(going_on(free), {"slanted"});
  const auto error = [](const IufModel& model, const std::string& product) {
    double sum = 0;
    for (int i = 0; i < 6; ++i) {
      sum += model.look(part(product, 100 + i), {}).map.square().mean().item<double>();
    }
    return sum;
  };
  for (const char* product : {"coarse", "fine"}) {
    EXPECT_LT(error(*kept, product), error(*forgot, product)) << product;
  }
  EXPECT_GT(image_auroc(*kept, "coarse"), 0.9);
  EXPECT_GT(image_auroc(*kept, "slanted"), 0.9);
}

TEST_F(Increment, GrowsTheClassHeadAndKeepsTheBackbone) {
  const auto grown = fitted(going_on({{"epochs", 1}}), {"slanted"});
  EXPECT_THAT(grown->traits().products, ::testing::ElementsAre("coarse", "fine", "slanted"));
  EXPECT_EQ(grown->knowledge().shape.classes, 3);
  EXPECT_EQ(grown->knowledge().products[0].score.mean, model().knowledge().products[0].score.mean);
  const TensorMap before = saved(model());
  for (const auto& [name, tensor] : saved(*grown)) {
    if (name.starts_with("backbone.")) EXPECT_TRUE(tensor.equal(before.at(name))) << name;
  }
}

TEST_F(Increment, ProductThatIsKnownIsRefused) {
  IufFitter fitter(going_on());
  expect_error(ErrorCode::kBadOption, {"knows product \"fine\" already"},
               [&] { fitter.observe(tiles("fine", 1)); });
}

TEST_F(Increment, SizeMustBeTheModels) {
  IufFitter fitter(going_on());
  Tiles other{.images = at::zeros({1, 3, 96, 96})};
  other.products = {"slanted"};
  fitter.observe(other);
  expect_error(ErrorCode::kBadOption, {"sees 64x64 pixels, but the new frames give 96x96"},
               [&] { static_cast<void>(fitter.finish({})); });
}

TEST(IufFitter, MoreProductsThanThereIsRoomForAreRefused) {
  IufFitter fitter(context({{"classes", 1}}));
  fitter.observe(tiles("coarse", 1));
  expect_error(ErrorCode::kBadOption, {"leaves room for 1 products, all taken (coarse)"},
               [&] { fitter.observe(tiles("fine", 1)); });
}

TEST(IufFitter, ForeseesTheMemoryOfItsStem) {
  const Settings cells(context().options);
  const Settings exact(context({{"oasa_patch_size", 1}}).options);
  const std::int64_t one = training_bytes(cells, 1, kSide, kSide);
  const std::int64_t eight = training_bytes(cells, 8, kSide, kSide);
  EXPECT_GT(one, 9'000'000 * 4);
  EXPECT_GT(eight, one);
  EXPECT_GT(training_bytes(exact, 8, kSide, kSide), eight);
  EXPECT_LT(training_bytes(exact, 24, 224, 224), 4LL << 30);  // not the whole graph, 60 GB
  IufFitter fitter(context());
  EXPECT_EQ(fitter.peak_bytes(1), 0);
  fitter.observe(tiles("coarse", 1));
  EXPECT_GT(fitter.peak_bytes(8), fitter.peak_bytes(1));
  EXPECT_GT(fitter.peak_bytes(1), one);
}

/// A fit of one epoch at a rate of 0, which keeps the weights that it begins with.
TensorMap begun_with(const std::filesystem::path& file) {
  FitContext how = context({{"epochs", 1}, {"lr", 0}, {"weight_decay", 0}});
  how.load_path = file;
  IufFitter fitter(how);
  observe(fitter, {"coarse", "fine"}, 8);
  return saved(*fitter.finish({}));
}

TEST_F(TwoProducts, MayBeWhatANewModelBeginsWith) {
  const test::TempDir folder;
  TensorMap published;
  for (const auto& [name, tensor] : model().knowledge().weights) {
    published["module.reconstruction." + name] = tensor;
  }
  published.at("module.reconstruction.input_proj.weight") = at::zeros({4, 4});
  write_safetensors(folder.path() / "published.safetensors", published, {});
  const TensorMap begun = begun_with(folder.path() / "published.safetensors");
  for (const auto& [name, tensor] : model().knowledge().weights) {
    const bool own = is_trained(name) && name != "input_proj.weight";
    if (own) EXPECT_TRUE(begun.at("network." + name).equal(tensor)) << name;
  }
  EXPECT_FALSE(begun.at("network.input_proj.weight")
                   .equal(model().knowledge().weights.at("input_proj.weight")));
}

TEST(IufFitter, WeightsToBeginWithMustBeThereAndOfThisNetwork) {
  const test::TempDir folder;
  expect_error(ErrorCode::kNotFound, {"none.pth", "--load-path"},
               [&] { begun_with(folder.path() / "none.pth"); });
  write_safetensors(folder.path() / "other.safetensors", {{"conv", at::ones({2})}}, {});
  expect_error(ErrorCode::kBadFile, {"other.safetensors", "no weight of this network"},
               [&] { begun_with(folder.path() / "other.safetensors"); });
}

TEST(IufFitter, FramesWithoutProductTakeTheNameFromTheOption) {
  IufFitter fitter(context({{"product", "bracket"}, {"epochs", 1}}));
  for (int i = 0; i < 8; ++i) fitter.observe({.images = part("coarse", i)});
  EXPECT_THAT(fitter.finish({})->traits().products, ::testing::ElementsAre("bracket"));
}

TEST(IufFitter, SidesMustBeMultiplesOf16) {
  IufFitter fitter(context());
  fitter.observe({.images = at::zeros({1, 3, 60, 64})});
  expect_error(ErrorCode::kBadOption, {"multiples of 16, but got 64x60"},
               [&] { static_cast<void>(fitter.finish({})); });
}

// The state of a run holds everything that the next step depends on.
TEST(IufFitter, GoesOnAfterABreakToTheSameWeights) {
  use_threads(1);
  const test::TempDir folder;
  const auto run = [&](const std::string& name, std::int64_t epochs, bool resume) {
    FitContext how = context({{"epochs", epochs}});
    how.run = {folder.path() / name, resume};
    IufFitter fitter(how);
    observe(fitter, {"coarse", "fine"}, 8);
    return saved(*fitter.finish({}));
  };
  const TensorMap straight = run("straight", 3, false);
  static_cast<void>(run("broken", 2, false));
  const TensorMap resumed = run("broken", 3, true);
  for (const auto& [name, tensor] : straight) {
    EXPECT_TRUE(tensor.equal(resumed.at(name))) << name;
  }
}

}  // namespace
}  // namespace uad::models::iuf
