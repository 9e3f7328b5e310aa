// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/pixels/image.h"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/golden/resize_pillow.h"

namespace {

using uad::Image;
using uad::Rect;
using uad::Size;

std::vector<std::uint8_t> noise(std::size_t count, std::uint64_t seed) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    bytes[i] = static_cast<std::uint8_t>((z ^ (z >> 31)) >> 56);
  }
  return bytes;
}

Image noise_image(int width, int height, int channels, std::uint64_t seed = 1) {
  return {width, height, channels,
          noise(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                    static_cast<std::size_t>(channels),
                seed)};
}

std::uint64_t fnv1a(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ULL;
  return hash;
}

class ResizeAsPillow : public testing::TestWithParam<uad::golden::ResizeCase> {};

TEST_P(ResizeAsPillow, EveryByteIsEqual) {
  const auto& c = GetParam();
  const Image from = noise_image(c.width, c.height, c.channels, uad::golden::kResizeSeed);
  const Image to = uad::resize_antialiased(from, {c.to_width, c.to_height});
  ASSERT_EQ(to.width, c.to_width);
  ASSERT_EQ(to.height, c.to_height);
  EXPECT_EQ(to.pixels.front(), c.first);
  EXPECT_EQ(to.pixels.back(), c.last);
  EXPECT_EQ(fnv1a(to.pixels), c.hash);
}

INSTANTIATE_TEST_SUITE_P(Noise, ResizeAsPillow, testing::ValuesIn(uad::golden::kResizeCases),
                         [](const auto& info) {
                           const auto& c = info.param;
                           return std::to_string(c.width) + "x" + std::to_string(c.height) +
                                  "_to_" + std::to_string(c.to_width) + "x" +
                                  std::to_string(c.to_height) + "_" + std::to_string(c.channels);
                         });

TEST(Resize, FloatRampMeetsTheSpecifiedNumbers) {
  std::vector<float> ramp(64);
  std::iota(ramp.begin(), ramp.end(), 0.0F);
  const std::vector<float> expected{9.947368F,  12.342105F, 14.736842F, 29.105263F, 31.5F,
                                    33.894737F, 48.263157F, 50.657894F, 53.05263F};
  const std::vector<float> small = uad::resize_antialiased(ramp, {8, 8}, {3, 3});
  ASSERT_EQ(small.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(small[i], expected[i], 1e-5);
}

TEST(Resize, SameSizeIsACopy) {
  const Image image = noise_image(9, 7, 3);
  EXPECT_EQ(uad::resize_antialiased(image, {9, 7}), image);
}

TEST(Resize, NearestTakesTheSampleUnderTheCentre) {
  const Image image{4, 1, 1, {10, 20, 30, 40}};
  EXPECT_EQ(uad::resize_nearest(image, {2, 1}).pixels, (std::vector<std::uint8_t>{20, 40}));
  EXPECT_EQ(uad::resize_nearest(image, {8, 1}).pixels,
            (std::vector<std::uint8_t>{10, 10, 20, 20, 30, 30, 40, 40}));
}

TEST(Resize, EmptySizeIsRefused) {
  EXPECT_THROW(uad::resize_antialiased(noise_image(2, 2, 3), Size{0, 4}), uad::Error);
  EXPECT_THROW(uad::resize_nearest(noise_image(2, 2, 3), Size{4, 0}), uad::Error);
}

TEST(Crop, TakesTheRowsAndColumnsInside) {
  const Image image{3, 2, 1, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(uad::crop(image, {1, 0, 2, 2}).pixels, (std::vector<std::uint8_t>{2, 3, 5, 6}));
  EXPECT_THROW(uad::crop(image, {2, 0, 2, 2}), uad::Error);
}

TEST(View, ImageOfWrongLengthIsRefused) {
  EXPECT_THROW(uad::view(Image{2, 2, 3, std::vector<std::uint8_t>(11)}), uad::Error);
  EXPECT_THROW(uad::view(Image{2, 2, 2, std::vector<std::uint8_t>(8)}), uad::Error);
}

}  // namespace
