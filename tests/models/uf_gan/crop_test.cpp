// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/uf_gan/crop.h"

#include <random>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/uf_gan/preparation.h"

namespace uad::models::uf_gan {
namespace {

using ::testing::ElementsAre;

Image noise(int width, int height, int channels) {
  Image image{width, height, channels, {}};
  std::mt19937 random(7);
  image.pixels.resize(static_cast<std::size_t>(width * height * channels));
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random() % 256);
  return image;
}

TEST(UfGanCrop, PositionsAreTheSpecifications) {
  EXPECT_THAT(window_positions(40, 16, 5), ElementsAre(0, 5, 10, 15, 20, 24));
  EXPECT_THAT(window_positions(60, 16, 5), ElementsAre(0, 5, 10, 15, 20, 25, 30, 35, 40, 44));
  EXPECT_THAT(window_positions(168, 128, 20), ElementsAre(0, 20, 40, 40));
  const std::vector<int> down = window_positions(271, 128, 20);
  const std::vector<int> across = window_positions(481, 128, 20);
  EXPECT_EQ(down.size() * across.size(), 171U);
  EXPECT_EQ(std::vector(down.end() - 2, down.end()), (std::vector{140, 143}));
  EXPECT_EQ(std::vector(across.end() - 2, across.end()), (std::vector{340, 353}));
}

TEST(UfGanCrop, FindsAFlatPatchToWithinTheStep) {
  Image image = noise(481, 271, 3);
  for (int y = 90; y < 218; ++y) {
    for (int x = 205; x < 333; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.pixels[static_cast<std::size_t>((y * 481 + x) * 3 + c)] = 77;
      }
    }
  }
  const FlatPart found = find_flat_part(image, 128, 20);
  EXPECT_LE(std::abs(found.origin.x - 205), 20);
  EXPECT_LE(std::abs(found.origin.y - 90), 20);
}

TEST(UfGanCrop, OfEquallyFlatPlacesTheFirstIsTaken) {
  const Image flat{64, 48, 1, std::vector<std::uint8_t>(64 * 48, 9)};
  EXPECT_EQ(find_flat_part(flat, 16, 5).origin, (Point{0, 0}));
}

TEST(UfGanCrop, LevelsAreOfTheWholeImage) {
  Image halves{4, 2, 3, std::vector<std::uint8_t>(24, 100)};
  std::fill(halves.pixels.begin() + 12, halves.pixels.end(), std::uint8_t{200});
  const Levels levels = find_flat_part(halves, 2, 1).levels;
  EXPECT_NEAR(levels.mean, 150, 1e-9);
  EXPECT_NEAR(levels.deviation, 50, 1e-9);
}

TEST(UfGanPreparation, EnhancesTheContrastAroundTheMeanOfTheFrame) {
  const auto normalised = [](double level) { return level / 127.5 - 1; };
  at::Tensor images = at::full({1, 3, 2, 2}, normalised(100));
  images.slice(2, 1) = normalised(200);
  const at::Tensor found = (enhanced(images, at::full({1}, normalised(150))) + 1) * 127.5;
  EXPECT_NEAR(found[0][0][0][0].item<double>(), 95, 1e-4);
  EXPECT_NEAR(found[0][0][1][0].item<double>(), 205, 1e-4);
}

}  // namespace
}  // namespace uad::models::uf_gan
