// SPDX-License-Identifier: LGPL-2.1-or-later
// A method that is no part of the program goes the whole way: fit, thresholds, model file, verdict.
#include "tests/mean_colour/mean_colour.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/option_spec.h"
#include "core/base/results/verdict.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::test::flat_image;

// Grey parts, each a little brighter or darker than the others.
std::vector<uad::test::ListedFrame> good_parts() {
  std::vector<uad::test::ListedFrame> frames;
  for (int i = 0; i < 20; ++i) {
    frames.push_back({flat_image(64, 48, static_cast<std::uint8_t>(118 + i % 5))});
  }
  return frames;
}

uad::Image stained_part() {
  uad::Image image = flat_image(64, 48, 120);
  for (int y = 8; y < 24; ++y) {
    for (int x = 32; x < 56; ++x) image.pixels[(y * 64 + x) * 3] = 250;  // red
  }
  return image;
}

TEST(MeanColour, GoesTheWholeWay) {
  const uad::Method method = uad::models::mean_colour_method();
  uad::test::FrameList good(good_parts());
  uad::TrainRequest request;
  request.method = &method;
  request.options = {{"cell", 8}};
  request.preprocess.spec.resize = {64, 48};
  const uad::test::TempDir folder;
  uad::save_model_file(folder / "colour.uad", uad::train(good, request));

  const auto model = uad::load_model(folder / "colour.uad", {method}, {}, {}, {});
  const uad::TilePreprocessor preprocessor({model->manifest().input, {}});
  const auto analyse = [&](const uad::Image& image) {
    return model->analyse(*preprocessor.cut(uad::view(image)));
  };
  const double reject = model->manifest().thresholds.image.thr;
  EXPECT_LT(analyse(flat_image(64, 48, 121)).score, reject);
  const uad::ModelOutput stained = analyse(stained_part());
  EXPECT_GT(stained.score, 2 * reject);
  EXPECT_GT(stained.map.at(16, 44), stained.map.at(40, 8));
}

// 20 rows make two rows of cells; the lower 8 pixel rows are of another colour.
at::Tensor two_colours() {
  at::Tensor image = at::full({1, 3, 20, 32}, 0.25F);
  image.slice(2, 12).fill_(5);
  return image;
}

at::Tensor keep_upper_rows() {
  at::Tensor keep = at::ones({1, 1, 20, 32}, at::kByte);
  keep.slice(2, 12).fill_(0);
  return keep;
}

uad::FitContext context() {
  return {.options = uad::complete_options(uad::models::mean_colour_method().options, {})};
}

std::unique_ptr<uad::AnomalyModel> fit(const uad::Tiles& tiles) {
  const auto fitter = uad::models::mean_colour_method().make_fitter(context());
  fitter->observe(tiles);
  return fitter->finish({});
}

TEST(MeanColour, IgnoredPixelsJoinNeitherFitNorScoreNorMap) {
  const auto model = fit({two_colours(), keep_upper_rows()});
  EXPECT_LT(model->predict({at::full({1, 3, 20, 32}, 0.25F)}).score.item<float>(), 1e-5);
  const auto clean = fit({at::full({1, 3, 20, 32}, 0.25F)});
  const uad::Prediction masked = clean->predict({two_colours(), keep_upper_rows()});
  EXPECT_LT(masked.score.item<float>(), 1e-5);
  EXPECT_EQ(masked.map.slice(2, 12).abs().max().item<float>(), 0);
  EXPECT_GT(clean->predict({two_colours()}).score.item<float>(), 1);
}

TEST(MeanColour, NothingToLearnFromIsAnError) {
  uad::test::expect_error(uad::ErrorCode::kBadOption, {"at least 1 good image"}, [] {
    return fit({two_colours(), at::zeros({1, 1, 20, 32}, at::kByte)});
  });
}

TEST(MeanColour, DamagedColoursAreRefused) {
  const auto load = [](const at::Tensor& colour) {
    return [colour] {
      const uad::CheckpointReader in({{"colour", colour}}, context().options, "line3.uad");
      return uad::models::mean_colour_method().load(in, {});
    };
  };
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"colour"}, load(at::zeros({4})));
  uad::test::expect_error(uad::ErrorCode::kBadFile, {"line3.uad", "not numbers"},
                          load(at::full({3}, NAN)));
}

}  // namespace
