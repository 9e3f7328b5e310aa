// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/preprocessor.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace {

uad::Image grey_image(int width, int height, std::uint8_t level) {
  return {width, height, 3,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), level)};
}

uad::Image ramp_image(int width, int height) {
  uad::Image image = grey_image(width, height, 0);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(i * 7 % 251);
  return image;
}

const uad::TensorTiles& tensors(const uad::TileBatchPtr& tiles) {
  return dynamic_cast<const uad::TensorTiles&>(*tiles);
}

uad::TilePreprocessor whole_frame(uad::Size resize) {
  uad::InputSpec spec;
  spec.resize = resize;
  return uad::TilePreprocessor({spec, {}});
}

TEST(Preprocessor, Level128NormalisesToTheSpecifiedValues) {
  const uad::Image image = grey_image(20, 10, 128);
  const auto tiles = whole_frame({8, 8}).cut(uad::view(image));
  const at::Tensor pixel = tensors(tiles).images()[0].select(1, 3).select(1, 5);
  EXPECT_NEAR(pixel[0].item<float>(), 0.0740646, 1e-6);
  EXPECT_NEAR(pixel[1].item<float>(), 0.2051821, 1e-6);
  EXPECT_NEAR(pixel[2].item<float>(), 0.4264924, 1e-6);
}

TEST(Preprocessor, TilesAreChannelsLastAndOfTheNetworkSize) {
  const uad::Image image = ramp_image(33, 21);
  const auto tiles = whole_frame({16, 24}).cut(uad::view(image));
  const at::Tensor& images = tensors(tiles).images();
  EXPECT_EQ(images.sizes(), at::IntArrayRef({1, 3, 24, 16}));
  EXPECT_TRUE(images.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(Preprocessor, WithoutAntialiasingItIsTheInterpolationOfTorch) {
  const uad::Image image = ramp_image(97, 61);
  uad::InputSpec spec;
  spec.resize = {32, 20};
  spec.antialias = false;
  spec.mean = {0, 0, 0};
  spec.std = {1, 1, 1};
  const auto tiles = uad::TilePreprocessor({spec, {}}).cut(uad::view(image));
  const at::Tensor levels = at::tensor(at::ArrayRef<std::uint8_t>(image.pixels), at::kByte)
                                .view({1, 61, 97, 3})
                                .permute({0, 3, 1, 2})
                                .to(at::kFloat);
  const at::Tensor expected = at::upsample_bilinear2d(levels, {20, 32}, false);
  // each axis is rounded to 8 bits
  EXPECT_LE((tensors(tiles).images() * 255 - expected).abs().max().item<double>(), 1.01);
}

TEST(Preprocessor, TheMeanOfTheFrameIsOfAllWindowsNormalised) {
  uad::Image image = grey_image(20, 10, 100);
  std::fill(image.pixels.begin() + 300, image.pixels.end(), std::uint8_t{200});  // the lower half
  uad::InputSpec spec;
  spec.resize = {};
  spec.window = {8, 8};
  spec.mean = {0.5F, 0.5F, 0.5F};
  spec.std = {0.5F, 0.5F, 0.5F};
  const auto tiles = uad::TilePreprocessor({spec, {}}).cut(uad::view(image));
  EXPECT_NEAR(tensors(tiles).frame_mean(), 150 / 127.5 - 1, 1e-6);
}

TEST(Preprocessor, WindowsShowTheirOwnPartOfTheImage) {
  const uad::Image image = ramp_image(20, 16);
  uad::InputSpec spec;
  spec.resize = {};
  spec.window = {8, 8};
  spec.stride = {8, 8};
  const uad::TilePreprocessor windows({spec, {}});
  const auto tiles = windows.cut(uad::view(image));
  const auto whole = whole_frame({}).cut(uad::view(image));
  ASSERT_EQ(tiles->plan().origins.size(), 6U);  // 8 + 8 + a shifted one, by two rows
  for (std::size_t i = 0; i < tiles->plan().origins.size(); ++i) {
    const uad::Point origin = tiles->plan().origins[i];
    const at::Tensor part =
        tensors(whole).images()[0].narrow(1, origin.y, 8).narrow(2, origin.x, 8);
    EXPECT_TRUE(at::equal(tensors(tiles).images()[static_cast<std::int64_t>(i)], part))
        << "window " << i;
  }
}

TEST(Preprocessor, MaskIsStretchedOverTheRoi) {
  const uad::Image image = ramp_image(16, 16);
  uad::InputSpec spec;
  spec.roi = {0, 0, 16, 8};
  spec.resize = {8, 4};
  const uad::TilePreprocessor masked({spec, {2, 1, 1, {0, 255}}});  // left half ignored
  const at::Tensor keep = tensors(masked.cut(uad::view(image))).keep();
  ASSERT_EQ(keep.sizes(), at::IntArrayRef({1, 1, 4, 8}));
  EXPECT_EQ(keep.narrow(3, 0, 4).sum().item<int>(), 0);
  EXPECT_EQ(keep.narrow(3, 4, 4).sum().item<int>(), 16);
}

TEST(Preprocessor, NetworkImageGivesTheSameTilesAsTheFrame) {
  const uad::Image image = ramp_image(40, 30);
  uad::InputSpec spec;
  spec.roi = {4, 2, 32, 24};
  spec.resize = {20, 20};
  spec.crop = {16, 16};
  spec.window = {8, 8};
  const uad::TilePreprocessor preprocessor({spec, {}});
  const auto direct = preprocessor.cut(uad::view(image));
  const auto kept = preprocessor.cut_network_image(preprocessor.network_image(uad::view(image)));
  EXPECT_TRUE(at::equal(tensors(direct).images(), kept->images()));
}

TEST(Preprocessor, BlackMaskIsRefused) {
  EXPECT_THROW(uad::TilePreprocessor({{}, {4, 4, 1, std::vector<std::uint8_t>(16, 0)}}),
               uad::Error);
}

TEST(Preprocessor, ColourMaskIsRefused) {
  EXPECT_THROW(uad::TilePreprocessor({{}, grey_image(4, 4, 255)}), uad::Error);
}

TEST(Preprocessor, ZeroStdIsRefused) {
  uad::InputSpec spec;
  spec.std[1] = 0;
  EXPECT_THROW(uad::TilePreprocessor({spec, {}}), uad::Error);
}

}  // namespace
