// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/inference_engine.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/stub_backend/stub_model.h"

extern "C" uad::Backend* uad_backend_4() noexcept;

namespace {

using namespace std::chrono_literals;
using uad::InferenceEngine;
using uad::testing::StubOptions;

/// Grey 8x8 frames, one every 40 ms of running time, over the stub backend.
class InferenceEngineTest : public ::testing::Test {
 protected:
  ~InferenceEngineTest() override {
    engine.models().stop();
    std::filesystem::remove(file);
  }
  void load(const StubOptions& options = {}) {
    uad::testing::write_stub_model(file, options, {{}, {8, 8}});
    engine.models().load([this](const std::stop_token& stop) {
      return uad::Analyser::load(*uad_backend_4(), file, {}, nullptr, stop);
    });
  }
  uad::FrameInput frame() {
    uad::FrameInput input;
    input.capture.running_time = input.capture.pts = 40'000'000ULL * number++;
    input.capture.arrival = std::chrono::steady_clock::now();
    input.cut = [this](const uad::Analyser& analyser) {
      ++cuts;
      return analyser.cut(uad::view(image));
    };
    return input;
  }
  std::optional<uad::Shown> next(int grey) {
    image.pixels.assign(64, static_cast<std::uint8_t>(grey));
    return engine.analyse(frame(), options);
  }
  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("uad-engine-" + std::to_string(getpid()) + ".uad");
  uad::Image image{8, 8, 1, std::vector<std::uint8_t>(64)};
  uad::InferenceOptions options;
  std::uint64_t number = 0;
  int cuts = 0;
  bool may_come = false;
  InferenceEngine engine{{.model_may_come = [this] { return may_come; }}};
};

TEST_F(InferenceEngineTest, EveryGivesEachFrameItsOwnResult) {
  load();
  EXPECT_EQ(next(255)->verdict, uad::Verdict::kReject);
  const auto second = next(0);
  EXPECT_EQ(second->verdict, uad::Verdict::kPass);
  EXPECT_EQ(second->age_ns, 0U);
  EXPECT_EQ(cuts, 2);
}

TEST_F(InferenceEngineTest, SeveralFramesAreOnTheirWayAtOnce) {
  load({.delay_ms = 10});
  std::vector<uad::PendingFrame> pending;
  for (const int grey : {255, 0, 255}) {
    image.pixels.assign(64, static_cast<std::uint8_t>(grey));
    pending.push_back(*engine.begin(frame(), options));
  }
  EXPECT_EQ(engine.finish(pending[0])->verdict, uad::Verdict::kReject);
  EXPECT_EQ(engine.finish(pending[1])->verdict, uad::Verdict::kPass);
  EXPECT_EQ(engine.finish(pending[2])->analysis->capture.pts, 80'000'000U);
}

TEST_F(InferenceEngineTest, InterruptGivesUpTheFramesOnTheirWayAndThoseToComeUntilResumed) {
  load({.delay_ms = 50});
  auto pending = engine.begin(frame(), options);
  engine.interrupt();
  EXPECT_FALSE(engine.finish(*pending));
  EXPECT_FALSE(next(0));
  engine.resume();
  EXPECT_TRUE(next(0));
}

TEST_F(InferenceEngineTest, IntervalCarriesTheResultAndCutsNothingInBetween) {
  load();
  options.interval = 3;
  next(255);
  const auto carried = next(0);
  EXPECT_EQ(carried->verdict, uad::Verdict::kReject);
  EXPECT_EQ(carried->age_ns, 40'000'000U);
  next(0);
  EXPECT_EQ(next(0)->verdict, uad::Verdict::kPass);
  EXPECT_EQ(cuts, 2);
  EXPECT_EQ(engine.health().counts().skipped, 2U);
}

TEST_F(InferenceEngineTest, LatestPassesFramesUnscoredWhileTheModelLoads) {
  load({.load_delay_ms = 60'000});
  options.every = false;
  const auto shown = next(0);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->verdict, uad::Verdict::kUnscored);
  EXPECT_STREQ(shown->note, "loading model");
  EXPECT_EQ(cuts, 0);
}

TEST_F(InferenceEngineTest, LatestDoesNotCutWhatTheBusyWorkerCannotTake) {
  load({.delay_ms = 200});
  ASSERT_NE(engine.models().wait(), nullptr);
  options.every = false;
  for (int i = 0; i < 20; ++i) {
    next(0);
    std::this_thread::sleep_for(1ms);  // lets the worker pick the first frame up
  }
  EXPECT_LE(cuts, 2);
  EXPECT_FALSE(engine.wants_next(frame(), options));
}

TEST_F(InferenceEngineTest, QosLeavesOutOneAnalysisButNeverTwoInARow) {
  load();
  ASSERT_NE(engine.models().wait(), nullptr);
  options.every = false;
  engine.skip_one();
  next(0);
  EXPECT_EQ(cuts, 0);
  engine.skip_one();
  next(0);
  EXPECT_EQ(cuts, 1);
}

TEST_F(InferenceEngineTest, FailedFirstLoadGivesNoResultInEitherPolicy) {
  load({.load_error = "torn file"});
  EXPECT_FALSE(next(0));
  options.every = false;
  EXPECT_FALSE(next(0));
}

TEST_F(InferenceEngineTest, FramesPassUnscoredInEitherPolicyWhereAModelMayCome) {
  load({.load_error = "torn file"});
  may_come = true;
  for (const bool every : {true, false}) {
    options.every = every;
    const auto shown = next(0);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->verdict, uad::Verdict::kUnscored);
    EXPECT_STREQ(shown->note, "waiting for model");
  }
  load();
  options.every = true;
  EXPECT_EQ(next(255)->verdict, uad::Verdict::kReject);
}

TEST_F(InferenceEngineTest, ShadowJudgesTheFramesThatWereAnalysedInEitherPolicy) {
  load();
  const auto shadow = engine.models().wait();
  engine.shadow().models().put(shadow);
  for (const bool every : {true, false}) {
    options.every = every;
    next(255);
    engine.drain(5s);
  }
  EXPECT_EQ(engine.shadow().counts().compared, 2U);
}

TEST_F(InferenceEngineTest, InterruptEndsTheWaitOfTheFirstFrame) {
  load({.load_delay_ms = 60'000});
  std::jthread flush([this] {
    std::this_thread::sleep_for(20ms);
    engine.models().interrupt();
  });
  EXPECT_FALSE(next(0));
}

TEST_F(InferenceEngineTest, WorkerErrorReachesALaterFrame) {
  load({.throw_at = 1});
  ASSERT_NE(engine.models().wait(), nullptr);
  options.every = false;
  EXPECT_THROW(
      for (int i = 0; i < 1000; ++i) {
        next(0);
        std::this_thread::sleep_for(1ms);
      },
      uad::Error);
}

TEST_F(InferenceEngineTest, FlushForgetsTheEarlierResult) {
  load();
  options.interval = 100;
  next(255);
  engine.forget();
  const auto shown = next(0);
  EXPECT_EQ(shown->verdict, uad::Verdict::kUnscored);
  EXPECT_STREQ(shown->note, "no result yet");
}

TEST_F(InferenceEngineTest, TilesOfTheOldModelAreJudgedByItUntilOthersCome) {
  load();
  ASSERT_TRUE(next(255));
  uad::FrameInput old = frame();
  old.cut_upstream = true;
  old.tiles = old.cut(*engine.models().get());
  uad::testing::write_stub_model(file, {.offset = 0.5}, {{}, {4, 4}});
  engine.models().load([this](const std::stop_token& stop) {
    return uad::Analyser::load(*uad_backend_4(), file, {}, nullptr, stop);
  });
  while (engine.models().get()->fits(*old.tiles)) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(engine.analyse(old, options)->analysis->score, 1);
  uad::FrameInput fresh = frame();
  fresh.cut_upstream = true;
  fresh.tiles = fresh.cut(*engine.models().get());
  EXPECT_EQ(engine.analyse(fresh, options)->analysis->score, 1.5);
  EXPECT_THROW(engine.analyse(old, options), uad::Error) << "there is no way back";
}

TEST_F(InferenceEngineTest, FrameWithoutTilesIsLeftOutWhereSomebodyUpstreamCuts) {
  load();
  uad::FrameInput input = frame();
  input.cut_upstream = true;
  EXPECT_EQ(engine.analyse(input, options)->verdict, uad::Verdict::kUnscored);
  EXPECT_EQ(cuts, 0);
}

}  // namespace
