// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/window_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;
using uad::KeeperFrame;
using uad::WindowKeeper;

class Tiles final : public uad::TileBatch {
 public:
  explicit Tiles(int windows, int left = 0) {
    plan_.source = {left, 0, windows, 1};
    plan_.tile = {1, 1};
    plan_.crop = {0, 0, windows, 1};
    for (int x = 0; x < windows; ++x) plan_.origins.push_back({x, 0});
  }
  [[nodiscard]] const uad::TilePlan& plan() const noexcept override { return plan_; }
  [[nodiscard]] const uad::InputSpec& spec() const noexcept override { return spec_; }

 private:
  uad::TilePlan plan_;
  uad::InputSpec spec_;
};

/// Windows of one pixel that show what the test says; a window takes 10 ms of a clock of its own.
class Painted final : public uad::Model, public uad::WindowedModel {
 public:
  explicit Painted(std::size_t windows) : shows(windows, 0.0) {
    manifest_.thresholds = {{0, 0.5, 1}, {0, 0.5, 1}, 0.4, 0};
  }
  [[nodiscard]] const uad::Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const std::string& sha256() const noexcept override { return text_; }
  [[nodiscard]] const std::string& device() const noexcept override { return text_; }
  [[nodiscard]] const std::string& precision() const noexcept override { return text_; }
  [[nodiscard]] double warm_up_ms() const noexcept override { return 0; }
  [[nodiscard]] const uad::Image& mask() const noexcept override { return mask_; }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return training_frames_;
  }
  [[nodiscard]] uad::ModelOutput analyse(const uad::TileBatch&, const std::string&) const override {
    throw uad::Error(uad::ErrorCode::kFailed, "whole frames are not asked for");
  }
  [[nodiscard]] uad::LearntGood learn_good(const uad::TileBatch&, const uad::LearnGoodOptions&,
                                           std::stop_token) const override {
    return {};
  }
  [[nodiscard]] uad::WindowsOutput analyse_windows(const uad::TileBatch&,
                                                   const std::vector<std::size_t>& chosen,
                                                   const std::string&,
                                                   uad::KeptWindows& kept) const override {
    looked.push_back(chosen);
    if (fails) throw uad::Error(uad::ErrorCode::kFailed, "broken");
    EXPECT_EQ(kept.scores.empty(), chosen.size() == shows.size() && fresh());
    kept.scores.resize(shows.size());
    for (const std::size_t window : chosen) kept.scores[window] = shows[window];
    kept.suspicions = kept.scores;
    kept.products.assign(1, recognises);
    const double took = 10.0 * static_cast<double>(chosen.size());
    now += std::chrono::milliseconds(static_cast<int>(took) + merging_ms);
    uad::WindowsOutput output;
    output.frame.score = *std::ranges::max_element(kept.scores);
    output.frame.infer_ms = took + merging_ms;
    output.frame.product = recognises;
    output.look_ms = took;
    return output;
  }

  std::vector<double> shows;
  bool fails = false;
  std::string recognises;
  int merging_ms = 0;
  mutable WindowKeeper::Clock::time_point now{1h};
  mutable std::vector<std::vector<std::size_t>> looked;
  mutable bool expects_fresh = true;

 private:
  [[nodiscard]] bool fresh() const { return std::exchange(expects_fresh, false); }

  uad::Manifest manifest_;
  std::string text_;
  uad::Image mask_;
  std::vector<std::int64_t> training_frames_;
};

class WindowKeeperTest : public testing::Test {
 protected:
  WindowKeeperTest() { frame.tiles = std::make_shared<const Tiles>(8); }
  uad::KeptOutput next() {
    frame.capture.frame = number;
    frame.capture.running_time = 40'000'000ULL * number++;
    frame.capture.arrival = model->now;
    return keeper.analyse(frame);
  }
  /// The frame is one of which nothing is known yet.
  std::size_t whole() {
    model->expects_fresh = true;
    return next().coverage.analysed;
  }

  std::shared_ptr<Painted> model = std::make_shared<Painted>(8);
  WindowKeeper keeper{model, [this] { return model->now; }};
  KeeperFrame frame{.deadline = {35ms, 0}};
  std::uint64_t number = 0;
};

TEST_F(WindowKeeperTest, TheFirstFrameIsWholeAndTheOthersTakeTheirTime) {
  EXPECT_EQ(next().coverage.analysed, 8U);
  for (int i = 0; i < 20; ++i) {
    const auto before = model->now;
    EXPECT_EQ(next().coverage.analysed, 3U);
    EXPECT_LE(model->now - before, 35ms);
  }
}

TEST_F(WindowKeeperTest, WhatAFrameWaitedAndWhatComesAfterTheWindowsIsPartOfItsTime) {
  model->merging_ms = 6;
  next();
  EXPECT_EQ(next().coverage.analysed, 2U);
  frame.capture.arrival = model->now - 15ms;
  EXPECT_EQ(keeper.analyse(frame).coverage.analysed, 1U);
  EXPECT_EQ(next().coverage.analysed, 2U);
  keeper.judged(10);
  EXPECT_EQ(next().coverage.analysed, 1U);
  frame.capture.arrival = model->now - 5s;
  EXPECT_EQ(keeper.analyse(frame).coverage.analysed, 1U) << "late already, but one is looked at";
}

TEST_F(WindowKeeperTest, ALongDeadlineLooksAtEverything) {
  frame.deadline.time = 1s;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(next().coverage.whole());
}

TEST_F(WindowKeeperTest, CoverageSaysHowOldTheOldestWindowIsInFramesAndInTime) {
  EXPECT_EQ(next().coverage, (uad::Coverage{8, 8, 0, 8, 0}));
  EXPECT_EQ(next().coverage, (uad::Coverage{8, 3, 1, 8, 40'000'000}));
  EXPECT_EQ(next().coverage, (uad::Coverage{8, 3, 2, 8, 80'000'000}));
  EXPECT_EQ(next().coverage, (uad::Coverage{8, 3, 2, 8, 80'000'000})) << "seen in the second frame";
}

TEST_F(WindowKeeperTest, ADefectIsFoundInTheFrameThatLooksAtItAndLookedAtUntilItIsGone) {
  next();
  model->shows[7] = 0.9;
  int frames = 1;
  while (next().output.score < 0.5) ++frames;
  EXPECT_LE(frames, 3) << "three windows a frame, eight windows";
  EXPECT_THAT(model->looked.back(), testing::Contains(7));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(next().output.score, 0.9);
    EXPECT_THAT(model->looked.back(), testing::Contains(7));
  }
  model->shows[7] = 0.1;
  EXPECT_LT(next().output.score, 0.5) << "in the very next frame";
}

TEST_F(WindowKeeperTest, SuspicionFollowsTheThresholdInForce) {
  model->shows[7] = 0.2;
  frame.overrides.warn = 0.15;
  next();
  next();
  EXPECT_THAT(model->looked.back(), ElementsAre(0, 1, 7));
  frame.overrides.warn = 0.3;
  next();
  EXPECT_THAT(model->looked.back(), ElementsAre(2, 3, 4));
}

TEST_F(WindowKeeperTest, FullCoverageInFewerFramesGoesBeforeTheDeadline) {
  frame.deadline.within = 2;
  next();
  const uad::Coverage coverage = next().coverage;
  EXPECT_EQ(coverage.analysed, 4U);
  EXPECT_EQ(coverage.within, 2U);
}

TEST_F(WindowKeeperTest, AnotherPartOrProductOrGeometryIsAnalysedWhole) {
  next();
  EXPECT_EQ(next().coverage.analysed, 3U);
  frame.scene = 1;
  EXPECT_EQ(whole(), 8U);
  frame.product = "bolt";
  EXPECT_EQ(whole(), 8U);
  frame.tiles = std::make_shared<const Tiles>(8, 1);  // the ROI moved
  EXPECT_EQ(whole(), 8U);
  EXPECT_EQ(next().coverage.analysed, 3U);
}

TEST_F(WindowKeeperTest, TheFrameAfterAnotherProductWasRecognisedIsAnalysedWhole) {
  model->recognises = "bolt";
  next();
  EXPECT_EQ(next().coverage.analysed, 3U);
  model->recognises = "nut";
  EXPECT_EQ(next().coverage.analysed, 3U);
  EXPECT_EQ(whole(), 8U);
  EXPECT_EQ(next().coverage.analysed, 3U);
}

TEST_F(WindowKeeperTest, AfterAnErrorNothingIsKept) {
  next();
  model->fails = true;
  EXPECT_THROW(next(), uad::Error);
  model->fails = false;
  EXPECT_EQ(whole(), 8U);
}

TEST(MeasuredTime, RisesFastAndFallsSlowly) {
  uad::MeasuredTime time;
  EXPECT_FALSE(time.ms());
  time.add(10);
  EXPECT_DOUBLE_EQ(*time.ms(), 10);
  time.add(20);
  EXPECT_DOUBLE_EQ(*time.ms(), 15);
  time.add(5);
  EXPECT_DOUBLE_EQ(*time.ms(), 14);
}

}  // namespace
