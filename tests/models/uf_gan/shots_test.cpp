// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/shots.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace uad::models::uf_gan {
namespace {

using ::testing::ElementsAre;

/// Image i has deviation i.
std::vector<Levels> ladder(std::size_t count) {
  std::vector<Levels> images;
  for (std::size_t i = 0; i < count; ++i) images.push_back({100, static_cast<double>(i)});
  return images;
}

/// How many of a hundred images come from the flat end, the middle and the lively end.
std::vector<std::size_t> groups(std::size_t shots) {
  std::vector<std::size_t> found(3);
  for (const std::size_t i : choose_shots(ladder(1000), shots))
    ++found[i < 400 ? 0 : i < 900 ? 1 : 2];
  return found;
}

TEST(UfGanShots, GroupsHaveTheSpecifiedSizes) {
  EXPECT_THAT(groups(1), ElementsAre(1, 0, 0));
  EXPECT_THAT(groups(2), ElementsAre(2, 0, 0));
  EXPECT_THAT(groups(5), ElementsAre(4, 1, 0));
  EXPECT_THAT(groups(10), ElementsAre(7, 2, 1));
  EXPECT_THAT(groups(20), ElementsAre(14, 4, 2));
  EXPECT_THAT(groups(50), ElementsAre(35, 10, 5));
}

TEST(UfGanShots, IndicesOfTwentyOfAHundred) {
  EXPECT_THAT(choose_shots(ladder(100), 20),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 48, 49, 50, 51, 98, 99));
}

TEST(UfGanShots, OfEquallyFlatImagesTheBrighterComesFirst) {
  EXPECT_THAT(choose_shots({{50, 2}, {80, 2}, {10, 1}}, 2), ElementsAre(2, 1));
}

TEST(UfGanShots, NoImageTwiceHoweverFewThereAre) {
  for (std::size_t count = 1; count < 60; ++count) {
    for (std::size_t shots = 1; shots < 60; ++shots) {
      const auto chosen = choose_shots(ladder(count), shots);
      EXPECT_EQ(chosen.size(), std::min(count, shots));
      EXPECT_EQ(std::set(chosen.begin(), chosen.end()).size(), chosen.size());
    }
  }
}

}  // namespace
}  // namespace uad::models::uf_gan
