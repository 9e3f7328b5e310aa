// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/image_io.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/base/error.h"
#include "core/base/files/input_file.h"
#include "core/data/image_check.h"
#include "core/files/atomic_file.h"

namespace uad {
namespace {

constexpr std::uint64_t kMaxImageBytes = 1ULL << 30;

[[noreturn]] void refuse(const std::string& file, const std::string& what,
                         const std::string& detail = {}) {
  throw Error(ErrorCode::kBadFile, fmt::format("Image '{}' {}.", file, what), detail);
}

/// OpenCV's own log goes to stderr; errors reach the user as exceptions of ours instead.
void silence_opencv() {
  static const auto once = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  (void)once;
}

struct Encoded {
  std::string name;
  std::string bytes;
};

Encoded load_checked(const std::filesystem::path& path) {
  InputFile file(path);
  Encoded encoded{file.name(), file.read_rest(kMaxImageBytes)};
  if (encoded.bytes.empty()) refuse(encoded.name, "is empty");
  if (is_png(encoded.bytes)) {
    encoded.bytes = checked_png(encoded.bytes, encoded.name);
  } else if (is_jpeg(encoded.bytes)) {
    check_jpeg(encoded.bytes, encoded.name);
  }
  return encoded;
}

/// 3 channels (blue first), 8 or 16 bits.
cv::Mat decode(const Encoded& encoded) {
  silence_opencv();
  const cv::Mat bytes(1, static_cast<int>(encoded.bytes.size()), CV_8U,
                      const_cast<char*>(encoded.bytes.data()));
  cv::Mat decoded;
  try {
    decoded =
        cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    refuse(encoded.name, "cannot be decoded", e.what());
  }
  if (decoded.empty()) {
    refuse(encoded.name, "cannot be decoded; PNG, JPEG, BMP or TIFF was expected");
  }
  if (decoded.channels() != 3 || (decoded.depth() != CV_8U && decoded.depth() != CV_16U)) {
    refuse(encoded.name, "has pixels that are neither 8 nor 16 bits; convert it to PNG");
  }
  return decoded;
}

std::uint8_t to_8_bit(std::uint16_t value) {
  return static_cast<std::uint8_t>((value * 255U + 32767U) / 65535U);
}

/// Calls `put(i, b, g, r)` with 16-bit or 8-bit values for each pixel in row order.
template <class Value, class Put>
void for_each_pixel(const cv::Mat& decoded, Put&& put) {
  std::size_t i = 0;
  for (int y = 0; y < decoded.rows; ++y) {
    const Value* row = decoded.ptr<Value>(y);
    for (int x = 0; x < decoded.cols; ++x, row += 3) put(i++, row[0], row[1], row[2]);
  }
}

Image blank(const cv::Mat& decoded, int channels) {
  const auto pixels = static_cast<std::size_t>(decoded.rows) *
                      static_cast<std::size_t>(decoded.cols) * static_cast<std::size_t>(channels);
  return {decoded.cols, decoded.rows, channels, std::vector<std::uint8_t>(pixels)};
}

/// @param what  for the message.
std::vector<std::uint8_t> encode(const Image& image, const char* extension,
                                 const std::vector<int>& parameters, const std::string& what) {
  silence_opencv();
  std::vector<std::uint8_t> encoded;
  std::string reason;
  try {
    const cv::Mat pixels(image.height, image.width, CV_8UC(image.channels),
                         const_cast<std::uint8_t*>(image.pixels.data()));
    cv::Mat swapped;  // must not share the image's pixels: cvtColor would write into them
    if (image.channels == 3) cv::cvtColor(pixels, swapped, cv::COLOR_RGB2BGR);
    if (!cv::imencode(extension, image.channels == 3 ? swapped : pixels, encoded, parameters)) {
      encoded.clear();
    }
  } catch (const cv::Exception& e) {
    encoded.clear();
    reason = e.what();
  }
  if (encoded.empty()) {
    throw Error(ErrorCode::kFailed,
                fmt::format("An image of {}x{} pixels cannot be encoded as {}.", image.width,
                            image.height, what),
                reason);
  }
  return encoded;
}

}  // namespace

bool has_image_extension(const std::filesystem::path& file) {
  static constexpr std::array<const char*, 6> kKnown{".png", ".jpg", ".jpeg",
                                                     ".bmp", ".tif", ".tiff"};
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kKnown.begin(), kKnown.end(), extension) != kKnown.end();
}

Image read_image(const std::filesystem::path& file) {
  const cv::Mat decoded = decode(load_checked(file));
  Image image = blank(decoded, 3);
  const auto put = [&](std::size_t i, std::uint8_t blue, std::uint8_t green, std::uint8_t red) {
    std::uint8_t* pixel = &image.pixels[3 * i];
    pixel[0] = red;
    pixel[1] = green;
    pixel[2] = blue;
  };
  if (decoded.depth() == CV_8U) {
    for_each_pixel<std::uint8_t>(decoded, put);
  } else {
    for_each_pixel<std::uint16_t>(
        decoded, [&](std::size_t i, std::uint16_t blue, std::uint16_t green, std::uint16_t red) {
          put(i, to_8_bit(blue), to_8_bit(green), to_8_bit(red));
        });
  }
  return image;
}

Image read_mask(const std::filesystem::path& file) {
  const Encoded encoded = load_checked(file);
  const cv::Mat decoded = decode(encoded);
  Image mask = blank(decoded, 1);
  if (decoded.depth() == CV_16U) {
    for_each_pixel<std::uint16_t>(decoded, [&](std::size_t i, auto blue, auto green, auto red) {
      const std::uint16_t highest = std::max({blue, green, red});
      // A mask of class numbers has small values, and none of them may vanish.
      mask.pixels[i] = highest == 0 ? 0 : std::max<std::uint8_t>(1, to_8_bit(highest));
    });
    return mask;
  }
  const int black_below = is_jpeg(encoded.bytes) ? 128 : 1;
  for_each_pixel<std::uint8_t>(decoded, [&](std::size_t i, auto blue, auto green, auto red) {
    const std::uint8_t highest = std::max({blue, green, red});
    mask.pixels[i] = highest < black_below ? 0 : highest;
  });
  return mask;
}

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality) {
  return encode(image, ".jpg", {cv::IMWRITE_JPEG_QUALITY, quality}, "JPEG");
}

void write_png(const std::filesystem::path& file, const Image& image) {
  const std::vector<std::uint8_t> encoded =
      encode(image, ".png", {}, fmt::format("PNG file '{}'", file.string()));
  write_file(file, encoded.data(), encoded.size());
}

}  // namespace uad
