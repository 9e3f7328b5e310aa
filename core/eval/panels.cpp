// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/panels.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace uad {
namespace {

constexpr int kGap = 12;
constexpr int kCaption = 28;  // above a panel
constexpr int kScaleWidth = 56;
const cv::Scalar kInk(27, 37, 48);

void write(cv::Mat3b& sheet, const std::string& text, cv::Point at, double size) {
  cv::putText(sheet, text, at, cv::FONT_HERSHEY_SIMPLEX, size, kInk, 1, cv::LINE_AA);
}

void draw_scale(cv::Mat3b& sheet, cv::Rect where, const std::vector<std::string>& names) {
  cv::Mat1b levels(where.height, where.width);
  for (int y = 0; y < where.height; ++y) {
    levels.row(y) = 255 - 255 * y / std::max(1, where.height - 1);
  }
  jet(levels).copyTo(sheet(where));
  const int last = std::max(1, static_cast<int>(names.size()) - 1);
  for (int i = 0; i < static_cast<int>(names.size()); ++i) {
    const int rise = i == 0 ? 10 : i == last ? 0 : 4;  // text stands on its line
    write(sheet, names[static_cast<std::size_t>(i)],
          {where.br().x + 5, where.y + where.height * i / last + rise}, 0.4);
  }
}

}  // namespace

cv::Rect placed(const RectF& place, cv::Size frame, cv::Size panel) {
  const double across = static_cast<double>(panel.width) / frame.width;
  const double down = static_cast<double>(panel.height) / frame.height;
  const cv::Point from(static_cast<int>(std::lround(place.x * across)),
                       static_cast<int>(std::lround(place.y * down)));
  const cv::Point to(static_cast<int>(std::lround((place.x + place.width) * across)),
                     static_cast<int>(std::lround((place.y + place.height) * down)));
  return cv::Rect(from, to) & cv::Rect({0, 0}, panel);
}

cv::Mat as_mat(const Image& image) {
  return {image.height, image.width, CV_8UC(image.channels),
          const_cast<std::uint8_t*>(image.pixels.data())};
}

cv::Mat3b jet(const cv::Mat1b& levels) {
  cv::Mat3b colours;
  cv::applyColorMap(levels, colours, cv::COLORMAP_JET);
  cv::cvtColor(colours, colours, cv::COLOR_BGR2RGB);
  return colours;
}

Image side_by_side(const std::vector<Panel>& panels) {
  const cv::Size size = panels.front().pixels.size();
  int width = kGap;
  for (const Panel& panel : panels) {
    width += size.width + kGap + (panel.scale.empty() ? 0 : kScaleWidth);
  }
  const int height = kCaption + size.height + kGap;
  Image image{width, height, 3,
              std::vector<std::uint8_t>(
                  static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, 255)};
  cv::Mat3b sheet(height, width, reinterpret_cast<cv::Vec3b*>(image.pixels.data()));
  int x = kGap;
  for (const Panel& panel : panels) {
    write(sheet, panel.title, {x, kCaption - 9}, 0.5);
    panel.pixels.copyTo(sheet(cv::Rect({x, kCaption}, size)));
    x += size.width;
    if (!panel.scale.empty()) {
      draw_scale(sheet, {x + 8, kCaption, 14, size.height}, panel.scale);
      x += kScaleWidth;
    }
    x += kGap;
  }
  return image;
}

}  // namespace uad
