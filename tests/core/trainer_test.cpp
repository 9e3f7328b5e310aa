// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/data/image_io.h"
#include "core/files/model_file.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tests/core/frame_list.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace uad {
namespace {

using test::expect_error;
using test::FrameList;

/// Stripes with noise, larger than the network's input.
Image camera_frame(int number) {
  at::manual_seed(number);
  const at::Tensor noise = at::randint(0, 30, {96, 160, 3}, at::kByte);
  Image image{160, 96, 3, std::vector<std::uint8_t>(160 * 96 * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(noise.const_data_ptr<std::uint8_t>()[i] +
                                                (i / 3 % 16 < 8 ? 60 : 160));
  }
  return image;
}

TrainerOptions options_of(const std::string& method) {
  TrainerOptions options;
  options.method = method;
  options.options = {{"backbone", "gabor"}, {"resize", "64x48"}, {"roi", "16,8,128,80"}};
  return options;
}

std::unique_ptr<Trainer> trainer_with(const TrainerOptions& options, int frames) {
  auto trainer = make_trainer(models::method_table(), options);
  for (int i = 0; i < frames; ++i) {
    const Image frame = camera_frame(i);
    static_cast<void>(trainer->add(view(frame)));
  }
  return trainer;
}

TEST(StreamTrainer, LearnsTheSameModelAsTrainingOnTheFramesThemselves) {
  const test::TempDir folder;
  for (const std::string method : {"padim", "patchcore"}) {
    const Trained trained = trainer_with(options_of(method), 12)->fit(folder / "a.uad", {});
    std::vector<test::ListedFrame> listed;
    for (int i = 0; i < 12; ++i) listed.push_back({camera_frame(i), "good", {}});
    FrameList frames(listed);
    TrainRequest request;
    request.method = &models::find_method(method);
    request.options = {{"backbone", "gabor"}};
    request.preprocess.spec.resize = {64, 48};
    request.preprocess.spec.roi = {16, 8, 128, 80};
    request.consecutive = true;
    const ModelFile expected = train(frames, request);
    const ModelFile found =
        load_model_file(folder / "a.uad", [](double, const std::string&) {}, {});
    EXPECT_EQ(found.manifest.input, expected.manifest.input);
    EXPECT_EQ(found.manifest.thresholds.image.thr, expected.manifest.thresholds.image.thr);
    EXPECT_EQ(found.sha256, trained.sha256);
    for (const auto& [name, tensor] : expected.tensors) {
      EXPECT_TRUE(at::equal(found.tensors.at(name), tensor)) << method << ' ' << name;
    }
  }
}

TEST(StreamTrainer, ACancelledFitGoesOnToTheSameModel) {
  const test::TempDir folder;
  for (const std::string method : {"padim", "patchcore"}) {
    const Trained whole = trainer_with(options_of(method), 12)->fit(folder / "a.uad", {});
    const auto trainer = trainer_with(options_of(method), 12);
    for (const double at : {0.15, 0.46, 0.6}) {
      std::stop_source cancel;
      const FitControl control{[&](double fraction, const std::string&) {
                                 if (fraction > at) cancel.request_stop();
                               },
                               {},
                               cancel.get_token(),
                               {}};
      expect_error(ErrorCode::kCancelled, {"cancelled"},
                   [&] { return trainer->fit(folder / "b.uad", control); });
    }
    const Trained resumed = trainer->fit(folder / "b.uad", {});
    EXPECT_EQ(resumed.manifest.tensor_sha256, whole.manifest.tensor_sha256) << method;
    EXPECT_EQ(resumed.manifest.thresholds, whole.manifest.thresholds) << method;
  }
}

TEST(StreamTrainer, EndedAsEarlyAsCanBeItStillTellsOtherFramesApart) {
  const test::TempDir folder;
  const Image odd{160, 96, 3, std::vector<std::uint8_t>(160 * 96 * 3, 128)};
  for (const std::string method : {"padim", "patchcore"}) {
    for (const double at : {0.0, 0.2, 0.6}) {  // before, in the fit, in the refit
      std::stop_source enough;
      const FitControl control{[&](double fraction, const std::string&) {
                                 if (fraction >= at) enough.request_stop();
                               },
                               {},
                               {},
                               enough.get_token()};
      const Trained trained = trainer_with(options_of(method), 20)->fit(folder / "a.uad", control);
      const ModelPtr model = load_model(folder / "a.uad", models::method_table(), {}, {}, {});
      const TilePreprocessor preprocessor({model->manifest().input, {}});
      const double reject = trained.manifest.thresholds.image.thr;
      EXPECT_GE(model->analyse(*preprocessor.cut(view(odd))).score, reject) << method << at;
      EXPECT_LT(model->analyse(*preprocessor.cut(view(camera_frame(50)))).score, reject)
          << method << at;
      EXPECT_GE(trained.manifest.training.images, 10) << method << at;
    }
  }
}

TEST(StreamTrainer, GoesOnFromAModelWithItsOptionsAndInput) {
  const test::TempDir folder;
  const Trained first = trainer_with(options_of("patchcore"), 12)->fit(folder / "a.uad", {});
  TrainerOptions options;
  options.continue_from = folder / "a.uad";
  const Manifest next = trainer_with(options, 12)->fit(folder / "b.uad", {}).manifest;
  EXPECT_EQ(next.options, first.manifest.options);
  EXPECT_EQ(next.input, first.manifest.input);
  EXPECT_EQ(next.training.images, 24);
  EXPECT_EQ(next.training.continued_from, first.sha256);
  options.options = {{"backbone", "gabor"}, {"bank_size", "50"}};  // one repeats, one may change
  const Manifest small = trainer_with(options, 12)->fit(folder / "c.uad", {}).manifest;
  EXPECT_EQ(small.options.at("bank_size"), 50);
}

TEST(StreamTrainer, AModelOfProductsLearnsOneMoreFromTheStream) {
  const test::TempDir folder;
  TrainerOptions options;
  options.method = "iuf";
  options.options = {{"backbone", "gabor"},     {"layers", "layer1,layer2,layer3"},
                     {"oasa_patch_size", "16"}, {"epochs", "2"},
                     {"resize", "64x64"},       {"product", "bracket"}};
  const Manifest first = trainer_with(options, 12)->fit(folder / "a.uad", {}).manifest;
  EXPECT_EQ(first.products, std::vector<std::string>{"bracket"});
  options.continue_from = folder / "a.uad";
  options.options = {{"product", "hinge"}};
  const Manifest next = trainer_with(options, 12)->fit(folder / "a.uad", {}).manifest;
  EXPECT_EQ(next.products, (std::vector<std::string>{"bracket", "hinge"}));
  options.continue_from = folder / "a.uad";
  const auto again = trainer_with(options, 12);
  expect_error(ErrorCode::kBadOption, {"knows product \"hinge\" already"},
               [&] { static_cast<void>(again->fit(folder / "b.uad", {})); });
}

TEST(StreamTrainer, WhatContradictsTheModelIsRefused) {
  const test::TempDir folder;
  static_cast<void>(trainer_with(options_of("patchcore"), 12)->fit(folder / "a.uad", {}));
  TrainerOptions options;
  options.continue_from = folder / "a.uad";
  const auto refused = [&](const std::string& key, const std::string& value) {
    options.options = {{key, value}};
    expect_error(ErrorCode::kBadOption, {key, "a.uad", "continue-from"},
                 [&] { return make_trainer(models::method_table(), options); });
  };
  refused("layers", "layer2");
  refused("resize", "32x32");
  refused("roi", "0,0,10,10");
  options.options = {};
  options.method = "padim";
  expect_error(ErrorCode::kBadOption, {"method patchcore", "not padim"},
               [&] { return make_trainer(models::method_table(), options); });
  options.continue_from = folder / "missing.uad";
  expect_error(ErrorCode::kNotFound, {"missing.uad"},
               [&] { return make_trainer(models::method_table(), options); });
}

TEST(StreamTrainer, PromisesARateFromThePartsHeldOut) {
  const test::TempDir folder;
  TrainerOptions options = options_of("padim");
  options.false_reject_rate = 0.05;
  options.part_frames = 2;
  options.holdout = 0.5;
  const Trained trained = trainer_with(options, 40)->fit(folder / "a.uad", {});
  const ThresholdOrigin& origin = trained.manifest.threshold_origin;
  EXPECT_EQ(origin.images, 10) << "20 frames of 10 parts";
  EXPECT_NE(origin.facts.dump().find("0.05"), std::string::npos) << origin.facts.dump();
}

TEST(StreamTrainer, TheBudgetBoundsTheFrames) {
  TrainerOptions options = options_of("patchcore");
  options.memory_budget = 64LL << 20;
  const auto trainer = trainer_with(options, 1);
  const std::size_t room = trainer->forecast().frames;
  options.memory_budget = 128LL << 20;
  const auto twice = trainer_with(options, 1);
  EXPECT_GT(twice->forecast().frames, room);
  const Image frame = camera_frame(1);
  std::size_t added = 1;
  while (trainer->add(view(frame)) == Collected::kKept) ++added;
  EXPECT_EQ(added, room);
}

TEST(StreamTrainer, StatisticsDoNotGrowWithTheFrames) {
  TrainerOptions options = options_of("padim");
  options.memory_budget = 512LL << 20;
  const auto trainer = trainer_with(options, 1);
  const MemoryForecast one = trainer->forecast();
  const Image frame = camera_frame(1);
  for (int i = 0; i < 9; ++i) static_cast<void>(trainer->add(view(frame)));
  EXPECT_NEAR(static_cast<double>(trainer->forecast().bytes - one.bytes), 9 * 64 * 48 * 3,
              9 * 64 * 48);
}

TEST(StreamTrainer, ABudgetWithoutRoomNamesTheLeast) {
  TrainerOptions options = options_of("padim");
  options.memory_budget = 1LL << 20;
  const auto trainer = trainer_with(options, 1);
  expect_error(ErrorCode::kBadOption, {"1 MB", "memory-budget"},
               [&] { return trainer->forecast(); });
}

TEST(StreamTrainer, WhatItCannotReadIsRefusedBeforeAnyFrame) {
  const auto with = [](const std::string& key, const std::string& value) {
    TrainerOptions options = options_of("patchcore");
    options.options[key] = value;
    return [options] { return make_trainer(models::method_table(), options); };
  };
  expect_error(ErrorCode::kBadOption, {"resise", "resize"}, with("resise", "64x64"));
  expect_error(ErrorCode::kBadOption, {"k", "many"}, with("k", "many"));
  expect_error(ErrorCode::kBadOption, {"mask", "crop_size"}, [&] {
    TrainerOptions options = options_of("patchcore");
    const test::TempDir folder;
    options.options["crop_size"] = "32x32";
    write_png(folder / "mask.png", {2, 1, 1, {0, 255}});
    options.options["mask"] = (folder / "mask.png").string();
    return make_trainer(models::method_table(), options);
  });
  expect_error(ErrorCode::kNotFound, {"resnet18"}, with("backbone", "resnet18"));
  TrainerOptions unknown;
  unknown.method = "patchcor";
  expect_error(ErrorCode::kBadOption, {"patchcor", "patchcore"},
               [&] { return make_trainer(models::method_table(), unknown); });
}

}  // namespace
}  // namespace uad
