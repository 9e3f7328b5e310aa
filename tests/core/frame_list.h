// SPDX-License-Identifier: LGPL-2.1-or-later
// A frame source over pictures in memory.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/data/frame_source.h"

namespace uad::test {

struct ListedFrame {
  Image image;
  std::string kind = "good";
  std::optional<Image> mask;
  std::string product = {};
};

/// One grey level everywhere.
inline Image flat_image(int width, int height, std::uint8_t level, int channels = 3) {
  const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                     static_cast<std::size_t>(channels);
  return {width, height, channels, std::vector<std::uint8_t>(count, level)};
}

class FrameList final : public FrameSource {
 public:
  explicit FrameList(std::vector<ListedFrame> frames) : frames_(std::move(frames)) {}

  [[nodiscard]] std::optional<LabelledFrame> next() override {
    if (position_ == frames_.size()) return std::nullopt;
    const ListedFrame& listed = frames_[position_];
    LabelledFrame frame;
    frame.name = fmt::format("frame{}", position_++);
    frame.kind = listed.kind;
    frame.defective = listed.kind != "good";
    frame.product = listed.product;
    frame.view = view(listed.image);
    frame.mask = listed.mask;
    return frame;
  }
  void rewind() override {
    position_ = 0;
    ++rewinds_;
  }
  [[nodiscard]] std::size_t size() const noexcept override { return frames_.size(); }
  [[nodiscard]] const std::vector<SkippedFrame>& skipped() const noexcept override {
    return skipped_;
  }

  [[nodiscard]] int rewinds() const { return rewinds_; }
  void skip(std::string name, std::string reason) {
    skipped_.push_back({std::move(name), std::move(reason)});
  }

 private:
  std::vector<ListedFrame> frames_;
  std::vector<SkippedFrame> skipped_;
  std::size_t position_ = 0;
  int rewinds_ = 0;
};

}  // namespace uad::test
