// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/batcher.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;
using uad::Batcher;
using uad::BatchLimits;

class NoTiles final : public uad::TileBatch {
 public:
  [[nodiscard]] const uad::TilePlan& plan() const noexcept override { return plan_; }
  [[nodiscard]] const uad::InputSpec& spec() const noexcept override { return spec_; }

 private:
  uad::TilePlan plan_;
  uad::InputSpec spec_;
};

/// Writes down which frames came together, by their products. A frame "bad" is refused; "first"
/// stays in the network until the test opens it.
class Witness final : public uad::Model, public uad::JointModel {
 public:
  [[nodiscard]] const uad::Manifest& manifest() const noexcept override { return manifest_; }
  [[nodiscard]] const std::string& sha256() const noexcept override { return text_; }
  [[nodiscard]] const std::string& device() const noexcept override { return text_; }
  [[nodiscard]] const std::string& precision() const noexcept override { return text_; }
  [[nodiscard]] double warm_up_ms() const noexcept override { return 0; }
  [[nodiscard]] const uad::Image& mask() const noexcept override { return mask_; }
  [[nodiscard]] const std::vector<std::int64_t>& training_frames() const noexcept override {
    return training_frames_;
  }
  [[nodiscard]] uad::ModelOutput analyse(const uad::TileBatch&,
                                         const std::string& product) const override {
    return look({product}).front();
  }
  [[nodiscard]] std::vector<uad::ModelOutput> analyse_together(
      const std::vector<uad::BatchedFrame>& frames) const override {
    std::vector<std::string> products;
    for (const auto& frame : frames) products.push_back(frame.product);
    return look(products);
  }
  [[nodiscard]] uad::LearntGood learn_good(const uad::TileBatch&, const uad::LearnGoodOptions&,
                                           std::stop_token) const override {
    return {};
  }

  void open() {
    open_ = true;
    open_.notify_all();
  }
  [[nodiscard]] std::vector<std::vector<std::string>> batches() const {
    const std::lock_guard guard(lock_);
    return batches_;
  }

 private:
  std::vector<uad::ModelOutput> look(const std::vector<std::string>& products) const {
    {
      const std::lock_guard guard(lock_);
      batches_.push_back(products);
    }
    std::vector<uad::ModelOutput> outputs;
    for (const std::string& product : products) {
      if (product == "bad") throw uad::Error(uad::ErrorCode::kShapeMismatch, "It does not fit.");
      if (product == "first") open_.wait(false);
      outputs.emplace_back().product = product;
    }
    return outputs;
  }

  uad::Manifest manifest_;
  uad::Image mask_;
  std::vector<std::int64_t> training_frames_;
  std::string text_;
  std::atomic<bool> open_{false};
  mutable std::mutex lock_;  // guards `batches_`
  mutable std::vector<std::vector<std::string>> batches_;
};

class BatcherTest : public ::testing::Test {
 protected:
  ~BatcherTest() override { model->open(); }

  /// A frame in the network, so that those that follow have to wait.
  void occupy() {
    held = hand_over(seats[0], "first");
    while (model->batches().empty()) std::this_thread::yield();
  }
  Batcher::TicketPtr hand_over(Batcher::Seat& seat, const std::string& name,
                               const BatchLimits& limits = {}) {
    return seat.submit(std::make_shared<NoTiles>(), name, limits);
  }
  static std::string result_of(const Batcher::TicketPtr& ticket) {
    const auto result = ticket->wait();
    return result ? result->output.product : "abandoned";
  }

  std::shared_ptr<Witness> model = std::make_shared<Witness>();
  std::shared_ptr<Batcher> batcher = std::make_shared<Batcher>(model);
  std::deque<Batcher::Seat> seats;
  Batcher::TicketPtr held;
};

TEST_F(BatcherTest, FramesThatWaitGoTogetherAndEachGetsItsOwnResult) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  const auto a = hand_over(seats[0], "a");
  const auto b = hand_over(seats[1], "b");
  const auto c = hand_over(seats[2], "c");
  model->open();
  EXPECT_EQ(result_of(c), "c");
  EXPECT_EQ(result_of(b), "b");
  EXPECT_EQ(result_of(a), "a");
  EXPECT_THAT(model->batches(), ElementsAre(SizeIs(1), SizeIs(3)));
}

TEST_F(BatcherTest, NoMoreGoTogetherThanTheLeastOfThemAllows) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  const auto a = hand_over(seats[0], "a", {.frames = 8});
  const auto b = hand_over(seats[1], "b", {.frames = 2});
  const auto c = hand_over(seats[2], "c", {.frames = 8});
  model->open();
  EXPECT_EQ(result_of(a) + result_of(b) + result_of(c), "abc");
  EXPECT_THAT(model->batches(), ElementsAre(SizeIs(1), SizeIs(2), SizeIs(1)));
}

TEST_F(BatcherTest, AFastStreamDoesNotKeepASlowOneWaiting) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  std::vector<Batcher::TicketPtr> fast;
  for (const char* name : {"f1", "f2", "f3", "f4", "f5"}) {
    fast.push_back(hand_over(seats[0], name, {.frames = 2}));
  }
  const auto slow = hand_over(seats[1], "s", {.frames = 2});
  const auto third = hand_over(seats[2], "t", {.frames = 2});
  model->open();
  EXPECT_EQ(result_of(fast.back()), "f5");
  EXPECT_THAT(model->batches(),
              ElementsAre(ElementsAre("first"), ElementsAre("s", "t"), ElementsAre("f1", "f2"),
                          ElementsAre("f3", "f4"), ElementsAre("f5")));
}

TEST_F(BatcherTest, TurnsGoRoundWhereABatchHasNoRoomForAll) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  std::vector<Batcher::TicketPtr> tickets;
  for (const char* round : {"1", "2"}) {
    for (std::size_t i = 0; i < 3; ++i) {
      tickets.push_back(
          hand_over(seats[i], std::string(1, static_cast<char>('a' + i)) + round, {.frames = 2}));
    }
  }
  model->open();
  for (const auto& ticket : tickets) EXPECT_NE(result_of(ticket), "abandoned");
  EXPECT_THAT(model->batches(), ElementsAre(ElementsAre("first"), ElementsAre("b1", "c1"),
                                            ElementsAre("a1", "b2"), ElementsAre("c2", "a2")));
}

TEST_F(BatcherTest, OneThatIsAloneHasItsTurnAndIsNotPutOffByTheOthers) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  std::vector<Batcher::TicketPtr> tickets;
  for (const char* name : {"b1", "b2", "b3"}) tickets.push_back(hand_over(seats[1], name));
  const auto alone = seats[0].submit_alone([this] {
    uad::ModelOutput output;
    output.product = std::to_string(model->batches().size());
    return output;
  });
  for (const char* name : {"c1", "c2", "c3"}) tickets.push_back(hand_over(seats[2], name));
  model->open();
  EXPECT_EQ(result_of(alone), "2") << "after the first and the batch of those before its turn";
  for (const auto& ticket : tickets) EXPECT_NE(result_of(ticket), "abandoned");
  EXPECT_THAT(model->batches()[1], ElementsAre("b1", "c1"));
}

TEST_F(BatcherTest, OneThatIsAloneDoesNotWaitForOthersAndFailsForItself) {
  for (int i = 0; i < 2; ++i) seats.emplace_back(batcher);
  const auto fails = seats[0].submit_alone(
      []() -> uad::ModelOutput { throw uad::Error(uad::ErrorCode::kFailed, "It broke."); });
  const auto other = hand_over(seats[1], "b");
  EXPECT_THROW(static_cast<void>(fails->wait()), uad::Error);
  EXPECT_EQ(result_of(other), "b");
}

TEST_F(BatcherTest, ABatchBeginsOnceEveryStreamHasAFrameInIt) {
  for (int i = 0; i < 2; ++i) seats.emplace_back(batcher);
  const BatchLimits patient{.frames = 8, .wait = 1h};
  const auto a = hand_over(seats[0], "a", patient);
  const auto b = hand_over(seats[1], "b", patient);
  EXPECT_EQ(result_of(a) + result_of(b), "ab");
  EXPECT_THAT(model->batches(), ElementsAre(ElementsAre("a", "b")));
}

TEST_F(BatcherTest, AFrameWaitsForTheOthersNoLongerThanItMay) {
  for (int i = 0; i < 2; ++i) seats.emplace_back(batcher);
  EXPECT_EQ(result_of(hand_over(seats[0], "a", {.frames = 8, .wait = 20ms})), "a");
}

TEST_F(BatcherTest, AStreamThatGoesIsWaitedForNoMore) {
  seats.emplace_back(batcher);
  auto other = std::make_unique<Batcher::Seat>(batcher);
  const auto a = hand_over(seats[0], "a", {.frames = 8, .wait = 1h});
  other.reset();
  EXPECT_EQ(result_of(a), "a");
}

TEST_F(BatcherTest, OneThatFailsTakesNobodyAlong) {
  for (int i = 0; i < 3; ++i) seats.emplace_back(batcher);
  occupy();
  const auto a = hand_over(seats[0], "a");
  const auto bad = hand_over(seats[1], "bad");
  const auto c = hand_over(seats[2], "c");
  model->open();
  EXPECT_EQ(result_of(a) + result_of(c), "ac");
  EXPECT_THROW(static_cast<void>(bad->wait()), uad::Error);
}

TEST_F(BatcherTest, WhatNobodyWantsAnyMoreIsLeftOut) {
  for (int i = 0; i < 2; ++i) seats.emplace_back(batcher);
  occupy();
  const auto given_up = hand_over(seats[0], "given up");
  given_up->abandon();
  static_cast<void>(hand_over(seats[0], "dropped"));
  const auto wanted = hand_over(seats[1], "wanted");
  model->open();
  EXPECT_EQ(result_of(wanted), "wanted");
  EXPECT_EQ(result_of(given_up), "abandoned");
  EXPECT_THAT(model->batches(), ElementsAre(ElementsAre("first"), ElementsAre("wanted")));
}

TEST_F(BatcherTest, AFrameInTheNetworkCanBeGivenUp) {
  seats.emplace_back(batcher);
  occupy();
  held->abandon();
  EXPECT_EQ(result_of(held), "abandoned") << "without waiting for the network";
}

TEST_F(BatcherTest, OneModelHasOneBatcherAsLongAsSomebodyHasIt) {
  uad::Batchers all;
  auto first = all.of(model);
  EXPECT_EQ(all.of(model), first);
  EXPECT_NE(all.of(std::make_shared<Witness>()), first);
  const std::weak_ptr<Batcher> gone = first;
  first.reset();
  EXPECT_TRUE(gone.expired());
}

}  // namespace
