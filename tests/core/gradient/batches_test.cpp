// SPDX-License-Identifier: LGPL-2.1-or-later
// Samples on their way into batches: augmentation, order, loader.
#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/gradient/augmentation.h"
#include "core/gradient/batch_loader.h"
#include "core/gradient/batch_order.h"
#include "core/preprocessor.h"
#include "tests/core/gradient/toy.h"
#include "tests/support/expect_error.h"

namespace uad {
namespace {

using test::expect_error;
using test::flat_store;
using ::testing::UnorderedElementsAre;

/// Four different corners, the mask set in the first one.
Sample corners() {
  Sample sample{{2, 2, 1, {10, 20, 30, 40}}, {2, 2, 1, {1, 0, 0, 0}}, {2, 2, 1, {0, 1, 1, 1}}};
  return sample;
}

TEST(Augmentation, NothingIsChangedByDefault) {
  EXPECT_EQ(augment(corners(), {}, 5).image, corners().image);
}

TEST(Augmentation, MaskAndImageChangeAlike) {
  const Augmentation how{.flip_horizontal = true, .flip_vertical = true, .quarter_turns = 3};
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Sample changed = augment(corners(), how, seed);
    const auto corner = std::ranges::find(changed.image.pixels, 10) - changed.image.pixels.begin();
    EXPECT_EQ(changed.mask.pixels[static_cast<std::size_t>(corner)], 1);
    EXPECT_EQ(changed.keep.pixels[static_cast<std::size_t>(corner)], 0);
    seen.insert(changed.image.pixels);
  }
  EXPECT_EQ(seen.size(), 8U);  // all symmetries of a square
}

TEST(Augmentation, QuarterTurnsGoAntiClockwiseAndNoFurtherThanAsked) {
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    seen.insert(augment(corners(), {.quarter_turns = 2}, seed).image.pixels);
  }
  const std::set<std::vector<std::uint8_t>> expected{
      {10, 20, 30, 40}, {20, 40, 10, 30}, {40, 30, 20, 10}};
  EXPECT_EQ(seen, expected);
}

TEST(Augmentation, CropsComeFromEverywhereWithTheirMask) {
  Sample sample{{3, 1, 1, {1, 2, 3}}, {3, 1, 1, {1, 2, 3}}, {}};
  std::set<int> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Sample changed = augment(sample, {.crop = {1, 1}}, seed);
    EXPECT_EQ(changed.image.pixels, changed.mask.pixels);
    EXPECT_TRUE(changed.keep.pixels.empty());
    seen.insert(changed.image.pixels.front());
  }
  EXPECT_EQ(seen.size(), 3U);
  expect_error(ErrorCode::kBadOption, {"have 3x1 pixels"}, [&] {
    (void)augment(sample, {.crop = {2, 2}}, 0);
  });
  expect_error(ErrorCode::kBadOption, {"needs square images"},
               [&] { (void)augment(sample, {.quarter_turns = 1}, 0); });
}

TEST(Augmentation, LevelsStayWithinTheirLimitsAndMasksAreNotTouched) {
  Sample sample{{1, 1, 1, {100}}, {1, 1, 1, {1}}, {}};
  int low = 255;
  int high = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Sample changed = augment(sample, {.brightness = 0.1}, seed);
    low = std::min<int>(low, changed.image.pixels.front());
    high = std::max<int>(high, changed.image.pixels.front());
    EXPECT_EQ(changed.mask, sample.mask);
  }
  EXPECT_NEAR(low, 100 - 25.5, 2);
  EXPECT_NEAR(high, 100 + 25.5, 2);
}

TEST(Augmentation, RotationKeepsMaskLevels) {
  Sample sample{{9, 9, 1, std::vector<std::uint8_t>(81, 50)},
                {9, 9, 1, std::vector<std::uint8_t>(81, 0)},
                {}};
  sample.mask.pixels[40] = 1;  // the centre stays where it is
  const Sample changed = augment(sample, {.rotation = 45}, 3);
  EXPECT_EQ(changed.mask.pixels[40], 1);
  for (const std::uint8_t pixel : changed.mask.pixels) EXPECT_LE(pixel, 1);
}

std::vector<std::size_t> samples_of(const std::vector<Draw>& draws) {
  std::vector<std::size_t> samples;
  for (const Draw& draw : draws) samples.push_back(draw.sample);
  return samples;
}

TEST(BatchOrder, EveryEpochHasEverySampleOnceInAnotherOrder) {
  const BatchOrder order({.samples = 10, .batch_size = 4, .seed = 3});
  ASSERT_EQ(order.steps_per_epoch(), 3);
  std::vector<std::vector<std::size_t>> epochs(2);
  for (std::int64_t step = 0; step < 6; ++step) {
    const auto batch = samples_of(order.batch(step));
    EXPECT_EQ(batch.size(), step % 3 == 2 ? 2U : 4U);
    auto& epoch = epochs[static_cast<std::size_t>(step / 3)];
    epoch.insert(epoch.end(), batch.begin(), batch.end());
  }
  EXPECT_NE(epochs[0], epochs[1]);
  for (const auto& epoch : epochs) {
    EXPECT_THAT(epoch, UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  }
  EXPECT_NE(order.batch(0)[0].seed, order.batch(3)[0].seed);
}

TEST(BatchOrder, AnEpochMayLeaveOutItsLastBatchOrRunOnAcrossEpochs) {
  const BatchOrder dropping({.samples = 10, .batch_size = 4, .drop_last = true});
  EXPECT_EQ(dropping.steps_per_epoch(), 2);
  const BatchOrder endless({.samples = 3, .batch_size = 2, .endless = true, .seed = 1});
  std::vector<std::size_t> seen;
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto batch = samples_of(endless.batch(step));
    ASSERT_EQ(batch.size(), 2U);
    seen.insert(seen.end(), batch.begin(), batch.end());
  }
  for (const std::size_t sample : {0U, 1U, 2U}) EXPECT_EQ(std::ranges::count(seen, sample), 2);
}

TEST(BatchOrder, TooFewSamplesAreRefused) {
  expect_error(ErrorCode::kBadOption, {"no image"}, [] { BatchOrder order({.samples = 0}); });
  expect_error(ErrorCode::kBadOption, {"batch_size to 3"},
               [] { BatchOrder order({.samples = 3, .batch_size = 4, .drop_last = true}); });
}

std::vector<float> batches_of(int threads, std::size_t ahead) {
  const SampleStore store = flat_store({0, 0.2F, 0.4F, 0.6F, 0.8F});
  const BatchOrder order({.samples = store.size(), .batch_size = 2, .endless = true, .seed = 3});
  BatchLoader loader(store, order, {.first = 1, .last = 9, .threads = threads, .ahead = ahead});
  std::vector<float> levels;
  for (int i = 1; i < 9; ++i) {
    const Batch batch = loader.next();
    EXPECT_EQ(batch.images.sizes(), at::IntArrayRef({2, 3, 4, 4}));
    EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
    levels.push_back(batch.images[0].mean().item<float>());
    levels.push_back(batch.images[1].mean().item<float>());
  }
  return levels;
}

TEST(BatchOrder, TasksDrawWithReplacementAndPassesShuffleThem) {
  const BatchOrder order(
      {.samples = 6, .batch_size = 8, .task_size = 20, .task_passes = 4, .seed = 5});
  EXPECT_EQ(order.steps_per_epoch(), 12);  // 3 batches, 4 passes
  const auto pass = [&](std::int64_t first) {
    std::vector<std::size_t> samples;
    for (std::int64_t step = first; step < first + 3; ++step) {
      const std::vector<Draw> batch = order.batch(step);
      EXPECT_EQ(batch.size(), step % 3 == 2 ? 4U : 8U);
      for (const Draw& draw : batch) samples.push_back(draw.sample);
    }
    return samples;
  };
  const std::vector<std::size_t> first = pass(0);
  std::vector<std::size_t> second = pass(3);
  EXPECT_NE(first, second);
  std::vector<std::size_t> task = first;
  std::ranges::sort(task);
  std::ranges::sort(second);
  EXPECT_EQ(task, second);
  std::vector<std::size_t> next = pass(12);
  std::ranges::sort(next);
  EXPECT_NE(task, next);
  EXPECT_NE(order.batch(0)[0].seed, order.batch(3)[0].seed);
}

TEST(BatchLoader, BatchesComeInOrderWhateverTheNumberOfThreads) {
  const std::vector<float> one = batches_of(1, 1);
  EXPECT_EQ(batches_of(3, 4), one);
  EXPECT_EQ(batches_of(2, 1), one);
}

TEST(BatchLoader, AFailureComesOutOfNextAndTheRestCanBeLeftUnread) {
  const SampleStore store = flat_store({0, 1});
  const BatchOrder order({.samples = 2, .batch_size = 1});
  BatchLoader loader(store, order, {.augmentation = {.crop = {9, 9}}, .last = 2});
  expect_error(ErrorCode::kBadOption, {"Training crops are 9x9"}, [&] { (void)loader.next(); });
}

TEST(SampleStore, GivesBackTheTilesItWasGivenBitForBit) {
  InputSpec input;  // ImageNet's
  at::manual_seed(1);
  const at::Tensor levels = at::randint(0, 256, {2, 3, 5, 4}).to(at::kByte);
  Image image{4, 5, 3, {}};
  Tiles tiles;
  std::vector<at::Tensor> all;
  for (int i = 0; i < 2; ++i) {
    const at::Tensor packed = levels[i].permute({1, 2, 0}).contiguous();
    image.pixels.assign(packed.data_ptr<std::uint8_t>(), packed.data_ptr<std::uint8_t>() + 60);
    at::Tensor tile = at::empty({5, 4, 3});
    normalise_into(image, input, tile.data_ptr<float>());
    all.push_back(tile.permute({2, 0, 1}));
  }
  tiles.images = at::stack(all);
  tiles.masks = at::randint(0, 2, {2, 1, 5, 4}).to(at::kByte);
  tiles.labels = at::tensor({0, 1}, at::kLong);
  SampleStore store(input);
  store.add(tiles);
  const Batch batch = store.to_batch({store.sample(0), store.sample(1)}, {0, 1});
  EXPECT_TRUE(batch.images.equal(tiles.images));
  EXPECT_TRUE(batch.masks.equal(tiles.masks.to(at::kFloat)));
  EXPECT_EQ(store.label(1), 1);
  EXPECT_EQ(store.bytes(), 2 * (60 + 20));
}

TEST(SampleStore, KeepsGreyAsOneChannelAndRefusesAnotherSize) {
  SampleStore store = flat_store({0.5F});
  EXPECT_EQ(store.bytes(), 16);
  Tiles larger;
  larger.images = at::zeros({1, 3, 8, 4});
  expect_error(ErrorCode::kBadOption, {"one size"}, [&] { store.add(larger); });
}

TEST(SampleStore, ARangeHasLabelsAndDrawsAndEndsWithTheStore) {
  SampleStore store(test::plain_input());
  Tiles tiles = test::flat_tiles({0, 0.2F, 0.4F});
  tiles.labels = at::tensor({3, 4, 5}, at::kLong);
  store.add(tiles);
  const Batch batch = store.range(1, 9);
  EXPECT_TRUE(
      batch.images.equal(store.to_batch({store.sample(1), store.sample(2)}, {4, 5}).images));
  EXPECT_TRUE(batch.labels.equal(at::tensor({4, 5}, at::kLong)));
  ASSERT_EQ(batch.draws.size(), 2U);
  EXPECT_EQ(batch.draws[0].sample, 1U);
  EXPECT_EQ(batch.draws[1].sample, 2U);
}

TEST(SampleStore, MovesSamplesWithTheirNames) {
  SampleStore from(test::plain_input());
  Tiles tiles = test::flat_tiles({0, 0.2F, 0.4F});
  tiles.names = {"a", "b", "c"};
  from.add(tiles);
  SampleStore to(test::plain_input());
  const std::string before = from.sha256();
  from.move_to(to, {0, 2});
  ASSERT_EQ(to.size(), 2U);
  EXPECT_EQ(to.name(1), "c");
  EXPECT_EQ(from.name(0), "b");
  EXPECT_NE(from.sha256(), before);
}

}  // namespace
}  // namespace uad
