// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/loaded_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/backend.h"
#include "core/base/error.h"
#include "core/preprocessor.h"
#include "tests/core/stub_method.h"

namespace {

using uad::Error;
using uad::ErrorCode;

uad::Image red_image(int size, std::uint8_t level) {
  uad::Image image{size, size, 3,
                   std::vector<std::uint8_t>(static_cast<std::size_t>(size * size * 3))};
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] = level;
  return image;
}

/// Level 0.25 on the 0…1 scale; a frame of red level r scores |r / 255 − 0.25|.
uad::ModelFile level_file() {
  uad::ModelFile file;
  file.manifest.method = "level";
  file.manifest.input.resize = {16, 16};
  file.manifest.input.mean = {0, 0, 0};
  file.manifest.input.std = {1, 1, 1};
  file.manifest.thresholds = {{0, 0.2, 0.6}, {0, 0.2, 0.6}, 0.1, 0};
  file.tensors["level"] = at::full({1}, 0.25, at::kFloat);
  file.self_test_frames = {red_image(16, 255)};
  file.manifest.self_test.scores = {0.75};
  return file;
}

class LoadedModelTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("uad-loaded-model-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    methods_.push_back(uad::test::level_method());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  uad::ModelPtr load(const uad::ModelFile& file, const uad::ExecutionOptions& options = {"cpu"}) {
    uad::save_model_file(folder_ / "m.uad", file);
    return uad::load_model(folder_ / "m.uad", methods_, options, {}, {});
  }

  ErrorCode code_of_loading(const uad::ModelFile& file,
                            const uad::ExecutionOptions& options = {"cpu"}) {
    try {
      load(file, options);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "loading succeeded";
    return ErrorCode::kFailed;
  }

  std::filesystem::path folder_;
  uad::MethodTable methods_;
};

TEST_F(LoadedModelTest, FrameGetsTheScoreOfItsPixels) {
  const uad::ModelPtr model = load(level_file());
  const uad::Image frame = red_image(50, 204);
  const auto tiles = uad::TilePreprocessor({model->manifest().input, {}}).cut(uad::view(frame));
  const uad::ModelOutput output = model->analyse(*tiles);
  EXPECT_NEAR(output.score, 0.8 - 0.25, 1e-6);
  EXPECT_EQ(output.map.width, 16);
  EXPECT_EQ(output.placement, (uad::RectF{0, 0, 50, 50}));
}

TEST_F(LoadedModelTest, FrameScoreIsTheWorstWindow) {
  uad::ModelFile file = level_file();
  file.manifest.input.resize = {};
  file.manifest.input.window = {16, 16};
  const uad::ModelPtr model = load(file);
  uad::Image frame = red_image(64, 64);
  frame.pixels[(60 * 64 + 60) * 3] = 255;
  const auto tiles = uad::TilePreprocessor({model->manifest().input, {}}).cut(uad::view(frame));
  EXPECT_NEAR(model->analyse(*tiles).score, 0.75, 1e-6);
}

TEST_F(LoadedModelTest, FramesOfSeveralShapesGetTheirOwnResultsInTheirOrder) {
  uad::ModelFile file = level_file();
  file.manifest.input.resize = {};
  file.manifest.input.window = {16, 16};
  const uad::ModelPtr model = load(file);
  const uad::TilePreprocessor preprocessor({model->manifest().input, {}});
  std::vector<uad::BatchedFrame> frames;
  for (const auto& [size, level] : {std::pair(64, 255), {32, 204}, {64, 102}, {32, 51}}) {
    frames.push_back(
        {preprocessor.cut(uad::view(red_image(size, static_cast<std::uint8_t>(level)))), ""});
  }
  const auto found = dynamic_cast<const uad::JointModel&>(*model).analyse_together(frames);
  ASSERT_EQ(found.size(), 4U);
  const double scores[] = {0.75, 0.55, 0.15, 0.05};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i].score, scores[i], 1e-6) << i;
    EXPECT_EQ(found[i].map.width, i % 2 == 0 ? 64 : 32) << i;
    EXPECT_EQ(found[i].map.values, model->analyse(*frames[i].tiles).map.values) << i;
  }
}

/// Keeps what it was shown.
class Witness final : public uad::AnomalyModel {
 public:
  explicit Witness(bool asks) { traits_.frame_means = asks; }
  [[nodiscard]] const uad::ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] uad::Prediction predict(const uad::Tiles& tiles) const override {
    means_ = tiles.frame_means;
    return {tiles.images.narrow(1, 0, 1).contiguous(), at::zeros({tiles.images.size(0)})};
  }
  void save(uad::CheckpointWriter& /*out*/) const override {}
  [[nodiscard]] const at::Tensor& means() const { return means_; }

 private:
  uad::ModelTraits traits_;
  mutable at::Tensor means_;
};

TEST_F(LoadedModelTest, TheMeanOfTheFrameIsOnlyForModelsThatAskForIt) {
  uad::InputSpec spec;
  spec.resize = {};
  spec.window = {16, 16};
  spec.mean = {0, 0, 0};
  spec.std = {1, 1, 1};
  const uad::Image frame = red_image(40, 153);
  const auto tiles = uad::TilePreprocessor({spec, {}}).cut(uad::view(frame));
  const Witness asking(true);
  const Witness other(false);
  static_cast<void>(uad::analyse_tiles(asking, *tiles));
  static_cast<void>(uad::analyse_tiles(other, *tiles));
  EXPECT_FALSE(other.means().defined());
  ASSERT_EQ(asking.means().sizes(), at::IntArrayRef({16}));
  EXPECT_NEAR(asking.means()[8].item<double>(), 0.2, 1e-6);  // 0.6 in one channel of three
}

/// Recognises every tile as a bracket, unless it is told otherwise.
class ProductModel final : public uad::AnomalyModel {
 public:
  [[nodiscard]] const uad::ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] uad::Prediction predict(const uad::Tiles& tiles) const override {
    uad::Prediction seen{tiles.images.narrow(1, 0, 1).contiguous(),
                         at::zeros({tiles.images.size(0)}), tiles.products};
    for (std::string& product : seen.products) product = product.empty() ? "bracket" : product;
    return seen;
  }
  void save(uad::CheckpointWriter& /*out*/) const override {}

 private:
  uad::ModelTraits traits_{.products = {"bracket", "hinge"}};
};

TEST(AnalyseTiles, ProductIsToldToTheModelOrRecognisedByIt) {
  uad::InputSpec input;
  input.resize = {16, 16};
  input.window = {8, 8};
  const uad::Image frame = red_image(16, 0);
  const auto tiles = uad::TilePreprocessor({input, {}}).cut(uad::view(frame));
  EXPECT_EQ(uad::analyse_tiles(ProductModel(), *tiles).product, "bracket");
  EXPECT_EQ(uad::analyse_tiles(ProductModel(), *tiles, "hinge").product, "hinge");
}

/// Says whether it was told anything of products.
class PlainModel final : public uad::AnomalyModel {
 public:
  [[nodiscard]] const uad::ModelTraits& traits() const noexcept override { return traits_; }
  [[nodiscard]] uad::Prediction predict(const uad::Tiles& tiles) const override {
    return {tiles.images.narrow(1, 0, 1).contiguous(),
            at::full({tiles.images.size(0)}, static_cast<double>(tiles.products.size()))};
  }
  void save(uad::CheckpointWriter& /*out*/) const override {}

 private:
  uad::ModelTraits traits_;
};

TEST(AnalyseTiles, ModelWithoutProductsIsToldNone) {
  uad::InputSpec input;
  input.resize = {16, 16};
  const uad::Image frame = red_image(16, 0);
  const auto tiles = uad::TilePreprocessor({input, {}}).cut(uad::view(frame));
  EXPECT_EQ(uad::analyse_tiles(PlainModel(), *tiles, "hinge").score, 0);
}

TEST_F(LoadedModelTest, FailingSelfTestNamesTheFrameAndBothScores) {
  uad::ModelFile file = level_file();
  file.manifest.self_test.scores = {0.5};
  try {
    load(file);
    FAIL() << "a wrong self-test score was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    EXPECT_NE(std::string(error.what()).find("frame 1 of 1 scores 0.75 here but 0.5"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(LoadedModelTest, TilesOfAnotherGeometryAreRefusedWithTheFix) {
  const uad::ModelPtr model = load(level_file());
  uad::InputSpec other = model->manifest().input;
  other.resize = {32, 32};
  const uad::Image frame = red_image(50, 0);
  const auto tiles = uad::TilePreprocessor({other, {}}).cut(uad::view(frame));
  try {
    static_cast<void>(model->analyse(*tiles));
    FAIL() << "tiles of another size were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kShapeMismatch);
    EXPECT_NE(std::string(error.what()).find("uadpreproc model"), std::string::npos)
        << error.what();
  }
}

TEST_F(LoadedModelTest, AnotherRoiIsNoMismatch) {
  const uad::ModelPtr model = load(level_file());
  uad::InputSpec other = model->manifest().input;
  other.roi = {10, 10, 20, 20};
  const uad::Image frame = red_image(50, 0);
  EXPECT_NO_THROW(
      static_cast<void>(model->analyse(*uad::TilePreprocessor({other, {}}).cut(uad::view(frame)))));
}

TEST_F(LoadedModelTest, UnknownMethodIsRefused) {
  uad::ModelFile file = level_file();
  file.manifest.method = "of-the-future";
  EXPECT_EQ(code_of_loading(file), ErrorCode::kBadFile);
}

TEST_F(LoadedModelTest, OptionsMustBeAllThereAndValid) {
  methods_.front().options = {
      {.name = "k", .type = uad::OptionType::kInt, .default_value = 1, .minimum = 1}};
  uad::ModelFile file = level_file();
  EXPECT_EQ(code_of_loading(file), ErrorCode::kBadFile);
  file.manifest.options = {{"k", "many"}};
  EXPECT_EQ(code_of_loading(file), ErrorCode::kBadFile);
  file.manifest.options = {{"k", 2}, {"kk", 2}};
  EXPECT_EQ(code_of_loading(file), ErrorCode::kBadFile);
  file.manifest.options = {{"k", 2}};
  EXPECT_EQ(load(file)->manifest().options["k"], 2);
}

TEST_F(LoadedModelTest, UnknownDeviceAndPrecisionAreRefused) {
  EXPECT_EQ(code_of_loading(level_file(), {"tpu"}), ErrorCode::kBadOption);
  EXPECT_EQ(code_of_loading(level_file(), {"cuda:x"}), ErrorCode::kBadOption);
  EXPECT_EQ(code_of_loading(level_file(), {"cpu", "fp7"}), ErrorCode::kBadOption);
  EXPECT_EQ(code_of_loading(level_file(), {"cpu", "fp16"}), ErrorCode::kNoDevice);
  EXPECT_EQ(code_of_loading(level_file(), {"cuda:99"}), ErrorCode::kNoDevice);
}

TEST_F(LoadedModelTest, NonFiniteScoreIsAnErrorAndNotAVerdict) {
  uad::ModelFile file = level_file();
  file.tensors["level"] = at::full({1}, NAN, at::kFloat);
  EXPECT_EQ(code_of_loading(file), ErrorCode::kFailed);
}

TEST_F(LoadedModelTest, BackendSharesOneModelUntilTheFileChanges) {
  const auto backend = uad::make_backend(methods_);
  const auto path = folder_ / "m.uad";
  uad::save_model_file(path, level_file());
  const uad::ModelPtr first = backend->load_model(path, {"cpu"}, {}, {});
  EXPECT_EQ(first, backend->load_model(path, {"cpu"}, {}, {}));
  uad::save_model_file(path, level_file());
  EXPECT_NE(first, backend->load_model(path, {"cpu"}, {}, {}));
}

TEST_F(LoadedModelTest, BackendNamesAMissingFile) {
  const auto backend = uad::make_backend(methods_);
  try {
    static_cast<void>(backend->load_model(folder_ / "gone.uad", {"cpu"}, {}, {}));
    FAIL() << "a missing file was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_NE(std::string(error.what()).find("gone.uad"), std::string::npos);
  }
}

TEST_F(LoadedModelTest, LibTorchExceptionsLeaveTheBackendAsErrors) {
  uad::Method broken = uad::test::level_method();
  broken.load = [](const uad::CheckpointReader&,
                   const uad::Execution&) -> std::unique_ptr<uad::AnomalyModel> {
    at::ones({2, 3}).matmul(at::ones({2, 3}));
    return nullptr;
  };
  const uad::MethodTable methods{broken};
  uad::save_model_file(folder_ / "m.uad", level_file());
  const auto backend = uad::make_backend(methods);
  EXPECT_THROW(static_cast<void>(backend->load_model(folder_ / "m.uad", {"cpu"}, {}, {})), Error);
}

}  // namespace
