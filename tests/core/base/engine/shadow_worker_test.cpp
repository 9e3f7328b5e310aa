// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/shadow_worker.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/stub_backend/stub_model.h"
#include "tests/support/temp_dir.h"

extern "C" uad::Backend* uad_backend_4() noexcept;

namespace {

using namespace std::chrono_literals;
using uad::AnalyserPtr;
using uad::testing::StubOptions;
using Clock = std::chrono::steady_clock;

/// Grey 8x8 frames, judged by a main model that says their grey, and by a shadow.
class ShadowWorkerTest : public ::testing::Test {
 protected:
  AnalyserPtr model(const std::string& name, const StubOptions& options,
                    uad::Size resize = {8, 8}) {
    const auto file = folder / (name + ".uad");
    uad::testing::write_stub_model(file, options, {{}, resize});
    return uad::Analyser::load(*uad_backend_4(), file);
  }
  void shadow_is(const StubOptions& options, uad::Size resize = {8, 8}) {
    worker.models().put(model("shadow", options, resize));
  }
  /// One frame judged by both; returns when the shadow is done.
  void frame(int grey) {
    offer(grey);
    worker.drain(5s);
  }
  /// One frame judged by the main model and offered to the shadow.
  void offer(int grey, bool cut_upstream = false) {
    image.pixels.assign(64, static_cast<std::uint8_t>(grey));
    const uad::TileBatchPtr tiles = main->cut(uad::view(image));
    const uad::ShadowWorker::Cut cut = [this](const uad::Analyser& analyser) {
      ++cuts;
      return analyser.cut(uad::view(image));
    };
    const auto rival = worker.prepare(*main, tiles, cut_upstream ? nullptr : cut, {});
    if (rival) worker.compare(*rival, main->analyse(*tiles));
  }

  uad::test::TempDir folder;
  uad::Image image{8, 8, 1, {}};
  AnalyserPtr main = model("main", {});
  int cuts = 0;
  std::vector<uad::Disagreement> told;  // read after drain()
  std::atomic<int> failures{0};
  uad::ShadowWorker worker{{{},
                            [this](const uad::Disagreement& found) { told.push_back(found); },
                            [this](const std::exception_ptr&) { ++failures; }}};
};

TEST_F(ShadowWorkerTest, FramesThatTheTwoJudgeDifferentlyAreCountedAndTold) {
  shadow_is({.offset = 0.5});
  for (const int grey : {0, 255, 51}) frame(grey);
  EXPECT_EQ(worker.counts().compared, 3U);
  EXPECT_EQ(worker.counts().disagreed, 2U);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].main->verdict, uad::Verdict::kPass);
  EXPECT_EQ(told[1].shadow->verdict, uad::Verdict::kReject);
  EXPECT_NEAR(told[1].shadow->score - told[1].main->score, 0.5, 1e-6);
  EXPECT_EQ(cuts, 0) << "both use the same tiles";
}

TEST_F(ShadowWorkerTest, NewsIsADisagreementThatBeginsOrChanges) {
  shadow_is({.offset = 0.35});
  for (const int grey : {51, 51, 0, 51, 51, 110}) frame(grey);
  std::string news;
  for (const auto& found : told) news += found.news ? "!" : ".";
  EXPECT_EQ(news, "!.!.!") << "begins, goes on; after agreement begins, goes on; WARN then";
}

TEST_F(ShadowWorkerTest, DisagreementThatGoesOnIsNewsAgainAfterASecond) {
  shadow_is({.offset = 0.5});
  frame(0);
  std::this_thread::sleep_for(1010ms);
  frame(0);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_TRUE(told[1].news);
}

TEST_F(ShadowWorkerTest, SlowShadowHoldsNobodyUpAndTakesTheNewestFrame) {
  shadow_is({.delay_ms = 500, .offset = 0.5});
  const auto start = Clock::now();
  for (int i = 0; i < 20; ++i) {
    offer(i);
    std::this_thread::sleep_for(1ms);  // lets the worker pick the first one up
  }
  EXPECT_LT(Clock::now() - start, 400ms);
  worker.drain(5s);
  ASSERT_EQ(told.size(), 2U) << "the first, then the newest";
  EXPECT_NEAR(told[1].main->score, 19 / 255.0, 1e-6);
}

TEST_F(ShadowWorkerTest, ShadowOfAnotherGeometryIsCutForOnlyWhileItIsFree) {
  shadow_is({.delay_ms = 300}, {4, 4});
  offer(0);
  EXPECT_EQ(cuts, 1);
  offer(0);
  EXPECT_EQ(cuts, 1) << "it is busy";
  worker.drain(5s);
  EXPECT_EQ(worker.counts().compared, 1U);
}

TEST_F(ShadowWorkerTest, ShadowThatTheTilesFromUpstreamDoNotFitIsGivenUpOnce) {
  shadow_is({}, {4, 4});
  for (int i = 0; i < 3; ++i) offer(0, true);
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(worker.counts().compared, 0U);
}

TEST_F(ShadowWorkerTest, FailingShadowIsToldOnceAndCannotBePromoted) {
  shadow_is({.throw_at = 2});
  for (int i = 0; i < 4; ++i) frame(0);
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(worker.counts().compared, 1U);
  EXPECT_EQ(worker.take(), nullptr);
}

TEST_F(ShadowWorkerTest, TakenShadowIsComparedNoMore) {
  EXPECT_EQ(worker.take(), nullptr) << "there is none yet";
  shadow_is({.offset = 0.5});
  const AnalyserPtr taken = worker.take();
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->name(), "shadow");
  frame(0);
  EXPECT_TRUE(told.empty());
}

TEST_F(ShadowWorkerTest, CountsBeginAnewWithEachShadow) {
  shadow_is({.offset = 0.5});
  frame(0);
  worker.models().put(model("other", {}));
  EXPECT_EQ(worker.counts().compared, 0U);
  frame(0);
  EXPECT_EQ(worker.counts().compared, 1U);
  EXPECT_EQ(worker.counts().disagreed, 0U);
}

}  // namespace
