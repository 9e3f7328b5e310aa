// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/image_io.h"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "core/base/error.h"
#include "core/files/crc32.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"

namespace {

using uad::ErrorCode;
using uad::Image;
using uad::test::expect_error;
using uad::test::TempDir;

/// A 2x1 image: red-ish and blue-ish.
const Image kPair{2, 1, 3, {200, 20, 10, 5, 30, 250}};

std::string encoded(const std::string& extension, const cv::Mat& pixels) {
  std::vector<unsigned char> bytes;
  cv::imencode(extension, pixels, bytes);
  return {bytes.begin(), bytes.end()};
}

/// A chunk with a right checksum.
std::string png_chunk(const std::string& type, const std::string& data) {
  const auto big = [](std::uint32_t v) {
    return std::string{static_cast<char>(v >> 24), static_cast<char>(v >> 16),
                       static_cast<char>(v >> 8), static_cast<char>(v)};
  };
  const std::string body = type + data;
  return big(static_cast<std::uint32_t>(data.size())) + body +
         big(uad::crc32(body.data(), body.size()));
}

class ImageIoTest : public testing::Test {
 protected:
  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    uad::test::write_bytes(dir_ / name, bytes);
    return dir_ / name;
  }
  TempDir dir_;
};

TEST_F(ImageIoTest, PngKeepsColoursAndOrder) {
  uad::write_png(dir_ / "a.png", kPair);
  EXPECT_EQ(uad::read_image(dir_ / "a.png").pixels,
            (std::vector<std::uint8_t>{200, 20, 10, 5, 30, 250}));
}

TEST_F(ImageIoTest, OneChannelIsWrittenAndReadBackAsGrey) {
  const Image grey{2, 2, 1, {0, 50, 100, 255}};
  uad::write_png(dir_ / "a.png", grey);
  EXPECT_EQ(uad::read_mask(dir_ / "a.png"), grey);
  EXPECT_EQ(uad::read_image(dir_ / "a.png").pixels,
            (std::vector<std::uint8_t>{0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255}));
}

TEST_F(ImageIoTest, AlphaIsDroppedNotBlended) {
  const cv::Mat pixels(1, 1, CV_8UC4, cv::Scalar(10, 20, 200, 0));
  EXPECT_EQ(uad::read_image(put("a.png", encoded(".png", pixels))).pixels,
            (std::vector<std::uint8_t>{200, 20, 10}));
}

TEST_F(ImageIoTest, SixteenBitsAreScaledAndRounded) {
  const cv::Mat pixels = (cv::Mat_<std::uint16_t>(1, 4) << 0, 65535, 128 * 257 + 128, 129);
  const Image image = uad::read_image(put("a.png", encoded(".png", pixels)));
  EXPECT_EQ(image.pixels[3], 255);
  EXPECT_EQ(image.pixels[6], 128);
  EXPECT_EQ(image.pixels[9], 1);  // 129 / 257 = 0.502
}

TEST_F(ImageIoTest, SmallClassNumbersOfA16BitMaskStayAboveZero) {
  const cv::Mat pixels = (cv::Mat_<std::uint16_t>(1, 3) << 0, 1, 65535);
  EXPECT_EQ(uad::read_mask(put("a.png", encoded(".png", pixels))).pixels,
            (std::vector<std::uint8_t>{0, 1, 255}));
}

TEST_F(ImageIoTest, ColouredMaskPixelCountsWhateverItsColour) {
  const cv::Mat pixels = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(1, 0, 0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(uad::read_mask(put("a.png", encoded(".png", pixels))).pixels,
            (std::vector<std::uint8_t>{1, 0}));
}

TEST_F(ImageIoTest, JpegMaskHasNoRingingAroundItsEdges) {
  cv::Mat pixels = cv::Mat::zeros(16, 16, CV_8U);
  pixels.colRange(0, 5) = 255;
  const Image mask = uad::read_mask(put("a.jpg", encoded(".jpg", pixels)));
  for (int x = 0; x < 16; ++x) EXPECT_EQ(mask.pixels[static_cast<std::size_t>(x)] != 0, x < 5) << x;
}

TEST_F(ImageIoTest, OrientationTagIsIgnored) {
  const cv::Mat pixels(8, 24, CV_8UC3, cv::Scalar(1, 2, 3));
  std::string jpeg = encoded(".jpg", pixels);
  // An EXIF segment that says: turn by 90 degrees.
  const std::string exif(
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
      36);
  jpeg.insert(2, exif);
  const Image image = uad::read_image(put("a.jpg", jpeg));
  EXPECT_EQ(image.width, 24);
  EXPECT_EQ(image.height, 8);
}

TEST_F(ImageIoTest, BmpTiffAndOddNamesAreRead) {
  const cv::Mat pixels(3, 2, CV_8UC3, cv::Scalar(1, 2, 3));
  for (const char* extension : {".bmp", ".tiff"}) {
    const Image image = uad::read_image(put("ä ö.bin", encoded(extension, pixels)));
    EXPECT_EQ(image.width, 2);
    EXPECT_EQ(image.pixels[0], 3) << extension;
  }
}

TEST_F(ImageIoTest, EveryTruncationIsAnErrorThatNamesTheFile) {
  cv::Mat pixels(12, 12, CV_8UC3);
  cv::randu(pixels, 0, 255);
  for (const char* extension : {".png", ".jpg"}) {
    const std::string whole = encoded(extension, pixels);
    const std::string name = std::string("cut") + extension;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      put(name, whole.substr(0, length));
      expect_error(ErrorCode::kBadFile, {name}, [&] { return uad::read_image(dir_ / name); });
    }
  }
}

TEST_F(ImageIoTest, DamagedFilesPrintNothing) {
  const std::string whole = encoded(".png", cv::Mat(8, 8, CV_8UC3, cv::Scalar(9, 9, 9)));
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 4;
  testing::internal::CaptureStderr();
  expect_error(ErrorCode::kBadFile, {"a.png", "checksum"},
               [&] { return uad::read_image(put("a.png", flipped)); });
  expect_error(ErrorCode::kBadFile, {"b.png"},
               [&] { return uad::read_image(put("b.png", "not an image at all")); });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ImageIoTest, ColourProfilesAreLeftOutWithoutAWarning) {
  std::string png = encoded(".png", cv::Mat(1, 1, CV_8UC3, cv::Scalar(1, 2, 3)));
  png.insert(8 + 25, png_chunk("iCCP", std::string("profile\0\0garbage", 16)));  // after IHDR
  testing::internal::CaptureStderr();
  EXPECT_EQ(uad::read_image(put("a.png", png)).pixels, (std::vector<std::uint8_t>{3, 2, 1}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ImageIoTest, ImpossibleSizeIsRefusedBeforeItIsAllocated) {
  const std::string header("\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\2\0\0\0", 13);
  const std::string png = "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + png_chunk("IEND", "");
  expect_error(ErrorCode::kBadFile, {"a.png", "2147483647x2147483647"},
               [&] { return uad::read_image(put("a.png", png)); });
}

TEST_F(ImageIoTest, MissingAndEmptyFilesAreNamed) {
  expect_error(ErrorCode::kNotFound, {"none.png"},
               [&] { return uad::read_image(dir_ / "none.png"); });
  expect_error(ErrorCode::kBadFile, {"a.png", "empty"},
               [&] { return uad::read_mask(put("a.png", "")); });
}

TEST_F(ImageIoTest, UnwritableTargetIsAnError) {
  expect_error(ErrorCode::kFailed, {"no/a.png", "No such file"},
               [&] { uad::write_png(dir_ / "no" / "a.png", kPair); });
  expect_error(ErrorCode::kFailed, {"a.png", "PNG"},
               [&] { uad::write_png(dir_ / "a.png", Image{}); });
}

TEST(ImageExtension, IsKnownInAnyCase) {
  for (const char* name : {"a.png", "a.PNG", "a.JpEg", "b.jpg", "c.bmp", "d.tif", "e.TIFF"}) {
    EXPECT_TRUE(uad::has_image_extension(name)) << name;
  }
  for (const char* name : {"a.txt", "png", "a.png.bak", ".png", ""}) {
    EXPECT_FALSE(uad::has_image_extension(name)) << name;
  }
}

}  // namespace
