// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/prediction_picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

namespace uad {
namespace {

constexpr int kSmallest = 224;  // shortest side of the frame in the picture: text must fit
constexpr int kLine = 3;        // width of a box, pixels
constexpr double kTint = 0.3;   // opacity where the heat is 1
const cv::Scalar kRed(255, 0, 0);

cv::Mat3b as_mat(Image& image) {
  return {image.height, image.width, reinterpret_cast<cv::Vec3b*>(image.pixels.data())};
}

/// Heat 0…1 of the frame's part where the map lies.
void tint(cv::Mat3b picture, const ScoreMap& heat) {
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      const double opacity = kTint * heat.at(y, x);
      cv::Vec3b& pixel = picture(y, x);
      for (int c = 0; c < 3; ++c) {
        pixel[c] = cv::saturate_cast<std::uint8_t>(pixel[c] * (1 - opacity) + kRed[c] * opacity);
      }
    }
  }
}

/// Text in a white strip above the frame, as large as fits.
cv::Mat3b with_title(const cv::Mat3b& frame, const std::string& title) {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  constexpr int kMargin = 6;
  const double room = frame.cols - 2 * kMargin;
  int below = 0;
  const cv::Size unit = cv::getTextSize(title, kFont, 1, 1, &below);
  const double scale = std::min(0.8, room / unit.width);
  const cv::Size text = cv::getTextSize(title, kFont, scale, 1, &below);
  cv::Mat3b result(frame.rows + text.height + below + 2 * kMargin, frame.cols, cv::Vec3b::all(255));
  cv::putText(result, title, {kMargin, kMargin + text.height}, kFont, scale, cv::Scalar::all(0), 1,
              cv::LINE_AA);
  frame.copyTo(result.rowRange(result.rows - frame.rows, result.rows));
  return result;
}

}  // namespace

std::string PredictionPicture::title(const ModelOutput& output, const std::string& truth) const {
  const bool anomaly = judge(output.score, thresholds) == Verdict::kReject;
  const double score = thresholds.image.normalise(output.score);
  const std::string text =
      boxes.probability ? fmt::format("{} {:.3f}", anomaly ? "Anomaly" : "Good",
                                      anomaly ? output.score : 1 - output.score)
                        : fmt::format("{}, score {:.3f}", anomaly ? "Anomaly" : "Good", score);
  return truth.empty() ? text : text + ", true: " + truth;
}

Image PredictionPicture::draw(const FrameView& frame, const ModelOutput& output,
                              const std::string& truth) const {
  const int enlarge = (kSmallest - 1) / std::min(frame.width, frame.height) + 1;
  const Size size{frame.width * enlarge, frame.height * enlarge};
  Image image = to_rgb_resized(frame, {0, 0, frame.width, frame.height}, size);
  const cv::Mat3b picture = as_mat(image);
  const auto scaled = [&](double value) { return static_cast<int>(std::lround(value * enlarge)); };
  if (show_heatmap) {
    const RectF& place = output.placement;
    const cv::Rect part =
        cv::Rect(scaled(place.x), scaled(place.y), scaled(place.width), scaled(place.height)) &
        cv::Rect(0, 0, picture.cols, picture.rows);
    ScoreMap heat = upsample_bilinear(output.map, {part.width, part.height});
    for (float& value : heat.values) {
      if (!boxes.probability) value = static_cast<float>(thresholds.map.normalise(value));
    }
    tint(picture(part), heat);
  }
  for (const Rect& box : defect_boxes(output, thresholds, boxes)) {
    cv::rectangle(picture,
                  cv::Rect(scaled(box.x), scaled(box.y), scaled(box.width), scaled(box.height)),
                  kRed, kLine);
  }
  const cv::Mat3b result = with_title(picture, title(output, truth));
  const std::uint8_t* bytes = result.ptr();
  return {result.cols, result.rows, 3, {bytes, bytes + result.total() * 3}};
}

std::string kind_by_folder(const std::filesystem::path& image) {
  const std::filesystem::path folder = image.parent_path();
  const std::string kind = folder.filename().string();
  const std::string side = folder.parent_path().filename().string();
  return kind == "good" || side == "test" || side == "train" ? kind : "";
}

}  // namespace uad
