// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/gallery.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>
#include <openssl/evp.h>

#include "core/base/pixels/colour.h"
#include "core/data/image_io.h"

namespace uad::report {
namespace {

constexpr int kLongestSide = 400;  // pixels; two beside each other fill a column of the page
constexpr int kJpegQuality = 82;
constexpr double kHeatOpacity = 0.55;

using Palette = cv::Mat3b;  // 256 colours, blue first

Palette palette() {
  cv::Mat1b ramp(1, 256);
  for (int i = 0; i < 256; ++i) ramp(0, i) = static_cast<std::uint8_t>(i);
  Palette colours;
  // Even steps to every eye, the colour-blind included, and in a grey print.
  cv::applyColorMap(ramp, colours, cv::COLORMAP_VIRIDIS);
  return colours;
}

Size picture_size(const FrameView& frame) {
  const double scale = std::min(1.0, static_cast<double>(kLongestSide) /
                                         static_cast<double>(std::max(frame.width, frame.height)));
  return {std::max(1, static_cast<int>(std::lround(frame.width * scale))),
          std::max(1, static_cast<int>(std::lround(frame.height * scale)))};
}

/// 255 where the mask is not zero.
cv::Mat1b as_binary(const Image& mask) {
  return cv::Mat1b(mask.height, mask.width, const_cast<std::uint8_t*>(mask.pixels.data())) > 0;
}

/// A thin defect must not vanish: what it touches belongs to it.
Image shrink_mask(const Image& mask, Size size) {
  Image result{size.width, size.height, 1,
               std::vector<std::uint8_t>(static_cast<std::size_t>(size.width * size.height))};
  cv::Mat small(size.height, size.width, CV_8U, result.pixels.data());
  cv::resize(as_binary(mask), small, small.size(), 0, 0, cv::INTER_AREA);
  small = small > 0;
  return result;
}

/// A white line around the defect, and a black one around that: seen on any colour.
void draw_outline(cv::Mat3b& picture, const Image& defect) {
  const cv::Mat1b inside = as_binary(defect);
  cv::Mat white;
  cv::Mat black;
  cv::dilate(inside, white, cv::Mat(), {-1, -1}, 2);
  cv::dilate(white, black, cv::Mat());
  picture.setTo(cv::Scalar::all(0), black - white);
  cv::dilate(inside, inside, cv::Mat());
  picture.setTo(cv::Scalar::all(255), white - inside);
}

std::string data_uri(const Image& image) {
  const std::vector<std::uint8_t> jpeg = encode_jpeg(image, kJpegQuality);
  std::string text(4 * ((jpeg.size() + 2) / 3) + 1, '\0');  // the encoder ends with a zero byte
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), jpeg.data(),
                                     static_cast<int>(jpeg.size()));
  text.resize(static_cast<std::size_t>(length));
  return "data:image/jpeg;base64," + text;
}

GalleryPicture make_picture(const LabelledFrame& frame, const ModelOutput& output,
                            const ScoreScale& map_scale) {
  const FrameView& view = frame.view;
  const Size size = picture_size(view);
  const Image picture = to_rgb_resized(view, {0, 0, view.width, view.height}, size);
  const double across = static_cast<double>(size.width) / view.width;
  const double down = static_cast<double>(size.height) / view.height;
  const RectF& place = output.placement;
  const RectF placement{place.x * across, place.y * down, place.width * across,
                        place.height * down};
  const Image defect = frame.mask ? shrink_mask(*frame.mask, size) : Image{};
  return {frame.name, frame.kind, static_cast<double>(static_cast<float>(output.score)),
          data_uri(picture),
          data_uri(draw_heatmap(picture, output.map, placement, map_scale, defect))};
}

}  // namespace

void GalleryKeeper::offer(const LabelledFrame& frame, const ModelOutput& output) {
  std::vector<GalleryPicture>& side = frame.defective ? gallery_.defective : gallery_.good;
  const double score = static_cast<float>(output.score);  // as the evaluation counts it
  const auto better = [&](const GalleryPicture& kept) {
    return frame.defective ? kept.score > score : kept.score < score;
  };
  const auto place = std::ranges::find_if(side, better);
  if (place == side.end() && side.size() >= most_) return;
  side.insert(place, make_picture(frame, output, map_scale_));
  if (side.size() > most_) side.pop_back();
}

Image draw_heatmap(const Image& frame, const ScoreMap& map, const RectF& placement,
                   const ScoreScale& scale, const Image& defect) {
  static const Palette colours = palette();
  const int left = static_cast<int>(std::lround(placement.x));
  const int top = static_cast<int>(std::lround(placement.y));
  const int right =
      std::min(frame.width, static_cast<int>(std::lround(placement.x + placement.width)));
  const int bottom =
      std::min(frame.height, static_cast<int>(std::lround(placement.y + placement.height)));
  Image result = frame;
  cv::Mat3b picture(frame.height, frame.width, reinterpret_cast<cv::Vec3b*>(result.pixels.data()));
  cv::Mat1b grey;
  cv::cvtColor(picture, grey, cv::COLOR_RGB2GRAY);
  cv::cvtColor(grey, picture, cv::COLOR_GRAY2RGB);
  if (right > left && bottom > top) {
    const ScoreMap heat = upsample_bilinear(map, {right - left, bottom - top});
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const double level = scale.normalise(heat.at(y - top, x - left));
        const cv::Vec3b colour = colours(0, static_cast<int>(std::lround(255 * level)));
        cv::Vec3b& pixel = picture(y, x);
        for (int c = 0; c < 3; ++c) {
          pixel[c] = cv::saturate_cast<std::uint8_t>(pixel[c] * (1 - kHeatOpacity) +
                                                     colour[2 - c] * kHeatOpacity);
        }
      }
    }
  }
  if (!defect.pixels.empty()) draw_outline(picture, defect);
  return result;
}

std::vector<std::string> heatmap_colours(std::size_t count) {
  const Palette colours = palette();
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    const cv::Vec3b c = colours(0, static_cast<int>(255 * i / (count - 1)));
    result.push_back(fmt::format("#{:02x}{:02x}{:02x}", c[2], c[1], c[0]));
  }
  return result;
}

}  // namespace uad::report
