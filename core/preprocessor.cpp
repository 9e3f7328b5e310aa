// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/preprocessor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

/// value → (value / 255 - mean) / std for each 8-bit level and channel: 768 numbers instead of
/// three operations a pixel, and the same bits on every machine.
using Levels = std::array<std::array<float, 256>, 3>;

Levels normalised_levels(const InputSpec& spec) {
  Levels levels{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      levels[c][v] = (static_cast<float>(v) / 255.0F - spec.mean[c]) / spec.std[c];
    }
  }
  return levels;
}

/// A pixel has 3 channels, or 1 that stands for all three. @return what follows the last value.
template <std::size_t kChannels>
float* normalise_pixels(const std::uint8_t* in, std::size_t pixels, const Levels& levels,
                        float* out) {
  for (std::size_t i = 0; i < pixels; ++i, in += kChannels, out += 3) {
    for (std::size_t c = 0; c < 3; ++c) out[c] = levels[c][in[kChannels == 3 ? c : 0]];
  }
  return out;
}

Rect tile_rect(const TilePlan& plan, const Point& origin) {
  return {origin.x, origin.y, plan.tile.width, plan.tile.height};
}

/// Channels-last float32 [N, 3, H, W] of every tile of `image`, which is the crop of the plan.
at::Tensor normalise_tiles(const Image& image, const TilePlan& plan, const InputSpec& spec) {
  const Levels levels = normalised_levels(spec);
  const auto count = static_cast<std::int64_t>(plan.origins.size());
  at::Tensor tiles = at::empty({count, plan.tile.height, plan.tile.width, 3}, at::kFloat);
  float* out = tiles.data_ptr<float>();
  for (const Point& origin : plan.origins) {
    for (int y = 0; y < plan.tile.height; ++y) {
      const std::size_t first =
          (static_cast<std::size_t>(origin.y + y) * static_cast<std::size_t>(image.width) +
           static_cast<std::size_t>(origin.x)) *
          3;
      const std::uint8_t* row = image.pixels.data() + first;
      out = normalise_pixels<3>(row, static_cast<std::size_t>(plan.tile.width), levels, out);
    }
  }
  return tiles.permute({0, 3, 1, 2});
}

/// The tiles as the one image that they were cut from: [H, W, 3], normalised.
at::Tensor put_together(const TensorTiles& tiles) {
  const TilePlan& plan = tiles.plan();
  const at::Tensor pixels = tiles.images().permute({0, 2, 3, 1});
  if (plan.origins.size() == 1) return pixels[0];
  const Size size = plan.map_size();
  at::Tensor whole = at::empty({size.height, size.width, 3}, at::kFloat);
  for (std::size_t i = 0; i < plan.origins.size(); ++i) {
    const Point& origin = plan.origins[i];
    whole.narrow(0, origin.y, plan.tile.height)
        .narrow(1, origin.x, plan.tile.width)
        .copy_(pixels[static_cast<std::int64_t>(i)]);
  }
  return whole;
}

/// uint8 [N, 1, H, W], 0 or 1, cut from a 1-channel mask of the crop's size.
at::Tensor mask_tiles(const Image& mask, const TilePlan& plan) {
  const auto count = static_cast<std::int64_t>(plan.origins.size());
  at::Tensor keep = at::empty({count, 1, plan.tile.height, plan.tile.width}, at::kByte);
  std::uint8_t* out = keep.data_ptr<std::uint8_t>();
  for (const Point& origin : plan.origins) {
    const Image tile = crop(mask, tile_rect(plan, origin));
    out = std::transform(tile.pixels.begin(), tile.pixels.end(), out,
                         [](std::uint8_t v) { return static_cast<std::uint8_t>(v != 0); });
  }
  return keep;
}

/// ROI, resize and crop.
Image prepare(const FrameView& frame, const TilePlan& plan, const InputSpec& spec) {
  return crop(to_rgb_resized(frame, plan.source, plan.scaled, spec.antialias), plan.crop);
}

void check_options(const PreprocessOptions& options) {
  for (const float std : options.spec.std) {
    if (!(std > 0)) {
      throw Error(
          ErrorCode::kBadOption,
          fmt::format("The input's std is {} but must be above 0. Set positive values for std.",
                      std));
    }
  }
  const Image& mask = options.mask;
  if (!mask.pixels.empty() && mask.channels != 1) {
    throw Error(
        ErrorCode::kShapeMismatch,
        fmt::format("The ignore mask has {} channels but 1 is expected. Use a grey image for mask.",
                    mask.channels));
  }
  if (!mask.pixels.empty() &&
      std::all_of(mask.pixels.begin(), mask.pixels.end(), [](std::uint8_t v) { return v == 0; })) {
    throw Error(ErrorCode::kBadOption,
                "The ignore mask is black everywhere, so nothing would be analysed. Paint the "
                "parts to look at white.");
  }
}

}  // namespace

float* normalise_into(const Image& image, const InputSpec& spec, float* out) {
  const Levels levels = normalised_levels(spec);
  const auto pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  const auto run = image.channels == 3 ? normalise_pixels<3> : normalise_pixels<1>;
  return run(image.pixels.data(), pixels, levels, out);
}

Image mask_at_input(const Image& mask, const TilePlan& plan) {
  return crop(resize_nearest(crop(mask, plan.source), plan.scaled), plan.crop);
}

TensorTiles::TensorTiles(TilePlan plan, InputSpec spec, at::Tensor images, at::Tensor keep)
    : plan_(std::move(plan)), spec_(spec), images_(std::move(images)), keep_(std::move(keep)) {}

float TensorTiles::frame_mean() const {
  return static_cast<float>(put_together(*this).mean(at::kDouble).item<double>());
}

Image picture_of(const TileBatch& tiles) {
  const Size size = tiles.plan().map_size();
  Image picture{size.width, size.height, 3, {}};
  picture.pixels.resize(static_cast<std::size_t>(size.width) *
                        static_cast<std::size_t>(size.height) * 3);
  at::Tensor whole = at::from_blob(picture.pixels.data(), {size.height, size.width, 3},
                                   at::TensorOptions(at::kByte));
  const at::Tensor mean = at::tensor(at::ArrayRef<float>(tiles.spec().mean));
  const at::Tensor std = at::tensor(at::ArrayRef<float>(tiles.spec().std));
  const at::Tensor levels = put_together(dynamic_cast<const TensorTiles&>(tiles)) * std + mean;
  whole.copy_((levels * 255).round().clamp(0, 255));
  return picture;
}

TilePreprocessor::TilePreprocessor(PreprocessOptions options) : options_(std::move(options)) {
  check_options(options_);
}

TileBatchPtr TilePreprocessor::cut(const FrameView& frame) const {
  const TilePlan plan = plan_tiles({frame.width, frame.height}, options_.spec);
  const Image image = prepare(frame, plan, options_.spec);
  at::Tensor keep;
  if (!options_.mask.pixels.empty()) {
    keep = mask_tiles(crop(resize_nearest(options_.mask, plan.scaled), plan.crop), plan);
  }
  at::Tensor images = normalise_tiles(image, plan, options_.spec);
  return std::make_shared<const TensorTiles>(plan, options_.spec, std::move(images),
                                             std::move(keep));
}

at::Tensor TilePreprocessor::cut_defects(const Image& mask) const {
  const TilePlan plan = plan_tiles({mask.width, mask.height}, options_.spec);
  return mask_tiles(mask_at_input(mask, plan), plan);
}

Image TilePreprocessor::network_image(const FrameView& frame) const {
  return prepare(frame, plan_tiles({frame.width, frame.height}, options_.spec), options_.spec);
}

std::shared_ptr<const TensorTiles> TilePreprocessor::cut_network_image(const Image& image) const {
  InputSpec whole = options_.spec;
  whole.roi = {};
  whole.resize = {};
  whole.crop = {};
  const TilePlan plan = plan_tiles({image.width, image.height}, whole);
  return std::make_shared<const TensorTiles>(
      plan, options_.spec, normalise_tiles(image, plan, options_.spec), at::Tensor());
}

}  // namespace uad
